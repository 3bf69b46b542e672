//! What was recorded of links, and what became of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::catalog::Catalog;
use super::exact::{Fate, Wanted};
use super::lost::{Fault, Lost};
use super::{Confidence, Find, Mapping, Why};
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::journal::Journal;
use crate::model::below;
use crate::platform::{self, Directory};
use crate::scan::{Progress, ScanOptions};

/// Links that were recorded, by their number.
#[derive(Default)]
pub(super) struct Known {
    wanted: Wanted,
    /// The key of the identity, and when it was recorded.
    of: HashMap<usize, (usize, i64)>,
}

impl Known {
    pub(super) fn of(
        journal: &Journal,
        lost: &[Lost],
        finds: &[Option<Find>],
        errors: &mut Vec<Error>,
    ) -> Result<Self> {
        let mut known = Self::default();
        if !journal.tracks_anything()? {
            return Ok(known);
        }
        let mut parent: Option<(PathBuf, String)> = None;
        for (number, lost) in lost.iter().enumerate() {
            if finds.get(number).is_some_and(Option::is_some) || matches!(lost.fault, Fault::By(..)) {
                continue;
            }
            let directory = lost.link.parent().unwrap_or(Path::new("/"));
            if parent.as_ref().is_none_or(|(path, _)| path != directory) {
                let name =
                    Directory::open_physical(directory).and_then(|opened| platform::file_system(&opened));
                parent = name.ok().map(|name| (directory.to_owned(), name));
            }
            let file_system = Some(parent.as_ref().map_or("", |(_, name)| name.as_str()));
            // One record that cannot be read costs no other link.
            let tracked = journal
                .tracked_link(&lost.link, &lost.seen.target, lost.seen.id, file_system)
                .unwrap_or_else(|error| {
                    errors.push(error);
                    None
                });
            if let Some(tracked) = tracked {
                // Of volumes that are copies of each other, numbers and all, the link's own is meant.
                let own = file_system.is_some_and(|name| name == tracked.identity.file_system);
                let near = own.then(|| directory.to_owned());
                known.of.insert(number, (known.wanted.add(tracked.identity, near), tracked.seen));
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
        for (number, (key, _)) in &self.of {
            if let (Some((_, Fate::At(path))), Some(find)) = (self.wanted.get(*key), finds.get_mut(*number)) {
                *find = Some(Find::At(path.clone(), Why::Identity, Confidence::Exact));
            }
        }
    }

    /// Finds what is below directories that were recorded and found elsewhere, for links of which nothing was recorded, and
    /// what such a link led to, for others that led to the same path. Gives where these were and are.
    pub(super) fn carry_over(&self, lost: &[Lost], finds: &mut [Option<Find>]) -> Vec<Mapping> {
        // Of several records of one path, the newest speaks.
        let mut newest: HashMap<&Path, (i64, &Fate)> = HashMap::new();
        for (key, seen) in self.of.values() {
            let Some((identity, fate)) = self.wanted.get(*key) else { continue };
            let known = newest.entry(&identity.path).or_insert((*seen, fate));
            if known.0 < *seen {
                *known = (*seen, fate);
            }
        }
        let moved: HashMap<&Path, &Path> = newest
            .iter()
            .filter_map(|(old, (_, fate))| match fate {
                Fate::At(path) if path != old => Some((*old, path.as_path())),
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
            let to = below(new, rest);
            if to.symlink_metadata().is_ok() {
                mapping.mends += 1;
                *find = Some(Find::At(to, Why::Inferred(number), Confidence::Strong));
            }
        }
        mappings
    }

    /// What was recorded of a link, and what became of that.
    pub(super) fn get(&self, number: usize) -> Option<(&Identity, &Fate)> {
        self.wanted.get(self.of.get(&number)?.0)
    }
}
