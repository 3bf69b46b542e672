//! Hard links: every file with several names, found in one pass over all records.

use std::collections::HashMap;

use crate::Error;
use crate::bytes::u32_at;
use crate::look::Sizes;
use crate::points::{Directories, NameIn};
use crate::reader::Reader;
use crate::record::{Attribute, Body, FileName, Record, Reference, kind};
use crate::scan::{Visitor, every_record};
use crate::source::ReadAt;
use crate::volume::Volume;

/// The records that hold reparse data, of any file; where it lies in an extension, the file's own record.
pub(crate) fn reparse_records<S: ReadAt>(volume: &Volume<S>, faults: &mut Vec<Error>) -> Vec<Reference> {
    struct Reparse(Vec<Reference>);

    impl Visitor for Reparse {
        fn record(&mut self, record: Record<'_>) -> Result<(), &'static str> {
            for attribute in record.attributes() {
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

/// A file with several names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardLinked {
    /// Its record.
    pub reference: Reference,
    /// Its names but for 8.3 ones, in no order.
    pub names: Vec<NameIn>,
    /// The size of its content in bytes.
    pub size: u64,
    /// What its content and its other streams take on the disk, in bytes.
    pub allocated: u64,
}

/// What one pass over all records finds.
pub struct HardLinks {
    /// The files with several names, by their records. Links and other name surrogates are not among them.
    pub files: Vec<HardLinked>,
    /// Every directory of the volume.
    pub directories: Directories,
}

/// Names of directories, and of files that have several or may have.
#[derive(Default)]
struct Names {
    directories: Vec<Row>,
    names: Vec<Row>,
    files: Vec<Facts>,
    /// All names, one behind the other.
    text: Vec<u16>,
    /// The names of the record that is being looked at.
    here: Vec<(Reference, usize, u8)>,
}

/// A name: whose it is, where it stands, and where its text is. Compact: there is one for each directory.
#[derive(Clone, Copy)]
struct Row {
    of: Reference,
    parent: Reference,
    text: u32,
    length: u8,
}

/// What the pieces of a file say, each for itself.
struct Facts {
    of: Reference,
    /// Whether this is the file's own record, and not an extension.
    is_base: bool,
    sizes: Sizes,
    surrogate: bool,
}

impl Visitor for Names {
    fn record(&mut self, record: Record<'_>) -> Result<(), &'static str> {
        let base = record.base();
        let is_directory = record.is_directory();
        let mut attributes = record.attributes();
        let (mut listed, mut later) = (false, None);
        self.here.clear();
        let start = self.text.len();
        for attribute in attributes.by_ref() {
            let attribute = attribute?;
            match attribute.kind {
                kind::ATTRIBUTE_LIST => listed = true,
                kind::FILE_NAME => {
                    let name = attribute.resident().and_then(FileName::parse);
                    let name = name.ok_or("a name that runs out of its attribute")?;
                    if !name.is_short() {
                        let text = name.name();
                        self.here.push((
                            name.parent(),
                            self.text.len(),
                            u8::try_from(text.len() / 2).unwrap_or(0),
                        ));
                        self.text
                            .extend(text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
                    }
                }
                kind if kind > kind::FILE_NAME => {
                    later = Some(attribute);
                    break;
                }
                _ => {}
            }
        }
        let of = base.unwrap_or(record.reference());
        let row = |(parent, text, length): &(Reference, usize, u8)| {
            Some(Row { of, parent: *parent, text: u32::try_from(*text).ok()?, length: *length })
        };
        if is_directory {
            self.directories.extend(self.here.first().and_then(row));
            if let Some((_, second, _)) = self.here.get(1) {
                self.text.truncate(*second);
            }
            return Ok(());
        }
        // Most files end here: one name, and all in one record.
        if self.here.len() < 2 && !listed && base.is_none() {
            self.text.truncate(start);
            return Ok(());
        }
        let mut facts = Facts { of, is_base: base.is_none(), sizes: Sizes::default(), surrogate: false };
        for attribute in later.into_iter().map(Ok).chain(attributes) {
            let attribute: Attribute<'_> = attribute?;
            facts.sizes.add(&attribute);
            if attribute.kind == kind::REPARSE_POINT {
                // What lies outside the record is a link of great length: other data of that size is kept otherwise.
                facts.surrogate |= match attribute.body {
                    Body::Resident(value) => u32_at(value, 0).is_some_and(|tag| tag & SURROGATE != 0),
                    Body::Outside { .. } => true,
                };
            }
        }
        self.names.extend(self.here.iter().filter_map(row));
        self.files.push(facts);
        Ok(())
    }
}

/// The bit of a reparse tag that says: this stands for something else.
const SURROGATE: u32 = 1 << 29;

impl<S: ReadAt> Reader<'_, S> {
    /// Every file with several names, and every directory, in one pass over all records.
    ///
    /// What could not be read is told by [`Reader::take_faults`].
    pub fn hard_links(&mut self) -> HardLinks {
        let workers = every_record(self.volume, &mut self.faults, Names::default);
        let mut directories = Directories::default();
        let mut files: HashMap<Reference, (HardLinked, bool)> = HashMap::new();
        for worker in &workers {
            for row in &worker.directories {
                directories.add(row.of, worker.name(row));
            }
            for facts in worker.files.iter().filter(|facts| facts.is_base) {
                let new = HardLinked { reference: facts.of, names: Vec::new(), size: 0, allocated: 0 };
                files.insert(facts.of, (new, false));
            }
        }
        // What extensions say of a file that is not there any more is left over from it.
        for worker in &workers {
            for row in &worker.names {
                if let Some((file, _)) = files.get_mut(&row.of) {
                    file.names.push(worker.name(row));
                }
            }
            for facts in &worker.files {
                if let Some((file, surrogate)) = files.get_mut(&facts.of) {
                    file.size = file.size.max(facts.sizes.size);
                    file.allocated = file.allocated.saturating_add(facts.sizes.allocated);
                    *surrogate |= facts.surrogate;
                }
            }
        }
        drop(workers);
        let several = files.into_values().filter(|(file, surrogate)| file.names.len() > 1 && !surrogate);
        let mut files: Vec<HardLinked> = several.map(|(file, _)| file).collect();
        files.sort_unstable_by_key(|file| file.reference.record());
        HardLinks { files, directories }
    }
}

impl Names {
    fn name(&self, row: &Row) -> NameIn {
        let start = usize::try_from(row.text).unwrap_or(usize::MAX);
        let text = self.text.get(start..start.saturating_add(usize::from(row.length)));
        NameIn { parent: row.parent, name: text.unwrap_or_default().to_vec() }
    }
}
