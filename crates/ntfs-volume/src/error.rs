//! What is wrong with a volume, and where.

use std::fmt;
use std::io;

/// The result of reading.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something of a volume could not be read.
#[derive(Debug)]
pub enum Error {
    /// The source failed.
    Io(io::Error),
    /// It is no NTFS volume; it may be something that holds one.
    NotNtfs(String),
    /// The volume contradicts itself.
    Damaged(Damage),
}

/// A contradiction, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The number of the file record, where it is about one.
    pub record: Option<u64>,
    /// The position in the source, in bytes, where that is known.
    pub position: Option<u64>,
    /// What is wrong.
    pub what: &'static str,
}

impl Damage {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { record: None, position: None, what }
    }

    /// The same, of a file record.
    pub(crate) fn of(self, record: u64) -> Self {
        Self { record: self.record.or(Some(record)), ..self }
    }

    /// The same, at a position of the source.
    pub(crate) fn at(self, position: u64) -> Self {
        Self { position: self.position.or(Some(position)), ..self }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if let Some(record) = self.record {
            write!(f, ", file record {record}")?;
        }
        if let Some(position) = self.position {
            write!(f, ", at byte {position}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotNtfs(what) => f.write_str(what),
            Self::Damaged(damage) => write!(f, "the volume is damaged: {damage}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// What is wrong, where there was nothing to be read.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::Damaged(Damage::new(what))
}
