//! Whole trees: copied with all there is to them, compared, and removed again object by object.
//!
//! Everything goes by descriptor and single names; nothing is followed.
//!
//! ```text
//! copy.rs      every object, several workers
//! metadata.rs  owner, mode, extended attributes, flags, times
//! compare.rs   what was copied beside what it was copied from
//! erase.rs     object by object, each looked at right before it goes
//! ```

mod compare;
mod copy;
mod erase;
mod metadata;

use std::ffi::OsStr;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{self, Mode, OFlags};

use crate::platform::{Directory, Inventory};

pub(in crate::apply) use super::super::tree_types::{Failed, Loss, Root, STOPPED, Texts, Work};
pub(in crate::apply) use compare::compare;
pub(in crate::apply) use copy::copy;
pub(in crate::apply) use erase::{erase, writer};

/// The non-directories of a tree in portions that workers take.
struct Portions {
    all: Vec<Vec<usize>>,
}

impl Portions {
    fn of(inventory: &Inventory) -> Self {
        use crate::platform::ObjectKind;
        const MOST: usize = 64;
        const BYTES: u64 = 32 << 20;
        let mut all: Vec<Vec<usize>> = Vec::new();
        let (mut parent, mut bytes) = (usize::MAX, 0u64);
        for (number, item) in inventory.items.iter().enumerate() {
            if item.stat.sort == ObjectKind::Directory {
                continue;
            }
            let full = all.last().is_none_or(|last| last.len() >= MOST) || bytes >= BYTES;
            if item.parent != parent || full {
                all.push(Vec::new());
                (parent, bytes) = (item.parent, 0);
            }
            bytes = bytes.saturating_add(item.stat.size);
            if let Some(last) = all.last_mut() {
                last.push(number);
            }
        }
        Self { all }
    }

    /// Hands the portions out to workers. The first failure ends all.
    fn each<R: Send>(
        &self,
        workers: usize,
        work: impl Fn(&[usize]) -> Result<R, Failed> + Sync,
    ) -> Result<Vec<R>, Failed> {
        let next = AtomicU64::new(0);
        let broken = AtomicBool::new(false);
        let worker = || {
            let mut done = Vec::new();
            while !broken.load(Ordering::Relaxed) {
                let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                let Some(portion) = self.all.get(index) else { break };
                match work(portion) {
                    Ok(one) => done.push(one),
                    Err(failed) => {
                        broken.store(true, Ordering::Relaxed);
                        return Err(failed);
                    }
                }
            }
            Ok(done)
        };
        let workers = workers.min(self.all.len()).max(1);
        let mut all = Vec::new();
        let mut failed = None;
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, worker).ok())
                .collect();
            let mut take = |done: Result<Vec<R>, Failed>| match done {
                Ok(done) => all.extend(done),
                Err(error) => failed = failed.take().or(Some(error)),
            };
            take(worker());
            for other in others {
                match other.join() {
                    Ok(done) => take(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        failed.map_or(Ok(all), Err)
    }
}

/// Opens a file or directory for reading, without leaving a trace in its time of access where that can be had.
fn open_to_read(directory: &Directory, name: &OsStr) -> io::Result<std::os::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match fs::openat(directory, name, flags | OFlags::NOATIME, Mode::empty()) {
        // Of other users' files, a trace is left.
        Err(rustix::io::Errno::PERM) => Ok(fs::openat(directory, name, flags, Mode::empty())?),
        answer => Ok(answer?),
    }
}

/// Opens a file system to be flushed: errors of writing are told from here on.
pub(in crate::apply) fn open_to_flush(directory: &Directory) -> io::Result<std::os::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(fs::openat(directory, ".", flags, Mode::empty())?)
}

/// Waits until everything on a file system is on the disk. An error since it was opened is told.
pub(in crate::apply) fn flush(opened: &std::os::fd::OwnedFd) -> io::Result<()> {
    Ok(fs::syncfs(opened)?)
}

/// Waits until the names in a directory are on the disk.
pub(in crate::apply) fn flush_names(directory: &Directory) -> io::Result<()> {
    let opened = open_to_flush(directory)?;
    match fs::fsync(&opened) {
        // Where a directory cannot be flushed, the whole file system can.
        Err(rustix::io::Errno::INVAL) => flush(&opened),
        answer => Ok(answer?),
    }
}

/// Writes a small file whole and durably: it is there with all it says, or not at all.
pub(in crate::apply) fn write_durably(directory: &Directory, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut temporary = name.to_owned();
    temporary.push(".new");
    match fs::unlinkat(directory, &temporary, fs::AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let file = fs::openat(directory, &temporary, flags, Mode::from(0o600))?;
    let mut file = std::fs::File::from(file);
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    fs::renameat(directory, &temporary, directory, name)?;
    flush_names(directory)
}

/// Reads what [`write_durably`] wrote. What anybody else may have put there is refused.
pub(in crate::apply) fn read_small(directory: &Directory, name: &OsStr) -> io::Result<Vec<u8>> {
    const MOST: u64 = 4 << 30;
    let file = std::fs::File::from(open_to_read(directory, name)?);
    let stat = fs::fstat(&file)?;
    let is_own = fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::RegularFile
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
        && stat.st_nlink == 1;
    if !is_own {
        return Err(io::Error::other("a file in it was not made by this user"));
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, MOST), &mut bytes)?;
    Ok(bytes)
}

/// Makes a directory that nobody but its owner may look into.
pub(in crate::apply) fn make_private_directory(directory: &Directory, name: &OsStr) -> io::Result<()> {
    Ok(fs::mkdirat(directory, name, Mode::from(0o700))?)
}

/// Renames from one directory to another, to a name that must be free.
pub(in crate::apply) fn move_to_new(
    from: &Directory,
    name: &OsStr,
    to: &Directory,
    new: &OsStr,
) -> io::Result<()> {
    Ok(fs::renameat_with(from, name, to, new, fs::RenameFlags::NOREPLACE)?)
}

/// Lets two names of one file system change places.
pub(in crate::apply) fn exchange_between(
    a: &Directory,
    a_name: &OsStr,
    b: &Directory,
    b_name: &OsStr,
) -> io::Result<()> {
    Ok(fs::renameat_with(a, a_name, b, b_name, fs::RenameFlags::EXCHANGE)?)
}

/// Gives a directory its own time back, which the exchange of names takes from it on XFS.
pub(in crate::apply) fn give_back_time(
    directory: &Directory,
    name: &OsStr,
    stat: &crate::platform::Stat,
) -> io::Result<()> {
    let (now, _) = crate::platform::look(directory, name)?;
    if now.sort == crate::platform::ObjectKind::Directory && now.modified != stat.modified {
        let opened = open_to_read(directory, name)?;
        fs::futimens(&opened, &metadata::times(stat))?;
        fs::fsync(&opened)?;
    }
    Ok(())
}

/// Held as long as it lives.
pub(in crate::apply) type Lock = std::os::fd::OwnedFd;

/// Locks an object against other moves of it.
pub(in crate::apply) fn lock(directory: &Directory, name: &OsStr) -> io::Result<Option<Lock>> {
    // A symbolic link, or what this user may not read: the copy will say so.
    let Ok(opened) = open_to_read(directory, name) else { return Ok(None) };
    match fs::flock(&opened, fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(opened)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(io::Error::other("another program has locked it, perhaps another move"))
        }
        Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOSYS | rustix::io::Errno::NOLCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
