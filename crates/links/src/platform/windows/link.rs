//! What a link stores, and the names that a file has.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::AsHandle as _;
use std::path::{Path, PathBuf};

use reparse::ReparseData;
use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_MORE_DATA, ERROR_NOT_A_REPARSE_POINT, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_DIRECTORY, FindClose};

use super::nt::{number, reparse_data, until_nul};
use super::path::verbatim;
use super::{Directory, Object, Procedure, ntfs_volume, procedure};
use crate::model::{FileId, FileKind, ReparsePoint, Target};

/// The most POSIX links that are followed: there are none here but those of WSL, which follows as many as Linux.
pub(crate) const MAX_HOPS: usize = 40;

/// Whether the system itself follows links that store reparse data, so that it can be asked about them.
pub(crate) fn follows_reparse_points() -> bool {
    true
}

/// Reads what is known to be a link. What is none any more gives `InvalidInput`.
pub(crate) fn read_target(directory: &Directory, name: &OsStr, _on_ntfs: bool) -> io::Result<Target> {
    let held = directory.hold(name)?;
    let raw = match reparse_data(held.as_handle()) {
        Err(error) if number(&error) == Some(ERROR_NOT_A_REPARSE_POINT) => {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        raw => raw?,
    };
    let directory = Object::of(&held).attributes()? & FILE_ATTRIBUTE_DIRECTORY != 0;
    Ok(Target::Reparse(ReparsePoint { raw, directory }))
}

/// Whether two targets are one. `CreateSymbolicLinkW` words the name for people, and orders the two names, in its own
/// way: what a symbolic link leads to is in the other name and the flags.
pub(crate) fn same_target(one: &Target, other: &Target) -> bool {
    if one == other {
        return true;
    }
    let (Target::Reparse(one), Target::Reparse(other)) = (one, other) else { return false };
    let (Ok(ReparseData::Symlink(a)), Ok(ReparseData::Symlink(b))) = (one.decode(), other.decode()) else {
        return false;
    };
    one.directory == other.directory && a.substitute == b.substitute && a.flags == b.flags
}

type FindFirst = unsafe extern "system" fn(*const u16, u32, *mut u32, *mut u16) -> HANDLE;
type FindNext = unsafe extern "system" fn(HANDLE, *mut u32, *mut u16) -> i32;

/// Closes a search at the end of the block.
struct Search(HANDLE);

impl Drop for Search {
    fn drop(&mut self) {
        // SAFETY: the handle is that of a search which succeeded, and is closed here alone.
        unsafe { FindClose(self.0) };
    }
}

/// Every name of a file that has one in a directory, and the root they are below, where the system can tell
/// (`FindFirstFileNameW`, NTFS since Windows Vista).
pub(crate) fn file_names(directory: &Path, file: FileId) -> Option<(Vec<PathBuf>, PathBuf)> {
    let opened = Directory::open(directory).ok()?;
    let root = ntfs_volume(&opened).ok()??.mount_point;
    let knows = opened.knows_numbers();
    let mut entries = opened.entries().ok()?.flatten();
    let name = entries.find(|entry| {
        // Of a link the system would tell the names of what it leads to.
        let same =
            |name| opened.metadata_nofollow(name).is_ok_and(|found| found.id == file && found.kind != FileKind::Link);
        (!knows || entry.number == file.file) && same(&entry.name)
    })?;
    names_of(&opened, &name.name, &root).map(|names| (names, root))
}

fn names_of(directory: &Directory, name: &OsStr, root: &Path) -> Option<Vec<PathBuf>> {
    let first = procedure("kernel32.dll", c"FindFirstFileNameW")?;
    let next = procedure("kernel32.dll", c"FindNextFileNameW")?;
    // SAFETY: these are the functions of that name, whose parameters the types give (fileapi.h).
    let (first, next) = unsafe {
        (std::mem::transmute::<Procedure, FindFirst>(first), std::mem::transmute::<Procedure, FindNext>(next))
    };
    let path = verbatim(&directory.physical_path().ok()?.join(name)).ok()?;
    let mut room = vec![0_u16; 1024];
    let mut names = Vec::new();
    let mut search: Option<Search> = None;
    loop {
        let mut length = u32::try_from(room.len()).ok()?;
        // SAFETY: `path` ends in NUL; the system writes at most `length` units, which `room` has, and the length.
        let done = unsafe {
            match &search {
                None => {
                    let handle = first(path.as_ptr(), 0, &raw mut length, room.as_mut_ptr());
                    let found = handle != INVALID_HANDLE_VALUE && !handle.is_null();
                    search = found.then_some(Search(handle));
                    found
                }
                Some(search) => next(search.0, &raw mut length, room.as_mut_ptr()) != 0,
            }
        };
        if done {
            let name = until_nul(&room);
            // From the volume's root, with a leading separator.
            let name = OsString::from_wide(name.strip_prefix(&[u16::from(b'\\')]).unwrap_or(name));
            names.push(root.join(Path::new(&name)));
            continue;
        }
        match number(&io::Error::last_os_error()) {
            Some(ERROR_MORE_DATA) if room.len() <= 1 << 16 => {
                room.resize(room.len().max(usize::try_from(length).ok()?) * 2, 0);
            }
            Some(ERROR_HANDLE_EOF) if search.is_some() => return Some(names),
            _ => return None,
        }
    }
}
