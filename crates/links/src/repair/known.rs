//! What was recorded of links, and what became of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::catalog::Catalog;
use super::exact::{Fate, Wanted};
use super::lost::{Fault, Lost};
use super::{Confidence, Find, Mapping, Why};
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
            let file_system = Some(parent.as_ref().map_or("", |(_, name)| name.as_str()));
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

    /// Finds what is below directories that were recorded and found elsewhere, for links of which nothing was recorded, and
    /// what such a link led to, for others that led to the same path. Gives where these were and are.
    pub(super) fn carry_over(&self, lost: &[Lost], finds: &mut [Option<Find>]) -> Vec<Mapping> {
        let moved: HashMap<&Path, &Path> = self
            .of
            .values()
            .filter_map(|key| match self.wanted.get(*key)? {
                (identity, Fate::At(path)) if *path != identity.path => {
                    Some((identity.path.as_path(), path.as_path()))
                }
                _ => None,
            })
            .collect();
        let mut mappings: Vec<Mapping> = Vec::new();
        let mut numbers: HashMap<&Path, usize> = HashMap::new();
        for (lost, find) in lost.iter().zip(finds) {
            let (None, Some(way)) = (&find, lost.way()) else { continue };
            let gone = way.wanted.ancestors().take(way.missing().count());
            let Some((old, new)) = gone.into_iter().find_map(|path| moved.get_key_value(path)) else {
                continue;
            };
            let number = *numbers.entry(old).or_insert_with(|| {
                let (old, new) = (old.to_path_buf(), new.to_path_buf());
                mappings.push(Mapping { old, new, mends: 0, of: 0, confidence: Confidence::Strong });
                mappings.len() - 1
            });
            let Some(mapping) = mappings.get_mut(number) else { continue };
            mapping.of += 1;
            let rest = way.wanted.strip_prefix(old).unwrap_or(Path::new(""));
            let to = if rest.as_os_str().is_empty() { new.to_path_buf() } else { new.join(rest) };
            if to.symlink_metadata().is_ok() {
                mapping.mends += 1;
                *find = Some(Find::At(to, Why::Inferred(number), Confidence::Strong));
            }
        }
        mappings
    }

    /// What was recorded of a link, and what became of that.
    pub(super) fn get(&self, number: usize) -> Option<(&Identity, &Fate)> {
        self.wanted.get(*self.of.get(&number)?)
    }
}
