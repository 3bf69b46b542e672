//! The entries of directories that were read, to look for names and numbers in without asking the system again.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::in_parallel;
use crate::error::Error;
use crate::model::{FileKind, Link};
use crate::platform;
use crate::read::scan::{Found, KindFilter, Progress, Reader, Receiver, Roll, ScanItem, ScanOptions, visit_all};

/// More entries than this are not kept: looking farther would take longer than it helps, and the memory of a whole
/// disk of names.
const MOST: u64 = 4_000_000;
/// And more than these are not read in search of what is missing, unless somebody says where.
pub(super) const NEAR: u64 = 1_000_000;

/// Directories, by their full paths.
#[derive(Default)]
pub(super) struct Catalog {
    directories: Vec<Listed>,
    /// By their bytes: all of them are spelt one way.
    at: HashMap<OsString, u32>,
    /// Whether everything that was asked for is in it.
    pub(super) is_whole: bool,
    entries: u64,
    /// Where reading began.
    roots: Vec<PathBuf>,
}

struct Listed {
    path: PathBuf,
    roll: Roll,
    /// The entries in the order of their names, once they are looked for.
    sorted: OnceLock<Vec<u32>>,
}

/// A place in the catalog: a directory, and an entry of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) directory: u32,
    entry: u32,
}

/// A catalog in which names were looked up.
pub(super) struct Searched<'a> {
    pub(super) catalog: &'a Catalog,
    /// Where each name stands.
    pub(super) places: HashMap<&'a OsStr, Vec<Spot>>,
    /// Where alone to look; empty, everywhere.
    pub(super) within: &'a [PathBuf],
}

impl Searched<'_> {
    pub(super) fn allows(&self, path: &Path) -> bool {
        self.within.is_empty() || self.within.iter().any(|root| path.starts_with(root))
    }
}

/// What a walk gave besides the catalog.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) links: Vec<Link>,
    pub(super) errors: Vec<Error>,
}

impl Catalog {
    /// One that nothing was left out of yet.
    pub(super) fn new() -> Self {
        Self { is_whole: true, ..Self::default() }
    }

    /// Reads trees, keeps their entries, and gives the links in them that the filter wants. Of too many entries
    /// the rest is not kept; with a limit, it breaks off there.
    pub(super) fn read(&mut self, options: &ScanOptions, limit: Option<u64>, progress: &Progress) -> Walked {
        let kept = AtomicU64::new(self.entries);
        let most = limit.map_or(MOST, |limit| self.entries + limit);
        let keepers = visit_all(options, progress, || Keeper {
            kept: &kept,
            most,
            breaks_off: limit.is_some(),
            over: false,
            rolls: Vec::new(),
            walked: Walked::default(),
        });
        let mut walked = Walked::default();
        for keeper in keepers {
            walked.links.extend(keeper.walked.links);
            walked.errors.extend(keeper.walked.errors);
            self.is_whole &= !keeper.over;
            for (path, roll) in keeper.rolls {
                if !self.has(&path) {
                    let number = u32::try_from(self.directories.len()).unwrap_or(u32::MAX);
                    self.at.insert(path.clone().into_os_string(), number);
                    self.directories.push(Listed { path, roll, sorted: OnceLock::new() });
                }
            }
        }
        self.entries = kept.into_inner();
        self.roots.extend(options.roots.iter().cloned());
        walked
    }

    /// Reads trees for their entries alone. Gives how many directories could not be read.
    pub(super) fn search(
        &mut self,
        roots: Vec<PathBuf>,
        like: &ScanOptions,
        limit: Option<u64>,
        progress: &Progress,
    ) -> usize {
        let mut options = entries_alone(like, roots);
        options.known = self.roots.clone();
        self.read(&options, limit, progress).errors.len()
    }

    /// Whether a directory is in it.
    pub(super) fn has(&self, directory: &Path) -> bool {
        self.at.contains_key(directory.as_os_str())
    }

    pub(super) fn path(&self, directory: u32) -> &Path {
        self.listed(directory).map_or(Path::new(""), |listed| &listed.path)
    }

    fn listed(&self, directory: u32) -> Option<&Listed> {
        self.directories.get(directory as usize)
    }

    /// The full path of a place.
    pub(super) fn path_of(&self, spot: Spot) -> PathBuf {
        let name = self.listed(spot.directory).and_then(|listed| listed.roll.get(spot.entry as usize));
        let name = name.map(|(name, _)| platform::from_bytes(name.to_vec())).unwrap_or_default();
        self.path(spot.directory).join(name)
    }

