//! What a link led to, written down so that it is known again wherever it went.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{
    DEFAULT_DRIVE, FileId, FileKind, Metadata, ReparsePoint, Sameness, Target, Volume, described, same_file_system,
};
use crate::platform::{self, Directory, FileSystems, Held, NUMBERS_LAST, Place, Spot};
use crate::read::chain;

/// A file or directory as it was when a link to it was recorded.
///
/// # Platform behavior
/// Linux: number, time of birth and, on ext4, XFS, Btrfs, tmpfs and F2FS, the kernel's handle (name_to_handle_at(2)),
/// which holds the generation that tells a number given again. NTFS through ntfs-3g: record number and creation time.
/// Windows: the number of `FILE_ID_INFO`, which is not given again, and the object id where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its path without links.
    #[serde(with = "crate::model::name")]
    pub path: PathBuf,
    /// What it is; a link that the recorded link leads to is a link.
    pub kind: FileKind,
    /// The size in bytes.
    pub size: u64,
    /// The last change, in seconds since 1970 (UTC) and nanoseconds.
    pub modified: (i64, u32),
    pub(crate) id: FileId,
    /// The name of its file system, on whatever machine and however it is mounted.
    pub(crate) file_system: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) handle: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<String>,
    /// BLAKE3 of its content, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    /// The directory it was in: editors and package managers put another file in a file's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<Box<Self>>,
    /// How many names it had: another of them is another place.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) names: u64,
    /// Where its file system was mounted, and its label; of trees that were moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<Box<Volume>>,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so it is called")]
fn is_one(number: &u64) -> bool {
    *number == 1
}

/// Whether the content of files is read for [`Identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Of files of at most [`LARGEST`] bytes; and the directory is looked at.
    Small,
    /// Nothing is read, nothing else is looked at.
    No,
}

/// Larger files are known by size and times alone: to read them all would take longer than it helps.
pub(crate) const LARGEST: u64 = 1 << 20;

impl Identity {
    /// What a held object is.
    pub(crate) fn of(held: &Held, content: Content, file_systems: &FileSystems) -> io::Result<Self> {
        let metadata = held.metadata()?;
        let mut identity = Self::look(held, &metadata)?;
        let parent = Directory::open(identity.path.parent().unwrap_or(&identity.path))?;
        // What is mounted at a name is not of the file system that the name is on.
        let own = (metadata.kind == FileKind::Directory).then(|| Directory::open(&identity.path)).transpose()?;
        identity.file_system = file_systems.name(own.as_ref().unwrap_or(&parent))?;
        if content == Content::Small {
            identity.content = identity.hash(held);
            let directory = parent.hold(OsStr::new(".")).and_then(|held| Self::of(&held, Content::No, file_systems));
            identity.directory = directory.ok().map(Box::new);
            identity.names = names(&metadata, &identity.path);
        }
        Ok(identity)
    }

    /// What is at a full path, with the volume that it is on.
    pub(crate) fn of_tree(path: &Path) -> io::Result<Self> {
        let file_systems = FileSystems::default();
        let mut identity = Self::of(&hold(path)?, Content::No, &file_systems)?;
        let parent = Directory::open_physical(path.parent().unwrap_or(path))?;
        identity.volume = file_systems.volume(&parent).ok().map(Box::new);
        Ok(identity)
    }

    /// What a held object is, without the name of its file system and without its content.
    fn look(held: &Held, metadata: &Metadata) -> io::Result<Self> {
        let mut id = metadata.id;
        if id.born == 0 {
            id.born = platform::made(held).unwrap_or(0);
        }
        Ok(Self {
            path: held.path()?,
            kind: metadata.kind,
            size: if metadata.kind == FileKind::File { metadata.size } else { 0 },
            modified: metadata.attributes.modified,
            id,
            file_system: String::new(),
            handle: platform::handle(held),
            object: platform::object_number(held),
            content: None,
            directory: None,
            names: 1,
            volume: None,
        })
    }

    /// The hash of a small file. `None` where it cannot be read: then it is known by less.
    fn hash(&self, held: &Held) -> Option<String> {
        let small = self.kind == FileKind::File && self.size <= LARGEST;
        let content = small.then(|| platform::content(held, LARGEST)).transpose().ok()???;
        Some(blake3::hash(&content).to_hex().to_string())
    }

    /// Whether a held object is this one, wherever it is now. What only looks like it is not.
    pub(crate) fn is(&self, held: &Held, file_systems: &FileSystems) -> io::Result<bool> {
        let metadata = held.metadata()?;
        if metadata.id.file != self.id.file || metadata.kind != self.kind {
            return Ok(false);
        }
        let other = Self::of(held, Content::No, file_systems)?;
        Ok(match self.compare(&other) {
            Told::Other(_) | Told::OtherVolume(_) => false,
            Told::Same if NUMBERS_LAST => true,
            // The number may have been given again: only a file shows by itself what it is.
            Told::Same | Told::Unknown => {
                self.is_told_by_more_than_numbers(&other) || self.looks_like(&other, held) == Likeness::Same
            }
        })
    }

    /// Compares all that is recorded of a tree with what is at its place now.
    pub(crate) fn tell(&self, held: &Held, file_systems: &FileSystems) -> io::Result<Told> {
        Ok(self.compare(&Self::of(held, Content::No, file_systems)?))
    }

