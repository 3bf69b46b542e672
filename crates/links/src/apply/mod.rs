//! The only executor: check, journal, act, verify, record. Whatever changes a disk is below here.

mod batch;
mod log;
mod os;
mod probe;
mod queue;
mod relocate;
mod state;
mod step;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use log::{Log, Records};
pub(crate) use probe::MAKE;
pub use probe::{Capability, Finding, probe};
pub use queue::Queue;
pub use relocate::{
    Recovered, are_untold, recover, tell_untold, unrecovered, unrecovered_lately, unrecovered_of_same,
};
pub(crate) use relocate::{may_be_stage, must_not_be_moving};
pub use state::{existing_journal, open_journal};
pub(crate) use step::aside_name;

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, OperationId, Outcome, Status};
use crate::model::{FileId, Link, LinkSpec};
use crate::plan::{Plan, Step};
use crate::platform::Place;

/// Steps are written down this many at a time: one commit before them, one behind.
const CHUNK: usize = 256;

/// The same for steps that take no time.
const MOST: usize = 4096;

const CRASH: &str = "LINKCTL_CRASH_AFTER_STEP";

/// From here on, an elevated process on Windows follows no junction that an ordinary user made (Redirection Guard).
/// For programs that change something and read nothing else; it cannot be taken back. Nothing happens on other systems.
pub fn raise_guard() {
    os::guard();
}

/// Sets which symbolic links Windows follows; what is `None` stays: local to local, local to remote, remote to local,
/// remote to remote.
///
/// # Errors
/// The user is no administrator, or there is no such policy (Linux).
pub fn set_symlink_evaluation(values: [Option<bool>; 4]) -> Result<()> {
    const SET: &str = "set the evaluation of symbolic links on";
    os::set_evaluation(values).map_err(|error| Error::io(SET, "this system", error))
}

/// What an operation is called in the journal.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The operation that this one undoes.
    pub undoes: Option<OperationId>,
    /// Whether the plan leaves out a part of what it undoes, which then is not undone.
    pub in_part: bool,
    /// Where it is told how far the work on whole trees is.
    pub meter: Option<&'a Meter>,
    /// How many threads work on a tree. Default: as many as there are cores, up to 8.
    pub workers: Option<usize>,
    /// Whether a tree stays where it is if the copy cannot keep everything. Default: no, that is told.
    pub strict: bool,
}

/// How far the work on whole trees is.
#[derive(Debug, Default)]
pub struct Meter {
    /// Files and other objects that were copied, or removed.
    pub files: AtomicU64,
    /// Bytes that were copied.
    pub bytes: AtomicU64,
    /// Bytes of the copy that were read back and compared.
    pub checked: AtomicU64,
}

impl<'a> Request<'a> {
    /// An operation that undoes no other.
    #[must_use]
    pub fn new(verb: &'a str) -> Self {
        Self { verb, undoes: None, in_part: false, meter: None, workers: None, strict: false }
    }
}

/// Hears how the work goes.
pub trait Observer {
    /// A step has ended, well or not.
    fn step_ended(&mut self, _step: &Step, _result: &Result<Option<FileId>>) {}
    /// Something went wrong beside the work itself, which goes on.
    fn warning(&mut self, _error: &Error) {}
}

/// Hears nothing.
impl Observer for () {}

/// What came of a plan.
#[derive(Debug)]
pub struct Report {
    /// The operation's number in the journal, if it was written there.
    pub operation: Option<OperationId>,
    /// One result for each step that was begun, in order: the identity of what was made.
    pub results: Vec<Result<Option<FileId>>>,
    /// Whether it was stopped before the last step.
    pub stopped: bool,
    /// What copies could not keep: where, and what.
    pub lost: Vec<(PathBuf, String)>,
    /// Old trees that were kept though their copies are in use, and why.
    pub kept: Vec<Error>,
}

impl Report {
    /// How the operation ended.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.stopped {
            Status::Stopped
        } else if !self.results.is_empty() && self.results.iter().all(Result::is_err) {
            Status::Failed
        } else if self.results.iter().any(Result::is_err) {
            Status::Partial
        } else {
            Status::Done
        }
    }
}

