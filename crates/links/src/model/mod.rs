//! A link is a value: these are the types that every part of the library speaks in.

mod entry_path;
mod file;
mod finding;
pub(crate) mod name;
mod spec;
mod step;
mod volume;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use reparse::{DecodeError, ReparseData, Tag};
use serde::{Deserialize, Serialize};

pub use entry_path::EntryPath;
pub use file::{Attributes, FileId, FileKind, Home, Metadata, NtfsMetadata, User};
pub use finding::{Finding, Severity};
pub use spec::{DEFAULT_DRIVE, Form, KindChoice, LinkSpec, Manner, OnExisting, Shape};
use step::is_false;
pub use step::{
    Action, ClearReparsePoint, CreateLink, Lost, MakeDirectory, MoveTree, RemoveEmpty, RemoveLink, ReplaceLink,
    RestoreTree, Rewritten, SetReparsePoint, Step, TreeMove, Verify,
};

pub use volume::Volume;
pub(crate) use volume::{STAND_IN, Sameness, described, same_file_system, uuid};

use crate::platform::{from_bytes, from_wide};

/// One link: where it is, what it is, what it says and whether that is true.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The path by which the link was reached.
    pub path: PathBuf,
    /// The kind of link.
    pub kind: LinkKind,
    /// What the link stores; for a hard link another name of the file, where one is known.
    pub target: Option<Target>,
    /// Where the link leads in the end. `None` where that is nowhere, or was not asked for.
    pub resolved: Option<PathBuf>,
    /// Whether the link reaches what it names.
    pub state: State,
    /// The identity of the link object itself (of the file, for a hard link). `None` where it was not asked for.
    pub id: Option<FileId>,
    /// Owner and time of the link object itself. `None` where they were not asked for.
    pub attributes: Option<Attributes>,
    /// Of a link that is [`State::Unreachable`] because its volume is not mounted: which one.
    pub volume: Option<Box<Volume>>,
    /// Whether the link object has other names (hard links), where its identity was asked for.
    pub several: bool,
}

/// The kinds of link, each by the name its own system gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LinkKind {
    /// A POSIX symbolic link.
    Symlink,
    /// A Windows symbolic link that says its target is a file.
    SymlinkFile,
    /// A Windows symbolic link that says its target is a directory.
    SymlinkDir,
    /// An NTFS mount point that leads to a directory by absolute path.
    Junction,
    /// An NTFS mount point that leads to the root of a volume.
    MountPoint,
    /// One of several names of a file.
    Hard,
    /// A Windows Store application alias (APPEXECLINK).
    AppExec,
    /// A symbolic link of the Windows Subsystem for Linux (LX_SYMLINK).
    Wsl,
    /// Any other reparse point, with its tag.
    Other(Tag),
}

impl LinkKind {
    /// Every name that [`LinkKind::as_str`] gives, in the order in which documents list them.
    pub const NAMES: [&str; 9] =
        ["symlink", "symlink-file", "symlink-dir", "junction", "mount-point", "hard", "app-exec", "wsl", "other"];

    /// The stable name used in every output and option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::SymlinkFile => "symlink-file",
            Self::SymlinkDir => "symlink-dir",
            Self::Junction => "junction",
            Self::MountPoint => "mount-point",
            Self::Hard => "hard",
            Self::AppExec => "app-exec",
            Self::Wsl => "wsl",
            Self::Other(_) => "other",
        }
    }

    /// Whether the object stands for another one: what `remove` may remove. Cloud files,
    /// compressed files and the like are reparse points too, but they hold the data themselves.
    #[must_use]
    pub fn is_name_surrogate(self) -> bool {
        match self {
            Self::Other(tag) => tag.is_name_surrogate(),
            Self::AppExec => Tag::APPEXECLINK.is_name_surrogate(),
            Self::Hard => false,
            _ => true,
        }
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a link reaches what it names, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum State {
    /// The target exists and is of the right kind.
    Ok,
    /// A name on the way does not exist.
    Missing,
    /// The chain comes back to a link that it is still resolving.
    Loop,
    /// The chain ends, but has more hops than the system follows (Linux: 40, Windows: 63), or a
    /// name or path in it is longer than the system takes.
    TooLong,
    /// A file link to a directory, or a directory link to a file (Windows and NTFS).
    WrongKind,
    /// The caller may not look.
    Denied,
    /// The device or server does not answer.
    Unreachable,
    /// A policy of the system forbids following the link.
    Blocked,
    /// The target is on another volume, which was not looked at.
    Elsewhere,
}

impl State {
    /// All states, in the order in which documents list them.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Missing,
        Self::Loop,
        Self::TooLong,
        Self::WrongKind,
        Self::Denied,
        Self::Unreachable,
        Self::Blocked,
        Self::Elsewhere,
    ];

    /// The stable name used in every output and option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Loop => "loop",
            Self::TooLong => "too-long",
            Self::WrongKind => "wrong-kind",
            Self::Denied => "denied",
            Self::Unreachable => "unreachable",
            Self::Blocked => "blocked",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// Whether the link is broken for certain: nobody can reach its target as things stand.
    #[must_use]
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Missing | Self::Loop | Self::TooLong | Self::WrongKind)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// What a link stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The text of a POSIX symbolic link, byte for byte.
    Text(#[serde(with = "crate::model::name")] OsString),
    /// The reparse point of a Windows link.
    Reparse(ReparsePoint),
    /// Another name of the same file: what a hard link has instead of a target.
    File(#[serde(with = "crate::model::name")] PathBuf),
}

impl Target {
    /// The kind of link that stores this target.
    #[must_use]
    pub fn kind(&self) -> LinkKind {
        match self {
            Self::Text(_) => LinkKind::Symlink,
            Self::Reparse(point) => point.kind(),
            Self::File(_) => LinkKind::Hard,
        }
    }

    /// The target as its own system would show it. `None` where the data names nothing.
    #[must_use]
    pub fn shown(&self) -> Option<OsString> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Reparse(point) => point.shown(),
            Self::File(path) => Some(path.clone().into_os_string()).filter(|path| !path.is_empty()),
        }
    }

    /// What Windows' own listings show instead, where the data of a link holds another name for that.
    #[must_use]
    pub fn other_name(&self) -> Option<OsString> {
        match self {
            Self::Reparse(point) => point.decode().ok()?.other_name().map(from_wide),
            Self::Text(_) | Self::File(_) => None,
        }
    }
}

