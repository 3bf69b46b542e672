//! The steps of operations: what they were to be, in chunks, and what came of them.
//!
//! Nothing that was written is ever written again: a chunk is a row of lines, and what came of its steps is a row of its
//! own. A row for each step would cost as much as the step itself, and a second time where its end is added.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Deserializer, Serialize};

use super::rows::{OperationId, Outcome, Recorded, Status, Tally, broken, parse};
use super::{Journal, Then, lines, now, to_sql};
use crate::error::Result;
use crate::model::Step;
use crate::model::{FileId, Home};
use crate::read::identity::Identity;

/// A step about to be taken.
pub(crate) struct Intent<'a> {
    /// The step.
    pub(crate) step: &'a Step,
    /// The name under which something of it may be left.
    pub(crate) private_name: &'a str,
    /// The directory it is in, if that is there already.
    pub(crate) home: Option<Home>,
}

/// A line of a chunk.
#[derive(Serialize, Deserialize)]
struct StepLine<'a> {
    step: Cow<'a, Step>,
    name: Cow<'a, str>,
    /// Left out where it is that of the line before: steps of one directory stand together.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    home: Option<Option<Home>>,
}

/// What is there, also where it is `null`.
fn given<'d, D: Deserializer<'d>, T: Deserialize<'d>>(deserializer: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A line about what came of a step.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct OutcomeLine<'a> {
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

impl<'a> From<&'a (Outcome, Option<Home>)> for OutcomeLine<'a> {
    fn from((outcome, home): &'a (Outcome, Option<Home>)) -> Self {
        let error = outcome.error().map(Cow::Borrowed);
        Self { outcome: outcome.as_str().map(Cow::Borrowed), made: outcome.made(), error, home: home.clone() }
    }
}

