//! What an operation leaves in the journal, or in its queue: an intent before the step, the outcome behind it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Observer, Request, replaced};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::track;
use crate::journal::{Intent, Journal, OperationId, Outcome, Queue, Status, Then, Tracked, state};
use crate::model::Home;
use crate::model::Step;
use crate::plan::undo;
use crate::platform::Directory;
use crate::read::identity::Content;

/// Where it is written down what is done.
pub(super) enum Records<'j> {
    Journal(&'j mut Journal),
    Queue(&'j mut Queue),
}

/// The journal of one run, or none: once it fails, it is told and given up, and the work goes on.
pub(super) struct Log<'j> {
    open: Option<(Records<'j>, Option<OperationId>)>,
    /// The parent directory met last: the next step's is mostly the same.
    parent: Option<Parent>,
    /// The first steps of chunks with directories that are still to be made: they are asked for again behind them.
    homeless: BTreeSet<usize>,
    /// Whether links are given another text that somebody else made, and whether any of those is recorded.
    mends: Option<bool>,
    undoes: bool,
}

/// A directory that steps are in.
struct Parent {
    typed: PathBuf,
    /// Without links, as far as it exists.
    full: PathBuf,
    home: Option<Home>,
    /// Whether links may be in `full`: it is what was typed.
    is_spelt_out: bool,
}

impl Parent {
    fn find(typed: &Path) -> io::Result<Self> {
        let (typed, mut rest) = (typed.to_owned(), Vec::new());
        let mut head = typed.as_path();
        loop {
            match Directory::open(head) {
                Ok(directory) => {
                    let physical = directory.physical_path();
                    let is_spelt_out = physical.is_err();
                    let mut full = physical.or_else(|error| spelt_out(head, error))?;
                    full.extend(rest.iter().rev());
                    let home = if rest.is_empty() { Some(directory.home()?) } else { None };
                    return Ok(Self { typed, full, home, is_spelt_out });
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
    fn new(open: Option<(Records<'j>, Option<OperationId>)>) -> Self {
        Self { open, parent: None, homeless: BTreeSet::new(), mends: None, undoes: false }
    }

    pub(super) fn begin(
        records: Option<Records<'j>>,
        request: Request<'_>,
        planned: usize,
        observer: &mut dyn Observer,
    ) -> Self {
        let Some(mut records) = records else { return Self::new(None) };
        let mends = match &records {
            Records::Journal(journal)
                if request.undoes.is_some() || request.verb == crate::plan::repair::VERB =>
            {
                Some(journal.tracks_anything().unwrap_or(true))
            }
            _ => None,
        };
        // Once undone, the disk no longer tells what a killed run had done: it is written down first.
        if let (Records::Journal(journal), Some(undone)) = (&mut records, request.undoes)
            && let Err(error) = settle(journal, undone)
        {
            observer.warning(&error);
        }
        match records.begin(request, planned) {
            Ok(id) => Self { mends, undoes: request.undoes.is_some(), ..Self::new(Some((records, id))) },
            Err(error) => {
                give_up(&mut records, &error, observer);
                Self::new(None)
            }
        }
    }

    pub(super) fn operation(&self) -> Option<OperationId> {
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
            give_up(records, &error, observer);
            self.open = None;
        }
    }

    /// Whether it is written down, each at the very path that its step has: then no link leads to any of them.
    pub(super) fn intend(
        &mut self,
        first: usize,
        steps: &[Step],
        names: &[String],
        observer: &mut dyn Observer,
    ) -> bool {
        if self.open.is_none() {
            return false;
        }
        let mut intents = Vec::with_capacity(steps.len());
        let mut is_physical = true;
        for (step, private_name) in steps.iter().zip(names) {
            match self.in_full(step) {
                Ok((step, home)) => {
                    is_physical &= matches!(step, Cow::Borrowed(_))
                        && self.parent.as_ref().is_some_and(|parent| !parent.is_spelt_out);
                    intents.push(Intent { step, private_name, home });
                }
                // Undone from elsewhere, a path that is not full would mean another place.
                Err(error) => {
                    let error = Error::io("write down the place of", step.path(), error);
                    observer.warning(&error.of_kind(ErrorKind::Journal));
                    let end = |journal: &mut Journal, id| match first {
                        0 => journal.forget(id),
                        // What came of the steps before.
                        _ => journal.keep(),
                    };
                    self.write(observer, end, |_| Ok(()));
                    self.open = None;
                    return false;
                }
            }
        }
        if intents.iter().any(|intent| intent.home.is_none()) {
            self.homeless.insert(first);
        }
        self.write(
            observer,
            |journal, id| journal.intend(id, first, &intents),
            |queue| queue.intend(&intents),
        );
        self.open.is_some() && is_physical
    }

    /// The step with its path in full, links in the parent resolved: undone next month from another
    /// directory, it must still mean the same place. With the directory it is in, once that exists.
    fn in_full<'s>(&mut self, step: &'s Step) -> io::Result<(Cow<'s, Step>, Option<Home>)> {
        let path = step.path();
        let parent = self.parent_of(path)?;
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let full = parent.full.join(name);
        // Byte for byte: as a path, one with a slash too many is the same.
        let step = if full.as_os_str() == path.as_os_str() {
            Cow::Borrowed(step)
        } else {
            Cow::Owned(step.clone().at(full))
        };
        Ok((step, parent.home))
    }

    fn parent_of(&mut self, path: &Path) -> io::Result<&Parent> {
        let typed = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match self.parent.take() {
            Some(known) if known.typed == typed && known.home.is_some() => Ok(self.parent.insert(known)),
            _ => Ok(self.parent.insert(Parent::find(typed)?)),
        }
    }

    /// To be in the journal with what is written down next.
    pub(super) fn record(
        &mut self,
        first: usize,
        steps: &[Step],
        outcomes: Vec<Outcome>,
        observer: &mut dyn Observer,
    ) {
        if self.open.is_none() {
            return;
        }
        let tracked = self.tracked(steps, &outcomes);
        let mut replaced = replaced::of(steps, &outcomes, self.undoes);
        if !replaced.is_empty() && !self.is_tracking() {
            replaced.clear();
        }
        let ask = self.homeless.remove(&first);
        let home = |step: &Step| if ask { self.parent_of(step.path()).ok()?.home } else { None };
        let outcomes: Vec<_> = outcomes.into_iter().zip(steps.iter().map(home)).collect();
        self.write(
            observer,
            |journal, id| {
                // By the records of before; what is recorded anew knows the links that are there now.
                if !replaced.is_empty() {
                    replaced::follow(journal, &replaced)?;
                }
                if !tracked.is_empty() {
                    journal.track(&tracked, Then::Stay)?;
                }
                journal.record(id, first, &outcomes, Then::Stay)
            },
            |queue| {
                queue.record(&outcomes, tracked.first());
                Ok(())
            },
        );
    }

    /// What the links lead to that were made. Where links that were there already got another text, only what was
    /// recorded of them before is recorded anew.
    fn tracked(&self, steps: &[Step], outcomes: &[Outcome]) -> Vec<Tracked> {
        let Some((records, _)) = &self.open else { return Vec::new() };
        if self.mends == Some(false) {
            return Vec::new();
        }
        let mut tracked = Vec::new();
        for (step, outcome) in steps.iter().zip(outcomes) {
            if !matches!(outcome, Outcome::Done(_)) || !track::leaves_link(step) {
                continue;
            }
            if self.mends.is_some()
                && !matches!(records, Records::Journal(journal) if is_recorded(journal, step))
            {
                continue;
            }
            // A program that ends right behind it has no time to read what is in a file.
            let content = match records {
                Records::Journal(_) => Content::Small,
                Records::Queue(_) => Content::No,
            };
            if let Some(target) = step.target() {
                tracked.extend(track::look(step.path(), target, content).ok().flatten());
            }
        }
        tracked
    }

    /// Whether anything is recorded of any link.
    fn is_tracking(&self) -> bool {
        match (&self.open, self.mends) {
            (Some((Records::Journal(_), _)), Some(is_any)) => is_any,
            (Some((Records::Journal(journal), _)), None) => journal.tracks_anything().unwrap_or(true),
            _ => false,
        }
    }

    pub(super) fn finish(&mut self, status: Status, request: Request<'_>, observer: &mut dyn Observer) {
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
    let known: Vec<_> =
        undo::settled(journal, id)?.into_iter().map(|step| (step.number, step.outcome)).collect();
    journal.settle_steps(id, known)
}

/// The journal is of no more use to this run. Damage that only shows now would show again: the file is
/// set aside, and the next run begins a new one.
fn give_up(records: &mut Records<'_>, error: &Error, observer: &mut dyn Observer) {
    observer.warning(error);
    if error.kind() != ErrorKind::CorruptJournal {
        return;
    }
    if let Records::Journal(journal) = records {
        journal.let_go();
    }
    if let Err(error) = state::set_aside_if_broken(records.directory()) {
        observer.warning(&error);
    }
}

/// Whether something is recorded of the link that a step changes: by its path, or as itself where it was moved.
fn is_recorded(journal: &Journal, step: &Step) -> bool {
    let Ok(link) = track::full(step.path()) else { return false };
    let moved = match step {
        Step::ReplaceLink { old, .. } => journal.tracked_link(&link, &old.target, Some(old.id), None),
        _ => Ok(None),
    };
    journal.tracks(&link).unwrap_or(false) || moved.is_ok_and(|found| found.is_some())
}
