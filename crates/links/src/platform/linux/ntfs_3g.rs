//! NTFS volumes served by ntfs-3g: found by probing, read through its extended attributes.
//!
//! None of these attributes shows in `listxattr`; they are asked for by name. See
//! ntfs-3g's `libntfs-3g/xattrs.c` for the list.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::path::PathBuf;

use rustix::fs::{lgetxattr, lgetxattr_query};
use rustix::io::Errno;

use super::{Directory, filesystem};
use crate::model::ReparsePoint;

/// The whole reparse data of an object, header included.
pub(crate) const REPARSE_DATA: &str = "system.ntfs_reparse_data";
const ATTRIBUTES: &str = "system.ntfs_attrib";
const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;

/// An NTFS volume mounted by ntfs-3g.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NtfsVolume {
    /// Where it is mounted: what Windows sees as the root of its drive.
    pub(crate) root: PathBuf,
}

/// The volume that a directory is on, if ntfs-3g serves it.
///
/// Never assumed: the file system must be FUSE, call itself what ntfs-3g calls itself, and answer
/// for an attribute that only ntfs-3g keeps. The kernel's ntfs3 driver fails the first test: it
/// would store reparse data as an ordinary attribute.
pub(crate) fn ntfs_volume(directory: &Directory) -> io::Result<Option<NtfsVolume>> {
    if filesystem::magic(directory)? != filesystem::FUSE {
        return Ok(None);
    }
    let Some(mount) = filesystem::mount_of(directory)? else { return Ok(None) };
    let known = matches!(
        mount.kind.as_str(),
        "fuseblk" | "fuse" | "fuse.ntfs" | "fuse.ntfs-3g" | "fuse.lowntfs-3g" | "fuseblk.ntfs-3g"
    );
    // A bind mount of a folder shows another root than Windows does: absolute targets would lie.
    let whole = mount.root == "/";
    if !known || !whole || attributes(directory, OsStr::new("."))?.is_none() {
        return Ok(None);
    }
    Ok(Some(NtfsVolume { root: mount.point }))
}

/// The reparse point of a name. `None` where there is none.
pub(crate) fn read_reparse_point(directory: &Directory, name: &OsStr) -> io::Result<Option<ReparsePoint>> {
    let Some(raw) = get(directory, name, REPARSE_DATA)? else { return Ok(None) };
    let attributes = attributes(directory, name)?.unwrap_or(0);
    Ok(Some(ReparsePoint { raw, directory: attributes & FILE_ATTRIBUTE_DIRECTORY != 0 }))
}

fn attributes(directory: &Directory, name: &OsStr) -> io::Result<Option<u32>> {
    let Some(bytes) = get(directory, name, ATTRIBUTES)? else { return Ok(None) };
    Ok(<[u8; 4]>::try_from(bytes).ok().map(u32::from_ne_bytes))
}

fn get(directory: &Directory, name: &OsStr, attribute: &str) -> io::Result<Option<Vec<u8>>> {
    let path = by_descriptor(directory, name);
    let absent = |error| matches!(error, Errno::NODATA | Errno::NOTSUP);
    // ntfs-3g answers EIO, not ERANGE, when the buffer is too small: the size is asked for first.
    let mut value = match lgetxattr_query(&path, attribute) {
        Ok(size) => vec![0; size],
        Err(error) if absent(error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match lgetxattr(&path, attribute, &mut value[..]) {
        Ok(size) => {
            value.truncate(size);
            Ok(Some(value))
        }
        Err(error) if absent(error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A path to a name in an opened directory, for calls that take no descriptor.
pub(crate) fn by_descriptor(directory: &Directory, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd()));
    path.push(name);
    path
}
