//! A tree copied, object by object.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Mutex;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::super::ntfs_3g::make_reparse_point;
use super::metadata::{give, give_by_name};
use super::{Failed, Loss, Portions, Root, Texts, ntfs, open_item, open_to_read};
use crate::model::Target;
use crate::platform::{Directory, Inventory, Item, ObjectKind};
use crate::step::Work;
use crate::workers;

const BUFFER: usize = 1 << 20;
/// What one thread takes of a large file at a time.
pub(super) const CHUNK: u64 = 64 << 20;

/// Copies a tree to a name that must be free. Gives what could not be kept.
pub(crate) fn copy(
    from: Root<'_>,
    inventory: &Inventory,
    to: Root<'_>,
    texts: &Texts,
    work: Work<'_>,
) -> Result<Vec<Loss>, Failed> {
    let mut losses = Vec::new();
    let on_ntfs = ntfs::on_both(from.parent, to.parent).map_err(Failed::at(inventory, 0, "copy"))?;
    // Directories first, closed to others until they are whole.
    for (number, item) in inventory.items.iter().enumerate() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let fail = Failed::at(inventory, number, "make a directory for the copy of");
        let make = || -> io::Result<()> {
            work.must_go_on()?;
            let container = to.container(inventory, number)?;
            Ok(fs::mkdirat(&container, to.name_of(inventory, number), Mode::from(0o700))?)
        };
        make().map_err(fail)?;
    }
    let first: Mutex<HashMap<(u64, u128), usize>> = Mutex::new(HashMap::new());
    let portions = Portions::of(inventory);
    let threads = portions.threads_for_each(work.workers);
    let done = portions.each(work.workers, |portion| {
        let Some(&one) = portion.first() else { return Ok((Vec::new(), Vec::new())) };
        let fail = |doing| Failed::at(inventory, one, doing);
        let source = from.container(inventory, one).map_err(fail("open the directory of"))?;
        let target = to.container(inventory, one).map_err(fail("open the directory for the copy of"))?;
        let mut worker = Worker { source, target, buffer: Vec::new(), losses: Vec::new(), threads, on_ntfs, work };
        let mut later = Vec::new();
        for &number in portion {
            let Some(item) = inventory.items.get(number) else { continue };
            let key = (item.stat.device, item.stat.number);
            if item.stat.names > 1 && item.stat.sort != ObjectKind::Directory {
                // A poisoned lock is a panic of another worker, which ends all.
                let mut first = first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let holder = *first.entry(key).or_insert(number);
                if holder != number {
                    later.push((holder, number));
                    continue;
                }
            }
            let names = (from.name_of(inventory, number), to.name_of(inventory, number));
            let copied = work.must_go_on().and_then(|()| worker.copy(number, item, names, texts));
            copied.map_err(Failed::at(inventory, number, "copy"))?;
            work.add_file();
        }
        Ok((worker.losses, later))
    })?;
    let mut later = Vec::new();
    for (lost, names) in done {
        losses.extend(lost);
        later.extend(names);
    }
    // Other names of files that are there by now.
    for (holder, number) in later {
        let mut link = || -> io::Result<()> {
            let (holder_in, into) = (to.container(inventory, holder)?, to.container(inventory, number)?);
            let (old, new) = (to.name_of(inventory, holder), to.name_of(inventory, number));
            fs::linkat(&holder_in, old, &into, new, AtFlags::empty())?;
            let Some(item) = inventory.items.get(number).filter(|item| on_ntfs && item.stat.sort == ObjectKind::File)
            else {
                return Ok(());
            };
            // ntfs-3g marks what gets a name to be archived.
            let source = open_item(&from.container(inventory, number)?, from.name_of(inventory, number), item)?;
            let copy = open_to_read(&into, new)?;
            give(&source, &copy, item, on_ntfs, &mut |what| losses.push(Loss { item: number, what }))
        };
        link().map_err(Failed::at(inventory, number, "make one more name for the copy of"))?;
    }
    // Directories last and from below: what is made in one changes its time.
    for (number, item) in inventory.items.iter().enumerate().rev() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let mut give_all = || -> io::Result<()> {
            let source = from.container(inventory, number)?;
            let source = open_item(&source, from.name_of(inventory, number), item)?;
            let copy = to.container(inventory, number)?;
            let copy = open_to_read(&copy, to.name_of(inventory, number))?;
            give(&source, &copy, item, on_ntfs, &mut |what| losses.push(Loss { item: number, what }))
        };
        give_all().map_err(Failed::at(inventory, number, "copy owner, rights and times of"))?;
    }
    Ok(losses)
}

