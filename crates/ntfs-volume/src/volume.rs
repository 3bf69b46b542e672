//! An opened volume: its master file table, and records fetched from it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bytes::{length_at, u8_at, u16_at, u64_at};
use crate::geometry::{BOOT, Geometry};
use crate::record::{Attribute, Body, Record, Reference, Unparsed, kind, mend};
use crate::runs::{self, Stream};
use crate::source::{ReadAt, Reads, Source};
use crate::{Error, FileRecord};

/// Windows keeps no attribute list longer than this.
const LONGEST_LIST: u64 = 256 << 10;
/// Records that are fetched together are read in pieces of at most this size.
const LONGEST_READ: u64 = 256 << 10;
/// Numbers of records that every volume has.
pub(crate) mod number {
    pub(crate) const TABLE: u64 = 0;
    pub(crate) const VOLUME: u64 = 3;
    pub(crate) const BITMAP: u64 = 6;
    pub(crate) const UPCASE: u64 = 10;
    pub(crate) const EXTEND: u64 = 11;
}

/// An NTFS volume that is read and never written. What it says is not believed: a part that makes no sense is an
/// [`Error`] of that part.
pub struct Volume<S> {
    pub(crate) source: Source<S>,
    pub(crate) geometry: Geometry,
    /// The master file table.
    pub(crate) table: Stream,
    /// Which of its records are in use, bit by bit. Empty where that cannot be read.
    pub(crate) in_use: Vec<u8>,
    pub(crate) faults: Vec<Error>,
    /// How many more bytes of attribute lists are read.
    lists_left: AtomicU64,
}

impl<S: ReadAt> Volume<S> {
    /// Opens a volume that begins where its source begins.
    ///
    /// # Errors
    /// No NTFS volume is there ([`crate::ErrorKind::NotNtfs`]; the text says what is, where that can be told), or its boot
    /// sector or first file record cannot be read.
    pub fn open(source: S) -> Result<Self, Error> {
        Self::open_at(source, 0)
    }

    /// Opens a volume that begins so many bytes behind the beginning of its source.
    ///
    /// # Errors
    /// As [`Volume::open`].
    pub fn open_at(source: S, start: u64) -> Result<Self, Error> {
        Self::open_between(source, start, None)
    }

    /// Opens a volume of which is known how long the part of the source is that holds it: where its boot sector is damaged,
    /// the copy of it in the last sector is read. Nothing behind that part is.
    ///
    /// # Errors
    /// As [`Volume::open`].
    pub fn open_between(source: S, start: u64, length: Option<u64>) -> Result<Self, Error> {
        let mut source = Source::new(source, start, length.unwrap_or(u64::MAX))?;
        let mut boot = [0; BOOT];
        source.read(&mut boot, 0)?;
        let mut faults = Vec::new();
        let geometry = match Geometry::parse(&boot, start) {
            Ok(geometry) => geometry,
            Err(error) => {
                let length = length.unwrap_or_else(|| source.length());
                let last = length.saturating_sub(u64::try_from(BOOT).unwrap_or(0));
                let copy = source.read(&mut boot, last).and_then(|()| Geometry::parse(&boot, source.position(last)));
                let Ok(geometry) = copy else { return Err(error) };
                faults.push(Error::damaged(start, "the boot sector is damaged; its copy was read instead"));
                geometry
            }
        };
        source.confine(geometry.clusters.saturating_mul(geometry.cluster));
        // Each list has clusters of its own, and is read a few times. Lists that lie upon each other are not.
        let lists_left = AtomicU64::new(source.length().saturating_mul(16).max(64 << 20));
        let (table, in_use) = (Stream::default(), Vec::new());
        let mut volume = Self { source, geometry, table, in_use, faults, lists_left };
        volume.find_table().map_err(|error| error.of(number::TABLE))?;
        Ok(volume)
    }

