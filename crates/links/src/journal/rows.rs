//! Rows of the journal as values.

use std::fmt;

use rusqlite::Row;
use rusqlite::types::Type;

use crate::model::Step;
use crate::model::{FileId, Home, User};
use crate::platform::Process;
use crate::read::identity::Identity;

/// The number of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationId(pub i64);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its process is still at it.
    Running,
    /// Every step was done.
    Done,
    /// Some steps failed.
    Partial,
    /// Every step failed.
    Failed,
    /// It was stopped at a safe point by the user.
    Stopped,
    /// Its process ended in the middle: killed, crashed, or the power failed.
    Interrupted,
}

impl Status {
    /// The stable name used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One operation: one call of a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedOperation {
    /// Its number.
    pub id: OperationId,
    /// The verb.
    pub verb: String,
    /// When it began, in milliseconds since 1970 (UTC).
    pub began: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// How it stands.
    pub status: Status,
    /// Whose doing it was.
    pub user: Option<User>,
    /// The operation that this one undid.
    pub undoes: Option<OperationId>,
    /// The operation that undid this one.
    pub undone_by: Option<OperationId>,
    /// How many steps it was to have.
    pub planned: u64,
}

/// How many steps of an operation ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Done and read back.
    pub done: u64,
    /// Failed.
    pub failed: u64,
    /// Begun, with no end written down.
    pub pending: u64,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Begun; the process ended before it could say more.
    Pending,
    /// Done and read back. With the identity of what was made.
    Done(Option<FileId>),
    /// Failed, and taken back where anything had been done.
    Failed(String),
    /// Perhaps done: what is there could not be looked at, and was left.
    Unsure(String),
    /// Not begun: the user stopped the operation first.
    NotReached,
}

impl Outcome {
    pub(super) fn of(name: Option<&str>, made: Option<FileId>, error: Option<String>) -> Self {
        match name {
            Some("done") => Self::Done(made),
            Some("failed") => Self::Failed(error.unwrap_or_default()),
            Some("unsure") => Self::Unsure(error.unwrap_or_default()),
            Some("not-reached") => Self::NotReached,
            _ => Self::Pending,
        }
    }

    pub(super) fn as_str(&self) -> Option<&'static str> {
        match self {
            Self::Pending => None,
            Self::Done(_) => Some("done"),
            Self::Failed(_) => Some("failed"),
            Self::Unsure(_) => Some("unsure"),
            Self::NotReached => Some("not-reached"),
        }
    }

    /// The identity of what was made, where it is known.
    pub(crate) fn made(&self) -> Option<FileId> {
        match self {
            Self::Done(made) => *made,
            _ => None,
        }
    }

    pub(super) fn error(&self) -> Option<&str> {
        match self {
            Self::Failed(error) | Self::Unsure(error) => Some(error),
            _ => None,
        }
    }
}

/// A step as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the operation, from 0.
    pub number: u64,
    /// What was to be done.
    pub step: Step,
    /// The name under which something of the step may be left in the same directory.
    pub private_name: String,
    /// When it was written down, in milliseconds since 1970 (UTC).
    pub began: i64,
    /// What came of it.
    pub outcome: Outcome,
    /// The directory it was in. `None` where that was still to be made.
    pub home: Option<Home>,
    /// Of a tree that was moved: all by which it is known again.
    pub(crate) tree: Option<Box<Identity>>,
}

impl Recorded {
    /// Of a tree: whether it was renamed, and so is the object that it was.
    pub(crate) fn is_rename(&self) -> bool {
        let Some(id) = self.step.tree_id() else { return false };
        matches!(self.outcome, Outcome::Done(Some(made)) if made.same_file(id))
    }
}

pub(super) const SELECT: &str =
    "SELECT id, verb, began, ended, status, process, user, undoes, undone_by, planned FROM operations";

pub(super) fn operation(row: &Row<'_>) -> rusqlite::Result<RecordedOperation> {
    let process: Process = json(row, 5)?;
    let ended = [Status::Done, Status::Partial, Status::Failed, Status::Stopped];
    let status: String = row.get(4)?;
    // Only the process itself would have written an end.
    let open = || if process.is_running() { Status::Running } else { Status::Interrupted };
    let status = ended.into_iter().find(|ended| ended.as_str() == status).unwrap_or_else(open);
    let user: Option<String> = row.get(6)?;
    Ok(RecordedOperation {
        id: OperationId(row.get(0)?),
        verb: row.get(1)?,
        began: row.get(2)?,
        ended: row.get(3)?,
        status,
        user: user.and_then(|text| serde_json::from_str(&text).ok()),
        undoes: row.get::<_, Option<i64>>(7)?.map(OperationId),
        undone_by: row.get::<_, Option<i64>>(8)?.map(OperationId),
        planned: row.get::<_, i64>(9)?.try_into().unwrap_or_default(),
    })
}

pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    parse(&row.get::<_, String>(column)?, column)
}

/// The value in a text of this column.
pub(super) fn parse<'t, T: serde::Deserialize<'t>>(text: &'t str, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| broken(column, error))
}

pub(super) fn broken(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
