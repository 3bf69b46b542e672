//! The database's shape, and how older shapes become it.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::lines;

/// "lnkc": tells a journal from any other SQLite database.
pub(super) const APPLICATION_ID: i32 = 0x6c6e_6b63;

/// Each brings the schema from its index to the next version. Never change one that was released.
const MIGRATIONS: [&str; 9] = [
    "CREATE TABLE operations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        verb TEXT NOT NULL,
        began INTEGER NOT NULL,
        ended INTEGER,
        status TEXT NOT NULL DEFAULT 'running',
        process TEXT NOT NULL,
        undoes INTEGER REFERENCES operations (id),
        undone_by INTEGER REFERENCES operations (id),
        planned INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE steps (
        operation INTEGER NOT NULL REFERENCES operations (id),
        number INTEGER NOT NULL,
        step TEXT NOT NULL,
        private_name TEXT NOT NULL,
        began INTEGER NOT NULL,
        outcome TEXT,
        made TEXT,
        error TEXT,
        PRIMARY KEY (operation, number)
     ) STRICT, WITHOUT ROWID;",
    // Who did it, also behind sudo: rows of before know only that it was this account.
    "ALTER TABLE operations ADD COLUMN user TEXT;",
    // Which directory a step was in: its path may lead to another one by the time it is undone.
    "ALTER TABLE steps ADD COLUMN home TEXT;",
    // By which an operation from the queue is known again. A program of before could not read steps that clear and
    // set reparse points either.
    "ALTER TABLE operations ADD COLUMN token TEXT;
     CREATE UNIQUE INDEX operations_by_token ON operations (token);
     CREATE INDEX operations_without_end ON operations (id) WHERE token IS NOT NULL AND ended IS NULL;",
    // A program of before could not read steps that move whole trees.
    "",
    // What links lead to, by which they find it again.
    "CREATE TABLE tracked (
        link BLOB NOT NULL,
        target TEXT NOT NULL,
        object TEXT NOT NULL,
        file_system TEXT NOT NULL,
        identity TEXT NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (link, target)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX tracked_by_object ON tracked (object);",
    // Steps in chunks, a line each, and what came of them apart: a row for each, written twice, cost as much as what it
    // told of. No table without row numbers: a look for one of its rows reads others to the end.
    "CREATE TABLE chunks (
        id INTEGER PRIMARY KEY,
        operation INTEGER NOT NULL REFERENCES operations (id),
        first INTEGER NOT NULL,
        many INTEGER NOT NULL,
        began INTEGER NOT NULL,
        lines ANY NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX chunks_by_operation ON chunks (operation, first);
     CREATE TABLE outcomes (
        id INTEGER PRIMARY KEY,
        operation INTEGER NOT NULL REFERENCES operations (id),
        first INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        done INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        unsure INTEGER NOT NULL,
        lines ANY NOT NULL
     ) STRICT;
     CREATE INDEX outcomes_by_operation ON outcomes (operation, first);
     INSERT INTO chunks (operation, first, many, began, lines)
        SELECT operation, min(number), count(*), min(began), pack(group_concat('{\"step\":' || step || ',\"name\":'
            || json_quote(private_name) || ',\"home\":' || coalesce(home, 'null') || '}', char(10) ORDER BY number))
        FROM steps WHERE operation IN (SELECT id FROM operations) GROUP BY operation, number / 256;
     INSERT INTO outcomes (operation, first, ended, done, failed, unsure, lines)
        SELECT operation, min(number), count(outcome), count(*) FILTER (WHERE outcome = 'done'),
            count(*) FILTER (WHERE outcome = 'failed'), count(*) FILTER (WHERE outcome = 'unsure'),
            pack(group_concat(json_object('outcome', outcome, 'made', made, 'error', error), char(10) ORDER BY number))
        FROM steps WHERE operation IN (SELECT id FROM operations) GROUP BY operation, number / 256;
     DROP TABLE steps;
     CREATE INDEX operations_that_move ON operations (id) WHERE verb IN ('move', 'restore', 'undo');",
    // Whether an operation moves whole trees is told by its steps, not by its verb. Of rows of before the verb tells, and of
    // an undo that of the first operation in the chain of what it undid.
    "ALTER TABLE operations ADD COLUMN moves_trees INTEGER NOT NULL DEFAULT 0;
     DROP INDEX operations_that_move;
     UPDATE operations SET moves_trees = 1 WHERE verb IN ('move', 'restore') OR undoes IS NOT NULL AND EXISTS
        (WITH RECURSIVE undone (id) AS (SELECT operations.undoes UNION SELECT before.undoes
            FROM operations AS before JOIN undone ON before.id = undone.id WHERE before.undoes IS NOT NULL)
         SELECT 1 FROM undone JOIN operations AS first ON first.id = undone.id WHERE first.verb IN ('move', 'restore'));
     CREATE INDEX operations_that_move ON operations (id) WHERE moves_trees = 1;",
    // By what a tree is known again at its new place: number, time of birth, volume. Rows of before have the number alone.
    "CREATE TABLE trees (
        operation INTEGER NOT NULL REFERENCES operations (id),
        number INTEGER NOT NULL,
        identity TEXT NOT NULL,
        PRIMARY KEY (operation, number)
     ) STRICT, WITHOUT ROWID;",
];

