//! What belongs to an object besides its content.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, Gid, IFlags, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::super::super::tree_types::{Losses, Pair};
use super::super::entry::held_path;
use super::{Root, ntfs};
use crate::model::FileKind;
use crate::platform::{Directory, Inventory, Item, ObjectKind, Stat, by_descriptor};

/// Flags of a file that a user sets, and that a copy keeps.
const KEPT: IFlags =
    IFlags::NODUMP.union(IFlags::NOATIME).union(IFlags::SYNC).union(IFlags::DIRSYNC).union(IFlags::NOCOW);

/// What attributes are asked of and given to: something opened, or a name of what cannot be.
pub(super) enum Subject<'a> {
    Opened(BorrowedFd<'a>),
    Named(PathBuf),
}

impl<'a> Subject<'a> {
    pub(super) fn opened(descriptor: &'a impl AsFd) -> Self {
        Self::Opened(descriptor.as_fd())
    }

    pub(super) fn named(at: Root<'_>) -> Self {
        Self::Named(by_descriptor(at.parent, at.name))
    }

    pub(super) fn set(&self, name: &OsStr, value: &[u8]) -> rustix::io::Result<()> {
        match self {
            Self::Opened(descriptor) => fs::fsetxattr(descriptor, name, value, XattrFlags::empty()),
            Self::Named(path) => fs::lsetxattr(path, name, value, XattrFlags::empty()),
        }
    }

    fn remove(&self, name: &OsStr) -> rustix::io::Result<()> {
        match self {
            Self::Opened(descriptor) => fs::fremovexattr(descriptor, name),
            Self::Named(path) => fs::lremovexattr(path, name),
        }
    }

    /// The names of all attributes that are listed.
    fn names(&self) -> io::Result<Vec<OsString>> {
        let list = |buffer: &mut [u8]| match self {
            Self::Opened(descriptor) => fs::flistxattr(descriptor, buffer),
            Self::Named(path) => fs::llistxattr(path, buffer),
        };
        let listed = fill(list, Errno::NOSYS)?.unwrap_or_default();
        let names = listed.split(|byte| *byte == 0).filter(|name| {
            // XFS lists its access lists a second time, in a form of its own.
            !name.is_empty() && !name.starts_with(b"trusted.SGI_ACL_")
        });
        Ok(names.map(|name| OsString::from_vec(name.to_vec())).collect())
    }

    /// The value of an attribute. `None` where it went away, or is none that can be read.
    pub(super) fn value(&self, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        let get = |buffer: &mut [u8]| match self {
            Self::Opened(descriptor) => fs::fgetxattr(descriptor, name, buffer),
            Self::Named(path) => fs::lgetxattr(path, name, buffer),
        };
        fill(get, Errno::NODATA)
    }
}

