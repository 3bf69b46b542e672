//! The boot sector: how the volume is measured.

use crate::Error;
use crate::bytes::{u8_at, u16_at, u64_at};

/// So much is read of the boot sector; on disks with longer sectors, too.
pub(crate) const BOOT: usize = 512;

/// The largest records and index blocks that Windows makes are 4 KiB; the format allows for more.
const LARGEST_BLOCK: u64 = 64 << 10;
/// Clusters have up to 2 MiB.
const LARGEST_CLUSTER: u64 = 2 << 20;

/// Sizes and places of a volume, in bytes where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) cluster: u64,
    /// How many clusters there are.
    pub(crate) clusters: u64,
    /// The size of a file record.
    pub(crate) record: usize,
    /// Where the master file table begins.
    pub(crate) table: u64,
    /// Where the copy of its first records is.
    pub(crate) mirror: u64,
    pub(crate) serial: u64,
}

impl Geometry {
    /// Reads a boot sector, which stands at `position` of the source.
    pub(crate) fn parse(boot: &[u8], position: u64) -> Result<Self, Error> {
        if boot.get(3..11) != Some(b"NTFS    ") {
            return Err(Error::not_ntfs(position, crate::format::describe(boot)));
        }
        Self::fields(boot).ok_or_else(|| Error::damaged(position, "a boot sector with sizes that no volume has"))
    }

    fn fields(boot: &[u8]) -> Option<Self> {
        let sector = u64::from(u16_at(boot, 0x0b)?);
        if !sector.is_power_of_two() || !(256..=4096).contains(&sector) {
            return None;
        }
        let cluster = match u8_at(boot, 0x0d)? {
            count @ 1..=0x80 => sector.checked_mul(u64::from(count))?,
            // Beyond 64 KiB: a negative power of two.
            shift => sector.checked_shl(u32::from(shift.wrapping_neg()))?,
        };
        if !cluster.is_power_of_two() || !(256..=LARGEST_CLUSTER).contains(&cluster) {
            return None;
        }
        let record = match u8_at(boot, 0x40)? {
            count @ 1..=0x7f => cluster.checked_mul(u64::from(count))?,
            shift => 1u64.checked_shl(u32::from(shift.wrapping_neg()))?,
        };
        if !record.is_power_of_two() || !(512..=LARGEST_BLOCK).contains(&record) {
            return None;
        }
        let clusters = u64_at(boot, 0x28)?.checked_mul(sector)? / cluster;
        let place = |at| u64_at(boot, at).filter(|number| *number < clusters)?.checked_mul(cluster);
        Some(Self {
            cluster,
            clusters,
            record: usize::try_from(record).ok()?,
            table: place(0x30)?,
            // A volume can do without.
            mirror: place(0x38).unwrap_or(0),
            serial: u64_at(boot, 0x48)?,
        })
    }
}
