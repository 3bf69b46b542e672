//! The steps of operations: what they were to be, in chunks, and what came of them.
//!
//! Nothing that was written is ever written again: a chunk is a row of lines, and what came of its steps is a row of its
//! own. A row for each step would cost as much as the step itself, and a second time where its end is added. Lines are
//! text; many of them are compressed, as LZ4 blocks with their length in front.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use lz4_flex::block::{self, DecompressError};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Deserializer, Serialize};

use super::rows::{OperationId, Outcome, Recorded, Status, Tally, broken};
use super::{Journal, READ, Then, now, sqlite_error, to_sql};
use crate::error::Result;
use crate::model::{FileId, Home};
use crate::plan::Step;

/// A step about to be taken.
pub(crate) struct Intent<'a> {
    /// The step, its path in full.
    pub(crate) step: Cow<'a, Step>,
    /// The name under which something of it may be left.
    pub(crate) private_name: &'a str,
    /// The directory it is in, if that is there already.
    pub(crate) home: Option<Home>,
}

/// Lines of fewer bytes stay text, to be read by anybody.
const FEW: usize = 4096;

/// A line of a chunk.
#[derive(Serialize, Deserialize)]
struct Begun<'a> {
    step: Cow<'a, Step>,
    name: Cow<'a, str>,
    /// Left out where it is that of the line before: steps of one directory stand together.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    home: Option<Option<Home>>,
}

/// What is there, also where it is `null`.
fn given<'d, D: Deserializer<'d>, T: Deserialize<'d>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A line about what came of a step.
#[derive(Serialize, Deserialize)]
struct Ended<'a> {
    /// Not there: nothing is known.
    outcome: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<FileId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    /// Where it was, if that was to be made first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    home: Option<Home>,
}

/// How many steps ended how, as a row of outcomes counts them: one that corrects an earlier one takes back what that had
/// counted.
#[derive(Default)]
struct Counts {
    ended: i64,
    done: i64,
    failed: i64,
    unsure: i64,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome, sign: i64) {
        let kind = match outcome {
            Outcome::Pending => return,
            Outcome::NotReached => None,
            Outcome::Done(_) => Some(&mut self.done),
            Outcome::Failed(_) => Some(&mut self.failed),
            Outcome::Unsure(_) => Some(&mut self.unsure),
        };
        if let Some(count) = kind {
            *count += sign;
        }
        self.ended += sign;
    }
}

/// The operations of which something may have been done: a step that was done, or perhaps, or has no end.
pub(super) const DID_SOMETHING: &str = "(SELECT coalesce(sum(many), 0) FROM chunks WHERE operation = operations.id) > \
     (SELECT coalesce(sum(ended - done - unsure), 0) FROM outcomes WHERE operation = operations.id)";

impl Journal {
    /// Writes down what is about to be done: one transaction for a chunk of steps, and for the beginning of the
    /// operation, if it is the first.
    pub(crate) fn intend(&mut self, id: OperationId, first: usize, steps: &[Intent<'_>]) -> Result<()> {
        self.transact(Then::Commit, |connection| write_intents(connection, id.0, first, now(), steps))
    }

    /// Writes down what came of a chunk of steps, and where they were, if that is known only now. Of the last chunk
    /// with [`Journal::finish_operation`] only: what follows is `then`.
    pub(crate) fn record(
        &mut self,
        id: OperationId,
        first: usize,
        outcomes: &[(Outcome, Option<Home>)],
        then: Then,
    ) -> Result<()> {
        self.transact(then, |connection| {
            let mut counts = Counts::default();
            outcomes.iter().for_each(|(outcome, _)| counts.add(outcome, 1));
            write_outcomes(connection, id.0, row_number(first), outcomes, &counts)
        })
    }

    /// Writes down what became of steps whose process ended in the middle.
    pub(crate) fn settle_steps(&mut self, id: OperationId, known: &[(u64, Outcome)]) -> Result<()> {
        self.transact(Then::Commit, |connection| amend(connection, id.0, known))
    }

    /// The same of one step, and of its operation where that is known then.
    pub(crate) fn settle(&mut self, id: OperationId, number: u64, outcome: Outcome) -> Result<()> {
        self.transact(Then::Commit, |connection| {
            amend(connection, id.0, &[(number, outcome)])?;
            let (begun, Counts { ended, done, .. }) = count(connection, id.0)?;
            let status = match (begun - ended, done, ended - done) {
                (0, _, 0) => Status::Done,
                (0, 0, _) => Status::Failed,
                (0, _, _) => Status::Partial,
                // What became of its other steps is not known.
                _ => return Ok(()),
            };
            let sql = "UPDATE operations SET status = ?, ended = ? WHERE id = ?";
            connection.execute(sql, params![status.as_str(), now(), id.0]).map(drop)
        })
    }

    /// How many steps of an operation were done, failed, and have no end recorded.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn tally(&self, id: OperationId) -> Result<Tally> {
        let (begun, counts) = count(&self.connection, id.0).map_err(|error| self.unreadable(&error))?;
        let natural = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(Tally {
            done: natural(counts.done),
            failed: natural(counts.failed + counts.unsure),
            pending: natural(begun - counts.ended),
        })
    }

