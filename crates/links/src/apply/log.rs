//! What an operation leaves in the journal, or in its queue: intents before the steps, outcomes after.

use std::path::{Path, PathBuf};

use super::Observer;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::track;
use crate::journal::{
    Intent, Journal, Operation, OperationId, Outcome, Queue, Status, Then, Tracked, Tracking, replaced, state,
};
use crate::model::{Home, ReplaceLink, Step};
use crate::plan::undo;
use crate::platform::{Directory, FileSystems};
use crate::read::identity::{Content, Identity};

/// Where an operation is recorded.
pub enum Records<'j> {
    /// In the database.
    Journal(&'j mut Journal),
    /// In a line of its queue, which costs a tenth of opening the database: for operations of few steps that undo nothing.
    /// It is in the history as soon as that is read.
    Queue(&'j mut Queue),
}

/// The records of one run, or none: once writing fails, that is reported and given up, and the work goes on.
pub(super) struct Log<'j> {
    open: Option<(Records<'j>, Option<OperationId>)>,
    /// The directory of the step met last: the next step's is mostly the same.
    parent: Option<(PathBuf, Home)>,
    file_systems: FileSystems,
    tracking: Tracking,
    /// Whether anything is recorded of any link, once that was asked.
    is_tracking: Option<bool>,
    undoes: bool,
}

impl Records<'_> {
    fn directory(&self) -> &Path {
        match self {
            Self::Journal(journal) => journal.directory(),
            Self::Queue(queue) => queue.directory(),
        }
    }

    fn begin(&mut self, operation: &Operation<'_>, steps: &[Step]) -> Result<Option<OperationId>> {
        match self {
            Self::Journal(journal) => journal.begin(operation, steps).map(Some),
            Self::Queue(queue) => {
                queue.begin(operation.verb);
                Ok(None)
            }
        }
    }
}

impl<'j> Log<'j> {
    pub(super) fn begin(
        records: Option<Records<'j>>,
        operation: &Operation<'_>,
        steps: &[Step],
        observer: &mut dyn Observer,
    ) -> Self {
        let (tracking, undoes) = (operation.tracking, operation.undoes.is_some());
        let file_systems = FileSystems::default();
        let mut log = Self { open: None, parent: None, file_systems, tracking, is_tracking: None, undoes };
        let Some(mut records) = records else { return log };
        match records.begin(operation, steps) {
            Ok(id) => log.open = Some((records, id)),
            Err(error) => give_up(&mut records, &error, observer),
        }
        log
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

    /// Records what is about to be done. Returns the directory of each step, where that exists.
    pub(super) fn intend(
        &mut self,
        first: usize,
        steps: &[Step],
        names: &[String],
        observer: &mut dyn Observer,
    ) -> Vec<Option<Home>> {
        if self.open.is_none() {
            return vec![None; steps.len()];
        }
        let homes: Vec<_> = steps.iter().map(|step| self.home(step)).collect();
        let intents = steps.iter().zip(names).zip(&homes);
        let intents: Vec<_> =
            intents.map(|((step, private_name), home)| Intent { step, private_name, home: home.clone() }).collect();
        self.write(observer, |journal, id| journal.intend(id, first, &intents), |queue| queue.intend(&intents));
        homes
    }

    /// The directory that a step's entry is in; `None` as long as it is still to be made.
    fn home(&mut self, step: &Step) -> Option<Home> {
        let parent = step.path().parent()?;
        match &self.parent {
            Some((known, home)) if known == parent => Some(home.clone()),
            _ => {
                let opened = Directory::open_physical(parent);
                let home = opened.and_then(|directory| directory.home(&self.file_systems)).ok()?;
                self.parent = Some((parent.to_owned(), home.clone()));
                Some(home)
            }
        }
    }

    /// To be in the journal with what is recorded next.
    pub(super) fn record(
        &mut self,
        first: usize,
        steps: &[Step],
        outcomes: Vec<Outcome>,
        homes: &[Option<Home>],
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
        // What was made after its intent was recorded has a directory only now.
        let mut late = |step, known: &Option<Home>| if known.is_some() { None } else { self.home(step) };
        let late: Vec<_> = steps.iter().zip(homes).map(|(step, known)| late(step, known)).collect();
        let outcomes: Vec<_> = outcomes.into_iter().zip(late).collect();
        if let Some((Records::Queue(queue), _)) = &mut self.open {
            queue.record(outcomes, tracked);
            return;
        }
        let tracked: Vec<_> = tracked.into_iter().flatten().collect();
        let trees = trees(first, steps, &outcomes);
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
                for (number, tree) in &trees {
                    journal.know_tree(id, *number, tree, Then::Stay)?;
                }
                journal.record(id, first, &outcomes, Then::Stay)
            },
            |_| Ok(()),
        );
    }

    /// What the links lead to that the steps made.
    fn tracked(&mut self, steps: &[Step], outcomes: &[Outcome]) -> Vec<Option<Tracked>> {
        let only_recorded = self.tracking == Tracking::Recorded || self.undoes;
        if only_recorded && !self.is_tracking() {
            return vec![None; steps.len()];
        }
        let Some((records, _)) = &self.open else { return Vec::new() };
        let file_systems = &self.file_systems;
        let look = |(step, outcome): (&Step, &Outcome)| {
            if !matches!(outcome, Outcome::Done(_)) || !step.leaves_soft_link() {
                return None;
            }
            let content = match records {
                Records::Journal(journal) if only_recorded && !is_recorded(journal, step) => return None,
                Records::Journal(_) => Content::Small,
                Records::Queue(queue) => queue.content(),
            };
            track::look(step.path(), step.target()?, content, file_systems).ok().flatten()
        };
        steps.iter().zip(outcomes).map(look).collect()
    }

    /// Whether anything is recorded of any link.
    fn is_tracking(&mut self) -> bool {
        let Some((Records::Journal(journal), _)) = &self.open else { return false };
        *self.is_tracking.get_or_insert_with(|| journal.tracks_anything().unwrap_or(true))
    }

    pub(super) fn finish(&mut self, status: Status, operation: &Operation<'_>, observer: &mut dyn Observer) {
        let wholly = status == Status::Done && !operation.partial;
        let undone = operation.undoes.filter(|_| wholly);
        self.write(observer, |journal, id| journal.finish_operation(id, status, undone), |queue| queue.finish(status));
    }
}

