//! The only executor: check, journal, perform, verify, record. It knows steps by a trait, and no verb.
//!
//! ```text
//! execution.rs  a plan on its way, chunk by chunk; batch.rs many steps performed side by side
//! log.rs        what goes into the journal, or its queue
//! preflight.rs  what is looked for and tried before the first change
//! recovery.rs   what interrupted moves left, finished or rolled back
//! ```

mod batch;
mod execution;
mod log;
mod preflight;
mod recovery;
// Below this room on the ground, but its child: so that `Context::new` can be called here and by nothing else.
#[path = "../step/mod.rs"]
pub(crate) mod step;

use std::sync::atomic::AtomicBool;

use execution::Execution;
use log::Log;
pub use log::Records;
pub use recovery::{Interrupted, Search, interrupted, record_ended_moves, waiting_for_volumes};
use step::kind;
pub use step::move_tree::{Consent, Recovered};
pub use step::probe::{Capability, Probe, probe};
pub use step::{Done, Meter, raise_guard, set_symlink_evaluation};

use crate::error::{Error, ErrorKind, Result};
pub use crate::journal::{
    Operation, Queue, Tracking, existing_journal, journal_copy, journal_looks_usable, open_journal,
};
use crate::journal::{OperationId, Status};
use crate::model::{Finding, Link, LinkSpec, Lost, Severity, Step};
use crate::plan::{Plan, PlanContext};
use crate::workers;

/// How a plan is carried out: who hears of it, what stops it, and with how many threads.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Looked at between steps, and within steps on whole trees: `true` stops the run at the next safe point.
    pub stop: &'a AtomicBool,
    /// How many threads work. Default: as many as there are cores, up to 8.
    pub workers: Option<usize>,
    /// Where the progress of the work on whole trees is counted. Default: nowhere.
    pub progress: Option<&'a Meter>,
}

impl<'a> Run<'a> {
    /// A run that this stops, with the defaults of the rest.
    #[must_use]
    pub fn new(stop: &'a AtomicBool) -> Self {
        Self { stop, workers: None, progress: None }
    }
}

/// Hears how the work goes.
pub trait Observer {
    /// A step has ended, well or not.
    fn step_ended(&mut self, _step: &Step, _result: &Result<Done>) {}
    /// Something went wrong beside the work itself, which goes on.
    fn warning(&mut self, _error: &Error) {}
}

/// Hears nothing.
impl Observer for () {}

/// The results of a plan.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The operation's number in the journal, if it was written there.
    pub operation: Option<OperationId>,
    /// Refusals that were found before the first change. With any of them nothing was changed.
    pub refused: Vec<Finding>,
    /// One result for each step that was begun, in order.
    pub results: Vec<Result<Done>>,
    /// Whether it was stopped before the last step.
    pub stopped: bool,
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

    /// What copies could not keep.
    pub fn lost(&self) -> impl Iterator<Item = &Lost> {
        self.results.iter().flatten().flat_map(|done| &done.lost)
    }

    /// Why the originals of copied trees were kept, where they were.
    pub fn kept(&self) -> impl Iterator<Item = &Error> {
        self.results.iter().flatten().filter_map(|done| done.kept.as_ref())
    }
}

/// Carries out a plan, step by step. A step that fails leaves the disk as it was, or its error says what
/// is left; the others go on, unless they build on it.
///
/// Each step is checked right before it is performed and read back before it counts. A journal that
/// cannot be written is reported as a warning and costs nothing else. What was begun before a stop
/// is always the first part of the plan.
///
/// Steps that replace symbolic links or junctions are shared out among threads where many stand together, in the order of
/// their paths or against it.
///
/// # Guarantees
/// What can be tried is tried before the first change: with a refusal ([`Report::refused`]), everything is as it was.
/// Killed at any point, every link is whole: made, or not made. Symbolic and hard links appear in
/// one system call; replaced ones change in one. A Windows link on ntfs-3g takes two, and may be
/// left as an empty file or directory, which `undo` removes. A link being removed may be left
/// under a private name beside it (`.linkctl-...`), from where `undo` brings it back.
pub fn apply(
    plan: &Plan,
    operation: &Operation<'_>,
    mut records: Option<Records<'_>>,
    run: Run<'_>,
    observer: &mut dyn Observer,
) -> Report {
    // An undo that finds nothing left to do is recorded all the same: it is done.
    if plan.steps.is_empty() && (operation.undoes.is_none() || operation.partial) {
        return Report::default();
    }
    let refused = preflight::run(&plan.steps, &mut records, observer);
    if refused.iter().any(|finding| finding.severity == Severity::Refusal) {
        return Report { refused, ..Report::default() };
    }
    if let (Some(Records::Journal(journal)), Some(undone)) = (&mut records, operation.undoes) {
        // Once undone, the disk no longer tells what a killed run had done: that is recorded first.
        if let Err(error) = log::settle(journal, undone) {
            observer.warning(&error);
        }
        // Several processes may have planned the same undo.
        if let Ok(Some(cause)) = journal.claim(undone) {
            let path = journal.directory().to_owned();
            let refused = vec![Finding::new(Severity::Refusal, "undone-already", path, cause)];
            return Report { refused, ..Report::default() };
        }
    }
    let meter = Meter::default();
    let work = step::Work {
        meter: run.progress.unwrap_or(&meter),
        stop: run.stop,
        workers: run.workers.unwrap_or_else(workers::cores),
    };
    if let (Some(Records::Journal(journal)), true) =
        (&records, plan.steps.iter().any(|step| kind(step).needs().durable))
    {
        journal.wait_for_disk();
    }
    let log = Log::begin(records, operation, &plan.steps, observer);
    let report = Report { results: Vec::with_capacity(plan.steps.len()), ..Report::default() };
    let mut execution = Execution { steps: &plan.steps, work, log, observer, report, is_broken: false };
    execution.all();
    let Execution { mut log, mut report, observer, .. } = execution;
    log.finish(report.status(), operation, observer);
    // An operation whose journal broke off in the middle cannot be undone as a whole: none is named.
    report.operation = log.operation();
    report
}

/// Plans and makes one link, without a journal, and returns it as it reads back. For other programs.
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
    let plan = crate::plan::create::plan(spec, &PlanContext::default())?;
    let never = AtomicBool::new(false);
    let report = apply(&plan, &Operation::new("create"), None, Run::new(&never), &mut ());
    report.results.into_iter().try_for_each(|result| result.map(drop))?;
    crate::read::inspect::inspect_path(&spec.link, spec.drive)?.link.ok_or_else(|| {
        let cause = "what was made is gone already";
        Error::new(ErrorKind::NotVerified, "create link", &spec.link, cause)
    })
}
