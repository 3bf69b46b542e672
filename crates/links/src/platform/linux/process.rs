//! Which process began something, and whether it is still at it.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, told from a later one of the same number by when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    machine: String,
    boot: String,
    pid: u32,
    began: u64,
}

impl Process {
    pub(crate) fn current() -> Self {
        let pid = std::process::id();
        Self { machine: machine(), boot: boot(), pid, began: began(pid).unwrap_or(0) }
    }

    /// Whether the process still runs. One of another machine (a shared home directory) is taken
    /// to run: nothing here can tell.
    pub(crate) fn is_running(&self) -> bool {
        if self.machine != machine() {
            return true;
        }
        self.boot == boot() && began(self.pid) == Some(self.began)
    }
}

/// Host names change; this does not (machine-id(5)).
fn machine() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default().trim().to_owned();
    if id.is_empty() { rustix::system::uname().nodename().to_string_lossy().into_owned() } else { id }
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The 22nd field of `/proc/PID/stat`, counted behind the name, which may hold anything.
fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // A zombie has ended; only its parent has not heard yet.
    let state = fields.next()?;
    if state == "Z" || state == "X" { None } else { fields.nth(18)?.parse().ok() }
}
