//! Planners: each reads the world and returns a [`Plan`]. Nothing here changes a disk; [`mod@crate::apply`] does.
//!
//! Every planner has one shape, `plan(&Spec, &PlanContext)`. What one returns beside the plan stands around it, as in
//! [`repair::Repair`].

pub mod create;
pub mod relocate;
pub mod remove;
pub mod repair;
pub mod undo;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::journal::Journal;
pub use crate::model::{
    Action, ClearReparsePoint, CreateLink, EntryPath, Finding, Lost, MakeDirectory, MoveTree, RemoveEmpty, RemoveLink,
    ReplaceLink, RestoreTree, Rewritten, Seen, SetReparsePoint, Severity, Step, TreeMove, Verify,
};
use crate::platform;
use crate::read::scan::Progress;

/// The steps of one operation, in order, and what there is to know before they are taken.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Plan {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What the user should know first.
    pub findings: Vec<Finding>,
    /// What was asked for and could not be planned.
    pub refused: Vec<Error>,
    /// What moving whole trees takes; `None` where none is moved.
    pub cost: Option<Cost>,
}

/// What moving whole trees takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// How many files, directories and other objects there are.
    pub objects: u64,
    /// How many bytes have to be copied: none within a file system.
    pub bytes: u64,
    /// Whether everything is renamed, and nothing copied.
    pub is_rename: bool,
}

/// What planners read beside the disk. Default: nothing.
#[derive(Clone, Copy, Default)]
pub struct PlanContext<'a> {
    /// What was done and recorded before.
    pub journal: Option<&'a Journal>,
    /// Where the journal is kept, whether there is one yet or not.
    pub state_directory: Option<&'a Path>,
    /// Where the progress of reading trees is counted.
    pub progress: Option<&'a Progress>,
}

impl Plan {
    pub(crate) fn note(&mut self, code: &'static str, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.findings.push(Finding::new(Severity::Note, code, path, text));
    }

    /// Adds the steps and findings of another plan after this one's.
    pub fn append(&mut self, other: Self) {
        if self.steps.is_empty() {
            self.steps = other.steps;
        } else {
            self.steps.extend(other.steps);
        }
        self.findings.extend(other.findings);
        self.refused.extend(other.refused);
    }

    /// What only a try on the disk can tell of the steps: that is tried before the first change, and here only named.
    #[must_use]
    pub fn untried(&self) -> Vec<Finding> {
        self.steps.iter().flat_map(|step| crate::step::kind(step).untried()).collect()
    }

    /// Drops the steps on an entry that an earlier step is on already.
    pub fn deduplicate(&mut self) {
        let mut met = HashSet::with_capacity(self.steps.len());
        self.steps.retain(|step| met.insert(platform::identity_key(step.path())));
    }
}
