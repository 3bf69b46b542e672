//! A lock on a file that is no handle to it: while one is open, the names of the file may not go.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_INVALID_HANDLE, GetLastError, WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::{CreateMutexW, ReleaseMutex, WaitForSingleObject};

use crate::platform::{Directory, number, terminated};

/// Held by one program of this machine at a time. Let go of in the thread that took it.
pub(crate) struct FileLock(OwnedHandle);

impl Drop for FileLock {
    fn drop(&mut self) {
        // SAFETY: the handle is that of a mutex, which this thread owns.
        unsafe { ReleaseMutex(self.0.as_raw_handle()) };
    }
}

/// Locks a file against others that remove names of it, for at most two seconds' waiting. `None` where another user's
/// program holds it: its mutex is not for this one.
pub(crate) fn lock_file(directory: &Directory, name: &OsStr) -> io::Result<Option<FileLock>> {
    let mutex = match mutex(&directory.metadata_nofollow(name)?.id.to_string()) {
        Ok((mutex, _)) => mutex,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        // Something else than a mutex has the name.
        Err(error) if number(&error) == Some(ERROR_INVALID_HANDLE) => return Ok(None),
        Err(error) => return Err(error),
    };
    // SAFETY: the handle is open.
    match unsafe { WaitForSingleObject(mutex.as_raw_handle(), 2_000) } {
        // Abandoned: whoever held it was killed. What it left is looked at like everything else.
        WAIT_OBJECT_0 | WAIT_ABANDONED => Ok(Some(FileLock(mutex))),
        WAIT_TIMEOUT => Err(io::Error::other("another program holds a lock on the file")),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Opens a mutex, and makes it where there is none of this name; and whether there was one.
pub(super) fn mutex(name: &str) -> io::Result<(OwnedHandle, bool)> {
    let name = mutex_name(name);
    // SAFETY: the name ends in NUL and outlives the call; no security attributes are passed.
    let (mutex, error) = unsafe { (CreateMutexW(ptr::null(), 0, name.as_ptr()), GetLastError()) };
    if mutex.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the handle is open and nobody else's.
    Ok((unsafe { OwnedHandle::from_raw_handle(mutex) }, error == ERROR_ALREADY_EXISTS))
}

/// Of all sessions of the machine, whoever is logged on.
pub(super) fn mutex_name(name: &str) -> Vec<u16> {
    terminated(OsStr::new(&format!(r"Global\linkctl-{name}")))
}
