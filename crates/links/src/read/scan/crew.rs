//! The workers. Each has a stack of directories still to be read, and gives half of it away when another has none.
//!
//! The newest directory is read first: what waits stays few, and the parent of what is read is mostly still open.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use super::hard::Groups;
use super::roll::{Finds, Reader};
use super::walk::Walker;
use super::{Found, Receiver, ScanItem, ScanOptions};
use crate::platform::{self, Directory};

/// How far a scan has come; may be read from any thread.
#[derive(Debug, Default)]
pub struct Progress {
    entries: AtomicU64,
    found: AtomicU64,
    remarks: Mutex<Vec<String>>,
}

impl Progress {
    /// How many directory entries have been looked at.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// How many links were found.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    /// How roots were read, in words, where there was a choice.
    ///
    /// # Platform behavior
    /// Windows: whole NTFS volumes by their own index of reparse points, as administrator; else directory by
    /// directory, and why. Linux: nothing.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        lock(&self.remarks).clone()
    }

    pub(super) fn remark(&self, text: String) {
        lock(&self.remarks).push(text);
    }

    pub(super) fn add(&self, entries: u64, found: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.found.fetch_add(found, Ordering::Relaxed);
    }
}

/// Directories of one parent that are still to be read.
pub(super) struct Frame {
    pub(super) root: Arc<Root>,
    /// The parent's path, as it is shown.
    pub(super) path: Arc<Path>,
    /// The way to the parent: names from a directory that is held open. No link is ever followed on it.
    pub(super) from: Arc<Directory>,
    pub(super) below: Arc<Path>,
    /// How deep the directories in it lie: 1 in the root.
    pub(super) level: usize,
    /// Their names, each ended by NUL: a directory of a million takes a few megabytes here.
    pub(super) names: Vec<u8>,
}

impl Frame {
    /// Takes the last name out.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        self.names.pop()?;
        let start = self.names.iter().rposition(|&byte| byte == 0).map_or(0, |at| at + 1);
        Some(self.names.split_off(start))
    }

    /// Takes half of the names out; `None` where there is only one.
    fn split(&mut self) -> Option<Self> {
        let end = |(at, &byte): (usize, &u8)| (byte == 0).then_some(at + 1);
        let ends = self.names.iter().enumerate().filter_map(end).filter(|at| *at < self.names.len());
        let at = ends.min_by_key(|at| at.abs_diff(self.names.len() / 2))?;
        Some(Self {
            root: Arc::clone(&self.root),
            path: Arc::clone(&self.path),
            from: Arc::clone(&self.from),
            below: Arc::clone(&self.below),
            level: self.level,
            names: self.names.split_off(at),
        })
    }
}

/// Where a walk began.
pub(super) struct Root {
    /// Its path without links; empty where nobody asks for it.
    pub(super) physical: PathBuf,
    /// How many leading components of a path are the root's: patterns see what is behind them.
    pub(super) components: usize,
    /// The volume to stay on.
    pub(super) volume: u64,
}

/// What all workers share.
pub(super) struct Crew<'o> {
    pub(super) options: &'o ScanOptions,
    pub(super) progress: &'o Progress,
    /// Where ntfs-3g serves volumes.
    pub(super) ntfs: Vec<PathBuf>,
    /// Directories nearer to their root than this keep their parent open; with deeper ones the number of open files
    /// would grow with the tree.
    pub(super) held_levels: usize,
    workers: usize,
    /// Roots not begun yet, and frames that were given away.
    waiting: Mutex<Waiting>,
    more: Condvar,
    /// How many workers have nothing to do.
    idle: AtomicUsize,
    stop: AtomicBool,
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Waiting {
    roots: Vec<PathBuf>,
    frames: Vec<Frame>,
}

/// What a worker does next.
enum Work {
    Root(PathBuf),
    Frame(Frame),
}

