//! A place borrowed from whoever holds its directory open.

use std::ffi::OsStr;
use std::path::Path;

use super::Directory;

/// A link's place, borrowed from whoever holds its directory open.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) name: &'a OsStr,
    pub(crate) path: &'a Path,
}
