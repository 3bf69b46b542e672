//! The journal's own directory.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, ftruncate, openat, statat};
use rustix::io::Errno;

use super::hand_over;

/// Makes the directory where it is missing, for its owner alone. In another user's directory nothing is
/// made: root under `sudo` would leave there what that user cannot change any more.
pub(crate) fn make_state_directory(path: &Path) -> io::Result<()> {
    let uid = rustix::process::geteuid().as_raw();
    let refuse =
        |what: &Path, owner: u32| Err(io::Error::other(format!("{what:?} belongs to user {owner}, not to {uid}")));
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() && found.uid() != uid => return refuse(path, found.uid()),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let path = std::path::absolute(path)?;
    for parent in path.ancestors().skip(1) {
        match fs::metadata(parent) {
            Ok(found) if found.uid() != uid && found.uid() != 0 => return refuse(parent, found.uid()),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Waits until no other process is in the same section, but not for ever: whoever may read the directory could hold
/// its lock.
pub(crate) fn lock_directory(path: &Path) -> io::Result<OwnedFd> {
    lock(path, Duration::from_secs(10))
}

fn lock(path: &Path, patience: Duration) -> io::Result<OwnedFd> {
    let directory = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let began = Instant::now();
    loop {
        match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(directory),
            Err(Errno::WOULDBLOCK) if began.elapsed() < patience => thread::sleep(Duration::from_millis(1)),
            Err(Errno::WOULDBLOCK) => return Err(io::Error::other("another program holds its lock")),
            Err(error) => return Err(error.into()),
        }
    }
}

/// No link is followed, and no pipe waited for.
const PLAIN: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// A regular file that has no other name.
fn plain(opened: OwnedFd) -> io::Result<File> {
    let file = File::from(opened);
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.nlink() == 1 { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
}

/// Appends to a file in one piece, while no other process has the directory's lock; but waits only shortly for that. Gives the file's length then.
pub(crate) fn append(directory: &Path, file: &str, bytes: &[u8]) -> io::Result<u64> {
    // What is journaled shall not keep what is done waiting. Without the lock a line is appended all the same: it is
    // lost only if the file is emptied in the same instant.
    let (lock, is_held) = match lock(directory, Duration::from_millis(500)) {
        Ok(lock) => (lock, true),
        Err(_) => (rustix::fs::open(directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?, false),
    };
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | PLAIN;
    let mut file = plain(openat(&lock, file, flags, Mode::from(0o600))?)?;
    let before = file.metadata()?.len();
    if let Err(error) = file.write_all(bytes) {
        // A part of a line, where the disk is full or the file must not grow: nobody else has appended to it.
        if is_held {
            ftruncate(&file, before).unwrap_or_default();
        }
        return Err(error);
    }
    Ok(before + bytes.len() as u64)
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(directory: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let path = directory.join(file);
    File::from(rustix::fs::open(path, flags, Mode::from(0o600))?).write_all(bytes)
}

/// Hands over what is in a file, while no other process has the directory's lock, and empties the file once that
/// went well. Without such a file, nothing is done.
pub(crate) fn drain(directory: &Path, file: &str, take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let lock = lock_directory(directory)?;
    // An empty one is nothing to do, also where nothing can be written.
    match statat(&lock, file, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if stat.st_size > 0 => {}
        Ok(_) | Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let mut file = plain(openat(&lock, file, OFlags::RDWR | PLAIN, Mode::empty())?)?;
    hand_over(&mut file, take)?;
    Ok(ftruncate(&file, 0)?)
}
