//! Partition tables: where on a disk its NTFS volumes begin.

use std::collections::HashSet;

use crate::Error;
use crate::bytes::{slice, u8_at, u32_at, u64_at};
use crate::format::{self, Format, format};
use crate::source::{ReadAt, Source};

/// A part of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, as Linux and Windows count: from 1.
    pub number: u32,
    /// Where it begins, in bytes.
    pub start: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Whether an NTFS volume begins there.
    pub is_ntfs: bool,
}

/// What a source holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// An NTFS volume, from its first byte.
    Volume,
    /// A disk with these partitions.
    Disk(Vec<Partition>),
    /// Neither; what it is, where that can be told.
    Other(Option<Format>),
}

const SECTOR: u64 = 512;
/// More partitions than this nobody has; a table that leads back to itself has endlessly many.
const MOST: usize = 1024;

/// Tells what a source holds.
///
/// # Errors
/// Its first sector cannot be read.
pub fn contents<S: ReadAt>(source: &S) -> Result<Contents, Error> {
    let source = Source::new(source, 0, u64::MAX)?;
    let length = usize::try_from(source.length()).unwrap_or(usize::MAX).min(format::ENOUGH);
    // A disk may have nothing more to read than its first sectors.
    let mut first = vec![0; length];
    if source.read(&mut first, 0).is_err() {
        first.truncate(512);
        source.read(&mut first, 0)?;
    }
    if first.get(3..11) == Some(b"NTFS    ") {
        return Ok(Contents::Volume);
    }
    for sector in [512u64, 4096] {
        if let Some(found) = gpt(&source, sector) {
            return Ok(Contents::Disk(apart(found)));
        }
    }
    // A FAT volume ends its boot sector as a partition table does.
    let known = format(&first);
    if known.is_none()
        && let Some(found) = mbr(&source, &first)
    {
        return Ok(Contents::Disk(apart(found)));
    }
    // Its boot sector is gone, the copy of it at the end is not.
    if known.is_none() && is_ntfs(&source, 0, source.length()) {
        return Ok(Contents::Volume);
    }
    Ok(Contents::Other(known))
}

/// Of partitions that lie upon each other, the first alone counts as a volume: a table made for the purpose could have
/// one volume read a thousand times.
fn apart(mut partitions: Vec<Partition>) -> Vec<Partition> {
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for partition in partitions.iter_mut().filter(|partition| partition.is_ntfs) {
        let (start, end) = (partition.start, partition.start.saturating_add(partition.length));
        partition.is_ntfs = !taken.iter().any(|(first, last)| start < *last && *first < end);
        taken.push((start, end));
    }
    partitions
}

fn read<S: ReadAt>(source: &Source<S>, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    source.read(&mut bytes, at).ok()?;
    Some(bytes)
}

/// Whether an NTFS volume is there, by its boot sector or the copy of that at its end.
fn is_ntfs<S: ReadAt>(source: &Source<S>, start: u64, length: u64) -> bool {
    let copy = length.checked_sub(SECTOR).and_then(|last| start.checked_add(last));
    let is = |at| read(source, at, 16).is_some_and(|boot| boot.get(3..11) == Some(b"NTFS    "));
    is(start) || copy.is_some_and(is)
}

/// The table of UEFI: the first, or where that is damaged the copy at the end of the disk. `None` where there is none.
fn gpt<S: ReadAt>(source: &Source<S>, sector: u64) -> Option<Vec<Partition>> {
    let last = source.length().checked_sub(sector);
    let tables = [Some(sector), last].map(|at| at.and_then(|at| gpt_at(source, at, sector)));
    let sound = tables.iter().flatten().find(|(_, sound)| *sound);
    // A table that does not add up is better than none.
    let found = sound.or(tables.iter().flatten().next());
    found.map(|(partitions, _)| partitions.clone())
}

