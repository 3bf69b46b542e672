//! A plan on its way, chunk by chunk: the intents recorded before, the outcomes after.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::log::Log;
use super::step::{Context, Work, crash_where, kind, private_name};
use super::{Done, Observer, Report, batch};
use crate::error::{ErrorKind, Result};
use crate::journal::Outcome;
use crate::model::{Home, Step};

/// Steps are written down this many at a time.
const CHUNK: usize = 256;

/// The same for steps that take no time.
const MOST: usize = 4096;

const CRASH: &str = "LINKCTL_CRASH_AFTER_STEP";

/// A plan that is being carried out.
pub(super) struct Execution<'r> {
    pub(super) steps: &'r [Step],
    pub(super) work: Work<'r>,
    pub(super) log: Log<'r>,
    pub(super) observer: &'r mut dyn Observer,
    pub(super) report: Report,
    /// Whether a step failed that those after it build on.
    pub(super) is_broken: bool,
}

/// Steps whose intents are recorded.
struct Chunk<'r> {
    /// The number of the first.
    first: usize,
    steps: &'r [Step],
    /// Each step's private name.
    names: Vec<String>,
    /// Each step's directory, where that exists already.
    homes: Vec<Option<Home>>,
    /// Whether they can be taken in any order.
    is_independent: bool,
}

impl<'r> Execution<'r> {
    fn is_over(&self) -> bool {
        self.is_broken || self.work.stop.load(Ordering::Relaxed)
    }

    /// Carries out all of it, chunk by chunk.
    pub(super) fn all(&mut self) {
        let mut sizer = ChunkSizer::new();
        // What came of the last chunk is written down with what the next will be, or with the end.
        let (mut done, mut ahead) = (None, None);
        let mut at = 0;
        while at < self.steps.len() {
            if ahead.is_none() && self.is_over() {
                self.report.stopped |= !self.is_broken;
                break;
            }
            let chunk = match ahead.take() {
                Some(chunk) => chunk,
                None => {
                    self.record(done.take());
                    self.intend(sizer.next(self.steps, at))
                }
            };
            at = chunk.first + chunk.steps.len();
            let outcomes = if chunk.is_independent {
                let began = Instant::now();
                let next = sizer.next(self.steps, at);
                let outcomes = self.side_by_side(&chunk, sizer.batch_size(), |run| {
                    run.record(done.take());
                    if next.1 && !next.0.is_empty() && !run.is_over() {
                        ahead = Some(run.intend(next));
                    }
                });
                sizer.observe(began.elapsed());
                outcomes
            } else {
                self.one_by_one(&chunk)
            };
            done = Some((chunk, outcomes));
        }
        self.record(done);
    }

    fn intend(&mut self, (range, is_independent): (Range<usize>, bool)) -> Chunk<'r> {
        let (first, steps) = (range.start, self.steps.get(range).unwrap_or_default());
        let names: Vec<String> = steps.iter().map(|_| private_name()).collect();
        let homes = self.log.intend(first, steps, &names, self.observer);
        Chunk { first, steps, names, homes, is_independent }
    }

    fn record(&mut self, done: Option<(Chunk<'_>, Vec<Outcome>)>) {
        let Some((chunk, outcomes)) = done else { return };
        self.log.record(chunk.first, chunk.steps, outcomes, &chunk.homes, self.observer);
    }

    /// A step has ended.
    fn ended(&mut self, step: &Step, result: Result<Done>) -> Outcome {
        self.observer.step_ended(step, &result);
        let outcome = match &result {
            Ok(done) => Outcome::Done(done.made),
            Err(error) if error.kind() == ErrorKind::Unsure => Outcome::Unsure(error.to_string()),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        self.report.results.push(result);
        outcome
    }

    fn one_by_one(&mut self, chunk: &Chunk<'_>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(chunk.steps.len());
        for (step, name) in chunk.steps.iter().zip(&chunk.names) {
            if self.is_over() {
                self.report.stopped |= !self.is_broken;
                outcomes.push(Outcome::NotReached);
                continue;
            }
            let kind = kind(step);
            let result = kind.perform(&Context::new(name.as_ref(), self.work));
            self.is_broken |= result.is_err() && kind.needs().ends_plan;
            self.report.stopped |= result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Stopped);
            crash_point(self.report.results.len());
            outcomes.push(self.ended(step, result));
        }
        outcomes
    }

    /// The same by several threads. The journal is written by this one in the meantime.
    fn side_by_side(&mut self, chunk: &Chunk<'_>, portion: usize, meanwhile: impl FnOnce(&mut Self)) -> Vec<Outcome> {
        let (steps, work) = (chunk.steps, self.work);
        let results = batch::perform(steps, &chunk.names, portion, work, || meanwhile(self));
        self.report.stopped |= results.len() < steps.len();
        let ended = steps.iter().zip(results).map(|(step, result)| self.ended(step, result));
        let mut outcomes: Vec<_> = ended.collect();
        outcomes.resize(steps.len(), Outcome::NotReached);
        outcomes
    }
}

/// How many steps are written down at a time.
struct ChunkSizer {
    /// Where the steps end that are independent of each other.
    independent: usize,
    most: usize,
}

impl ChunkSizer {
    fn new() -> Self {
        Self { independent: 0, most: CHUNK }
    }

    /// The next steps, and whether they are apart.
    fn next(&mut self, steps: &[Step], at: usize) -> (Range<usize>, bool) {
        if at >= self.independent && !goes_one_by_one() {
            // A few are not worth a thread.
            let many = batch::independent_prefix_len(steps.get(at..).unwrap_or_default());
            self.independent = if many < CHUNK { at } else { at + many };
        }
        if at < self.independent {
            (at..self.independent.min(at + self.most), true)
        } else {
            (at..steps.len().min(at + CHUNK), false)
        }
    }

    /// How many steps a thread does not stop between: a moment's work.
    fn batch_size(&self) -> usize {
        if self.most > CHUNK { CHUNK } else { CHUNK / 8 }
    }

    /// A run that is killed shall find on the disk what its steps have done: they must not be begun long after they were
    /// written down.
    fn observe(&mut self, time: Duration) {
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
