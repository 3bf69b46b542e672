//! A file record of the master file table, and the attributes in it.

use std::fmt;

use crate::bytes::{length_at, slice, u8_at, u16_at, u32_at, u64_at, units};

/// Fixups are kept for pieces of this size, whatever the sectors of the disk.
const SECTOR: usize = 512;

/// Types of attributes (`ATTRIBUTE_TYPE_CODE`).
pub(crate) mod kind {
    pub(crate) const STANDARD_INFORMATION: u32 = 0x10;
    pub(crate) const ATTRIBUTE_LIST: u32 = 0x20;
    pub(crate) const FILE_NAME: u32 = 0x30;
    pub(crate) const VOLUME_NAME: u32 = 0x60;
    pub(crate) const DATA: u32 = 0x80;
    pub(crate) const INDEX_ROOT: u32 = 0x90;
    pub(crate) const INDEX_ALLOCATION: u32 = 0xa0;
    pub(crate) const BITMAP: u32 = 0xb0;
    pub(crate) const REPARSE_POINT: u32 = 0xc0;
    pub(super) const END: u32 = 0xffff_ffff;
}

/// Which record, and which use of it: a record that is given to another file later gets another sequence number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(pub u64);

impl Reference {
    /// The root directory's record.
    pub(crate) const ROOT: u64 = 5;

    /// The number of the record.
    #[must_use]
    pub fn record(self) -> u64 {
        self.0 & 0xffff_ffff_ffff
    }

    /// The number of its use.
    #[must_use]
    pub fn sequence(self) -> u16 {
        // The upper sixteen bits fit.
        u16::try_from(self.0 >> 48).unwrap_or(u16::MAX)
    }

    pub(crate) fn new(record: u64, sequence: u16) -> Self {
        Self(record & 0xffff_ffff_ffff | u64::from(sequence) << 48)
    }

    /// Whether it means this use of a record. 0 stands for any.
    pub(crate) fn means(self, sequence: u16) -> bool {
        self.sequence() == 0 || self.sequence() == sequence
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.record(), self.sequence())
    }
}

/// Puts back the last two bytes of each sector, which were exchanged for a number when the block was written: that
/// tells whether it was written whole.
pub(crate) fn mend(block: &mut [u8]) -> Result<(), &'static str> {
    const BAD: &str = "fixups outside their block";
    let array = usize::from(u16_at(block, 4).ok_or(BAD)?);
    let count = usize::from(u16_at(block, 6).ok_or(BAD)?);
    let sectors = block.len() / SECTOR;
    if count != sectors + 1 || array % 2 != 0 || array + 2 * count > block.len() {
        return Err(BAD);
    }
    let number = u16_at(block, array).ok_or(BAD)?;
    for sector in 1..count {
        let last = sector * SECTOR - 2;
        if u16_at(block, last) != Some(number) {
            return Err("not written whole (its fixups do not match)");
        }
        let kept = u16_at(block, array + 2 * sector).ok_or(BAD)?.to_le_bytes();
        if let Some(place) = block.get_mut(last..last + 2) {
            place.copy_from_slice(&kept);
        }
    }
    Ok(())
}

/// A file record whose fixups are undone.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) number: u64,
    bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the header of a record, undoing its fixups. `None` where the record is not in use.
    pub(crate) fn read(number: u64, bytes: &'a mut [u8]) -> Result<Option<Self>, &'static str> {
        match bytes.get(..4) {
            Some(b"FILE") => {}
            Some(b"BAAD") => return Err("marked as bad by a driver that could not write it"),
            _ => return Err("no file record where one should be"),
        }
        if u16_at(bytes, 0x16).is_none_or(|flags| flags & 1 == 0) {
            return Ok(None);
        }
        mend(bytes)?;
        Ok(Some(Self { number, bytes }))
    }

    /// A record that was read before.
    pub(crate) fn again(number: u64, bytes: &'a [u8]) -> Self {
        Self { number, bytes }
    }

    pub(crate) fn sequence(&self) -> u16 {
        u16_at(self.bytes, 0x10).unwrap_or(0)
    }

    pub(crate) fn reference(&self) -> Reference {
        Reference::new(self.number, self.sequence())
    }

    pub(crate) fn is_directory(&self) -> bool {
        u16_at(self.bytes, 0x16).is_some_and(|flags| flags & 2 != 0)
    }

    /// The record it is an extension of.
    pub(crate) fn base(&self) -> Option<Reference> {
        u64_at(self.bytes, 0x20).filter(|base| *base != 0).map(Reference)
    }

    pub(crate) fn attributes(&self) -> Attributes<'a> {
        let used = length_at(self.bytes, 0x18).unwrap_or(0).min(self.bytes.len());
        let at = u16_at(self.bytes, 0x14).map_or(usize::MAX, usize::from);
        Attributes { bytes: self.bytes.get(..used).unwrap_or_default(), at }
    }
}

