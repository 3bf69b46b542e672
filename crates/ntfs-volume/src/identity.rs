//! A volume's name and serial number: the boot sector, and record 3 of the master file table (`$Volume`).

use std::io::{self, Read, Seek, SeekFrom};

/// By what people know a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The label, as UTF-16. `None` where the volume has none.
    pub label: Option<Vec<u16>>,
    /// The serial number of the boot sector. Windows shows its lower half.
    pub serial: u64,
}

/// Reads the label from `$Volume` and the serial number from the boot sector.
///
/// `source` begins where the volume begins. It may be mounted, and written to, meanwhile; what it holds is not
/// believed: offsets that lead outside are errors.
///
/// # Errors
/// It is no NTFS volume ([`io::ErrorKind::InvalidData`]), ends too early, or cannot be read.
pub fn identity<S: Read + Seek>(source: &mut S) -> io::Result<Identity> {
    let boot = read(source, 0, SECTOR)?;
    if boot.get(3..11) != Some(b"NTFS    ") {
        return Err(invalid("no NTFS boot sector"));
    }
    let sector = u64::from(u16_at(&boot, 0x0b)?);
    let cluster = sector * size(u8_at(&boot, 0x0d)?, 1)?;
    let record = size(u8_at(&boot, 0x40)?, cluster)?;
    if !(256..=4096).contains(&sector) || !(512..=65_536).contains(&record) {
        return Err(invalid("sizes that no NTFS volume has"));
    }
    let table = u64_at(&boot, 0x30)?.checked_mul(cluster);
    let at = table.and_then(|table| table.checked_add(VOLUME_RECORD * record));
    let at = at.ok_or_else(|| invalid("a master file table outside the volume"))?;
    let record = usize::try_from(record).map_err(|_| invalid("sizes that no NTFS volume has"))?;
    let label = label(read(source, at, record)?)?;
    Ok(Identity { label: label.filter(|units| !units.is_empty()), serial: u64_at(&boot, 0x48)? })
}

const SECTOR: usize = 512;
const VOLUME_RECORD: u64 = 3;
/// The type of the attribute `$VOLUME_NAME`.
const VOLUME_NAME: u32 = 0x60;
const END: u32 = 0xffff_ffff;

/// The value of `$VOLUME_NAME` in a file record.
fn label(mut record: Vec<u8>) -> io::Result<Option<Vec<u16>>> {
    if record.get(..4) != Some(b"FILE") {
        return Err(invalid("no file record where $Volume should be"));
    }
    mend(&mut record)?;
    let mut at = usize::from(u16_at(&record, 0x14)?);
    // Each attribute is at least a header long, so this ends.
    loop {
        let kind = u32_at(&record, at)?;
        if kind == END {
            return Ok(None);
        }
        let length = usize_at(&record, at + 4)?;
        if length < 0x18 {
            return Err(invalid("an attribute that is too short"));
        }
        let resident = u8_at(&record, at + 8)? == 0;
        if kind == VOLUME_NAME && resident {
            let start = at + usize::from(u16_at(&record, at + 0x14)?);
            let end = start.saturating_add(usize_at(&record, at + 0x10)?);
            let bytes = record.get(start..end).ok_or_else(|| invalid("a name outside its record"))?;
            return Ok(Some(
                bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
            ));
        }
        at = at.checked_add(length).ok_or_else(|| invalid("an attribute outside its record"))?;
    }
}

/// Puts back the last two bytes of each sector, which were exchanged for a number when the record was written.
fn mend(record: &mut [u8]) -> io::Result<()> {
    let (array, count) = (usize::from(u16_at(record, 4)?), usize::from(u16_at(record, 6)?));
    let number = u16_at(record, array)?;
    for sector in 1..count {
        let last = sector * SECTOR - 2;
        if u16_at(record, last)? != number {
            return Err(invalid("a file record that was not written whole"));
        }
        let kept = u16_at(record, array + 2 * sector)?.to_le_bytes();
        if let Some(place) = record.get_mut(last..last + 2) {
            place.copy_from_slice(&kept);
        }
    }
    Ok(())
}

/// A size in units, or where it is negative, as a power of two in bytes.
fn size(stored: u8, unit: u64) -> io::Result<u64> {
    match stored {
        0 => Err(invalid("a size of nothing")),
        1..=0x80 => Ok(u64::from(stored) * unit),
        _ => 1u64
            .checked_shl(u32::from(stored.wrapping_neg()))
            .filter(|size| *size <= 1 << 21)
            .ok_or_else(|| invalid("a size beyond all bounds")),
    }
}

fn read<S: Read + Seek>(source: &mut S, at: u64, length: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; length];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> io::Result<[u8; N]> {
    let slice = at.checked_add(N).and_then(|end| bytes.get(at..end));
    slice.and_then(|slice| slice.try_into().ok()).ok_or_else(|| invalid("an offset outside its record"))
}

fn u8_at(bytes: &[u8], at: usize) -> io::Result<u8> {
    array::<1>(bytes, at).map(|[byte]| byte)
}

fn u16_at(bytes: &[u8], at: usize) -> io::Result<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> io::Result<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> io::Result<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

fn usize_at(bytes: &[u8], at: usize) -> io::Result<usize> {
    u32_at(bytes, at).map(|value| value as usize)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no sound NTFS volume: {what}"))
}