impl From<OutcomeLine<'_>> for (Outcome, Option<Home>) {
    fn from(OutcomeLine { outcome, made, error, home }: OutcomeLine<'_>) -> Self {
        (Outcome::of(outcome.as_deref(), made, error.map(Cow::into_owned)), home)
    }
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
        // Another program may have taken this one for dead, and written down what it saw.
        let sql = "SELECT EXISTS (SELECT 1 FROM outcomes WHERE operation = ? AND first >= ?)";
        let mut is_told = self.settled_by_another_process == Some(id);
        self.transact(then, |connection| {
            is_told |= connection.query_row(sql, params![id.0, row_number(first)], |row| row.get::<_, bool>(0))?;
            if !is_told {
                return write_outcomes(connection, id.0, row_number(first), outcomes, &[]);
            }
            let known: Vec<_> = (row_number(first)..).zip(outcomes.iter().cloned()).collect();
            amend(connection, id.0, known, |was, outcome| was != outcome)
        })?;
        self.settled_by_another_process = is_told.then_some(id);
        Ok(())
    }

    /// Writes down by what the tree that a step moved is known again.
    pub(crate) fn know_tree(&mut self, id: OperationId, number: u64, tree: &Identity, then: Then) -> Result<()> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.transact(then, |connection| {
            let tree = serde_json::to_string(tree).map_err(to_sql)?;
            let sql = "INSERT OR REPLACE INTO trees (operation, number, identity) VALUES (?, ?, ?)";
            connection.execute(sql, params![id.0, number, tree]).map(drop)
        })
    }

    /// Writes down what became of steps whose process ended in the middle, of those that nobody has told of yet.
    pub(crate) fn settle_steps(&mut self, id: OperationId, known: Vec<(u64, Outcome)>) -> Result<()> {
        self.transact(Then::Commit, |connection| settle(connection, id.0, known))
    }

    /// The same of one step, and of its operation where that is known then.
    pub(crate) fn settle(&mut self, id: OperationId, number: u64, outcome: Outcome) -> Result<()> {
        self.transact(Then::Commit, |connection| {
            settle(connection, id.0, vec![(number, outcome)])?;
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
        let sql = "SELECT lines FROM chunks WHERE operation = ? ORDER BY first LIMIT 1";
        let row = |row: &Row<'_>| {
            let lines = lines::unpack(row, 0)?;
            let first: StepLine<'_> = parse(lines.lines().next().unwrap_or_default(), 0)?;
            Ok(first.step.into_owned())
        };
        Ok(self.query(sql, params![id.0], row)?.pop())
    }

    /// The steps of an operation that were begun, in order.
    ///
    /// # Errors
    /// The journal cannot be read, or a row of it has no meaning.
    pub fn steps(&self, id: OperationId) -> Result<Vec<Recorded>> {
        steps_of(&self.connection, id.0).map_err(|error| self.unreadable(&error))
    }

    /// The paths that later operations changed.
    pub(crate) fn paths_done_after(&self, id: OperationId) -> Result<BTreeSet<PathBuf>> {
        let later = read(&self.connection, "operation > ?", id.0).map_err(|error| self.unreadable(&error))?;
        let done = later.into_values().flatten().filter(|step| matches!(step.outcome, Outcome::Done(_)));
        Ok(done.map(|recorded| recorded.step.path().to_path_buf()).collect())
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
    let lines = lines::store(intents.iter().map(|intent| {
        let home = Some(intent.home.clone()).filter(|home| last.as_ref() != Some(home));
        last = Some(intent.home.clone());
        StepLine { step: Cow::Borrowed(intent.step), name: intent.private_name.into(), home }
    }))?;
    let sql = "INSERT INTO chunks (operation, first, many, began, lines) VALUES (?, ?, ?, ?, ?)";
    let (first, many) = (row_number(first), row_number(intents.len()));
    connection.execute(sql, params![operation, first, many, began, lines]).map(drop)
}

/// Adds what came of steps that follow each other, in the place of what they were known to be, if that was known.
fn write_outcomes(
    connection: &Connection,
    operation: i64,
    first: i64,
    outcomes: &[(Outcome, Option<Home>)],
    were: &[&Outcome],
) -> rusqlite::Result<()> {
    let mut counts = Counts::default();
    were.iter().for_each(|was| counts.add(was, -1));
    outcomes.iter().for_each(|(outcome, _)| counts.add(outcome, 1));
    let lines = lines::store(outcomes.iter().map(OutcomeLine::from))?;
    let Counts { ended, done, failed, unsure } = counts;
    let sql =
        "INSERT INTO outcomes (operation, first, ended, done, failed, unsure, lines) VALUES (?, ?, ?, ?, ?, ?, ?)";
    connection.execute(sql, params![operation, first, ended, done, failed, unsure, lines]).map(drop)
}

/// Records the outcomes of all steps of an operation, unless they are known.
pub(super) fn end_steps(
    connection: &Connection,
    operation: i64,
    outcomes: &[(Outcome, Option<Home>)],
) -> rusqlite::Result<()> {
    let (begun, counts) = count(connection, operation)?;
    if counts.ended < begun {
        write_outcomes(connection, operation, 0, outcomes, &[])?;
    }
    Ok(())
}

/// Writes down what became of steps that have no outcome.
fn settle(connection: &Connection, operation: i64, known: Vec<(u64, Outcome)>) -> rusqlite::Result<()> {
    let known = known.into_iter().map(|(number, outcome)| (i64::try_from(number).unwrap_or(i64::MAX), (outcome, None)));
    amend(connection, operation, known.collect(), |was, outcome| {
        *was == Outcome::Pending && *outcome != Outcome::Pending
    })
}

/// Writes down what became of steps, in the place of what is known of them by now, where it `is_better`.
fn amend(
    connection: &Connection,
    operation: i64,
    known: Vec<(i64, (Outcome, Option<Home>))>,
    is_better: impl Fn(&Outcome, &Outcome) -> bool,
) -> rusqlite::Result<()> {
    let steps = steps_of(connection, operation)?;
    let was = |number: i64| Some(&steps.get(place_of(&steps, number)?)?.outcome);
    let news = known.into_iter().filter_map(|(number, ended)| Some((number, was(number)?, ended)));
    let news: Vec<_> = news.filter(|(_, was, (outcome, _))| is_better(was, outcome)).collect();
    for run in news.chunk_by(|(one, ..), (next, ..)| one + 1 == *next) {
        let Some((first, ..)) = run.first() else { continue };
        let (were, outcomes): (Vec<_>, Vec<_>) = run.iter().map(|(_, was, ended)| (*was, ended.clone())).unzip();
        write_outcomes(connection, operation, *first, &outcomes, &were)?;
    }
    Ok(())
}

/// How many steps were begun, and what came of them. In one statement: a program that is at work adds to both.
fn count(connection: &Connection, operation: i64) -> rusqlite::Result<(i64, Counts)> {
    let sql = "SELECT (SELECT coalesce(sum(many), 0) FROM chunks WHERE operation = ?1), \
               coalesce(sum(ended), 0), coalesce(sum(done), 0), coalesce(sum(failed), 0), coalesce(sum(unsure), 0) \
               FROM outcomes WHERE operation = ?1";
    connection.query_row(sql, params![operation], |row| {
        let counts = Counts { ended: row.get(1)?, done: row.get(2)?, failed: row.get(3)?, unsure: row.get(4)? };
        Ok((row.get(0)?, counts))
    })
}

fn steps_of(connection: &Connection, operation: i64) -> rusqlite::Result<Vec<Recorded>> {
    Ok(read(connection, "operation = ?", operation)?.remove(&operation).unwrap_or_default())
}

/// The steps of operations, with what came of them.
fn read(connection: &Connection, which: &str, operation: i64) -> rusqlite::Result<BTreeMap<i64, Vec<Recorded>>> {
    // One look at both tables: else what a program at work adds to the second may be of steps that the first had not.
    let _look = connection.is_autocommit().then(|| connection.unchecked_transaction()).transpose()?;
    let mut all: BTreeMap<i64, Vec<Recorded>> = BTreeMap::new();
    let sql =
        format!("SELECT operation, first, many, began, lines FROM chunks WHERE {which} ORDER BY operation, first");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![operation])?;
    while let Some(row) = rows.next()? {
        let (first, many, began): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let lines = lines::unpack(row, 4)?;
        let steps = all.entry(row.get(0)?).or_default();
        let (before, mut last) = (steps.len(), None);
        for (number, line) in (first..).zip(lines.lines()) {
            let StepLine { step, name, home } = parse(line, 4)?;
            if let Some(home) = home {
                last = home;
            }
            steps.push(Recorded {
                number: number.try_into().map_err(|error| broken(1, error))?,
                step: step.into_owned(),
                private_name: name.into_owned(),
                began,
                outcome: Outcome::Pending,
                home: last.clone(),
                tree: None,
            });
        }
        if row_number(steps.len() - before) != many {
            return Err(broken(4, "a chunk of steps is not whole"));
        }
    }
    // What was written later counts.
    let sql = format!("SELECT operation, first, lines FROM outcomes WHERE {which} ORDER BY operation, id");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![operation])?;
    while let Some(row) = rows.next()? {
        let (operation, first): (i64, i64) = (row.get(0)?, row.get(1)?);
        let no_step = || broken(2, "an outcome is of no step");
        let steps = all.get_mut(&operation).ok_or_else(no_step)?;
        let place = place_of(steps, first).ok_or_else(no_step)?;
        let mut steps = steps.iter_mut().skip(place);
        for line in lines::unpack(row, 2)?.lines() {
            let (outcome, home) = parse::<OutcomeLine<'_>>(line, 2)?.into();
            let recorded = steps.next().ok_or_else(no_step)?;
            recorded.outcome = outcome;
            recorded.home = recorded.home.take().or(home);
        }
    }
    for (&operation, steps) in all.iter_mut().filter(|(_, steps)| steps.iter().any(|step| step.step.tree().is_some())) {
        let sql = "SELECT number, identity FROM trees WHERE operation = ?";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![operation])?;
        while let Some(row) = rows.next()? {
            if let Some(recorded) = place_of(steps, row.get(0)?).and_then(|place| steps.get_mut(place)) {
                recorded.tree = Some(Box::new(super::rows::json(row, 1)?));
            }
        }
    }
    Ok(all)
}