    pub(super) fn kind_of(&self, spot: Spot) -> Option<FileKind> {
        self.listed(spot.directory)?.roll.get(spot.entry as usize).map(|(_, kind)| kind)
    }

    /// Where each of these names stands.
    pub(super) fn places<'n>(&self, names: &HashSet<&'n OsStr>) -> HashMap<&'n OsStr, Vec<Spot>> {
        let numbers: HashMap<&[u8], usize> =
            names.iter().enumerate().map(|(number, name)| (name.as_encoded_bytes(), number)).collect();
        let found = in_parallel((0..).zip(&self.directories).collect(), |directories| {
            let mut found = Vec::new();
            for (directory, listed) in directories {
                for (entry, (name, ..)) in (0..).zip(listed.roll.iter()) {
                    if let Some(number) = numbers.get(name) {
                        found.push((*number, Spot { directory, entry }));
                    }
                }
            }
            found
        });
        let mut places: Vec<Vec<Spot>> = names.iter().map(|_| Vec::new()).collect();
        for (number, spot) in found {
            if let Some(places) = places.get_mut(number) {
                places.push(spot);
            }
        }
        names.iter().copied().zip(places).collect()
    }

    /// Where the lower halves of these numbers stand.
    pub(super) fn numbers(&self, wanted: &HashSet<u64>) -> Vec<(u64, Spot)> {
        let mut found = Vec::new();
        for (directory, listed) in (0..).zip(&self.directories) {
            for (entry, (_, _, number)) in (0..).zip(listed.roll.iter()) {
                if wanted.contains(&number) {
                    found.push((number, Spot { directory, entry }));
                }
            }
        }
        found
    }

    /// A directory by its path.
    pub(super) fn find(&self, path: &Path) -> Option<u32> {
        self.at.get(path.as_os_str()).copied()
    }

    /// Whether a directory has an entry of a name, other than a link that leads nowhere.
    pub(super) fn holds(&self, directory: u32, name: &OsStr) -> bool {
        let Some(listed) = self.listed(directory) else { return false };
        let roll = &listed.roll;
        let name_at = |index: &u32| roll.get(*index as usize).map_or(&[][..], |(name, _)| name);
        let sorted = listed.sorted.get_or_init(|| {
            let mut sorted: Vec<u32> = (0..).take(roll.len()).collect();
            sorted.sort_unstable_by(|a, b| name_at(a).cmp(name_at(b)));
            sorted
        });
        let found = sorted.binary_search_by(|index| name_at(index).cmp(name.as_encoded_bytes()));
        let entry = found.ok().and_then(|place| sorted.get(place)).and_then(|entry| roll.get(*entry as usize));
        // A link that leads nowhere itself is nothing to lead to: links are often called like their targets.
        entry.is_some_and(|(_, kind)| kind != FileKind::Link || listed.path.join(name).metadata().is_ok())
    }
}

/// How trees are read for their entries alone, each on its own file system.
pub(super) fn entries_alone(like: &ScanOptions, roots: Vec<PathBuf>) -> ScanOptions {
    let mut options = ScanOptions { roots, one_file_system: true, max_depth: None, ..like.clone() };
    options.filter.kinds = vec![KindFilter::NONE];
    options.filter.states = Vec::new();
    options
}

struct Keeper<'a> {
    kept: &'a AtomicU64,
    most: u64,
    breaks_off: bool,
    over: bool,
    rolls: Vec<(PathBuf, Roll)>,
    walked: Walked,
}

impl Receiver for Keeper<'_> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        match item {
            Ok(Found::Link(link)) => self.walked.links.push(link),
            Ok(_) => {}
            Err(error) => self.walked.errors.push(error),
        }
        ControlFlow::Continue(())
    }
}

impl Reader for Keeper<'_> {
    const ROLLS: bool = true;

    fn roll(&mut self, path: &Path, roll: Roll) -> ControlFlow<()> {
        let added = u64::try_from(roll.len()).unwrap_or(u64::MAX);
        if self.kept.fetch_add(added, Ordering::Relaxed) > self.most {
            self.over = true;
            return if self.breaks_off { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        self.rolls.push((path.to_owned(), roll));
        ControlFlow::Continue(())
    }
}
