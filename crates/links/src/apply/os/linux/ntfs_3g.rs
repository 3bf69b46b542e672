//! Windows links on a volume that ntfs-3g serves.

use std::ffi::OsStr;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{XattrFlags, lsetxattr};

use super::entry;
use crate::model::{FileKind, ReparsePoint};
use crate::platform::{Directory, REPARSE_DATA, by_descriptor, read_link};

/// How long ntfs-3g and the kernel's cache may take to agree that the object is a link now.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes an empty file or directory under a name that must be free, and turns it into a reparse
/// point. On failure it is removed again.
pub(in crate::apply) fn make_reparse_point(
    directory: &Directory,
    name: &OsStr,
    point: &ReparsePoint,
) -> io::Result<()> {
    if point.directory {
        entry::make_directory(directory, name)?;
    } else {
        entry::make_empty_file(directory, name)?;
    }
    let id = directory.metadata_nofollow(name)?.id;
    let path = by_descriptor(directory, name);
    let set = lsetxattr(path, REPARSE_DATA, &point.raw, XattrFlags::CREATE).map_err(io::Error::from);
    let Err(error) = set.and_then(|()| settle(directory, name, point)) else { return Ok(()) };
    // Only the object just made is removed: another may have been put in its place meanwhile.
    let removed = directory.metadata_nofollow(name).and_then(|now| match now.kind {
        _ if now.id != id => Err(io::Error::other("another object has its name now")),
        FileKind::Directory => entry::remove_directory(directory, name),
        _ => entry::remove_file(directory, name),
    });
    match removed {
        Ok(()) => Err(error),
        Err(removal) => {
            Err(io::Error::other(format!("{error}; what was begun could not be removed again: {removal}")))
        }
    }
}

/// Waits until the data reads back and the kernel sees a link: until then the name behaves as a
/// plain file or directory, and the first look at it fails with EIO.
fn settle(directory: &Directory, name: &OsStr, point: &ReparsePoint) -> io::Result<()> {
    let began = Instant::now();
    loop {
        let seen = directory.metadata_nofollow(name).and_then(|metadata| {
            let target = read_link(directory, name, &metadata, true)?;
            Ok(metadata.kind == FileKind::Link
                && target == Some(crate::model::Target::Reparse(point.clone())))
        });
        match seen {
            Ok(true) => return Ok(()),
            _ if began.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
            Ok(false) => return Err(io::Error::other("what was made reads back otherwise")),
            Err(error) => return Err(error),
        }
    }
}
