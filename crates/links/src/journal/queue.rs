//! The queue: a file of lines beside the database, where programs that live for a millisecond leave word of what
//! they change. Opening the database would cost them more than the change itself; whoever opens it next takes the
//! lines in.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Intent, Journal, Then, Tracked, now, steps, to_sql};
use crate::error::Result;
use crate::model::Step;
use crate::model::{FileId, Home, User};
use crate::platform::Process;

use super::rows::{Outcome, Status};

/// A line of the queue. An operation has one before its only step, and one behind it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Begun(Box<Begun>),
    Ended(Box<Ended>),
}

#[derive(Serialize, Deserialize)]
struct Begun {
    token: String,
    verb: String,
    began: i64,
    process: Process,
    user: User,
    step: Step,
    private_name: String,
    home: Option<Home>,
}

#[derive(Serialize, Deserialize)]
struct Ended {
    token: String,
    ended: i64,
    status: String,
    outcome: Option<String>,
    made: Option<FileId>,
    error: Option<String>,
    home: Option<Home>,
    /// What a link that was made leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracked: Option<Tracked>,
}

/// The line to be written before a step.
pub(crate) fn begun(token: &str, verb: &str, intent: &Intent<'_>) -> serde_json::Result<Vec<u8>> {
    line(&Line::Begun(Box::new(Begun {
        token: token.to_owned(),
        verb: verb.to_owned(),
        began: now(),
        process: Process::current(),
        user: User::current(),
        step: intent.step.clone().into_owned(),
        private_name: intent.private_name.to_owned(),
        home: intent.home,
    })))
}

/// The line to be written behind a step.
pub(crate) fn ended(
    token: &str,
    status: Status,
    (outcome, home): &(Outcome, Option<Home>),
    tracked: Option<&Tracked>,
) -> serde_json::Result<Vec<u8>> {
    line(&Line::Ended(Box::new(Ended {
        token: token.to_owned(),
        ended: now(),
        status: status.as_str().to_owned(),
        outcome: outcome.as_str().map(str::to_owned),
        made: outcome.made(),
        error: outcome.error().map(str::to_owned),
        home: *home,
        tracked: tracked.cloned(),
    })))
}

/// The line end comes first: what a torn line before it left stays a line of its own.
fn line(line: &Line) -> serde_json::Result<Vec<u8>> {
    let mut text = vec![b'\n'];
    serde_json::to_writer(&mut text, line)?;
    text.push(b'\n');
    Ok(text)
}

impl Journal {
    /// Takes the lines of the queue in, all or none. Gives the number of those that have no meaning.
    pub(crate) fn take_in(&mut self, queue: &[u8]) -> Result<usize> {
        let mut broken = 0;
        self.transact(Then::Commit, |connection| {
            for line in queue.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice(line) {
                    Ok(Line::Begun(begun)) => begun.take_in(connection)?,
                    Ok(Line::Ended(ended)) => ended.take_in(connection)?,
                    Err(_) => broken += 1,
                }
            }
            Ok(())
        })?;
        Ok(broken)
    }

    /// Looks at the operations of the queue that have no end yet, and gives those whose process is gone. What ended
    /// them may have been written down right behind what was taken in: only those that were `gone` at an earlier look
    /// count as interrupted. All others count as running for as long as this journal is open.
    pub(crate) fn look_at_open_ends(&mut self, gone: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
        // Before the rest is read: what comes in between counts as not looked at.
        let newest =
            self.query("SELECT coalesce(max(id), 0) FROM operations", params![], |row| row.get(0))?;
        self.looked_to = newest.into_iter().next();
        let sql = "SELECT id, process FROM operations WHERE token IS NOT NULL AND ended IS NULL";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let open = self.query(sql, params![], row)?;
        let runs =
            |process: &str| serde_json::from_str(process).is_ok_and(|process: Process| process.is_running());
        let now: BTreeSet<i64> =
            open.iter().filter(|(_, process)| !runs(process)).map(|(id, _)| *id).collect();
        self.running =
            open.iter().map(|(id, _)| *id).filter(|id| !gone.contains(id) || !now.contains(id)).collect();
        Ok(now)
    }
}

impl Begun {
    /// Killed before the queue was emptied, the lines are met again: once taken in is enough.
    fn take_in(&self, connection: &Connection) -> rusqlite::Result<()> {
        let process = serde_json::to_string(&self.process).map_err(to_sql)?;
        let user = serde_json::to_string(&self.user).map_err(to_sql)?;
        let known = "SELECT EXISTS (SELECT 1 FROM operations WHERE token = ?)";
        if connection.query_row(known, params![self.token], |row| row.get(0))? {
            return Ok(());
        }
        let sql =
            "INSERT INTO operations (verb, began, process, user, planned, token) VALUES (?, ?, ?, ?, 1, ?)";
        connection.execute(sql, params![self.verb, self.began, process, user, self.token])?;
        let intent =
            Intent { step: Cow::Borrowed(&self.step), private_name: &self.private_name, home: self.home };
        steps::write_intents(connection, connection.last_insert_rowid(), 0, self.began, &[intent])
    }
}

impl Ended {
    fn take_in(&self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(tracked) = &self.tracked {
            tracked.write(connection)?;
        }
        let operation = connection
            .query_row("SELECT id FROM operations WHERE token = ?", params![self.token], |row| row.get(0))
            .optional()?;
        if let Some(operation) = operation {
            let outcome = Outcome::of(self.outcome.as_deref(), self.made, self.error.clone());
            steps::end_only_step(connection, operation, (outcome, self.home))?;
        }
        let sql = "UPDATE operations SET status = ?, ended = ? WHERE token = ? AND ended IS NULL";
        connection.execute(sql, params![self.status, self.ended, self.token]).map(drop)
    }
}
