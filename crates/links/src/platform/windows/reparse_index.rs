//! The list of its reparse points that every NTFS volume keeps: `$Extend\$Reparse`, index `$R`.
//!
//! Read through the file system itself, which gives number and tag of each; the path is asked for by the number. That
//! costs as much as there are links, however many files there are.

#![allow(unsafe_code, reason = "calls of the system")]

use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, BorrowedHandle, OwnedHandle};
use std::path::{Component, PathBuf};
use std::ptr;

use windows_sys::Wdk::Storage::FileSystem::{FileReparsePointInformation, NtQueryDirectoryFile};
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER, STATUS_NO_MORE_FILES, STATUS_NO_SUCH_FILE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_ID_DESCRIPTOR, FILE_ID_DESCRIPTOR_0,
    FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, FileIdType, OpenFileById, SYNCHRONIZE,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::directory::{SHARE, final_path, open_existing, owned};
use super::link::file_names;
use super::nt::{code, number, succeeded, to_units};
use super::path::verbatim;
use super::policy::{BACKUP, enable_privilege};
use super::{Directory, Object};
use crate::platform::{Filesystem, ReparseIndex};

/// The paths of all reparse points of a volume, if the directory is its root and this user may read the list.
pub(crate) fn reparse_index(directory: &Directory) -> ReparseIndex {
    let is_root = directory
        .physical_path()
        .is_ok_and(|path| !path.components().any(|component| matches!(component, Component::Normal(_))));
    let has_one = Filesystem::of(directory).is_ok_and(|found| found.kind == "NTFS" && !found.network);
    if !is_root || !has_one {
        return ReparseIndex::None;
    }
    match paths(directory) {
        Ok(paths) => ReparseIndex::Read(paths),
        // Where one link cannot be named, all are looked for by another way: none shall be missing.
        Err(error) => ReparseIndex::Refused(error),
    }
}

fn paths(directory: &Directory) -> io::Result<Vec<PathBuf>> {
    // An administrator's right to read what a backup needs, which is asleep until it is asked for.
    enable_privilege(BACKUP);
    let index = open_index(directory)?;
    let mut paths = Vec::new();
    let mut first = true;
    while let Some(number) = next(index.as_handle(), first)? {
        first = false;
        let object = match open_by_number(directory, number) {
            Ok(object) => object,
            // Gone since the list was read.
            Err(error) if is_gone(&error) => continue,
            Err(error) => return Err(error),
        };
        if Object::of(&object).tag()?.is_none() {
            continue;
        }
        let path = final_path(object.as_handle())?;
        // Which of several names the system tells is its own choice.
        if Object::of(&object).metadata()?.links > 1 {
            let parent = path.parent().unwrap_or(&path);
            let names = file_names(parent, Object::of(&object).id()?);
            let (names, _) = names.ok_or_else(|| io::Error::other("the names of a link are not to be read"))?;
            paths.extend(names);
        } else {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// The colons are wanted here: index and attribute are named by them, which no name of a user can.
fn open_index(directory: &Directory) -> io::Result<OwnedHandle> {
    let mut path = verbatim(&directory.physical_path()?)?;
    path.pop();
    path.extend(to_units(r"$Extend\$Reparse:$R:$INDEX_ALLOCATION".as_ref()));
    path.push(0);
    open_existing(&path, FILE_FLAG_BACKUP_SEMANTICS, FILE_LIST_DIRECTORY | SYNCHRONIZE)
}

/// The file number of the next entry; `None` at the end.
fn next(index: BorrowedHandle<'_>, first: bool) -> io::Result<Option<i64>> {
    // `FILE_REPARSE_POINT_INFORMATION`: the number, the tag, and padding.
    let mut entry = [0_i64; 2];
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the system writes at most 16 bytes to `entry`, which has as many; one entry, as asked. Neither event,
    // nor completion, nor pattern are passed; the handle is synchronous.
    let answer = unsafe {
        NtQueryDirectoryFile(
            index.as_raw_handle(),
            ptr::null_mut(),
            None,
            ptr::null(),
            &raw mut status,
            entry.as_mut_ptr().cast(),
            16,
            FileReparsePointInformation,
            true,
            ptr::null(),
            first,
        )
    };
    if answer == STATUS_NO_MORE_FILES || answer == STATUS_NO_SUCH_FILE {
        return Ok(None);
    }
    succeeded(answer)?;
    Ok(Some(entry[0]))
}

fn open_by_number(directory: &Directory, number: i64) -> io::Result<OwnedHandle> {
    let size = u32::try_from(size_of::<FILE_ID_DESCRIPTOR>()).map_err(|_| code(ERROR_INVALID_PARAMETER))?;
    let wanted =
        FILE_ID_DESCRIPTOR { dwSize: size, Type: FileIdType, Anonymous: FILE_ID_DESCRIPTOR_0 { FileId: number } };
    let access = FILE_READ_ATTRIBUTES | SYNCHRONIZE;
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    // SAFETY: the directory is open and says which volume is meant; the system reads `wanted`, whose type says which
    // part of it holds the number.
    let handle = unsafe {
        let volume = directory.as_handle().as_raw_handle();
        OpenFileById(volume, &raw const wanted, access, SHARE, ptr::null(), flags)
    };
    owned(handle)
}

/// A number whose file is deleted is a wrong parameter to the system.
fn is_gone(error: &io::Error) -> bool {
    matches!(number(error), Some(ERROR_INVALID_PARAMETER | ERROR_FILE_NOT_FOUND))
}