/// The trees that steps moved, with the number of each step.
fn trees(first: usize, steps: &[Step], outcomes: &[(Outcome, Option<Home>)]) -> Vec<(u64, Identity)> {
    let moved = (first..).zip(steps).zip(outcomes).filter_map(|((number, step), (outcome, _))| {
        let (Some(tree), Outcome::Done(made)) = (step.tree(), outcome) else { return None };
        let identity = Identity::of_tree(tree.to).ok()?;
        // What took its name in the meantime is not it.
        let is_it = made.is_none_or(|made| made.file == identity.id.file);
        Some((u64::try_from(number).ok()?, identity)).filter(|_| is_it)
    });
    moved.collect()
}

/// Records what the disk tells of steps whose outcome was never recorded.
pub(super) fn settle(journal: &mut Journal, id: OperationId) -> Result<()> {
    if journal.tally(id)?.pending == 0 {
        return Ok(());
    }
    let known: Vec<_> = undo::settled(journal, id)?.into_iter().map(|step| (step.number, step.outcome)).collect();
    journal.settle_steps(id, known)
}

/// The journal is of no more use to this run. Damage that only shows now would show again: the file is
/// set aside, and the next run begins a new one.
pub(super) fn give_up(records: &mut Records<'_>, error: &Error, observer: &mut dyn Observer) {
    observer.warning(error);
    if error.kind() != ErrorKind::CorruptJournal {
        return;
    }
    if let Records::Journal(journal) = records {
        journal.close();
    }
    if let Err(error) = state::set_aside_if_broken(records.directory()) {
        observer.warning(&error);
    }
}

/// Whether something is recorded of the link that a step changes: by its path, or as itself where it was moved.
fn is_recorded(journal: &Journal, step: &Step) -> bool {
    let link = step.path();
    let moved = match step {
        Step::ReplaceLink(ReplaceLink { old, .. }) => journal.tracked_link(link, &old.target, Some(old.id), None),
        _ => Ok(None),
    };
    journal.tracks(link).unwrap_or(false) || moved.is_ok_and(|found| found.is_some())
}
