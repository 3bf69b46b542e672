//! The removal of a tree, whatever the system: files first, in portions, then directories from below.

use std::ffi::OsStr;
use std::io;

use super::portions::Portions;
use super::tree_types::{Failed, Loss, Root};
use crate::platform::{Directory, Inventory, Item, ObjectKind};
use crate::step::Work;

/// Why a directory stays.
pub(super) const NOT_EMPTY: &str = "something was put into it since it was copied";
/// Why an object stays that has the name of another.
pub(super) const ANOTHER: &str = "it is another object than the one that was copied";

/// Removes the objects of an inventory one by one: each by its directory, its name there, and whether it is the root. What is
/// not there any more is no failure. Gives what stays, with the directories it is in, and why.
pub(super) fn erase(
    root: Root<'_>,
    inventory: &Inventory,
    work: Work<'_>,
    remove: impl Fn(&Directory, &OsStr, &Item, bool) -> io::Result<Option<&'static str>> + Sync,
) -> Result<Vec<Loss>, Failed> {
    let portions = Portions::of(inventory).each(work.workers, |portion| {
        let mut spared = Vec::new();
        let Some(&one) = portion.first() else { return Ok(spared) };
        let container = match root.container(inventory, one) {
            Ok(container) => container,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(spared),
            Err(error) => return Err(Failed::at(inventory, one, "open the directory of")(error)),
        };
        for &number in portion {
            let Some(item) = inventory.items.get(number) else { continue };
            let removed = remove(&container, root.name_of(inventory, number), item, number == 0);
            let why = removed.map_err(Failed::at(inventory, number, "remove"))?;
            spared.extend(why.map(|what| Loss { item: number, what: what.to_owned() }));
            work.add_file();
        }
        Ok(spared)
    })?;
    let mut spared: Vec<Loss> = portions.into_iter().flatten().collect();
    for (number, item) in inventory.items.iter().enumerate().rev() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let gone = || -> io::Result<Option<&'static str>> {
            let container = match root.container(inventory, number) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                opened => opened?,
            };
            remove(&container, root.name_of(inventory, number), item, number == 0)
        };
        let why = gone().map_err(Failed::at(inventory, number, "remove"))?;
        // What is in a directory has told why already.
        let told = why == Some(NOT_EMPTY) && !spared.is_empty();
        spared.extend(why.filter(|_| !told).map(|what| Loss { item: number, what: what.to_owned() }));
    }
    Ok(spared)
}
