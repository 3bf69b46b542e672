//! The queue: a file of lines beside the database, where programs that live for a millisecond leave word of what
//! they change. Opening the database would cost them more than the change itself; whoever opens it next takes the
//! lines in.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::rows::{Outcome, Status};
use super::steps::OutcomeLine;
use super::{Began, Intent, Journal, Operation, OperationId, Then, Tracked, now, replaced, steps};
use crate::error::Result;
use crate::model::{Home, Step};
use crate::platform::Process;

/// A line of the queue. An operation has one before its steps, and one after them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    Begun(Box<Begun>),
    Ended(Box<Ended<'a>>),
}

#[derive(Serialize, Deserialize)]
struct Begun {
    verb: String,
    #[serde(flatten)]
    began: Began,
    #[serde(flatten)]
    first: QueuedStep,
    /// The steps after the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<QueuedStep>,
}

#[derive(Serialize, Deserialize)]
struct QueuedStep {
    step: Step,
    private_name: String,
    home: Option<Home>,
}

#[derive(Serialize, Deserialize)]
struct Ended<'a> {
    token: String,
    ended: i64,
    status: String,
    #[serde(flatten)]
    first: QueuedOutcome<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<QueuedOutcome<'a>>,
}

#[derive(Default, Serialize, Deserialize)]
struct QueuedOutcome<'a> {
    #[serde(flatten)]
    line: OutcomeLine<'a>,
    /// What a link that was made leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracked: Option<Tracked>,
}

/// The line to be written before the steps.
pub(crate) fn begun(token: &str, verb: &str, intents: &[Intent<'_>]) -> serde_json::Result<Vec<u8>> {
    let mut steps = intents.iter().map(|intent| QueuedStep {
        step: intent.step.clone(),
        private_name: intent.private_name.to_owned(),
        home: intent.home.clone(),
    });
    let first = steps.next().ok_or_else(|| serde::ser::Error::custom("an operation without steps"))?;
    let began = Began::now(Some(token.to_owned()));
    line(&Line::Begun(Box::new(Begun { verb: verb.to_owned(), began, first, more: steps.collect() })))
}

/// The line to be written after the steps.
pub(crate) fn ended(
    token: &str,
    status: Status,
    outcomes: &[(Outcome, Option<Home>)],
    mut tracked: Vec<Option<Tracked>>,
) -> serde_json::Result<Vec<u8>> {
    tracked.resize(outcomes.len(), None);
    let mut outcomes =
        outcomes.iter().zip(tracked).map(|(ended, tracked)| QueuedOutcome { line: ended.into(), tracked });
    let first = outcomes.next().unwrap_or_default();
    line(&Line::Ended(Box::new(Ended {
        token: token.to_owned(),
        ended: now(),
        status: status.as_str().to_owned(),
        first,
        more: outcomes.collect(),
    })))
}

/// The line end comes first: what a torn line before it left stays a line of its own.
fn line(line: &Line<'_>) -> serde_json::Result<Vec<u8>> {
    let mut text = vec![b'\n'];
    serde_json::to_writer(&mut text, line)?;
    text.push(b'\n');
    Ok(text)
}

/// Lines of the queue that cannot be read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unread {
    /// Their end was never written: the program was killed, or the disk full.
    pub(crate) torn: usize,
    /// They mean nothing to this program.
    pub(crate) malformed: usize,
}

