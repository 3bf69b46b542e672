//! A real volume, and where its structures are: bytes that mean something are worth changing.

use std::sync::LazyLock;

/// What a piece of the volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The boot sector.
    Boot,
    /// A file record.
    Record,
    /// An index block.
    Index,
    /// The value of an attribute list.
    List,
    /// An attribute outside its record: its sizes and mapping pairs.
    Runs,
    /// Data in clusters: reparse data, bitmaps, the beginning of `$UpCase`.
    Data,
}

/// A part of the volume that can be changed.
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) length: usize,
    /// Where the block with fixups that it lies in begins and ends.
    pub(crate) block: Option<(usize, usize)>,
}

pub(crate) struct Base {
    /// As on the disk.
    pub(crate) stored: Vec<u8>,
    /// The same without fixups.
    pub(crate) mended: Vec<u8>,
    pub(crate) pieces: Vec<Piece>,
}

/// Made by `cargo xtask fuzz`.
const IMAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/base/volume.img");

pub(crate) static BASE: LazyLock<Base> = LazyLock::new(|| {
    let image = std::fs::read(IMAGE).unwrap_or_else(|e| panic!("{IMAGE}: {e}; `cargo xtask fuzz` makes it"));
    Base::new(image)
});

pub(crate) const SECTOR: usize = 512;
const UPCASE: usize = 10;
const LIST: u32 = 0x20;
const INDEX_ALLOCATION: u32 = 0xa0;
const END: u32 = u32::MAX;

pub(crate) fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

impl Base {
    fn new(stored: Vec<u8>) -> Self {
        let mut base = Self { mended: stored.clone(), stored, pieces: Vec::new() };
        base.add(Kind::Boot, 0, SECTOR, None);
        let cluster = number(&base.stored, 0x0b, 2) * usize::from(base.stored[0x0d]);
        for start in (0..base.stored.len()).step_by(SECTOR) {
            let (kind, number_at) = match &base.stored[start..start + 4] {
                b"FILE" => (Kind::Record, 0x2c),
                b"INDX" => (Kind::Index, 0),
                _ => continue,
            };
            let sectors = number(&base.stored, start + 6, 2).saturating_sub(1);
            let end = start + sectors * SECTOR;
            if !(1..=8).contains(&sectors) || end > base.stored.len() {
                continue;
            }
            mend(&mut base.mended[start..end]);
            base.add(kind, start, end - start, Some((start, end)));
            let in_use = number(&base.stored, start + 0x16, 2) & 1 == 1;
            if kind == Kind::Record && in_use {
                let record = number(&base.stored, start + number_at, 4);
                base.attributes(record, start, end, cluster);
            }
        }
        base
    }

    fn add(&mut self, kind: Kind, start: usize, length: usize, block: Option<(usize, usize)>) {
        let known = self.pieces.iter().any(|piece| piece.kind == kind && piece.start == start);
        if length > 0 && start + length <= self.stored.len() && !known {
            self.pieces.push(Piece { kind, start, length, block });
        }
    }

    fn attributes(&mut self, record: usize, start: usize, end: usize, cluster: usize) {
        let bytes = self.mended.clone();
        let mut at = start + number(&bytes, start + 0x14, 2);
        loop {
            let kind = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            if kind == END {
                return;
            }
            let length = number(&bytes, at + 4, 4);
            let block = Some((start, end));
            if bytes[at + 8] == 0 {
                if kind == LIST {
                    let value = number(&bytes, at + 0x14, 2);
                    self.add(Kind::List, at + value, number(&bytes, at + 0x10, 4), block);
                }
            } else {
                self.add(Kind::Runs, at + 0x10, length - 0x10, block);
                let pairs = at + number(&bytes, at + 0x20, 2);
                for (place, count) in runs(&bytes[pairs..at + length]) {
                    let all = count * cluster;
                    match kind {
                        LIST => self.add(Kind::List, place * cluster, all, None),
                        INDEX_ALLOCATION => {}
                        _ if record == UPCASE => self.add(Kind::Data, place * cluster, SECTOR, None),
                        // What is longer is content, which nobody reads.
                        _ if all <= 16 << 10 => self.add(Kind::Data, place * cluster, all, None),
                        _ => {}
                    }
                }
            }
            at += length;
        }
    }
}

/// Where runs lie: the volume is sound.
fn runs(mut pairs: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut place) = (Vec::new(), 0i64);
    while let Some((head, rest)) = pairs.split_first().filter(|(head, _)| **head != 0) {
        let (count, offset) = (usize::from(head & 0xf), usize::from(head >> 4));
        let moved = number(rest, count, offset) as i64;
        let unused = 64 - 8 * offset as u32;
        if offset > 0 {
            place += moved << unused >> unused;
            found.push((usize::try_from(place).unwrap(), number(rest, 0, count)));
        }
        pairs = &rest[count + offset..];
    }
    found
}

fn mend(block: &mut [u8]) {
    let array = number(block, 4, 2);
    for sector in 1..=block.len() / SECTOR {
        block.copy_within(array + 2 * sector..array + 2 * sector + 2, sector * SECTOR - 2);
    }
}

/// Writes the fixups of a block anew. Where its header leaves no room for them, that is mended, too.
pub(crate) fn protect(block: &mut [u8]) {
    let sectors = block.len() / SECTOR;
    let mut array = number(block, 4, 2);
    if array % 2 == 1 || array + 2 * sectors + 2 > SECTOR - 2 {
        array = if block.starts_with(b"INDX") { 0x28 } else { 0x30 };
        block[4..6].copy_from_slice(&u16::try_from(array).unwrap().to_le_bytes());
    }
    block[6..8].copy_from_slice(&u16::try_from(sectors + 1).unwrap().to_le_bytes());
    for sector in 1..=sectors {
        block.copy_within(sector * SECTOR - 2..sector * SECTOR, array + 2 * sector);
        block.copy_within(array..array + 2, sector * SECTOR - 2);
    }
}
