//! The work on a tree, handed out to several threads.

use super::tree_types::Failed;
use crate::platform::{Inventory, Item, ObjectKind};
use crate::workers;

/// The non-directories of a tree with their numbers, in portions that workers take: each of one directory, and not empty.
pub(super) struct Portions<'i>(pub(super) Vec<Vec<(usize, &'i Item)>>);

impl<'i> Portions<'i> {
    pub(super) fn of(inventory: &'i Inventory) -> Self {
        const MOST: usize = 64;
        const BYTES: u64 = 32 << 20;
        let mut all: Vec<Vec<_>> = Vec::new();
        let (mut parent, mut bytes) = (usize::MAX, 0u64);
        for (number, item) in inventory.items.iter().enumerate() {
            if item.stat.sort == ObjectKind::Directory {
                continue;
            }
            match all.last_mut().filter(|last| item.parent == parent && last.len() < MOST && bytes < BYTES) {
                Some(last) => last.push((number, item)),
                None => {
                    all.push(vec![(number, item)]);
                    (parent, bytes) = (item.parent, 0);
                }
            }
            bytes = bytes.saturating_add(item.stat.size);
        }
        Self(all)
    }

    /// Hands the portions out to workers, each with the number of its first object and what the worker keeps from one to the
    /// next. The first failure ends all.
    pub(super) fn each<K, R: Send>(
        &self,
        workers: usize,
        begin: impl Fn() -> K + Sync,
        work: impl Fn(&mut K, usize, &[(usize, &'i Item)]) -> Result<R, Failed> + Sync,
    ) -> Result<Vec<R>, Failed> {
        workers::each_with(workers, self.0.len(), begin, |kept, number| {
            let portion = &self.0[number];
            work(kept, portion[0].0, portion)
        })
    }

    /// How many threads a single large file may take, where there are fewer portions than workers.
    pub(super) fn threads_for_each(&self, workers: usize) -> usize {
        workers / self.0.len().max(1)
    }
}
