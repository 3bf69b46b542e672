//! What went wrong: the operation, the paths, the cause. What to do about it is the caller's word.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::platform::{describe, error_kind, quoted};

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure or a refusal. Its text escapes hostile names and is safe on a terminal.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    path: PathBuf,
    second: Option<PathBuf>,
    cause: Cause,
    /// Said before the cause.
    before: Option<&'static str>,
    aftermath: Option<Aftermath>,
}

enum Cause {
    Io(io::Error),
    Text(String),
    Stopped,
}

/// What a failure left, where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aftermath {
    /// Everything is as it was.
    Unchanged,
    /// Nothing is lost, but something is left half-way: [`crate::apply::interrupted`] finds it.
    Unfinished,
    /// In words; names in it are quoted and escaped already.
    Other(String),
}

/// What sort of failure it was: what programs decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The name of the new link is taken.
    AlreadyExists,
    /// A path that must exist does not.
    NotFound,
    /// The directory that would hold the link does not exist.
    ParentMissing,
    /// The system denies it to this user.
    PermissionDenied,
    /// The file system is mounted read-only.
    ReadOnly,
    /// No space, no inodes, or no quota left.
    Full,
    /// A hard link to another volume, or a target that the link's volume cannot name.
    CrossesVolumes,
    /// A hard link to a directory.
    IsDirectory,
    /// A directory was needed.
    NotADirectory,
    /// A directory was not empty.
    NotEmpty,
    /// The path is not a link.
    NotALink,
    /// The file has this one name only.
    LastName,
    /// One name of several of a file is meant, and only a wish for hard links says so.
    KindNeeded,
    /// The file system or system cannot hold this kind of link.
    NotSupported,
    /// Link and target are the same, or the link would lead to itself.
    SameFile,
    /// The target is itself a link, where a file was needed.
    TargetIsLink,
    /// The target cannot be stored in this kind of link.
    InvalidTarget,
    /// The path names no entry that could be a link (`/`, `..`, empty).
    InvalidPath,
    /// A name or target is longer than the file system takes.
    TooLong,
    /// The file has as many names as its file system allows.
    TooManyLinks,
    /// The object changed since it was looked at.
    Changed,
    /// What was made is not what was asked for.
    NotVerified,
    /// It may have been made, and is left: what is there could not be looked at.
    Unsure,
    /// There is nothing to do, such as nothing to undo.
    Nothing,
    /// Too many links in the path.
    Loop,
    /// A policy of the system forbids following a link (Windows), or only Windows can look into a directory (elsewhere).
    Blocked,
    /// A pattern or option has no meaning.
    InvalidOption,
    /// No NTFS volume is there, or not in a form that can be read.
    NotAVolume,
    /// A part of a volume makes no sense.
    Damaged,
    /// Another operation on the same objects is running.
    Busy,
    /// It was done, but something that should have gone is kept.
    LeftBehind,
    /// There are two ways to go on, and one of them gives up what may be the only copy: nobody has said which.
    Undecided,
    /// The volume that it was on is not mounted, or is mounted elsewhere.
    VolumeAway,
    /// The user stopped it.
    Stopped,
    /// The journal cannot be used.
    Journal,
    /// The journal's file is damaged.
    CorruptJournal,
    /// Another failure of the system.
    Io,
}

impl ErrorKind {
    /// The stable name used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyExists => "already-exists",
            Self::NotFound => "not-found",
            Self::ParentMissing => "parent-missing",
            Self::PermissionDenied => "permission-denied",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
            Self::CrossesVolumes => "crosses-volumes",
            Self::IsDirectory => "is-directory",
            Self::NotADirectory => "not-a-directory",
            Self::NotEmpty => "not-empty",
            Self::NotALink => "not-a-link",
            Self::LastName => "last-name",
            Self::KindNeeded => "kind-needed",
            Self::NotSupported => "not-supported",
            Self::SameFile => "same-file",
            Self::TargetIsLink => "target-is-link",
            Self::InvalidTarget => "invalid-target",
            Self::InvalidPath => "invalid-path",
            Self::TooLong => "too-long",
            Self::TooManyLinks => "too-many-links",
            Self::Changed => "changed",
            Self::NotVerified => "not-verified",
            Self::Unsure => "unsure",
            Self::Nothing => "nothing",
            Self::Loop => "loop",
            Self::Blocked => "blocked",
            Self::InvalidOption => "invalid-option",
            Self::NotAVolume => "not-a-volume",
            Self::Damaged => "damaged",
            Self::Busy => "busy",
            Self::LeftBehind => "left-behind",
            Self::Undecided => "undecided",
            Self::VolumeAway => "volume-away",
            Self::Stopped => "stopped",
            Self::Journal => "journal",
            Self::CorruptJournal => "corrupt-journal",
            Self::Io => "io",
        }
    }
}

