//! Opens the database: for reading, for writing, or not at all.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode::DatabaseBusy;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::schema::{self, Opened};
use super::{BUSY, FILE, INDEX, Journal, LOG, OPEN, QUEUE, ROLLBACK, is_corruption, sqlite_error};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::{Directory, Filesystem};

impl Journal {
    /// Opens a journal for reading, without making one. `None` where there is none yet. What waits in the queue is
    /// not in it: see [`crate::apply::existing_journal`].
    ///
    /// # Errors
    /// The journal is corrupt, of a newer version, another user's, or cannot be read.
    pub(crate) fn open_existing(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(FILE);
        match path.symlink_metadata() {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(OPEN, directory, error).of_kind(ErrorKind::Journal)),
        }
        check_files(directory)?;
        let writable = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let error = match Self::finish(writable, directory) {
            Ok(journal) => return Ok(Some(journal)),
            Err(error) if error.corruption().is_some() => return Err(error.into_error(directory)),
            Err(error) => error,
        };
        // On a read-only file system a write-ahead log cannot be set up, not even for reading. With no
        // log left over, the file alone is the whole truth, and nobody can change it.
        let log = directory.join(LOG).metadata().map(|log| log.len());
        if log.is_ok_and(|length| length > 0) {
            return Err(error.into_error(directory));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let Some(uri) = uri(&path, "immutable=1") else { return Err(error.into_error(directory)) };
        match Self::finish(Connection::open_with_flags(uri, flags), directory) {
            Ok(journal) => Ok(Some(journal)),
            Err(error @ OpenError::Other(_)) => Err(error.into_error(directory)),
            Err(OpenError::Sqlite(_)) => Err(error.into_error(directory)),
        }
    }

    /// A copy in memory, older schemas brought up to date in it: nothing is changed on any file system.
    pub(crate) fn copy(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(FILE);
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        check_files(directory)?;
        let is_there = |name: &str| directory.join(name).metadata().is_ok_and(|found| found.len() > 0);
        // What a running program has open, or a killed one left, is read through the log and its index as they are. With
        // no log left over, the file alone is the whole truth.
        let parameters = match (is_there(LOG), is_there(INDEX), is_there(ROLLBACK)) {
            (false, _, false) => "immutable=1",
            (true, true, false) => "mode=ro&readonly_shm=1",
            _ => {
                let cause = "it was not closed, and cannot be read before it is brought in order";
                return Err(Error::new(ErrorKind::Journal, OPEN, directory, cause));
            }
        };
        let fail = |error| OpenError::Sqlite(error).into_error(directory);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let uri =
            uri(&path, parameters).ok_or_else(|| Error::new(ErrorKind::Journal, OPEN, directory, "it has no path"))?;
        let source = Connection::open_with_flags(uri, flags).map_err(fail)?;
        source.busy_timeout(BUSY).map_err(fail)?;
        let mut copy = Connection::open_in_memory().map_err(fail)?;
        Backup::new(&source, &mut copy).and_then(|backup| backup.step(-1)).map_err(fail)?;
        Self::prepared(copy, directory, "memory").map(Some).map_err(|error| error.into_error(directory))
    }

    /// An empty one in memory.
    pub(crate) fn in_memory(directory: &Path) -> Result<Self> {
        let opened = Connection::open_in_memory().map_err(OpenError::from);
        let journal = opened.and_then(|connection| Self::prepared(connection, directory, "memory"));
        journal.map_err(|error| error.into_error(directory))
    }

    /// Opens or makes the database in a directory that exists and is this user's.
    pub(crate) fn open_or_create(directory: &Path) -> std::result::Result<Self, OpenError> {
        check_files(directory).map_err(OpenError::Other)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::finish(Connection::open_with_flags(directory.join(FILE), flags), directory)
    }

    fn finish(connection: rusqlite::Result<Connection>, directory: &Path) -> std::result::Result<Self, OpenError> {
        // Shared memory and locks are not to be trusted across a network: no write-ahead log there.
        let network = Directory::open(directory).and_then(|directory| Filesystem::of(&directory));
        let mode = if network.is_ok_and(|filesystem| !filesystem.network) { "WAL" } else { "DELETE" };
        Self::prepared(connection?, directory, mode)
    }

    fn prepared(connection: Connection, directory: &Path, mode: &str) -> std::result::Result<Self, OpenError> {
        let journal = Self::of(connection, directory);
        journal.connection.busy_timeout(BUSY)?;
        let cause = match prepare(&journal.connection, mode)? {
            Opened::Ready => return Ok(journal),
            Opened::Foreign => "its journal.db is a database of another program".to_owned(),
            Opened::Older => {
                "it is of an older linkctl, and cannot be brought up to date where nothing can be written".to_owned()
            }
            Opened::Newer(version) => {
                format!("it was written by a newer linkctl (schema {version}, this one knows {})", schema::VERSION)
            }
        };
        Err(OpenError::Other(Error::new(ErrorKind::Journal, OPEN, directory, cause)))
    }
}

/// While another process changes how the database keeps itself whole, SQLite says "locked" without waiting.
fn prepare(connection: &Connection, mode: &str) -> rusqlite::Result<Opened> {
    let began = Instant::now();
    loop {
        match schema::prepare(connection, mode) {
            Err(error) if error.sqlite_error_code() == Some(DatabaseBusy) && began.elapsed() < BUSY => {
                thread::sleep(Duration::from_millis(2));
            }
            answer => return answer,
        }
    }
}

/// Why a journal did not open.
pub(crate) enum OpenError {
    Sqlite(rusqlite::Error),
    Other(Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl OpenError {
    /// Why the file may be set aside; `None` where it must not be.
    pub(crate) fn corruption(&self) -> Option<String> {
        match self {
            Self::Sqlite(error) => is_corruption(error).then(|| error.to_string()),
            Self::Other(_) => None,
        }
    }

    pub(crate) fn into_error(self, directory: &Path) -> Error {
        match self {
            Self::Sqlite(error) => sqlite_error(OPEN, directory, &error),
            Self::Other(error) => error,
        }
    }
}

/// A journal tells linkctl what to undo: one that others can write is not believed.
pub(crate) fn check_owner(directory: &Path) -> Result<()> {
    let fail = |error| Error::io(OPEN, directory, error).of_kind(ErrorKind::Journal);
    let opened = Directory::open(directory).map_err(fail)?;
    for file in [FILE, QUEUE] {
        if let Some(cause) = opened.distrust(Path::new(file)).map_err(fail)? {
            return Err(Error::new(ErrorKind::Journal, OPEN, directory, cause));
        }
    }
    Ok(())
}

/// What SQLite is about to open has to be files: it would wait for ever for what comes out of a pipe.
fn check_files(directory: &Path) -> Result<()> {
    check_owner(directory)?;
    for file in Journal::FILES {
        if directory.join(file).symlink_metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Error::new(ErrorKind::Journal, OPEN, directory, format!("its {file} is no plain file")));
        }
    }
    Ok(())
}

/// A file as SQLite opens it by a URI (sqlite.org/uri.html).
fn uri(path: &Path, parameters: &str) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(format!("{uri}?{parameters}"))
}