    /// What was read so far.
    pub fn reads(&self) -> Reads {
        self.source.reads()
    }

    /// The serial number of the boot sector. Windows shows its lower half.
    pub fn serial(&self) -> u64 {
        self.geometry.serial
    }

    /// The size of the volume in bytes.
    pub fn size(&self) -> u64 {
        self.geometry.clusters.saturating_mul(self.geometry.cluster)
    }

    /// The size of a file record in bytes.
    pub fn record_size(&self) -> u64 {
        u64::try_from(self.geometry.record).unwrap_or(u64::MAX)
    }

    /// The size of the master file table in bytes.
    pub fn table_size(&self) -> u64 {
        self.table.size
    }

    /// How many file records there are, in use or not.
    pub fn records(&self) -> u64 {
        self.table.written / self.record_size()
    }

    /// What was found wrong while the volume was opened, and passed over.
    pub fn faults(&self) -> &[Error] {
        &self.faults
    }

    /// Reads where the master file table lies: from its first record, or the copy of that.
    fn find_table(&mut self) -> Result<(), Error> {
        let first = match self.first_record(self.geometry.table) {
            Ok(record) => record,
            Err(error) if self.geometry.mirror != 0 => {
                let record = self.first_record(self.geometry.mirror).map_err(|_| error)?;
                let position = self.source.position(self.geometry.table);
                let text = "the first file record is damaged; its copy was read instead";
                self.faults.push(Error::damaged(position, text).of(number::TABLE));
                record
            }
            Err(error) => return Err(error),
        };
        let fail = |text| Error::damaged(first.position, text);
        let pieces = first.pieces(kind::DATA, &[]).map_err(fail)?;
        self.table = self.stream(&pieces).map_err(fail)?.ok_or_else(|| fail("no master file table"))?;
        // What lies in extension records is found through what is known already.
        let whole = self.table.size;
        for listed in self.listed(&first)? {
            let extension = self.record(listed.record()).and_then(|extension| {
                let position = self.position_of(listed.record());
                let extension = extension.ok_or_else(|| Error::damaged(position, "an extension that is not in use"))?;
                let fail = |text| Error::damaged(extension.position, text);
                for piece in extension.pieces(kind::DATA, &[]).map_err(fail)? {
                    if let Body::Outside { first, pairs, .. } = piece.body {
                        let runs = runs::decode(pairs, first, self.geometry.clusters).map_err(fail)?;
                        self.table.extend(runs, self.geometry.clusters).map_err(fail)?;
                    }
                }
                Ok(())
            });
            if let Err(error) = extension {
                self.faults.push(error.of(listed.record()));
                break;
            }
        }
        self.table.cut(self.geometry.cluster, self.source.length() / self.geometry.cluster);
        if self.table.size < whole {
            let text = "a part of the master file table cannot be found";
            self.faults.push(Error::damaged(first.position, text).of(number::TABLE));
        }
        if self.table.size < self.record_size() {
            return Err(fail("no master file table"));
        }
        let bitmap = self.file_of(first).and_then(|first| self.value(&first, kind::BITMAP, &[], u64::MAX));
        match bitmap {
            Ok(bitmap) => self.in_use = bitmap.unwrap_or_default(),
            Err(error) => self.faults.push(error.of(number::TABLE)),
        }
        Ok(())
    }

    fn first_record(&self, at: u64) -> Result<FileRecord, Error> {
        let position = self.source.position(at);
        let mut bytes = vec![0; self.geometry.record];
        self.source.read(&mut bytes, at)?;
        let first = FileRecord::new(number::TABLE, position, bytes)?;
        first.ok_or_else(|| Error::damaged(position, "the master file table is not in use"))
    }

    /// Whether the table's own bitmap has a record in use; where there is none, that is to be seen in the record.
    pub(crate) fn may_be_in_use(&self, record: u64) -> bool {
        let byte = usize::try_from(record / 8).ok().and_then(|at| self.in_use.get(at));
        if self.in_use.is_empty() {
            return true;
        }
        byte.is_some_and(|byte| byte >> (record % 8) & 1 == 1)
    }

