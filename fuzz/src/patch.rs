//! The fuzzer's bytes as a list of patches, each: which piece (2 bytes), where in it (2), how (1), what.
//!
//! Most of a volume is content, and most of the rest is guarded by fixups: patches fall on structures alone, and
//! the fixups of what they change are renewed unless a patch says otherwise.

use std::cell::RefCell;

use crate::base::{BASE, Kind, Piece, SECTOR, number, protect};

/// The bits of "how"; the rest is the length, less one.
const RAW: u8 = 0x80;
const XOR: u8 = 0x40;

struct Patch<'a> {
    piece: usize,
    at: usize,
    how: u8,
    bytes: &'a [u8],
}

fn patches(mut bytes: &[u8]) -> impl Iterator<Item = Patch<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(5)?;
        let (patch, rest) = rest.split_at(rest.len().min(usize::from(head[4] & 0x3f) + 1));
        bytes = rest;
        Some(Patch { piece: number(head, 0, 2), at: number(head, 2, 2), how: head[4], bytes: patch })
    })
}

impl Patch<'_> {
    fn apply(&self, piece: &mut [u8]) {
        let at = self.at % piece.len();
        for (old, new) in piece[at..].iter_mut().zip(self.bytes) {
            *old = if self.how & XOR == 0 { *new } else { *old ^ new };
        }
    }
}

thread_local! {
    /// The base volume, between two inputs.
    static IMAGE: RefCell<Vec<u8>> = RefCell::new(BASE.stored.clone());
}

/// Patches the base volume for as long as it is looked at.
pub(crate) fn with(kinds: &[Kind], bytes: &[u8], look: impl FnOnce(&[u8])) {
    let pieces: Vec<&Piece> = BASE.pieces.iter().filter(|piece| kinds.contains(&piece.kind)).collect();
    IMAGE.with_borrow_mut(|image| {
        let (mut touched, mut guarded) = (Vec::new(), Vec::new());
        for patch in patches(bytes) {
            let Piece { start, length, block, .. } = *pieces[patch.piece % pieces.len()];
            if let Some((from, to)) = block.filter(|block| patch.how & RAW == 0 && !guarded.contains(block)) {
                image[from..to].copy_from_slice(&BASE.mended[from..to]);
                guarded.push((from, to));
            }
            patch.apply(&mut image[start..start + length]);
            touched.push(block.unwrap_or((start, start + length)));
        }
        for (from, to) in guarded {
            protect(&mut image[from..to]);
        }
        look(image);
        for (from, to) in touched {
            image[from..to].copy_from_slice(&BASE.stored[from..to]);
        }
    });
}

/// Patches a disk with a partition table, of one kind or the other.
pub(crate) fn disk(bytes: &[u8], look: impl FnOnce(&[u8])) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let mut disk = if kind % 2 == 0 { bios() } else { uefi() };
    for patch in patches(bytes) {
        // Sectors that hold tables, and beginnings of partitions.
        let start = [0, 1, 2, 8, 9, 40, 41, 48, 64][patch.piece % 9] * SECTOR;
        patch.apply(&mut disk[start..start + SECTOR]);
    }
    look(&disk);
}

const SECTORS: usize = 128;

fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
    disk[at..at + bytes.len()].copy_from_slice(bytes);
}

fn table(disk: &mut [u8], sector: usize, entries: &[(u8, u32, u32)]) {
    for (index, (kind, start, length)) in entries.iter().enumerate() {
        let at = sector * SECTOR + 446 + 16 * index;
        disk[at + 4] = *kind;
        put(disk, at + 8, &start.to_le_bytes());
        put(disk, at + 12, &length.to_le_bytes());
    }
    put(disk, sector * SECTOR + 510, &[0x55, 0xaa]);
}

/// Two partitions, and an extended one with two more.
fn bios() -> Vec<u8> {
    let mut disk = vec![0; SECTORS * SECTOR];
    table(&mut disk, 0, &[(7, 8, 8), (0x83, 9, 1), (0x0f, 40, 80)]);
    table(&mut disk, 40, &[(7, 1, 4), (5, 8, 60)]);
    table(&mut disk, 48, &[(7, 16, 4)]);
    for sector in [8, 41, 64] {
        put(&mut disk, sector * SECTOR, &BASE.stored[..SECTOR]);
    }
    disk
}

fn uefi() -> Vec<u8> {
    let mut disk = vec![0; SECTORS * SECTOR];
    table(&mut disk, 0, &[(0xee, 1, 127)]);
    put(&mut disk, SECTOR, b"EFI PART");
    put(&mut disk, SECTOR + 72, &[2]);
    put(&mut disk, SECTOR + 80, &[4]);
    put(&mut disk, SECTOR + 84, &[128]);
    for (index, first, last) in [(0, 8, 39), (1, 40, 63), (3, 64, 127)] {
        let at = 2 * SECTOR + 128 * index;
        put(&mut disk, at, &[0xa2; 32]);
        put(&mut disk, at + 32, &[first]);
        put(&mut disk, at + 40, &[last]);
        put(&mut disk, usize::from(first) * SECTOR, &BASE.stored[..SECTOR]);
    }
    disk
}