/// What a call gives that wants a buffer. `None` where there is nothing of the kind.
fn fill(get: impl Fn(&mut [u8]) -> rustix::io::Result<usize>, none: Errno) -> io::Result<Option<Vec<u8>>> {
    // Most need little. The kernel passes no more than 64 KiB (XATTR_SIZE_MAX, XATTR_LIST_MAX).
    const MOST: usize = 64 << 10;
    let mut buffer = vec![0; 512];
    loop {
        match get(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(Some(buffer));
            }
            // ntfs-3g answers EIO where the buffer is too small.
            Err(Errno::RANGE | Errno::IO) if buffer.len() < MOST => buffer.resize(MOST, 0),
            Err(error) if error == none || error == Errno::NOTSUP => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives an opened copy everything but its content.
pub(super) fn give(from: impl AsFd, to: impl AsFd, item: &Item, on_ntfs: bool, lost: Losses<'_>) -> io::Result<()> {
    let (source, copy) = (Subject::opened(&from), Subject::opened(&to));
    if on_ntfs {
        give_listed(&source, &copy, lost)?;
        // Seen at once, and in the kernel's memory; what NTFS has more of behind it.
        fs::futimens(&to, &times(&item.stat))?;
        return ntfs::give(&source, &copy, item, lost);
    }
    let (from, to) = (from.as_fd(), to.as_fd());
    let stat = &item.stat;
    let given = fs::fchown(to, Some(Uid::from_raw(stat.uid)), Some(Gid::from_raw(stat.gid)));
    fs::fchmod(to, mode_after(given, stat, lost)?)?;
    give_listed(&source, &copy, lost)?;
    if let Ok(flags) = fs::ioctl_getflags(from) {
        let wanted = flags & KEPT;
        let now = fs::ioctl_getflags(to).unwrap_or(IFlags::empty());
        if now & KEPT != wanted && fs::ioctl_setflags(to, (now - KEPT) | wanted).is_err() {
            lost("flags of chattr".to_owned());
        }
    }
    Ok(fs::futimens(to, &times(stat))?)
}

/// The same for what cannot be opened: symbolic links, pipes, devices.
pub(super) fn give_by_name(pair: Pair<'_>, on_ntfs: bool, lost: Losses<'_>) -> io::Result<()> {
    let Pair { from, to, item } = pair;
    let (source, copy) = (Subject::named(from), Subject::named(to));
    let stat = &item.stat;
    if on_ntfs {
        fs::utimensat(to.parent, to.name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?;
        return ntfs::give(&source, &copy, item, lost);
    }
    let (uid, gid) = (Some(Uid::from_raw(stat.uid)), Some(Gid::from_raw(stat.gid)));
    let given = fs::chownat(to.parent, to.name, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
    let mode = mode_after(given, stat, lost)?;
    if stat.sort != ObjectKind::Symlink {
        // By what is held, for the call by name would follow a link that has the name by now.
        let held = to.parent.hold(to.name)?;
        if held.metadata()?.kind != FileKind::Special {
            return Err(io::Error::other("something else has its name already"));
        }
        fs::chmodat(fs::CWD, held_path(&held), mode, AtFlags::empty())?;
    }
    give_listed(&source, &copy, lost)?;
    Ok(fs::utimensat(to.parent, to.name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Gives a link what belongs to another one beside it, but for its short name, which two cannot have. What it cannot be
/// given is an error.
pub(crate) fn give_link(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    let found = Inventory::take(directory, from)?;
    let Some(item) = found.root() else { return Ok(()) };
    let on_ntfs = ntfs::on_both(directory, directory)?;
    let mut lost = Vec::new();
    let root = |name| Root { parent: directory, name };
    if on_ntfs {
        // The rest it got as it was made.
        ntfs::give_link(&Subject::named(root(from)), &Subject::named(root(to)), &mut |what| lost.push(what))?;
        fs::utimensat(directory, to, &times(&item.stat), AtFlags::SYMLINK_NOFOLLOW)?;
    } else {
        give_by_name(Pair { from: root(from), to: root(to), item }, on_ntfs, &mut |what| lost.push(what))?;
    }
    match lost.first() {
        None => Ok(()),
        Some(what) => {
            let text = format!("it has to say something else at the new place, and this user cannot keep its {what}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
        }
    }
}

/// The rights of a copy, once it was tried to give it its owner. What another user's file may do in his name, a copy that is not
/// his may not do in the name of who made it.
fn mode_after(given: rustix::io::Result<()>, stat: &Stat, lost: Losses<'_>) -> io::Result<Mode> {
    match given {
        Ok(()) => Ok(Mode::from(stat.mode)),
        // Only the administrator may give a file away.
        Err(Errno::PERM | Errno::INVAL) => {
            lost(format!("owner {}:{}", stat.uid, stat.gid));
            if stat.mode & SET_ID != 0 && stat.sort == ObjectKind::File {
                lost("setuid and setgid".to_owned());
                return Ok(Mode::from(stat.mode & !SET_ID));
            }
            Ok(Mode::from(stat.mode))
        }
        Err(error) => Err(error.into()),
    }
}

/// Setuid and setgid.
pub(super) const SET_ID: u32 = 0o6000;

/// Every attribute that is listed; access lists that the copy has from the directory it was made in go.
fn give_listed(source: &Subject<'_>, copy: &Subject<'_>, lost: Losses<'_>) -> io::Result<()> {
    let mut names = source.names()?;
    for name in copy.names()? {
        if name.as_bytes().starts_with(b"system.posix_acl_") && !names.contains(&name) {
            copy.remove(&name)?;
        }
    }
    // Owner and mode take it off again.
    names.sort_by_key(|name| name == "security.capability");
    for name in names {
        let Some(value) = source.value(&name)? else { continue };
        match copy.set(&name, &value) {
            Ok(()) => {}
            Err(error) => dropped(&name, error, lost)?,
        }
    }
    Ok(())
}

/// All extended attributes that are listed.
pub(super) fn attributes(of: &Subject<'_>) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let mut all = Vec::new();
    for name in of.names()? {
        if let Some(value) = of.value(&name)? {
            all.push((name, value));
        }
    }
    all.sort();
    Ok(all)
}

/// An attribute that the copy cannot have is a loss; whatever else goes wrong is an error.
pub(super) fn dropped(name: &OsStr, error: Errno, lost: Losses<'_>) -> io::Result<()> {
    match error {
        // What a file's owner may set, nothing but a fault denies.
        Errno::PERM | Errno::ACCESS if name.as_bytes().starts_with(b"user.") => Err(error.into()),
        Errno::NOTSUP | Errno::PERM | Errno::ACCESS | Errno::INVAL | Errno::RANGE | Errno::TOOBIG => {
            lost(format!("extended attribute {}", Path::new(name).display()));
            Ok(())
        }
        error => Err(error.into()),
    }
}

pub(super) fn times(stat: &Stat) -> Timestamps {
    let time = |(tv_sec, nanoseconds): (i64, u32)| Timespec { tv_sec, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time(stat.accessed), last_modification: time(stat.modified) }
}