/// A table with its header at a place, and whether its checksums are right.
fn gpt_at<S: ReadAt>(source: &Source<S>, at: u64, sector: u64) -> Option<(Vec<Partition>, bool)> {
    const LONGEST: usize = 4096;
    let header = read(source, at, 512)?;
    if header.get(..8) != Some(b"EFI PART") {
        return None;
    }
    let table = u64_at(&header, 72)?.checked_mul(sector)?;
    let count = usize::try_from(u32_at(&header, 80)?).ok()?.min(MOST);
    let size = usize::try_from(u32_at(&header, 84)?).ok().filter(|size| (128..=LONGEST).contains(size))?;
    let entries = read(source, table, count.checked_mul(size)?)?;
    let mut found = Vec::new();
    for (number, entry) in (1..).zip(entries.chunks_exact(size)) {
        let (first, last) = (u64_at(entry, 32)?, u64_at(entry, 40)?);
        if slice(entry, 0, 16)?.iter().all(|byte| *byte == 0) || last < first {
            continue;
        }
        let start = first.checked_mul(sector)?;
        let length = (last - first).saturating_add(1).saturating_mul(sector);
        found.push(Partition { number, start, length, is_ntfs: is_ntfs(source, start, length) });
    }
    let is_sound = || -> Option<bool> {
        let length = usize::try_from(u32_at(&header, 12)?).ok()?;
        let mut counted = header.get(..length)?.to_vec();
        counted.get_mut(16..20)?.fill(0);
        Some(checksum(&counted) == u32_at(&header, 16)? && checksum(&entries) == u32_at(&header, 88)?)
    };
    let sound = is_sound().unwrap_or(false);
    Some((found, sound))
}

/// CRC-32 as UEFI has it (ISO 3309).
fn checksum(bytes: &[u8]) -> u32 {
    let byte = |sum: u32, byte: &u8| {
        let mut sum = sum ^ u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
        sum
    };
    !bytes.iter().fold(u32::MAX, byte)
}

/// The table of the BIOS, with logical partitions in extended ones. `None` where there is none.
fn mbr<S: ReadAt>(source: &Source<S>, first: &[u8]) -> Option<Vec<Partition>> {
    let (mut found, mut extended) = (Vec::new(), None);
    for (number, (kind, start, length)) in (1..).zip(entries(first)?) {
        // What stands for a table of UEFI is no partition.
        if kind == 0xee {
            continue;
        }
        if is_extended(kind) {
            extended.get_or_insert(start);
        } else if kind != 0 && length != 0 {
            found.push(Partition { number, start, length, is_ntfs: is_ntfs(source, start, length) });
        }
    }
    // Each logical partition has a table of its own, which names the next.
    let Some(base) = extended else {
        return Some(found).filter(|found| !found.is_empty() || is_protective(first));
    };
    let (mut next, mut met) = (Some(base), HashSet::new());
    let mut number = 5;
    while let Some(at) = next.take() {
        if !met.insert(at) || met.len() > MOST {
            break;
        }
        let Some(table) = read(source, at, 512) else { break };
        for (kind, offset, length) in entries(&table).into_iter().flatten() {
            if is_extended(kind) {
                next = base.checked_add(offset);
            } else if kind != 0 && length != 0 {
                let Some(start) = at.checked_add(offset) else { continue };
                found.push(Partition { number, start, length, is_ntfs: is_ntfs(source, start, length) });
                number += 1;
            }
        }
    }
    Some(found)
}

/// Whether a table says that the disk has one of UEFI.
fn is_protective(sector: &[u8]) -> bool {
    entries(sector).is_some_and(|all| all.iter().any(|(kind, ..)| *kind == 0xee))
}

fn is_extended(kind: u8) -> bool {
    matches!(kind, 0x05 | 0x0f | 0x85)
}

/// The four entries of a table: kind, start and length in bytes.
fn entries(sector: &[u8]) -> Option<[(u8, u64, u64); 4]> {
    if sector.get(510..512) != Some(&[0x55, 0xaa]) {
        return None;
    }
    let mut all = [(0, 0, 0); 4];
    for (index, slot) in all.iter_mut().enumerate() {
        let entry = slice(sector, 446 + 16 * index, 16)?;
        // The first byte is 0 or 0x80 in every table, and anything else in code.
        if !matches!(u8_at(entry, 0)?, 0 | 0x80) {
            return None;
        }
        *slot = (u8_at(entry, 4)?, u64::from(u32_at(entry, 8)?) * SECTOR, u64::from(u32_at(entry, 12)?) * SECTOR);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), 0);
    }
}
