//! The directories of an inventoried tree, opened one after the other.

use std::ffi::OsStr;
use std::io;

use super::{Directory, Inventory};

/// Opens directories of a tree that hangs at a name, each from the nearest one above it that is still open: to open every
/// one from the root would take as many calls as the square of the tree's depth. Few stay open, however deep the tree is.
pub(crate) struct Containers<'a> {
    parent: &'a Directory,
    root: &'a OsStr,
    /// Directories on the way to the one that was opened last, from above.
    way: Vec<Held>,
}

struct Held {
    level: usize,
    item: usize,
    directory: Directory,
}

impl<'a> Containers<'a> {
    pub(crate) fn of(parent: &'a Directory, root: &'a OsStr) -> Self {
        Self { parent, root, way: Vec::new() }
    }

    /// The directory that an item stands in.
    pub(crate) fn container(&mut self, inventory: &Inventory, item: usize) -> io::Result<&Directory> {
        match inventory.items.get(item) {
            Some(found) if item != 0 => self.directory(inventory, found.parent),
            _ => Ok(self.parent),
        }
    }

    /// A directory of the tree.
    pub(crate) fn directory(&mut self, inventory: &Inventory, item: usize) -> io::Result<&Directory> {
        let mut missing = Vec::new();
        let mut at = item;
        // A directory has a higher number than the one that it is in.
        let held = loop {
            if let Ok(held) = self.way.binary_search_by_key(&at, |held| held.item) {
                break held + 1;
            }
            missing.push(at);
            match inventory.items.get(at) {
                Some(found) if at != 0 => at = found.parent,
                _ => break 0,
            }
        };
        self.way.truncate(held);
        for item in missing.into_iter().rev() {
            let opened = match self.way.last() {
                Some(above) => (above.directory.open_child(inventory.name_of(self.root, item)), above.level + 1),
                None => (self.parent.open_child(self.root), 0),
            };
            let (directory, level) = (opened.0?, opened.1);
            self.way.push(Held { level, item, directory });
            self.way.retain(|held| stays(held.level, level));
        }
        match self.way.last() {
            Some(last) => Ok(&last.directory),
            None => Ok(self.parent),
        }
    }
}

/// Whether a directory stays open while one so far below it is: those near by, and of those farther above the fewer the
/// farther, so that there is one not far above any directory on the way.
fn stays(level: usize, below: usize) -> bool {
    const NEAR: usize = 8;
    level == 0 || (below - level) >> level.trailing_zeros() <= NEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_deep_tree_few_directories_stay_open_and_few_are_opened_again() {
        const DEPTH: usize = 10_000;
        let (mut way, mut opened, mut most) = (vec![0_usize], 0_usize, 0);
        for level in (1..DEPTH).chain((1..DEPTH).rev()) {
            way.retain(|held| *held <= level);
            for next in way.last().map_or(0, |last| last + 1)..=level {
                way.push(next);
                way.retain(|held| stays(*held, next));
                opened += 1;
            }
            assert_eq!(way.last(), Some(&level));
            most = most.max(way.len());
        }
        assert!(most < 70, "{most}");
        assert!(opened < 5 * DEPTH, "{opened}");
    }
}
