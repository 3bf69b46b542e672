//! File records, and the attributes in them.

use crate::bytes::{u8_at, u16_at, u32_at, u64_at, units, usize_at};
use crate::error::Damage;

/// The number of a file record with the count of its uses, packed as the volume packs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(pub u64);

impl Reference {
    /// The number of the record.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0 & 0xffff_ffff_ffff
    }

    /// How often the record had been used for another file before: a reference of before leads nowhere.
    #[must_use]
    pub fn sequence(self) -> u16 {
        let [.., low, high] = self.0.to_le_bytes();
        u16::from_le_bytes([low, high])
    }
}

/// Types of attributes (`$AttrDef`).
pub(crate) mod kind {
    pub(crate) const STANDARD_INFORMATION: u32 = 0x10;
    pub(crate) const ATTRIBUTE_LIST: u32 = 0x20;
    pub(crate) const FILE_NAME: u32 = 0x30;
    pub(crate) const DATA: u32 = 0x80;
    pub(crate) const INDEX_ROOT: u32 = 0x90;
    pub(crate) const INDEX_ALLOCATION: u32 = 0xa0;
    pub(crate) const REPARSE_POINT: u32 = 0xc0;
    pub(crate) const END: u32 = 0xffff_ffff;
}

/// Sectors end in a number that tells whether they were all written; what stood there is kept in an array.
const STRIDE: usize = 512;

/// Puts back what the numbers at the ends of sectors stand in for. `magic` begins the block.
pub(crate) fn mend(block: &mut [u8], magic: &[u8; 4]) -> Result<(), Damage> {
    if block.get(..4) != Some(magic) {
        return Err(Damage::new("a block that does not begin as it should"));
    }
    let broken = || Damage::new("a block whose sectors cannot be checked");
    let array = usize::from(u16_at(block, 4).ok_or_else(broken)?);
    let count = usize::from(u16_at(block, 6).ok_or_else(broken)?);
    if count != block.len() / STRIDE + 1 {
        return Err(broken());
    }
    let number = u16_at(block, array).ok_or_else(broken)?;
    for sector in 1..count {
        let last = sector * STRIDE - 2;
        if u16_at(block, last) != Some(number) {
            return Err(Damage::new("a block that was not written whole"));
        }
        let kept = u16_at(block, array + 2 * sector).ok_or_else(broken)?;
        block.get_mut(last..last + 2).ok_or_else(broken)?.copy_from_slice(&kept.to_le_bytes());
    }
    Ok(())
}

/// A file record whose sectors have been checked.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    pub(crate) number: u64,
}

impl Record {
    /// A record as it was read. `None` for one that no file uses.
    pub(crate) fn decode(mut bytes: Vec<u8>, number: u64) -> Result<Option<Self>, Damage> {
        // Never used, or zeroed.
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        mend(&mut bytes, b"FILE").map_err(|damage| damage.of(number))?;
        let record = Self { bytes, number };
        Ok(record.is_in_use().then_some(record))
    }

    fn flags(&self) -> u16 {
        u16_at(&self.bytes, 0x16).unwrap_or(0)
    }

    fn is_in_use(&self) -> bool {
        self.flags() & 1 != 0
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.flags() & 2 != 0
    }

    pub(crate) fn sequence(&self) -> u16 {
        u16_at(&self.bytes, 0x10).unwrap_or(0)
    }

    /// The record that this one continues; `None` for one that stands for itself.
    pub(crate) fn base(&self) -> Option<Reference> {
        u64_at(&self.bytes, 0x20).map(Reference).filter(|base| base.0 != 0)
    }

    pub(crate) fn reference(&self) -> Reference {
        Reference(self.number | u64::from(self.sequence()) << 48)
    }

    /// The attributes in this record itself. Ends behind the first that is broken.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        let first = u16_at(&self.bytes, 0x14).map_or(usize::MAX, usize::from);
        Attributes { record: self, at: first, done: false }
    }

    pub(crate) fn broken(&self, what: &'static str) -> Damage {
        Damage::new(what).of(self.number)
    }
}

pub(crate) struct Attributes<'r> {
    record: &'r Record,
    at: usize,
    done: bool,
}

