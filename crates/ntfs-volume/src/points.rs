//! The reparse points of a volume: found by its own index of them, or in every record.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Error;
use crate::bytes::{u64_at, units};
use crate::index::Index;
use crate::reader::{BATCH, Reader};
use crate::record::{FileName, Reference, StandardInformation, kind};
use crate::source::ReadAt;
use crate::volume::{File, Volume, number};

/// `$R`, the index in `$Extend\$Reparse`.
const REPARSE_INDEX: &[u16] = &[0x24, 0x52];
/// More than Windows takes (16 KiB), so that what is longer is seen to be.
const LONGEST_DATA: u64 = 16_384 + 8;
/// The longest path that Windows takes, in units.
pub(crate) const LONGEST_PATH: usize = 32_767;

/// A name of a file, and the directory that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameIn {
    /// The directory.
    pub parent: Reference,
    /// The name, as UTF-16.
    pub name: Vec<u16>,
}

/// A file or directory with reparse data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReparsePoint {
    /// Its record.
    pub reference: Reference,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its names but for 8.3 ones: more than one where it has hard links.
    pub names: Vec<NameIn>,
    /// The whole reparse data, header included, as it is stored.
    pub raw: Vec<u8>,
    /// Last change, in seconds since 1970.
    pub modified: i64,
    /// `FILE_ATTRIBUTE_*`.
    pub attributes: u32,
}

/// How the reparse points were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By `$Extend\$Reparse`, the volume's own index of them.
    Index,
    /// In every file record.
    Scan,
}

/// All reparse points of a volume.
#[derive(Debug)]
pub struct Points {
    /// In the order of their records.
    pub points: Vec<ReparsePoint>,
    /// How they were found.
    pub way: Way,
    /// Entries of the index that mean nothing any more.
    pub stale: u64,
    /// The size of the index, in bytes: of its root and its blocks.
    pub index_size: u64,
}

