//! Whole trees: copied with all there is to them, compared, and removed again object by object.
//!
//! Everything goes by descriptor and single names; nothing is followed.
//!
//! ```text
//! copy.rs      an object copied; `../../copying.rs` walks the tree
//! metadata.rs  owner, mode, extended attributes, flags, times
//! ntfs.rs      the same on NTFS: security, attributes, streams, short names, times
//! compare.rs   a copied object beside what it was copied from
//! erase.rs     an object removed, looked at right before it goes
//! ```

mod compare;
mod copy;
mod erase;
mod metadata;
mod ntfs;

use std::ffi::OsStr;
use std::fs::File;
use std::io;

use rustix::fs::{self, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::platform::{Directory, Item, ObjectKind, is_locked_by_own};

pub(crate) use super::super::copying::{compare, copy};
pub(crate) use super::super::erasure::{erase, writer};
use super::super::tree_types::CHANGED;
pub(crate) use super::super::tree_types::{Failed, Loss, Root, Texts, Trust};
pub(crate) use copy::Copier;
pub(crate) use erase::{remove, why_in_use};
pub(crate) use metadata::give_link;
pub(crate) use ntfs::has_streams;

pub(crate) use super::entry::{create_private, rename_over as publish, rename_to_new as move_to_new};

/// Opens a file or directory for reading, without leaving a trace in its time of access where that can be had.
fn open_to_read(directory: &Directory, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match fs::openat(directory, name, flags | OFlags::NOATIME, Mode::empty()) {
        // Of other users' files, a trace is left.
        Err(Errno::PERM) => fs::openat(directory, name, flags, Mode::empty()),
        answer => answer,
    };
    Ok(opened?.into())
}

/// The same of an object of an inventory: it, and nothing else that has its name by now.
fn open_item(at: Root<'_>, item: &Item) -> io::Result<File> {
    let opened = open_to_read(at.parent, at.name)?;
    let now = fs::fstat(&opened)?;
    let is_directory = fs::FileType::from_raw_mode(now.st_mode) == fs::FileType::Directory;
    if (now.st_dev, u128::from(now.st_ino)) != (item.stat.device, item.stat.number)
        || is_directory != (item.stat.sort == ObjectKind::Directory)
    {
        return Err(io::Error::other(CHANGED));
    }
    Ok(opened)
}

/// Opens a file system to be flushed: errors of writing are told from here on.
pub(crate) fn open_to_flush(directory: &Directory) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(fs::openat(directory, ".", flags, Mode::empty())?.into())
}

/// Waits until everything on a file system is on the disk. An error since it was opened is told.
pub(crate) fn flush(opened: &File) -> io::Result<()> {
    fs::syncfs(opened)?;
    // A file system in user space hears of the first not, and of this.
    match fs::fsync(opened) {
        Err(Errno::INVAL | Errno::NOSYS) => Ok(()),
        answer => Ok(answer?),
    }
}

/// Waits until the names in a directory are on the disk.
pub(crate) fn flush_names(directory: &Directory) -> io::Result<()> {
    let opened = open_to_flush(directory)?;
    match fs::fsync(&opened) {
        // Where a directory cannot be flushed, the whole file system can.
        Err(Errno::INVAL) => flush(&opened),
        answer => Ok(answer?),
    }
}

/// Whether nobody but this user can have put anything into a directory.
pub(crate) fn is_own(directory: &Directory) -> io::Result<bool> {
    let stat = fs::statat(directory, "", fs::AtFlags::EMPTY_PATH)?;
    Ok(stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o077 == 0)
}

/// Whether the file system ignores permission bits, as ntfs-3g without `permissions` does. Found out by making a directory.
pub(crate) fn ignores_permissions(directory: &Directory, private: &OsStr) -> io::Result<bool> {
    // Where the kernel itself keeps the rights, they hold.
    if !crate::platform::is_fuse(directory)? {
        return Ok(false);
    }
    make_private_directory(directory, private)?;
    let stat = fs::statat(directory, private, fs::AtFlags::SYMLINK_NOFOLLOW);
    fs::unlinkat(directory, private, fs::AtFlags::REMOVEDIR)?;
    Ok(stat?.st_mode & 0o002 != 0)
}

/// Opens what was written durably, to be read up to the limit of its [`Trust`]. What anybody else may have put there is
/// refused.
pub(crate) fn open_own(directory: &Directory, name: &OsStr, trust: Trust) -> io::Result<io::Take<File>> {
    let file = open_to_read(directory, name)?;
    let stat = fs::fstat(&file)?;
    let is_plain = fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::RegularFile && stat.st_nlink == 1;
    let is_own = stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o077 == 0;
    if !is_plain || trust == Trust::Own && !is_own {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "a file in it was not made by this user"));
    }
    Ok(io::Read::take(file, trust.longest()))
}

/// Makes a directory that nobody but its owner may look into.
pub(crate) fn make_private_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::mkdirat(directory, name, Mode::from(0o700))?)
}

/// Whether two names of a file system can change places in one call. FUSE says so only when it is tried, and ntfs-3g cannot.
pub(crate) fn can_exchange(directory: &Directory) -> io::Result<bool> {
    Ok(!crate::platform::is_fuse(directory)?)
}

/// Gives a directory its own time back, which the exchange of names takes from it on XFS.
pub(crate) fn give_back_time(directory: &Directory, name: &OsStr, stat: &crate::platform::Stat) -> io::Result<()> {
    let (now, _) = crate::platform::look(directory, name)?;
    if now.sort == ObjectKind::Directory && now.modified != stat.modified {
        let opened = open_to_read(directory, name)?;
        fs::futimens(&opened, &metadata::times(stat))?;
        fs::fsync(&opened)?;
    }
    Ok(())
}

/// Locks against other moves, held as long as they live: of a whole tree by one alone; of what holds it by all who move
/// something in it, and by nobody who moves it.
#[derive(Debug, Default)]
pub(crate) struct Locks(Vec<File>);

impl Locks {
    /// Locks an object against every other move of it, of what is in it and of what it is in.
    pub(crate) fn whole(&mut self, directory: &Directory, name: &OsStr) -> io::Result<()> {
        // What this user may not read, the copy will tell of.
        let Ok(opened) = open_to_read(directory, name) else { return Ok(()) };
        self.take(opened, FlockOperation::NonBlockingLockExclusive)
    }

    /// Locks a directory and all above it against being moved.
    pub(crate) fn above(&mut self, directory: &Directory) -> io::Result<()> {
        let mut here = directory.open_child(OsStr::new("."))?;
        loop {
            if let Ok(opened) = open_to_flush(&here) {
                self.take(opened, FlockOperation::NonBlockingLockShared)?;
            }
            let above = here.open_parent()?;
            if above.metadata()?.id == here.metadata()?.id {
                return Ok(());
            }
            here = above;
        }
    }

    fn take(&mut self, opened: File, operation: FlockOperation) -> io::Result<()> {
        match fs::flock(&opened, operation) {
            Ok(()) => self.0.push(opened),
            Err(Errno::WOULDBLOCK) if is_locked_by_own(&opened)? => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another move of it, of what is in it, or of what it is in is running",
                ));
            }
            Err(Errno::WOULDBLOCK | Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK | Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