/// The attributes of a record, one after the other. After an error there are none.
#[derive(Clone)]
pub(crate) struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// An attribute that is not looked into yet.
#[derive(Clone, Copy)]
pub(crate) struct Unparsed<'a> {
    pub(crate) kind: u32,
    bytes: &'a [u8],
}

impl<'a> Unparsed<'a> {
    pub(crate) fn parse(self) -> Result<Attribute<'a>, &'static str> {
        Attribute::parse(self.kind, self.bytes).ok_or("an attribute whose parts lie outside it")
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let attribute = self.next_unparsed()?.and_then(Unparsed::parse);
        if attribute.is_err() {
            self.end();
        }
        Some(attribute)
    }
}

impl<'a> Attributes<'a> {
    /// All of them, for whoever wants a few of them only.
    pub(crate) fn unparsed(mut self) -> impl Iterator<Item = Result<Unparsed<'a>, &'static str>> {
        std::iter::from_fn(move || self.next_unparsed())
    }

    /// The next one, for whoever wants a few of them only.
    pub(crate) fn next_unparsed(&mut self) -> Option<Result<Unparsed<'a>, &'static str>> {
        const RUN_OVER: &str = "attributes that run out of their record";
        if self.at == usize::MAX && self.bytes.is_empty() {
            return None;
        }
        let Some(kind) = u32_at(self.bytes, self.at) else {
            self.end();
            return Some(Err(RUN_OVER));
        };
        if kind == kind::END {
            self.end();
            return None;
        }
        let length = length_at(self.bytes, self.at.saturating_add(4)).unwrap_or(0);
        let Some(bytes) = slice(self.bytes, self.at, length).filter(|bytes| bytes.len() >= 0x18) else {
            self.end();
            return Some(Err(RUN_OVER));
        };
        self.at += length;
        Some(Ok(Unparsed { kind, bytes }))
    }

    fn end(&mut self) {
        (self.bytes, self.at) = (&[], usize::MAX);
    }
}

/// One attribute, or the piece of one that is in this record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u32,
    /// UTF-16 as it is stored.
    pub(crate) name: &'a [u8],
    pub(crate) flags: u16,
    pub(crate) body: Body<'a>,
}

/// Where the value of an attribute is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    /// In the record.
    Resident(&'a [u8]),
    /// In clusters of its own. The sizes count in the first piece only.
    Outside {
        /// The number of the first cluster in this piece.
        first: u64,
        /// The number of the last.
        last: u64,
        allocated: u64,
        size: u64,
        written: u64,
        pairs: &'a [u8],
    },
}

impl<'a> Attribute<'a> {
    /// `FILE_ATTRIBUTE_...`-like flags of an attribute: compressed, encrypted, sparse.
    pub(crate) const COMPRESSED: u16 = 0x00ff;
    pub(crate) const ENCRYPTED: u16 = 0x4000;
    pub(crate) const SPARSE: u16 = 0x8000;

    fn parse(kind: u32, bytes: &'a [u8]) -> Option<Self> {
        let name_length = 2 * usize::from(u8_at(bytes, 9)?);
        let name = match name_length {
            0 => &[],
            length => slice(bytes, usize::from(u16_at(bytes, 0xa)?), length)?,
        };
        let flags = u16_at(bytes, 0xc)?;
        let body = if u8_at(bytes, 8)? == 0 {
            let at = usize::from(u16_at(bytes, 0x14)?);
            Body::Resident(slice(bytes, at, length_at(bytes, 0x10)?)?)
        } else {
            let first = u64_at(bytes, 0x10)?;
            // Of a compressed or sparse attribute, what it takes is told besides.
            let thin = flags & (Self::COMPRESSED | Self::SPARSE) != 0 && first == 0;
            let taken = if thin { u64_at(bytes, 0x40) } else { None };
            Body::Outside {
                first,
                last: u64_at(bytes, 0x18)?,
                allocated: match taken {
                    Some(taken) => taken,
                    None => u64_at(bytes, 0x28)?,
                },
                size: u64_at(bytes, 0x30)?,
                written: u64_at(bytes, 0x38)?,
                pairs: bytes.get(usize::from(u16_at(bytes, 0x20)?)..)?,
            }
        };
        Some(Self { kind, name, flags, body })
    }

