//! A file record that is kept.

use crate::Error;
use crate::record::Record;

/// A file record as it was read, its fixups undone.
#[derive(Clone, Debug)]
pub(crate) struct FileRecord {
    pub(crate) number: u64,
    /// Where it is in the source.
    pub(crate) position: u64,
    bytes: Vec<u8>,
}

impl FileRecord {
    /// `None` where the record is not in use.
    pub(crate) fn new(number: u64, position: u64, mut bytes: Vec<u8>) -> Result<Option<Self>, Error> {
        let read = Record::read(number, &mut bytes);
        let in_use = read.map_err(|text| Error::damaged(position, text).of(number))?.is_some();
        Ok(in_use.then_some(Self { number, position, bytes }))
    }

    pub(crate) fn record(&self) -> Record<'_> {
        Record::again(self.number, &self.bytes)
    }
}
