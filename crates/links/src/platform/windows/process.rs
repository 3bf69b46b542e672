//! What tells a process from a later one of the same number.

#![allow(unsafe_code, reason = "calls of the system")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, FILETIME, STILL_ACTIVE};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
};

use super::nt::number;
use super::registry;

pub(in crate::platform) fn machine() -> String {
    registry::text(registry::MACHINE, r"SOFTWARE\Microsoft\Cryptography", "MachineGuid")
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .unwrap_or_default()
}

/// The time since which a process runs tells it from those before a restart.
pub(in crate::platform) fn boot() -> String {
    String::new()
}

/// When a process began, if it still runs.
pub(in crate::platform) fn began(pid: u32) -> Option<u64> {
    ask(pid).ok().flatten()
}

/// One that may not be looked at is taken to run.
pub(in crate::platform) fn runs_since(pid: u32, since: u64) -> bool {
    match ask(pid) {
        Ok(began) => began == Some(since),
        Err(error) => number(&error) == Some(ERROR_ACCESS_DENIED),
    }
}

/// When a process began; `None` where it has ended, and only its number is still held.
fn ask(pid: u32) -> io::Result<Option<u64>> {
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
