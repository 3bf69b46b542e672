//! What a volume is called, and its number: what Windows prints above a listing.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

use super::Directory;
use super::filesystem::{ask, root_of};
use super::path::verbatim;
use crate::platform::VolumeIdentity;

pub(in crate::platform) fn volume_identity(directory: &Directory) -> io::Result<VolumeIdentity> {
    let told = ask(directory)?;
    let mount_point = root_of(directory)?;
    let path = verbatim(&directory.physical_path()?)?;
    let mut free = 0;
    // SAFETY: `path` ends in NUL; the system writes one number.
    let done = unsafe { GetDiskFreeSpaceExW(path.as_ptr(), &raw mut free, ptr::null_mut(), ptr::null_mut()) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let label = (!told.label.is_empty()).then(|| OsString::from_wide(&told.label));
    Ok(VolumeIdentity { mount_point, label, serial: told.serial, free })
}
