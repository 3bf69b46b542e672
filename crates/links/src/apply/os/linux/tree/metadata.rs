//! What belongs to an object besides its content.

use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use rustix::fs::{self, AtFlags, Gid, IFlags, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use crate::platform::{Directory, Stat, by_descriptor};

/// Flags of a file that a user sets, and that a copy keeps.
const KEPT: IFlags =
    IFlags::NODUMP.union(IFlags::NOATIME).union(IFlags::SYNC).union(IFlags::DIRSYNC).union(IFlags::NOCOW);

/// What is to be dropped into is told once for each object.
pub(super) type Losses<'l> = &'l mut dyn FnMut(String);

/// Gives an opened copy everything but its content.
pub(super) fn give(from: impl AsFd, to: impl AsFd, stat: &Stat, lost: Losses<'_>) -> io::Result<()> {
    let (from, to) = (from.as_fd(), to.as_fd());
    match fs::fchown(to, Some(Uid::from_raw(stat.uid)), Some(Gid::from_raw(stat.gid))) {
        Ok(()) => {}
        // Only the administrator may give a file away.
        Err(Errno::PERM | Errno::INVAL) => lost(format!("owner {}:{}", stat.uid, stat.gid)),
        Err(error) => return Err(error.into()),
    }
    fs::fchmod(to, Mode::from(stat.mode))?;
    let mut names = names(|buffer| fs::flistxattr(from, buffer))?;
    for name in inherited(&names, |buffer| fs::flistxattr(to, buffer))? {
        fs::fremovexattr(to, &name)?;
    }
    // Owner and mode take it off again.
    names.sort_by_key(|name| name == "security.capability");
    for name in names {
        let Some(value) = value(|buffer| fs::fgetxattr(from, &name, buffer))? else { continue };
        match fs::fsetxattr(to, &name, &value, XattrFlags::empty()) {
            Ok(()) => {}
            Err(error) => dropped(&name, error, lost)?,
        }
    }
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
pub(super) fn give_by_name(
    from: (&Directory, &OsStr),
    to: (&Directory, &OsStr),
    stat: &Stat,
    is_link: bool,
    lost: Losses<'_>,
) -> io::Result<()> {
    let (uid, gid) = (Some(Uid::from_raw(stat.uid)), Some(Gid::from_raw(stat.gid)));
    match fs::chownat(to.0, to.1, uid, gid, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(()) => {}
        Err(Errno::PERM | Errno::INVAL) => lost(format!("owner {}:{}", stat.uid, stat.gid)),
        Err(error) => return Err(error.into()),
    }
    if !is_link {
        fs::chmodat(to.0, to.1, Mode::from(stat.mode), AtFlags::empty())?;
    }
    let (source, copy) = (by_descriptor(from.0, from.1), by_descriptor(to.0, to.1));
    let names = names(|buffer| fs::llistxattr(&source, buffer))?;
    for name in inherited(&names, |buffer| fs::llistxattr(&copy, buffer))? {
        fs::lremovexattr(&copy, &name)?;
    }
    for name in names {
        let Some(value) = value(|buffer| fs::lgetxattr(&source, &name, buffer))? else { continue };
        match fs::lsetxattr(&copy, &name, &value, XattrFlags::empty()) {
            Ok(()) => {}
            Err(error) => dropped(&name, error, lost)?,
        }
    }
    Ok(fs::utimensat(to.0, to.1, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Access lists that a copy has from the directory it was made in, and its original has not.
fn inherited(
    wanted: &[OsString],
    of_copy: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
) -> io::Result<Vec<OsString>> {
    let mut found = names(of_copy)?;
    found.retain(|name| name.as_bytes().starts_with(b"system.posix_acl_") && !wanted.contains(name));
    Ok(found)
}

/// All extended attributes of an opened object that are listed.
pub(super) fn attributes(of: impl AsFd) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let of = of.as_fd();
    let mut all = Vec::new();
    for name in names(|buffer| fs::flistxattr(of, buffer))? {
        if let Some(value) = value(|buffer| fs::fgetxattr(of, &name, buffer))? {
            all.push((name, value));
        }
    }
    all.sort();
    Ok(all)
}

/// An attribute that the copy cannot have is a loss; whatever else goes wrong is an error.
fn dropped(name: &OsStr, error: Errno, lost: Losses<'_>) -> io::Result<()> {
    match error {
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

/// The names of attributes, from a call that is asked for their length first.
fn names(list: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Vec<OsString>> {
    // Most have none, or few: one call tells them.
    let mut buffer = vec![0; 512];
    loop {
        match list(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                break;
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 8, 0),
            Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    }
    let mut names = Vec::new();
    let mut rest = buffer.as_slice();
    while let Ok(name) = CStr::from_bytes_until_nul(rest) {
        names.push(OsString::from_vec(name.to_bytes().to_vec()));
        rest = rest.get(name.to_bytes_with_nul().len()..).unwrap_or_default();
    }
    // XFS lists its access lists a second time, in a form of its own.
    names.retain(|name| !name.is_empty() && !name.as_bytes().starts_with(b"trusted.SGI_ACL_"));
    Ok(names)
}

/// The value of an attribute. `None` where it went away, or is none that can be read.
fn value(get: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; 512];
    loop {
        match get(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(Some(buffer));
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 8, 0),
            Err(Errno::NODATA | Errno::NOTSUP) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