    pub(crate) fn is(&self, kind: u32, name: &[u16]) -> bool {
        self.kind == kind && self.name.len() == 2 * name.len() && units(self.name) == name
    }

    pub(crate) fn resident(&self) -> Option<&'a [u8]> {
        match self.body {
            Body::Resident(value) => Some(value),
            Body::Outside { .. } => None,
        }
    }
}

/// A `$FILE_NAME`: an attribute of a file, and the key of its entry in its directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileName<'a>(&'a [u8]);

/// `FILE_NAME` flags that only there stand for an attribute.
const IS_DIRECTORY: u32 = 0x1000_0000;
const REPARSE_POINT: u32 = 0x400;
/// The namespace of 8.3 names.
const DOS: u8 = 2;

impl<'a> FileName<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let length = usize::from(u8_at(value, 0x40)?);
        slice(value, 0x42, 2 * length)?;
        (length > 0).then_some(Self(value))
    }

    pub(crate) fn parent(&self) -> Reference {
        Reference(u64_at(self.0, 0).unwrap_or(0))
    }

    /// UTF-16 as it is stored.
    pub(crate) fn name(&self) -> &'a [u8] {
        slice(self.0, 0x42, 2 * usize::from(u8_at(self.0, 0x40).unwrap_or(0))).unwrap_or_default()
    }

    /// Whether it is an 8.3 name beside a longer one.
    pub(crate) fn is_short(&self) -> bool {
        u8_at(self.0, 0x41) == Some(DOS)
    }

    fn flags(&self) -> u32 {
        u32_at(self.0, 0x38).unwrap_or(0)
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.flags() & IS_DIRECTORY != 0
    }

    pub(crate) fn is_reparse_point(&self) -> bool {
        self.flags() & REPARSE_POINT != 0
    }

    /// `FILE_ATTRIBUTE_*`.
    pub(crate) fn file_attributes(&self) -> u32 {
        self.flags() & 0xffff | if self.is_directory() { 0x10 } else { 0 }
    }

    pub(crate) fn modified(&self) -> i64 {
        seconds(u64_at(self.0, 0x10).unwrap_or(0))
    }

    pub(crate) fn size(&self) -> u64 {
        u64_at(self.0, 0x30).unwrap_or(0)
    }
}

/// A `$STANDARD_INFORMATION`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StandardInformation {
    /// Last change of the content, in seconds since 1970.
    pub(crate) modified: i64,
    /// `FILE_ATTRIBUTE_*`.
    pub(crate) attributes: u32,
}

impl StandardInformation {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        Some(Self { modified: seconds(u64_at(value, 8)?), attributes: u32_at(value, 0x20)? })
    }
}

/// A FILETIME (100 ns since 1601) in seconds since 1970.
fn seconds(filetime: u64) -> i64 {
    const TO_1970: i64 = 11_644_473_600;
    i64::try_from(filetime / 10_000_000).unwrap_or(i64::MAX) - TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixups_are_put_back_and_torn_blocks_refused() {
        let mut block = vec![7u8; 1024];
        block[4..8].copy_from_slice(&[0x30, 0, 3, 0]);
        block[0x30..0x36].copy_from_slice(&[0xaa, 0xbb, 1, 2, 3, 4]);
        block[510..512].copy_from_slice(&[0xaa, 0xbb]);
        block[1022..1024].copy_from_slice(&[0xaa, 0xbb]);
        let whole = block.clone();
        assert_eq!(mend(&mut block), Ok(()));
        assert_eq!((&block[510..512], &block[1022..1024]), (&[1u8, 2][..], &[3u8, 4][..]));
        let mut torn = whole.clone();
        torn[1023] = 0;
        assert_eq!(mend(&mut torn), Err("not written whole (its fixups do not match)"));
        for (at, value) in [(4, 0xfc), (4, 0x31), (6, 2), (6, 4)] {
            let mut bad = whole.clone();
            bad[at] = value;
            if at == 4 && value == 0xfc {
                bad[5] = 3;
            }
            assert_eq!(mend(&mut bad), Err("fixups outside their block"), "{at} {value}");
        }
    }

    #[test]
    fn times_count_from_1970() {
        assert_eq!(seconds(116_444_736_000_000_000), 0);
        assert_eq!(seconds(0), -11_644_473_600);
        assert!(seconds(u64::MAX) > 0);
    }
}
