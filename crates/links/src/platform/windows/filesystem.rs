//! Which file system something is on.

#![allow(unsafe_code, reason = "calls of the system")]

use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _};
use std::path::{Component, PathBuf};
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::{
    GetDriveTypeW, GetVolumeInformationByHandleW, GetVolumeInformationW, GetVolumePathNameW,
};

use super::Directory;
use super::nt::until_nul;
use super::path::{shown, verbatim};
use crate::platform::Filesystem;

/// What a volume says of itself.
pub(super) struct Told {
    pub(super) label: Vec<u16>,
    pub(super) serial: u32,
    flags: u32,
    kind: Vec<u16>,
}

/// `DRIVE_REMOTE` of fileapi.h.
const REMOTE: u32 = 4;
/// `FILE_SUPPORTS_REPARSE_POINTS` and `FILE_READ_ONLY_VOLUME` of winnt.h.
const REPARSE_POINTS: u32 = 0x80;
const READ_ONLY: u32 = 0x8_0000;

pub(in crate::platform) fn filesystem_of(directory: &Directory) -> io::Result<Filesystem> {
    Ok(with_reparse_points(directory)?.0)
}

/// Whether objects get another number at their first change: on no file system here.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn is_overlay(_directory: &Directory) -> io::Result<bool> {
    Ok(false)
}

/// A file system, and whether it holds symbolic links and junctions.
pub(super) fn with_reparse_points(directory: &Directory) -> io::Result<(Filesystem, bool)> {
    let told = ask(directory)?;
    let mount_point = root_of(directory)?;
    let kind = String::from_utf16_lossy(&told.kind);
    let holds_reparse_points = told.flags & REPARSE_POINTS != 0 || kind == "NTFS" || kind == "ReFS";
    let unc = mount_point.as_os_str().as_encoded_bytes().starts_with(br"\\")
        && !mount_point.as_os_str().as_encoded_bytes().starts_with(br"\\?\");
    let filesystem = Filesystem {
        network: unc || is_remote(&mount_point),
        read_only: told.flags & READ_ONLY != 0,
        kind,
        mount_point,
        longest_target: 0,
    };
    Ok((filesystem, holds_reparse_points))
}

fn is_remote(root: &std::path::Path) -> bool {
    let Ok(root) = verbatim(root) else { return false };
    // Behind `\\?\` this call knows no drive.
    let root = root.strip_prefix(r"\\?\".encode_utf16().collect::<Vec<_>>().as_slice()).unwrap_or(&root);
    // SAFETY: the path ends in NUL.
    unsafe { GetDriveTypeW(root.as_ptr()) == REMOTE }
}

/// Where the volume of a directory begins.
pub(super) fn root_of(directory: &Directory) -> io::Result<PathBuf> {
    let path = verbatim(&directory.physical_path()?)?;
    let mut room = vec![0_u16; path.len().max(512) + 1];
    let length = u32::try_from(room.len()).unwrap_or(0);
    // SAFETY: `path` ends in NUL; the system writes at most `length` units to `room`, which has as many.
    if unsafe { GetVolumePathNameW(path.as_ptr(), room.as_mut_ptr(), length) } == 0 {
        // A drive that the mount manager does not know: its root is all there is to be told.
        let error = io::Error::last_os_error();
        let root: PathBuf = directory
            .physical_path()?
            .components()
            .take_while(|component| !matches!(component, Component::Normal(_)))
            .collect();
        return if root.as_os_str().is_empty() { Err(error) } else { Ok(root) };
    }
    Ok(shown(until_nul(&room)))
}

/// Asks the volume by the opened directory; where that is not known (or the server does not), by its root.
pub(super) fn ask(directory: &Directory) -> io::Result<Told> {
    let (mut label, mut kind) = ([0_u16; 261], [0_u16; 261]);
    let (mut serial, mut flags) = (0_u32, 0_u32);
    let length = u32::try_from(label.len()).unwrap_or(0);
    // SAFETY: the system writes at most 261 units to each of the two arrays, which have as many, and two numbers.
    let done = unsafe {
        GetVolumeInformationByHandleW(
            directory.as_handle().as_raw_handle(),
            label.as_mut_ptr(),
            length,
            &raw mut serial,
            ptr::null_mut(),
            &raw mut flags,
            kind.as_mut_ptr(),
            length,
        )
    };
    if done == 0 {
        let root = verbatim(&root_of(directory)?)?;
        // SAFETY: `root` ends in NUL; the rest as above.
        let done = unsafe {
            GetVolumeInformationW(
                root.as_ptr(),
                label.as_mut_ptr(),
                length,
                &raw mut serial,
                ptr::null_mut(),
                &raw mut flags,
                kind.as_mut_ptr(),
                length,
            )
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(Told { label: until_nul(&label).to_vec(), serial, flags, kind: until_nul(&kind).to_vec() })
}
