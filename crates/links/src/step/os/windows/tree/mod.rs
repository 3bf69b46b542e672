//! Whole trees: copied with all there is to them, compared, and removed again object by object.
//!
//! Everything goes by handle and single names; nothing is followed.
//!
//! ```text
//! copy.rs      an object copied; `../../copying.rs` walks the tree
//! metadata.rs  security, extended attributes, object ids, short names, attributes, times
//! content.rs   bytes and streams: copied and compared
//! compare.rs   a copied object beside what it was copied from
//! erase.rs     an object removed, looked at right before it goes
//! locks.rs     two moves of overlapping trees refuse each other
//! ```

#![allow(unsafe_code, reason = "calls of the system")]

mod compare;
mod content;
mod copy;
mod erase;
mod locks;
mod metadata;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, BorrowedHandle, OwnedHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_FUNCTION, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
    ERROR_SHARING_VIOLATION,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA,
    FlushFileBuffers, READ_CONTROL,
};

pub(crate) use super::super::copying::{compare, copy};
use super::super::erasure;
pub(crate) use super::super::erasure::writer;
use super::super::retry;
pub(crate) use super::super::tree_types::{Failed, Loss, Root, Texts, Trust};
use super::entry;
use crate::platform::{
    Directory, Inventory, Object, ObjectKind, Sort, Stat, create_new, is_any, is_trusted, look, number, open, ticks,
};
use crate::step::Work;
pub(crate) use copy::Copier;
pub(crate) use erase::{remove, why_in_use};
pub(crate) use locks::Locks;
pub(crate) use metadata::{give_link, set_ntfs_metadata, set_short_name};
pub(super) use metadata::{keep_short_name, wake};

/// Every file is flushed when it was written: there is nothing to open for that.
pub(crate) fn open_to_flush(_directory: &Directory) -> io::Result<Flushed> {
    Ok(Flushed)
}

/// A copy whose files are flushed one by one.
pub(crate) struct Flushed;

pub(crate) fn flush(_opened: &Flushed) -> io::Result<()> {
    Ok(())
}

/// Waits until what was written to an opened file is on the disk.
fn flush_handle(opened: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open.
    if unsafe { FlushFileBuffers(opened.as_raw_handle()) } == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits until the names in a directory are on the disk, where the system does that for this user; elsewhere its log keeps
/// them in their order.
pub(crate) fn flush_names(directory: &Directory) -> io::Result<()> {
    let flushed = open(directory.as_handle(), OsStr::new(""), FILE_ADD_FILE, Sort::Directory)
        .and_then(|opened| flush_handle(opened.as_handle()));
    match flushed {
        Err(error) if is_any(&error, &UNFLUSHED) => Ok(()),
        answer => answer,
    }
}

/// What is answered where this user, or the file system, cannot flush a directory.
const UNFLUSHED: [u32; 5] =
    [ERROR_ACCESS_DENIED, ERROR_INVALID_FUNCTION, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED];

/// Makes a file, to be written.
pub(crate) fn create_private(directory: &Directory, name: &OsStr) -> io::Result<File> {
    create_new(directory.as_handle(), name, FILE_WRITE_DATA | FILE_READ_ATTRIBUTES, Sort::File).map(File::from)
}

/// Gives a file that was written its name.
pub(crate) fn publish(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    entry::rename_to_new(directory, from, directory, to)
}

/// Whether nobody but this user and the machine's administrators can have put anything into a directory: it is theirs, and
/// was made so that nobody else gets in.
pub(crate) fn is_own(directory: &Directory) -> io::Result<bool> {
    is_trusted(open(directory.as_handle(), OsStr::new(""), READ_CONTROL, Sort::Directory)?.as_handle())
}

/// Whether the file system ignores permissions. Where there are no owners, everything counts as this user's own.
pub(crate) fn ignores_permissions(_directory: &Directory, _private: &OsStr) -> io::Result<bool> {
    Ok(false)
}

/// Opens what was written durably, to be read up to the limit of its [`Trust`]. What anybody else may have put there is
/// refused.
pub(crate) fn open_own(directory: &Directory, name: &OsStr, trust: Trust) -> io::Result<io::Take<File>> {
    let access = FILE_READ_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL;
    let opened = open(directory.as_handle(), name, access, Sort::File)?;
    let stat = Object::of(&opened).stat()?;
    let is_plain = stat.sort == ObjectKind::File && stat.names == 1;
    if !is_plain || trust == Trust::Own && !is_trusted(opened.as_handle())? {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "a file in it was not made by this user"));
    }
    Ok(io::Read::take(File::from(opened), trust.longest()))
}

/// Makes a directory that nobody but its owner, the system and administrators may look into.
pub(crate) fn make_private_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    let made = create_new(directory.as_handle(), name, metadata::WRITE | DELETE, Sort::Directory)?;
    match metadata::make_private(made.as_handle()) {
        Ok(()) => Ok(()),
        Err(error) => {
            entry::delete(made.as_handle())?;
            Err(error)
        }
    }
}

/// Renames from one directory to another, to a name that must be free.
pub(crate) fn move_to_new(from: &Directory, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
    // Whoever looks through what was just written, as scanners do, keeps what holds it from being renamed for a moment.
    let rename = || entry::rename_to_new(from, name, to, new);
    let is_denied = |error: &io::Error| is_any(error, &[ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION]);
    match retry(PATIENCE, Duration::from_millis(50), rename, |renamed| !renamed.as_ref().is_err_and(is_denied)) {
        // What holds something that is open somewhere does not get another name.
        Err(error) if number(&error) == Some(ERROR_ACCESS_DENIED) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "access is denied: perhaps something in it is open in another program",
        )),
        answer => answer,
    }
}

/// How long a rename is tried that somebody stands in the way of.
const PATIENCE: Duration = Duration::from_secs(8);

/// Whether two names can change places in one call: on no file system of Windows.
pub(crate) fn can_exchange(_directory: &Directory) -> io::Result<bool> {
    Ok(false)
}

/// Gives a directory the time back that it had.
pub(crate) fn give_back_time(directory: &Directory, name: &OsStr, stat: &Stat) -> io::Result<()> {
    let (now, _) = look(directory, name)?;
    if now.sort == ObjectKind::Directory && now.modified != stat.modified {
        let name = if name == "." { OsStr::new("") } else { name };
        let opened = open(directory.as_handle(), name, FILE_WRITE_ATTRIBUTES, Sort::Directory)?;
        entry::set_basic(&opened, [0, 0, ticks(stat.modified), 0], 0)?;
    }
    Ok(())
}

/// Streams are seen here by whoever asks for them.
pub(crate) fn has_streams(_directory: &Directory, _name: &OsStr) -> bool {
    true
}

/// Removes a tree, as far as it is as it was inventoried.
pub(crate) fn erase(root: Root<'_>, inventory: &Inventory, work: Work<'_>) -> Result<Vec<Loss>, Failed> {
    wake();
    erasure::erase(root, inventory, work)
}

/// Opens an object of a tree.
fn open_at(at: Root<'_>, access: u32, sort: Sort) -> io::Result<OwnedHandle> {
    open(at.parent.as_handle(), at.name, access, sort)
}
