//! The boot sector: sizes, and where the master file table begins.

use crate::bytes::{u8_at, u16_at, u64_at};
use crate::error::{Error, Result};

/// The sizes of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes in a cluster.
    pub cluster: u64,
    /// Bytes in a file record.
    pub record: usize,
    /// Bytes in a block of a directory's index.
    pub index_block: usize,
    /// The whole volume, in bytes.
    pub size: u64,
    /// Where the master file table begins, in bytes.
    pub(crate) table: u64,
    /// The serial number; Windows shows its lower half.
    pub serial: u64,
}

/// The length of a boot sector, as far as it is of interest.
pub(crate) const BOOT: usize = 512;

impl Geometry {
    /// Reads a boot sector.
    pub(crate) fn decode(boot: &[u8]) -> Result<Self> {
        if boot.get(3..11) != Some(b"NTFS    ") {
            return Err(Error::NotNtfs("there is no NTFS boot sector".to_owned()));
        }
        Self::sizes(boot).ok_or_else(|| Error::NotNtfs("its boot sector has sizes that no NTFS volume has".to_owned()))
    }

    fn sizes(boot: &[u8]) -> Option<Self> {
        let sector = u64::from(u16_at(boot, 0x0b)?);
        let cluster = sector.checked_mul(size(u8_at(boot, 0x0d)?, 1)?)?;
        let record = size(u8_at(boot, 0x40)?, cluster)?;
        let index_block = size(u8_at(boot, 0x44)?, cluster)?;
        let well = |size: u64, least: u64, most: u64| size.is_power_of_two() && (least..=most).contains(&size);
        if !well(sector, 256, 4096) || !well(cluster, 256, 1 << 21) {
            return None;
        }
        if !well(record, 512, 1 << 16) || !well(index_block, 512, 1 << 16) {
            return None;
        }
        Some(Self {
            cluster,
            record: usize::try_from(record).ok()?,
            index_block: usize::try_from(index_block).ok()?,
            size: u64_at(boot, 0x28)?.checked_mul(sector)?,
            table: u64_at(boot, 0x30)?.checked_mul(cluster)?,
            serial: u64_at(boot, 0x48)?,
        })
    }
}

/// A size in units, or where it is negative, as a power of two in bytes.
fn size(stored: u8, unit: u64) -> Option<u64> {
    match stored {
        0 => None,
        1..=0x80 => u64::from(stored).checked_mul(unit),
        _ => 1u64.checked_shl(u32::from(stored.wrapping_neg())).filter(|size| *size <= 1 << 21),
    }
}
