//! What an operation leaves in the journal, or in its queue: an intent before the step, the outcome behind it.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Observer, Queue, Request, state};
use crate::error::{Error, ErrorKind, Result};
use crate::identity::Content;
use crate::journal::{Intent, Journal, OperationId, Outcome, Status, Then, Tracked};
use crate::model::Home;
use crate::plan::Step;
use crate::platform::Directory;
use crate::track;
use crate::undo;

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
    /// Whether links are given another text that somebody else made.
    mends: bool,
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
    pub(super) fn begin(
        records: Option<Records<'j>>,
        request: Request<'_>,
        planned: usize,
        observer: &mut dyn Observer,
    ) -> Self {
        let mends = request.undoes.is_some() || request.verb == crate::repair::VERB;
        let Some(mut records) = records else { return Self { open: None, parent: None, mends } };
        // Once undone, the disk no longer tells what a killed run had done: it is written down first.
        if let (Records::Journal(journal), Some(undone)) = (&mut records, request.undoes)
            && let Err(error) = settle(journal, undone)
        {
            observer.warning(&error);
        }
        match records.begin(request, planned) {
            Ok(id) => Self { open: Some((records, id)), parent: None, mends },
            Err(error) => {
                give_up(&mut records, &error, observer);
                Self { open: None, parent: None, mends }
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

    pub(super) fn intend(
        &mut self,
        first: usize,
        steps: &[Step],
        names: &[String],
        observer: &mut dyn Observer,
    ) {
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

    pub(super) fn record(
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
        let tracked = self.tracked(steps, &outcomes);
        let homes = steps.iter().map(|step| self.in_full(step).ok().and_then(|(_, home)| home));
        let outcomes: Vec<_> = outcomes.into_iter().zip(homes).collect();
        self.write(
            observer,
            |journal, id| {
                if !tracked.is_empty() {
                    journal.track(&tracked, Then::Stay)?;
                }
                journal.record(id, first, &outcomes, then)
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
        let mut tracked = Vec::new();
        for (step, outcome) in steps.iter().zip(outcomes) {
            if !matches!(outcome, Outcome::Done(_)) || !track::leaves_link(step) {
                continue;
            }
            let wanted = match records {
                Records::Journal(journal) if self.mends => {
                    track::full(step.path()).is_ok_and(|link| journal.tracks(&link).unwrap_or(false))
                }
                _ => true,
            };
            // A program that ends right behind it has no time to read what is in a file.
            let content = match records {
                Records::Journal(_) => Content::Small,
                Records::Queue(_) => Content::No,
            };
            if let (true, Some(target)) = (wanted, step.target()) {
                tracked.extend(track::look(step.path(), target, content).ok().flatten());
            }
        }
        tracked
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
    let pending = journal.steps(id)?.into_iter().zip(undo::settled(journal, id)?);
    for (before, after) in pending.filter(|(before, after)| before.outcome != after.outcome) {
        let number = usize::try_from(before.number).unwrap_or(usize::MAX);
        journal.record(id, number, &[(after.outcome, None)], Then::Commit)?;
    }
    Ok(())
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
