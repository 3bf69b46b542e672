//! Which process began something, and whether it is still at it.

use serde::{Deserialize, Serialize};

use super::system::process::{began, boot, machine, runs_since};

/// A process, told from a later one of the same number by when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    machine: String,
    /// Empty on Windows: there the start time of a process has a resolution of 100 ns, also across restarts.
    boot: String,
    pid: u32,
    began: u64,
}

impl Process {
    pub(crate) fn current() -> Self {
        let pid = std::process::id();
        Self { machine: machine(), boot: boot(), pid, began: began(pid).unwrap_or(0) }
    }

    /// Whether the process still runs. One of another machine (a shared home directory) is taken to run, and so is one
    /// that the system lets nobody look at: nothing here can tell.
    pub(crate) fn is_running(&self) -> bool {
        self.machine != machine() || self.boot == boot() && runs_since(self.pid, self.began)
    }
}