struct Worker<'a> {
    source: Directory,
    target: Directory,
    buffer: Vec<u8>,
    losses: Vec<Loss>,
    /// How many threads a large file may take.
    threads: usize,
    on_ntfs: bool,
    work: Work<'a>,
}

impl Worker<'_> {
    fn copy(&mut self, number: usize, item: &Item, (from, to): (&OsStr, &OsStr), texts: &Texts) -> io::Result<()> {
        let mut lost = Vec::new();
        match item.stat.sort {
            ObjectKind::File => self.file(item, (from, to), &mut |what| lost.push(what))?,
            ObjectKind::Symlink => {
                match texts.get(&number).cloned().or_else(|| item.target()) {
                    Some(Target::Text(text)) => fs::symlinkat(text, &self.target, to)?,
                    Some(Target::Reparse(point)) => make_reparse_point(&self.target, to, &point)?,
                    _ => return Err(io::Error::other("a link that says nothing")),
                }
                let places = ((&self.source, from), (&self.target, to));
                give_by_name(places.0, places.1, item, self.on_ntfs, &mut |what| lost.push(what))?;
            }
            ObjectKind::Fifo | ObjectKind::CharDevice | ObjectKind::BlockDevice => {
                let kind = match item.stat.sort {
                    ObjectKind::Fifo => FileType::Fifo,
                    ObjectKind::CharDevice => FileType::CharacterDevice,
                    _ => FileType::BlockDevice,
                };
                fs::mknodat(&self.target, to, kind, Mode::from(0o600), item.stat.special)?;
                let places = ((&self.source, from), (&self.target, to));
                give_by_name(places.0, places.1, item, self.on_ntfs, &mut |what| lost.push(what))?;
            }
            // A socket is one end of something that runs: there is nothing to copy.
            ObjectKind::Socket => lost.push("the socket itself".to_owned()),
            ObjectKind::Directory => {}
        }
        self.losses.extend(lost.into_iter().map(|what| Loss { item: number, what }));
        Ok(())
    }

    fn file(&mut self, item: &Item, (from, to): (&OsStr, &OsStr), lost: &mut dyn FnMut(String)) -> io::Result<()> {
        let source = open_item(&self.source, from, item)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copy = fs::openat(&self.target, to, flags, Mode::from(0o600))?;
        self.content(source.as_fd(), copy.as_fd(), item)?;
        give(&source, &copy, item, self.on_ntfs, lost)
    }

    fn content(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, item: &Item) -> io::Result<()> {
        let size = item.stat.size;
        if size == 0 {
            return Ok(());
        }
        // One file system that can share blocks needs no copy at all.
        if fs::fstat(to)?.st_dev == fs::fstat(from)?.st_dev && fs::ioctl_ficlone(to, from).is_ok() {
            return Ok(());
        }
        // A file that takes less than its length has holes.
        if item.stat.allocated >= size {
            self.piece(from, to, 0, size)?;
        } else {
            // Of its full length from the beginning: what lies behind what is written is a hole then.
            fs::ftruncate(to, size)?;
            let mut at = 0;
            while at < size {
                let data = match fs::seek(from, SeekFrom::Data(at)) {
                    Ok(data) => data,
                    // Nothing but a hole up to the end.
                    Err(Errno::NXIO) => break,
                    Err(Errno::INVAL) => at,
                    Err(error) => return Err(error.into()),
                };
                let end = match fs::seek(from, SeekFrom::Hole(data)) {
                    Ok(end) => end,
                    Err(Errno::INVAL) => size,
                    Err(error) => return Err(error.into()),
                };
                // Who does not tell of holes says that all is data.
                if data == 0 && end >= size {
                    self.without_zeros(from, to, size)?;
                } else {
                    self.piece(from, to, data, end.min(size).saturating_sub(data))?;
                }
                at = end.max(data + 1);
            }
        }
        Ok(())
    }

    /// Copies what is not zero of a file with holes that the file system does not tell of.
    fn without_zeros(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> io::Result<()> {
        const BLOCK: usize = 64 << 10;
        let mut block = vec![0; BLOCK];
        let mut at = 0;
        while at < size {
            self.work.must_go_on()?;
            let wanted = usize::try_from(size - at).unwrap_or(BLOCK).min(BLOCK);
            let count = match rustix::io::pread(from, block.get_mut(..wanted).unwrap_or_default(), at) {
                Ok(0) => return Err(changed()),
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let read = block.get(..count).unwrap_or_default();
            if read.iter().any(|byte| *byte != 0) {
                write_at(to, read, at)?;
            }
            self.work.add_bytes(count as u64);
            at += count as u64;
        }
        Ok(())
    }

    /// Copies a piece without holes; a large one in several threads, where there are more of them than files.
    fn piece(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, start: u64, length: u64) -> io::Result<()> {
        let end = start.saturating_add(length);
        if self.threads < 2 || length < 2 * CHUNK {
            return copy_range((from, to), start, end, &mut self.buffer, self.work);
        }
        let work = self.work;
        each_chunk(self.threads, start, end, |at, end| copy_range((from, to), at, end, &mut Vec::new(), work))
    }
}

/// Shares a range of a large file out to several threads, chunk by chunk: each has a start and an end.
pub(super) fn each_chunk(
    threads: usize,
    start: u64,
    end: u64,
    work: impl Fn(u64, u64) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let chunks = usize::try_from((end - start).div_ceil(CHUNK)).unwrap_or(usize::MAX);
    workers::each(threads, chunks, |number| {
        let at = start + number as u64 * CHUNK;
        work(at, end.min(at + CHUNK))
    })?;
    Ok(())
}

/// Copies from one offset to another.
fn copy_range(
    (from, to): (BorrowedFd<'_>, BorrowedFd<'_>),
    start: u64,
    end: u64,
    buffer: &mut Vec<u8>,
    work: Work<'_>,
) -> io::Result<()> {
    let mut at = start;
    // Large pieces may be copied without passing through this program.
    while end - at > BUFFER as u64 {
        work.must_go_on()?;
        let (mut in_at, mut out_at) = (at, at);
        // Not more than takes a moment: the user may want it to stop.
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(64 << 20);
        match fs::copy_file_range(from, Some(&mut in_at), to, Some(&mut out_at), wanted) {
            Ok(0) => return Err(changed()),
            Ok(count) => {
                work.add_bytes(count as u64);
                at = in_at;
            }
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => break,
            Err(error) => return Err(error.into()),
        }
    }
    buffer.resize(BUFFER, 0);
    while at < end {
        work.must_go_on()?;
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted) else { break };
        let count = match rustix::io::pread(from, &mut *buffer, at) {
            Ok(0) => return Err(changed()),
            Ok(count) => count,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        write_at(to, buffer.get(..count).unwrap_or_default(), at)?;
        work.add_bytes(count as u64);
        at += count as u64;
    }
    Ok(())
}

fn write_at(to: BorrowedFd<'_>, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pwrite(to, rest, at + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => done += written,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn changed() -> io::Error {
    io::Error::other("it was changed while it was copied")
}
