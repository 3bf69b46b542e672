//! The only executor: check, journal, act, verify, record. Whatever changes a disk is below here.

mod os;
mod probe;
mod queue;
mod state;
mod step;

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

pub use probe::{Capability, Finding, probe};
pub use queue::Queue;
pub use state::{existing_journal, open_journal};

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Intent, Journal, OperationId, Outcome, Status, Then};
use crate::model::{FileId, Home, Link, LinkSpec};
use crate::plan::{Plan, Step};
use crate::platform::{Directory, Place};
use crate::undo;

/// Steps are written down this many at a time: one commit before them, one behind.
const CHUNK: usize = 256;

/// What an operation is called in the journal.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The operation that this one undoes.
    pub undoes: Option<OperationId>,
    /// Whether the plan leaves out a part of what it undoes, which then is not undone.
    pub in_part: bool,
}

impl<'a> Request<'a> {
    /// An operation that undoes no other.
    #[must_use]
    pub fn new(verb: &'a str) -> Self {
        Self { verb, undoes: None, in_part: false }
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
    let mut report =
        Report { operation: None, results: Vec::with_capacity(plan.steps.len()), stopped: false };
    // An undo that finds nothing left to do is written down all the same: it is done.
    if plan.steps.is_empty() && (request.undoes.is_none() || request.in_part) {
        return report;
    }
    let mut log = Log::begin(records, request, plan.steps.len(), observer);
    report.operation = log.operation();
    // What is undone lies at paths of the journal, in which no link was.
    let open = if request.undoes.is_some() { Place::open_physical } else { Place::open };
    for (index, chunk) in plan.steps.chunks(CHUNK).enumerate() {
        if stop.load(Ordering::Relaxed) {
            report.stopped = true;
            break;
        }
        let names: Vec<String> = chunk.iter().map(|_| step::private_name()).collect();
        log.intend(index * CHUNK, chunk, &names, observer);
        let mut outcomes = Vec::with_capacity(chunk.len());
        for (step, name) in chunk.iter().zip(&names) {
            if stop.load(Ordering::Relaxed) {
                report.stopped = true;
                outcomes.push(Outcome::NotReached);
                continue;
            }
            let result = step::perform(step, name, open);
            crash_point(report.results.len());
            observer.step_ended(step, &result);
            outcomes.push(match &result {
                Ok(made) => Outcome::Done(*made),
                Err(error) if error.kind() == ErrorKind::Unsure => Outcome::Unsure(error.to_string()),
                Err(error) => Outcome::Failed(error.to_string()),
            });
            report.results.push(result);
        }
        let last = report.stopped || report.results.len() == plan.steps.len();
        log.record(index * CHUNK, chunk, outcomes, if last { Then::Stay } else { Then::Commit }, observer);
    }
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

/// Where it is written down what is done.
enum Records<'j> {
    Journal(&'j mut Journal),
    Queue(&'j mut Queue),
}

/// The journal of one run, or none: once it fails, it is told and given up, and the work goes on.
struct Log<'j> {
    open: Option<(Records<'j>, Option<OperationId>)>,
    /// The parent directory met last: the next step's is mostly the same.
    parent: Option<Parent>,
}

/// A directory that steps are in.
struct Parent {
    typed: PathBuf,
    /// Without links, as far as it exists.
    full: PathBuf,
    home: Option<Home>,
}

impl Parent {
    fn find(typed: &Path) -> io::Result<Self> {
        let (typed, mut rest) = (typed.to_owned(), Vec::new());
        let mut head = typed.as_path();
        loop {
            match Directory::open(head) {
                Ok(directory) => {
                    let mut full = directory.physical_path().or_else(|error| spelt_out(head, error))?;
                    full.extend(rest.iter().rev());
                    let home = if rest.is_empty() { Some(directory.home()?) } else { None };
                    return Ok(Self { typed, full, home });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let Some(name) = head.file_name() else { return Err(io::ErrorKind::NotFound.into()) };
            rest.push(name.to_owned());
            let parent = head.parent().filter(|parent| !parent.as_os_str().is_empty());
            head = parent.unwrap_or(Path::new("."));
        }
    }
}

impl Records<'_> {
    fn directory(&self) -> &Path {
        match self {
            Self::Journal(journal) => journal.directory(),
            Self::Queue(queue) => queue.directory(),
        }
    }

    fn begin(&mut self, request: Request<'_>, planned: usize) -> Result<Option<OperationId>> {
        match self {
            Self::Journal(journal) => journal.begin(request.verb, request.undoes, planned).map(Some),
            Self::Queue(queue) => {
                queue.begin(request.verb);
                Ok(None)
            }
        }
    }
}

impl<'j> Log<'j> {
    fn begin(
        records: Option<Records<'j>>,
        request: Request<'_>,
        planned: usize,
        observer: &mut dyn Observer,
    ) -> Self {
        let Some(mut records) = records else { return Self { open: None, parent: None } };
        // Once undone, the disk no longer tells what a killed run had done: it is written down first.
        if let (Records::Journal(journal), Some(undone)) = (&mut records, request.undoes)
            && let Err(error) = settle(journal, undone)
        {
            observer.warning(&error);
        }
        match records.begin(request, planned) {
            Ok(id) => Self { open: Some((records, id)), parent: None },
            Err(error) => {
                give_up(records.directory(), &error, observer);
                Self { open: None, parent: None }
            }
        }
    }

    fn operation(&self) -> Option<OperationId> {
        self.open.as_ref().and_then(|(_, id)| *id)
    }

    fn write(
        &mut self,
        observer: &mut dyn Observer,
        journal: impl FnOnce(&mut Journal, OperationId) -> Result<()>,
        queue: impl FnOnce(&mut Queue) -> Result<()>,
    ) {
        let Some((records, id)) = &mut self.open else { return };
        let written = match (&mut *records, *id) {
            (Records::Journal(open), Some(id)) => journal(open, id),
            (Records::Queue(open), _) => queue(open),
            (Records::Journal(_), None) => Ok(()),
        };
        if let Err(error) = written {
            give_up(records.directory(), &error, observer);
            self.open = None;
        }
    }

    fn intend(&mut self, first: usize, steps: &[Step], names: &[String], observer: &mut dyn Observer) {
        if self.open.is_none() {
            return;
        }
        let mut intents = Vec::with_capacity(steps.len());
        for (step, private_name) in steps.iter().zip(names) {
            match self.in_full(step) {
                Ok((step, home)) => intents.push(Intent { step, private_name, home }),
                // Undone from elsewhere, a path that is not full would mean another place.
                Err(error) => {
                    let error = Error::io("write down the place of", step.path(), error);
                    observer.warning(&error.of_kind(ErrorKind::Journal));
                    if first == 0 {
                        self.write(observer, Journal::forget, |_| Ok(()));
                    }
                    self.open = None;
                    return;
                }
            }
        }
        self.write(
            observer,
            |journal, id| journal.intend(id, first, &intents),
            |queue| queue.intend(&intents),
        );
    }

    /// The step with its path in full, links in the parent resolved: undone next month from another
    /// directory, it must still mean the same place. With the directory it is in, once that exists.
    fn in_full(&mut self, step: &Step) -> io::Result<(Step, Option<Home>)> {
        let path = step.path();
        let typed = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if self.parent.as_ref().is_none_or(|known| known.typed != typed || known.home.is_none()) {
            self.parent = Some(Parent::find(typed)?);
        }
        match (&self.parent, path.file_name()) {
            (Some(parent), Some(name)) => Ok((step.clone().at(parent.full.join(name)), parent.home)),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn record(
        &mut self,
        first: usize,
        steps: &[Step],
        outcomes: Vec<Outcome>,
        then: Then,
        observer: &mut dyn Observer,
    ) {
        if self.open.is_none() {
            return;
        }
        let homes = steps.iter().map(|step| self.in_full(step).ok().and_then(|(_, home)| home));
        let outcomes: Vec<_> = outcomes.into_iter().zip(homes).collect();
        self.write(
            observer,
            |journal, id| journal.record(id, first, &outcomes, then),
            |queue| {
                queue.record(&outcomes);
                Ok(())
            },
        );
    }

    fn finish(&mut self, status: Status, request: Request<'_>, observer: &mut dyn Observer) {
        let wholly = status == Status::Done && !request.in_part;
        let undone = request.undoes.filter(|_| wholly);
        self.write(
            observer,
            |journal, id| journal.finish_operation(id, status, undone),
            |queue| queue.finish(status),
        );
    }
}

/// The path of a directory that lies too deep for the kernel to name, as it was typed. Should a link be on
/// it, an undo will find the path not physical, and refuse.
fn spelt_out(path: &Path, error: io::Error) -> io::Result<PathBuf> {
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(error);
    }
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    Ok(Directory::open(Path::new("."))?.physical_path()?.join(path))
}

/// Writes down what the disk tells of steps whose end was never recorded.
fn settle(journal: &mut Journal, id: OperationId) -> Result<()> {
    if journal.tally(id)?.pending == 0 {
        return Ok(());
    }
    let pending = journal.steps(id)?.into_iter().zip(undo::settled(journal, id)?);
    for (before, after) in pending.filter(|(before, after)| before.outcome != after.outcome) {
        let number = usize::try_from(before.number).unwrap_or(usize::MAX);
        journal.record(id, number, &[(after.outcome, None)], Then::Commit)?;
    }
    Ok(())
}

/// The journal is of no more use to this run. Damage that only shows now would show again: the file is
/// set aside, and the next run begins a new one.
fn give_up(directory: &Path, error: &Error, observer: &mut dyn Observer) {
    observer.warning(error);
    if error.kind() == ErrorKind::CorruptJournal
        && let Err(error) = state::set_aside_if_broken(directory)
    {
        observer.warning(&error);
    }
}

/// Tests end the program here, as a crash would: `LINKCTL_CRASH_AFTER_STEP=N` behind the Nth step.
fn crash_point(done_before: usize) {
    // Not in what users run: no environment shall end another program that uses the library.
    if !cfg!(debug_assertions) {
        return;
    }
    let wanted = std::env::var("LINKCTL_CRASH_AFTER_STEP").ok().and_then(|text| text.parse::<usize>().ok());
    if wanted == Some(done_before + 1) {
        std::process::abort();
    }
}