    /// The first step of an operation.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn first_step(&self, id: OperationId) -> Result<Option<Step>> {
        let sql = "SELECT steps FROM chunks WHERE operation = ? ORDER BY first LIMIT 1";
        let row = |row: &Row<'_>| {
            let lines = text(row, 0)?;
            let begun: Begun<'_> = read(lines.lines().next().unwrap_or_default())?;
            Ok(begun.step.into_owned())
        };
        Ok(self.query(sql, params![id.0], row)?.pop())
    }

    /// The steps of an operation that were begun, in order.
    ///
    /// # Errors
    /// The journal cannot be read, or a row of it has no meaning.
    pub fn steps(&self, id: OperationId) -> Result<Vec<Recorded>> {
        steps(&self.connection, id.0).map_err(|error| self.unreadable(&error))
    }

    /// The paths that later operations changed.
    pub(crate) fn paths_done_after(&self, id: OperationId) -> Result<BTreeSet<PathBuf>> {
        let sql = "SELECT DISTINCT operation FROM chunks WHERE operation > ?";
        let mut paths = BTreeSet::new();
        for later in self.query(sql, params![id.0], |row| row.get(0).map(OperationId))? {
            let steps = self.steps(later)?.into_iter();
            let done = steps.filter(|recorded| matches!(recorded.outcome, Outcome::Done(_)));
            paths.extend(done.map(|recorded| recorded.step.path().to_owned()));
        }
        Ok(paths)
    }

    fn unreadable(&self, error: &rusqlite::Error) -> crate::error::Error {
        sqlite_error(READ, &self.directory, error)
    }
}

