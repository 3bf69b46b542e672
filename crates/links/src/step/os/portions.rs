//! The work on a tree, handed out to several threads.

use super::tree_types::Failed;
use crate::platform::{Inventory, ObjectKind};
use crate::workers;

/// The non-directories of a tree in portions that workers take.
pub(super) struct Portions {
    pub(super) all: Vec<Vec<usize>>,
}

impl Portions {
    pub(super) fn of(inventory: &Inventory) -> Self {
        const MOST: usize = 64;
        const BYTES: u64 = 32 << 20;
        let mut all: Vec<Vec<usize>> = Vec::new();
        let (mut parent, mut bytes) = (usize::MAX, 0u64);
        for (number, item) in inventory.items.iter().enumerate() {
            if item.stat.sort == ObjectKind::Directory {
                continue;
            }
            let full = all.last().is_none_or(|last| last.len() >= MOST) || bytes >= BYTES;
            if item.parent != parent || full {
                all.push(Vec::new());
                (parent, bytes) = (item.parent, 0);
            }
            bytes = bytes.saturating_add(item.stat.size);
            if let Some(last) = all.last_mut() {
                last.push(number);
            }
        }
        Self { all }
    }

    /// Hands the portions out to workers. The first failure ends all.
    pub(super) fn each<R: Send>(
        &self,
        workers: usize,
        work: impl Fn(&[usize]) -> Result<R, Failed> + Sync,
    ) -> Result<Vec<R>, Failed> {
        workers::each(workers, self.all.len(), |number| {
            work(self.all.get(number).map(Vec::as_slice).unwrap_or_default())
        })
    }

    /// How many threads a single large file may take, where there are fewer portions than workers.
    pub(super) fn threads_for_each(&self, workers: usize) -> usize {
        workers / self.all.len().max(1)
    }
}