    /// Where a record begins in the source.
    pub(crate) fn position_of(&self, record: u64) -> u64 {
        let at = record.saturating_mul(self.record_size());
        let place = self.table.place(at, self.geometry.cluster).and_then(|(on_disk, _)| on_disk);
        self.source.position(place.unwrap_or(self.geometry.table))
    }

    /// One record. `None` where it is not in use.
    pub(crate) fn record(&self, record: u64) -> Result<Option<FileRecord>, Error> {
        self.records_of(&[record]).pop().map_or(Ok(None), |(_, found)| found)
    }

    /// Many records, their numbers in rising order and each once. `None` for those that are not in use.
    ///
    /// Records that lie near each other are read together, as long as no more than half as much again is read as was
    /// asked for.
    pub(crate) fn records_of(&self, numbers: &[u64]) -> Vec<(u64, Result<Option<FileRecord>, Error>)> {
        let size = self.record_size();
        debug_assert!(numbers.is_sorted_by(|a, b| a < b), "in order and each once");
        let mut all = Vec::with_capacity(numbers.len());
        let mut rest = numbers;
        while let Some(&first) = rest.first() {
            // As far as the next one lies behind in the same run, and is not too far.
            let start = self.place_of(first);
            let reach = start.map_or(0, |(_, left)| left.min(LONGEST_READ));
            let (mut count, mut span) = (1, size);
            for (index, &next) in rest.iter().enumerate().skip(1) {
                let end = (next.saturating_sub(first)).saturating_add(1).saturating_mul(size);
                let wanted = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1).saturating_mul(size);
                if end > reach || end > wanted.saturating_add(wanted / 2) {
                    break;
                }
                (count, span) = (index + 1, end);
            }
            let (group, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = behind;
            let together = start.filter(|_| count > 1 && span <= reach).and_then(|(place, _)| {
                let mut bytes = vec![0; usize::try_from(span).ok()?];
                // Where that fails, each is tried by itself: one bad sector costs one record.
                self.source.read(&mut bytes, place).ok()?;
                Some(bytes)
            });
            for &number in group {
                let at = number.saturating_sub(first).saturating_mul(size);
                let bytes = together.as_ref().and_then(|bytes| {
                    let at = usize::try_from(at).ok()?;
                    crate::bytes::slice(bytes, at, self.geometry.record).map(<[u8]>::to_vec)
                });
                let found = match bytes {
                    Some(bytes) => Ok(bytes),
                    None => self.bytes_of(number),
                };
                let found = found.and_then(|bytes| FileRecord::new(number, self.position_of(number), bytes));
                all.push((number, found.map_err(|error| error.of(number))));
            }
        }
        all
    }

    /// Where a record lies on the volume, and how much of the table follows it there.
    fn place_of(&self, number: u64) -> Option<(u64, u64)> {
        let at = number.checked_mul(self.record_size())?;
        let inside = at.checked_add(self.record_size())? <= self.table.written;
        let (on_disk, left) = self.table.place(at, self.geometry.cluster).filter(|_| inside)?;
        Some((on_disk?, left))
    }

    /// Where the master file table begins in the source.
    pub(crate) fn table_position(&self) -> u64 {
        self.source.position(self.geometry.table)
    }

    fn bytes_of(&self, number: u64) -> Result<Vec<u8>, Error> {
        let outside = || Error::damaged(self.table_position(), "outside the master file table");
        let at = number.checked_mul(self.record_size()).ok_or_else(outside)?;
        if at.checked_add(self.record_size()).is_none_or(|end| end > self.table.written) {
            return Err(outside());
        }
        let mut bytes = vec![0; self.geometry.record];
        self.table.read(&self.source, &self.geometry, &mut bytes, at, self.table_position())?;
        Ok(bytes)
    }

