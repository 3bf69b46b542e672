//! Hard links: every file with several names, found in one pass over all records.

use crate::Error;
use crate::look::Sizes;
use crate::points::{Directories, NameIn};
use crate::reader::Reader;
use crate::record::{FileName, Record, Reference, Unparsed, kind};
use crate::scan::{Visitor, every_record};
use crate::source::ReadAt;
use crate::volume::Volume;

/// The records that hold reparse data, of any file; where it lies in an extension, the file's own record.
pub(crate) fn reparse_records<S: ReadAt>(volume: &Volume<S>, faults: &mut Vec<Error>) -> Vec<Reference> {
    struct Reparse(Vec<Reference>);

    impl Visitor for Reparse {
        fn record(&mut self, record: Record<'_>) -> Result<(), &'static str> {
            let mut attributes = record.attributes();
            while let Some(attribute) = attributes.next_unparsed() {
                // They stand in the order of their types.
                match attribute?.kind {
                    kind::REPARSE_POINT => self.0.push(record.base().unwrap_or(record.reference())),
                    later if later > kind::REPARSE_POINT => return Ok(()),
                    _ => {}
                }
            }
            Ok(())
        }
    }

    every_record(volume, faults, || Reparse(Vec::new())).into_iter().flat_map(|found| found.0).collect()
}

/// Files with several names, as one pass over all records finds them. Links are among them: they can have several, too.
pub struct HardLinks {
    /// By the files they belong to.
    names: Vec<Row>,
    /// By their files, each file's own record before its extensions.
    facts: Vec<Facts>,
    texts: Vec<Vec<u16>>,
}

/// A file with several names.
#[derive(Clone, Copy)]
pub struct HardLinked<'a> {
    /// Its record.
    pub reference: Reference,
    /// The size of its content in bytes.
    pub size: u64,
    /// What its content and its other streams take on the disk, in bytes.
    pub allocated: u64,
    names: &'a [Row],
    texts: &'a [Vec<u16>],
}

impl<'a> HardLinked<'a> {
    /// How many names it has, 8.3 ones not counted.
    #[must_use]
    pub fn links(&self) -> usize {
        self.names.len()
    }

    /// Its names, each with the directory that it stands in.
    pub fn names(&self) -> impl Iterator<Item = (Reference, &'a [u16])> {
        let texts = self.texts;
        self.names.iter().map(|row| (row.parent, row.text(texts)))
    }
}

impl HardLinks {
    /// So many files there are at most.
    #[must_use]
    pub fn most(&self) -> usize {
        self.facts.len()
    }

    /// The files, by their records.
    pub fn files(&self) -> impl Iterator<Item = HardLinked<'_>> {
        let mut names = self.names.as_slice();
        self.facts.chunk_by(|a, b| a.of == b.of).filter_map(move |pieces| {
            let base = pieces.first()?;
            let behind = names.partition_point(|row| row.of < base.of);
            let (own, rest) =
                names.get(behind..)?.split_at(names.get(behind..)?.partition_point(|row| row.of == base.of));
            names = rest;
            // What extensions say of a file that is not there any more is left over from it.
            let links = base.is_base && own.len() > 1;
            let sizes = pieces.iter().map(|piece| piece.sizes);
            let (size, allocated) =
                sizes.fold((0u64, 0u64), |all, one| (all.0.max(one.size), all.1.saturating_add(one.allocated)));
            links.then_some(HardLinked { reference: base.of, size, allocated, names: own, texts: &self.texts })
        })
    }
}

/// Names of directories, and of files that have several or may have.
#[derive(Default)]
struct Names {
    directories: Vec<Row>,
    /// Directories whose names are in other records than their own.
    named_elsewhere: Vec<Reference>,
    names: Vec<Row>,
    files: Vec<Facts>,
    /// All names, one behind the other.
    text: Vec<u16>,
}

/// A name: whose it is, where it stands, and where its text is. Compact: there is one for each directory.
#[derive(Clone, Copy)]
struct Row {
    of: Reference,
    parent: Reference,
    text: u32,
    length: u8,
    /// Whose text it is.
    worker: u8,
}

impl Row {
    fn text(self, texts: &[Vec<u16>]) -> &[u16] {
        let start = usize::try_from(self.text).unwrap_or(usize::MAX);
        let text = texts.get(usize::from(self.worker));
        text.and_then(|text| text.get(start..start.checked_add(usize::from(self.length))?)).unwrap_or_default()
    }
}

