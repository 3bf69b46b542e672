//! Symbolic links, junctions and other reparse points.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle as _, BorrowedHandle};

use ::reparse::path::{nt_to_win32, win32_to_nt};
use ::reparse::{ReparseData, Symlink, Tag, WideString};
use windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;
use windows_sys::Win32::Storage::FileSystem::{
    CreateSymbolicLinkW, DELETE, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
    SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE, SYMBOLIC_LINK_FLAG_DIRECTORY,
};
use windows_sys::Win32::System::Ioctl::{FSCTL_DELETE_REPARSE_POINT, FSCTL_SET_REPARSE_POINT};

use super::entry;
use crate::model::{FileKind, ReparsePoint, Target};
use crate::platform::{
    Directory, Held, Object, SYMBOLIC_LINK, Sort, control, create_new, describe, enable_privilege, from_wide, number,
    open, read_target, same_target, stand_in, terminated, verbatim,
};

const WRITE: u32 = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;

/// Makes a link under a name that must be free. On failure nothing is left of it.
pub(crate) fn make_reparse_point(directory: &Directory, name: &OsStr, point: &ReparsePoint) -> io::Result<()> {
    match point.decode() {
        Ok(ReparseData::Symlink(link)) => make_symbolic_link(directory, name, point, &link),
        _ => make_by_data(directory, name, point).map_err(unable),
    }
}

/// Symbolic links are made by the system's own call: it alone lets users make them without a privilege (Developer
/// Mode).
fn make_symbolic_link(directory: &Directory, name: &OsStr, point: &ReparsePoint, link: &Symlink) -> io::Result<()> {
    let path = verbatim(&directory.physical_path()?.join(name))?;
    let target = typed_for_the_system(link);
    let target = terminated(&from_wide(&target));
    let kind = if point.directory { SYMBOLIC_LINK_FLAG_DIRECTORY } else { 0 };
    let make = |flags| {
        // SAFETY: both paths end in NUL and outlive the call.
        if unsafe { CreateSymbolicLinkW(path.as_ptr(), target.as_ptr(), flags) } {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    };
    match make(kind | SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE) {
        // Before Windows 10 1703 the flag has no meaning.
        Err(error) if number(&error) == Some(ERROR_INVALID_PARAMETER) => make(kind)?,
        answer => answer?,
    }
    match directory.metadata_nofollow(name) {
        Ok(made) if made.kind == FileKind::Link => {}
        // There are systems that say so and have made nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return make_by_data(directory, name, point).map_err(|error| {
                io::Error::other(format!(
                    "the system says that it made the symbolic link, and nothing is there (nor can its data be set: {})",
                    describe(&error)
                ))
            });
        }
        Ok(_) => return Err(io::Error::other("the system made something else than a symbolic link")),
        Err(error) => return Err(error),
    }
    let wanted = Target::Reparse(point.clone());
    let made = read_target(directory, name, true)?;
    if made != wanted {
        // The system words the name for people in its own way. Where it may not be told otherwise, it stays so.
        enable_privilege(SYMBOLIC_LINK);
        let opened = open(directory.as_handle(), name, WRITE, Sort::Any)?;
        control(opened.as_handle(), FSCTL_SET_REPARSE_POINT, &point.raw).unwrap_or_default();
    }
    if same_target(&read_target(directory, name, true)?, &wanted) {
        return Ok(());
    }
    let opened = entry::open_to_delete(directory, name)?;
    entry::delete(opened.as_handle())?;
    Err(io::Error::other("the system made a symbolic link to somewhere else"))
}

/// The text of which the system makes this very link. It normalises paths, but those behind `\\?\`.
fn typed_for_the_system(link: &Symlink) -> WideString {
    if link.is_relative() {
        return link.substitute.clone();
    }
    let plain = nt_to_win32(&link.substitute);
    if win32_to_nt(&plain).as_ref() == Some(&link.substitute) {
        return plain;
    }
    // `\??\` and `\\?\` differ in the second unit.
    let mut units = link.substitute.units().to_vec();
    if let Some(second) = units.get_mut(1) {
        *second = b'\\'.into();
    }
    WideString::from_units(units)
}