    /// Files, by the numbers of their records in order and each once: with all their extension records. `None` for those
    /// that are not in use.
    pub(crate) fn files(&self, numbers: &[u64]) -> Vec<(u64, Result<Option<File>, Error>)> {
        let mut wanted: Vec<Reference> = Vec::new();
        let bases = self.records_of(numbers).into_iter().map(|(number, found)| {
            let found = found.and_then(|found| {
                let Some(base) = found else { return Ok(None) };
                let listed = self.listed(&base).map_err(|error| error.of(number))?;
                wanted.extend(&listed);
                Ok(Some((base, listed)))
            });
            (number, found)
        });
        let bases: Vec<_> = bases.collect();
        // By their numbers alone: in a reference, the number of the use stands before that of the record.
        let mut numbers: Vec<u64> = wanted.iter().map(|reference| reference.record()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut extensions = BTreeMap::new();
        for (number, found) in self.records_of(&numbers) {
            extensions.insert(number, found);
        }
        let join = |(base, listed): (FileRecord, Vec<Reference>)| {
            let (mut parts, mut fault) = (Vec::new(), None);
            for extension in listed {
                let number = extension.record();
                let (position, text) = match extensions.get(&number) {
                    Some(Ok(Some(found))) if found.extends(&base, extension) => {
                        parts.push(found.clone());
                        continue;
                    }
                    Some(Err(error)) => (error.position(), "an extension record that cannot be read"),
                    _ => (self.position_of(number), "no extension of the record that names it"),
                };
                // The first tells enough: a list of nonsense would be thousands.
                fault.get_or_insert_with(|| Error::damaged(position, text).of(number));
            }
            File { base, extensions: parts, faults: fault.into_iter().collect() }
        };
        bases.into_iter().map(|(number, found)| (number, found.map(|found| found.map(join)))).collect()
    }

    pub(crate) fn file(&self, number: u64) -> Result<Option<File>, Error> {
        self.files(&[number]).pop().map_or(Ok(None), |(_, found)| found)
    }

    fn file_of(&self, base: FileRecord) -> Result<File, Error> {
        let number = base.number;
        let found = self.file(number).ok().flatten();
        Ok(found.unwrap_or(File { base, extensions: Vec::new(), faults: Vec::new() }))
    }

    /// The extension records that a record's attribute list names, each once, in the order of what is in them.
    fn listed(&self, base: &FileRecord) -> Result<Vec<Reference>, Error> {
        let fail = |text| Error::damaged(base.position, text);
        let pieces = base.pieces(kind::ATTRIBUTE_LIST, &[]).map_err(fail)?;
        let list = match pieces.as_slice() {
            [] => return Ok(Vec::new()),
            [Attribute { body: Body::Resident(value), .. }, ..] => value.to_vec(),
            pieces => match self.stream(pieces).map_err(fail)? {
                Some(stream) if stream.size <= LONGEST_LIST => {
                    let spend = |left: u64| left.checked_sub(stream.size);
                    let spent = self.lists_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
                    spent.map_err(|_| fail("more lists of attributes than the volume has room for"))?;
                    self.read_stream(&stream, base.position)?
                }
                _ => return Err(fail("a list of attributes that is too long")),
            },
        };
        let (mut found, mut rest) = (Vec::new(), list.as_slice());
        let mut met = std::collections::HashSet::new();
        while !rest.is_empty() {
            let length = u16_at(rest, 4).map_or(0, usize::from);
            let reference = u64_at(rest, 0x10).map(Reference);
            let (Some(reference), Some(behind)) = (reference, rest.get(length..).filter(|_| length >= 0x18)) else {
                return Err(fail("a list of attributes that runs out"));
            };
            // Pieces of one record mostly stand together.
            let again = found.last() == Some(&reference) || reference.record() == base.number;
            if !again && met.insert(reference.record()) {
                found.push(reference);
            }
            rest = behind;
        }
        Ok(found)
    }

    /// Puts the pieces of an attribute that lies outside its records together.
    pub(crate) fn stream(&self, pieces: &[Attribute<'_>]) -> Result<Option<Stream>, &'static str> {
        let mut parts: Vec<(u64, u64, &[u8])> = Vec::new();
        let mut whole = None;
        for piece in pieces {
            let Body::Outside { first, last, size, written, pairs, .. } = piece.body else { continue };
            if piece.flags & (Attribute::COMPRESSED | Attribute::ENCRYPTED) != 0 {
                return Err("compressed or encrypted where nothing is");
            }
            if first == 0 {
                whole = Some(Stream::new(size, written));
            }
            parts.push((first, last, pairs));
        }
        let Some(mut stream) = whole else {
            return if parts.is_empty() { Ok(None) } else { Err("an attribute without its beginning") };
        };
        parts.sort_unstable_by_key(|(first, ..)| *first);
        for (first, last, pairs) in parts {
            let runs = runs::decode(pairs, first, self.geometry.clusters)?;
            let reached = runs.last().map_or(first, |run| run.first.saturating_add(run.count));
            // An empty attribute ends at -1.
            if last.wrapping_add(1) != reached {
                return Err("runs of another length than their attribute");
            }
            stream.extend(runs, self.geometry.clusters)?;
        }
        Ok(Some(stream))
    }

    /// All of it; `owner` is where the record lies that says what belongs to it.
    pub(crate) fn read_stream(&self, stream: &Stream, owner: u64) -> Result<Vec<u8>, Error> {
        let size = usize::try_from(stream.size).ok();
        // What was never on the disk is not believed to be long.
        let most = stream.taken().saturating_mul(self.geometry.cluster).min(self.source.length());
        let size = size.filter(|_| stream.size <= most);
        let size = size.ok_or_else(|| Error::damaged(owner, "an attribute longer than its clusters"))?;
        let mut bytes = vec![0; size];
        stream.read(&self.source, &self.geometry, &mut bytes, 0, owner)?;
        Ok(bytes)
    }

    /// The value of an attribute, wherever it is. `None` where there is none.
    pub(crate) fn value(&self, file: &File, kind: u32, name: &[u16], longest: u64) -> Result<Option<Vec<u8>>, Error> {
        let fail = |text| Error::damaged(file.base.position, text).of(file.base.number);
        let pieces = file.pieces(kind, name).map_err(fail)?;
        match pieces.as_slice() {
            [] => Ok(None),
            [Attribute { body: Body::Resident(value), .. }, ..] => Ok(Some(value.to_vec())),
            pieces => match self.stream(pieces).map_err(fail)? {
                Some(stream) if stream.size > longest => Err(fail("an attribute that is too long")),
                Some(stream) => {
                    let value =
                        self.read_stream(&stream, file.base.position).map_err(|error| error.of(file.base.number))?;
                    Ok(Some(value))
                }
                None => Ok(None),
            },
        }
    }

    /// How many bytes no file takes, by the volume's own bitmap.
    ///
    /// # Errors
    /// The bitmap cannot be read.
    pub fn free(&self) -> Result<u64, Error> {
        let file = self.file(number::BITMAP)?;
        let missing = || Error::damaged(self.position_of(number::BITMAP), "no bitmap of clusters").of(number::BITMAP);
        let file = file.ok_or_else(missing)?;
        let bitmap = self.value(&file, kind::DATA, &[], u64::MAX)?.ok_or_else(missing)?;
        let (mut free, mut left) = (0u64, self.geometry.clusters);
        for byte in bitmap {
            let bits = left.min(8);
            let mask = if bits == 8 { 0xff } else { (1u8 << bits) - 1 };
            free += u64::from((!byte & mask).count_ones());
            left -= bits;
        }
        Ok(free.saturating_mul(self.geometry.cluster))
    }

    /// Reads a block of an index and undoes its fixups.
    pub(crate) fn block(&self, stream: &Stream, at: u64, size: usize) -> Result<Vec<u8>, Error> {
        let place = stream.place(at, self.geometry.cluster).and_then(|(on_disk, _)| on_disk);
        let position = self.source.position(place.unwrap_or(0));
        let end = u64::try_from(size).ok().and_then(|size| at.checked_add(size));
        if end.is_none_or(|end| end > stream.written) {
            return Err(Error::damaged(position, "a block outside its index"));
        }
        let mut bytes = vec![0; size];
        stream.read(&self.source, &self.geometry, &mut bytes, at, position)?;
        if bytes.get(..4) != Some(b"INDX") {
            return Err(Error::damaged(position, "no index block where one should be"));
        }
        mend(&mut bytes).map_err(|text| Error::damaged(position, text))?;
        Ok(bytes)
    }
}

/// How many threads are worth having for work that is mostly reading.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(8)
}

/// A file or directory: its record, and the records its attributes overflow into.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) base: FileRecord,
    pub(crate) extensions: Vec<FileRecord>,
    /// Parts of it that cannot be had.
    pub(crate) faults: Vec<Error>,
}

impl File {
    pub(crate) fn record(&self) -> Record<'_> {
        self.base.record()
    }

