//! A plan on its way: chunk by chunk, each written down before, and what came of it behind.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::log::Log;
use super::{Observer, Report, batch};
use crate::error::{ErrorKind, Result};
use crate::journal::Outcome;
use crate::model::FileId;
use crate::model::Step;
use crate::platform::Place;
use crate::step::{Work, crash_where, private_name, single};

/// Steps are written down this many at a time.
const CHUNK: usize = 256;

/// The same for steps that take no time.
const MOST: usize = 4096;

const CRASH: &str = "LINKCTL_CRASH_AFTER_STEP";

/// A plan that is being carried out.
pub(super) struct Run<'r> {
    pub(super) steps: &'r [Step],
    /// Whether no path leads through a link.
    pub(super) has_no_links: bool,
    pub(super) work: Work<'r>,
    pub(super) log: Log<'r>,
    pub(super) observer: &'r mut dyn Observer,
    pub(super) report: Report,
    /// What a move could not do, the steps behind it cannot go on from.
    pub(super) broken: bool,
}

/// Steps that are written down.
struct Chunk {
    range: Range<usize>,
    /// Each step's private name.
    names: Vec<String>,
    /// Whether no path leads through a link.
    physical: bool,
    /// Whether they can be taken in any order.
    apart: bool,
}

impl Run<'_> {
    fn is_over(&self) -> bool {
        self.broken || self.work.stop.load(Ordering::Relaxed)
    }

    /// Carries out all of it, chunk by chunk.
    pub(super) fn all(&mut self) {
        let mut pace = Pace::new();
        // What came of the last chunk is written down with what the next will be, or with the end.
        let (mut done, mut ahead) = (None, None);
        let mut at = 0;
        while at < self.steps.len() {
            if ahead.is_none() && self.is_over() {
                self.report.stopped |= !self.broken;
                break;
            }
            let chunk = match ahead.take() {
                Some(chunk) => chunk,
                None => {
                    self.record(done.take());
                    self.intend(pace.next(self.steps, at))
                }
            };
            at = chunk.range.end;
            let outcomes = if chunk.apart {
                let began = Instant::now();
                let next = pace.next(self.steps, at);
                let outcomes = self.side_by_side(&chunk, pace.portion(), |run| {
                    run.record(done.take());
                    if next.1 && !next.0.is_empty() && !run.is_over() {
                        ahead = Some(run.intend(next));
                    }
                });
                pace.took(began.elapsed());
                outcomes
            } else {
                self.one_by_one(&chunk)
            };
            done = Some((chunk, outcomes));
        }
        self.record(done);
    }

    fn intend(&mut self, (range, apart): (Range<usize>, bool)) -> Chunk {
        let steps = self.steps.get(range.clone()).unwrap_or_default();
        let names: Vec<String> = steps.iter().map(|_| private_name()).collect();
        let physical = self.log.intend(range.start, steps, &names, self.observer);
        let physical = physical || self.has_no_links;
        Chunk { range, names, physical, apart: apart && physical }
    }

    fn record(&mut self, done: Option<(Chunk, Vec<Outcome>)>) {
        let Some((chunk, outcomes)) = done else { return };
        let steps = self.steps.get(chunk.range.clone()).unwrap_or_default();
        self.log.record(chunk.range.start, steps, outcomes, self.observer);
    }

    /// A step has ended.
    fn ended(&mut self, step: &Step, result: Result<Option<FileId>>) -> Outcome {
        self.observer.step_ended(step, &result);
        let outcome = match &result {
            Ok(made) => Outcome::Done(*made),
            Err(error) if error.kind() == ErrorKind::Unsure => Outcome::Unsure(error.to_string()),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        self.report.results.push(result);
        outcome
    }

    fn one_by_one(&mut self, chunk: &Chunk) -> Vec<Outcome> {
        let open = if chunk.physical { Place::open_physical } else { Place::open };
        let steps = self.steps.get(chunk.range.clone()).unwrap_or_default();
        let mut outcomes = Vec::with_capacity(steps.len());
        for (step, name) in steps.iter().zip(&chunk.names) {
            if self.is_over() {
                self.report.stopped |= !self.broken;
                outcomes.push(Outcome::NotReached);
                continue;
            }
            let result = single::perform(step, name, open, self.work).map(|(made, moved)| {
                self.report.lost.extend(moved.lost);
                self.report.kept.extend(moved.kept);
                made
            });
            self.broken |= result.is_err() && step.is_whole_tree();
            self.report.stopped |= result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Stopped);
            crash_point(self.report.results.len());
            outcomes.push(self.ended(step, result));
        }
        outcomes
    }

    /// The same by several threads. The journal is written by this one in the meantime.
    fn side_by_side(
        &mut self,
        chunk: &Chunk,
        portion: usize,
        meanwhile: impl FnOnce(&mut Self),
    ) -> Vec<Outcome> {
        let steps = self.steps.get(chunk.range.clone()).unwrap_or_default();
        let (workers, stop) = ((self.work.workers, portion), self.work.stop);
        let results = batch::perform(steps, &chunk.names, workers, stop, || meanwhile(self));
        self.report.stopped |= results.len() < steps.len();
        let ended = steps.iter().zip(results).map(|(step, result)| self.ended(step, result));
        let mut outcomes: Vec<_> = ended.collect();
        outcomes.resize(steps.len(), Outcome::NotReached);
        outcomes
    }
}

/// How many steps are written down at a time.
struct Pace {
    /// Where the steps end that are [`batch::apart`].
    apart: usize,
    most: usize,
}

impl Pace {
    fn new() -> Self {
        Self { apart: 0, most: CHUNK }
    }

    /// The next steps, and whether they are apart.
    fn next(&mut self, steps: &[Step], at: usize) -> (Range<usize>, bool) {
        if at >= self.apart && !goes_one_by_one() {
            // A few are not worth a thread.
            let many = batch::apart(steps.get(at..).unwrap_or_default());
            self.apart = if many < CHUNK { at } else { at + many };
        }
        if at < self.apart {
            (at..self.apart.min(at + self.most), true)
        } else {
            (at..steps.len().min(at + CHUNK), false)
        }
    }

    /// How many steps a thread does not stop between: a moment's work.
    fn portion(&self) -> usize {
        if self.most > CHUNK { CHUNK } else { CHUNK / 8 }
    }

    /// A run that is killed shall find on the disk what its steps have done: they must not be begun long after they were
    /// written down.
    fn took(&mut self, time: Duration) {
        if time < Duration::from_millis(50) {
            self.most = MOST.min(self.most * 2);
        } else if time > Duration::from_secs(1) {
            self.most = CHUNK.max(self.most / 2);
        }
    }
}

/// A test that ends the program behind a step means all those before it, and none else.
fn goes_one_by_one() -> bool {
    cfg!(debug_assertions) && std::env::var_os(CRASH).is_some()
}

/// Tests end the program here, as a crash would: `LINKCTL_CRASH_AFTER_STEP=N` behind the Nth step.
fn crash_point(done_before: usize) {
    crash_where(CRASH, done_before + 1);
}
