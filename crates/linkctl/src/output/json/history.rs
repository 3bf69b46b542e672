//! What the journal has.

use std::ffi::OsString;

use jiff::Timestamp;
use links::journal::{Outcome, Recorded, RecordedOperation};
use links::{LinkKind, Name, Target};
use serde::Serialize;

use super::name;

#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) operations: Vec<OperationRecord>,
}

#[derive(Serialize)]
pub(crate) struct OperationRecord {
    pub(crate) id: i64,
    pub(crate) verb: String,
    pub(crate) began: String,
    pub(crate) ended: Option<String>,
    pub(crate) state: &'static str,
    pub(crate) uid: Option<u32>,
    pub(crate) user: Option<String>,
    pub(crate) sudo_user: Option<String>,
    pub(crate) undoes: Option<i64>,
    pub(crate) undone_by: Option<i64>,
    pub(crate) planned: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<Vec<StepRecord>>,
}

record! {
    StepRecord of recorded: &Recorded => {
        action: &'static str = recorded.step.action().as_str(),
        path: Name = name(recorded.step.path()),
        kind: Option<&'static str> = recorded.step.kind().map(LinkKind::as_str),
        target: Option<Name> = shown(recorded).map(Name),
        result: &'static str = outcome(recorded),
        error: Option<String> = match &recorded.outcome {
            Outcome::Failed(error) | Outcome::Unsure(error) => Some(error.clone()),
            _ => None,
        },
    }
}

impl OperationRecord {
    /// `done` also counts what was found on the disk.
    pub(crate) fn new(operation: &RecordedOperation, done: u64, failed: u64, steps: Option<&[Recorded]>) -> Self {
        let utc = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_string();
        let user = operation.user.as_ref();
        Self {
            id: operation.id.0,
            verb: operation.verb.clone(),
            began: utc(operation.began),
            ended: operation.ended.map(utc),
            state: operation.status.as_str(),
            uid: user.map(|user| user.uid),
            user: user.and_then(|user| user.name.clone()),
            sudo_user: user.and_then(|user| user.sudo.clone()),
            undoes: operation.undoes.map(|id| id.0),
            undone_by: operation.undone_by.map(|id| id.0),
            planned: operation.planned,
            done,
            failed,
            steps: steps.map(|steps| steps.iter().map(Into::into).collect()),
        }
    }
}

pub(crate) fn shown(recorded: &Recorded) -> Option<OsString> {
    recorded.step.target().and_then(Target::shown)
}

pub(crate) fn outcome(recorded: &Recorded) -> &'static str {
    match &recorded.outcome {
        Outcome::Done(_) => "done",
        Outcome::Failed(_) => "failed",
        Outcome::Unsure(_) => "unsure",
        Outcome::NotReached => "not-reached",
        Outcome::Pending => "half-done",
    }
}
