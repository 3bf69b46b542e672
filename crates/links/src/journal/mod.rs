//! The journal: every operation and every step of it, in a SQLite database of the user's own.
//!
//! It is written by [`mod@crate::apply`]: an intent before the step, the outcome behind it; and by
//! [`mod@crate::journal::track`]: what links lead to. The database is data: nothing in it authorises a change without a look at the disk.

mod away;
mod lines;
mod open;
pub(crate) mod queue;
mod queue_file;
pub(crate) mod replaced;
mod rows;
mod schema;
pub(crate) mod state;
mod steps;
pub mod track;
mod tracked;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

pub use away::volumes_away;
pub(crate) use open::check_owner;
pub use queue_file::Queue;
pub use rows::{OperationId, Outcome, Recorded, RecordedOperation, Status, Tally};
pub use state::{existing_journal, journal_copy, journal_looks_usable, open_journal};
pub(crate) use steps::Intent;
pub use tracked::Tracked;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Step, User};
use crate::platform::{self, Process};

/// An opened journal.
pub struct Journal {
    connection: Connection,
    directory: PathBuf,
    /// Operations from the queue whose process ran when it was taken in.
    running: BTreeSet<i64>,
    /// The newest operation when the queue was taken in. What another program takes in later has an end that may still
    /// be in the queue.
    looked_to: Option<i64>,
    /// The operation of this program of which another one told what came of its steps.
    settled_by_another_process: Option<OperationId>,
}

const FILE: &str = "journal.db";
const LOG: &str = "journal.db-wal";
const INDEX: &str = "journal.db-shm";
const ROLLBACK: &str = "journal.db-journal";
/// What has not been taken in yet.
pub(crate) const QUEUE: &str = "journal.queue";
const OPEN: &str = "open the journal in";
const READ: &str = "read the journal in";
const WRITE: &str = "write the journal in";

/// Another process may be writing; it is waited for this long.
const BUSY: Duration = Duration::from_secs(10);

const MOVES_TREES: &str = "WHERE moves_trees = 1 ORDER BY id DESC LIMIT ?";

/// An operation, as it is begun.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// What it is called in the history. Nothing is decided by it.
    pub verb: &'a str,
    /// The operation that this one undoes.
    pub undoes: Option<OperationId>,
    /// Whether the plan leaves out a part of what it undoes, which then does not count as undone. Default: no.
    pub partial: bool,
    /// Of which links it is recorded what they lead to. Default: of every link made.
    pub tracking: Tracking,
}

/// Of which links that an operation makes it is recorded what they lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tracking {
    /// Every link.
    #[default]
    All,
    /// Links that have a record already: they only get another text.
    Recorded,
}

impl<'a> Operation<'a> {
    /// An operation that undoes no other.
    #[must_use]
    pub fn new(verb: &'a str) -> Self {
        Self { verb, undoes: None, partial: false, tracking: Tracking::All }
    }
}

/// A step that moved a tree.
#[derive(Clone, Debug)]
pub(crate) struct Relocated {
    pub(crate) operation: OperationId,
    /// How its operation stands.
    pub(crate) status: Status,
    pub(crate) recorded: Recorded,
}

/// What became of a tree that a step moved.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    /// The step itself, or the last of those that moved the tree on.
    pub(crate) last: Relocated,
    /// Where the tree is by now.
    pub(crate) at: PathBuf,
    /// What moved it there last, with what holds it or by itself.
    pub(crate) by: OperationId,
    /// What copied it with what holds it, after `last`: its number there is recorded nowhere.
    pub(crate) copied_by: Option<OperationId>,
}

impl Lineage {
    /// Refuses where the tree cannot be told from others by now.
    pub(crate) fn must_be_known(&self, operation: &'static str) -> Result<()> {
        let Some(by) = self.copied_by else { return Ok(()) };
        let cause = format!(
            "operation {by} has copied it with what holds it, and by now it cannot be told from anything else of that name: \
             `linkctl move` takes it where it was"
        );
        Err(Error::new(ErrorKind::Changed, operation, &self.at, cause))
    }
}

impl Journal {
    fn of(connection: Connection, directory: &Path) -> Self {
        let directory = directory.to_owned();
        Self { connection, directory, running: BTreeSet::new(), looked_to: None, settled_by_another_process: None }
    }

