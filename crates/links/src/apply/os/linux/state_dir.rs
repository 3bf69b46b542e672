//! The journal's own directory.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Makes the directory where it is missing, for its owner alone.
pub(in crate::apply) fn make_state_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Renames the files that are there out of the way. Gives the new name of the first.
pub(in crate::apply) fn set_aside(directory: &Path, files: &[&str], suffix: &str) -> io::Result<PathBuf> {
    let mut kept = Vec::new();
    for file in files {
        let to = directory.join(format!("{file}.{suffix}"));
        match fs::rename(directory.join(file), &to) {
            Ok(()) => kept.push(to),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    kept.into_iter().next().ok_or_else(|| io::ErrorKind::NotFound.into())
}