/// A link as it was when the plan was made: enough to know it again and to bring it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What it stores; for a hard link another name of the file, empty where none was known.
    pub target: Target,
    /// The identity of the link object; of the file, for a hard link.
    pub id: FileId,
    /// Owner and time.
    pub attributes: Attributes,
    /// Whether a link that is no hard link had other names, of which one can bring it back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub several: bool,
    /// What NTFS keeps of it. `None` elsewhere, in rows of before, and where it is taken from the link when it is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ntfs: Option<Box<NtfsMetadata>>,
}

impl Seen {
    /// A link that is gone, by what it said.
    pub(crate) fn gone(target: &Target) -> Self {
        let id = FileId { volume: 0, file: 0, born: 0 };
        let attributes = Attributes { uid: 0, gid: 0, modified: (0, 0) };
        Self { target: target.clone(), id, attributes, several: false, ntfs: None }
    }
}

/// A reparse point as it is stored: the bytes are the truth, everything else is read from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReparsePoint {
    /// The whole reparse data, header included.
    #[serde(with = "crate::model::name::bytes")]
    pub raw: Vec<u8>,
    /// Whether the object that carries it is a directory.
    pub directory: bool,
}

impl ReparsePoint {
    /// The decoded data.
    ///
    /// # Errors
    /// The data breaks the format; the error says where.
    pub fn decode(&self) -> Result<ReparseData, DecodeError> {
        ReparseData::decode(&self.raw)
    }

    /// The tag, also of data that is otherwise broken.
    #[must_use]
    pub fn tag(&self) -> Tag {
        let mut bytes = [0; 4];
        for (to, from) in bytes.iter_mut().zip(&self.raw) {
            *to = *from;
        }
        Tag(u32::from_le_bytes(bytes))
    }

    /// The kind of link; broken data is [`LinkKind::Other`], whatever its tag claims.
    #[must_use]
    pub fn kind(&self) -> LinkKind {
        match self.decode() {
            Ok(ReparseData::Symlink(_)) if self.directory => LinkKind::SymlinkDir,
            Ok(ReparseData::Symlink(_)) => LinkKind::SymlinkFile,
            Ok(ReparseData::MountPoint(point)) if point.is_volume() => LinkKind::MountPoint,
            Ok(ReparseData::MountPoint(_)) => LinkKind::Junction,
            Ok(ReparseData::LxSymlink(_)) => LinkKind::Wsl,
            Ok(ReparseData::AppExecLink(_)) => LinkKind::AppExec,
            Ok(ReparseData::Other(_)) | Err(_) => LinkKind::Other(self.tag()),
        }
    }

    /// The target to show a person: the print name, or the substitute name in Win32 form.
    #[must_use]
    pub fn shown(&self) -> Option<OsString> {
        match self.decode().ok()? {
            // WSL text is bytes of its own; it need not be Unicode.
            ReparseData::LxSymlink(link) => Some(from_bytes(link.target)),
            data => data.target().map(|wide| from_wide(&wide)),
        }
    }
}

/// A path that names an entry: what is left when the parent has been split off.
pub(crate) fn file_name_of(path: &Path) -> Option<&OsStr> {
    match path.components().next_back()? {
        std::path::Component::Normal(name) => Some(name),
        _ => None,
    }
}

/// Whether the text of a path ends in what parts names on this system.
pub(crate) fn ends_in_separator(path: &[u8]) -> bool {
    path.last().is_some_and(|byte| std::path::is_separator(char::from(*byte)))
}

/// Whether a path that names an entry asks, by a slash at its end, for a directory that is there: `a/`, `a/.`.
pub(crate) fn asks_for_directory(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    file_name_of(path).is_some() && ends_in_separator(bytes.strip_suffix(b".").unwrap_or(bytes))
}

/// What is below a directory by these names; without any, the directory itself, and no slash at its end, which would ask
/// for a directory.
pub(crate) fn below(directory: &Path, names: &Path) -> PathBuf {
    if names.as_os_str().is_empty() { directory.to_owned() } else { directory.join(names) }
}

/// `.` stands for itself only: names below it are shown as the user would type them.
pub(crate) fn join(directory: &Path, name: &OsStr) -> PathBuf {
    // Only what begins with a dot can be `.`: comparing paths by their components takes longer than the rest.
    if directory.as_os_str().as_encoded_bytes().starts_with(b".") && directory == Path::new(".") {
        return PathBuf::from(name);
    }
    child(directory, name)
}

/// [`Path::join`], which allocates twice, in one allocation.
pub(crate) fn child(directory: &Path, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::with_capacity(directory.as_os_str().len() + 1 + name.len());
    path.push(directory);
    path.push(name);
    path
}
