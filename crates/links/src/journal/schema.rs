//! The database's shape, and how older shapes become it.

use rusqlite::Connection;

/// "lnkc": tells a journal from any other SQLite database.
const APPLICATION_ID: i32 = 0x6c6e_6b63;

/// Each brings the schema from its index to the next version. Never change one that was released.
const MIGRATIONS: [&str; 6] = [
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
        connection.query_row("SELECT max(operation) FROM steps", [], |_| Ok(()))?;
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
    for migration in MIGRATIONS.iter().skip(at) {
        if let Err(error) = connection.execute_batch(migration) {
            connection.execute_batch("ROLLBACK")?;
            return Err(error);
        }
    }
    connection.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT"
    ))?;
    Ok(Opened::Ready)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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
