//! What `recover` found and did.

use std::path::Path;

use links::Name;
use links::apply::Recovered;
use serde::Serialize;

use super::change::FindingRecord;
use super::{ErrorRecord, name};

#[derive(Serialize)]
pub(crate) struct Document {
    /// What interrupted moves left.
    pub(crate) stages: Vec<Name>,
    pub(crate) recovered: Vec<Record>,
    /// Moves of which nothing tells how they stand, because their volume is away.
    pub(crate) findings: Vec<FindingRecord>,
    pub(crate) errors: Vec<ErrorRecord>,
}

record! {
    Record of (stage, recovered): (&Path, &Recovered),
        (result, tree) = match recovered {
            Recovered::RolledBack { tree } => ("rolled-back", tree),
            Recovered::Finished { tree, .. } => ("finished", tree),
            Recovered::Cleared { stage } => ("cleared", stage),
        }
    => {
        stage: Name = name(stage),
        /// `rolled-back`, `finished`, or `cleared`: an empty private directory, or a link to itself, is gone.
        result: &'static str = result,
        /// Where the tree is; of `cleared`, what is gone.
        tree: Name = name(tree),
    }
}
