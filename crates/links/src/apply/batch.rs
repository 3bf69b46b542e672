//! Many links replaced side by side: a directory is opened once for its links, and several threads share them out.

use std::ffi::OsStr;
use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::step::{self, New, REPLACE};
use crate::error::Result;
use crate::model::{FileId, Target};
use crate::plan::Step;
use crate::platform::Place;

/// Links of one directory that one thread takes at a time, and ends before it stops.
const PORTION: usize = 64;

/// How many steps from the first on replace links and have nothing to do with each other, if their paths lead through no
/// links: each has a path of its own, and none is on the way to another.
pub(super) fn apart(steps: &[Step]) -> usize {
    let mut order = None;
    let mut are_apart = |one: &Step, next: &Step| {
        let (one, next) = (one.path(), next.path());
        let now = one.cmp(next);
        // In order, what lies below a path stands beside it.
        now.is_ne() && *order.get_or_insert(now) == now && !one.starts_with(next) && !next.starts_with(one)
    };
    let Some(first) = steps.first().filter(|step| replaces_soft_link(step)) else { return 0 };
    let mut last = first;
    1 + steps
        .iter()
        .skip(1)
        .take_while(|step| {
            let goes_on = replaces_soft_link(step) && are_apart(last, step);
            last = *step;
            goes_on
        })
        .count()
}

fn replaces_soft_link(step: &Step) -> bool {
    let Step::ReplaceLink { old, target, .. } = step else { return false };
    !matches!(target, Target::File(_)) && !matches!(old.target, Target::File(_))
}

/// Carries out steps that are [`apart`], at physical paths. Gives what came of those that were begun, which are the first
/// ones. `meanwhile` is done here while the other threads are at work.
pub(super) fn perform(
    steps: &[Step],
    names: &[String],
    workers: usize,
    stop: &AtomicBool,
    meanwhile: impl FnOnce(),
) -> Vec<Result<Option<FileId>>> {
    let portions = portions(steps);
    let next = AtomicUsize::new(0);
    // What is taken is brought to its end: so what was begun has no gaps.
    let work = || {
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(range) = portions.get(number) else { break };
            let mine = steps.get(range.clone()).zip(names.get(range.clone()));
            done.push((number, mine.map(|(steps, names)| replace_each(steps, names)).unwrap_or_default()));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let helpers: Vec<_> = (1..workers.min(portions.len()))
            // Without them all is done here.
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        meanwhile();
        let mut done = work();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

/// Parts steps where the directory changes, and where it is enough.
fn portions(steps: &[Step]) -> Vec<Range<usize>> {
    let mut at = 0;
    let mut portions = Vec::new();
    for directory in steps.chunk_by(|one, next| one.path().parent() == next.path().parent()) {
        let end = at + directory.len();
        while at < end {
            portions.push(at..end.min(at + PORTION));
            at = end.min(at + PORTION);
        }
    }
    portions
}

/// Replaces links of one directory.
fn replace_each(steps: &[Step], names: &[String]) -> Vec<Result<Option<FileId>>> {
    let mut open = None;
    let mut replace = |step: &Step, name: &str| {
        let Step::ReplaceLink { link, old, target, file, attributes } = step else { return Ok(None) };
        let same = open.as_mut().is_some_and(|place: &mut Place| place.go_to(link));
        let place = match open.take().filter(|_| same) {
            Some(place) => open.insert(place),
            None => open.insert(Place::open_physical(REPLACE, link)?),
        };
        let new = New { target, file: *file, attributes: *attributes, keeps: false };
        step::replace_at(place, old, &new, OsStr::new(name)).map(Some)
    };
    steps.iter().zip(names).map(|(step, name)| replace(step, name)).collect()
}
