//! What tells a process from a later one of the same number.

use std::fs;

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
