//! What was copied, beside what it was copied from.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use rustix::fs::{self, Advice};

use super::super::super::tree_types::Lossy;
use super::copy::{CHUNK, each_chunk};
use super::metadata::{SET_ID, Subject, attributes};
use super::{Failed, Loss, Portions, Root, Texts, ntfs, open_item, open_to_read};
use crate::model::Target;
use crate::platform::{Inventory, Item, ObjectKind, look};
use crate::step::Work;

/// Compares a copy with its original, as it was inventoried: every object, what it is, and everything about it that was
/// not told to be lost. With `content`, every byte and attribute is read back from the disk.
pub(crate) fn compare(
    original: Root<'_>,
    inventory: &Inventory,
    copy: Root<'_>,
    texts: &Texts,
    losses: &[Loss],
    content: bool,
    work: Work<'_>,
) -> Result<(), Failed> {
    const READ_BACK: &str = "read back the copy of";
    let on_ntfs = ntfs::on_both(original.parent, copy.parent).map_err(Failed::at(inventory, 0, READ_BACK))?;
    let lossy = Lossy::of(inventory, losses);
    let found = Inventory::take(copy.parent, copy.name);
    let found = found.map_err(Failed::at(inventory, 0, READ_BACK))?;
    let paths: HashMap<_, _> =
        found.items.iter().enumerate().map(|(number, item)| (found.path(number), item)).collect();
    let mut files: HashMap<(u64, u128), u128> = HashMap::new();
    let mut expected = 0;
    for (number, item) in inventory.items.iter().enumerate() {
        if item.stat.sort == ObjectKind::Socket {
            continue;
        }
        expected += 1;
        let wrong = match paths.get(&inventory.path(number)) {
            None => Some("it is not there"),
            Some(copied) => differs(item, copied, texts.get(&number), lossy.told_of(item).is_some(), on_ntfs),
        };
        let wrong = wrong.or_else(|| {
            // Names of one file are names of one copy.
            let copied = paths.get(&inventory.path(number))?;
            if item.stat.sort == ObjectKind::Directory || item.stat.names < 2 {
                return None;
            }
            let known = *files.entry((item.stat.device, item.stat.number)).or_insert(copied.stat.number);
            (known != copied.stat.number).then_some("names of one file became several files")
        });
        if let Some(text) = wrong {
            return Err(Failed::at(inventory, number, READ_BACK)(io::Error::other(text)));
        }
    }
    if found.items.len() != expected {
        return Err(Failed::at(inventory, 0, READ_BACK)(io::Error::other("something else came into the copy")));
    }
    // Owners and rights are made up on NTFS: what is behind them is compared always.
    if !content && !on_ntfs {
        return Ok(());
    }
    let portions = Portions::of(inventory);
    let threads = portions.threads_for_each(work.workers);
    portions.each(work.workers, |portion| {
        let Some(&one) = portion.first() else { return Ok(()) };
        let open = |root: Root<'_>| root.container(inventory, one);
        let source = open(original).map_err(Failed::at(inventory, one, "open the directory of"))?;
        let target = open(copy).map_err(Failed::at(inventory, one, READ_BACK))?;
        let mut buffers = Buffers::default();
        for &number in portion {
            let Some(item) = inventory.items.get(number).filter(|item| item.stat.sort != ObjectKind::Socket) else {
                continue;
            };
            let (name, copied) = (original.name_of(inventory, number), copy.name_of(inventory, number));
            let is_lost = |name: &str| lossy.has(item, name);
            let mut read = || -> io::Result<()> {
                work.must_go_on()?;
                if item.stat.sort != ObjectKind::File {
                    let (from, to) = (Subject::named(&source, name), Subject::named(&target, copied));
                    return same_attributes(&from, &to, on_ntfs, is_lost);
                }
                let from = open_item(&source, name, item)?;
                let to = open_to_read(&target, copied)?;
                if content {
                    // From the disk, not from what was just written to memory.
                    fs::fadvise(&to, 0, None, Advice::DontNeed)?;
                    same_content((from.as_fd(), to.as_fd()), item.stat.size, threads, &mut buffers, work)?;
                }
                same_attributes(&Subject::opened(&from), &Subject::opened(&to), on_ntfs, is_lost)?;
                let (now, _) = look(&source, name)?;
                if item.stat.is_untouched(&now) {
                    Ok(())
                } else {
                    Err(io::Error::other("the original was changed meanwhile"))
                }
            };
            read().map_err(Failed::at(inventory, number, READ_BACK))?;
        }
        Ok(())
    })?;
    for (number, item) in inventory.items.iter().enumerate() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let is_lost = |name: &str| lossy.has(item, name);
        let read = || -> io::Result<()> {
            work.must_go_on()?;
            let container = original.container(inventory, number)?;
            let from = open_item(&container, original.name_of(inventory, number), item)?;
            let to = open_to_read(&copy.container(inventory, number)?, copy.name_of(inventory, number))?;
            same_attributes(&Subject::opened(&from), &Subject::opened(&to), on_ntfs, is_lost)
        };
        read().map_err(Failed::at(inventory, number, READ_BACK))?;
    }
    Ok(())
}

