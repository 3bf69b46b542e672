//! An NTFS volume that nobody need have mounted: its links, straight from an image, a block device, or on Windows a
//! drive. Nothing is written to it.
//!
//! ```text
//! open.rs      a source, and the volumes in it
//! list.rs      every link, as a scan of directories gives it
//! inspect.rs   one path
//! listing.rs   directories, as `dir` shows them
//! paths.rs     paths on a volume, as people type and read them
//! ```

mod inspect;
mod list;
mod listing;
mod open;
mod paths;

use std::path::{Path, PathBuf};

use ntfs_volume::{End, Followed};
use reparse::WideString;

use crate::error::{Error, ErrorKind};
use crate::model::{FileId, ReparsePoint, State};
use crate::platform::{VolumeFile, from_bytes, from_wide};
use crate::read::chain::{Chain, Hop};

pub use list::{VolumeList, VolumeScan, VolumeStats, Way};
pub use listing::VolumeListings;
pub use open::{Volumes, open};

const READ: &str = "read";
/// Of a path on a volume.
const LOOK_UP: &str = "look up";

/// An NTFS volume in an image, on a device or on a partition.
///
/// Paths on it begin with the letter that Windows gives it, `C:\Users`; of one of several volumes on a disk, with the
/// partition's number, `Partition3\Users`.
pub struct Volume {
    volume: ntfs_volume::Volume<VolumeFile>,
    source: PathBuf,
    partition: Option<u32>,
    /// `None` where nobody knows.
    drive: Option<char>,
    /// What paths begin with.
    root: String,
}

impl Volume {
    /// The number of its partition, where it is on one.
    #[must_use]
    pub fn partition(&self) -> Option<u32> {
        self.partition
    }

    /// Whether a path on it begins with this.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// How many bytes were read of it so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.volume.reads().bytes
    }

    fn error(&self, error: &ntfs_volume::Error) -> Error {
        let kind = match error.kind() {
            ntfs_volume::ErrorKind::NotNtfs => ErrorKind::NotAVolume,
            ntfs_volume::ErrorKind::Io => ErrorKind::Io,
            ntfs_volume::ErrorKind::Damaged => ErrorKind::Damaged,
            ntfs_volume::ErrorKind::NotFound => ErrorKind::NotFound,
        };
        Error::new(kind, READ, &self.source, error.to_string())
    }

    /// Errors in order, each once: a part of a file may be met on several ways.
    fn errors(&self, faults: Vec<ntfs_volume::Error>) -> Vec<Error> {
        let mut all = faults;
        all.sort_by_key(|fault| (fault.record(), fault.position()));
        let mut met = std::collections::HashSet::new();
        all.retain(|fault| met.insert(fault.to_string()));
        all.iter().map(|fault| self.error(fault)).collect()
    }

    fn id(&self, reference: ntfs_volume::Reference) -> FileId {
        FileId { volume: self.volume.serial(), file: u128::from(reference.0), born: 0 }
    }

    /// A path from the volume's root, as people read it.
    fn shown(&self, path: &[u16]) -> PathBuf {
        let mut text = self.root.clone().into_bytes();
        text.reserve(path.len());
        for unit in path {
            match u8::try_from(*unit) {
                Ok(byte) if byte.is_ascii() => text.push(byte),
                _ => {
                    let units = self.root.encode_utf16().chain(path.iter().copied()).collect();
                    return PathBuf::from(from_wide(&WideString::from_units(units)));
                }
            }
        }
        PathBuf::from(from_bytes(text))
    }

    /// A link followed on the volume, as one that was followed on a running system.
    fn chain(&self, followed: &Followed) -> Chain {
        let hop = |hop: &ntfs_volume::Hop| {
            let point = ReparsePoint { raw: hop.raw.clone(), directory: hop.is_directory };
            Hop { link: self.shown(&hop.path), kind: point.kind(), target: point.shown() }
        };
        let path = |path: &Vec<u16>| self.shown(path);
        Chain {
            hops: followed.hops.iter().map(hop).collect(),
            state: state(followed.end),
            resolved: followed.resolved.as_ref().map(path),
            failed_at: followed.failed_at.as_ref().map(path),
            reason: followed.reason.clone(),
            passed: followed.passed.iter().map(path).collect(),
            failed_hop: 0,
            wanted: None,
            behind: None,
        }
    }
}

/// A path of a volume within a sentence: what a terminal would obey is escaped, separators are not.
pub(crate) fn quoted(path: &Path) -> String {
    format!("{path:?}").replace(r"\\", r"\")
}

fn state(end: End) -> State {
    match end {
        End::Ok => State::Ok,
        End::Missing => State::Missing,
        End::Loop => State::Loop,
        End::TooLong => State::TooLong,
        End::WrongKind => State::WrongKind,
        End::Elsewhere => State::Elsewhere,
        End::Unreadable => State::Unreachable,
    }
}
