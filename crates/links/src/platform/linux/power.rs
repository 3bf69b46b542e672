//! How much a walk may ask of the machine.

use std::path::Path;
use std::thread::available_parallelism;

use rustix::fs::{major, minor};
use rustix::process::{Resource, getrlimit};

use super::Directory;

/// More workers than this wait for each other, not for the disk.
const MOST: usize = 8;

/// How many workers to read the tree below a directory with: as many as there are cores, but two at most where the
/// disk has to turn.
pub(crate) fn workers(root: &Path) -> usize {
    let cores = available_parallelism().map_or(1, usize::from);
    cores.min(if turns(root) { 2 } else { MOST })
}

/// Whether the disk below a directory says that it rotates.
fn turns(root: &Path) -> bool {
    let Ok(metadata) = Directory::open(root).and_then(|directory| directory.metadata()) else { return false };
    let device = format!("/sys/dev/block/{}:{}", major(metadata.id.volume), minor(metadata.id.volume));
    // A partition has no queue of its own: its disk has.
    ["queue/rotational", "../queue/rotational"]
        .iter()
        .any(|file| std::fs::read_to_string(Path::new(&device).join(file)).is_ok_and(|answer| answer.trim() == "1"))
}

/// How many files this process may have open.
pub(crate) fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