impl Crew<'_> {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether somebody would take work.
    pub(super) fn is_anybody_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed) > 0
    }

    pub(super) fn groups(&self) -> MutexGuard<'_, Groups> {
        lock(&self.groups)
    }

    /// Gives half of the oldest frame away: what lies below it is the most. Whoever gives keeps something to do, and
    /// no more waits than there are workers to take it.
    pub(super) fn give(&self, stack: &mut Vec<Frame>) {
        let mut waiting = lock(&self.waiting);
        if waiting.frames.len() + waiting.roots.len() >= self.idle.load(Ordering::Relaxed) {
            return;
        }
        let Some(given) =
            stack.first_mut().and_then(Frame::split).or_else(|| (stack.len() > 1).then(|| stack.remove(0)))
        else {
            return;
        };
        waiting.frames.push(given);
        drop(waiting);
        self.more.notify_one();
    }

    /// Waits for work. `None` once nobody has any.
    fn take(&self) -> Option<Work> {
        let mut waiting = lock(&self.waiting);
        let mut counted = false;
        loop {
            let work = match waiting.frames.pop() {
                Some(frame) => Some(Work::Frame(frame)),
                None => waiting.roots.pop().map(Work::Root),
            };
            if work.is_some() && !self.is_stopped() {
                if counted {
                    self.idle.fetch_sub(1, Ordering::Relaxed);
                }
                return work;
            }
            if !counted {
                counted = true;
                if self.idle.fetch_add(1, Ordering::Relaxed) + 1 == self.workers {
                    self.more.notify_all();
                    return None;
                }
            }
            if self.is_stopped() || self.idle.load(Ordering::Relaxed) == self.workers {
                self.more.notify_all();
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes all, and lets them end.
    fn break_off(&self) {
        let waiting = lock(&self.waiting);
        self.stop.store(true, Ordering::Relaxed);
        drop(waiting);
        self.more.notify_all();
    }

    fn work<R: Reader>(&self, mut receiver: R) -> R {
        let mut walker = Walker::new(self);
        while let Some(work) = self.take() {
            let mut stack = Vec::new();
            let done = match work {
                Work::Root(root) => walker.begin(&root, &mut stack, &mut receiver),
                Work::Frame(frame) => {
                    stack.push(frame);
                    ControlFlow::Continue(())
                }
            };
            let done = match done {
                ControlFlow::Continue(()) => walker.go(&mut stack, &mut receiver),
                stopped => stopped,
            };
            if done.is_break() {
                self.break_off();
                break;
            }
        }
        receiver
    }
}

/// A worker that panicked has been heard of: what it left is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn visit<R: Reader + Send>(
    options: &ScanOptions,
    progress: &Progress,
    receiver: impl Fn() -> R + Sync,
) -> Vec<R> {
    let first = options.roots.first().map_or(Path::new("."), PathBuf::as_path);
    // Besides what the program has open, each worker holds a few directories while it reads one.
    let files = platform::open_files().saturating_sub(16);
    let workers = options.workers.unwrap_or_else(|| platform::workers(first)).min(files / 6).clamp(1, MOST_WORKERS);
    let held_levels = (files / workers).saturating_sub(4).clamp(1, 24);
    let crew = Crew {
        options,
        progress,
        ntfs: platform::ntfs_mounts(),
        held_levels,
        workers,
        waiting: Mutex::new(Waiting { roots: options.roots.iter().rev().cloned().collect(), frames: Vec::new() }),
        more: Condvar::new(),
        idle: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        groups: Mutex::default(),
    };
    let mut receivers = if workers == 1 {
        vec![crew.work(receiver())]
    } else {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(|| crew.work(receiver()))).collect();
            // A panic of a worker is this thread's own.
            let join = |thread: thread::ScopedJoinHandle<'_, R>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        })
    };
    // Names of one file may have been met by all of them: who has any is told at the end.
    if let Some(receiver) = receivers.first_mut()
        && !crew.is_stopped()
    {
        for group in std::mem::take(&mut *crew.groups()).into_groups() {
            progress.add(0, 1);
            if receiver.receive(Ok(Found::HardLinks(group))).is_break() {
                break;
            }
        }
    }
    receivers
}

/// More threads than this gain nothing anywhere.
const MOST_WORKERS: usize = 64;

/// Finds gathered before they are handed over: one by one, the hand-over would cost more than the find.
const BATCH: usize = 128;

/// A stream of links. See [`super::scan`].
pub struct Scan {
    progress: Arc<Progress>,
    batches: Option<mpsc::Receiver<Vec<ScanItem>>>,
    current: std::vec::IntoIter<ScanItem>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Scan {
    /// How roots were read: see [`Progress::remarks`].
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.progress.remarks()
    }

    pub(super) fn new(options: ScanOptions) -> Self {
        let progress = Arc::new(Progress::default());
        // A few batches ahead: a slow reader holds the workers up instead of filling the memory.
        let (sender, batches) = mpsc::sync_channel(16);
        let shared = Arc::clone(&progress);
        let thread = thread::spawn(move || {
            let receiver = || Finds(Batch { items: Vec::with_capacity(BATCH), sender: sender.clone() });
            drop(visit(&options, &shared, receiver));
        });
        Self { progress, batches: Some(batches), current: Vec::new().into_iter(), thread: Some(thread) }
    }

    /// How many directory entries have been looked at so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.progress.entries()
    }
}

impl Iterator for Scan {
    type Item = ScanItem;

    fn next(&mut self) -> Option<ScanItem> {
        loop {
            if let Some(item) = self.current.next() {
                return Some(item);
            }
            match self.batches.as_ref().and_then(|batches| batches.recv().ok()) {
                Some(batch) => self.current = batch.into_iter(),
                None => {
                    if let Some(Err(panic)) = self.thread.take().map(thread::JoinHandle::join) {
                        std::panic::resume_unwind(panic);
                    }
                    return None;
                }
            }
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        // Nobody listens any more: the workers stop at their next find.
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap_or_default();
        }
    }
}

struct Batch {
    items: Vec<ScanItem>,
    sender: mpsc::SyncSender<Vec<ScanItem>>,
}

impl Receiver for Batch {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        self.items.push(item);
        if self.items.len() < BATCH {
            return ControlFlow::Continue(());
        }
        let full = std::mem::replace(&mut self.items, Vec::with_capacity(BATCH));
        match self.sender.send(full) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Where nobody listens any more, nobody misses it.
        self.sender.send(std::mem::take(&mut self.items)).unwrap_or_default();
    }
}
