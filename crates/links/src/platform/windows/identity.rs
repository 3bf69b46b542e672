//! What tells an object from every other, wherever it goes: the serial number of its volume, and its own number.

#![allow(unsafe_code, reason = "calls of the system")]

use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::PathBuf;
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    ExtendedFileIdType, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_ID_128, FILE_ID_DESCRIPTOR,
    FILE_ID_DESCRIPTOR_0, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FileIdType,
    OpenFileById,
};
use windows_sys::Win32::System::Ioctl::FSCTL_GET_OBJECT_ID;

use super::directory::of_handle;
use super::nt::{number, send};
use super::{Directory, Held};
use crate::platform::{ByHandle, FileSystems};

/// The name of the volume of a directory: its serial number, which it keeps on every machine.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn file_system_name(_directory: &Directory, serial: u64) -> io::Result<String> {
    Ok(format!("serial:{serial:016x}"))
}

/// Where volumes of this name can be looked into: the roots of their drives.
pub(crate) fn mounted(file_system_name: &str) -> Vec<PathBuf> {
    let roots = ('A'..='Z').map(|letter| PathBuf::from(format!("{letter}:\\")));
    let named = |root: &PathBuf| {
        let name = Directory::open(root).and_then(|directory| FileSystems::default().name(&directory));
        name.is_ok_and(|name| name == file_system_name)
    };
    roots.filter(named).collect()
}

/// Whether a volume of this name has a drive.
pub(crate) fn may_be_mounted(file_system_name: &str) -> bool {
    !mounted(file_system_name).is_empty()
}

/// Numbers are not given again here: they are all that is needed.
pub(crate) fn handle(_object: &Held) -> Option<String> {
    None
}

/// Finds an object by its number on the volume that a directory is on.
pub(crate) fn find(on: &Directory, _handle: Option<&str>, file: u128) -> ByHandle {
    if !on.knows_numbers() {
        return ByHandle::Unknown;
    }
    let (sort, id) = match i64::try_from(file) {
        Ok(short) => (FileIdType, FILE_ID_DESCRIPTOR_0 { FileId: short }),
        Err(_) => {
            let long = FILE_ID_128 { Identifier: file.to_le_bytes() };
            (ExtendedFileIdType, FILE_ID_DESCRIPTOR_0 { ExtendedFileId: long })
        }
    };
    let size = u32::try_from(size_of::<FILE_ID_DESCRIPTOR>()).unwrap_or_default();
    let wanted = FILE_ID_DESCRIPTOR { dwSize: size, Type: sort, Anonymous: id };
    // SAFETY: the volume's handle is open, the structure is whole, and the system reads it.
    let found = unsafe {
        OpenFileById(
            on.as_handle().as_raw_handle(),
            &raw const wanted,
            FILE_READ_ATTRIBUTES,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            ptr::null(),
            FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
        )
    };
    if found.is_null() || found == INVALID_HANDLE_VALUE {
        return match number(&io::Error::last_os_error()) {
            Some(ERROR_INVALID_PARAMETER | ERROR_FILE_NOT_FOUND) => ByHandle::Gone,
            _ => ByHandle::Unknown,
        };
    }
    // SAFETY: the call succeeded, so it is an open handle that nobody else has.
    let held = of_handle(unsafe { OwnedHandle::from_raw_handle(found) });
    held.path().map_or(ByHandle::Unknown, ByHandle::At)
}

/// Not asked: no number is given again here.
pub(crate) fn made(_object: &Held) -> Option<u64> {
    None
}

/// The number that Windows' link tracking gave it, where it has one.
pub(crate) fn object_number(object: &Held) -> Option<String> {
    let number = send(object.as_handle(), FSCTL_GET_OBJECT_ID, &[], 64).ok()?;
    Some(number.get(..16)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What is in a regular file of at most this many bytes. `None` where there is more than that.
pub(crate) fn content(object: &Held, most: u64) -> io::Result<Option<Vec<u8>>> {
    let opened = std::fs::File::open(object.path()?)?;
    if super::Object::of(&opened).id()? != object.metadata()?.id {
        return Err(io::ErrorKind::NotFound.into());
    }
    crate::platform::read_at_most(opened, most)
}
