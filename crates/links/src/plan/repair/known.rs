//! What was recorded of links, and what became of it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::catalog::Catalog;
use super::exact::{self, Fate, Wanted};
use super::lost::{Fault, Lost};
use super::names::{TOLD, agreeing};
use super::{Candidate, Confidence, Find, Mapping, Reason, Why};
use crate::error::{Error, Result};
use crate::journal::{Journal, Tracked};
use crate::model::{below, described};
use crate::platform::{self, Directory};
use crate::read::identity::{self, Identity};
use crate::read::scan::{Progress, ScanOptions};

/// Links that were recorded, by their number.
#[derive(Default)]
pub(super) struct Known {
    wanted: Wanted,
    of: HashMap<usize, Record>,
}

/// What was recorded of a link.
struct Record {
    /// The key of the identity.
    key: usize,
    /// That of the directory it was in, where that is another by now.
    directory: Option<usize>,
    /// When it was recorded.
    seen: i64,
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
        let mut stayed: HashMap<PathBuf, bool> = HashMap::new();
        for (number, lost) in lost.iter().enumerate() {
            if finds.get(number).is_some_and(Option::is_some) || matches!(lost.fault, Fault::By(..)) {
                continue;
            }
            let directory = lost.link.parent().unwrap_or(Path::new("/"));
            if parent.as_ref().is_none_or(|(path, _)| path != directory) {
                let name =
                    Directory::open_physical(directory).and_then(|opened| known.wanted.file_systems.name(&opened));
                parent = name.ok().map(|name| (directory.to_owned(), name));
            }
            let file_system = Some(parent.as_ref().map_or("", |(_, name)| name.as_str()));
            // One record that cannot be read costs no other link.
            let tracked = journal
                .tracked_link(&lost.link, &lost.seen.target, Some(lost.seen.id), file_system)
                .unwrap_or_else(|error| {
                    errors.push(error);
                    None
                });
            // Another name of a recorded link, in another directory, may never have led anywhere.
            let is_it = |tracked: &Tracked| tracked.link == lost.link || has_one_name(&lost.link);
            if let Some(mut tracked) = tracked.filter(is_it) {
                // Of volumes that are copies of each other, numbers and all, the link's own is meant.
                let own = file_system.is_some_and(|name| name == tracked.identity.file_system);
                let near = own.then(|| directory.to_owned());
                let directory = tracked.identity.directory.take().filter(|directory| {
                    let stays = || exact::is_at(directory, &directory.path, &known.wanted.file_systems).is_some();
                    !*stayed.entry(directory.path.clone()).or_insert_with(stays)
                });
                let directory = directory.map(|directory| known.wanted.add(*directory, near.clone(), false));
                let key = known.wanted.add(tracked.identity, near, true);
                known.of.insert(number, Record { key, directory, seen: tracked.seen });
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
        for (number, record) in &self.of {
            if let (Some(found), Some(find)) = (self.find_of(record, search), finds.get_mut(*number)) {
                *find = Some(found);
            }
        }
    }

    fn find_of(&self, record: &Record, search: &[PathBuf]) -> Option<Find> {
        let (identity, fate) = self.wanted.get(record.key)?;
        let is_within = |path: &Path| search.is_empty() || search.iter().any(|root| path.starts_with(root));
        let (names, is_only) = match fate {
            Fate::At { path, is_only } => (std::slice::from_ref(path), *is_only),
            Fate::Names(names) => (names.as_slice(), false),
            // Whatever else has its name is another.
            Fate::Away => return Some(away(identity)),
            Fate::Gone | Fate::Hidden | Fate::Unfound { .. } => (&[][..], false),
        };
        // The name that was recorded, in the directory that was recorded with it: the link means that, also where somebody
        // wrote another file in the place of the first, and wherever he put that one.
        if let Some(place) = self.place_of(record, identity).filter(|place| is_within(place)) {
            let is_same = names.contains(&place);
            let (why, confidence) =
                if is_same { (Why::Identity, Confidence::Exact) } else { (Why::Directory, Confidence::Strong) };
            return Some(Find::At(place, why, confidence));
        }
        let inside: Vec<&PathBuf> = names.iter().filter(|path| is_within(path)).collect();
        match (inside.as_slice(), names) {
            ([], []) if *fate == Fate::Hidden => Some(Find::Remains(Reason::Hidden, Vec::new())),
            ([], []) => None,
            ([], [path, ..]) => {
                let path = platform::quoted(path);
                let text = format!("it was found at {path}, and was to be searched elsewhere");
                Some(Find::Remains(Reason::Other(text), Vec::new()))
            }
            ([path], [_]) => {
                let is_sure = is_only && identity.names == 1 && !is_backup(&identity.path, path);
                let confidence = if is_sure { Confidence::Exact } else { Confidence::Weak };
                Some(Find::At((*path).clone(), Why::Identity, confidence))
            }
            // Somebody said where to look.
            ([path], _) => Some(Find::At((*path).clone(), Why::Identity, Confidence::Strong)),
            (several, _) => {
                let candidate =
                    |path: &&PathBuf| Candidate { score: agreeing(&identity.path, path), path: (*path).clone() };
                let mut candidates: Vec<Candidate> = several.iter().map(candidate).collect();
                candidates.sort_by_key(|candidate| Reverse(candidate.score));
                candidates.truncate(TOLD);
                Some(Find::Remains(Reason::SeveralNames, candidates))
            }
        }
    }

    /// What has the recorded name in the recorded directory, where that is now, and is of the recorded kind.
    fn place_of(&self, record: &Record, identity: &Identity) -> Option<PathBuf> {
        let (_, Fate::At { path, .. }) = self.wanted.get(record.directory?)? else { return None };
        let path = path.join(identity.path.file_name()?);
        let there = identity::look(&path).ok()?;
        (there.kind == identity.kind).then_some(path)
    }

    /// Finds what is below directories that were recorded and found elsewhere, for links of which nothing was recorded, and
    /// what such a link led to, for others that led to the same path. Gives where these were and are.
    pub(super) fn carry_over(&self, lost: &[Lost], finds: &mut [Option<Find>]) -> Vec<Mapping> {
        // Of several records of one path, the newest speaks.
        let mut newest: HashMap<&Path, (i64, &Fate, &Identity)> = HashMap::new();
        for Record { key, seen, .. } in self.of.values() {
            let Some((identity, fate)) = self.wanted.get(*key) else { continue };
            let known = newest.entry(&identity.path).or_insert((*seen, fate, identity));
            if known.0 < *seen {
                *known = (*seen, fate, identity);
            }
        }
        let moved: HashMap<&Path, &Path> = newest
            .iter()
            .filter_map(|(old, (_, fate, _))| match fate {
                Fate::At { path, is_only: true } if path != old => Some((*old, path.as_path())),
                _ => None,
            })
            .collect();
        let mut mappings: Vec<Mapping> = Vec::new();
        let mut numbers: HashMap<&Path, usize> = HashMap::new();
        for (lost, find) in lost.iter().zip(finds) {
            let (None, Some(way)) = (&find, lost.way()) else { continue };
            let gone = way.wanted.ancestors().take(way.missing().count());
            let of = gone.clone().find_map(|path| newest.get(path)).filter(|(_, fate, _)| **fate == Fate::Away);
            if let Some((.., identity)) = of {
                *find = Some(away(identity));
                continue;
            }
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
        self.wanted.get(self.of.get(&number)?.key)
    }
}

/// That what was recorded is on a file system that is not mounted.
fn away(identity: &Identity) -> Find {
    let volume = described(&identity.file_system);
    Find::Remains(
        Reason::Other(format!("what was recorded is on a file system that is not mounted: {volume}")),
        Vec::new(),
    )
}

/// Whether a link is known by no other name.
fn has_one_name(link: &Path) -> bool {
    identity::look(link).is_ok_and(|found| found.links < 2)
}

/// Whether a file was put aside by somebody who wrote another in its place, as editors do.
fn is_backup(was: &Path, is: &Path) -> bool {
    let (Some(name), Some(now)) = (was.file_name(), is.file_name()) else { return false };
    let rest = now.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
    rest.is_some_and(|rest| [&b"~"[..], b".bak", b".orig", b".old"].contains(&rest))
}
