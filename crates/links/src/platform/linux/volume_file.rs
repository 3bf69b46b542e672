//! An image or a device that holds a volume.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use ntfs_volume::ReadAt;
use rustix::fs::{Mode, OFlags, open};

use super::filesystem::mounts;

/// An opened image or device, for reading alone.
pub(crate) struct VolumeFile {
    file: File,
    length: u64,
}

impl VolumeFile {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // A pipe would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(open(path, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() && !metadata.file_type().is_block_device() {
            let what = if metadata.is_dir() { "a directory, and" } else { "" };
            let text = format!("{what} neither a disk image nor a block device");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text.trim_start().to_owned()));
        }
        // The size of a device is known by its end alone.
        let length = io::Seek::seek(&mut &file, io::SeekFrom::End(0))?;
        Ok(Self { file, length })
    }
}

impl ReadAt for VolumeFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.file.read_at(buffer, position)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        Ok(Some(self.length))
    }
}

/// The letter by which a source names a volume: on Linux none does.
pub(crate) fn volume_letter(_source: &Path) -> Option<char> {
    None
}

/// Where a source, or a partition of it, is mounted at present. `None` also where that cannot be told.
pub(crate) fn mounted_at(source: &Path) -> Option<PathBuf> {
    let wanted = source.metadata().ok()?;
    let is_device = wanted.file_type().is_block_device();
    let numbers = (rustix::fs::major(wanted.rdev()), rustix::fs::minor(wanted.rdev()));
    let sys = PathBuf::from(format!("/sys/dev/block/{}:{}", numbers.0, numbers.1));
    let is_it = |mounted: &Path| {
        let Ok(found) = mounted.metadata() else { return false };
        if !found.file_type().is_block_device() {
            return found.is_file() && (found.dev(), found.ino()) == (wanted.dev(), wanted.ino());
        }
        if is_device {
            let part = mounted.file_name().is_some_and(|name| sys.join(name).join("partition").exists());
            return found.rdev() == wanted.rdev() || part;
        }
        backing_file(found.rdev()).is_some_and(|file| {
            file.metadata().is_ok_and(|file| (file.dev(), file.ino()) == (wanted.dev(), wanted.ino()))
        })
    };
    mounts().ok()?.into_iter().find(|mount| mount.source.is_absolute() && is_it(&mount.source)).map(|mount| mount.point)
}

/// The image behind a loop device, or behind the disk that a partition of one is on.
fn backing_file(device: u64) -> Option<PathBuf> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let sys = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    let files = [sys.join("loop/backing_file"), sys.join("../loop/backing_file")];
    let path = files.iter().find_map(|file| std::fs::read_to_string(file).ok())?;
    Some(PathBuf::from(path.trim_end_matches('\n')))
}