impl<S: ReadAt> Reader<'_, S> {
    /// Every reparse point of the volume, in time that grows with their number. With `way`, as that says; else by the
    /// volume's own index, unless there is none, or it is damaged, or one record in eight is a link: then every record is
    /// read, in one pass.
    ///
    /// What could not be read is told by [`Reader::take_faults`].
    pub fn reparse_points(&mut self, way: Option<Way>) -> Points {
        let indexed = if way == Some(Way::Scan) { None } else { self.indexed() };
        match indexed {
            Some((wanted, size, whole)) if way == Some(Way::Index) || whole && !self.is_large_share(wanted.len()) => {
                let (points, stale) = self.points_at(wanted, true);
                Points { points, way: Way::Index, stale, index_size: size }
            }
            _ => {
                let found = crate::hard::reparse_records(self.volume, &mut self.faults);
                let (points, _) = self.points_at(found, false);
                Points { points, way: Way::Scan, stale: 0, index_size: 0 }
            }
        }
    }

    /// Whether one pass over all records costs less than looking at so many: each costs two reads, of itself and
    /// its directory.
    fn is_large_share(&self, links: usize) -> bool {
        u64::try_from(links).unwrap_or(u64::MAX).saturating_mul(8) > self.volume.records()
    }

    /// What the index names, its size in bytes, and whether all of it could be read. `None` where there is none.
    fn indexed(&mut self) -> Option<(Vec<Reference>, u64, bool)> {
        let before = self.faults.len();
        let file = self.extension("$Reparse").and_then(|number| self.file(number));
        let file = file?;
        let index = match Index::of(self.volume, &file, REPARSE_INDEX) {
            Ok(index) => index?,
            Err(error) => {
                self.faults.push(error);
                return None;
            }
        };
        let mut wanted = Vec::new();
        let mut short = false;
        index.visit(self.volume, &mut self.faults, |entry| match u64_at(entry.key, 4) {
            Some(reference) => wanted.push(Reference(reference)),
            None => short = true,
        });
        if short {
            self.faults
                .push(Error::damaged(file.base.position, "an index entry that is too short").of(file.base.number));
        }
        let whole = self.faults.len() == before;
        Some((wanted, index.size(), whole))
    }

    /// The record of a system file in `$Extend`: a directory of few names.
    fn extension(&mut self, wanted: &str) -> Option<u64> {
        let index = match self.directory(number::EXTEND) {
            Ok(index) => index?,
            Err(error) => {
                self.faults.push(error);
                return None;
            }
        };
        let mut found = None;
        index.visit(self.volume, &mut self.faults, |entry| {
            let name = FileName::parse(entry.key).map(|name| units(name.name()));
            if name.is_some_and(|name| name.iter().copied().eq(wanted.encode_utf16())) {
                found = Some(entry.reference.record());
            }
        });
        found
    }

    /// The reparse points in these records; with `counted`, how many are none.
    fn points_at(&mut self, mut wanted: Vec<Reference>, counted: bool) -> (Vec<ReparsePoint>, u64) {
        wanted.sort_unstable_by_key(|reference| (reference.record(), reference.sequence()));
        wanted.dedup();
        let (mut points, mut stale) = (Vec::with_capacity(wanted.len()), 0);
        // Each link's data has a place of its own, and is given with each of its names: data that links share, or that has
        // thousands of names, would come to more than memory holds.
        let mut left = self.volume.source.length().max(64 << 20);
        for batch in wanted.chunks(BATCH) {
            let mut numbers: Vec<u64> = batch.iter().map(|reference| reference.record()).collect();
            numbers.dedup();
            let before = self.faults.len();
            self.load(&numbers);
            let unread: Vec<u64> = self.faults.iter().skip(before).filter_map(Error::record).collect();
            for reference in batch {
                let file = self.file(reference.record());
                let file = file.filter(|file| reference.means(file.record().sequence()));
                let Some(file) = file else {
                    stale += u64::from(!unread.contains(&reference.record()));
                    continue;
                };
                match self.point(&file) {
                    Ok(Some(point)) => {
                        let cost = point.raw.len().saturating_mul(point.names.len());
                        match left.checked_sub(u64::try_from(cost).unwrap_or(u64::MAX)) {
                            Some(rest) => {
                                left = rest;
                                points.push(point);
                            }
                            None => {
                                let text = "more reparse data than the volume has room for";
                                let position = file.base.position;
                                self.faults.push(Error::damaged(position, text).of(file.base.number));
                            }
                        }
                    }
                    Ok(None) => stale += 1,
                    Err(error) => self.faults.push(error),
                }
            }
        }
        (points, if counted { stale } else { 0 })
    }

    /// A file as a reparse point. `None` where it is none.
    pub(crate) fn point(&mut self, file: &File) -> Result<Option<ReparsePoint>, Error> {
        let raw = self.volume.value(file, kind::REPARSE_POINT, &[], LONGEST_DATA)?;
        let Some(raw) = raw else { return Ok(None) };
        let described = self.describe(file)?;
        Ok(Some(ReparsePoint {
            reference: file.record().reference(),
            is_directory: file.record().is_directory(),
            raw,
            names: described.names,
            modified: described.standard.modified,
            attributes: described.standard.attributes,
        }))
    }

    /// The names and times of a file.
    pub(crate) fn describe(&mut self, file: &File) -> Result<Described, Error> {
        self.faults.extend(file.faults.iter().map(Error::again));
        let fail = |text| Error::damaged(file.base.position, text).of(file.base.number);
        let mut described = Described::default();
        for attribute in file.unparsed() {
            let attribute = attribute.map_err(fail)?;
            if !matches!(attribute.kind, kind::STANDARD_INFORMATION | kind::FILE_NAME) {
                continue;
            }
            let attribute = attribute.parse().map_err(fail)?;
            match (attribute.kind, attribute.resident()) {
                (kind::STANDARD_INFORMATION, Some(value)) => {
                    described.standard = StandardInformation::parse(value).unwrap_or_default();
                }
                (kind::FILE_NAME, Some(value)) => {
                    let name = FileName::parse(value).ok_or_else(|| fail("a name that runs out of its attribute"))?;
                    if name.is_short() {
                        described.short += 1;
                    } else {
                        described.names.push(NameIn { parent: name.parent(), name: units(name.name()) });
                    }
                }
                _ => {}
            }
        }
        self.work += described.names.len() / 16;
        if described.names.is_empty() {
            return Err(fail("a file without a name"));
        }
        Ok(described)
    }
}

/// What a record says of its file besides its content.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) names: Vec<NameIn>,
    /// How many 8.3 names there are.
    pub(crate) short: u64,
    pub(crate) standard: StandardInformation,
}

/// The directories of a volume as far as they were needed: what paths are made of.
#[derive(Default)]
pub struct Directories {
    known: HashMap<u64, Directory>,
    /// Paths of directories that were asked for, and their length in all.
    paths: HashMap<Reference, Arc<[u16]>>,
    kept: usize,
    /// How many more units of paths may be made.
    left: Option<u64>,
}

#[derive(Debug)]
struct Directory {
    sequence: u16,
    name: NameIn,
}

