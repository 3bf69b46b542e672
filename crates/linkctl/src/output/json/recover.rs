//! What `recover` found and did.

use std::path::Path;

use links::Name;
use links::apply::Recovered;
use serde::Serialize;

use super::{ErrorRecord, name};

#[derive(Serialize)]
pub(crate) struct Document {
    /// What interrupted moves left.
    pub(crate) stages: Vec<Name>,
    pub(crate) recovered: Vec<Record>,
    pub(crate) errors: Vec<ErrorRecord>,
}

#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) stage: Name,
    /// `rolled-back`, `finished`, or `cleared`: an empty private directory, or a link to itself, is gone.
    pub(crate) result: &'static str,
    /// Where the tree is; of `cleared`, what is gone.
    pub(crate) tree: Name,
}

impl Record {
    pub(crate) fn new(stage: &Path, recovered: &Recovered) -> Self {
        let (result, tree) = match recovered {
            Recovered::RolledBack { tree } => ("rolled-back", tree),
            Recovered::Finished { tree, .. } => ("finished", tree),
            Recovered::Cleared { stage } => ("cleared", stage),
        };
        Self { stage: name(stage), result, tree: name(tree) }
    }
}
