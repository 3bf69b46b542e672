//! What a link stores, where it is not known yet whether it is one.

use std::ffi::OsStr;
use std::io;

use super::{Directory, read_target};
use crate::model::{FileKind, Metadata, Target};

/// Reads a link. `None` where the object is none.
///
/// On ntfs-3g the text of `readlink` is a translation, often none at all: the reparse data is
/// read instead, and only objects without any (Interix links) are asked for their text.
pub(crate) fn read_link(
    directory: &Directory,
    name: &OsStr,
    metadata: &Metadata,
    on_ntfs: bool,
) -> io::Result<Option<Target>> {
    if metadata.kind != FileKind::Link {
        return Ok(None);
    }
    read_target(directory, name, on_ntfs).map(Some)
}
