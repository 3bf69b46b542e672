//! What `track` records.

use links::Name;
use links::journal::Tracked;
use serde::Serialize;

use super::{ErrorRecord, file_kind, name};

/// What is recorded of links.
#[derive(Default, Serialize)]
pub(crate) struct Document {
    pub(crate) verb: &'static str,
    pub(crate) dry_run: bool,
    pub(crate) tracked: Vec<Record>,
    /// Links that lead nowhere now, of which nothing new is recorded.
    pub(crate) broken: Vec<Name>,
    pub(crate) forgotten: Vec<Record>,
    pub(crate) errors: Vec<ErrorRecord>,
}

#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) path: Name,
    pub(crate) kind: &'static str,
    pub(crate) target: Option<Name>,
    /// What it led to when it was recorded.
    pub(crate) led_to: LedTo,
    /// When that was, in milliseconds since 1970 (UTC).
    pub(crate) recorded: i64,
    /// Of a list: the state of the link, or `changed` where it is gone or says something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct LedTo {
    pub(crate) path: Name,
    pub(crate) kind: &'static str,
    pub(crate) size: u64,
}

impl Record {
    pub(crate) fn new(tracked: &Tracked, state: Option<&'static str>) -> Self {
        let identity = &tracked.identity;
        Self {
            path: name(&tracked.link),
            kind: tracked.target.kind().as_str(),
            target: tracked.target.shown().map(Name),
            led_to: LedTo { path: name(&identity.path), kind: file_kind(identity.kind), size: identity.size },
            recorded: tracked.seen,
            state,
        }
    }
}