pub(super) fn write_intents(
    connection: &Connection,
    operation: i64,
    first: usize,
    began: i64,
    intents: &[Intent<'_>],
) -> rusqlite::Result<()> {
    let mut last = None;
    let steps = lines(intents.iter().map(|intent| {
        let home = Some(intent.home).filter(|home| last != Some(*home));
        last = Some(intent.home);
        Begun { step: Cow::Borrowed(&*intent.step), name: intent.private_name.into(), home }
    }))?;
    let sql = "INSERT INTO chunks (operation, first, many, began, steps) VALUES (?, ?, ?, ?, ?)";
    let (first, many) = (row_number(first), row_number(intents.len()));
    connection.execute(sql, params![operation, first, many, began, steps]).map(drop)
}

fn write_outcomes(
    connection: &Connection,
    operation: i64,
    first: i64,
    outcomes: &[(Outcome, Option<Home>)],
    counts: &Counts,
) -> rusqlite::Result<()> {
    let steps = lines(outcomes.iter().map(|(outcome, home)| Ended {
        outcome: outcome.as_str().map(Cow::Borrowed),
        made: outcome.made(),
        error: outcome.error().map(Cow::Borrowed),
        home: *home,
    }))?;
    let Counts { ended, done, failed, unsure } = counts;
    let sql = "INSERT INTO outcomes (operation, first, ended, done, failed, unsure, steps) VALUES (?, ?, ?, ?, ?, ?, ?)";
    connection.execute(sql, params![operation, first, ended, done, failed, unsure, steps]).map(drop)
}

/// Writes down what came of the only step of an operation, unless that is known.
pub(super) fn end_only_step(
    connection: &Connection,
    operation: i64,
    ended: (Outcome, Option<Home>),
) -> rusqlite::Result<()> {
    let (begun, counts) = count(connection, operation)?;
    if counts.ended < begun {
        let mut counts = Counts::default();
        counts.add(&ended.0, 1);
        write_outcomes(connection, operation, 0, &[ended], &counts)?;
    }
    Ok(())
}

/// Writes down what became of steps, in the place of what is known of them: by a look at that in the same transaction, as
/// others may have written it down meanwhile.
fn amend(connection: &Connection, operation: i64, known: &[(u64, Outcome)]) -> rusqlite::Result<()> {
    let steps = steps(connection, operation)?;
    let was = |number: u64| Some(&steps.get(place_of(&steps, number)?)?.outcome);
    let news: Vec<_> = known
        .iter()
        .filter_map(|(number, outcome)| Some((*number, was(*number)?, outcome)))
        .filter(|(_, was, outcome)| was != outcome && **outcome != Outcome::Pending)
        .collect();
    for run in news.chunk_by(|(one, ..), (next, ..)| one + 1 == *next) {
        let mut counts = Counts::default();
        for (_, was, outcome) in run {
            counts.add(was, -1);
            counts.add(outcome, 1);
        }
        let first = run.first().map_or(0, |(number, ..)| i64::try_from(*number).unwrap_or(i64::MAX));
        let outcomes: Vec<_> = run.iter().map(|(_, _, outcome)| ((*outcome).clone(), None)).collect();
        write_outcomes(connection, operation, first, &outcomes, &counts)?;
    }
    Ok(())
}

/// How many steps were begun, and what came of them. In one statement: a program that is at work adds to both.
fn count(connection: &Connection, operation: i64) -> rusqlite::Result<(i64, Counts)> {
    let sql = "SELECT (SELECT coalesce(sum(many), 0) FROM chunks WHERE operation = ?1), \
               coalesce(sum(ended), 0), coalesce(sum(done), 0), coalesce(sum(failed), 0), coalesce(sum(unsure), 0) \
               FROM outcomes WHERE operation = ?1";
    connection.query_row(sql, params![operation], |row| {
        let counts =
            Counts { ended: row.get(1)?, done: row.get(2)?, failed: row.get(3)?, unsure: row.get(4)? };
        Ok((row.get(0)?, counts))
    })
}

fn steps(connection: &Connection, operation: i64) -> rusqlite::Result<Vec<Recorded>> {
    // One look at both tables: else what a program at work adds to the second may be of steps that the first had not.
    let _look = connection.is_autocommit().then(|| connection.unchecked_transaction()).transpose()?;
    let mut steps: Vec<Recorded> = Vec::new();
    let sql = "SELECT first, many, began, steps FROM chunks WHERE operation = ? ORDER BY first";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![operation])?;
    while let Some(row) = rows.next()? {
        let (first, many): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (began, lines): (i64, _) = (row.get(2)?, text(row, 3)?);
        let (before, mut last) = (steps.len(), None);
        for (number, line) in (first..).zip(lines.lines()) {
            let Begun { step, name, home } = read(line)?;
            last = home.unwrap_or(last);
            steps.push(Recorded {
                number: number.try_into().unwrap_or_default(),
                step: step.into_owned(),
                private_name: name.into_owned(),
                began,
                outcome: Outcome::Pending,
                home: last,
            });
        }
        if row_number(steps.len() - before) != many {
            return Err(broken(3, "a chunk of steps is not whole"));
        }
    }
    // What was written later counts.
    let sql = "SELECT first, steps FROM outcomes WHERE operation = ? ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![operation])?;
    while let Some(row) = rows.next()? {
        let (first, lines): (i64, _) = (row.get(0)?, text(row, 1)?);
        let first = u64::try_from(first).ok().and_then(|first| place_of(&steps, first));
        let mut places = steps.iter_mut().skip(first.unwrap_or(usize::MAX));
        for line in lines.lines() {
            let Ended { outcome, made, error, home } = read(line)?;
            let recorded = places.next().ok_or_else(|| broken(1, "the outcome of no step"))?;
            recorded.outcome = Outcome::of(outcome.as_deref(), made, error.map(Cow::into_owned));
            recorded.home = recorded.home.or(home);
        }
    }
    Ok(steps)
}

fn place_of(steps: &[Recorded], number: u64) -> Option<usize> {
    steps.binary_search_by_key(&number, |recorded| recorded.number).ok()
}

