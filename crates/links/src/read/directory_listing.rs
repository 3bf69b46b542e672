//! A directory name by name, links or not: what `dir` prints. Nothing is followed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, Target, join};
use crate::platform::{self, Directory, Place, VolumeIdentity};
use crate::read::chain;

const LIST: &str = "list";

/// Directories up to this level below the first hold their own descriptor; deeper ones are found from there.
const HELD_LEVELS: usize = 24;

/// What is in a directory.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing {
    /// The directory, from the path that was asked about.
    pub path: PathBuf,
    /// The directory itself: `.` of a listing.
    pub itself: Listed,
    /// The directory above: `..` of a listing. `None` for the root of a file system.
    pub above: Option<Listed>,
    /// Every name in it, in the order of NTFS: by name, upper and lower case the same.
    pub entries: Vec<Listed>,
    /// What names that cannot be looked at failed with.
    pub unread: Vec<Error>,
}

/// One name, with what its own system knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The name.
    pub name: OsString,
    /// What it is; a link is a link.
    pub kind: FileKind,
    /// What it stores, for a link or another reparse point.
    pub target: Option<Target>,
    /// Whether it is a directory, or a link that says, or whose target says, that it is one.
    pub is_directory: bool,
    /// The size in bytes; 0 for directories and links.
    pub size: u64,
    /// The last change, in seconds since 1970 (UTC).
    pub modified: i64,
    /// Attributes as Windows numbers them. On NTFS the volume's own; elsewhere what has a counterpart: a name that
    /// begins with a dot is hidden, a link is a reparse point.
    pub attributes: FileAttributes,
}

impl Listed {
    /// Whether it is a directory that may hold entries: a directory of a cloud is one, too, where its own system
    /// serves it.
    fn is_entered(&self) -> bool {
        let served = |target: &Target| platform::follows_reparse_points() && !target.kind().is_name_surrogate();
        self.kind == FileKind::Directory || self.is_directory && self.target.as_ref().is_some_and(served)
    }
}

/// A set of attributes by Windows' own numbers (`FILE_ATTRIBUTE_*`, MS-FSCC §2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileAttributes(pub u32);

impl FileAttributes {
    /// Not to be written.
    pub const READ_ONLY: Self = Self(0x1);
    /// Left out of plain listings.
    pub const HIDDEN: Self = Self(0x2);
    /// Of the system; left out of plain listings.
    pub const SYSTEM: Self = Self(0x4);
    /// A directory.
    pub const DIRECTORY: Self = Self(0x10);
    /// Changed since the last backup.
    pub const ARCHIVE: Self = Self(0x20);
    /// A link or other reparse point.
    pub const REPARSE_POINT: Self = Self(0x400);
    /// Its data is elsewhere.
    pub const OFFLINE: Self = Self(0x1000);
    /// Not to be indexed.
    pub const NOT_CONTENT_INDEXED: Self = Self(0x2000);

    /// Whether one of these is among them.
    #[must_use]
    pub fn has(self, some: Self) -> bool {
        self.0 & some.0 != 0
    }
}

/// A file system as the head of a listing names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Volume {
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Its label, where it has one.
    pub label: Option<OsString>,
    /// Its serial number: of NTFS and FAT the one that Windows shows.
    pub serial: u32,
    /// The space that this user may still fill, in bytes.
    pub free: u64,
}

/// The file system that a directory is on.
///
/// # Platform behavior
/// On Linux, the label and number of an NTFS volume are read from the device or image it is on, where this user may
/// read that; else udev's `/dev/disk` is asked.
///
/// # Errors
/// The path is no directory, or cannot be looked at.
pub fn volume(directory: &Path) -> Result<Volume> {
    let fail = |error| Error::io("look at the volume of", directory, error);
    let opened = Directory::open(directory).map_err(fail)?;
    let VolumeIdentity { mount_point, label, serial, free } = VolumeIdentity::of(&opened).map_err(fail)?;
    Ok(Volume { mount_point, label, serial, free })
}

/// One name.
///
/// # Errors
/// There is no such name ([`ErrorKind::NotFound`]), or it cannot be looked at.
pub fn look(path: &Path) -> Result<Listed> {
    let place = Place::open(LIST, path)?;
    let fail = |error| Error::io(LIST, path, error);
    let on_ntfs = place.ntfs().map_err(fail)?.is_some();
    listed(&place.directory, place.name(), on_ntfs).map_err(fail)
}

/// A directory, and with [`Depth::Tree`] every directory below it, each before those in it, in the order of names.
/// A link at the end of `path` itself is followed, links below never.
#[must_use]
pub fn list(path: &Path, depth: Depth) -> Listings {
    Listings { pending: vec![Pending::Root(path.to_owned())], depth, last: None }
}

/// How far a listing goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Depth {
    /// The directory alone.
    One,
    /// Every directory below it, links not followed.
    Tree,
}

/// The stream that [`list`] returns. Holds names of directories still to be read, and at most
/// 24 descriptors for each branch of the tree.
pub struct Listings {
    pending: Vec<Pending>,
    depth: Depth,
    /// The directory read last: deep down, mostly the parent of the next.
    last: Option<(PathBuf, Arc<Directory>)>,
}

