//! One name in a directory: made, renamed, removed.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{
    self, AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid,
};
use rustix::io::Errno;

use crate::model::Attributes;
use crate::platform::{Directory, Held, is_fuse};

pub(in crate::step) fn make_symlink(directory: &Directory, name: &OsStr, text: &OsStr) -> io::Result<()> {
    Ok(fs::symlinkat(text, directory, name)?)
}

/// Gives a held file one more name. What it may lead to is never linked.
pub(in crate::step) fn make_hard_link(file: &Held, to: &Directory, name: &OsStr) -> io::Result<()> {
    let shown = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    let linked = match fs::linkat(CWD, shown, to, name, AtFlags::SYMLINK_FOLLOW) {
        // Without /proc there is a way for the privileged alone.
        Err(Errno::NOENT) => fs::linkat(file, "", to, name, AtFlags::EMPTY_PATH),
        answer => answer,
    };
    match linked {
        Err(Errno::PERM) => {
            // Also what file systems without hard links answer, and files marked immutable.
            let cause = "the system does not allow this hard link: the file is another user's \
                         (fs.protected_hardlinks), is marked immutable, or its file system has none";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, cause))
        }
        answer => Ok(answer?),
    }
}

/// Locks a file against others that remove names of it, for at most two seconds' waiting. `None` where
/// this user may not open the file, or nobody can.
pub(in crate::step) fn lock_file(directory: &Directory, name: &OsStr) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        // A symbolic link cannot be opened itself.
        Err(Errno::ACCESS | Errno::PERM | Errno::LOOP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let began = Instant::now();
    loop {
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(file)),
            Err(Errno::WOULDBLOCK) if began.elapsed() < Duration::from_secs(2) => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(Errno::WOULDBLOCK) => {
                return Err(io::Error::other("another program holds a lock on the file"));
            }
            Err(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

pub(in crate::step) fn make_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::mkdirat(directory, name, Mode::from(0o777))?)
}

pub(in crate::step) fn make_empty_file(directory: &Directory, name: &OsStr) -> io::Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(directory, name, flags, Mode::from(0o666))?;
    Ok(())
}

/// To put something in the place of a name, ntfs-3g gives what has it a name of so many more letters for a moment
/// (`ntfs_fuse_rename_existing_dest`). One that is too long for NTFS then comes out short, and stays.
const ADDED: usize = ".ntfs-3g-".len() + 10;

/// Puts `from` in the place of `to`, which is gone then. `Unsupported` where ntfs-3g would not do it well.
pub(in crate::step) fn rename_over(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    if to.len() + ADDED > 255 && is_fuse(directory)? {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(fs::renameat(directory, from, directory, to)?)
}

/// Lets two names change places, in one call. `Unsupported` where the file system cannot.
pub(in crate::step) fn exchange(directory: &Directory, a: &OsStr, b: &OsStr) -> io::Result<()> {
    match fs::renameat_with(directory, a, directory, b, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::XDEV) => {
            Err(io::ErrorKind::Unsupported.into())
        }
        answer => Ok(answer?),
    }
}

/// Lets two names change places by way of a third, taken back where a rename fails. Killed in between, `b` may be free,
/// and what it was lies under `aside`.
pub(in crate::step) fn exchange_by_steps(
    directory: &Directory,
    a: &OsStr,
    b: &OsStr,
    aside: &OsStr,
) -> io::Result<()> {
    let rename = |from, to| rename_to_new(directory, from, to);
    rename(b, aside)?;
    if let Err(error) = rename(a, b) {
        rename(aside, b)?;
        return Err(error);
    }
    if let Err(error) = rename(aside, a) {
        rename(b, a).and_then(|()| rename(aside, b))?;
        return Err(error);
    }
    Ok(())
}

/// Renames to a name that must be free.
pub(in crate::step) fn rename_to_new(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    match fs::renameat_with(directory, from, directory, to, RenameFlags::NOREPLACE) {
        // ntfs-3g and some others know no NOREPLACE. Asking first leaves a moment in which another
        // may take the name; there is no better there.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match directory.metadata_nofollow(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(fs::renameat(directory, from, directory, to)?)
            }
            Err(error) => Err(error),
        },
        answer => Ok(answer?),
    }
}

/// Removes a name that is no directory. A link is removed itself, never followed.
pub(in crate::step) fn remove_file(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::unlinkat(directory, name, AtFlags::empty())?)
}

/// Removes an empty directory.
pub(in crate::step) fn remove_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::unlinkat(directory, name, AtFlags::REMOVEDIR)?)
}

/// Gives a held link its owner and time back. An owner that it has already, or that this user may not give, is left.
pub(in crate::step) fn set_attributes(
    link: &Held,
    attributes: &Attributes,
    now: &Attributes,
) -> io::Result<()> {
    if (attributes.uid, attributes.gid) != (now.uid, now.gid) {
        let owner = (Some(Uid::from_raw(attributes.uid)), Some(Gid::from_raw(attributes.gid)));
        match fs::chownat(link, "", owner.0, owner.1, AtFlags::EMPTY_PATH) {
            Ok(()) | Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (tv_sec, nanoseconds) = attributes.modified;
    let time = Timespec { tv_sec, tv_nsec: nanoseconds.into() };
    let times = Timestamps { last_access: time, last_modification: time };
    let set = match fs::utimensat(link, "", &times, AtFlags::EMPTY_PATH) {
        // Before Linux 5.8, only a name could be given.
        Err(Errno::INVAL) => {
            let shown = format!("/proc/self/fd/{}", link.as_fd().as_raw_fd());
            fs::utimensat(CWD, shown, &times, AtFlags::empty())
        }
        answer => answer,
    };
    match set {
        Ok(()) | Err(Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