/// Carries out a plan, step by step. A step that fails leaves the disk as it was, or its error says what
/// is left; the others go on.
///
/// Each step is checked right before it is done and read back before it counts. A journal that
/// cannot be written is reported as a warning and costs nothing else. `stop` is looked at between
/// steps.
///
/// # Guarantees
/// Killed at any point, every link is whole: made, or not made. Symbolic and hard links appear in
/// one system call; replaced ones change in one. A Windows link on ntfs-3g takes two, and may be
/// left as an empty file or directory, which `undo` removes. A link being removed may be left
/// under a private name beside it (`.linkctl-...`), from where `undo` brings it back.
pub fn apply(
    plan: &Plan,
    request: Request<'_>,
    journal: Option<&mut Journal>,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Report {
    carry_out(plan, request, journal.map(Records::Journal), observer, stop)
}

/// Carries out a plan of one step as [`apply()`] does, for a program that ends right behind it: what it does is left
/// in the queue of the journal, which costs a tenth of opening the database, and is in the history as soon as
/// anybody looks.
pub fn apply_quickly(plan: &Plan, verb: &str, queue: Option<&mut Queue>) -> Report {
    let request = Request::new(verb);
    carry_out(plan, request, queue.map(Records::Queue), &mut (), &AtomicBool::new(false))
}

fn carry_out(
    plan: &Plan,
    request: Request<'_>,
    records: Option<Records<'_>>,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Report {
    let report = Report {
        operation: None,
        results: Vec::with_capacity(plan.steps.len()),
        stopped: false,
        lost: Vec::new(),
        kept: Vec::new(),
    };
    let own = Meter::default();
    let workers =
        request.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from).min(8));
    let work = os::tree::Work { meter: request.meter.unwrap_or(&own), stop, workers, strict: request.strict };
    // An undo that finds nothing left to do is written down all the same: it is done.
    if plan.steps.is_empty() && (request.undoes.is_none() || request.in_part) {
        return report;
    }
    if let (Some(Records::Journal(journal)), true) = (&records, plan.steps.iter().any(Step::is_whole_tree)) {
        journal.wait_for_disk();
    }
    let log = Log::begin(records, request, plan.steps.len(), observer);
    // What is undone lies at paths of the journal, in which no link was; what is moved, at paths that were made so.
    let has_no_links = request.undoes.is_some() || plan.steps.iter().any(Step::is_whole_tree);
    let mut run = Run { steps: &plan.steps, has_no_links, work, log, observer, report, broken: false };
    run.report.operation = run.log.operation();
    run.all();
    let Run { mut log, mut report, observer, .. } = run;
    log.finish(report.status(), request, observer);
    // An operation whose journal broke off in the middle cannot be undone as a whole: none is named.
    report.operation = log.operation();
    report
}

/// A plan that is being carried out.
struct Run<'r> {
    steps: &'r [Step],
    /// Whether no path leads through a link.
    has_no_links: bool,
    work: os::tree::Work<'r>,
    log: Log<'r>,
    observer: &'r mut dyn Observer,
    report: Report,
    /// What a move could not do, the steps behind it cannot go on from.
    broken: bool,
}

/// Steps that are written down.
struct Chunk {
    range: Range<usize>,
    /// Each step's private name.
    names: Vec<String>,
    /// Whether they can be taken in any order.
    apart: bool,
}

impl Run<'_> {
    fn is_over(&self) -> bool {
        self.broken || self.work.stop.load(Ordering::Relaxed)
    }

    fn all(&mut self) {
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
                let outcomes = self.side_by_side(&chunk, |run| {
                    run.record(done.take());
                    // Ctrl-C shall find no more begun than there is.
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
        let names: Vec<String> = steps.iter().map(|_| step::private_name()).collect();
        let physical = self.log.intend(range.start, steps, &names, self.observer);
        Chunk { range, names, apart: apart && (physical || self.has_no_links) }
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
        let open = if self.has_no_links { Place::open_physical } else { Place::open };
        let steps = self.steps.get(chunk.range.clone()).unwrap_or_default();
        let mut outcomes = Vec::with_capacity(steps.len());
        for (step, name) in steps.iter().zip(&chunk.names) {
            if self.is_over() {
                self.report.stopped |= !self.broken;
                outcomes.push(Outcome::NotReached);
                continue;
            }
            let result = step::perform(step, name, open, self.work).map(|(made, moved)| {
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
    fn side_by_side(&mut self, chunk: &Chunk, meanwhile: impl FnOnce(&mut Self)) -> Vec<Outcome> {
        let steps = self.steps.get(chunk.range.clone()).unwrap_or_default();
        let (workers, stop) = (self.work.workers, self.work.stop);
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

/// Plans and makes one link, without a journal, and gives it as it reads back. For other programs.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let link = dir.path().join("link");
/// let made = links::create(&links::LinkSpec::new(&link, "target"))?;
/// assert_eq!(made.kind, links::LinkKind::Symlink);
/// assert_eq!(std::fs::read_link(&link)?, std::path::Path::new("target"));
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`crate::create::plan`], and whatever the system says while the link is made.
pub fn create(spec: &LinkSpec) -> Result<Link> {
    let plan = crate::create::plan(spec)?;
    let request = Request::new("create");
    let report = apply(&plan, request, None, &mut (), &AtomicBool::new(false));
    report.results.into_iter().try_for_each(|result| result.map(drop))?;
    crate::inspect::inspect_path(&spec.link, spec.drive)?.link.ok_or_else(|| {
        let cause = "what was made is gone already";
        Error::new(ErrorKind::NotVerified, "create link", &spec.link, cause)
    })
}

/// A test that ends the program behind a step means all those before it, and none else.
fn goes_one_by_one() -> bool {
    cfg!(debug_assertions) && std::env::var_os(CRASH).is_some()
}

/// Tests end the program here, as a crash would: `LINKCTL_CRASH_AFTER_STEP=N` behind the Nth step.
fn crash_point(done_before: usize) {
    crash_where(CRASH, done_before + 1);
}

/// Ends the program where an environment variable has this number.
pub(crate) fn crash_where(variable: &str, number: usize) {
    // Not in what users run: no environment shall end another program that uses the library.
    if !cfg!(debug_assertions) {
        return;
    }
    if std::env::var(variable).is_ok_and(|wanted| wanted == number.to_string()) {
        std::process::abort();
    }
}
