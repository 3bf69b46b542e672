//! The steps. One kind is one file: how it is checked and performed, what an interrupted one may have left, and what takes
//! it back.
//!
//! ```text
//! create_link.rs replace_link.rs remove_link.rs make_directory.rs remove_empty.rs reparse_point.rs move_tree/
//! context.rs       what the executor hands to a step
//! on_disk.rs       the place of a recorded step as it is now; undoing.rs what an undo has planned so far
//! entry.rs         checks of one entry
//! make.rs          a link made and read back; probe.rs links made in a temporary directory to see whether they can be
//! private_name.rs  names that only steps use; crash.rs where tests end the program
//! os/              the calls that change something, for each system
//! ```

mod context;
mod crash;
mod create_link;
mod entry;
mod make;
mod make_directory;
pub(crate) mod move_tree;
mod on_disk;
mod os;
mod private_name;
pub(crate) mod probe;
mod remove_empty;
mod remove_link;
mod reparse_point;
mod replace_link;
mod undoing;

pub use context::Meter;
use context::NEVER;
pub(crate) use context::{Context, KeptDirectory, Work};
pub(crate) use crash::crash_where;
pub(crate) use on_disk::OnDisk;
pub use os::{raise_guard, set_symlink_evaluation};
pub(crate) use private_name::{may_be_private, private_name};
pub(crate) use undoing::UndoPlan;

use crate::error::{Error, Result};
use crate::journal::Recorded;
use crate::model::{FileId, Finding, Lost, Step};

/// What the executor, undo and recovery ask of a kind of step.
pub(crate) trait StepKind {
    /// What the executor has to arrange for.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// What only a try on the disk can tell before the step: one finding each, for a run in which nothing may be tried.
    fn untried(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// Tries that. Whatever is made for it is removed again.
    fn preflight(&self) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }

    /// Checks the step's precondition, performs it and reads back what was made. On failure everything is as it was, or
    /// the error says what is not.
    fn perform(&self, context: &Context<'_>) -> Result<Done>;

    /// How a step whose outcome was not recorded stands on the disk.
    fn effect(&self, found: &OnDisk, recorded: &Recorded) -> Effect;

    /// Plans what takes the step back.
    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()>;

    /// Plans the removal of what the step left, as a step of an undo that was interrupted.
    fn clear(&self, _found: &OnDisk, _recorded: &Recorded, _plan: &mut UndoPlan) -> Result<()> {
        Ok(())
    }
}

/// The code of a step's kind.
pub(crate) fn kind(step: &Step) -> &dyn StepKind {
    match step {
        Step::MakeDirectory(step) => step,
        Step::CreateLink(step) => step,
        Step::ReplaceLink(step) => step,
        Step::RemoveLink(step) => step,
        Step::RemoveEmpty(step) => step,
        Step::ClearReparsePoint(step) => step,
        Step::SetReparsePoint(step) => step,
        Step::MoveTree(step) => step,
        Step::RestoreTree(step) => step,
    }
}

/// What the executor has to arrange for a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Its intent is on the disk before it begins.
    pub(crate) durable: bool,
    /// Where it fails, the steps after it are not begun: they build on it.
    pub(crate) ends_plan: bool,
    /// It may be performed beside others of the same kind, if no path is on the way to another.
    pub(crate) parallel: bool,
}

/// The result of a step.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Done {
    /// The identity of what was made.
    pub made: Option<FileId>,
    /// What a copy could not keep.
    pub lost: Vec<Lost>,
    /// Why the original of a copied tree was kept, if it was.
    pub kept: Option<Error>,
}

impl From<FileId> for Done {
    fn from(made: FileId) -> Self {
        Self { made: Some(made), ..Self::default() }
    }
}

/// How a step stands on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Done; with what was made.
    Made(Option<FileId>),
    /// Not done.
    NotMade,
    /// Begun; something is left under its private name.
    Left,
    /// Perhaps begun: what a link is made of has its name.
    Stub,
    /// The place cannot be looked at now.
    Unknown,
}
