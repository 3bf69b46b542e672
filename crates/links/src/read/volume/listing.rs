//! Directories of a volume, as `dir` shows them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use ntfs_volume::{Detail, Directories, Reader, Reference, Resolver, Steps};
use reparse::WideString;

use super::inspect::own_name;
use super::{READ, Volume};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, ReparsePoint, Target};
use crate::platform::{VolumeFile, collation_key, from_wide};
use crate::read::directory_listing::{self, Depth, FileAttributes, Listed, Listing};

impl Volume {
    /// What stands at the head of a listing.
    ///
    /// # Errors
    /// Its label or its bitmap cannot be read.
    pub fn head(&self) -> Result<directory_listing::Volume> {
        let label = self.volume.label().map_err(|error| self.error(&error))?;
        let serial = self.volume.serial().to_le_bytes();
        Ok(directory_listing::Volume {
            mount_point: PathBuf::from(format!("{}\\", self.root)),
            label: label.map(|label| from_wide(&WideString::from_units(label))),
            serial: u32::from_le_bytes([serial[0], serial[1], serial[2], serial[3]]),
            free: self.volume.free().map_err(|error| self.error(&error))?,
        })
    }

    /// What a path is, a link at its end followed where that leads anywhere, and what it is called in full.
    ///
    /// # Errors
    /// There is no such path, or what leads there is damaged.
    pub fn look(&self, path: &Path) -> Result<(PathBuf, FileKind)> {
        let mut reader = Reader::new(&self.volume);
        let (found, reference) = self.find(&mut reader, path)?;
        let reference = self.through(&mut reader, &found, reference)?;
        let facts = reader.facts(reference.record()).map_err(|error| self.error(&error))?;
        Ok((self.shown(&found), self.metadata(&facts).kind))
    }

    /// A directory, and with [`Depth::Tree`] every directory below it, each before those in it. A link at the end of the path
    /// itself is looked into by its own name; links below never.
    ///
    /// # Errors
    /// There is no such directory, or what leads there is damaged.
    pub fn listings(&self, path: &Path, depth: Depth) -> Result<VolumeListings<'_>> {
        let mut reader = Reader::new(&self.volume);
        let (found, reference) = self.find(&mut reader, path)?;
        let reference = self.through(&mut reader, &found, reference)?;
        let met = HashSet::from([reference.record()]);
        Ok(VolumeListings { volume: self, reader, pending: vec![(found, reference)], met, depth })
    }

    /// What a link at the end of a path leads to; of anything else, itself.
    fn through(&self, reader: &mut Reader<'_, VolumeFile>, path: &[u16], reference: Reference) -> Result<Reference> {
        let facts = reader.facts(reference.record()).map_err(|error| self.error(&error))?;
        let Some(point) = &facts.reparse_point else { return Ok(reference) };
        let mut directories = Directories::default();
        let mut resolver = Resolver::new(reader, &mut directories, self.drive, Detail::End);
        let followed = resolver.follow(point, &own_name(&facts, path), &mut Steps::for_links(1));
        Ok(followed.reached.unwrap_or(reference))
    }

    /// The directories that hold links, below a path, each with its links alone: in time that grows with their number.
    ///
    /// # Errors
    /// There is no such directory, or what leads there is damaged.
    pub fn listings_of_links(&self, path: &Path) -> Result<Vec<Result<Listing>>> {
        let mut reader = Reader::new(&self.volume);
        let (root, _) = self.find(&mut reader, path)?;
        let points = reader.reparse_points(None);
        let mut directories = Directories::default();
        directories.load(&mut reader, points.points.iter().flat_map(|point| &point.names));
        // In the order in which a walk would come to them: by name, whatever the letter case.
        type Key = Vec<Vec<u8>>;
        let key = |path: &[u16]| -> Key {
            let names = path.split(|unit| *unit == BACKSLASH);
            names.map(|name| collation_key(&from_wide(&WideString::from_units(name.to_vec())))).collect()
        };
        let mut by_directory: BTreeMap<(Key, Vec<u16>), Vec<Listed>> = BTreeMap::new();
        let mut faults = Vec::new();
        for point in &points.points {
            for name in &point.names {
                let path = match directories.path(&self.volume, point.reference, name.parent, &name.name) {
                    Ok(path) => path,
                    Err(error) => {
                        faults.push(error);
                        continue;
                    }
                };
                let end = path.len().saturating_sub(name.name.len() + 1);
                let parent = match path.get(..end) {
                    Some([]) | None => vec![BACKSLASH],
                    Some(parent) => parent.to_vec(),
                };
                if !reader.is_within(&parent, &root) {
                    continue;
                }
                let stored = ReparsePoint { raw: point.raw.clone(), directory: point.is_directory };
                by_directory.entry((key(&parent), parent)).or_default().push(Listed {
                    name: from_wide(&WideString::from_units(name.name.clone())),
                    kind: FileKind::Link,
                    target: Some(Target::Reparse(stored)),
                    is_directory: point.is_directory,
                    size: 0,
                    modified: point.modified,
                    attributes: attributes(point.attributes, point.is_directory, true),
                });
            }
        }
        faults.extend(reader.take_faults());
        let listing = |((_, path), mut entries): ((Key, Vec<u16>), Vec<Listed>)| {
            sort(&mut entries);
            let path = self.shown(&path);
            Ok(Listing { path, itself: dot(0), above: None, entries, unread: Vec::new() })
        };
        let mut all: Vec<Result<Listing>> = by_directory.into_iter().map(listing).collect();
        all.extend(self.errors(faults).into_iter().map(Err));
        Ok(all)
    }
}