    /// Where the system has such files of this user.
    ///
    /// # Errors
    /// There is no such place: no home directory is known.
    ///
    /// # Platform behavior
    /// Linux: `$XDG_STATE_HOME/linkctl`, else `~/.local/state/linkctl`. Windows: `%LOCALAPPDATA%\linkctl`.
    pub fn default_directory() -> Result<PathBuf> {
        const FIND: &str = "find a place for the journal in";
        let none = || Error::new(ErrorKind::Journal, FIND, "~", "no home directory is known");
        platform::default_state_dir().ok_or_else(none)
    }

    /// The files that a corrupt journal consists of, to be set aside together.
    pub(crate) const FILES: [&str; 4] = [FILE, LOG, INDEX, ROLLBACK];

    /// Closes the file, so that it can be renamed: Windows renames nothing that is open. What is asked from here on
    /// fails.
    pub(crate) fn close(&mut self) {
        if let Ok(nothing) = Connection::open_in_memory() {
            self.connection = nothing;
        }
    }

    /// The directory the journal is kept in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn begin(&mut self, operation: &Operation<'_>, steps: &[Step]) -> Result<OperationId> {
        let planned = i64::try_from(steps.len()).unwrap_or(i64::MAX);
        self.tune_for(planned);
        self.transact(Then::Stay, |connection| {
            Began::now(None).insert(connection, operation, planned, moves_trees(steps))
        })?;
        Ok(OperationId(self.connection.last_insert_rowid()))
    }

    /// What stands against undoing an operation: it was undone by now, or another process is at it. Where nothing does, none
    /// else begins to undo it before the operation that is begun next is recorded.
    pub(crate) fn claim(&mut self, undone: OperationId) -> Result<Option<String>> {
        self.transact(Then::Stay, |_| Ok(()))?;
        let by = self.operation(undone)?.undone_by;
        let undos = self.query_operations("WHERE undoes = ?", params![undone.0])?;
        let at_it = undos.iter().find(|undo| undo.status == Status::Running);
        let cause = match (by, at_it) {
            (Some(by), _) => format!("operation {undone} was undone already, by {by}"),
            (None, Some(undo)) => format!("operation {undone} is just being undone, by {}", undo.id),
            (None, None) => return Ok(None),
        };
        self.keep()?;
        Ok(Some(cause))
    }

    /// For operations of many steps: a chunk of them stays in memory until it is written, and the log is brought into the
    /// database, which waits for the disk, less often. It must not all be left to the end either: until then links are
    /// replaced in the meantime.
    fn tune_for(&self, planned: i64) {
        const MANY: i64 = 1_000;
        // `SQLITE_DEFAULT_CACHE_SIZE` and `SQLITE_DEFAULT_WAL_AUTOCHECKPOINT`, else.
        let (cache, log) = if planned < MANY { (-2_000, 1_000) } else { (-32_000, 2_048) };
        let sql = format!("PRAGMA cache_size = {cache}; PRAGMA wal_autocheckpoint = {log}");
        // Without them it is slower, and nothing else.
        self.connection.execute_batch(&sql).unwrap_or_default();
    }

    /// All of it, or nothing; with what the transaction that is open already holds.
    fn transact(&mut self, then: Then, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<()> {
        let connection = &self.connection;
        let done = (|| {
            if connection.is_autocommit() {
                connection.execute_batch("BEGIN IMMEDIATE")?;
            }
            work(connection)?;
            if then == Then::Commit { connection.execute_batch("COMMIT") } else { Ok(()) }
        })();
        done.map_err(|error| {
            // SQLite itself may have rolled back already; nothing more can be done where that fails.
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK").unwrap_or_default();
            }
            sqlite_error(WRITE, &self.directory, &error)
        })
    }

    /// From here on, what is written down waits for the disk: for steps that remove what was copied.
    pub(crate) fn wait_for_disk(&self) {
        // Where that cannot be had, the stage on the disk itself says enough.
        self.connection.execute_batch("PRAGMA synchronous = FULL").unwrap_or_default();
    }

    /// The steps that moved trees, those of the newest operation first; of at most so many operations.
    pub(crate) fn relocations(&self, most: Option<usize>) -> Result<impl Iterator<Item = Result<Relocated>> + '_> {
        let most = most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
        let operations = self.query_operations(MOVES_TREES, params![most])?.into_iter();
        Ok(operations.flat_map(move |RecordedOperation { id: operation, status, .. }| match self.steps(operation) {
            Ok(mut steps) => {
                steps.retain(|recorded| recorded.step.tree().is_some());
                steps.into_iter().map(|recorded| Ok(Relocated { operation, status, recorded })).collect()
            }
            Err(error) => vec![Err(error)],
        }))
    }

    /// The same of all operations, but for rows without a meaning: those keep no other tree away.
    pub(crate) fn readable_relocations(&self) -> Result<impl Iterator<Item = Result<Relocated>> + '_> {
        let is_readable = |relocated: &Result<Relocated>| match relocated {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::CorruptJournal,
        };
        Ok(self.relocations(None)?.filter(is_readable))
    }

    /// What became of the tree that a step moved, and of what held it then.
    pub(crate) fn last_move_of(&self, moved: &Relocated) -> Result<Lineage> {
        let is_later = |other: &Relocated| {
            (other.operation, other.recorded.number) > (moved.operation, moved.recorded.number)
                && matches!(other.recorded.outcome, Outcome::Done(_))
        };
        let mut later = Vec::new();
        for other in self.readable_relocations()? {
            let other = other?;
            if other.operation < moved.operation {
                break;
            }
            if is_later(&other) {
                later.push(other);
            }
        }
        later.sort_by_key(|other| (other.operation, other.recorded.number));
        let at = moved.recorded.step.tree().map(|tree| tree.to.to_path_buf()).unwrap_or_default();
        let mut lineage = Lineage { last: moved.clone(), at, by: moved.operation, copied_by: None };
        for other in later {
            let Some(tree) = other.recorded.step.tree() else { continue };
            let Ok(below) = lineage.at.strip_prefix(&**tree.from) else { continue };
            let is_itself = below.as_os_str().is_empty();
            lineage.at = crate::model::below(tree.to, below);
            lineage.by = other.operation;
            if is_itself {
                (lineage.last, lineage.copied_by) = (other, None);
            } else if !other.recorded.is_rename() {
                lineage.copied_by = Some(other.operation);
            }
        }
        Ok(lineage)
    }

    /// Ends the transaction that is open: what it holds is in the journal.
    pub(crate) fn keep(&mut self) -> Result<()> {
        self.transact(Then::Commit, |_| Ok(()))
    }

    /// Writes down how an operation ended, and with it what it undid: both or neither.
    pub(crate) fn finish_operation(
        &mut self,
        id: OperationId,
        status: Status,
        undone: Option<OperationId>,
    ) -> Result<()> {
        self.transact(Then::Commit, |transaction| {
            if let Some(undone) = undone {
                let sql = "UPDATE operations SET undone_by = ? WHERE id = ?";
                transaction.execute(sql, params![id.0, undone.0])?;
                // Undoing an undo brings the first operation's effects back.
                let sql = "UPDATE operations SET undone_by = NULL \
                           WHERE id = (SELECT undoes FROM operations WHERE id = ?)";
                transaction.execute(sql, params![undone.0])?;
            }
            let sql = "UPDATE operations SET status = ?, ended = ? WHERE id = ?";
            transaction.execute(sql, params![status.as_str(), now(), id.0]).map(drop)
        })
    }

    /// Whether the file is whole, as far as SQLite can tell without reading every row.
    pub(crate) fn is_sound(&self) -> bool {
        self.connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .is_ok_and(|said| said == "ok")
    }

    /// The latest operations, the newest first.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn operations(&self, most: usize) -> Result<Vec<RecordedOperation>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.query_operations("ORDER BY id DESC LIMIT ?", params![most])
    }

    /// One operation.
    ///
    /// # Errors
    /// There is none of this number, or the journal cannot be read.
    pub fn operation(&self, id: OperationId) -> Result<RecordedOperation> {
        self.query_operations("WHERE id = ?", params![id.0])?.pop().ok_or_else(|| {
            let cause = format!("there is no operation {id}");
            Error::new(ErrorKind::Nothing, READ, &self.directory, cause)
        })
    }

    /// The undos of an operation that were killed before their end, the oldest first.
    pub(crate) fn interrupted_undos(&self, id: OperationId) -> Result<Vec<RecordedOperation>> {
        let mut undos = self.query_operations("WHERE undoes = ? ORDER BY id", params![id.0])?;
        undos.retain(|undo| undo.status == Status::Interrupted);
        Ok(undos)
    }

    /// The newest operation that can be undone: one that did something, was not undone yet, and is itself
    /// no undo.
    ///
    /// # Errors
    /// There is none, or the journal cannot be read.
    pub fn last_undoable(&self) -> Result<RecordedOperation> {
        let did_something = steps::DID_SOMETHING;
        let which = format!("WHERE undone_by IS NULL AND undoes IS NULL AND {did_something} ORDER BY id DESC LIMIT 1");
        self.query_operations(&which, params![])?.pop().ok_or_else(|| {
            Error::new(ErrorKind::Nothing, "undo from the journal in", &self.directory, "there is nothing to undo")
        })
    }

    fn query_operations(&self, which: &str, params: impl rusqlite::Params) -> Result<Vec<RecordedOperation>> {
        let mut operations = self.query(&format!("{} {which}", rows::SELECT), params, rows::operation)?;
        for operation in &mut operations {
            let unlooked = self.looked_to.is_some_and(|newest| operation.id.0 > newest);
            if self.running.contains(&operation.id.0) || unlooked && operation.status == Status::Interrupted {
                operation.status = Status::Running;
            }
        }
        Ok(operations)
    }

    fn query<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let fail = |error| self.unreadable(&error);
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let rows = statement.query_map(params, row).map_err(fail)?;
        rows.collect::<rusqlite::Result<_>>().map_err(fail)
    }

    fn unreadable(&self, error: &rusqlite::Error) -> Error {
        sqlite_error(READ, &self.directory, error)
    }

    /// How the database keeps itself whole: `wal`, or `delete` on network homes.
    #[must_use]
    pub fn mode(&self) -> String {
        let mode = self.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0));
        mode.unwrap_or_default()
    }
}