/// The schema this program writes.
pub(super) const VERSION: usize = MIGRATIONS.len();

pub(super) enum Opened {
    Ready,
    /// A SQLite database of another program.
    Foreign,
    /// Written by an earlier linkctl, where nothing can be written.
    Older,
    /// Written by a later linkctl.
    Newer(usize),
}

/// Makes sure of the schema and sets how the database keeps itself whole.
pub(super) fn prepare(connection: &Connection, mode: &str) -> rusqlite::Result<Opened> {
    let version = |connection: &Connection| -> rusqlite::Result<usize> {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(usize::try_from(version).unwrap_or(usize::MAX))
    };
    // One look at all three: another process may be making the journal just now.
    let look = connection.unchecked_transaction()?;
    let tables: i64 = look.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i32 = look.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let at = version(&look)?;
    drop(look);
    if application != APPLICATION_ID && tables > 0 {
        return Ok(Opened::Foreign);
    }
    if at > VERSION {
        return Ok(Opened::Newer(at));
    }
    if connection.is_readonly("main")? {
        return Ok(if at == VERSION { Opened::Ready } else { Opened::Older });
    }
    let current: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if !current.eq_ignore_ascii_case(mode) {
        connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(()))?;
    }
    // Making and removing links loses no data: they need not wait for the disk. A crash of the
    // program loses nothing either; only a power cut may lose the last rows, never the database.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;")?;
    if at == VERSION {
        // A page that rows are about to be added to and that cannot be read shows here, not in the middle of an
        // operation. Only those are read: a journal of years must not cost more than one of a day.
        connection.query_row("SELECT max(id) FROM operations", [], |_| Ok(()))?;
        connection.query_row("SELECT max(id) FROM chunks", [], |_| Ok(()))?;
        connection.query_row("SELECT max(operation) FROM chunks", [], |_| Ok(()))?;
        connection.query_row("SELECT max(id) FROM outcomes", [], |_| Ok(()))?;
        connection.query_row("SELECT max(operation) FROM outcomes", [], |_| Ok(()))?;
        connection.query_row("SELECT max(seq) FROM sqlite_sequence", [], |_| Ok(()))?;
        return Ok(Opened::Ready);
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Another process may have been faster.
    let at = version(connection)?;
    if at > VERSION {
        connection.execute_batch("ROLLBACK")?;
        return Ok(Opened::Newer(at));
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("pack", 1, flags, |given| lines::pack(given.get::<String>(0)?.into_bytes()))?;
    for migration in MIGRATIONS.iter().skip(at) {
        if let Err(error) = connection.execute_batch(migration) {
            connection.execute_batch("ROLLBACK")?;
            return Err(error);
        }
    }
    connection
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT"))?;
    give_back_room(connection);
    Ok(Opened::Ready)
}

/// Makes the file smaller where the rows of before were most of it. Else, and where there is no room for that or others
/// use it, the room is used again by and by.
fn give_back_room(connection: &Connection) {
    const MUCH: i64 = 1_000;
    let pages = |what: &str| connection.query_row(&format!("PRAGMA {what}"), [], |row| row.get::<_, i64>(0));
    let (Ok(all), Ok(free)) = (pages("page_count"), pages("freelist_count")) else { return };
    if free > MUCH && free > all / 2 {
        connection.execute_batch("VACUUM").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::journal::{Journal, OperationId, Outcome, Tally};
    use crate::model::Home;

    #[test]
    fn rows_of_an_older_schema_survive_the_migration() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;
                 INSERT INTO operations (verb, began, process, planned) VALUES ('create', 7, '{{}}', 1);"
            ))
            .unwrap();
        assert!(matches!(prepare(&connection, "memory").unwrap(), Opened::Ready));
        let row = connection.query_row("SELECT verb, began, user FROM operations", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<String>>(2)?))
        });
        assert_eq!(row.unwrap(), ("create".into(), 7, None));
    }

    #[test]
    fn steps_of_an_older_schema_are_those_they_were() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&MIGRATIONS[..6].concat()).unwrap();
        let step = r#"{"step":"make-directory","path":{"text":"/a\nb"}}"#;
        let home = r#"{"directory":"1:2:3","file_system":18446744073709551615}"#;
        let insert = "INSERT INTO steps VALUES (?, ?, ?, 'name', 7, ?, ?, ?, ?)";
        connection
            .execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 6;
                 INSERT INTO operations (verb, began, process, planned) VALUES ('create', 7, '{{}}', 5), ('undo', 8, '{{}}', 1), ('repair', 8, '{{}}', 1);"
            ))
            .unwrap();
        let rows = [
            (1, 0, Some("done"), Some("4:5:6"), None, Some(home)),
            (1, 1, Some("failed"), None, Some("\"no\"\n"), None),
            (1, 2, Some("unsure"), None, Some("ü"), Some(home)),
            (1, 3, Some("not-reached"), None, None, None),
            (1, 4, None, None, None, Some(home)),
            (2, 0, Some("done"), None, None, None),
        ];
        for (operation, number, outcome, made, error, home) in rows {
            let row = rusqlite::params![operation, number, step, outcome, made, error, home];
            connection.execute(insert, row).unwrap();
        }
        for number in 0..1_000 {
            let row = rusqlite::params![3, number, step, Some("done"), Some("4:5:6"), None::<&str>, Some(home)];
            connection.execute(insert, row).unwrap();
        }
        // Of an operation that is not there: nothing tells what it was.
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF; INSERT INTO steps SELECT 9, number, step, private_name, \
            began, outcome, made, error, home FROM steps WHERE operation = 1",
            )
            .unwrap();
        assert!(matches!(prepare(&connection, "memory").unwrap(), Opened::Ready));
        let journal = Journal::of(connection, "test".as_ref());
        let steps = journal.steps(OperationId(1)).unwrap();
        let home: Home = serde_json::from_str(home).unwrap();
        let told: Vec<_> = steps.iter().map(|step| (step.number, step.outcome.clone(), step.home.clone())).collect();
        let expected = [
            (0, Outcome::Done(Some("4:5:6".parse().unwrap())), Some(home.clone())),
            (1, Outcome::Failed("\"no\"\n".into()), None),
            (2, Outcome::Unsure("ü".into()), Some(home.clone())),
            (3, Outcome::NotReached, None),
            (4, Outcome::Pending, Some(home)),
        ];
        assert_eq!(told, expected);
        for recorded in &steps {
            assert_eq!((recorded.private_name.as_str(), recorded.began), ("name", 7));
            assert_eq!(recorded.step, serde_json::from_str(step).unwrap());
        }
        assert_eq!(journal.tally(OperationId(1)).unwrap(), Tally { done: 1, failed: 2, pending: 1 });
        let [only] = &journal.steps(OperationId(2)).unwrap()[..] else { unreachable!() };
        assert_eq!(only.outcome, Outcome::Done(None));
        let many = journal.steps(OperationId(3)).unwrap();
        assert!(many.iter().all(|step| step.outcome == Outcome::Done(Some("4:5:6".parse().unwrap()))));
        assert!(many.iter().map(|step| step.number).eq(0..1_000));
        assert_eq!(journal.tally(OperationId(3)).unwrap(), Tally { done: 1_000, failed: 0, pending: 0 });
        assert_eq!(journal.steps(OperationId(9)).unwrap(), []);
        let packed = "SELECT count(*) FROM chunks WHERE typeof(lines) = 'blob'";
        assert_eq!(journal.connection.query_row(packed, [], |row| row.get::<_, i64>(0)).unwrap(), 4);
    }

    #[test]
    fn databases_of_others_and_of_the_future_are_left_alone() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(prepare(&connection, "memory").unwrap(), Opened::Foreign));
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 99"))
            .unwrap();
        assert!(matches!(prepare(&connection, "memory").unwrap(), Opened::Newer(99)));
    }
}
