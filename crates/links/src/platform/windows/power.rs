//! How much a walk may ask of the machine.

use std::path::Path;
use std::thread::available_parallelism;

/// More workers than this wait for each other, not for the disk.
const MOST: usize = 8;

/// How many workers to read the tree below a directory with: as many as there are cores.
pub(crate) fn workers(_root: &Path) -> usize {
    available_parallelism().map_or(1, usize::from).min(MOST)
}

/// How many files this process may have open: the system has no such limit worth the name.
pub(crate) fn open_files() -> usize {
    1 << 16
}
