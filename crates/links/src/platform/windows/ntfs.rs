//! Volumes that hold reparse points: NTFS, ReFS, and shares of them.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf, Prefix};

use reparse::WideString;

use super::filesystem::with_reparse_points;
use super::{Directory, Object, to_wide};

/// Longer reparse data is nothing to warn of: the system itself writes it.
pub(crate) const RESIDENT: Option<usize> = None;

/// A volume that holds reparse points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NtfsVolume {
    /// Where it begins: `C:\`, `\\server\share\`.
    pub(crate) mount_point: PathBuf,
    /// Whether all of it is there: always, but for shares.
    pub(crate) is_whole: bool,
}

impl NtfsVolume {
    /// Its root.
    #[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
    pub(crate) fn root(&self) -> Option<&Path> {
        Some(self.mount_point.as_path())
    }

    /// The letter of its drive. The one that was said is for systems which do not know it.
    pub(crate) fn letter(&self, _said: char) -> char {
        // A volume that is mounted in a directory has no letter of its own.
        let in_directory = |component: Component<'_>| matches!(component, Component::Normal(_));
        match self.mount_point.components().next().filter(|_| !self.mount_point.components().any(in_directory)) {
            Some(Component::Prefix(prefix)) => match prefix.kind() {
                Prefix::Disk(letter) | Prefix::VerbatimDisk(letter) => char::from(letter),
                // No letter: none is the volume's own.
                _ => '\0',
            },
            _ => '\0',
        }
    }

    /// The path by which Windows knows a full path: the same.
    pub(crate) fn windows_path(&self, full: &Path, _drive: char) -> Option<WideString> {
        to_wide(full.as_os_str())
    }
}

/// The volume that a directory is on, if it holds reparse points.
pub(crate) fn ntfs_volume(directory: &Directory) -> io::Result<Option<NtfsVolume>> {
    let (filesystem, holds_reparse_points) = with_reparse_points(directory)?;
    let is_whole = !filesystem.network;
    Ok(holds_reparse_points.then_some(NtfsVolume { mount_point: filesystem.mount_point, is_whole }))
}

/// Where another system's links are translated: nowhere.
pub(crate) fn ntfs_mounts() -> Vec<PathBuf> {
    Vec::new()
}

/// Why a volume that holds no reparse points holds no such link.
pub(crate) fn refusal(_kind: &str) -> &'static str {
    "only NTFS and ReFS hold symbolic links and junctions"
}

/// The `FILE_ATTRIBUTE_*` of a name.
pub(crate) fn attributes(directory: &Directory, name: &OsStr) -> io::Result<Option<u32>> {
    Object::of(&directory.hold(name)?).attributes().map(Some)
}

/// The system does not count 8.3 names as names of a file.
pub(crate) fn has_short_name(_directory: &Directory, _name: &OsStr) -> bool {
    false
}

/// `FILE_ATTRIBUTE_COMPRESSED` and `FILE_ATTRIBUTE_ENCRYPTED`.
pub(crate) const COMPRESSED: u32 = 0x800;
pub(crate) const ENCRYPTED: u32 = 0x4000;
/// Whether encrypted files can be read here by whoever may: their keys would not be carried over.
pub(crate) const READS_ENCRYPTED: bool = false;