/// What the pieces of a file say, each for itself.
struct Facts {
    of: Reference,
    /// Whether this is the file's own record, and not an extension.
    is_base: bool,
    sizes: Sizes,
}

impl Visitor for Names {
    fn record(&mut self, record: Record<'_>) -> Result<(), &'static str> {
        let base = record.base();
        let is_directory = record.is_directory();
        let of = base.unwrap_or(record.reference());
        let mut attributes = record.attributes();
        let (mut listed, mut first, mut later, mut several) = (false, None, None, false);
        while let Some(attribute) = attributes.next_unparsed() {
            let attribute = attribute?;
            match attribute.kind {
                kind::ATTRIBUTE_LIST => listed = true,
                kind::FILE_NAME => {
                    let name = attribute.parse()?.resident().and_then(FileName::parse);
                    let name = name.ok_or("a name that runs out of its attribute")?;
                    match first {
                        _ if name.is_short() => {}
                        // Most files have one name: theirs is not kept.
                        None => first = Some(name),
                        // A directory has one name.
                        Some(_) if is_directory => {}
                        Some(one) => {
                            if !several {
                                self.add_name(of, one);
                            }
                            self.add_name(of, name);
                            several = true;
                        }
                    }
                }
                kind if kind > kind::FILE_NAME => {
                    later = Some(attribute);
                    break;
                }
                _ => {}
            }
        }
        if is_directory {
            match first.map(|name| self.row(of, name)) {
                Some(row) => self.directories.extend(row),
                None => self.named_elsewhere.push(of),
            }
            return Ok(());
        }
        if !several && !listed && base.is_none() {
            return Ok(());
        }
        if let (Some(one), false) = (first, several) {
            self.add_name(of, one);
        }
        let mut facts = Facts { of, is_base: base.is_none(), sizes: Sizes::default() };
        for attribute in later.map(Unparsed::parse).into_iter().chain(attributes) {
            let attribute = attribute?;
            facts.sizes.add(&attribute);
        }
        self.files.push(facts);
        Ok(())
    }
}

impl Names {
    fn row(&mut self, of: Reference, name: FileName<'_>) -> Option<Row> {
        let text = u32::try_from(self.text.len()).ok()?;
        let units = name.name().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let length = u8::try_from(units.len()).ok()?;
        self.text.extend(units);
        Some(Row { of, parent: name.parent(), text, length, worker: 0 })
    }

    fn add_name(&mut self, of: Reference, name: FileName<'_>) {
        if let Some(row) = self.row(of, name) {
            self.names.push(row);
        }
    }
}

impl<S: ReadAt> Reader<'_, S> {
    /// Every file with several names, and every directory, in one pass over all records.
    ///
    /// What could not be read is told by [`Reader::take_faults`].
    pub fn hard_links(&mut self) -> (HardLinks, Directories) {
        let mut workers = every_record(self.volume, &mut self.faults, Names::default);
        for (number, worker) in (0u8..).zip(&mut workers) {
            worker.names.iter_mut().chain(&mut worker.directories).for_each(|row| row.worker = number);
        }
        // The first one's lists are gone on with: what they take is not taken twice.
        let mut workers = workers.into_iter();
        let Names { directories: mut rows, mut named_elsewhere, mut names, files: mut facts, text } =
            workers.next().unwrap_or_default();
        let mut texts = vec![text];
        for worker in workers {
            names.extend(worker.names);
            facts.extend(worker.files);
            rows.extend(worker.directories);
            named_elsewhere.extend(worker.named_elsewhere);
            texts.push(worker.text);
        }
        names.sort_unstable_by_key(|row: &Row| row.of);
        facts.sort_unstable_by_key(|facts: &Facts| (facts.of, !facts.is_base));
        for of in named_elsewhere {
            let behind = names.partition_point(|row| row.of < of);
            rows.extend(names.get(behind).filter(|row| row.of == of));
        }
        let mut directories = Directories::with_capacity(rows.len());
        for row in rows {
            directories.add(row.of, NameIn { parent: row.parent, name: row.text(&texts).to_vec() });
        }
        (HardLinks { names, facts, texts }, directories)
    }
}
