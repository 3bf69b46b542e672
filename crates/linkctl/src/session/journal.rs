//! The journal as commands open it, with its warnings printed.

use std::path::{Path, PathBuf};

use links::apply::{Interrupted, Queue, Records, Search, interrupted, journal_copy, journal_looks_usable};
use links::journal::OperationId;
use links::plan::{Action, Step};
use links::{Error, Journal, PlanContext, VolumesAway};

use crate::failure::{Failure, complain, message};
use crate::output::sanitize;

/// Where the journal of this user is kept.
pub(crate) fn state_directory() -> links::Result<PathBuf> {
    match std::env::var_os("LINKCTL_STATE_DIR").filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => Journal::default_directory(),
    }
}

/// The journal that there is, for reading.
pub(crate) fn existing_journal(directory: &Path) -> links::Result<Option<Journal>> {
    Ok(links::apply::existing_journal(directory)?.map(with_warning))
}

/// What the journal knows of volumes that are not mounted.
pub(crate) fn volumes_away() -> Option<VolumesAway> {
    Some(links::journal::volumes_away(state_directory().ok()?))
}

fn with_warning((journal, warning): (Journal, Option<String>)) -> Journal {
    warning.iter().for_each(|warning| complain("warning", warning));
    journal
}

/// What was recorded before, as planners read it.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) journal: Option<Journal>,
    directory: Option<PathBuf>,
}

impl Recorded {
    /// The journal that there is, if this user has a place for one. Of a dry run it is a copy: nothing is changed.
    pub(crate) fn open(dry_run: bool) -> links::Result<Self> {
        let Ok(directory) = state_directory() else { return Ok(Self::default()) };
        let opened = if dry_run { journal_copy(&directory)? } else { links::apply::existing_journal(&directory)? };
        let journal = opened.map(with_warning);
        Ok(Self { journal, directory: Some(directory) })
    }

    /// The same for changes that a broken journal does not stop: they are planned without it, which is printed.
    pub(crate) fn open_if_readable(dry_run: bool, without: &str) -> Self {
        Self::open(dry_run).unwrap_or_else(|error| Self::unread(&error, without))
    }

    /// Nothing of what was recorded could be read.
    pub(crate) fn unread(error: &Error, without: &str) -> Self {
        complain("warning", &format!("{}: {without}", message(error)));
        Self { journal: None, directory: state_directory().ok() }
    }

    pub(crate) fn context(&self) -> PlanContext<'_> {
        PlanContext {
            journal: self.journal.as_ref(),
            state_directory: self.directory.as_deref(),
            ..PlanContext::default()
        }
    }
}

/// The journal of this user, for writing.
pub(crate) fn open_journal() -> links::Result<Journal> {
    links::apply::open_journal(&state_directory()?).map(with_warning)
}

/// Where a change is recorded.
pub(super) enum Store {
    Journal(Box<Journal>),
    Queue(Queue),
}

impl Store {
    /// The journal, or its queue for a quick change. Without it, the change is made all the same.
    pub(super) fn open(quick: bool, unrecorded: &str) -> Option<Self> {
        let open = || {
            let directory = state_directory()?;
            // What is wrong with the journal is found by opening it.
            if quick && journal_looks_usable(&directory) {
                return Queue::open(&directory).map(Self::Queue);
            }
            let journal = open_journal()?;
            tell_unrecovered(&journal);
            Ok(Self::Journal(Box::new(journal)))
        };
        open().inspect_err(|error| unjournaled(error, unrecorded)).ok()
    }

    pub(super) fn records(&mut self) -> Records<'_> {
        match self {
            Self::Journal(journal) => Records::Journal(journal),
            Self::Queue(queue) => Records::Queue(queue),
        }
    }

    /// The number of the operation that went into the queue.
    pub(super) fn number(&self, unrecorded: &str) -> Option<OperationId> {
        match self {
            Self::Journal(_) => None,
            Self::Queue(queue) => queue.number().inspect_err(|error| unjournaled(error, unrecorded)).ok().flatten(),
        }
    }
}

/// Prints that moves were interrupted, and what finishes them; and gives these moves.
pub(crate) fn tell_unrecovered(journal: &Journal) -> Vec<Interrupted> {
    let found = interrupted(Some(journal), Search::Recent);
    let found = found.map_err(|error| complain("warning", &message(&error))).unwrap_or_default();
    for interrupted in &found {
        let left = sanitize::quoted(interrupted.path());
        complain("note", &format!("an interrupted move left {left}; `linkctl recover` finishes it"));
    }
    found
}

/// Nothing is done to a tree whose last move is not over.
pub(crate) fn must_be_recovered(left: &Path) -> Failure {
    let message = format!("an interrupted move left {}: it has to be finished first", sanitize::quoted(left));
    Failure::refused(message, "`linkctl recover` finishes it, or takes it back")
}

/// What a change that is not recorded lacks later.
pub(super) fn unrecorded(steps: &[Step]) -> String {
    let tree = steps.iter().find(|step| step.tree().is_some());
    match tree.map(|step| (step.action(), sanitize::quoted(step.path()))) {
        Some((Action::Move, link)) => {
            format!("`linkctl undo` will not know this move, but `linkctl restore` of {link} brings it back")
        }
        Some(_) => "`linkctl undo` will not know of it, but `linkctl move` takes it there again".to_owned(),
        None => "this change cannot be undone by linkctl".to_owned(),
    }
}

pub(super) fn unjournaled(error: &Error, unrecorded: &str) {
    complain("warning", &format!("{}: {unrecorded}", message(error)));
}
