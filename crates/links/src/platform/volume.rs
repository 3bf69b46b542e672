//! The file system or volume that something is on.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use super::Directory;
use super::system::{filesystem_of, volume_identity};

/// A file system in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filesystem {
    /// Its type as the system has it: `ext4`, `fuse.bindfs`, `NTFS`, `FAT32`.
    pub(crate) kind: String,
    /// Where it is mounted, or where its volume begins.
    pub(crate) mount_point: PathBuf,
    /// Whether nothing can be written to it.
    pub(crate) read_only: bool,
    /// Whether its files are kept elsewhere: locks and shared memory are not to be relied on.
    pub(crate) network: bool,
    /// The longest target of a POSIX symbolic link, in bytes; 0 where there are none.
    pub(crate) longest_target: usize,
}

impl Filesystem {
    pub(crate) fn of(directory: &Directory) -> io::Result<Self> {
        filesystem_of(directory)
    }
}

/// A volume as a listing's head names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VolumeIdentity {
    pub(crate) mount_point: PathBuf,
    pub(crate) label: Option<OsString>,
    /// Of NTFS and FAT the number that Windows shows; of others made from the file system's own.
    pub(crate) serial: u32,
    /// The bytes that this user may still fill.
    pub(crate) free: u64,
}

impl VolumeIdentity {
    pub(crate) fn of(directory: &Directory) -> io::Result<Self> {
        volume_identity(directory)
    }
}
