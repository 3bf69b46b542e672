//! Which process began something, and whether it is still at it.

#![allow(unsafe_code, reason = "calls of the system")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};

use serde::{Deserialize, Serialize};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, FILETIME, STILL_ACTIVE};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcessId, GetExitCodeProcess, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
};

use super::nt::number;
use super::registry;

/// A process, told from a later one of the same number by when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    machine: String,
    /// Empty here: when a process began is told to a ten-millionth of a second, also across restarts.
    boot: String,
    pid: u32,
    began: u64,
}

impl Process {
    pub(crate) fn current() -> Self {
        // SAFETY: the call takes nothing and cannot fail.
        let pid = unsafe { GetCurrentProcessId() };
        let began = began(pid).ok().flatten().unwrap_or(0);
        Self { machine: machine(), boot: String::new(), pid, began }
    }

    /// Whether the process still runs. One of another machine (a shared home directory) is taken
    /// to run, and so is one that may not be looked at: nothing here can tell.
    pub(crate) fn is_running(&self) -> bool {
        if self.machine != machine() {
            return true;
        }
        match began(self.pid) {
            Ok(began) => began == Some(self.began),
            Err(error) => number(&error) == Some(ERROR_ACCESS_DENIED),
        }
    }
}

fn machine() -> String {
    registry::text(registry::MACHINE, r"SOFTWARE\Microsoft\Cryptography", "MachineGuid")
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .unwrap_or_default()
}

/// When a process began; `None` where it has ended, and only its number is still held.
fn began(pid: u32) -> io::Result<Option<u64>> {
    // SAFETY: the call takes numbers alone.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the handle is open and nobody else's.
    let process = unsafe { OwnedHandle::from_raw_handle(handle) };
    let (mut code, mut times) = (0_u32, [FILETIME::default(); 4]);
    let [began, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open; the system writes one number, and four structures of two numbers each.
    let done = unsafe {
        GetExitCodeProcess(process.as_raw_handle(), &raw mut code) != 0
            && GetProcessTimes(process.as_raw_handle(), began, ended, kernel, user) != 0
    };
    if !done {
        return Err(io::Error::last_os_error());
    }
    let began = u64::from(began.dwHighDateTime) << 32 | u64::from(began.dwLowDateTime);
    Ok((code == STILL_ACTIVE.cast_unsigned()).then_some(began))
}
