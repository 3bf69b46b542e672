//! Names of one file, put together.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;

use crate::model::{FileId, Metadata};

/// The names of one file that a scan has met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HardLinks {
    /// The names found, in order.
    pub paths: Vec<PathBuf>,
    /// The number of names the file has, found or not.
    pub links: u64,
    /// The size in bytes.
    pub size: u64,
    /// The space taken on the disk, in bytes, however many names there are.
    pub allocated: u64,
    /// The file's identity.
    pub id: FileId,
}

impl HardLinks {
    /// The names that the scan did not meet.
    #[must_use]
    pub fn outside(&self) -> u64 {
        self.links.saturating_sub(u64::try_from(self.paths.len()).unwrap_or(u64::MAX))
    }

    /// The space that deleting all the names found would free, in bytes: none, as long as there are others.
    #[must_use]
    pub fn frees(&self) -> u64 {
        if self.outside() == 0 { self.allocated } else { 0 }
    }
}

/// Where names gather. Those that roots show twice, by other paths, count once.
#[derive(Default)]
pub(super) struct Groups {
    groups: HashMap<FileId, HardLinks>,
    met: HashSet<(FileId, OsString)>,
}

impl Groups {
    /// Adds a name. `directory` is where it is; `None` where the roots cannot overlap.
    pub(super) fn add(&mut self, metadata: &Metadata, path: PathBuf, directory: Option<FileId>) {
        if let Some(directory) = directory
            && !self.met.insert((directory, path.file_name().unwrap_or_default().to_owned()))
        {
            return;
        }
        let new = || HardLinks {
            paths: Vec::new(),
            links: metadata.links,
            size: metadata.size,
            allocated: metadata.allocated,
            id: metadata.id,
        };
        let group = self.groups.entry(metadata.id).or_insert_with(new);
        group.paths.push(path);
        // A file has one 8.3 name at most, beside one of its names.
        group.links = group.links.min(metadata.links);
    }

    pub(super) fn into_groups(self) -> Vec<HardLinks> {
        let mut groups: Vec<HardLinks> = self.groups.into_values().collect();
        for group in &mut groups {
            group.paths.sort_unstable();
        }
        groups.sort_unstable_by(|a, b| a.paths.cmp(&b.paths));
        groups
    }
}
