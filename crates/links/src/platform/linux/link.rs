//! What a link stores.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use rustix::fs::{readlinkat, readlinkat_raw};

use super::{Directory, from_bytes, ntfs_3g};
use crate::model::{FileId, Target};

/// The most symbolic links that the kernel follows in one path (`MAXSYMLINKS`).
pub(crate) const MAX_HOPS: usize = 40;

/// The longest text of a link on Linux' own file systems is 4,095 bytes (PATH_MAX with its NUL).
const MOST_TEXT: usize = 4_096;

/// Reads what is known to be a link. What is none any more gives EINVAL.
pub(crate) fn read_target(directory: &Directory, name: &OsStr, on_ntfs: bool) -> io::Result<Target> {
    if on_ntfs && let Some(point) = ntfs_3g::read_reparse_point(directory, name)? {
        return Ok(Target::Reparse(point));
    }
    // Read on the stack: the text is then allocated once, as long as it is.
    let mut buffer = [const { MaybeUninit::uninit() }; MOST_TEXT];
    let (text, rest) = readlinkat_raw(directory, name, &mut buffer[..])?;
    let text = match rest {
        // There may be more of it.
        [] => readlinkat(directory, name, Vec::new())?.into_bytes(),
        _ => text.to_vec(),
    };
    Ok(Target::Text(from_bytes(text)))
}

/// Whether the system itself follows links that store reparse data: not as Windows does.
pub(crate) fn follows_reparse_points() -> bool {
    false
}

/// Whether two targets are one: what was written is read back byte for byte here.
pub(crate) fn same_target(one: &Target, other: &Target) -> bool {
    one == other
}

/// No call here tells the names of a file.
pub(crate) fn file_names(_directory: &Path, _file: FileId) -> Option<(Vec<PathBuf>, PathBuf)> {
    None
}
