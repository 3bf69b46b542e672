//! A tree copied and compared with its copy, as far as that is the same on every system. What is done to one object is in
//! the system's [`Copier`].

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::portions::Portions;
use super::system::tree::Copier;
use super::tree_types::{Buffers, Failed, Loss, Losses, Pair, Root, Texts};
use crate::platform::{Inventory, Item, ObjectKind};
use crate::step::Work;
use crate::workers;

const READ_BACK: &str = "read back the copy of";

/// Copies a tree to a name that must be free. Gives what could not be kept.
pub(crate) fn copy(
    from: Root<'_>,
    inventory: &Inventory,
    to: Root<'_>,
    texts: &Texts,
    work: Work<'_>,
) -> Result<Vec<Loss>, Failed> {
    let portions = Portions::of(inventory);
    let copier = Copier::new(from, to, portions.threads_for_each(work.workers), work);
    let copier = copier.map_err(Failed::at(inventory, 0, "copy"))?;
    let mut losses = Vec::new();
    // Acts on an object and its copy in their opened directories.
    type Act<'a> = &'a mut dyn FnMut(Pair<'_>, Losses<'_>) -> io::Result<()>;
    let (mut sources, mut targets) = (from.containers(), to.containers());
    let mut act = |losses: &mut Vec<Loss>, number, doing, act: Act<'_>| {
        let mut act = || {
            work.must_go_on()?;
            let (source, target) = (sources.container(inventory, number)?, targets.container(inventory, number)?);
            let pair = Pair::of(inventory, number, (from, source), (to, target));
            act(pair, &mut |what| losses.push(Loss { item: number, what }))
        };
        act().map_err(Failed::at(inventory, number, doing))
    };
    // Directories first, closed to others until they are whole.
    for (number, _) in inventory.directories() {
        act(&mut losses, number, "make a directory for the copy of", &mut |pair, lost| {
            copier.make_directory(pair, lost)
        })?;
    }
    let first: Mutex<HashMap<(u64, u128), usize>> = Mutex::default();
    let begin = || (from.containers(), to.containers());
    let done = portions.each(work.workers, begin, |(sources, targets), one, portion| {
        let (mut lost, mut later) = (Vec::new(), Vec::new());
        let fail = |doing| Failed::at(inventory, one, doing);
        let source = sources.container(inventory, one).map_err(fail("open the directory of"))?;
        let target = targets.container(inventory, one).map_err(fail("open the directory for the copy of"))?;
        let mut buffer = Vec::new();
        for &(number, item) in portion {
            // Each name of a socket is left out for itself.
            if item.stat.names > 1 && item.stat.sort != ObjectKind::Socket {
                // A poisoned lock is a panic of another worker, which ends all.
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                let holder = *first.entry((item.stat.device, item.stat.number)).or_insert(number);
                if holder != number {
                    later.push((holder, number));
                    continue;
                }
            }
            let pair = Pair::of(inventory, number, (from, source), (to, target));
            let says = texts.get(&number).cloned().or_else(|| item.target());
            let lost = &mut |what| lost.push(Loss { item: number, what });
            let copied = work.must_go_on().and_then(|()| copier.copy(pair, says, &mut buffer, lost));
            copied.map_err(Failed::at(inventory, number, "copy"))?;
            work.add_file();
        }
        Ok((lost, later))
    })?;
    let (lost, later): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    losses.extend(lost.into_iter().flatten());
    // Other names of files that are there by now.
    let mut holders = to.containers();
    for (holder, number) in later.into_iter().flatten() {
        act(&mut losses, number, "make one more name for the copy of", &mut |pair, lost| {
            let container = holders.container(inventory, holder)?;
            copier.add_name(to.item(inventory, holder, container), pair, lost)
        })?;
    }
    // Directories last and from below: what is made in one changes its time.
    for (number, _) in inventory.directories().rev() {
        act(&mut losses, number, "copy owner, rights and times of", &mut |pair, lost| copier.complete(pair, lost))?;
    }
    Ok(losses)
}

