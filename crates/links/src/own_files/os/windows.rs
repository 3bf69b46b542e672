//! The journal's own directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::ERROR_SHARING_VIOLATION;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_OPEN_REPARSE_POINT,
};

use super::hand_over;
use crate::platform::number;

/// Makes the directory where it is missing. It inherits the rights of the user's own folder for such data.
pub(crate) fn make_state_directory(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(path),
        Err(error) => Err(error),
    }
}

/// Which a process has open while no other shall be in the same section: a directory cannot be locked here.
const LOCK: &str = "journal.lock";

/// Waits until no other process is in the same section, but not for ever.
pub(crate) fn lock_directory(path: &Path) -> io::Result<File> {
    lock(path, Duration::from_secs(10))
}

fn lock(path: &Path, patience: Duration) -> io::Result<File> {
    let began = Instant::now();
    loop {
        // Shared with nobody: the system lets go when the process ends, however it ends.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).share_mode(0);
        match options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path.join(LOCK)) {
            Ok(file) => return plain(file),
            Err(error) if number(&error) != Some(ERROR_SHARING_VIOLATION) => return Err(error),
            Err(_) if began.elapsed() < patience => thread::sleep(Duration::from_millis(1)),
            Err(_) => return Err(io::Error::other("another program holds its lock")),
        }
    }
}

/// A regular file and no link.
fn plain(file: File) -> io::Result<File> {
    let odd = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
    if file.metadata()?.file_attributes() & odd == 0 { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
}

/// Appends to a file in one piece, while no other process has the directory's lock; but waits only shortly for that.
/// Gives the file's length then.
pub(crate) fn append(directory: &Path, file: &str, bytes: &[u8]) -> io::Result<u64> {
    // What is journaled shall not keep what is done waiting. Without the lock a line is appended all the same: it is
    // lost only if the file is emptied in the same instant.
    let lock = lock(directory, Duration::from_millis(500)).ok();
    let mut options = OpenOptions::new();
    options.append(true).create(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    let mut file = plain(options.open(directory.join(file))?)?;
    let before = file.metadata()?.len();
    if let Err(error) = file.write_all(bytes) {
        // A part of a line, where the disk is full: nobody else has appended to it.
        if lock.is_some() {
            file.set_len(before).unwrap_or_default();
        }
        return Err(error);
    }
    Ok(before + bytes.len() as u64)
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(directory: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    let path = directory.join(file);
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

/// Hands over what is in a file, while no other process has the directory's lock, and empties the file once that
/// went well. Without such a file, nothing is done.
pub(crate) fn drain(directory: &Path, file: &str, take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let path = directory.join(file);
    // An empty one is nothing to do, also where nothing can be written.
    match fs::symlink_metadata(&path) {
        Ok(found) if found.len() > 0 => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let _lock = lock_directory(directory)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    let mut file = plain(options.open(path)?)?;
    hand_over(&mut file, take)?;
    file.set_len(0)?;
    Ok(())
}
