//! What can be wrong: with bytes, with a value to be written, with a target that was typed.

use std::error::Error;
use std::fmt;

use crate::{MAX_TOTAL, Tag};

/// Reparse data that cannot be understood: which field, where, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where the field is, or would have to begin: bytes from the start of the buffer.
    pub offset: usize,
    /// The field, by the name that MS-FSCC has for it (`ReparseTag`, `SubstituteNameLength`, ...).
    pub field: &'static str,
    /// What would have been right, in words.
    pub expected: String,
    /// What is there, in words.
    pub actual: String,
}

impl DecodeError {
    pub(crate) fn new(
        offset: usize,
        field: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self { offset, field, expected: expected.into(), actual: actual.into() }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, field, expected, actual } = self;
        write!(f, "bad reparse data: {field} at byte {offset}: expected {expected}, found {actual}")
    }
}

impl Error for DecodeError {}

/// A value that has no encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer would be longer than Windows takes ([`MAX_TOTAL`](crate::MAX_TOTAL)).
    TooLong {
        /// The size of the whole buffer, header included, in bytes.
        len: usize,
    },
    /// Tag 0 or 1, which Windows refuses.
    ReservedTag(Tag),
    /// An [`Other`](crate::Other) with a tag that has its own type, whose checks it would bypass.
    TypedTag(Tag),
    /// A tag that is not Microsoft's and has no GUID.
    MissingGuid(Tag),
    /// A Microsoft tag with a GUID; their buffers have no place for one.
    UnexpectedGuid(Tag),
    /// A NUL inside a string of an [`AppExecLink`](crate::AppExecLink), where NUL ends a string.
    NulInString {
        /// Which string, counted from 0.
        index: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => {
                write!(f, "the reparse data would be {len} bytes long; at most {MAX_TOTAL} are possible")
            }
            Self::ReservedTag(tag) => write!(f, "reparse tag {tag} is reserved"),
            Self::TypedTag(tag) => write!(f, "reparse tag {tag} cannot have opaque data"),
            Self::MissingGuid(tag) => write!(f, "reparse tag {tag} is not Microsoft's and needs a GUID"),
            Self::UnexpectedGuid(tag) => write!(f, "reparse tag {tag} is Microsoft's and cannot have a GUID"),
            Self::NulInString { index } => write!(f, "string {index} of the app alias holds a NUL"),
        }
    }
}

impl Error for EncodeError {}

/// A typed target that cannot become a link of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// No target, or nothing after `\\?\` or `\\.\`.
    Empty,
    /// A NUL inside.
    Nul {
        /// Where, in units.
        index: usize,
    },
    /// `/` in a target that Windows stores as typed (relative, or `\\?\`): the link could be made, but opening it
    /// would fail with error 123. [`path::to_backslashes`](crate::path::to_backslashes) gives what was probably meant.
    ForwardSlash {
        /// Where, in units.
        index: usize,
    },
    /// `C:x`: its meaning depends on the current directory of that drive.
    DriveRelative {
        /// The drive, as typed.
        letter: char,
    },
    /// A relative target for a junction, which can only hold an absolute one.
    NotAbsolute,
    /// `\\` without the name of a server.
    NoServer,
    /// `\??\...`: the kernel's form, which is not a Win32 path.
    NtPath,
    /// A path on another computer for a junction, which cannot leave this one.
    Network,
    /// A device path for a junction that is neither on a drive nor on a volume.
    NotLocal,
    /// `.` or `..` in a `\\?\` target for a junction: nothing would resolve it (MS-FSCC §2.1.2.5).
    DotComponent,
    /// The root of a volume by its GUID for a junction: that is a volume mount point,
    /// [`MountPoint::volume`](crate::MountPoint::volume).
    VolumeRoot,
    /// Not `\\?\Volume{GUID}\` where exactly that is needed.
    NotVolume,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the target is empty"),
            Self::Nul { index } => write!(f, "the target holds a NUL (character {index})"),
            Self::ForwardSlash { index } => write!(
                f,
                "the target holds a '/' (character {index}), which Windows would store as typed and then fail to \
                 open with error 123"
            ),
            Self::DriveRelative { letter } => {
                write!(f, "the target depends on the current directory of drive {letter}:")
            }
            Self::NotAbsolute => f.write_str("a junction needs an absolute target"),
            Self::NoServer => f.write_str("the target begins with \\\\ but names no server"),
            Self::NtPath => f.write_str("the target is an NT path (\\??\\), not a Win32 path"),
            Self::Network => f.write_str("a junction cannot point to another computer"),
            Self::NotLocal => f.write_str("a junction can only point to a directory of a local volume"),
            Self::DotComponent => f.write_str("the target holds '.' or '..', which nothing resolves in a junction"),
            Self::VolumeRoot => f.write_str("the target is the root of a volume: a mount point, not a junction"),
            Self::NotVolume => f.write_str("the target is not of the form \\\\?\\Volume{GUID}\\"),
        }
    }
}

impl Error for TargetError {}
