//! A tree removed, object by object: each is looked at right before it goes, and nothing is followed.

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use rustix::fs::{self, AtFlags};

use super::{Failed, Portions, Root, Work, open_to_read};
use crate::platform::{Inventory, ObjectKind, look};

/// Removes exactly the objects of an inventory. What is another object by now stays, with all that it is in.
pub(in crate::apply) fn erase(root: Root<'_>, inventory: &Inventory, work: Work<'_>) -> Result<(), Failed> {
    let remove = |container: &crate::platform::Directory, number: usize, flags| -> io::Result<()> {
        let Some(item) = inventory.items.get(number) else { return Ok(()) };
        let name = root.name_of(inventory, number);
        let now = match look(container, name) {
            Ok((now, _)) => now,
            // A run that was killed may have come this far.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !item.stat.is_same(&now) {
            return Err(io::Error::other("it is another object than the one that was copied"));
        }
        Ok(fs::unlinkat(container, name, flags)?)
    };
    Portions::of(inventory).each(work.workers, |portion| {
        let Some(&one) = portion.first() else { return Ok(()) };
        let container = match root.container(inventory, one) {
            Ok(container) => container,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failed::at(inventory, one, "open the directory of")(error)),
        };
        for &number in portion {
            let removed = remove(&container, number, AtFlags::empty());
            removed.map_err(Failed::at(inventory, number, "remove"))?;
            work.add(0);
        }
        Ok(())
    })?;
    for (number, item) in inventory.items.iter().enumerate().rev() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let gone = || -> io::Result<()> {
            let container = match root.container(inventory, number) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                opened => opened?,
            };
            remove(&container, number, AtFlags::REMOVEDIR)
        };
        gone().map_err(Failed::at(inventory, number, "remove"))?;
    }
    Ok(())
}

/// The first file of a tree that somebody has open for writing, or that cannot be asked about.
pub(in crate::apply) fn writer(root: Root<'_>, inventory: &Inventory) -> io::Result<Option<PathBuf>> {
    for portion in Portions::of(inventory).all {
        let Some(&one) = portion.first() else { continue };
        let container = root.container(inventory, one)?;
        for number in portion {
            let is_file = inventory.items.get(number).is_some_and(|item| item.stat.sort == ObjectKind::File);
            if is_file && !is_quiet(&container, root.name_of(inventory, number))? {
                return Ok(Some(inventory.path(number)));
            }
        }
    }
    Ok(None)
}

/// Whether nobody has a file open for writing, or mapped so: only then the system grants a lease to read.
#[allow(unsafe_code, reason = "a call that rustix has no function for")]
fn is_quiet(directory: &crate::platform::Directory, name: &std::ffi::OsStr) -> io::Result<bool> {
    let file = open_to_read(directory, name)?;
    // SAFETY: the descriptor is open for as long as `file` lives, and F_SETLEASE takes a number, not a pointer.
    let granted = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) };
    if granted == 0 {
        // SAFETY: as above; given back at once, since it is only the answer that counts.
        let released = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
        return if released == 0 { Ok(true) } else { Err(io::Error::last_os_error()) };
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Somebody writes; or the file is another user's, and the system does not tell.
        Some(libc::EAGAIN | libc::EACCES) => Ok(false),
        // A file system without leases.
        Some(libc::EINVAL | libc::ENOTSUP) => Ok(true),
        _ => Err(error),
    }
}
