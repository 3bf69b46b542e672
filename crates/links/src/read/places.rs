//! Paths without links.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::platform::Directory;

/// A directory's path without links.
///
/// # Errors
/// It is no directory, cannot be looked at, or has no path any more.
pub fn physical_path(directory: &Path) -> Result<PathBuf> {
    let found = Directory::open(directory).and_then(|opened| opened.physical_path());
    found.map_err(|error| Error::io("find", directory, error))
}
