//! Work shared out to several threads. The caller's thread is always one of them.
//!
//! A thread that cannot be started is no error: the others do its share. A panic of a worker is resumed in the caller.

use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// How many threads work where nobody says: one for each core, up to 8.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Runs `work` for each number below `count`, and returns the results in the order of the numbers. The first failure ends
/// all: after it no further number is begun.
pub(crate) fn each<R: Send, E: Send>(
    threads: usize,
    count: usize,
    work: impl Fn(usize) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    each_with(threads, count, || (), |(), number| work(number))
}

/// The same, of workers that keep something from one number to the next.
pub(crate) fn each_with<K, R: Send, E: Send>(
    threads: usize,
    count: usize,
    begin: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, usize) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let failed = AtomicBool::new(false);
    let work = |kept: &mut K, number| work(kept, number).inspect_err(|_| failed.store(true, Ordering::Relaxed));
    run(threads.min(count).saturating_sub(1), count, &failed, begin, work, |_| true).into_iter().collect()
}

/// The same on up to `helpers` further threads, until `stop` is set: what was begun is brought to its end, so that the
/// results are those of the first numbers, without gaps. In the meantime this thread runs `own`, which is passed the number
/// of threads that could be started and returns whether this one joins them.
pub(crate) fn beside<R: Send>(
    helpers: usize,
    count: usize,
    stop: &AtomicBool,
    work: impl Fn(usize) -> R + Sync,
    own: impl FnOnce(usize) -> bool,
) -> Vec<R> {
    run(helpers, count, stop, || (), |(), number| work(number), own)
}

fn run<K, R: Send>(
    helpers: usize,
    count: usize,
    stop: &AtomicBool,
    begin: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, usize) -> R + Sync,
    own: impl FnOnce(usize) -> bool,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let (mut kept, mut done) = (begin(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            done.push((number, work(&mut kept, number)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let helpers: Vec<_> =
            (0..helpers).map_while(|_| thread::Builder::new().spawn_scoped(scope, worker).ok()).collect();
        let mut done = if own(helpers.len()) { worker() } else { Vec::new() };
        done.extend(
            helpers.into_iter().flat_map(|helper| helper.join().unwrap_or_else(|panic| panic::resume_unwind(panic))),
        );
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stay_in_order_whatever_the_number_of_threads() {
        for (threads, count) in [(0, 0), (0, 1), (1, 5), (3, 2), (4, 1_000)] {
            let done: Result<Vec<usize>, ()> = each(threads, count, |number| Ok(number * 2));
            assert_eq!(done, Ok((0..count).map(|number| number * 2).collect()), "{threads} {count}");
        }
    }

    #[test]
    fn a_failure_ends_all() {
        let begun = AtomicUsize::new(0);
        let done: Result<Vec<()>, usize> = each(2, 1_000_000, |number| {
            begun.fetch_add(1, Ordering::Relaxed);
            if number == 10 { Err(number) } else { Ok(()) }
        });
        assert_eq!(done, Err(10));
        assert!(begun.into_inner() < 1_000_000);
    }

    #[test]
    fn a_panic_of_a_worker_is_the_callers() {
        let caller = thread::current().id();
        let work = |_| assert_eq!(thread::current().id(), caller);
        let result = panic::catch_unwind(|| beside(1, 1, &AtomicBool::new(false), work, |_| false));
        assert!(result.is_err());
    }
}