/// Compares a copy with its original, as it was inventoried: every object, what it is, and everything about it that was
/// not told to be lost. With `content`, every byte is read back from the disk.
pub(crate) fn compare(
    original: Root<'_>,
    inventory: &Inventory,
    copy: Root<'_>,
    texts: &Texts,
    losses: &[Loss],
    content: bool,
    work: Work<'_>,
) -> Result<(), Failed> {
    let portions = Portions::of(inventory);
    let copier = Copier::new(original, copy, portions.threads_for_each(work.workers), work);
    let copier = copier.map_err(Failed::at(inventory, 0, READ_BACK))?;
    // By the file itself: what one of its names lost, all have lost.
    let mut lossy: HashMap<(u64, u128), String> = HashMap::new();
    for loss in losses {
        let stat = &inventory.items[loss.item].stat;
        *lossy.entry((stat.device, stat.number)).or_default() += &loss.what;
    }
    let lost_of = |item: &Item| lossy.get(&(item.stat.device, item.stat.number));
    let found = Inventory::take(copy.parent, copy.name).map_err(Failed::at(inventory, 0, READ_BACK))?;
    same_objects(inventory, &found, |number, item, copied| {
        copier.differs(item, copied, texts.get(&number), lost_of(item).is_some())
    })?;
    if !copier.has_more_to_compare(content) {
        return Ok(());
    }
    let same = |number, pair: Pair<'_>, buffers: &mut Buffers| {
        let is_lost = |what: &str| lost_of(pair.item).is_some_and(|lost| lost.contains(what));
        let same = work.must_go_on().and_then(|()| copier.same(pair, content.then_some(buffers), &is_lost));
        same.map_err(Failed::at(inventory, number, READ_BACK))
    };
    let begin = || (original.containers(), copy.containers());
    portions.each(work.workers, begin, |(originals, copies), one, portion| {
        let from = originals.container(inventory, one).map_err(Failed::at(inventory, one, "open the directory of"))?;
        let to = copies.container(inventory, one).map_err(Failed::at(inventory, one, READ_BACK))?;
        let mut buffers = Buffers::default();
        for &(number, _) in portion.iter().filter(|(_, item)| item.stat.sort != ObjectKind::Socket) {
            same(number, Pair::of(inventory, number, (original, from), (copy, to)), &mut buffers)?;
        }
        Ok(())
    })?;
    let directories: Vec<_> = inventory.directories().collect();
    workers::each_with(work.workers, directories.len(), begin, |(originals, copies), at| {
        let (number, _) = directories[at];
        let from = originals.container(inventory, number).map_err(Failed::at(inventory, number, READ_BACK))?;
        let to = copies.container(inventory, number).map_err(Failed::at(inventory, number, READ_BACK))?;
        same(number, Pair::of(inventory, number, (original, from), (copy, to)), &mut Buffers::default())
    })?;
    Ok(())
}

/// Compares the objects of a copy with those of its original, without opening them. `differs` is passed the item's
/// number, the item, and its copy.
fn same_objects(
    inventory: &Inventory,
    found: &Inventory,
    differs: impl Fn(usize, &Item, &Item) -> Option<&'static str>,
) -> Result<(), Failed> {
    let wrong = |number, what| Err(Failed::at(inventory, number, READ_BACK)(io::Error::other(what)));
    // By the directory and the name in it: paths are as long as the tree is deep.
    let named: HashMap<_, _> = found
        .items
        .iter()
        .enumerate()
        .skip(1)
        .map(|(number, item)| ((item.parent, item.name.as_os_str()), number))
        .collect();
    let mut copies: Vec<Option<usize>> = Vec::with_capacity(inventory.items.len());
    let mut files: HashMap<(u64, u128), u128> = HashMap::new();
    let mut expected = 0;
    for (number, item) in inventory.items.iter().enumerate() {
        let stat = &item.stat;
        let copy = match number {
            0 => Some(0),
            _ => copies[item.parent].and_then(|parent| named.get(&(parent, item.name.as_os_str())).copied()),
        };
        copies.push(copy);
        // No socket is copied.
        if stat.sort == ObjectKind::Socket {
            continue;
        }
        expected += 1;
        let Some(copied) = copy.and_then(|copy| found.items.get(copy)) else {
            return wrong(number, "it is not there");
        };
        if stat.sort != copied.stat.sort {
            return wrong(number, "it is something else");
        }
        if stat.sort == ObjectKind::File && stat.size != copied.stat.size {
            return wrong(number, "it has another size");
        }
        if let Some(what) = differs(number, item, copied) {
            return wrong(number, what);
        }
        // Names of one file are names of one copy.
        if stat.sort != ObjectKind::Directory
            && stat.names > 1
            && *files.entry((stat.device, stat.number)).or_insert(copied.stat.number) != copied.stat.number
        {
            return wrong(number, "names of one file became several files");
        }
    }
    if found.items.len() == expected { Ok(()) } else { wrong(0, "something else came into the copy") }
}
