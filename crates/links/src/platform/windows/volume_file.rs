//! An image that holds a volume, or a volume itself by its letter.

use std::fs::File;
use std::io;
use std::os::windows::fs::FileExt as _;
use std::path::{Path, PathBuf};

use ntfs_volume::ReadAt;

/// Devices are read in whole sectors, of up to so many bytes.
const SECTOR: u64 = 4096;

/// An opened image or device, for reading alone.
pub(crate) struct VolumeFile {
    file: File,
    /// `None` for a device.
    length: Option<u64>,
}

impl VolumeFile {
    /// Opens an image; a volume by `C:`, which only administrators may read; or a device by `\\.\PhysicalDrive0`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if let Some(letter) = volume_letter(path) {
            return Ok(Self { file: File::open(format!(r"\\.\{letter}:"))?, length: None });
        }
        let file = File::open(path)?;
        // A device has no metadata.
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        Ok(Self { file, length })
    }
}

impl ReadAt for VolumeFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        if self.length.is_some() {
            return self.file.seek_read(buffer, position);
        }
        let within = position % SECTOR;
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX).saturating_add(within);
        let whole = usize::try_from(wanted.div_ceil(SECTOR).saturating_mul(SECTOR));
        let mut sectors = vec![0; whole.map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?];
        let count = self.file.seek_read(&mut sectors, position - within)?;
        let from = usize::try_from(within).unwrap_or(usize::MAX);
        let read = sectors.get(from..count).unwrap_or_default();
        let count = read.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), read.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        Ok(self.length)
    }
}

/// The letter by which a source names a volume: `C:`, `C:\`, `\\.\C:`.
pub(crate) fn volume_letter(source: &Path) -> Option<char> {
    let text = source.to_str()?;
    let text = text.strip_prefix(r"\\.\").unwrap_or(text);
    let mut letters = text.strip_suffix('\\').unwrap_or(text).chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some(letter), Some(':'), None) if letter.is_ascii_alphabetic() => Some(letter.to_ascii_uppercase()),
        _ => None,
    }
}

/// Where a source is mounted at present: a volume that is named by its letter, there.
pub(crate) fn mounted_at(source: &Path) -> Option<PathBuf> {
    volume_letter(source).map(|letter| PathBuf::from(format!(r"{letter}:\")))
}