impl<'r> Iterator for Attributes<'r> {
    type Item = Result<Attribute<'r>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let bytes = &self.record.bytes;
        let broken = |what| Some(Err(self.record.broken(what)));
        let Some(kind) = u32_at(bytes, self.at) else {
            self.done = true;
            return broken("attributes that do not end");
        };
        if kind == kind::END {
            self.done = true;
            return None;
        }
        let length = usize_at(bytes, self.at + 4).unwrap_or(0);
        let body = self.at.checked_add(length).and_then(|end| bytes.get(self.at..end));
        match body.filter(|_| length >= 0x18) {
            Some(body) => {
                self.at += length;
                Some(Ok(Attribute { kind, bytes: body }))
            }
            None => {
                self.done = true;
                broken("an attribute that leads out of its record")
            }
        }
    }
}

/// An attribute, or a part of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'r> {
    pub(crate) kind: u32,
    bytes: &'r [u8],
}

impl<'r> Attribute<'r> {
    /// Its name, for one of several of its kind.
    pub(crate) fn name(&self) -> Vec<u16> {
        let length = usize::from(u8_at(self.bytes, 9).unwrap_or(0)) * 2;
        let at = usize::from(u16_at(self.bytes, 10).unwrap_or(0));
        self.bytes.get(at..at + length).map(units).unwrap_or_default()
    }

    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name().into_iter().eq(name.encode_utf16())
    }

    pub(crate) fn is_resident(&self) -> bool {
        u8_at(self.bytes, 8) == Some(0)
    }

    /// What it holds, where that stands in the record itself.
    pub(crate) fn value(&self) -> Option<&'r [u8]> {
        if !self.is_resident() {
            return None;
        }
        let (length, at) = (usize_at(self.bytes, 0x10)?, usize::from(u16_at(self.bytes, 0x14)?));
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// The first of its clusters that this part speaks of.
    pub(crate) fn first_cluster(&self) -> Option<u64> {
        if self.is_resident() { None } else { u64_at(self.bytes, 0x10) }
    }

    /// How many bytes it holds. Only the first part of several knows.
    pub(crate) fn size(&self) -> Option<u64> {
        if self.is_resident() { usize_at(self.bytes, 0x10).map(|size| size as u64) } else { u64_at(self.bytes, 0x30) }
    }

    /// The space that its clusters take, in bytes.
    pub(crate) fn allocated(&self) -> Option<u64> {
        if self.is_resident() {
            return Some(0);
        }
        // A compressed or sparse one says besides what it really takes.
        let packed = u16_at(self.bytes, 0x0c)? & 0x80ff != 0;
        u64_at(self.bytes, if packed { 0x40 } else { 0x28 })
    }

    /// Where its clusters lie, still to be decoded.
    pub(crate) fn mapping(&self) -> Option<&'r [u8]> {
        if self.is_resident() {
            return None;
        }
        self.bytes.get(usize::from(u16_at(self.bytes, 0x20)?)..)
    }
}

/// A name that a file has in a directory (`$FILE_NAME`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    pub(crate) parent: Reference,
    /// Whether it is only the short name that old programs see.
    pub(crate) is_short: bool,
    pub(crate) name: Vec<u16>,
    /// The attributes, as far as this copy of them is kept.
    pub(crate) attributes: u32,
}

impl FileName {
    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        const DOS: u8 = 2;
        let length = usize::from(u8_at(value, 0x40)?) * 2;
        let name = units(value.get(0x42..0x42 + length)?);
        if name.is_empty() {
            return None;
        }
        Some(Self {
            parent: Reference(u64_at(value, 0)?),
            is_short: u8_at(value, 0x41)? == DOS,
            name,
            attributes: u32_at(value, 0x38)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_number_and_a_count() {
        let reference = Reference(0x0005_0000_0000_0040);
        assert_eq!((reference.number(), reference.sequence()), (0x40, 5));
    }

    #[test]
    fn a_block_is_mended_only_where_all_its_sectors_agree() {
        let mut block = vec![0; 1024];
        block[..8].copy_from_slice(b"FILE\x30\0\x03\0");
        block[0x30..0x36].copy_from_slice(&[7, 0, 0xaa, 0xbb, 0xcc, 0xdd]);
        for last in [510, 1022] {
            block[last..last + 2].copy_from_slice(&[7, 0]);
        }
        let mut torn = block.clone();
        assert_eq!(mend(&mut block, b"FILE"), Ok(()));
        assert_eq!((&block[510..512], &block[1022..]), (&[0xaa, 0xbb][..], &[0xcc, 0xdd][..]));
        torn[1022] = 8;
        assert!(mend(&mut torn, b"FILE").is_err());
        assert!(mend(&mut block, b"INDX").is_err());
        assert!(mend(&mut [0; 4], b"FILE").is_err());
    }
}