    fn compare(&self, now: &Self) -> Told {
        let differs =
            |known: &Option<String>, found: &Option<String>| known.is_some() && found.is_some() && known != found;
        let same_volume = same_file_system(&self.file_system, &now.file_system);
        if same_volume == Sameness::Other {
            return Told::OtherVolume(described(&now.file_system));
        }
        if now.kind != self.kind {
            return Told::Other("of another kind");
        }
        if now.id.file != self.id.file || differs(&self.handle, &now.handle) {
            return Told::Other("with another file number");
        }
        if differs(&self.object, &now.object) {
            return Told::Other("with another object id");
        }
        if self.id.born != 0 && now.id.born != 0 && self.id.born != now.id.born {
            return Told::Other("made at another time");
        }
        match same_volume {
            Sameness::Unknown if !self.is_told_by_more_than_numbers(now) => Told::Unknown,
            _ => Told::Same,
        }
    }

    /// Whether both have a time of birth, or a handle, which no later object of the same number has.
    fn is_told_by_more_than_numbers(&self, other: &Self) -> bool {
        self.id.born != 0 && other.id.born != 0 || self.handle.is_some() && other.handle.is_some()
    }

    /// How much agrees of what is at a full path. `None` where that cannot be looked at.
    pub(crate) fn likeness_at(&self, path: &Path) -> Option<Likeness> {
        let held = hold(path).ok()?;
        let other = Self::look(&held, &held.metadata().ok()?).ok()?;
        Some(self.looks_like(&other, &held))
    }

    /// How much of a file's own nature agrees.
    pub(crate) fn looks_like(&self, other: &Self, held: &Held) -> Likeness {
        if self.kind != FileKind::File || other.kind != FileKind::File || self.size != other.size {
            return Likeness::Other;
        }
        match (&self.content, other.content.clone().or_else(|| other.hash(held))) {
            (Some(known), Some(found)) if *known == found => Likeness::Same,
            (Some(_), Some(_)) => Likeness::Other,
            _ if self.modified == other.modified => Likeness::Alike,
            _ => Likeness::Other,
        }
    }
}

/// What a look at a place tells of what was recorded there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is there.
    Same,
    /// Something else is, in this respect.
    Other(&'static str),
    /// The place is on this other volume.
    OtherVolume(String),
    /// The volume was mounted anew and has no number that can be read, and the object has no time of birth: another one may
    /// have the same number.
    Unknown,
}

/// How many names an object has by which a link can lead to it; one of them is this full path.
pub(crate) fn names(metadata: &Metadata, path: &Path) -> u64 {
    if metadata.links < 2 || metadata.kind == FileKind::Directory {
        return 1;
    }
    let directory = path.parent().and_then(|parent| Directory::open_physical(parent).ok());
    let has_short =
        directory.zip(path.file_name()).is_some_and(|(parent, name)| platform::has_short_name(&parent, name));
    metadata.links - u64::from(has_short)
}

/// How one file stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Size and content are the same.
    Same,
    /// Size and time of change are the same; of the content nothing is known.
    Alike,
    /// They differ.
    Other,
}

/// What a link names: the object that its own text leads to, which may be another link.
pub(crate) fn named(spot: Spot<'_>, target: &Target) -> io::Result<Held> {
    match target {
        // The system walks the text; a link at its end is what is named.
        Target::Text(text) => spot.directory.hold(text),
        Target::Reparse(_) => {
            let next = chain::follow(spot, DEFAULT_DRIVE).next_place();
            hold(&next.ok_or(io::ErrorKind::NotFound)?)
        }
        Target::File(path) => hold(path),
    }
}

/// Holds what is at a full path, whose parent has no links on its way.
pub(crate) fn hold(path: &Path) -> io::Result<Held> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Directory::open_physical(parent)?.hold(name),
        _ => Directory::open(path)?.hold(OsStr::new(".")),
    }
}

/// What is at a full path, whose parent has no links on its way.
pub(crate) fn look(path: &Path) -> io::Result<Metadata> {
    hold(path)?.metadata()
}

/// What the Windows link at a place, which holds this, leads to, by the letter that it says.
pub(crate) fn object_behind(spot: Spot<'_>, point: &ReparsePoint) -> io::Result<FileId> {
    let drive = point.decode().ok().as_ref().and_then(chain::drive_of).unwrap_or(DEFAULT_DRIVE);
    let reached = chain::follow(spot, drive).resolved.ok_or(io::ErrorKind::NotFound)?;
    Ok(look(&reached)?.id)
}

/// What the link at a place leads to. `None` where that is nothing, or cannot be looked at.
pub(crate) fn of_target(
    place: &Place,
    target: &Target,
    content: Content,
    file_systems: &FileSystems,
) -> Option<Identity> {
    let held = named(place.spot(), target).ok()?;
    Identity::of(&held, content, file_systems).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use std::fs;

    use super::*;

    fn identity(path: &Path) -> Identity {
        Identity::of(&hold(path).unwrap(), Content::Small, &FileSystems::default()).unwrap()
    }

    #[test]
    fn a_renamed_file_is_known_and_one_of_the_same_look_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        fs::write(path.join("a"), "content").unwrap();
        let known = identity(&path.join("a"));
        fs::rename(path.join("a"), path.join("b")).unwrap();
        fs::write(path.join("a"), "content").unwrap();
        let is = |name| known.is(&hold(&path.join(name)).unwrap(), &FileSystems::default()).unwrap();
        assert!(is("b"));
        assert!(!is("a"));
        let other = hold(&path.join("a")).unwrap();
        assert_eq!(known.looks_like(&identity(&path.join("a")), &other), Likeness::Same);
    }

    #[test]
    fn what_is_written_down_reads_back_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("a");
        fs::write(&path, "content").unwrap();
        let known = identity(&path);
        let json = serde_json::to_string(&known).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), known);
    }
}
