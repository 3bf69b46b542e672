//! An object of a tree removed: it is looked at right before it goes, and nothing is followed.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use rustix::fs::{self, AtFlags};
use rustix::io::Errno;

use super::super::super::erasure::{ANOTHER, NOT_EMPTY, Spared, TOUCHED, is_touched};
use super::{Root, open_to_read};
use crate::platform::{Item, ObjectKind, if_there, look};

/// Removes an object; a file only if it is as it was inventoried and nobody writes to it.
pub(crate) fn remove(at: Root<'_>, item: &Item, is_root: bool) -> io::Result<Spared> {
    match item.stat.sort {
        ObjectKind::File => remove_file(at, item, is_root),
        _ => remove_other(at, item),
    }
}

/// Removes what holds no bytes of its own: a link, a directory that is empty, a device. Gives why it stays.
fn remove_other(at: Root<'_>, item: &Item) -> io::Result<Spared> {
    // A run that was killed may have come this far.
    let Some((now, _)) = if_there(look(at.parent, at.name))? else { return Ok(None) };
    if !item.stat.is_same(&now) {
        return Ok(Some(ANOTHER));
    }
    let is_directory = item.stat.sort == ObjectKind::Directory;
    match fs::unlinkat(at.parent, at.name, if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() }) {
        Err(Errno::NOTEMPTY | Errno::EXIST) if is_directory => Ok(Some(NOT_EMPTY)),
        answer => Ok(answer.map(|()| None)?),
    }
}

/// Removes a file while a lease on it keeps everybody from opening it to write. Gives why it stays.
fn remove_file(at: Root<'_>, item: &Item, is_root: bool) -> io::Result<Spared> {
    let file = match if_there(open_to_read(at.parent, at.name)) {
        // A link has taken its name.
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Ok(Some(ANOTHER)),
        opened => opened?,
    };
    let Some(file) = file else { return Ok(None) };
    if let Some(why) = take_lease(&file)? {
        return Ok(Some(why));
    }
    // Asked of the name, and not of what was opened: it is the name that goes.
    let (now, _) = look(at.parent, at.name)?;
    let opened = fs::fstat(&file)?;
    if !item.stat.is_same(&now) || (opened.st_dev, u128::from(opened.st_ino)) != (now.device, now.number) {
        return Ok(Some(ANOTHER));
    }
    if is_touched(item, &now, is_root) {
        return Ok(Some(TOUCHED));
    }
    fs::unlinkat(at.parent, at.name, AtFlags::empty())?;
    Ok(None)
}

/// `fcntl`'s F_SETSIG, which libc does not name everywhere.
const F_SETSIG: libc::c_int = 10;

/// Why it is not sure that nobody has a file open for writing, or mapped so: only then the system grants a lease to read.
pub(crate) fn why_in_use(at: Root<'_>) -> io::Result<Spared> {
    // Given back when it is closed: it is only the answer that counts.
    take_lease(&open_to_read(at.parent, at.name)?)
}

/// Takes a lease to read, until the descriptor is closed; gives why there is none. Where a file system knows none, that is as
/// good as granted.
#[allow(unsafe_code, reason = "calls that rustix has no functions for")]
fn take_lease(file: &File) -> io::Result<Spared> {
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
