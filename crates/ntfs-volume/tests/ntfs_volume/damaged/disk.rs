//! Partition tables that lead nowhere, or to one place again and again.

use ntfs_volume::{Contents, Partition, contents};

use super::image::Image;

const SECTOR: usize = 512;
/// Where the volume begins, in sectors.
const START: usize = 4096;

fn disk(table: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut disk = vec![0; START * SECTOR];
    table(&mut disk);
    disk.extend(Image::new(64).bytes());
    disk
}

fn partitions(disk: &[u8]) -> Vec<Partition> {
    match contents(&disk).unwrap() {
        Contents::Disk(partitions) => partitions,
        other => panic!("{other:?}"),
    }
}

fn volumes(partitions: &[Partition]) -> Vec<u32> {
    partitions.iter().filter(|partition| partition.is_ntfs).map(|partition| partition.number).collect()
}

/// GPT, with this number of entries of this size.
fn gpt(disk: &mut [u8], place: u64, count: u32, size: u32) {
    disk[SECTOR..SECTOR + 8].copy_from_slice(b"EFI PART");
    disk[SECTOR + 72..SECTOR + 80].copy_from_slice(&place.to_le_bytes());
    disk[SECTOR + 80..SECTOR + 84].copy_from_slice(&count.to_le_bytes());
    disk[SECTOR + 84..SECTOR + 88].copy_from_slice(&size.to_le_bytes());
}

fn mbr(disk: &mut [u8], sector: usize, entries: &[(u8, usize, usize)]) {
    let table = &mut disk[sector * SECTOR..(sector + 1) * SECTOR];
    table[510..].copy_from_slice(&[0x55, 0xaa]);
    for (entry, (kind, start, length)) in table[446..510].chunks_exact_mut(16).zip(entries) {
        entry[4] = *kind;
        entry[8..12].copy_from_slice(&u32::try_from(*start).unwrap().to_le_bytes());
        entry[12..].copy_from_slice(&u32::try_from(*length).unwrap().to_le_bytes());
    }
}

#[test]
fn one_volume_in_a_thousand_partitions_is_one_volume() {
    let disk = disk(|disk| {
        gpt(disk, 2, 1024, 128);
        for entry in disk[2 * SECTOR..].chunks_exact_mut(128).take(1024) {
            entry[..16].fill(7);
            entry[32..40].copy_from_slice(&(START as u64).to_le_bytes());
            entry[40..48].copy_from_slice(&(START as u64 + 100).to_le_bytes());
        }
    });
    let found = partitions(&disk);
    assert_eq!((found.len(), volumes(&found)), (1024, vec![1]));
}

#[test]
fn tables_that_lie_beyond_the_disk_or_have_odd_sizes() {
    for (place, count, size) in
        [(1 << 40, 4, 128), (u64::MAX, 4, 128), (2, u32::MAX, 4096), (2, 4, 0), (2, 4, 127), (2, 4, 1 << 31)]
    {
        let disk = disk(|disk| gpt(disk, place, count, size));
        assert_eq!(contents(&disk).unwrap(), Contents::Other(None), "{place} {count} {size}");
    }
}

#[test]
fn extended_partitions_in_a_cycle() {
    // Back to itself, to the first, and endlessly on.
    for next in [0, 8, 16] {
        let disk = disk(|disk| {
            mbr(disk, 0, &[(7, START, 100), (0x0f, 8, 4000)]);
            mbr(disk, 8, &[(7, START - 8, 100), (5, 8, 100)]);
            mbr(disk, 16, &[(0x83, 1, 1), (5, next, 100)]);
            mbr(disk, 24, &[(5, 8, 100)]);
        });
        let found = partitions(&disk);
        assert!(found.len() <= 3, "{found:?}");
        assert_eq!(volumes(&found), [1]);
    }
}
