//! One name in a directory: made, renamed, removed.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use rustix::fs::{self, AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::super::retry;
use super::ntfs_3g::{set_ntfs_attributes, set_short_name};
use crate::model::{Attributes, FileKind};
use crate::platform::{Directory, Held, by_one_mount, is_fuse, ntfs_attributes, short_name};

pub(crate) fn make_symlink(directory: &Directory, name: &OsStr, text: &OsStr) -> io::Result<()> {
    Ok(fs::symlinkat(text, directory, name)?)
}

/// Gives a held file one more name. What it may lead to is never linked.
pub(crate) fn make_hard_link(file: &Held, to: &Directory, name: &OsStr) -> io::Result<()> {
    let linked = match fs::linkat(CWD, held_path(file), to, name, AtFlags::SYMLINK_FOLLOW) {
        // Without /proc there is a way for the privileged alone.
        Err(Errno::NOENT) => fs::linkat(file, "", to, name, AtFlags::EMPTY_PATH),
        answer => answer,
    };
    match linked {
        Err(Errno::XDEV) => link_by_one_mount(file, to, name),
        Err(Errno::PERM) => {
            // Also what file systems without hard links answer, and files marked immutable.
            let cause = "the system does not allow this hard link: the file is another user's \
                         (fs.protected_hardlinks), is marked immutable, or its file system has none";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, cause))
        }
        answer => Ok(answer?),
    }
}

/// The same where file and directory were reached through two mounts of one file system.
fn link_by_one_mount(file: &Held, to: &Directory, name: &OsStr) -> io::Result<()> {
    let (path, refused) = (file.path()?, || Err(Errno::XDEV.into()));
    let (Some(parent), Some(own)) = (path.parent(), path.file_name()) else { return refused() };
    let Some((parent, to)) = by_one_mount(&Directory::open_physical(parent)?, to)? else { return refused() };
    let again = parent.hold(own)?;
    if again.metadata()?.id != file.metadata()?.id {
        return refused();
    }
    Ok(fs::linkat(CWD, held_path(&again), to, name, AtFlags::SYMLINK_FOLLOW)?)
}

/// The way to a held object itself, whatever it is: the calls by path end there and follow no further.
pub(super) fn held_path(held: &Held) -> String {
    format!("/proc/self/fd/{}", held.as_fd().as_raw_fd())
}

/// Locks a file against others that remove names of it, for at most two seconds' waiting. `None` where
/// this user may not open the file, or nobody can.
pub(crate) fn lock_file(directory: &Directory, name: &OsStr) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        // A symbolic link cannot be opened itself.
        Err(Errno::ACCESS | Errno::PERM | Errno::LOOP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let lock = || fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
    let locked =
        retry(Duration::from_secs(2), Duration::from_millis(20), lock, |locked| *locked != Err(Errno::WOULDBLOCK));
    match locked {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Err(io::Error::other("another program holds a lock on the file")),
        Err(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn make_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::mkdirat(directory, name, Mode::from(0o777))?)
}

pub(crate) fn make_empty_file(directory: &Directory, name: &OsStr) -> io::Result<()> {
    create(directory, name, Mode::from(0o666)).map(drop)
}

/// Makes a file that nobody but its owner may look into, to be written and read.
pub(crate) fn create_private(directory: &Directory, name: &OsStr) -> io::Result<File> {
    create(directory, name, Mode::from(0o600))
}

fn create(directory: &Directory, name: &OsStr, mode: Mode) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(fs::openat(directory, name, flags, mode)?.into())
}

/// To put something in the place of a name, ntfs-3g gives what has it a name of so many more letters for a moment
/// (`ntfs_fuse_rename_existing_dest`). One that is too long for NTFS then comes out short, and stays.
const ADDED: usize = ".ntfs-3g-".len() + 10;

/// Puts `from` in the place of `to`, which is gone then. `Unsupported` where ntfs-3g would not do it well.
pub(crate) fn rename_over(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    if to.len() + ADDED > 255 && is_fuse(directory)? {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(fs::renameat(directory, from, directory, to)?)
}

/// Exchanges two names in one call. `Unsupported` where the file system cannot.
pub(crate) fn exchange(a: &Directory, a_name: &OsStr, b: &Directory, b_name: &OsStr) -> io::Result<()> {
    match fs::renameat_with(a, a_name, b, b_name, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::XDEV) => Err(io::ErrorKind::Unsupported.into()),
        answer => Ok(answer?),
    }
}

/// Renames to a name that must be free, in the same directory or another. What ntfs-3g drops or adds is mended: the short
/// name goes along, unless the new directory has it already, and nothing is marked to be archived.
pub(crate) fn rename_to_new(from: &Directory, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
    let short = short_name(from, name);
    let before = if is_fuse(from)? { ntfs_attributes(from, name)? } else { None };
    rename(from, name, to, new)?;
    // The rename is done, whatever becomes of these.
    if let Some(short) = short {
        drop(set_short_name(to, new, &short));
    }
    if let Some(before) = before {
        drop(set_ntfs_attributes(to, new, before));
    }
    Ok(())
}

fn rename(from: &Directory, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
    match fs::renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        // ntfs-3g and some others know no NOREPLACE. Asking first leaves a moment in which another
        // may take the name; there is no better there.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match to.metadata_nofollow(new) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(fs::renameat(from, name, to, new)?),
            Err(error) => Err(error),
        },
        answer => Ok(answer?),
    }
}

/// Removes a name that is no directory. A link is removed itself, never followed.
pub(crate) fn remove_file(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::unlinkat(directory, name, AtFlags::empty())?)
}

/// Removes an empty directory.
pub(crate) fn remove_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::unlinkat(directory, name, AtFlags::REMOVEDIR)?)
}

/// On an overlay, brings a link, or a name of a file, up into the layer that is written to, as the kernel does at its first
/// change: it gets another number and time of birth.
pub(crate) fn bring_up(directory: &Directory, name: &OsStr) -> io::Result<()> {
    match directory.metadata_nofollow(name)?.kind {
        // Of a symbolic link there is nothing that this could change but the time of change.
        FileKind::Link => fs::chownat(directory, name, None, None, AtFlags::SYMLINK_NOFOLLOW)?,
        // Of a file, a change of its owner to what it is takes its setuid bit.
        FileKind::File => {
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            fs::openat(directory, name, flags, Mode::empty())?;
        }
        FileKind::Directory | FileKind::Special => {}
    }
    Ok(())
}

/// Gives a held link its owner and time back. An owner that it has already, or that this user may not give, is left.
pub(crate) fn set_attributes(link: &Held, attributes: &Attributes, now: &Attributes) -> io::Result<()> {
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
        Err(Errno::INVAL) => fs::utimensat(CWD, held_path(link), &times, AtFlags::empty()),
        answer => answer,
    };
    match set {
        Ok(()) | Err(Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
