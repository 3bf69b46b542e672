//! The removal of a tree, whatever the system: files first, in portions, then directories from below.

use std::io;
use std::path::PathBuf;

use super::portions::Portions;
use super::system::tree::{remove, why_in_use};
use super::tree_types::{Failed, Loss, Root};
use crate::platform::{Inventory, Item, ObjectKind, Stat, if_there};
use crate::step::Work;

/// Why a directory stays.
pub(super) const NOT_EMPTY: &str = "something was put into it since it was copied";
/// Why a file stays.
pub(super) const TOUCHED: &str = "it was changed since it was copied";
/// Why an object stays that has the name of another.
pub(super) const ANOTHER: &str = "it is another object than the one that was copied";

const DELETE: &str = "delete";

/// Why an object stays, if it does.
pub(super) type Spared = Option<&'static str>;

/// Removes exactly the objects of an inventory, and of files only those that are as they were then and that nobody
/// writes to. What is not there any more is no failure. Gives what stays, with the directories it is in, and why.
pub(crate) fn erase(root: Root<'_>, inventory: &Inventory, work: Work<'_>) -> Result<Vec<Loss>, Failed> {
    let remove_item = |number, item: &Item, at: Root<'_>| {
        let why = remove(at, item, number == 0).map_err(Failed::at(inventory, number, DELETE))?;
        Ok(why.map(|what| Loss { item: number, what: what.to_owned() }))
    };
    let begin = || root.containers();
    let portions = Portions::of(inventory).each(work.workers, begin, |containers, one, portion| {
        let mut spared = Vec::new();
        let container = if_there(containers.container(inventory, one));
        let container = container.map_err(Failed::at(inventory, one, "open the directory of"))?;
        let Some(container) = container else { return Ok(spared) };
        for &(number, item) in portion {
            spared.extend(remove_item(number, item, root.item(inventory, number, container))?);
            work.add_file();
        }
        Ok(spared)
    })?;
    let mut spared: Vec<Loss> = portions.into_iter().flatten().collect();
    let mut containers = root.containers();
    for (number, item) in inventory.directories().rev() {
        let container = if_there(containers.container(inventory, number));
        let Some(container) = container.map_err(Failed::at(inventory, number, DELETE))? else { continue };
        let loss = remove_item(number, item, root.item(inventory, number, container))?;
        // What is in a directory has told why already.
        spared.extend(loss.filter(|loss| loss.what != NOT_EMPTY || spared.is_empty()));
    }
    Ok(spared)
}

/// Whether a file, or what else is no directory, was changed since it was inventoried.
pub(super) fn is_touched(item: &Item, now: &Stat, is_root: bool) -> bool {
    let facts = |stat: &Stat| (stat.mode, stat.uid, stat.gid, stat.size, stat.modified);
    // Another of its names that went changes this time, too; and so does the private name of the root.
    let is_changed = item.stat.names < 2 && !is_root && item.stat.changed != now.changed;
    is_changed || facts(&item.stat) != facts(now)
}

/// The first file of a tree that somebody has open for writing, or that cannot be asked about, and which of the two.
pub(crate) fn writer(root: Root<'_>, inventory: &Inventory) -> io::Result<Option<(PathBuf, &'static str)>> {
    let mut containers = root.containers();
    for portion in Portions::of(inventory).0 {
        let container = containers.container(inventory, portion[0].0)?;
        for (number, item) in portion {
            if item.stat.sort == ObjectKind::File
                && let Some(why) = why_in_use(root.item(inventory, number, container))?
            {
                return Ok(Some((inventory.path(number), why)));
            }
        }
    }
    Ok(None)
}
