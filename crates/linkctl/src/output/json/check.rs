//! What `check` found.

use links::check::Blame;
use links::{Link, Name, Target};
use serde::Serialize;

use super::link::LinkRecord;
use super::{ErrorRecord, name};

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) findings: Vec<Finding>,
    /// Links to volumes that are not mounted: whether they are well cannot be told.
    pub(crate) away: Vec<LinkRecord<'a>>,
    pub(crate) errors: Vec<ErrorRecord>,
}

record! {
    Finding of blamed: &(Link, Blame),
        link = &blamed.0
    => {
        rule: &'static str = blamed.1.rule.as_str(),
        path: Name = name(&link.path),
        kind: &'static str = link.kind.as_str(),
        target: Option<Name> = link.target.as_ref().and_then(Target::shown).map(Name),
        state: &'static str = link.state.as_str(),
        reason: String = blamed.1.reason.clone(),
    }
}
