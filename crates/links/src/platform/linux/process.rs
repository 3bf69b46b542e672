//! What tells a process from a later one of the same number.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;

/// Host names change; this does not (machine-id(5)).
pub(in crate::platform) fn machine() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default().trim().to_owned();
    if id.is_empty() { rustix::system::uname().nodename().to_string_lossy().into_owned() } else { id }
}

pub(in crate::platform) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// When a process began, if it still runs: the 22nd field of `/proc/PID/stat`, counted behind the name, which may hold anything.
pub(in crate::platform) fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // A zombie has ended; only its parent has not heard yet.
    let state = fields.next()?;
    if state == "Z" || state == "X" { None } else { fields.nth(18)?.parse().ok() }
}

pub(in crate::platform) fn runs_since(pid: u32, since: u64) -> bool {
    began(pid) == Some(since)
}

/// Whether this program, run by this user or by root, holds the lock that an opened file cannot be given (flock). Whoever can
/// open a file can lock it: the locks of others say nothing. Where the system does not tell whose it is, it is taken as such.
pub(crate) fn is_locked_by_own(file: &File) -> io::Result<bool> {
    let found = file.metadata()?;
    let (number, device) = (found.ino().to_string(), found.dev());
    let device = format!("{:02x}:{:02x}", rustix::fs::major(device), rustix::fs::minor(device));
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return Ok(true) };
    // `1: FLOCK  ADVISORY  WRITE 1234 08:02:131074 0 EOF`; those that wait for it have `->` before the kind.
    let of_number = locks.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (on, at) = fields.get(5)?.rsplit_once(':')?;
        (fields.get(1) == Some(&"FLOCK") && at == number).then_some((on, *fields.get(4)?))
    });
    let mut holders: Vec<_> = of_number.collect();
    // Some file systems tell of files by another device than the kernel has them on (btrfs, overlays).
    if holders.iter().any(|(on, _)| *on == device) {
        holders.retain(|(on, _)| *on == device);
    }
    let me = std::process::id().to_string();
    Ok(holders.into_iter().any(|(_, process)| process != me && is_own(process)))
}

fn is_own(process: &str) -> bool {
    let Ok(user) = fs::metadata(format!("/proc/{process}")).map(|found| found.uid()) else { return false };
    let program = |process: &str| -> Option<OsString> {
        Some(fs::read_link(format!("/proc/{process}/exe")).ok()?.file_name()?.to_owned())
    };
    // What root runs, nobody else may ask.
    match (user, program(process)) {
        (0, None) => true,
        (user, other) => (user == 0 || user == super::current_user()) && other == program("self"),
    }
}
