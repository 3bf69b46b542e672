//! The state directory and the files in it, as each system writes them.

#![allow(clippy::disallowed_methods, reason = "these files are linkctl's own")]

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;

#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub(crate) use system::{append, drain, lock_directory, make_state_directory, write_new};

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::platform;

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

/// Writes a file under a private name, and gives it its own once the disk has it. A file that has that name is replaced.
pub(crate) fn write_and_rename(directory: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    let private = directory.join(format!(".linkctl-{:016x}", platform::random()));
    let mut new = OpenOptions::new().write(true).create_new(true).open(&private)?;
    let write = || {
        new.write_all(bytes)?;
        new.sync_all()?;
        drop(new);
        fs::rename(&private, directory.join(file))
    };
    // Nobody misses it where it cannot be removed either.
    write().inspect_err(|_| fs::remove_file(&private).unwrap_or_default())
}

/// Hands over all that is in a file of lines, in pieces of whole lines. Who could not wait for the lock may append meanwhile:
/// only once nothing is left may the file be emptied.
pub(super) fn hand_over(file: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    // The rest of a piece begins the next one: a line without an end is handed over as it is once it is too long.
    let mut bytes = Vec::new();
    loop {
        let read = io::Read::by_ref(file).take(PIECE).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let last = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let is_too_long = bytes.len() >= LONGEST_LINE;
        let whole = if read == 0 || last == 0 && is_too_long { bytes.len() } else { last };
        if whole > 0 {
            take(bytes.get(..whole).unwrap_or(&bytes))?;
            bytes.drain(..whole);
        }
    }
}

/// So much of a queue is read at once.
const PIECE: u64 = 4 << 20;
/// No line of a queue is longer.
const LONGEST_LINE: usize = 16 << 20;

/// What is in a queue; nothing where there is none. A pipe is not waited for.
pub(crate) fn read_queue(directory: &Path, file: &str) -> io::Result<Vec<u8>> {
    const MOST: u64 = 32 << 20;
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
