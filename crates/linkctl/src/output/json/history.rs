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

record! {
    /// With how many steps were done, also by what was found on the disk, and how many failed.
    OperationRecord of (operation, done, failed, steps): (&RecordedOperation, u64, u64, Option<&[Recorded]>),
        user = operation.user.as_ref()
    => {
        id: i64 = operation.id.0,
        verb: String = operation.verb.clone(),
        began: String = utc(operation.began),
        ended: Option<String> = operation.ended.map(utc),
        state: &'static str = operation.status.as_str(),
        #[serde(skip_serializing_if = "has_no_numbers")]
        uid: Option<u32> = user.map(|user| user.uid),
        user: Option<String> = user.and_then(|user| user.name.clone()),
        sudo_user: Option<String> = user.and_then(|user| user.sudo.clone()),
        undoes: Option<i64> = operation.undoes.map(|id| id.0),
        undone_by: Option<i64> = operation.undone_by.map(|id| id.0),
        planned: u64 = operation.planned,
        done: u64 = done,
        failed: u64 = failed,
        #[serde(skip_serializing_if = "Option::is_none")]
        steps: Option<Vec<StepRecord>> = steps.map(|steps| steps.iter().map(Into::into).collect()),
    }
}

/// Windows knows users by name alone.
fn has_no_numbers(_: &Option<u32>) -> bool {
    cfg!(windows)
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

fn utc(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_string()
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
