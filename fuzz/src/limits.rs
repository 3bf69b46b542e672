//! What one input may take: memory is counted, since the engine's own limit sees it once a second only.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// In bytes, for any image of a few MiB.
const MOST_MEMORY: usize = 512 << 20;
/// In milliseconds. All that a program can do is done, several times over, with every check on and every branch
/// counted: one command of a program for release takes a tenth.
const MOST_TIME: u64 = 2000;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);
static SLOWEST: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn grow(size: usize) {
    let live = LIVE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(live, Relaxed);
    if live > MOST_MEMORY {
        // No panic may leave an allocator; the engine takes this for a crash, and keeps the input.
        std::process::abort();
    }
}

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Does it, and tells what took longer or more memory than anything before. Time is the processor's: what else the
/// machine does is no finding.
pub(crate) fn within(work: impl FnOnce()) {
    let (start, before) = (processor(), LIVE.load(Relaxed));
    PEAK.store(before, Relaxed);
    work();
    let took = processor().saturating_sub(start);
    let memory = PEAK.load(Relaxed).saturating_sub(before) >> 20;
    let slowest = SLOWEST.fetch_max(took, Relaxed);
    let largest = LARGEST.fetch_max(memory, Relaxed);
    if took > slowest || memory > largest {
        eprintln!("most so far: {} ms, {} MiB", took.max(slowest), memory.max(largest));
    }
    assert!(took <= MOST_TIME, "{took} ms");
}

/// The time of all threads, in milliseconds.
fn processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the program's name, which may hold anything: user and system time, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    fields.map(|field| field.parse::<u64>().unwrap() * 10).sum()
}