fn place_of(steps: &[Recorded], number: i64) -> Option<usize> {
    let number = u64::try_from(number).ok()?;
    steps.binary_search_by_key(&number, |recorded| recorded.number).ok()
}

fn row_number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rusqlite::types::Value;

    use super::*;
    use crate::journal::Operation;
    use crate::model::{CreateLink, Target};

    fn journal() -> (Journal, OperationId) {
        let mut journal = Journal::in_memory("test".as_ref()).unwrap();
        let id = journal.begin(&Operation::new("create"), &[step(0), step(1), step(2)]).unwrap();
        (journal, id)
    }

    fn step(number: usize) -> Step {
        let target = Target::Text(format!("target/of\nlink {number}").into());
        let link = PathBuf::from(format!("/ä/{number}")).into();
        Step::CreateLink(CreateLink { link, target, file: None, attributes: None, ntfs: None })
    }

    fn id(file: u128) -> FileId {
        FileId { volume: 1, file, born: 3 }
    }

    fn home(number: usize) -> Option<Home> {
        // Not there, then two directories, then again.
        let place = (number / 3) % 4;
        (place > 0).then(|| Home {
            directory: id(place as u128 % 2),
            file_system: u64::MAX,
            name: (place == 2).then(|| "uuid:7".to_owned()),
        })
    }

    fn intend(journal: &mut Journal, operation: OperationId, many: usize) {
        let steps: Vec<_> = (0..many).map(|number| (step(number), format!("name{number}"))).collect();
        let intents = steps.iter().enumerate().map(|(number, (step, name))| Intent {
            step,
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
            let outcomes: Vec<_> = ends.iter().cycle().cloned().map(|end| (end, home(3))).take(many).collect();
            journal.record(operation, 0, &outcomes, Then::Commit).unwrap();
            let steps = journal.steps(operation).unwrap();
            assert_eq!(steps.len(), many);
            for (number, recorded) in steps.iter().enumerate() {
                assert_eq!(recorded.number, number as u64);
                assert_eq!((&recorded.step, recorded.private_name.clone()), (&step(number), format!("name{number}")));
                assert_eq!(recorded.outcome, outcomes[number].0);
                assert_eq!(recorded.home, home(number).or(home(3)), "{number}");
            }
            assert_eq!(journal.first_step(operation).unwrap(), Some(step(0)));
            for table in ["chunks", "outcomes"] {
                let stored = format!("SELECT typeof(lines) FROM {table}");
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
            let known = [(0, Outcome::Done(None)), (2, Outcome::NotReached), (4, Outcome::Pending), (9, failed())];
            journal.settle_steps(operation, known.to_vec()).unwrap();
            assert_eq!(tally(&journal), Tally { done: 0, failed: 2, pending: 2 });
        }
        assert_eq!(journal.operation(operation).unwrap().ended, None);
        journal.settle(operation, 3, failed()).unwrap();
        assert_eq!(journal.operation(operation).unwrap().ended, None, "of one step nothing is known");
        // The program was not dead: it knows better than who looked.
        journal.record(operation, 2, &[(Outcome::Done(None), home(3)), (failed(), None)], Then::Commit).unwrap();
        assert_eq!(tally(&journal), Tally { done: 1, failed: 3, pending: 1 });
        journal.record(operation, 4, &[(failed(), None)], Then::Commit).unwrap();
        assert_eq!(tally(&journal), Tally { done: 1, failed: 4, pending: 0 });
        assert!(journal.last_undoable().is_ok());
        let ends: Vec<_> = journal.steps(operation).unwrap().into_iter().map(|step| step.outcome).collect();
        assert_eq!(ends, [Outcome::Unsure("perhaps".into()), failed(), Outcome::Done(None), failed(), failed()]);
    }

    #[test]
    fn an_operation_ends_as_its_steps_did() {
        for (ends, status) in [
            ([Outcome::Done(None), Outcome::Done(None)], Status::Done),
            ([Outcome::Done(None), Outcome::NotReached], Status::Partial),
            ([Outcome::Failed("no".into()), Outcome::NotReached], Status::Failed),
        ] {
            let (mut journal, operation) = journal();
            intend(&mut journal, operation, 2);
            for (number, end) in (0..).zip(ends) {
                assert_eq!(journal.operation(operation).unwrap().ended, None);
                journal.settle(operation, number, end).unwrap();
            }
            assert_eq!(journal.operation(operation).unwrap().status, status);
            assert_eq!(journal.last_undoable().is_ok(), status != Status::Failed);
        }
    }

    #[test]
    fn the_end_of_an_only_step_counts_once() {
        let (mut journal, operation) = journal();
        intend(&mut journal, operation, 1);
        for end in [Outcome::Done(Some(id(2))), Outcome::NotReached] {
            end_steps(&journal.connection, operation.0, &[(end, home(3))]).unwrap();
            let [recorded] = &journal.steps(operation).unwrap()[..] else { unreachable!() };
            assert_eq!((&recorded.outcome, recorded.home.clone()), (&Outcome::Done(Some(id(2))), home(3)));
            assert_eq!(journal.tally(operation).unwrap(), Tally { done: 1, failed: 0, pending: 0 });
        }
    }

    #[test]
    fn rows_that_are_broken_are_told_whatever_they_hold() {
        let (mut journal, operation) = journal();
        intend(&mut journal, operation, 2_000);
        let whole: Vec<u8> = journal.connection.query_row("SELECT lines FROM chunks", [], |row| row.get(0)).unwrap();
        let mut broken: Vec<Value> = (0..whole.len().min(64)).map(|at| Value::Blob(whole[..at].to_vec())).collect();
        let mut long = whole.clone();
        long[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        broken.push(Value::Blob(long));
        broken.extend((0..whole.len()).step_by(97).map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            Value::Blob(flipped)
        }));
        broken.extend([Value::Text("{}\n".into()), Value::Text(String::new()), Value::Integer(7)]);
        for value in broken {
            let sql = "UPDATE chunks SET lines = ?";
            journal.connection.execute(sql, params![value]).unwrap();
            assert!(journal.steps(operation).is_err(), "{value:?}");
        }
        let sql = "UPDATE chunks SET lines = ?";
        journal.connection.execute(sql, params![whole]).unwrap();
        journal.record(operation, 1_999, &[(Outcome::NotReached, None)], Then::Commit).unwrap();
        assert_eq!(journal.steps(operation).unwrap().len(), 2_000);
        journal.record(operation, 2_000, &[(Outcome::NotReached, None)], Then::Commit).unwrap();
        assert!(journal.steps(operation).is_err(), "the outcome of no step");
    }
}
