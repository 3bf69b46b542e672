//! Files as the system knows them: identity, kind, owner.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Sameness, same_file_system};

/// The identity of a file or link on this machine. Opaque: compare, store, show, nothing else.
///
/// # Platform behavior
/// Linux: device and inode numbers, and the time of birth where the file system keeps one, so that
/// a number given to another file later is not taken for the first. Device numbers may change when
/// a volume is mounted again. Windows: the volume's serial number and the file's number, of 128 bits where the system
/// has such (Windows 8), which is not given to another file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    pub(crate) volume: u64,
    pub(crate) file: u128,
    /// In nanoseconds since 1970; 0 where it is not kept.
    pub(crate) born: u64,
}

impl FileId {
    /// The number of the file system it is on, as long as that is mounted.
    #[must_use]
    pub fn volume(self) -> u64 {
        self.volume
    }

    /// Whether both name the same file, given that they are on the same volume. For records that
    /// may be older than the volume's current mount.
    pub(crate) fn same_file(self, other: Self) -> bool {
        self.file == other.file && self.born == other.born
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{:x}:{:x}", self.volume, self.file, self.born)
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileId({self})")
    }
}

impl FromStr for FileId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let mut parts = text.split(':');
            let volume = u64::from_str_radix(parts.next()?, 16).ok()?;
            let file = u128::from_str_radix(parts.next()?, 16).ok()?;
            let born = u64::from_str_radix(parts.next()?, 16).ok()?;
            parts.next().is_none().then_some(Self { volume, file, born })
        };
        parse().ok_or_else(|| format!("not a file identity: {text:?}"))
    }
}

impl Serialize for FileId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a file system object is, as far as links care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, or a reparse point that the system shows as one.
    Link,
    /// A device, pipe or socket.
    Special,
}

/// What the system knows of an object besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The identity.
    pub id: FileId,
    /// The kind of object.
    pub kind: FileKind,
    /// The number of names (hard links). On NTFS the short 8.3 name of the name that was asked about does not count.
    pub links: u64,
    /// The size in bytes.
    pub size: u64,
    /// The space taken on the disk, in bytes.
    pub allocated: u64,
    /// What a link made anew is given back.
    pub attributes: Attributes,
}

/// What belongs to a link besides its target, kept when it is replaced or brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attributes {
    /// The owner's user number; 0 on Windows, where owners are not kept.
    pub uid: u32,
    /// The owner's group number; 0 on Windows.
    pub gid: u32,
    /// Last change of the target, in seconds since 1970 (UTC) and nanoseconds.
    pub modified: (i64, u32),
}

/// What NTFS keeps of a link besides its target, owner and time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NtfsMetadata {
    /// Those of `FILE_ATTRIBUTE_*` that a user sets: read-only, hidden, system and the like.
    pub attributes: u32,
    /// When it was made, in tenths of a microsecond since 1601.
    pub created: i64,
    /// Its 8.3 name.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::name::if_any")]
    pub short_name: Option<OsString>,
    /// Its security descriptor, self-relative; empty where this user may not read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "super::name::bytes")]
    pub security: Vec<u8>,
}

/// Which directory a name was in, to be known again after a restart: its path may lead elsewhere then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The directory's identity.
    pub(crate) directory: FileId,
    /// The number that statfs(2) gives for the file system: all that records of before have of it.
    pub(crate) file_system: u64,
    /// The name of the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

impl Home {
    /// Whether a recorded directory is the one that is there now.
    pub(crate) fn is_same(&self, now: &Self) -> Sameness {
        let file_system = match (&self.name, &now.name) {
            (Some(recorded), Some(now)) => same_file_system(recorded, now),
            _ if self.file_system == now.file_system => Sameness::Same,
            _ => Sameness::Other,
        };
        match file_system {
            _ if !self.directory.same_file(now.directory) => Sameness::Other,
            // No two directories were made in the same nanosecond and have the same number.
            Sameness::Unknown if self.directory.born != 0 => Sameness::Same,
            file_system => file_system,
        }
    }
}

/// Whose doing something is: the user that a process acts as, and the one behind `sudo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The number of the user acted as; 0 on Windows, which has names alone.
    pub uid: u32,
    /// That user's name, where the system knows one.
    pub name: Option<String>,
    /// Who called `sudo`, by its account.
    pub sudo: Option<String>,
}