    /// All attributes, or why there are no more.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, &'static str>> {
        let extensions = self.extensions.iter().flat_map(|part| part.record().attributes());
        self.base.record().attributes().chain(extensions)
    }

    /// All attributes, not looked into, or why there are no more.
    pub(crate) fn unparsed(&self) -> impl Iterator<Item = Result<Unparsed<'_>, &'static str>> {
        let extensions = self.extensions.iter().flat_map(|part| part.record().attributes().unparsed());
        self.base.record().attributes().unparsed().chain(extensions)
    }

    /// What belongs to one attribute.
    pub(crate) fn pieces(&self, kind: u32, name: &[u16]) -> Result<Vec<Attribute<'_>>, &'static str> {
        pieces(self.unparsed(), kind, name)
    }
}

impl FileRecord {
    /// Whether it holds attributes of another record, which names it so.
    fn extends(&self, base: &Self, named: Reference) -> bool {
        let of = self.record().base();
        let back = of.is_some_and(|of| of.record() == base.number && of.means(base.record().sequence()));
        back && named.means(self.record().sequence())
    }

    fn pieces(&self, kind: u32, name: &[u16]) -> Result<Vec<Attribute<'_>>, &'static str> {
        pieces(self.record().attributes().unparsed(), kind, name)
    }
}

fn pieces<'a>(
    attributes: impl Iterator<Item = Result<Unparsed<'a>, &'static str>>,
    kind: u32,
    name: &[u16],
) -> Result<Vec<Attribute<'a>>, &'static str> {
    let mut found = Vec::new();
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == kind {
            let attribute = attribute.parse()?;
            if attribute.is(kind, name) {
                found.push(attribute);
            }
        }
    }
    Ok(found)
}

impl<S: ReadAt> Volume<S> {
    /// The volume's label, as UTF-16. `None` where it has none.
    ///
    /// # Errors
    /// The record that holds it cannot be read.
    pub fn label(&self) -> Result<Option<Vec<u16>>, Error> {
        let Some(file) = self.file(number::VOLUME)? else { return Ok(None) };
        let value = self.value(&file, kind::VOLUME_NAME, &[], 512)?;
        Ok(value.map(|value| crate::bytes::units(&value)).filter(|label| !label.is_empty()))
    }
}

// Used where only the sizes of a block matter.
pub(crate) fn root_sizes(root: &[u8]) -> Option<(usize, u8)> {
    Some((length_at(root, 8)?, u8_at(root, 0xc)?))
}
