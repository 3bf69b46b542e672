//! What was recorded of links, and what became of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::catalog::Catalog;
use super::exact::{Fate, Wanted};
use super::lost::{Fault, Lost};
use super::{Confidence, Find, Why};
use crate::error::Result;
use crate::identity::Identity;
use crate::journal::Journal;
use crate::platform::{self, Directory};
use crate::scan::{Progress, ScanOptions};

/// Links that were recorded, by their number.
#[derive(Default)]
pub(super) struct Known {
    wanted: Wanted,
    of: HashMap<usize, usize>,
}

impl Known {
    pub(super) fn of(journal: &Journal, lost: &[Lost], finds: &[Option<Find>]) -> Result<Self> {
        let mut known = Self::default();
        if !journal.tracks_anything()? {
            return Ok(known);
        }
        let mut parent: Option<(PathBuf, String)> = None;
        for (number, lost) in lost.iter().enumerate() {
            if finds.get(number).is_some_and(Option::is_some) || matches!(lost.fault, Fault::By(_)) {
                continue;
            }
            let directory = lost.link.parent().unwrap_or(Path::new("/"));
            if parent.as_ref().is_none_or(|(path, _)| path != directory) {
                let name =
                    Directory::open_physical(directory).and_then(|opened| platform::file_system(&opened));
                parent = name.ok().map(|name| (directory.to_owned(), name));
            }
            let file_system = parent.as_ref().map_or("", |(_, name)| name.as_str());
            let tracked = journal.tracked_link(&lost.link, &lost.seen.target, lost.seen.id, file_system)?;
            if let Some(tracked) = tracked {
                known.of.insert(number, known.wanted.add(tracked.identity));
            }
        }
        Ok(known)
    }

    /// Finds what was recorded, wherever it is now.
    pub(super) fn find(
        &mut self,
        catalog: &Catalog,
        options: &ScanOptions,
        search: &[PathBuf],
        progress: &Progress,
        finds: &mut [Option<Find>],
    ) {
        self.wanted.find(catalog, options, search, progress);
        for (number, key) in &self.of {
            if let (Some((_, Fate::At(path))), Some(find)) = (self.wanted.get(*key), finds.get_mut(*number)) {
                *find = Some(Find::At(path.clone(), Why::Identity, Confidence::Exact));
            }
        }
    }

    /// What was recorded of a link, and what became of that.
    pub(super) fn get(&self, number: usize) -> Option<(&Identity, &Fate)> {
        self.wanted.get(*self.of.get(&number)?)
    }
}