enum Pending {
    Root(PathBuf),
    Below { path: PathBuf, from: Arc<Directory>, names: PathBuf, level: usize },
}

impl Listings {
    fn read(&mut self, pending: Pending) -> Result<Listing> {
        let (path, directory, level) = match pending {
            Pending::Root(path) => {
                let opened = Directory::open(&path).map_err(|error| Error::io(LIST, &path, error))?;
                (path, opened, 0)
            }
            Pending::Below { path, from, names, level } => {
                let near = self.last.as_ref().filter(|(last, _)| Some(last.as_path()) == path.parent());
                let opened = match (near, path.file_name()) {
                    (Some((_, parent)), Some(name)) => parent.open_child(name),
                    _ => from.open_below(&names),
                };
                (path.clone(), opened.map_err(|error| Error::io(LIST, &path, error))?, level)
            }
        };
        let fail = |error| Error::io(LIST, &path, error);
        let directory = Arc::new(directory);
        let on_ntfs = platform::ntfs_volume(&directory).map_err(fail)?.is_some();
        let itself = listed(&directory, OsStr::new("."), on_ntfs).map_err(fail)?;
        let above = if directory.is_mount_point().map_err(fail)? {
            None
        } else {
            listed(&directory, OsStr::new(".."), on_ntfs).ok()
        };
        let (mut entries, mut unread) = (Vec::new(), Vec::new());
        for entry in directory.entries().map_err(fail)? {
            let name = entry.map_err(fail)?.name;
            match listed(&directory, &name, on_ntfs) {
                Ok(entry) => entries.push(entry),
                // What vanishes while a directory is read is no error.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => unread.push(Error::io(LIST, join(&path, &name), error)),
            }
        }
        entries.sort_by_cached_key(|entry| (platform::collation_key(&entry.name), entry.name.clone()));
        let sealed = |entry: &Listed| chain::sealed(entry.target.as_ref()?, &join(&path, &entry.name));
        unread.extend(entries.iter().filter_map(sealed));
        if self.depth == Depth::Tree {
            let below = entries.iter().rev().filter(|entry| entry.is_entered());
            let from = self.base(&directory, &path, level);
            self.pending.extend(below.map(|entry| Pending::Below {
                path: join(&path, &entry.name),
                from: Arc::clone(&from.0),
                names: from.1.join(&entry.name),
                level: level + 1,
            }));
        }
        self.last = Some((path.clone(), directory));
        Ok(Listing { path, itself, above, entries, unread })
    }

    /// From where the directories in one are opened: from itself, or deep down from the last that is held.
    fn base(&self, directory: &Arc<Directory>, path: &Path, level: usize) -> (Arc<Directory>, PathBuf) {
        if level < HELD_LEVELS {
            return (Arc::clone(directory), PathBuf::new());
        }
        // The base of the siblings still pending is the base of this one, too, if it lies below it.
        for pending in self.pending.iter().rev() {
            if let Pending::Below { from, names, path: other, .. } = pending
                && let Some(root) = strip(other, names)
                && let Ok(rest) = path.strip_prefix(&root)
            {
                return (Arc::clone(from), rest.to_owned());
            }
        }
        (Arc::clone(directory), PathBuf::new())
    }
}

/// A path without these last names.
fn strip(path: &Path, names: &Path) -> Option<PathBuf> {
    path.ancestors().nth(names.components().count()).map(Path::to_owned)
}

impl Iterator for Listings {
    type Item = Result<Listing>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let pending = self.pending.pop()?;
            let below = matches!(pending, Pending::Below { .. });
            match self.read(pending) {
                Err(error) if below && error.kind() == ErrorKind::NotFound => {}
                read => return Some(read),
            }
        }
    }
}

fn listed(directory: &Directory, name: &OsStr, on_ntfs: bool) -> io::Result<Listed> {
    let metadata = directory.metadata_nofollow(name)?;
    let target = platform::read_link(directory, name, &metadata, on_ntfs)?;
    let is_directory = match &target {
        Some(Target::Reparse(point)) => point.directory,
        Some(_) => directory.metadata_follow(name).is_ok_and(|to| to.kind == FileKind::Directory),
        None => metadata.kind == FileKind::Directory,
    };
    let own = if on_ntfs { platform::ntfs_attributes(directory, name)? } else { None };
    let plain = metadata.kind == FileKind::File;
    let attributes = FileAttributes(own.unwrap_or_else(|| counterparts(name, &metadata.kind, is_directory)));
    Ok(Listed {
        name: name.to_owned(),
        kind: metadata.kind,
        target,
        is_directory,
        size: if plain { metadata.size } else { 0 },
        modified: metadata.attributes.modified.0,
        attributes,
    })
}

/// Attributes for what has none of its own.
fn counterparts(name: &OsStr, kind: &FileKind, is_directory: bool) -> u32 {
    let dot = name.as_encoded_bytes().first() == Some(&b'.') && name != "." && name != "..";
    let mut attributes = 0;
    for (holds, attribute) in [
        (dot, FileAttributes::HIDDEN),
        (is_directory, FileAttributes::DIRECTORY),
        (*kind == FileKind::Link, FileAttributes::REPARSE_POINT),
    ] {
        attributes |= if holds { attribute.0 } else { 0 };
    }
    attributes
}
