//! One name in a directory: made, renamed, removed.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle as _, BorrowedHandle, OwnedHandle};
use std::time::Duration;

use ::reparse::{ReparseData, Tag};
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE, FILE_DISPOSITION_POSIX_SEMANTICS,
    FILE_RENAME_IGNORE_READONLY_ATTRIBUTE, FILE_RENAME_POSIX_SEMANTICS, FILE_RENAME_REPLACE_IF_EXISTS,
    FileBasicInformation, FileDispositionInformation, FileDispositionInformationEx, FileLinkInformation,
    FileRenameInformation, FileRenameInformationEx,
};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_CALL_NOT_IMPLEMENTED, ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY,
    ERROR_FILE_EXISTS, ERROR_FILE_SYSTEM_LIMITATION, ERROR_INVALID_FUNCTION, ERROR_INVALID_LEVEL,
    ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_DIRECTORY, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES, RemoveDirectoryW,
};

use super::super::retry;
use super::tree;
use crate::model::{Attributes, FileKind, Target};
use crate::platform::{
    Directory, Held, Object, Sort, create_new, full, if_there, is_any, number, open, read_target, set_information,
    short_name, stand_in, ticks, verbatim, within,
};

/// No file system here has links that are text.
pub(crate) fn make_symlink(_directory: &Directory, _name: &OsStr, _text: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Gives a held file one more name. What it may lead to is never linked. `CreateHardLinkW` makes the same call, but of
/// whatever has the name by then.
pub(crate) fn make_hard_link(file: &Held, to: &Directory, name: &OsStr) -> io::Result<()> {
    let file = open(file.as_handle(), OsStr::new(""), FILE_WRITE_ATTRIBUTES, Sort::Any)?;
    set_information(file.as_handle(), FileLinkInformation, &within(to.as_handle(), name, 0)?)
}

pub(crate) fn make_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    create_new(directory.as_handle(), name, FILE_READ_ATTRIBUTES, Sort::Directory).map(drop)
}

pub(crate) fn make_empty_file(directory: &Directory, name: &OsStr) -> io::Result<()> {
    create_new(directory.as_handle(), name, FILE_READ_ATTRIBUTES, Sort::File).map(drop)
}

/// Puts `from` in the place of `to`, which is gone then, in one call. `Unsupported` where the system cannot: before
/// Windows 10 1607, elsewhere than on NTFS, and a link to directories in the place of one to files.
pub(crate) fn rename_over(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    let new = open_to_delete(directory, from)?;
    let posix = FILE_RENAME_REPLACE_IF_EXISTS | FILE_RENAME_POSIX_SEMANTICS;
    let mut done = Err(io::ErrorKind::Unsupported.into());
    // Read-only files can be replaced since 1809.
    for flags in [posix | FILE_RENAME_IGNORE_READONLY_ATTRIBUTE, posix] {
        let data = within(directory.as_handle(), to, flags)?;
        done = set_information(new.as_handle(), FileRenameInformationEx, &data);
        if !done.as_ref().is_err_and(is_unknown) {
            break;
        }
    }
    match done {
        Err(error) if is_unknown(&error) || is_any(&error, &NOT_REPLACED) => Err(io::ErrorKind::Unsupported.into()),
        answer => answer,
    }
}

/// What it does not replace: a file by a directory and the reverse, a directory in use; and on some file systems nothing.
const NOT_REPLACED: [u32; 5] =
    [ERROR_ACCESS_DENIED, ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY, ERROR_ALREADY_EXISTS, ERROR_FILE_EXISTS];