/// A line for each, as it is stored.
fn lines<T: Serialize>(items: impl Iterator<Item = T>) -> rusqlite::Result<Value> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, &item).map_err(to_sql)?;
        lines.push(b'\n');
    }
    if lines.len() > FEW && u32::try_from(lines.len()).is_ok() {
        return Ok(Value::Blob(block::compress_prepend_size(&lines)));
    }
    String::from_utf8(lines).map(Value::Text).map_err(|error| to_sql(serde::ser::Error::custom(error)))
}

/// Lines as they were before they were stored.
fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Cow<'r, str>> {
    /// What an LZ4 block grows to at most, for each of its bytes.
    const MOST: usize = 255;
    let stored = match row.get_ref(column)? {
        ValueRef::Blob(stored) => stored,
        other => return other.as_str().map(Cow::Borrowed).map_err(|error| broken(column, error)),
    };
    let fail = |error: DecompressError| broken(column, error);
    let (length, _) = block::uncompressed_size(stored).map_err(fail)?;
    if length > stored.len().saturating_mul(MOST) {
        return Err(broken(column, "a block cannot be that long"));
    }
    let lines = block::decompress_size_prepended(stored).map_err(fail)?;
    String::from_utf8(lines).map(Cow::Owned).map_err(|error| broken(column, error))
}

fn read<'l, T: Deserialize<'l>>(line: &'l str) -> rusqlite::Result<T> {
    serde_json::from_str(line).map_err(|error| broken(0, error))
}

