//! What was copied, beside what it was copied from.

use std::collections::HashMap;
use std::io;
use std::os::windows::io::AsHandle as _;

use windows_sys::Win32::Storage::FileSystem::{FILE_READ_ATTRIBUTES, FILE_READ_DATA};

use super::super::super::tree_types::Lossy;
use super::metadata::{self, READ};
use super::{Failed, Loss, Root, Texts, content, open_at};
use crate::model::Target;
use crate::platform::{ENCRYPTED, Inventory, Item, Object, ObjectKind, SETTABLE, Sort, open_uncached, same_target};
use crate::step::Work;
use crate::workers;

const READ_BACK: &str = "read back the copy of";

/// Compares a copy with its original, as it was inventoried: every object, what it is, and everything about it that was
/// not told to be lost. With `content`, every byte is read back.
pub(crate) fn compare(
    original: Root<'_>,
    inventory: &Inventory,
    copy: Root<'_>,
    texts: &Texts,
    losses: &[Loss],
    content: bool,
    work: Work<'_>,
) -> Result<(), Failed> {
    let lossy = Lossy::of(inventory, losses);
    let found = Inventory::take(copy.parent, copy.name);
    let found = found.map_err(Failed::at(inventory, 0, READ_BACK))?;
    let paths: HashMap<_, _> =
        found.items.iter().enumerate().map(|(number, item)| (found.path(number), item)).collect();
    let mut files: HashMap<(u64, u128), u128> = HashMap::new();
    for (number, item) in inventory.items.iter().enumerate() {
        let copied = paths.get(&inventory.path(number));
        let wrong = match copied {
            None => Some("it is not there"),
            Some(copied) => differs(item, copied, texts.get(&number)).or_else(|| {
                // Names of one file are names of one copy.
                if item.stat.sort == ObjectKind::Directory || item.stat.names < 2 {
                    return None;
                }
                let known = *files.entry((item.stat.device, item.stat.number)).or_insert(copied.stat.number);
                (known != copied.stat.number).then_some("names of one file became several files")
            }),
        };
        if let Some(text) = wrong {
            return Err(Failed::at(inventory, number, READ_BACK)(io::Error::other(text)));
        }
    }
    if found.items.len() != inventory.items.len() {
        let text = "something else came into the copy";
        return Err(Failed::at(inventory, 0, READ_BACK)(io::Error::other(text)));
    }
    workers::each(work.workers, inventory.items.len(), |number| {
        let Some(item) = inventory.items.get(number) else { return Ok(()) };
        let is_lost = |what: &str| lossy.has(item, what);
        let read = || -> io::Result<()> {
            work.must_go_on()?;
            let sort = item.stat.sort;
            // A directory is read to have its streams; a link is never read.
            let access = if sort == ObjectKind::Symlink { READ } else { READ | FILE_READ_DATA };
            let open = |root: Root<'_>| {
                let container = root.container(inventory, number)?;
                open_at(&container, root.name_of(inventory, number), access, Sort::Any)
            };
            let (from, to) = (open(original)?, open(copy)?);
            if let Some(what) = metadata::differs(&from, &to, is_lost)? {
                return Err(io::Error::other(what));
            }
            if sort == ObjectKind::File && content {
                // From the disk, not from what was just written to memory.
                let container = copy.container(inventory, number)?;
                let name = copy.name_of(inventory, number);
                let read = open_uncached(container.as_handle(), name, FILE_READ_DATA | FILE_READ_ATTRIBUTES)?;
                if !Object::of(&read).stat()?.is_same(&Object::of(&to).stat()?) {
                    return Err(io::Error::other("it is something else"));
                }
                content::same(&from, &read, work)?;
            }
            if sort != ObjectKind::Symlink {
                content::same_streams(from.as_handle(), to.as_handle(), content, work)?;
            }
            if sort != ObjectKind::Directory && !item.stat.is_untouched(&Object::of(&from).stat()?) {
                return Err(io::Error::other("the original was changed meanwhile"));
            }
            Ok(())
        };
        read().map_err(Failed::at(inventory, number, READ_BACK))
    })?;
    Ok(())
}

/// How a copied object differs from its original, but for its content and what belongs to it.
fn differs(item: &Item, copied: &Item, target: Option<&Target>) -> Option<&'static str> {
    let (old, new) = (&item.stat, &copied.stat);
    if old.sort != new.sort {
        return Some("it is something else");
    }
    if let Some(wanted) = target.cloned().or_else(|| item.target())
        && !copied.target().is_some_and(|found| same_target(&found, &wanted))
    {
        return Some("the link says something else");
    }
    if old.sort == ObjectKind::File && old.size != new.size {
        return Some("it has another size");
    }
    if (item.attributes ^ copied.attributes) & ENCRYPTED != 0 {
        return Some("only one of them is encrypted");
    }
    if (item.attributes ^ copied.attributes) & SETTABLE != 0 {
        return Some("it has other attributes");
    }
    (old.modified != new.modified).then_some("it has another time")
}