/// Makes an empty file or directory and gives it the data; by its handle it is removed again where that fails.
fn make_by_data(directory: &Directory, name: &OsStr, point: &ReparsePoint) -> io::Result<()> {
    wake_for(point);
    let sort = if point.directory { Sort::Directory } else { Sort::File };
    let made = create_new(directory.as_handle(), name, WRITE | DELETE, sort)?;
    let done = set(made.as_handle(), &point.raw).and_then(|()| read_target(directory, name, true)).and_then(|read| {
        let same = read == Target::Reparse(point.clone());
        if same { Ok(()) } else { Err(io::Error::other("what was made reads back otherwise")) }
    });
    let Err(error) = done else { return Ok(()) };
    match entry::delete(made.as_handle()) {
        Ok(()) => Err(error),
        Err(removal) => {
            let (error, removal) = (describe(&error), describe(&removal));
            Err(io::Error::other(format!("{error}; what was begun could not be removed again: {removal}")))
        }
    }
}

/// A volume that is said to hold links, and does not, is a failure: nothing was refused for safety.
fn unable(error: io::Error) -> io::Error {
    use io::ErrorKind::{AlreadyExists, NotFound, PermissionDenied, Unsupported};
    match error.kind() {
        AlreadyExists | NotFound | PermissionDenied => error,
        Unsupported => io::Error::other("the system cannot set reparse data here"),
        _ if matches!(number(&error), Some(1 | 50 | 87)) => {
            io::Error::other(format!("the system cannot set reparse data here: {}", describe(&error)))
        }
        _ => error,
    }
}

/// The right to set the data of symbolic links is looked at when the object is opened.
fn wake_for(point: &ReparsePoint) {
    if point.tag() == Tag::SYMLINK {
        enable_privilege(SYMBOLIC_LINK);
    }
}

fn set(object: BorrowedHandle<'_>, raw: &[u8]) -> io::Result<()> {
    if let Some(place) = Object(object).id().ok().and_then(stand_in) {
        return std::fs::write(place, raw);
    }
    control(object, FSCTL_SET_REPARSE_POINT, raw)
}

/// Takes the reparse data off a held object, which stays under its name as a file or directory.
pub(crate) fn clear_reparse_point(held: &Held, directory: &Directory, name: &OsStr) -> io::Result<()> {
    let Target::Reparse(point) = read_target(directory, name, true)? else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let opened = open(held.as_handle(), OsStr::new(""), WRITE, Sort::Any)?;
    // The tag alone says which data is meant; of others than Microsoft's also their GUID. Some systems want that of all.
    let delete = |length| {
        let mut header = point.raw.get(..length).unwrap_or_default().to_vec();
        header.resize(length, 0);
        if let Some(size) = header.get_mut(4..8) {
            size.fill(0);
        }
        control(opened.as_handle(), FSCTL_DELETE_REPARSE_POINT, &header)
    };
    if !point.tag().is_microsoft() {
        delete(24)?;
    } else if let Err(error) = delete(8) {
        delete(24).map_err(|_| error)?;
    }
    match directory.metadata_nofollow(name)?.kind {
        FileKind::Link => Err(io::Error::other("what was deleted still reads back")),
        _ => Ok(()),
    }
}

/// Gives a held empty file or directory reparse data.
pub(crate) fn set_reparse_point(
    held: &Held,
    directory: &Directory,
    name: &OsStr,
    point: &ReparsePoint,
) -> io::Result<()> {
    wake_for(point);
    let opened = open(held.as_handle(), OsStr::new(""), WRITE, Sort::Any)?;
    set(opened.as_handle(), &point.raw)?;
    if read_target(directory, name, true)? == Target::Reparse(point.clone()) {
        return Ok(());
    }
    Err(io::Error::other("what was made reads back otherwise"))
}
