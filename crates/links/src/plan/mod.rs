//! A plan: what a verb wants to have changed. Pure data; only [`mod@crate::apply`] carries it out.

pub mod create;
pub mod relocate;
pub mod remove;
pub mod repair;
pub mod undo;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::platform::{self, Directory};

pub use crate::model::{Action, Rewritten, Seen, Step, Verify};

/// The steps of one operation, in order, and what is to be said of them before they are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What the user should know first.
    pub notes: Vec<Note>,
}

/// Something worth knowing about a step; nothing that stops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The path it is about.
    pub path: PathBuf,
    /// What to know. Names in it are quoted and escaped already.
    pub text: String,
}

impl Plan {
    pub(crate) fn note(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.notes.push(Note { path: path.into(), text: text.into() });
    }

    /// Adds the steps and notes of another plan behind this one's.
    pub fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.notes.extend(other.notes);
    }
}

/// Drops the steps of a plan on a place that an earlier step is on already, however its path is written.
pub fn deduplicate(plan: &mut Plan) {
    let mut parents: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut met: HashMap<PathBuf, Vec<OsString>> = HashMap::new();
    plan.steps.retain(|step| {
        let path = step.path();
        let typed = path.parent().unwrap_or(Path::new(""));
        let parent = parents.entry(typed.to_owned()).or_insert_with(|| {
            let physical = Directory::open(typed).and_then(|directory| directory.physical_path());
            physical.unwrap_or_else(|_| typed.to_owned())
        });
        let name = path.file_name().unwrap_or_default();
        let same = |known: &OsString| platform::is_same_name(known, name);
        let known: &mut Vec<OsString> = met.entry(parent.clone()).or_default();
        let new = !known.iter().any(same);
        if new {
            known.push(name.to_owned());
        }
        new
    });
}
