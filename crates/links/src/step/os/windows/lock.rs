//! A lock on a file that is no handle to it: while one is open, the names of the file may not go.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_INVALID_HANDLE, WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT};
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
    let id = directory.metadata_nofollow(name)?.id;
    // Of all sessions of the machine, whoever is logged on.
    let name = terminated(OsStr::new(&format!(r"Global\linkctl-{id}")));
    // SAFETY: the name ends in NUL and outlives the call; no security attributes are passed.
    let mutex = unsafe { CreateMutexW(ptr::null(), 0, name.as_ptr()) };
    if mutex.is_null() {
        let error = io::Error::last_os_error();
        // Or something else than a mutex has the name.
        let taken = number(&error) == Some(ERROR_INVALID_HANDLE);
        return if taken || error.kind() == io::ErrorKind::PermissionDenied { Ok(None) } else { Err(error) };
    }
    // SAFETY: the call succeeded, so the handle is open and nobody else's.
    let mutex = unsafe { OwnedHandle::from_raw_handle(mutex) };
    // SAFETY: the handle is open.
    match unsafe { WaitForSingleObject(mutex.as_raw_handle(), 2_000) } {
        // Abandoned: whoever held it was killed. What it left is looked at like everything else.
        WAIT_OBJECT_0 | WAIT_ABANDONED => Ok(Some(FileLock(mutex))),
        WAIT_TIMEOUT => Err(io::Error::other("another program holds a lock on the file")),
        _ => Err(io::Error::last_os_error()),
    }
}