impl Error {
    /// An error of the system.
    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>, error: io::Error) -> Self {
        if error.get_ref().and_then(|inner| inner.downcast_ref::<Stopped>()).is_some() {
            return Self::stopped(operation, path);
        }
        let kind = error_kind(&error);
        Self::build(kind, operation, path.into(), Cause::Io(error))
    }

    /// An error or refusal of our own.
    pub(crate) fn new(
        kind: ErrorKind,
        operation: &'static str,
        path: impl Into<PathBuf>,
        cause: impl Into<String>,
    ) -> Self {
        Self::build(kind, operation, path.into(), Cause::Text(cause.into()))
    }

    /// Work that the user stopped.
    pub(crate) fn stopped(operation: &'static str, path: impl Into<PathBuf>) -> Self {
        Self::build(ErrorKind::Stopped, operation, path.into(), Cause::Stopped)
    }

    /// The same for what reports errors of the system: [`Error::io`] makes it [`ErrorKind::Stopped`].
    pub(crate) fn stopped_io() -> io::Error {
        // Not `Interrupted`, which calls of the system are repeated for.
        io::Error::other(Stopped)
    }

    fn build(kind: ErrorKind, operation: &'static str, path: PathBuf, cause: Cause) -> Self {
        Self(Box::new(Inner { kind, operation, path, second: None, cause, before: None, aftermath: None }))
    }

    /// Adds the other path of an operation on two.
    pub(crate) fn with(mut self, second: impl Into<PathBuf>) -> Self {
        self.0.second = Some(second.into());
        self
    }

    /// The same about the same place by another path.
    pub(crate) fn at(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.path = path.into();
        self
    }

    /// Gives the failure a more telling kind than the system's code alone.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds what comes before the cause.
    pub(crate) fn before(mut self, text: &'static str) -> Self {
        self.0.before = Some(text);
        self
    }

    /// Adds what is left, in words.
    pub(crate) fn after(self, text: impl Into<String>) -> Self {
        self.leaving(Aftermath::Other(text.into()))
    }

    /// Adds what is left.
    pub(crate) fn leaving(mut self, aftermath: Aftermath) -> Self {
        self.0.aftermath = Some(aftermath);
        self
    }

    /// What is left, where the failure told.
    #[must_use]
    pub fn aftermath(&self) -> Option<&Aftermath> {
        self.0.aftermath.as_ref()
    }

    /// What sort of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done, as in "cannot {operation} 'path'".
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The path it was done to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The other path, of an operation on two.
    #[must_use]
    pub fn second_path(&self) -> Option<&Path> {
        self.0.second.as_deref()
    }

    /// Why it failed. Names in it are quoted and escaped already.
    #[must_use]
    pub fn cause(&self) -> String {
        let cause = match &self.0.cause {
            Cause::Io(error) => describe(error),
            Cause::Text(text) => text.clone(),
            Cause::Stopped => "stopped".to_owned(),
        };
        let cause = match self.0.before {
            Some(before) => format!("{before}: {cause}"),
            None => cause,
        };
        match &self.0.aftermath {
            Some(Aftermath::Unchanged) => format!("{cause}; everything is as it was"),
            Some(Aftermath::Other(text)) => format!("{cause}; {text}"),
            Some(Aftermath::Unfinished) | None => cause,
        }
    }

    /// The system's error, where there is one.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.0.cause {
            Cause::Io(error) => Some(error),
            Cause::Text(_) | Cause::Stopped => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "cannot {} {}", inner.operation, quoted(&inner.path))?;
        if let Some(second) = &inner.second {
            write!(f, " to {}", quoted(second))?;
        }
        write!(f, ": {}", self.cause())?;
        match &inner.aftermath {
            Some(Aftermath::Unfinished) => write!(f, " (nothing is lost; recovery finishes it)"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.io_error().map(|error| error as &(dyn StdError + 'static))
    }
}

/// The mark of work that was stopped, inside an error of the system.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl StdError for Stopped {}

/// The kind is the nearest one of the standard library; [`io::Error::get_ref`] returns the whole error.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let nearest = || match error.kind() {
            ErrorKind::AlreadyExists => io::ErrorKind::AlreadyExists,
            ErrorKind::NotFound | ErrorKind::ParentMissing => io::ErrorKind::NotFound,
            ErrorKind::PermissionDenied => io::ErrorKind::PermissionDenied,
            ErrorKind::NotADirectory => io::ErrorKind::NotADirectory,
            ErrorKind::NotEmpty => io::ErrorKind::DirectoryNotEmpty,
            ErrorKind::CrossesVolumes => io::ErrorKind::CrossesDevices,
            ErrorKind::NotSupported => io::ErrorKind::Unsupported,
            ErrorKind::InvalidTarget | ErrorKind::InvalidPath | ErrorKind::InvalidOption => io::ErrorKind::InvalidInput,
            ErrorKind::Busy => io::ErrorKind::ResourceBusy,
            _ => io::ErrorKind::Other,
        };
        let kind = error.io_error().map_or_else(nearest, Self::kind);
        Self::new(kind, error)
    }
}
