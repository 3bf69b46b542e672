//! What has been read of a volume and may be needed again: records, index blocks, the table of letter cases.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Error;
use crate::index::{Index, NAMES};
use crate::record::{Reference, kind};
use crate::source::ReadAt;
use crate::upcase::Upcase;
use crate::volume::{File, Volume, number};

/// So many bytes of records, and of blocks, are kept; then the collection begins anew.
const KEPT: usize = 64 << 20;
/// So many records are fetched together.
pub(crate) const BATCH: usize = 4096;

/// Reads a volume, and remembers.
pub struct Reader<'v, S> {
    pub(crate) volume: &'v Volume<S>,
    files: HashMap<u64, Result<Option<Arc<File>>, Error>>,
    indexes: HashMap<u64, Option<Arc<Index>>>,
    blocks: HashMap<(u64, u64), Arc<Vec<u8>>>,
    kept_files: usize,
    kept_blocks: usize,
    upcase: Option<Arc<Upcase>>,
    /// What was found wrong on the way and passed over.
    pub(crate) faults: Vec<Error>,
    /// How many records were fetched.
    pub(crate) fetched: u64,
    /// What looking names up took: blocks of directories searched, names of files gone through.
    pub(crate) work: usize,
}

impl<'v, S: ReadAt> Reader<'v, S> {
    /// A reader that remembers nothing yet.
    pub fn new(volume: &'v Volume<S>) -> Self {
        Self {
            volume,
            files: HashMap::new(),
            indexes: HashMap::new(),
            blocks: HashMap::new(),
            kept_files: 0,
            kept_blocks: 0,
            upcase: None,
            faults: Vec::new(),
            fetched: 0,
            work: 0,
        }
    }

    /// What was found wrong on the way and passed over, since this was asked last.
    pub fn take_faults(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.faults)
    }

    /// How many file records were fetched so far, extensions not counted.
    pub fn fetched(&self) -> u64 {
        self.fetched
    }

    /// Fetches files that are not here yet, their numbers in order and each once. What cannot be read is told.
    pub(crate) fn load(&mut self, numbers: &[u64]) {
        let missing: Vec<u64> = numbers.iter().copied().filter(|number| !self.files.contains_key(number)).collect();
        for batch in missing.chunks(BATCH) {
            for (number, found) in self.volume.files(batch) {
                if let Err(error) = &found {
                    self.faults.push(error.again());
                }
                self.keep(number, found.map(|file| file.map(Arc::new)));
            }
        }
    }

    fn keep(&mut self, number: u64, file: Result<Option<Arc<File>>, Error>) {
        self.fetched += 1;
        if self.kept_files > KEPT {
            self.files.clear();
            self.indexes.clear();
            self.kept_files = 0;
        }
        let parts = file.as_ref().ok().and_then(Option::as_ref).map_or(0, |file| 1 + file.extensions.len());
        self.kept_files += 128 + parts * self.volume.geometry.record;
        self.files.insert(number, file);
    }

    /// One file. `None` where the record is not in use, or cannot be read, which is told then.
    pub(crate) fn file(&mut self, number: u64) -> Option<Arc<File>> {
        self.load(&[number]);
        self.files.get(&number)?.as_ref().ok()?.clone()
    }

    /// One file that a name leads to.
    ///
    /// # Errors
    /// The record cannot be read, is not in use, or was given to another file.
    pub(crate) fn named_file(&mut self, reference: Reference) -> Result<Arc<File>, Error> {
        let number = reference.record();
        self.load(&[number]);
        match self.files.get(&number) {
            Some(Ok(Some(file))) if !reference.means(file.record().sequence()) => {
                let text = "given to another file since";
                Err(Error::not_found(number, self.volume.position_of(number), text))
            }
            Some(Ok(Some(file))) => Ok(Arc::clone(file)),
            Some(Err(error)) => Err(error.again()),
            _ => Err(Error::not_found(number, self.volume.position_of(number), "not in use")),
        }
    }

    /// The index of names of a directory. `None` for a file.
    ///
    /// # Errors
    /// Its record or its index cannot be read.
    pub(crate) fn directory(&mut self, number: u64) -> Result<Option<Arc<Index>>, Error> {
        if let Some(index) = self.indexes.get(&number) {
            return Ok(index.clone());
        }
        let file = self.named_file(Reference(number))?;
        let index = match file.record().is_directory() {
            true => Index::of(self.volume, &file, NAMES)?.map(Arc::new),
            false => None,
        };
        self.indexes.insert(number, index.clone());
        Ok(index)
    }

    /// A block of the index of a directory.
    pub(crate) fn block(&mut self, index: &Index, directory: u64, block: u64) -> Result<Arc<Vec<u8>>, Error> {
        self.work += 1;
        if let Some(bytes) = self.blocks.get(&(directory, block)) {
            return Ok(Arc::clone(bytes));
        }
        let bytes = Arc::new(index.block(self.volume, block)?);
        if self.kept_blocks > KEPT {
            self.blocks.clear();
            self.kept_blocks = 0;
        }
        self.kept_blocks += bytes.len() + 128;
        self.blocks.insert((directory, block), Arc::clone(&bytes));
        Ok(bytes)
    }

    /// The volume's own table of upper cases. Where it cannot be read, one of Unicode's.
    pub(crate) fn upcase(&mut self) -> Arc<Upcase> {
        if let Some(table) = &self.upcase {
            return Arc::clone(table);
        }
        let file = self.file(number::UPCASE);
        let value = file.and_then(|file| {
            let value = self.volume.value(&file, kind::DATA, &[], Upcase::SIZE);
            value.map_err(|error| self.faults.push(error)).ok().flatten()
        });
        let table = Arc::new(value.as_deref().and_then(Upcase::parse).unwrap_or_else(Upcase::of_unicode));
        self.upcase = Some(Arc::clone(&table));
        table
    }
}