fn row_number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::journal::schema;
    use crate::model::Target;

    fn journal() -> (Journal, OperationId) {
        let connection = Connection::open_in_memory().unwrap();
        assert!(matches!(schema::prepare(&connection, "memory").unwrap(), schema::Opened::Ready));
        let mut journal =
            Journal { connection, directory: "test".into(), running: BTreeSet::new(), looked_to: None };
        let id = journal.begin("create", None, 3).unwrap();
        (journal, id)
    }

    fn step(number: usize) -> Step {
        let target = Target::Text(format!("target/of\nlink {number}").into());
        Step::CreateLink { link: format!("/ä/{number}").into(), target, file: None, attributes: None }
    }

    fn id(file: u128) -> FileId {
        FileId { volume: 1, file, born: 3 }
    }

    fn home(number: usize) -> Option<Home> {
        // Not there, then two directories, then again.
        let place = (number / 3) % 4;
        (place > 0).then(|| Home { directory: id(place as u128 % 2), file_system: u64::MAX })
    }

    fn intend(journal: &mut Journal, operation: OperationId, many: usize) {
        let steps: Vec<_> = (0..many).map(|number| (step(number), format!("name{number}"))).collect();
        let intents = steps.iter().enumerate().map(|(number, (step, name))| Intent {
            step: Cow::Borrowed(step),
            private_name: name,
            home: home(number),
        });
        journal.intend(operation, 0, &intents.collect::<Vec<_>>()).unwrap();
    }

    #[test]
    fn few_steps_and_many_read_back_as_they_were_written() {
        for (many, kind) in [(1, "text"), (3, "text"), (2_000, "blob")] {
            let (mut journal, operation) = journal();
            intend(&mut journal, operation, many);
            let ends = [
                Outcome::Done(Some(id(7))),
                Outcome::Done(None),
                Outcome::Failed("\"no\"\n".into()),
                Outcome::Unsure("ü".into()),
                Outcome::NotReached,
            ];
            let outcomes: Vec<_> =
                ends.iter().cycle().cloned().map(|end| (end, home(3))).take(many).collect();
            journal.record(operation, 0, &outcomes, Then::Commit).unwrap();
            let steps = journal.steps(operation).unwrap();
            assert_eq!(steps.len(), many);
            for (number, recorded) in steps.iter().enumerate() {
                assert_eq!(recorded.number, number as u64);
                assert_eq!(
                    (&recorded.step, recorded.private_name.clone()),
                    (&step(number), format!("name{number}"))
                );
                assert_eq!(recorded.outcome, outcomes[number].0);
                assert_eq!(recorded.home, home(number).or(home(3)), "{number}");
            }
            assert_eq!(journal.first_step(operation).unwrap(), Some(step(0)));
            for table in ["chunks", "outcomes"] {
                let stored = format!("SELECT typeof(steps) FROM {table}");
                let stored: String = journal.connection.query_row(&stored, [], |row| row.get(0)).unwrap();
                assert_eq!(stored, kind, "{table} of {many}");
            }
        }
    }

    #[test]
    fn what_is_known_later_takes_the_place_of_what_was_known_and_is_counted_once() {
        let (mut journal, operation) = journal();
        intend(&mut journal, operation, 5);
        let tally = |journal: &Journal| journal.tally(operation).unwrap();
        assert_eq!(tally(&journal), Tally { done: 0, failed: 0, pending: 5 });
        assert!(journal.last_undoable().is_ok(), "a step without an end may have been done");
        let failed = || Outcome::Failed("no".into());
        let first = [(Outcome::Unsure("perhaps".into()), None), (failed(), None)];
        journal.record(operation, 0, &first, Then::Commit).unwrap();
        assert_eq!(tally(&journal), Tally { done: 0, failed: 2, pending: 3 });
        // Twice, as of two that look at the same time; what is not known changes nothing.
        for _ in 0..2 {
            let known =
                [(0, Outcome::Done(None)), (1, failed()), (2, Outcome::NotReached), (4, Outcome::Pending)];
            journal.settle_steps(operation, &known).unwrap();
            assert_eq!(tally(&journal), Tally { done: 1, failed: 1, pending: 2 });
        }
        assert_eq!(journal.operation(operation).unwrap().ended, None);
        journal.settle(operation, 3, failed()).unwrap();
        assert_eq!(journal.operation(operation).unwrap().ended, None, "of one step nothing is known");
        journal.settle(operation, 4, failed()).unwrap();
        assert_eq!(tally(&journal), Tally { done: 1, failed: 3, pending: 0 });
        assert_eq!(journal.operation(operation).unwrap().status, Status::Partial);
        journal.settle(operation, 0, failed()).unwrap();
        assert_eq!(journal.operation(operation).unwrap().status, Status::Failed);
        assert!(journal.last_undoable().is_err(), "nothing was done");
        let ends: Vec<_> = journal.steps(operation).unwrap().into_iter().map(|step| step.outcome).collect();
        assert_eq!(ends, [failed(), failed(), Outcome::NotReached, failed(), failed()]);
    }

    #[test]
    fn the_end_of_an_only_step_counts_once() {
        let (mut journal, operation) = journal();
        intend(&mut journal, operation, 1);
        for end in [Outcome::Done(Some(id(2))), Outcome::NotReached] {
            end_only_step(&journal.connection, operation.0, (end, home(3))).unwrap();
            let [recorded] = &journal.steps(operation).unwrap()[..] else { unreachable!() };
            assert_eq!((&recorded.outcome, recorded.home), (&Outcome::Done(Some(id(2))), home(3)));
            assert_eq!(journal.tally(operation).unwrap(), Tally { done: 1, failed: 0, pending: 0 });
        }
    }

    #[test]
    fn rows_that_are_broken_are_told_whatever_they_hold() {
        let (mut journal, operation) = journal();
        intend(&mut journal, operation, 2_000);
        let whole: Vec<u8> =
            journal.connection.query_row("SELECT steps FROM chunks", [], |row| row.get(0)).unwrap();
        let mut broken: Vec<Value> =
            (0..whole.len().min(64)).map(|at| Value::Blob(whole[..at].to_vec())).collect();
        let mut long = whole.clone();
        long[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        broken.push(Value::Blob(long));
        broken.extend([3, 4, 5, 40, whole.len() / 2, whole.len() - 1].map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            Value::Blob(flipped)
        }));
        broken.extend([Value::Text("{}\n".into()), Value::Text(String::new()), Value::Integer(7)]);
        for value in broken {
            let sql = "UPDATE chunks SET steps = ?";
            journal.connection.execute(sql, params![value]).unwrap();
            assert!(journal.steps(operation).is_err(), "{value:?}");
        }
        let sql = "UPDATE chunks SET steps = ?";
        journal.connection.execute(sql, params![whole]).unwrap();
        journal.record(operation, 1_999, &[(Outcome::NotReached, None)], Then::Commit).unwrap();
        assert_eq!(journal.steps(operation).unwrap().len(), 2_000);
        journal.record(operation, 2_000, &[(Outcome::NotReached, None)], Then::Commit).unwrap();
        assert!(journal.steps(operation).is_err(), "the outcome of no step");
    }
}
