//! What was copied, beside what it was copied from.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{self, Advice};

use super::metadata::attributes;
use super::{Failed, Loss, Portions, Root, Texts, Work, open_to_read};
use crate::platform::{Inventory, Item, ObjectKind, look};

/// Compares a copy with its original, as it was inventoried: every object, what it is, and everything about it that was
/// not told to be lost. With `content`, every byte and attribute is read back from the disk.
pub(in crate::apply) fn compare(
    original: Root<'_>,
    inventory: &Inventory,
    copy: Root<'_>,
    texts: &Texts,
    losses: &[Loss],
    content: bool,
    work: Work<'_>,
) -> Result<(), Failed> {
    const READ_BACK: &str = "read back the copy of";
    let lossy: HashSet<usize> = losses.iter().map(|loss| loss.item).collect();
    let found = Inventory::take(copy.parent, copy.name);
    let found = found.map_err(Failed::at(inventory, 0, READ_BACK))?;
    let paths: HashMap<_, _> =
        found.items.iter().enumerate().map(|(number, item)| (found.path(number), item)).collect();
    let mut files: HashMap<(u64, u64), u64> = HashMap::new();
    let mut expected = 0;
    for (number, item) in inventory.items.iter().enumerate() {
        if item.stat.sort == ObjectKind::Socket {
            continue;
        }
        expected += 1;
        let wrong = match paths.get(&inventory.path(number)) {
            None => Some("it is not there"),
            Some(copied) => differs(item, copied, texts.get(&number), lossy.contains(&number)),
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
        return Err(Failed::at(inventory, 0, READ_BACK)(io::Error::other(
            "something else came into the copy",
        )));
    }
    if !content {
        return Ok(());
    }
    Portions::of(inventory).each(work.workers, |portion| {
        let Some(&one) = portion.first() else { return Ok(()) };
        let open = |root: Root<'_>| root.container(inventory, one);
        let source = open(original).map_err(Failed::at(inventory, one, "open the directory of"))?;
        let target = open(copy).map_err(Failed::at(inventory, one, READ_BACK))?;
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for &number in portion {
            let Some(item) = inventory.items.get(number).filter(|item| item.stat.sort == ObjectKind::File)
            else {
                continue;
            };
            let mut read = || -> io::Result<()> {
                work.must_go_on()?;
                let from = open_to_read(&source, original.name_of(inventory, number))?;
                let to = open_to_read(&target, copy.name_of(inventory, number))?;
                // From the disk, not from what was just written to memory.
                fs::fadvise(&to, 0, None, Advice::DontNeed)?;
                same_content(&from, &to, item.stat.size, &mut a, &mut b)?;
                if !lossy.contains(&number) {
                    same_attributes(&from, &to)?;
                }
                let (now, _) = look(&source, original.name_of(inventory, number))?;
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
        if item.stat.sort != ObjectKind::Directory || lossy.contains(&number) {
            continue;
        }
        let read = || -> io::Result<()> {
            work.must_go_on()?;
            let from =
                open_to_read(&original.container(inventory, number)?, original.name_of(inventory, number))?;
            let to = open_to_read(&copy.container(inventory, number)?, copy.name_of(inventory, number))?;
            same_attributes(&from, &to)
        };
        read().map_err(Failed::at(inventory, number, READ_BACK))?;
    }
    Ok(())
}

fn same_attributes(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    let (wanted, found) = (attributes(from)?, attributes(to)?);
    let lacks = wanted.iter().find(|one| !found.contains(one));
    if let Some((name, _)) = lacks.or_else(|| found.iter().find(|one| !wanted.contains(one))) {
        let text = format!(
            "its extended attribute {} is another",
            crate::platform::quoted(std::path::Path::new(name))
        );
        return Err(io::Error::other(text));
    }
    Ok(())
}

/// How a copied object differs from its original, but for its content.
fn differs(
    item: &Item,
    copied: &Item,
    text: Option<&std::ffi::OsString>,
    lossy: bool,
) -> Option<&'static str> {
    let (old, new) = (&item.stat, &copied.stat);
    if old.sort != new.sort {
        return Some("it is something else");
    }
    if old.sort == ObjectKind::Symlink {
        let wanted = text.or(item.text.as_ref());
        if wanted.map(|text| text.as_bytes()) != copied.text.as_ref().map(|text| text.as_bytes()) {
            return Some("the link says something else");
        }
    }
    if old.sort == ObjectKind::File && old.size != new.size {
        return Some("it has another size");
    }
    if old.sort != ObjectKind::Symlink && old.mode != new.mode {
        return Some("it has other rights");
    }
    if (old.uid, old.gid) != (new.uid, new.gid) && !lossy {
        return Some("it has another owner");
    }
    if old.special != new.special {
        return Some("it is another device");
    }
    (old.modified != new.modified).then_some("it has another time")
}

fn same_content(
    from: impl AsFd,
    to: impl AsFd,
    size: u64,
    a: &mut Vec<u8>,
    b: &mut Vec<u8>,
) -> io::Result<()> {
    const BUFFER: usize = 1 << 20;
    let length = usize::try_from(size).unwrap_or(usize::MAX).clamp(1, BUFFER);
    a.resize(length, 0);
    b.resize(length, 0);
    let fill =
        |descriptor: &dyn Fn(&mut [u8], u64) -> rustix::io::Result<usize>, buffer: &mut [u8], at: u64| {
            let mut done = 0;
            while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
                match descriptor(rest, at + done as u64) {
                    Ok(0) => break,
                    Ok(count) => done += count,
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(io::Error::from(error)),
                }
            }
            Ok(done)
        };
    let (from, to) = (from.as_fd(), to.as_fd());
    let mut at = 0;
    loop {
        let one = fill(&|buffer, at| rustix::io::pread(from, buffer, at), a, at)?;
        let two = fill(&|buffer, at| rustix::io::pread(to, buffer, at), b, at)?;
        if one != two || a.get(..one) != b.get(..two) {
            return Err(io::Error::other("its content is not that of the original"));
        }
        if one == 0 || one < length {
            return Ok(());
        }
        at += one as u64;
    }
}
