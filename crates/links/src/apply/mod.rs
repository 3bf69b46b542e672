//! The only executor: check, journal, act, verify, record. Whatever changes a disk is below here.
//!
//! ```text
//! run.rs       a plan on its way, chunk by chunk; batch.rs many links replaced side by side
//! step.rs      one step: checked, done, taken back; make.rs the making of a link
//! log.rs       what goes into the journal, or its queue (queue.rs); state.rs opens them; replaced.rs what is recorded
//!              of links that others took the place of
//! relocate/    trees that are moved
//! probe.rs     what can be made in a directory
//! os/          the calls that change something
//! ```

mod batch;
mod log;
mod replaced;
mod run;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use log::{Log, Records};
use run::Run;

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, OperationId, Status};
pub use crate::journal::{Queue, existing_journal, open_journal};
use crate::model::{FileId, Link, LinkSpec};
use crate::plan::{Plan, Step};
use crate::step::Work;
pub use crate::step::move_tree::{
    Recovered, are_untold, recover, tell_untold, unrecovered, unrecovered_lately, unrecovered_of_same,
};
pub use crate::step::probe::{Capability, Finding, probe};
pub use crate::step::{Meter, raise_guard, set_symlink_evaluation};

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
/// steps; what was begun before is always the first part of the plan.
///
/// Steps that replace symbolic links or junctions are shared out among threads where many stand together, each at its
/// full path, in the order of their paths or against it.
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
    let work = Work { meter: request.meter.unwrap_or(&own), stop, workers, strict: request.strict };
    // An undo that finds nothing left to do is written down all the same: it is done.
    if plan.steps.is_empty() && (request.undoes.is_none() || request.in_part) {
        return report;
    }
    if let (Some(Records::Journal(journal)), true) = (&records, plan.steps.iter().any(Step::is_whole_tree)) {
        journal.wait_for_disk();
    }
    let log = Log::begin(records, request, plan.steps.len(), observer);
    // What is undone lies at paths of the journal, in which no link was; what is moved or mended, at paths made so.
    let has_no_links = request.undoes.is_some()
        || request.verb == crate::plan::repair::VERB
        || plan.steps.iter().any(Step::is_whole_tree);
    let mut run = Run { steps: &plan.steps, has_no_links, work, log, observer, report, broken: false };
    run.all();
    let Run { mut log, mut report, observer, .. } = run;
    log.finish(report.status(), request, observer);
    // An operation whose journal broke off in the middle cannot be undone as a whole: none is named.
    report.operation = log.operation();
    report
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
/// As [`crate::plan::create::plan`], and whatever the system says while the link is made.
pub fn create(spec: &LinkSpec) -> Result<Link> {
    let plan = crate::plan::create::plan(spec)?;
    let request = Request::new("create");
    let report = apply(&plan, request, None, &mut (), &AtomicBool::new(false));
    report.results.into_iter().try_for_each(|result| result.map(drop))?;
    crate::read::inspect::inspect_path(&spec.link, spec.drive)?.link.ok_or_else(|| {
        let cause = "what was made is gone already";
        Error::new(ErrorKind::NotVerified, "create link", &spec.link, cause)
    })
}