impl Directories {
    /// Fetches all directories above some names, level by level, many at once. What cannot be read is told by
    /// [`Reader::take_faults`].
    pub fn load<'n, S: ReadAt>(&mut self, reader: &mut Reader<'_, S>, names: impl Iterator<Item = &'n NameIn>) {
        let mut wanted: Vec<u64> = names.map(|name| name.parent.record()).collect();
        let mut tried = std::collections::HashSet::new();
        loop {
            wanted.retain(|number| *number != Reference::ROOT && !self.known.contains_key(number));
            wanted.sort_unstable();
            wanted.dedup();
            wanted.retain(|number| tried.insert(*number));
            if wanted.is_empty() {
                return;
            }
            let mut above = Vec::new();
            for batch in wanted.chunks(BATCH) {
                reader.load(batch);
                for &number in batch {
                    let Some(file) = reader.file(number).filter(|file| file.record().is_directory()) else {
                        continue;
                    };
                    match reader.describe(&file) {
                        Ok(described) => {
                            if let Some(name) = described.names.into_iter().next() {
                                above.push(name.parent.record());
                                self.add(file.record().reference(), name);
                            }
                        }
                        Err(error) => reader.faults.push(error),
                    }
                }
            }
            wanted = above;
        }
    }

    pub(crate) fn add(&mut self, directory: Reference, name: NameIn) {
        self.known.insert(directory.record(), Directory { sequence: directory.sequence(), name });
    }

    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { known: HashMap::with_capacity(count), ..Self::default() }
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// The way from the root to a name: the records of the directories passed, with their names.
    pub(crate) fn trail(&self, parent: Reference) -> Option<Vec<(u64, &[u16])>> {
        let mut trail = Vec::new();
        let mut next = parent;
        while next.record() != Reference::ROOT {
            let directory = self.known.get(&next.record()).filter(|known| next.means(known.sequence))?;
            trail.push((next.record(), directory.name.name.as_slice()));
            if trail.len() > self.known.len() {
                // It leads back to itself.
                return None;
            }
            next = directory.name.parent;
        }
        trail.reverse();
        Some(trail)
    }

    /// The path of a file's name from the root of the volume: `\Users\x`.
    ///
    /// # Errors
    /// A directory on the way is gone or leads back to itself, or the path is longer than Windows takes.
    pub fn path<S: ReadAt>(
        &mut self,
        volume: &Volume<S>,
        file: Reference,
        parent: Reference,
        name: &[u16],
    ) -> Result<Vec<u16>, Error> {
        let fail = |text| Error::damaged(volume.position_of(file.record()), text).of(file.record());
        let above = self.directory_path(parent).ok_or_else(|| fail("the directory of its name is not there"))?;
        let length = above.len() + 1 + name.len();
        if length > LONGEST_PATH {
            return Err(fail("its path is longer than any that Windows takes"));
        }
        // A volume made for the purpose could have more paths than memory holds.
        let left = self.left.get_or_insert_with(|| volume.size().saturating_mul(16).max(16 << 20));
        *left = left
            .checked_sub(u64::try_from(length).unwrap_or(u64::MAX))
            .ok_or_else(|| fail("the paths of this volume are too long to be listed"))?;
        let mut path = Vec::with_capacity(length);
        path.extend_from_slice(&above);
        path.push(u16::from(b'\\'));
        path.extend_from_slice(name);
        Ok(path)
    }

    /// The path of a directory; empty for the root.
    fn directory_path(&mut self, directory: Reference) -> Option<Arc<[u16]>> {
        /// So many units are kept; then the collection begins anew.
        const KEPT: usize = 4 << 20;
        if let Some(path) = self.paths.get(&directory) {
            return Some(Arc::clone(path));
        }
        // From the nearest directory above whose path is known: a chain of many would be gone along again for each.
        let (mut below, mut next) = (Vec::new(), directory);
        let known = loop {
            if next.record() == Reference::ROOT {
                break None;
            }
            if let Some(path) = self.paths.get(&next) {
                break Some(path);
            }
            let directory = self.known.get(&next.record()).filter(|known| next.means(known.sequence))?;
            below.push(directory.name.name.as_slice());
            if below.len() > self.known.len() {
                return None;
            }
            next = directory.name.parent;
        };
        let mut path = known.map_or(Vec::new(), |path| path.to_vec());
        for name in below.iter().rev() {
            path.push(u16::from(b'\\'));
            path.extend_from_slice(name);
            if path.len() > LONGEST_PATH {
                break;
            }
        }
        if self.kept > KEPT {
            self.paths.clear();
            self.kept = 0;
        }
        self.kept += path.len();
        let path: Arc<[u16]> = path.into();
        self.paths.insert(directory, Arc::clone(&path));
        Some(path)
    }
}