/// Compares attributes, but for those of which it was told that the copy could not have them.
fn same_attributes(
    from: &Subject<'_>,
    to: &Subject<'_>,
    on_ntfs: bool,
    is_lost: impl Fn(&str) -> bool,
) -> io::Result<()> {
    let (wanted, found) = (attributes(from)?, attributes(to)?);
    let lacks = wanted.iter().find(|one| !found.contains(one) && !is_lost(&one.0.to_string_lossy()));
    let more = || found.iter().find(|one| !wanted.contains(one) && !is_lost(&one.0.to_string_lossy()));
    let other = match lacks.or_else(more) {
        Some((name, _)) => Some(name.as_os_str()),
        None if on_ntfs => ntfs::differs(from, to, is_lost)?.map(OsStr::new),
        None => None,
    };
    let Some(name) = other else { return Ok(()) };
    let name = crate::platform::quoted(Path::new(name));
    Err(io::Error::other(format!("its extended attribute {name} is another")))
}

/// How a copied object differs from its original, but for its content.
fn differs(item: &Item, copied: &Item, target: Option<&Target>, lossy: bool, on_ntfs: bool) -> Option<&'static str> {
    let (old, new) = (&item.stat, &copied.stat);
    if old.sort != new.sort {
        return Some("it is something else");
    }
    if old.sort == ObjectKind::Symlink && target.cloned().or_else(|| item.target()) != copied.target() {
        return Some("the link says something else");
    }
    if old.sort == ObjectKind::File && old.size != new.size {
        return Some("it has another size");
    }
    let mode = if lossy { old.mode & !SET_ID } else { old.mode };
    if old.sort != ObjectKind::Symlink && !on_ntfs && old.mode != new.mode && mode != new.mode {
        return Some("it has other rights");
    }
    if (old.uid, old.gid) != (new.uid, new.gid) && !lossy && !on_ntfs {
        return Some("it has another owner");
    }
    if old.special != new.special {
        return Some("it is another device");
    }
    // On NTFS the times themselves are asked for, which the kernel may remember otherwise.
    (old.modified != new.modified && !on_ntfs).then_some("it has another time")
}

/// Two buffers, to be used again and again.
type Buffers = (Vec<u8>, Vec<u8>);

/// Compares every byte of two files of this size; of a large one in several threads, where there are more of them than files.
fn same_content(
    (from, to): (BorrowedFd<'_>, BorrowedFd<'_>),
    size: u64,
    threads: usize,
    buffers: &mut Buffers,
    work: Work<'_>,
) -> io::Result<()> {
    if threads < 2 || size < 2 * CHUNK {
        return same_range((from, to), 0, size, buffers, work);
    }
    each_chunk(threads, 0, size, |at, end| same_range((from, to), at, end, &mut Buffers::default(), work))
}

/// Compares from one offset to another.
fn same_range(
    (from, to): (BorrowedFd<'_>, BorrowedFd<'_>),
    start: u64,
    end: u64,
    (a, b): &mut Buffers,
    work: Work<'_>,
) -> io::Result<()> {
    const BUFFER: usize = 1 << 20;
    let most = usize::try_from(end - start).unwrap_or(usize::MAX).min(BUFFER);
    if a.len() < most {
        a.resize(most, 0);
        b.resize(most, 0);
    }
    let fill = |descriptor: BorrowedFd<'_>, buffer: &mut [u8], at: u64| {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pread(descriptor, rest, at + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error)),
            }
        }
        Ok(done)
    };
    let mut at = start;
    while at < end {
        work.must_go_on()?;
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(most);
        let (a, b) = (a.get_mut(..wanted).unwrap_or_default(), b.get_mut(..wanted).unwrap_or_default());
        // One that ends before is not what it was when its size was compared.
        if fill(from, a, at)? != wanted || fill(to, b, at)? != wanted || a != b {
            return Err(io::Error::other("its content is not that of the original"));
        }
        work.add_checked(wanted as u64);
        at += wanted as u64;
    }
    Ok(())
}
