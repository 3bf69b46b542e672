//! Links for tests on systems that make none, as Wine does not: what a reparse point would say lies in a directory of the
//! test's own, under the number of the empty file or directory that stands in for the link. Only builds for debugging look
//! there, and only where the environment names such a directory; the system itself follows none of these links.

use std::fs;
use std::path::PathBuf;

use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_REPARSE_POINT;

use super::Object;
use crate::model::FileId;

/// The directory of such links. Not in what users run: no environment shall make links of files.
fn directory() -> Option<PathBuf> {
    if cfg!(debug_assertions) { std::env::var_os("LINKCTL_TEST_LINKS").map(PathBuf::from) } else { None }
}

/// Where what such a link says is kept.
pub(crate) fn place(id: FileId) -> Option<PathBuf> {
    Some(directory()?.join(id.to_string()))
}

/// What the object says that stands in for a link.
pub(super) fn data(object: Object<'_>) -> Option<Vec<u8>> {
    // Asked first: who has no such directory has no such links.
    let directory = directory()?;
    fs::read(directory.join(object.id().ok()?.to_string())).ok()
}

/// The attributes that an object has, as the link that it stands in for.
pub(super) fn attributes(object: Object<'_>, found: u32) -> u32 {
    if data(object).is_some() { found | FILE_ATTRIBUTE_REPARSE_POINT } else { found }
}
