//! A tree copied, object by object.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Mutex;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::metadata::{give, give_by_name};
use super::{Failed, Loss, Portions, Root, Texts, Work, open_to_read};
use crate::platform::{Directory, Inventory, Item, ObjectKind, look};

const BUFFER: usize = 1 << 20;

/// Copies a tree to a name that must be free. Gives what could not be kept.
pub(in crate::apply) fn copy(
    from: Root<'_>,
    inventory: &Inventory,
    to: Root<'_>,
    texts: &Texts,
    work: Work<'_>,
) -> Result<Vec<Loss>, Failed> {
    let mut losses = Vec::new();
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
    let first: Mutex<HashMap<(u64, u64), usize>> = Mutex::new(HashMap::new());
    let portions = Portions::of(inventory);
    let done = portions.each(work.workers, |portion| {
        let Some(&one) = portion.first() else { return Ok((Vec::new(), Vec::new())) };
        let fail = |doing| Failed::at(inventory, one, doing);
        let source = from.container(inventory, one).map_err(fail("open the directory of"))?;
        let target = to.container(inventory, one).map_err(fail("open the directory for the copy of"))?;
        let mut worker = Worker { source, target, buffer: Vec::new(), losses: Vec::new(), work };
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
            work.add(item.stat.size);
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
        let link = || -> io::Result<()> {
            let (from, into) = (to.container(inventory, holder)?, to.container(inventory, number)?);
            let (old, new) = (to.name_of(inventory, holder), to.name_of(inventory, number));
            Ok(fs::linkat(&from, old, &into, new, AtFlags::empty())?)
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
            let source = open_to_read(&source, from.name_of(inventory, number))?;
            let copy = to.container(inventory, number)?;
            let copy = open_to_read(&copy, to.name_of(inventory, number))?;
            give(&source, &copy, &item.stat, &mut |what| losses.push(Loss { item: number, what }))
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
    work: Work<'a>,
}

impl Worker<'_> {
    fn copy(
        &mut self,
        number: usize,
        item: &Item,
        (from, to): (&OsStr, &OsStr),
        texts: &Texts,
    ) -> io::Result<()> {
        let mut lost = Vec::new();
        match item.stat.sort {
            ObjectKind::File => self.file(item, (from, to), &mut |what| lost.push(what))?,
            ObjectKind::Symlink => {
                let text = texts.get(&number).or(item.text.as_ref());
                let text = text.ok_or_else(|| io::Error::other("a link that says nothing"))?;
                fs::symlinkat(text, &self.target, to)?;
                let places = ((&self.source, from), (&self.target, to));
                give_by_name(places.0, places.1, &item.stat, true, &mut |what| lost.push(what))?;
            }
            ObjectKind::Fifo | ObjectKind::CharDevice | ObjectKind::BlockDevice => {
                let kind = match item.stat.sort {
                    ObjectKind::Fifo => FileType::Fifo,
                    ObjectKind::CharDevice => FileType::CharacterDevice,
                    _ => FileType::BlockDevice,
                };
                fs::mknodat(&self.target, to, kind, Mode::from(0o600), item.stat.special)?;
                let places = ((&self.source, from), (&self.target, to));
                give_by_name(places.0, places.1, &item.stat, false, &mut |what| lost.push(what))?;
            }
            // A socket is one end of something that runs: there is nothing to copy.
            ObjectKind::Socket => lost.push("the socket itself".to_owned()),
            ObjectKind::Directory => {}
        }
        self.losses.extend(lost.into_iter().map(|what| Loss { item: number, what }));
        Ok(())
    }

    fn file(
        &mut self,
        item: &Item,
        (from, to): (&OsStr, &OsStr),
        lost: &mut dyn FnMut(String),
    ) -> io::Result<()> {
        let source = open_to_read(&self.source, from)?;
        let (now, _) = look(&self.source, from)?;
        if !item.stat.is_same(&now) {
            return Err(changed());
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copy = fs::openat(&self.target, to, flags, Mode::from(0o600))?;
        self.content(source.as_fd(), copy.as_fd(), item)?;
        give(&source, &copy, &item.stat, lost)
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
                self.piece(from, to, data, end.min(size).saturating_sub(data))?;
                at = end.max(data + 1);
            }
            fs::ftruncate(to, size)?;
        }
        Ok(())
    }

    /// Copies a piece without holes.
    fn piece(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, start: u64, length: u64) -> io::Result<()> {
        let (mut at, end) = (start, start.saturating_add(length));
        // Large pieces may be copied without passing through this program.
        while end - at > BUFFER as u64 {
            self.work.must_go_on()?;
            let (mut in_at, mut out_at) = (at, at);
            // Not more than takes a moment: the user may want it to stop.
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(64 << 20);
            match fs::copy_file_range(from, Some(&mut in_at), to, Some(&mut out_at), wanted) {
                Ok(0) => return Err(changed()),
                Ok(_) => at = in_at,
                Err(Errno::INTR) => {}
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.buffer.resize(BUFFER, 0);
        while at < end {
            self.work.must_go_on()?;
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.buffer.len());
            let Some(buffer) = self.buffer.get_mut(..wanted) else { break };
            let count = match rustix::io::pread(from, &mut *buffer, at) {
                Ok(0) => return Err(changed()),
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let mut done = 0;
            while let Some(rest) = buffer.get(done..count).filter(|rest| !rest.is_empty()) {
                match rustix::io::pwrite(to, rest, at + done as u64) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(written) => done += written,
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            at += count as u64;
        }
        Ok(())
    }
}

fn changed() -> io::Error {
    io::Error::other("it was changed while it was copied")
}
