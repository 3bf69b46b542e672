//! A tree removed, object by object: each is looked at right before it goes, and nothing is followed.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{self, AtFlags};
use rustix::io::Errno;

use super::super::super::erasure::{self, ANOTHER, NOT_EMPTY};
use super::{Failed, Loss, Portions, Root, open_to_read};
use crate::platform::{Directory, Inventory, Item, ObjectKind, Stat, look};
use crate::step::Work;

/// Removes exactly the objects of an inventory, and of files only those that are as they were then and that nobody
/// writes to. Gives what stays, with the directories it is in, and why.
pub(crate) fn erase(root: Root<'_>, inventory: &Inventory, work: Work<'_>) -> Result<Vec<Loss>, Failed> {
    erasure::erase(root, inventory, work, |container, name, item, is_root| match item.stat.sort {
        ObjectKind::File => remove_file(container, name, item, is_root),
        _ => remove_other(container, name, item),
    })
}

/// Removes what holds no bytes of its own: a link, a directory that is empty, a device. Gives why it stays.
fn remove_other(container: &Directory, name: &OsStr, item: &Item) -> io::Result<Option<&'static str>> {
    let now = match look(container, name) {
        Ok((now, _)) => now,
        // A run that was killed may have come this far.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !item.stat.is_same(&now) {
        return Ok(Some(ANOTHER));
    }
    let is_directory = item.stat.sort == ObjectKind::Directory;
    match fs::unlinkat(container, name, if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() }) {
        Err(Errno::NOTEMPTY | Errno::EXIST) if is_directory => Ok(Some(NOT_EMPTY)),
        answer => Ok(answer.map(|()| None)?),
    }
}

/// Removes a file while a lease on it keeps everybody from opening it to write. Gives why it stays.
fn remove_file(container: &Directory, name: &OsStr, item: &Item, is_root: bool) -> io::Result<Option<&'static str>> {
    let file = match open_to_read(container, name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A link has taken its name.
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Ok(Some(ANOTHER)),
        Err(error) => return Err(error),
    };
    if let Some(why) = take_lease(&file)? {
        return Ok(Some(why));
    }
    // Asked of the name, and not of what was opened: it is the name that goes.
    let (now, _) = look(container, name)?;
    let opened = fs::fstat(&file)?;
    if !item.stat.is_same(&now) || (opened.st_dev, u128::from(opened.st_ino)) != (now.device, now.number) {
        return Ok(Some(ANOTHER));
    }
    let facts = |stat: &Stat| (stat.mode, stat.uid, stat.gid, stat.size, stat.modified);
    // Another of its names that went changes this time, too; and so does the private name of the root.
    let is_touched = item.stat.names < 2 && !is_root && item.stat.changed != now.changed;
    if facts(&item.stat) != facts(&now) || is_touched {
        return Ok(Some("it was changed since it was copied"));
    }
    fs::unlinkat(container, name, AtFlags::empty())?;
    Ok(None)
}

/// The first file of a tree that somebody has open for writing, or that cannot be asked about, and which of the two.
pub(crate) fn writer(root: Root<'_>, inventory: &Inventory) -> io::Result<Option<(PathBuf, &'static str)>> {
    for portion in Portions::of(inventory).all {
        let Some(&one) = portion.first() else { continue };
        let container = root.container(inventory, one)?;
        for number in portion {
            let is_file = inventory.items.get(number).is_some_and(|item| item.stat.sort == ObjectKind::File);
            if is_file && let Some(why) = unquiet(&container, root.name_of(inventory, number))? {
                return Ok(Some((inventory.path(number), why)));
            }
        }
    }
    Ok(None)
}

/// `fcntl`'s F_SETSIG, which libc does not name everywhere.
const F_SETSIG: libc::c_int = 10;

/// Why it is not sure that nobody has a file open for writing, or mapped so: only then the system grants a lease to read.
fn unquiet(directory: &Directory, name: &OsStr) -> io::Result<Option<&'static str>> {
    // Given back when it is closed: it is only the answer that counts.
    take_lease(&open_to_read(directory, name)?)
}

/// Takes a lease to read, until the descriptor is closed; gives why there is none. Where a file system knows none, that is as
/// good as granted.
#[allow(unsafe_code, reason = "calls that rustix has no functions for")]
fn take_lease(file: &OwnedFd) -> io::Result<Option<&'static str>> {
    // Whoever opens the file to write has the system tell the holder. It would be by SIGIO, which ends a program; this one
    // is ignored by default.
    // SAFETY: the descriptor is open for as long as `file` lives, and F_SETSIG takes a number, not a pointer.
    let told = unsafe { libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG) };
    if told != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let granted = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) };
    if granted == 0 {
        return Ok(None);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN) => Ok(Some("somebody has it open for writing")),
        Some(libc::EACCES) => {
            Ok(Some("it is another user's, and the system tells him alone whether somebody has it open for writing"))
        }
        // A file system without leases.
        Some(libc::EINVAL | libc::ENOTSUP) => Ok(None),
        _ => Err(error),
    }
}
