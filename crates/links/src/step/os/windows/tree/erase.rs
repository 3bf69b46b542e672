//! An object of a tree removed: it is looked at right before it goes, and nothing is followed.

use std::io;
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_DIR_NOT_EMPTY, ERROR_SHARING_VIOLATION};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_READONLY, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, FILE_WRITE_ATTRIBUTES,
};

use super::super::super::erasure::{ANOTHER, NOT_EMPTY, Spared, TOUCHED, is_touched};
use super::super::super::retry;
use super::super::entry::{delete, set_basic};
use super::Root;
use crate::platform::{Item, Object, ObjectKind, Sort, Stat, number, open_guarded, ticks};

/// Removes an object, by its handle. While that is open, nobody can open a file to write to it. Gives why it stays.
pub(crate) fn remove(at: Root<'_>, item: &Item, is_root: bool) -> io::Result<Spared> {
    let is_file = item.stat.sort == ObjectKind::File;
    let access = DELETE | FILE_READ_ATTRIBUTES | if is_file { FILE_READ_DATA } else { 0 };
    // Whoever writes has asked to share that; it is not shared.
    let share = FILE_SHARE_READ | FILE_SHARE_DELETE | if is_file { 0 } else { FILE_SHARE_WRITE };
    let opened = match open_guarded(at.parent.as_handle(), at.name, access, Sort::Any, share) {
        Ok(opened) => opened,
        // A run that was killed may have come this far.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if number(&error) == Some(ERROR_SHARING_VIOLATION) => return Ok(Some("somebody has it open")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Some(DENIED)),
        Err(error) => return Err(error),
    };
    let now = Object::of(&opened).stat()?;
    if !item.stat.is_same(&now) {
        return Ok(Some(ANOTHER));
    }
    if item.stat.sort != ObjectKind::Directory && is_touched(item, &now, is_root) {
        return Ok(Some(TOUCHED));
    }
    match delete(opened.as_handle()) {
        Err(error) if number(&error) == Some(ERROR_DIR_NOT_EMPTY) => {
            // On older systems a name goes when the last who has it open lets go.
            let delete = || delete(opened.as_handle()).is_ok();
            let deleted = retry(Duration::from_secs(1), Duration::from_millis(20), delete, |deleted| *deleted);
            Ok((!deleted).then_some(NOT_EMPTY))
        }
        // Older systems remove nothing that is marked read-only, and none what runs or is mapped.
        Err(error) if number(&error) == Some(ERROR_ACCESS_DENIED) => {
            let marked = now.mode & FILE_ATTRIBUTE_READONLY != 0;
            let deleted = marked && delete_marked(at, &opened, &now)?;
            Ok((!deleted).then_some(DENIED))
        }
        answer => answer.map(|()| None),
    }
}

const DENIED: &str = "it is in use, or may not be removed";

/// Takes the marks off, removes, and puts them back where that fails, for another name of the file may stay. Whether it was
/// removed.
fn delete_marked(at: Root<'_>, opened: &OwnedHandle, now: &Stat) -> io::Result<bool> {
    const NORMAL: u32 = 0x80;
    let share = FILE_SHARE_READ | FILE_SHARE_DELETE | FILE_SHARE_WRITE;
    let access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
    let marked = open_guarded(at.parent.as_handle(), at.name, access, Sort::Any, share)?;
    if !Object::of(&marked).stat()?.is_same(now) {
        return Err(io::Error::other(ANOTHER));
    }
    set_basic(&marked, [0; 4], NORMAL)?;
    let deleted = delete(opened.as_handle()).is_ok();
    if !deleted || now.names > 1 {
        // With the time of change, as if nothing had been.
        set_basic(&marked, [0, 0, 0, ticks(now.changed)], now.mode)?;
    }
    Ok(deleted)
}

/// Whether somebody has a file open for writing.
pub(crate) fn why_in_use(at: Root<'_>) -> io::Result<Spared> {
    let share = FILE_SHARE_READ | FILE_SHARE_DELETE;
    match open_guarded(at.parent.as_handle(), at.name, FILE_READ_DATA, Sort::File, share) {
        Ok(_) => Ok(None),
        Err(error) if number(&error) == Some(ERROR_SHARING_VIOLATION) => Ok(Some("somebody has it open for writing")),
        Err(error) => Err(error),
    }
}
