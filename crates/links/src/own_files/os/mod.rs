//! The state directory and the files in it, as each system writes them.

#![allow(clippy::disallowed_methods, reason = "these files are linkctl's own")]

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;

#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub(crate) use system::{append, drain, lock_directory, make_state_directory, write_new};

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Renames the files that are there out of the way. Gives the new name of the first.
pub(crate) fn set_aside(directory: &Path, files: &[&str], suffix: &str) -> io::Result<PathBuf> {
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

/// Hands over all that is in a file, in pieces. Who could not wait for the lock may append meanwhile: only once nothing
/// is left may the file be emptied.
pub(super) fn hand_over(file: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    loop {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        take(&bytes)?;
    }
}

/// What is in a queue; nothing where there is none. A pipe is not waited for.
pub(crate) fn read_queue(directory: &Path, file: &str) -> io::Result<Vec<u8>> {
    const MOST: u64 = 64 << 20;
    match read_beginning(directory, file, MOST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        answer => answer,
    }
}

/// The first bytes of a plain file.
pub(crate) fn read_beginning(directory: &Path, file: &str, most: u64) -> io::Result<Vec<u8>> {
    let path = directory.join(file);
    if !fs::symlink_metadata(&path)?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
