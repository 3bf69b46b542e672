//! What is wrong with a volume, and where.

use std::fmt;
use std::io;

/// A part of a volume that cannot be read or makes no sense. It costs that part and nothing else.
#[derive(Debug)]
pub struct Error {
    record: Option<u64>,
    position: u64,
    cause: Cause,
}

/// What sort of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No NTFS volume begins there.
    NotNtfs,
    /// The device or file failed.
    Io,
    /// What is stored there makes no sense.
    Damaged,
    /// What was asked for is not on the volume.
    NotFound,
}

#[derive(Debug)]
enum Cause {
    NotNtfs(String),
    Io(io::Error),
    Damaged(&'static str),
    NotFound(&'static str),
}

impl Error {
    pub(crate) fn not_ntfs(position: u64, what: impl Into<String>) -> Self {
        Self { record: None, position, cause: Cause::NotNtfs(what.into()) }
    }

    pub(crate) fn io(position: u64, error: io::Error) -> Self {
        Self { record: None, position, cause: Cause::Io(error) }
    }

    pub(crate) fn damaged(position: u64, what: &'static str) -> Self {
        Self { record: None, position, cause: Cause::Damaged(what) }
    }

    pub(crate) fn not_found(record: u64, position: u64, what: &'static str) -> Self {
        Self { record: Some(record), position, cause: Cause::NotFound(what) }
    }

    /// The same once more: parts of a file are looked at for several reasons.
    pub(crate) fn again(&self) -> Self {
        let cause = match &self.cause {
            Cause::NotNtfs(what) => Cause::NotNtfs(what.clone()),
            Cause::Io(error) => Cause::Io(io::Error::new(error.kind(), error.to_string())),
            Cause::Damaged(what) => Cause::Damaged(what),
            Cause::NotFound(what) => Cause::NotFound(what),
        };
        Self { record: self.record, position: self.position, cause }
    }

    /// Says which file record it belongs to, where that is not said yet.
    pub(crate) fn of(mut self, record: u64) -> Self {
        self.record.get_or_insert(record);
        self
    }

    /// The number of the file record it belongs to.
    #[must_use]
    pub fn record(&self) -> Option<u64> {
        self.record
    }

    /// Where in the source that is, in bytes from its beginning.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What sort of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.cause {
            Cause::NotNtfs(_) => ErrorKind::NotNtfs,
            Cause::Io(_) => ErrorKind::Io,
            Cause::Damaged(_) => ErrorKind::Damaged,
            Cause::NotFound(_) => ErrorKind::NotFound,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, "file record {record} ")?;
        }
        let at = self.position;
        match &self.cause {
            Cause::NotNtfs(what) => write!(f, "at byte {at}: no NTFS volume: {what}"),
            Cause::Io(error) => write!(f, "at byte {at}: {error}"),
            Cause::Damaged(what) | Cause::NotFound(what) => write!(f, "at byte {at}: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            _ => None,
        }
    }
}