/// Exchanges two names: no file system here can, in one call.
pub(crate) fn exchange(_a: &Directory, _a_name: &OsStr, _b: &Directory, _b_name: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Renames to a name that must be free, in the same directory or another. NTFS makes up another 8.3 name for the new one:
/// the old goes along, where this user may give it, and unless the new directory has it already.
pub(crate) fn rename_to_new(from: &Directory, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
    let opened = open_to_delete(from, name)?;
    let short = short_name(from, name);
    rename(&opened, to, new)?;
    if let Some(short) = short {
        tree::wake();
        drop(tree::keep_short_name(opened.as_handle(), &short));
    }
    Ok(())
}

fn rename(opened: &OwnedHandle, to: &Directory, new: &OsStr) -> io::Result<()> {
    let rename = |data: &[u8]| set_information(opened.as_handle(), FileRenameInformation, data);
    match rename(&within(to.as_handle(), new, 0)?) {
        // Over a network, no directory may be named by its handle.
        Err(error) if number(&error) == Some(ERROR_INVALID_PARAMETER) => rename(&full(&to.physical_path()?.join(new))?),
        answer => answer,
    }
}

/// Removes a name that is no directory. A link is removed itself, never followed, also one that is a directory to the
/// system; a directory that holds something is refused.
pub(crate) fn remove_file(directory: &Directory, name: &OsStr) -> io::Result<()> {
    let opened = open_to_delete(directory, name)?;
    refuse_what_holds_data(&opened)?;
    if Object::of(&opened).tag()? == Some(Tag::MOUNT_POINT)
        && let Target::Reparse(point) = read_target(directory, name, true)?
        && matches!(point.decode(), Ok(ReparseData::MountPoint(point)) if point.is_volume())
    {
        drop(opened);
        return remove_volume_mount_point(directory, name);
    }
    delete(opened.as_handle())?;
    drop(opened);
    wait_until_gone(directory, name);
    Ok(())
}

/// Before Windows 10 1607, and elsewhere than on NTFS, a name goes only with the last handle to it. Who counts the names of a file next shall not
/// count this one; so its going is waited for, while nobody who keeps it open is waited for longer than a moment.
fn wait_until_gone(directory: &Directory, name: &OsStr) {
    let look = || directory.metadata_nofollow(name).err();
    // A name that is only going has no number of the system's: see `open`.
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound && number(error).is_some();
    retry(Duration::from_secs(2), Duration::from_millis(5), look, |found| found.as_ref().is_some_and(is_gone));
}

/// Removes an empty directory.
pub(crate) fn remove_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    let opened = open_to_delete(directory, name)?;
    let object = Object::of(&opened);
    if object.tag()?.is_some() || object.attributes()? & FILE_ATTRIBUTE_DIRECTORY == 0 {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    delete(opened.as_handle())
}

/// Gives a held link its time back. Owners are not kept here.
pub(crate) fn set_attributes(link: &Held, attributes: &Attributes, _now: &Attributes) -> io::Result<()> {
    let access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
    let link = open(link.as_handle(), OsStr::new(""), access, Sort::Any)?;
    set_basic(&link, [0, 0, ticks(attributes.modified), 0], 0)
}

/// Sets times, in ticks, and attributes of an opened object; zero leaves one as it is.
pub(super) fn set_basic(opened: &OwnedHandle, times: [i64; 4], attributes: u32) -> io::Result<()> {
    let mut data = Vec::with_capacity(40);
    times.iter().for_each(|time| data.extend(time.to_ne_bytes()));
    data.extend(attributes.to_ne_bytes());
    data.extend([0; 4]);
    set_information(opened.as_handle(), FileBasicInformation, &data)
}

/// Opens what has a name, itself, so that it can be renamed or removed whatever becomes of the name.
pub(super) fn open_to_delete(directory: &Directory, name: &OsStr) -> io::Result<OwnedHandle> {
    open(directory.as_handle(), name, DELETE | FILE_READ_ATTRIBUTES, Sort::Any)
}

/// Files are told from links by whoever planned; a directory that is no link is never removed as if it were one.
fn refuse_what_holds_data(opened: &OwnedHandle) -> io::Result<()> {
    let object = Object::of(opened);
    match object.tag()? {
        Some(tag) if tag.is_name_surrogate() => Ok(()),
        Some(_) => Err(io::Error::other("it is a reparse point that holds its own data, and no link")),
        None if object.attributes()? & FILE_ATTRIBUTE_DIRECTORY != 0 => {
            Err(io::Error::other("it is a directory, and no link"))
        }
        None => Ok(()),
    }
}

/// Removes an opened object: its name is gone at once where the system can (NTFS since Windows 10 1607; read-only files
/// since 1809), else when the last who has it open lets go.
pub(super) fn delete(object: BorrowedHandle<'_>) -> io::Result<()> {
    let stand_in = Object(object).id().ok().and_then(stand_in);
    dispose(object)?;
    stand_in.map_or(Ok(()), |place| if_there(std::fs::remove_file(place)).map(drop))
}

fn dispose(object: BorrowedHandle<'_>) -> io::Result<()> {
    let posix = FILE_DISPOSITION_DELETE | FILE_DISPOSITION_POSIX_SEMANTICS;
    for flags in [posix | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE, posix] {
        match set_information(object, FileDispositionInformationEx, &flags.to_ne_bytes()) {
            Err(error) if is_unknown(&error) => {}
            answer => return answer,
        }
    }
    set_information(object, FileDispositionInformation, &[1])
}

/// `RemoveDirectoryW` also tells the mount manager, which keeps a list. It removes the mount point itself, and of what
/// is no link only an empty directory.
fn remove_volume_mount_point(directory: &Directory, name: &OsStr) -> io::Result<()> {
    let path = verbatim(&directory.physical_path()?.join(name))?;
    // SAFETY: the path ends in NUL and outlives the call.
    if unsafe { RemoveDirectoryW(path.as_ptr()) } != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // Without an administrator's rights the list stays as it is, although the directory may be gone.
    match directory.metadata_nofollow(name) {
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(left) if left.kind == FileKind::Directory => remove_directory(directory, name),
        _ => Err(error),
    }
}

/// Whether the system, or the file system, knows no such call.
fn is_unknown(error: &io::Error) -> bool {
    const UNKNOWN: [u32; 6] = [
        ERROR_INVALID_PARAMETER,
        ERROR_NOT_SUPPORTED,
        ERROR_INVALID_FUNCTION,
        ERROR_INVALID_LEVEL,
        ERROR_CALL_NOT_IMPLEMENTED,
        ERROR_FILE_SYSTEM_LIMITATION,
    ];
    is_any(error, &UNKNOWN)
}

/// There are no overlays here.
pub(crate) fn bring_up(_directory: &Directory, _name: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
