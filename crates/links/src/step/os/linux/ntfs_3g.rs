//! Windows links on a volume that ntfs-3g serves.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use rustix::fs::{XattrFlags, lsetxattr, removexattr, setxattr};

use super::super::retry;
use super::entry::{self, held_path};
use crate::model::{FileKind, NtfsMetadata, ReparsePoint};
use crate::platform::{
    ATTRIBUTES, CREATED, Directory, Held, REPARSE_DATA, SECURITY, SHORT_NAME, by_descriptor, read_link,
};

/// How long ntfs-3g and the kernel's cache may take to agree that the object is a link now.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes an empty file or directory under a name that must be free, and turns it into a reparse
/// point. On failure it is removed again.
pub(crate) fn make_reparse_point(directory: &Directory, name: &OsStr, point: &ReparsePoint) -> io::Result<()> {
    if point.directory {
        entry::make_directory(directory, name)?;
    } else {
        entry::make_empty_file(directory, name)?;
    }
    let id = directory.metadata_nofollow(name)?.id;
    let path = by_descriptor(directory, name);
    let set = lsetxattr(path, REPARSE_DATA, &point.raw, XattrFlags::CREATE).map_err(io::Error::from);
    let Err(error) = set.and_then(|()| settle(|| is_point(directory, name, point))) else { return Ok(()) };
    // Only the object just made is removed: another may have been put in its place meanwhile.
    let removed = directory.metadata_nofollow(name).and_then(|now| match now.kind {
        _ if now.id != id => Err(io::Error::other("another object has its name now")),
        FileKind::Directory => entry::remove_directory(directory, name),
        _ => entry::remove_file(directory, name),
    });
    match removed {
        Ok(()) => Err(error),
        Err(removal) => Err(io::Error::other(format!("{error}; what was begun could not be removed again: {removal}"))),
    }
}

/// Takes the reparse data off a held object, which stays under its name as a file or directory.
pub(crate) fn clear_reparse_point(held: &Held, directory: &Directory, name: &OsStr) -> io::Result<()> {
    removexattr(held_path(held), REPARSE_DATA)?;
    settle(|| {
        let metadata = directory.metadata_nofollow(name)?;
        Ok(matches!(metadata.kind, FileKind::File | FileKind::Directory))
    })
}

/// Gives a held empty file or directory reparse data.
pub(crate) fn set_reparse_point(
    held: &Held,
    directory: &Directory,
    name: &OsStr,
    point: &ReparsePoint,
) -> io::Result<()> {
    setxattr(held_path(held), REPARSE_DATA, &point.raw, XattrFlags::CREATE)?;
    settle(|| is_point(directory, name, point))
}

/// Gives a held link what NTFS kept of another, but for its short name.
pub(crate) fn set_ntfs_metadata(held: &Held, wanted: &NtfsMetadata) -> io::Result<()> {
    let set = |name: &str, value: &[u8]| setxattr(held_path(held), name, value, XattrFlags::empty());
    if !wanted.security.is_empty() {
        set(SECURITY, &wanted.security)?;
    }
    set(CREATED, &wanted.created.to_ne_bytes())?;
    Ok(set(ATTRIBUTES, &wanted.attributes.to_ne_bytes())?)
}

/// Gives a name these attributes, as far as a user sets them.
pub(crate) fn set_ntfs_attributes(directory: &Directory, name: &OsStr, attributes: u32) -> io::Result<()> {
    let path = by_descriptor(directory, name);
    Ok(lsetxattr(path, ATTRIBUTES, &attributes.to_ne_bytes(), XattrFlags::empty())?)
}

/// Gives a name its 8.3 name.
pub(crate) fn set_short_name(directory: &Directory, name: &OsStr, short: &OsStr) -> io::Result<()> {
    let path = by_descriptor(directory, name);
    Ok(lsetxattr(path, SHORT_NAME, short.as_bytes(), XattrFlags::empty())?)
}

fn is_point(directory: &Directory, name: &OsStr, point: &ReparsePoint) -> io::Result<bool> {
    let metadata = directory.metadata_nofollow(name)?;
    let target = read_link(directory, name, &metadata, true)?;
    Ok(metadata.kind == FileKind::Link && target == Some(crate::model::Target::Reparse(point.clone())))
}

/// Waits until the data reads back and the kernel sees what it makes of the object: until then the name
/// behaves as what it was, and the first look at it fails with EIO.
fn settle(seen: impl Fn() -> io::Result<bool>) -> io::Result<()> {
    match retry(PATIENCE, Duration::from_millis(20), seen, |seen| matches!(seen, Ok(true))) {
        Ok(false) => Err(io::Error::other("what was made reads back otherwise")),
        seen => seen.map(drop),
    }
}
