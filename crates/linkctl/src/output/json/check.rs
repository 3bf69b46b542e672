//! What `check` found.

use links::check::Blame;
use links::{Link, Name, Target};
use serde::Serialize;

use super::{ErrorRecord, name};

#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) findings: Vec<Finding>,
    pub(crate) errors: Vec<ErrorRecord>,
}

#[derive(Serialize)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) path: Name,
    pub(crate) kind: &'static str,
    pub(crate) target: Option<Name>,
    pub(crate) state: &'static str,
    pub(crate) reason: String,
}

impl From<&(Link, Blame)> for Finding {
    fn from((link, blame): &(Link, Blame)) -> Self {
        Self {
            rule: blame.rule.as_str(),
            path: name(&link.path),
            kind: link.kind.as_str(),
            target: link.target.as_ref().and_then(Target::shown).map(Name),
            state: link.state.as_str(),
            reason: blame.reason.clone(),
        }
    }
}