const BACKSLASH: u16 = b'\\' as u16;
/// The longest path that Windows takes, in units.
const LONGEST_PATH: usize = 32_767;

/// The stream that [`Volume::listings`] returns.
pub struct VolumeListings<'v> {
    volume: &'v Volume,
    reader: Reader<'v, VolumeFile>,
    /// Directories still to be read: their paths and records.
    pending: Vec<(Vec<u16>, Reference)>,
    /// The records of the directories that were met: a directory has one place, and a tree no cycle.
    met: HashSet<u64>,
    depth: Depth,
}

impl Iterator for VolumeListings<'_> {
    type Item = Result<Listing>;

    fn next(&mut self) -> Option<Self::Item> {
        let (path, reference) = self.pending.pop()?;
        Some(self.read(&path, reference))
    }
}

impl VolumeListings<'_> {
    fn read(&mut self, path: &[u16], directory: Reference) -> Result<Listing> {
        let (volume, shown) = (self.volume, self.volume.shown(path));
        let found = self.reader.entries(directory.record()).map_err(|error| volume.error(&error))?;
        let Some(found) = found else {
            return Err(Error::new(ErrorKind::NotADirectory, "list", shown, "not a directory"));
        };
        let (mut entries, mut unread, mut below) = (Vec::new(), Vec::new(), Vec::new());
        for entry in found {
            let name = from_wide(&WideString::from_units(entry.name.clone()));
            let mut target = None;
            if entry.is_reparse_point {
                match self.reader.facts(entry.reference.record()) {
                    Ok(facts) => target = facts.reparse_point,
                    Err(error) => {
                        unread.push(volume.error(&error));
                        continue;
                    }
                }
            }
            let target = target.map(|point| ReparsePoint { raw: point.raw, directory: point.is_directory });
            let is_link = target.as_ref().is_some_and(|point| point.kind().is_name_surrogate());
            if entry.is_directory && !is_link && self.depth == Depth::Tree {
                let mut path = if path == [BACKSLASH] { Vec::new() } else { path.to_vec() };
                path.push(BACKSLASH);
                path.extend(&entry.name);
                if path.len() > LONGEST_PATH || !self.met.insert(entry.reference.record()) {
                    let text = "not listed: its path is too long, or it stands in two places";
                    unread.push(Error::new(ErrorKind::Damaged, READ, volume.shown(&path), text));
                } else {
                    below.push((path, entry.reference));
                }
            }
            entries.push(Listed {
                name,
                kind: match (&target, entry.is_directory) {
                    (Some(_), _) if is_link => FileKind::Link,
                    (_, true) => FileKind::Directory,
                    (_, false) => FileKind::File,
                },
                size: if entry.is_directory || is_link { 0 } else { entry.size },
                modified: entry.modified,
                attributes: attributes(entry.attributes, entry.is_directory, target.is_some()),
                target: target.map(Target::Reparse),
                is_directory: entry.is_directory,
            });
        }
        sort(&mut entries);
        unread.extend(volume.errors(self.reader.take_faults()));
        below.reverse();
        self.pending.extend(below);
        let facts = self.reader.facts(directory.record()).map_err(|error| volume.error(&error))?;
        let modified = facts.modified;
        let parent = facts.names.first().map(|name| name.parent.record());
        let above = parent.and_then(|parent| self.reader.facts(parent).ok()).map(|facts| dots(facts.modified));
        let above = above.filter(|_| path != [BACKSLASH]);
        Ok(Listing { path: shown, itself: dot(modified), above, entries, unread })
    }
}

fn sort(entries: &mut [Listed]) {
    entries.sort_by_cached_key(|entry| (collation_key(&entry.name), entry.name.clone()));
}

fn attributes(stored: u32, is_directory: bool, is_reparse_point: bool) -> FileAttributes {
    let mut all = stored;
    if is_directory {
        all |= FileAttributes::DIRECTORY.0;
    }
    if is_reparse_point {
        all |= FileAttributes::REPARSE_POINT.0;
    }
    FileAttributes(all)
}

/// The directory itself, as a listing shows it.
fn dot(modified: i64) -> Listed {
    Listed {
        name: ".".into(),
        kind: FileKind::Directory,
        target: None,
        is_directory: true,
        size: 0,
        modified,
        attributes: FileAttributes::DIRECTORY,
    }
}

fn dots(modified: i64) -> Listed {
    Listed { name: "..".into(), ..dot(modified) }
}
