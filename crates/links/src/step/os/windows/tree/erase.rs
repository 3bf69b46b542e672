//! A tree removed, object by object: each is looked at right before it goes, and nothing is followed.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_DIR_NOT_EMPTY, ERROR_SHARING_VIOLATION};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_READONLY, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, FILE_WRITE_ATTRIBUTES,
};

use super::super::super::erasure::{self, ANOTHER, NOT_EMPTY};
use super::super::entry::delete;
use super::metadata::{self, set_basic};
use super::{Failed, Loss, Root};
use crate::platform::{Directory, Inventory, Item, Object, ObjectKind, Sort, Stat, number, open_guarded, ticks};
use crate::step::Work;

/// Removes exactly the objects of an inventory, and of files only those that are as they were then and that nobody
/// writes to. Gives what stays, with the directories it is in, and why.
pub(crate) fn erase(root: Root<'_>, inventory: &Inventory, work: Work<'_>) -> Result<Vec<Loss>, Failed> {
    metadata::wake();
    erasure::erase(root, inventory, work, remove)
}

/// Removes an object, by its handle. While that is open, nobody can open a file to write to it. Gives why it stays.
fn remove(container: &Directory, name: &OsStr, item: &Item, is_root: bool) -> io::Result<Option<&'static str>> {
    let is_file = item.stat.sort == ObjectKind::File;
    let access = DELETE | FILE_READ_ATTRIBUTES | if is_file { FILE_READ_DATA } else { 0 };
    // Whoever writes has asked to share that; it is not shared.
    let share = FILE_SHARE_READ | FILE_SHARE_DELETE | if is_file { 0 } else { FILE_SHARE_WRITE };
    let opened = match open_guarded(container.as_handle(), name, access, Sort::Any, share) {
        Ok(opened) => opened,
        // A run that was killed may have come this far.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if number(&error) == Some(ERROR_SHARING_VIOLATION) => {
            return Ok(Some("somebody has it open"));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Some(DENIED)),
        Err(error) => return Err(error),
    };
    let now = Object::of(&opened).stat()?;
    if !item.stat.is_same(&now) {
        return Ok(Some(ANOTHER));
    }
    if item.stat.sort != ObjectKind::Directory {
        let facts = |stat: &Stat| (stat.mode, stat.size, stat.modified);
        // Another of its names that went changes this time, too; and so does the private name of the root.
        let is_touched = item.stat.names < 2 && !is_root && item.stat.changed != now.changed;
        if facts(&item.stat) != facts(&now) || is_touched {
            return Ok(Some("it was changed since it was copied"));
        }
    }
    match delete(opened.as_handle()) {
        Err(error) if number(&error) == Some(ERROR_DIR_NOT_EMPTY) => {
            // On older systems a name goes when the last who has it open lets go.
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(1) {
                thread::sleep(Duration::from_millis(20));
                if delete(opened.as_handle()).is_ok() {
                    return Ok(None);
                }
            }
            Ok(Some(NOT_EMPTY))
        }
        // Older systems remove nothing that is marked read-only, and none what runs or is mapped.
        Err(error) if number(&error) == Some(ERROR_ACCESS_DENIED) => {
            let marked = now.mode & FILE_ATTRIBUTE_READONLY != 0;
            let deleted = marked && delete_marked(container, name, &opened, &now)?;
            Ok((!deleted).then_some(DENIED))
        }
        answer => answer.map(|()| None),
    }
}

const DENIED: &str = "it is in use, or may not be removed";

/// Takes the marks off, removes, and puts them back where that fails, for another name of the file may stay. Whether it was
/// removed.
fn delete_marked(container: &Directory, name: &OsStr, opened: &OwnedHandle, now: &Stat) -> io::Result<bool> {
    const NORMAL: u32 = 0x80;
    let share = FILE_SHARE_READ | FILE_SHARE_DELETE | FILE_SHARE_WRITE;
    let access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
    let marked = open_guarded(container.as_handle(), name, access, Sort::Any, share)?;
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

/// The first file of a tree that somebody has open for writing.
pub(crate) fn writer(root: Root<'_>, inventory: &Inventory) -> io::Result<Option<(PathBuf, &'static str)>> {
    for (at, item) in inventory.items.iter().enumerate() {
        if item.stat.sort != ObjectKind::File {
            continue;
        }
        let container = root.container(inventory, at)?;
        let name = root.name_of(inventory, at);
        let share = FILE_SHARE_READ | FILE_SHARE_DELETE;
        match open_guarded(container.as_handle(), name, FILE_READ_DATA, Sort::File, share) {
            Ok(_) => {}
            Err(error) if number(&error) == Some(ERROR_SHARING_VIOLATION) => {
                return Ok(Some((inventory.path(at), "somebody has it open for writing")));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