impl Journal {
    /// Takes the lines of the queue in, all or none. Returns the number of those that cannot be read.
    pub(crate) fn take_in(&mut self, queue: &[u8]) -> Result<Unread> {
        let (mut unread, mut ended) = (Unread::default(), Vec::new());
        self.transact(Then::Stay, |connection| {
            for line in queue.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice(line) {
                    Ok(Line::Begun(begun)) => begun.take_in(connection)?,
                    Ok(Line::Ended(line)) => ended.push(line.take_in(connection)?),
                    Err(error) if error.is_eof() => unread.torn += 1,
                    Err(_) => unread.malformed += 1,
                }
            }
            Ok(())
        })?;
        // By the records of before; what is recorded anew knows the links that are there now.
        for (operation, tracked) in ended {
            let steps = operation.map(|operation| self.steps(operation)).transpose()?.unwrap_or_default();
            let (steps, outcomes): (Vec<_>, Vec<_>) =
                steps.into_iter().map(|recorded| (recorded.step, recorded.outcome)).unzip();
            let replaced = replaced::of(&steps, &outcomes, false);
            if !replaced.is_empty() && self.tracks_anything()? {
                replaced::follow(self, &replaced)?;
            }
            self.track(&tracked, Then::Stay)?;
        }
        self.keep()?;
        Ok(unread)
    }

    /// The number of an operation of the queue that was taken in.
    pub(crate) fn operation_of_token(&self, token: &str) -> Result<Option<OperationId>> {
        let sql = "SELECT id FROM operations WHERE token = ?";
        Ok(self.query(sql, params![token], |row| row.get(0).map(OperationId))?.pop())
    }

    /// Looks at the operations of the queue that have no end yet, and gives those whose process is gone. What ended
    /// them may have been written down right behind what was taken in: only those that were `gone` at an earlier look
    /// count as interrupted. All others count as running for as long as this journal is open.
    pub(crate) fn look_at_open_ends(&mut self, gone: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
        // Before the rest is read: what comes in between counts as not looked at.
        let newest = self.query("SELECT coalesce(max(id), 0) FROM operations", params![], |row| row.get(0))?;
        self.looked_to = newest.into_iter().next();
        let sql = "SELECT id, process FROM operations WHERE token IS NOT NULL AND ended IS NULL";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let open = self.query(sql, params![], row)?;
        let runs = |process: &str| serde_json::from_str(process).is_ok_and(|process: Process| process.is_running());
        let now: BTreeSet<i64> = open.iter().filter(|(_, process)| !runs(process)).map(|(id, _)| *id).collect();
        self.running = open.iter().map(|(id, _)| *id).filter(|id| !gone.contains(id) || !now.contains(id)).collect();
        Ok(now)
    }
}

impl Begun {
    /// Killed before the queue was emptied, the lines are met again: once taken in is enough.
    fn take_in(self, connection: &Connection) -> rusqlite::Result<()> {
        let known = "SELECT EXISTS (SELECT 1 FROM operations WHERE token = ?)";
        if connection.query_row(known, params![self.began.token], |row| row.get(0))? {
            return Ok(());
        }
        let steps: Vec<_> = std::iter::once(self.first).chain(self.more).collect();
        let moves_trees = steps.iter().any(|queued| queued.step.tree().is_some());
        let planned = i64::try_from(steps.len()).unwrap_or(i64::MAX);
        self.began.insert(connection, &Operation::new(&self.verb), planned, moves_trees)?;
        let intents: Vec<_> = steps
            .iter()
            .map(|QueuedStep { step, private_name, home }| Intent { step, private_name, home: home.clone() })
            .collect();
        steps::write_intents(connection, connection.last_insert_rowid(), 0, self.began.time, &intents)
    }
}

impl Ended<'_> {
    /// Returns what its links lead to; with the operation, if this is its end.
    fn take_in(self, connection: &Connection) -> rusqlite::Result<(Option<OperationId>, Vec<Tracked>)> {
        let (mut outcomes, mut tracked) = (Vec::new(), Vec::new());
        for queued in std::iter::once(self.first).chain(self.more) {
            outcomes.push(queued.line.into());
            tracked.extend(queued.tracked);
        }
        let operation: Option<i64> = connection
            .query_row("SELECT id FROM operations WHERE token = ?", params![self.token], |row| row.get(0))
            .optional()?;
        let Some(operation) = operation else { return Ok((None, tracked)) };
        steps::end_steps(connection, operation, &outcomes)?;
        let sql = "UPDATE operations SET status = ?, ended = ? WHERE token = ? AND ended IS NULL";
        let ended = connection.execute(sql, params![self.status, self.ended, self.token])?;
        Ok(((ended > 0).then_some(OperationId(operation)), tracked))
    }
}