/// Which program began an operation, and when.
#[derive(Serialize, Deserialize)]
struct Began {
    #[serde(rename = "began")]
    time: i64,
    process: Process,
    user: User,
    /// By which an operation of the queue is known.
    token: Option<String>,
}

impl Began {
    fn now(token: Option<String>) -> Self {
        Self { time: now(), process: Process::current(), user: User::current(), token }
    }

    fn insert(
        &self,
        connection: &Connection,
        operation: &Operation<'_>,
        planned: i64,
        moves_trees: bool,
    ) -> rusqlite::Result<()> {
        let process = serde_json::to_string(&self.process).map_err(to_sql)?;
        let user = serde_json::to_string(&self.user).map_err(to_sql)?;
        let undoes = operation.undoes.map(|id| id.0);
        let sql = "INSERT INTO operations (verb, began, process, user, undoes, planned, token, moves_trees) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![operation.verb, self.time, process, user, undoes, planned, self.token, moves_trees];
        connection.execute(sql, row).map(drop)
    }
}

fn moves_trees(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.tree().is_some())
}

/// Whether a transaction goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It ends here: what it holds is in the journal.
    Commit,
    /// It waits for what is written down next.
    Stay,
}

/// Under `sudo`: who called it, and where that user's own journal is.
#[must_use]
pub fn behind_sudo() -> Option<(String, PathBuf)> {
    let user = User::current();
    let home = user.sudo_home()?;
    Some((user.sudo?, platform::state_dir_in(&home)))
}

fn sqlite_error(operation: &'static str, directory: &Path, error: &rusqlite::Error) -> Error {
    let kind = if is_corruption(error) { ErrorKind::CorruptJournal } else { ErrorKind::Journal };
    let cause = match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, cause) => {
            format!("a row of it has no meaning: {cause}")
        }
        error => error.to_string(),
    };
    Error::new(kind, operation, directory, cause)
}

fn is_corruption(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(NotADatabase | DatabaseCorrupt))
}

fn to_sql(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// Milliseconds since 1970 (UTC).
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn moves_are_found_without_a_look_at_every_operation() {
        let journal = Journal::in_memory("test".as_ref()).unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {} {MOVES_TREES}", rows::SELECT);
        let first: String = journal.connection.query_row(&plan, [20], |row| row.get("detail")).unwrap();
        assert!(first.ends_with("USING INDEX operations_that_move"), "{first}");
    }
}
