//! Locks against other moves. A handle would keep what it is a handle of from being renamed; so they are names that the
//! system keeps for as long as somebody holds them.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{FromRawHandle as _, OwnedHandle};

use windows_sys::Win32::System::Threading::{OpenMutexW, SYNCHRONIZATION_SYNCHRONIZE};

use super::super::lock::{mutex, mutex_name};
use crate::model::FileId;
use crate::platform::Directory;

/// Locks held as long as they live: of a whole tree by one alone; of what holds it by all who move something in it, and by
/// nobody who moves it.
#[derive(Debug, Default)]
pub(crate) struct Locks(Vec<OwnedHandle>);

impl Locks {
    /// Locks an object against every other move of it, of what is in it and of what it is in.
    pub(crate) fn whole(&mut self, directory: &Directory, name: &OsStr) -> io::Result<()> {
        let id = directory.metadata_nofollow(name)?.id;
        // First said, then asked: of two who do so at the same time, at least one sees the other.
        if self.say("moving", id)? || is_said("inside", id) {
            return Err(busy());
        }
        Ok(())
    }

    /// Locks a directory and all above it against being moved.
    pub(crate) fn above(&mut self, directory: &Directory) -> io::Result<()> {
        let mut here = directory.open_child(OsStr::new("."))?;
        loop {
            let id = here.metadata()?.id;
            self.say("inside", id)?;
            if is_said("moving", id) {
                return Err(busy());
            }
            let path = here.physical_path()?;
            // What may not be opened cannot be moved by this user either.
            let Some(Ok(above)) = path.parent().map(Directory::open) else { return Ok(()) };
            here = above;
        }
    }

    /// Whether it was said already, by this process or another one.
    fn say(&mut self, what: &str, id: FileId) -> io::Result<bool> {
        match mutex(&format!("{what}-{id}")) {
            Ok((mutex, was_there)) => {
                self.0.push(mutex);
                Ok(was_there)
            }
            // Another user's: it is there.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn is_said(what: &str, id: FileId) -> bool {
    let name = mutex_name(&format!("{what}-{id}"));
    // SAFETY: the name ends in NUL and outlives the call.
    let mutex = unsafe { OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE, 0, name.as_ptr()) };
    if mutex.is_null() {
        return io::Error::last_os_error().kind() == io::ErrorKind::PermissionDenied;
    }
    // SAFETY: the call succeeded, so the handle is open and nobody else's.
    drop(unsafe { OwnedHandle::from_raw_handle(mutex) });
    true
}

fn busy() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "another move of it, of what is in it, or of what it is in is running")
}
