//! Names looked up in directories, and directories read whole.

use std::cmp::Ordering;

use crate::bytes::units;
use crate::points::NameIn;
use crate::reader::Reader;
use crate::record::{FileName, Reference, kind};
use crate::source::ReadAt;
use crate::volume::File;
use crate::{Error, ReparsePoint};

/// What a directory says of one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The file's record.
    pub reference: Reference,
    /// The name, as UTF-16.
    pub name: Vec<u16>,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether it is a reparse point.
    pub is_reparse_point: bool,
    /// Whether it is an 8.3 name beside a longer one.
    pub is_short: bool,
    /// The size in bytes, as of the last change by this name.
    pub size: u64,
    /// Last change, in seconds since 1970.
    pub modified: i64,
    /// `FILE_ATTRIBUTE_*`.
    pub attributes: u32,
}

impl Listed {
    fn of(reference: Reference, name: &FileName<'_>) -> Self {
        Self {
            reference,
            name: units(name.name()),
            is_directory: name.is_directory(),
            is_reparse_point: name.is_reparse_point(),
            is_short: name.is_short(),
            size: name.size(),
            modified: name.modified(),
            attributes: name.file_attributes(),
        }
    }
}

/// What a record says of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Its record.
    pub reference: Reference,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its names but for 8.3 ones.
    pub names: Vec<NameIn>,
    /// How many 8.3 names it has besides.
    pub short_names: u64,
    /// The size of its content in bytes.
    pub size: u64,
    /// What its content and its other streams take on the disk, in bytes.
    pub allocated: u64,
    /// Last change, in seconds since 1970.
    pub modified: i64,
    /// `FILE_ATTRIBUTE_*`.
    pub attributes: u32,
    /// Its reparse data, if it has such.
    pub reparse_point: Option<ReparsePoint>,
}

/// Records before this one are those of the file system itself.
const USERS: u64 = 16;

