//! The work on a tree, handed out to several threads.

#[cfg(target_os = "linux")]
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::tree_types::Failed;
use crate::platform::{Inventory, ObjectKind};

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
        let next = AtomicU64::new(0);
        let broken = AtomicBool::new(false);
        let worker = || {
            let mut done = Vec::new();
            while !broken.load(Ordering::Relaxed) {
                let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                let Some(portion) = self.all.get(index) else { break };
                match work(portion) {
                    Ok(one) => done.push(one),
                    Err(failed) => {
                        broken.store(true, Ordering::Relaxed);
                        return Err(failed);
                    }
                }
            }
            Ok(done)
        };
        let workers = workers.min(self.all.len()).max(1);
        let mut all = Vec::new();
        let mut failed = None;
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, worker).ok())
                .collect();
            let mut take = |done: Result<Vec<R>, Failed>| match done {
                Ok(done) => all.extend(done),
                Err(error) => failed = failed.take().or(Some(error)),
            };
            take(worker());
            for other in others {
                match other.join() {
                    Ok(done) => take(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        failed.map_or(Ok(all), Err)
    }

    /// How many threads a single large file may take, where there are fewer portions than workers.
    #[cfg(target_os = "linux")]
    pub(super) fn threads_for_each(&self, workers: usize) -> usize {
        workers / self.all.len().max(1)
    }
}

/// Hands single items out to workers. The first failure ends all.
#[cfg(windows)]
pub(super) fn each(
    items: &[usize],
    workers: usize,
    work: impl Fn(usize) -> Result<(), Failed> + Sync,
) -> Result<(), Failed> {
    let portions = Portions { all: items.chunks(64).map(<[usize]>::to_vec).collect() };
    portions.each(workers, |portion| portion.iter().try_for_each(|item| work(*item)))?;
    Ok(())
}

/// Runs the same work in several threads. The first failure is given; each thread looks for itself when to end.
#[cfg(target_os = "linux")]
pub(super) fn in_threads(threads: usize, work: impl Fn() -> io::Result<()> + Sync) -> io::Result<()> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, &work).ok())
            .collect();
        let mut result = work();
        for other in others {
            match other.join() {
                Ok(done) => result = result.and(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}