impl<S: ReadAt> Reader<'_, S> {
    /// Looks a name up as Windows does: whatever its letter case, but that of the very name first.
    ///
    /// # Errors
    /// The directory is damaged on the way to the name.
    pub fn look_up(&mut self, directory: u64, name: &[u16]) -> Result<Option<Listed>, Error> {
        let Some(index) = self.directory(directory)? else { return Ok(None) };
        let upcase = self.upcase();
        let mut best: Option<Listed> = None;
        let order = |key: &[u8]| {
            let Some(found) = FileName::parse(key) else { return Ordering::Greater };
            let found = || found.name().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            upcase.compare(name.iter().copied(), found()).then_with(|| name.iter().copied().cmp(found()))
        };
        index.find(
            |block| self.block(&index, directory, block),
            order,
            |entry| {
                let Some(key) = FileName::parse(entry.key) else { return };
                if key.name().len() != 2 * name.len() {
                    return;
                }
                let found = units(key.name());
                let exact = found == name;
                if exact || best.is_none() && upcase.same(&found, name) {
                    best = Some(Listed::of(entry.reference, &key));
                }
            },
        )?;
        if let Some(found) = best.as_mut().filter(|found| found.is_short) {
            self.lengthen(found, directory);
        }
        Ok(best)
    }

    /// Whether a path from the root of the volume is another one, or below it; letter case apart.
    pub fn is_within(&mut self, path: &[u16], root: &[u16]) -> bool {
        const BACKSLASH: u16 = b'\\' as u16;
        let root = root.strip_suffix(&[BACKSLASH]).unwrap_or(root);
        let Some((head, rest)) = path.split_at_checked(root.len()) else { return false };
        matches!(rest.first(), None | Some(&BACKSLASH)) && self.upcase().same(head, root)
    }

    /// The name beside an 8.3 one.
    fn lengthen(&mut self, found: &mut Listed, directory: u64) {
        let Some(file) = self.file(found.reference.record()) else { return };
        let described = self.describe(&file).ok();
        let names = described.into_iter().flat_map(|described| described.names);
        if let Some(long) = names.into_iter().find(|name| name.parent.record() == directory) {
            found.name = long.name;
        }
    }

    /// Whether a file has a stream of data of this name; the empty name is its content.
    ///
    /// # Errors
    /// Its record is damaged.
    pub(crate) fn has_stream(&mut self, record: u64, wanted: &[u16]) -> Result<bool, Error> {
        let file = self.named_file(Reference(record))?;
        let upcase = self.upcase();
        for attribute in file.attributes() {
            let fail = |text| Error::damaged(file.base.position, text).of(record);
            let attribute = attribute.map_err(fail)?;
            if attribute.kind == kind::DATA && upcase.same(&units(attribute.name), wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every name of a directory but for 8.3 ones, in the order of the directory's blocks. `None` for what is no
    /// directory. What a damaged block holds is missing, and told by [`Reader::take_faults`].
    ///
    /// # Errors
    /// The directory has no index that could be read.
    pub fn entries(&mut self, directory: u64) -> Result<Option<Vec<Listed>>, Error> {
        let Some(index) = self.directory(directory)? else { return Ok(None) };
        let (mut all, mut broken) = (Vec::new(), false);
        let mut faults = std::mem::take(&mut self.faults);
        index.visit(self.volume, &mut faults, |entry| match FileName::parse(entry.key) {
            // The root names itself, and the files that the file system itself is made of: no system lists those.
            Some(_) if directory == Reference::ROOT && entry.reference.record() < USERS => {}
            Some(name) if name.is_short() => {}
            Some(name) => all.push(Listed::of(entry.reference, &name)),
            None => broken = true,
        });
        self.faults = faults;
        if broken {
            let position = self.volume.position_of(directory);
            self.faults
                .push(Error::damaged(position, "a directory with a name that runs out of its entry").of(directory));
        }
        let upcase = self.upcase();
        all.sort_by(|a, b| {
            let order = upcase.compare(a.name.iter().copied(), b.name.iter().copied());
            order.then_with(|| a.name.cmp(&b.name))
        });
        Ok(Some(all))
    }

    /// What a record says of its file.
    ///
    /// # Errors
    /// The record is not in use ([`crate::ErrorKind::NotFound`]), or damaged.
    pub fn facts(&mut self, record: u64) -> Result<FileFacts, Error> {
        let file = self.named_file(Reference(record))?;
        let described = self.describe(&file)?;
        let sizes = sizes(&file)?;
        Ok(FileFacts {
            reference: file.record().reference(),
            is_directory: file.record().is_directory(),
            names: described.names,
            short_names: described.short,
            size: sizes.size,
            allocated: sizes.allocated,
            modified: described.standard.modified,
            attributes: described.standard.attributes,
            reparse_point: self.point(&file)?,
        })
    }
}

/// What a file takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) size: u64,
    pub(crate) allocated: u64,
}

impl Sizes {
    /// Adds one attribute of the file.
    pub(crate) fn add(&mut self, attribute: &crate::record::Attribute<'_>) {
        use crate::record::Body;
        if attribute.kind != kind::DATA {
            return;
        }
        let (size, allocated) = match attribute.body {
            Body::Resident(value) => (u64::try_from(value.len()).unwrap_or(u64::MAX), 0),
            Body::Outside { first: 0, size, allocated, .. } => (size, allocated),
            Body::Outside { .. } => return,
        };
        if attribute.name.is_empty() {
            self.size = size;
        }
        self.allocated = self.allocated.saturating_add(allocated);
    }
}

fn sizes(file: &File) -> Result<Sizes, Error> {
    let mut sizes = Sizes::default();
    for attribute in file.attributes() {
        let fail = |text| Error::damaged(file.base.position, text).of(file.base.number);
        sizes.add(&attribute.map_err(fail)?);
    }
    Ok(sizes)
}
