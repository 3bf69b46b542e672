//! Where whole directories went: one path for another that makes most of the links below it whole.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::catalog::{Catalog, Spot};
use super::lost::Way;
use super::{Candidate, Confidence};

/// A directory that went to another place, as far as the links show that led into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Where it was.
    pub old: PathBuf,
    /// Where it seems to be now.
    pub new: PathBuf,
    /// How many links it mends.
    pub mends: usize,
    /// How many links led into it.
    pub of: usize,
    /// How sure that is.
    pub confidence: Confidence,
}

impl Mapping {
    /// Where a way into the old place leads in the new one.
    pub(super) fn place_of(&self, way: &Way) -> Option<PathBuf> {
        Some(self.new.join(way.wanted.strip_prefix(&self.old).ok()?))
    }
}

/// What inference says of a link.
#[derive(Clone, Debug)]
pub(super) enum Inferred {
    /// It is mended by this mapping.
    By(usize),
    /// Several directories are equally good.
    Ambiguous(Vec<Candidate>),
}

/// More candidates than this are not counted out: the names that they share with what is looked for are everywhere.
const MOST_CANDIDATES: usize = 2_000;
/// So many first names are asked for: enough to tell candidates from the rest.
const MOST_FIRST: usize = 64;

pub(super) struct Infer<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) places: &'a HashMap<&'a OsStr, Vec<Spot>>,
    pub(super) allowed: &'a dyn Fn(&Path) -> bool,
    pub(super) mappings: Vec<Mapping>,
    pub(super) verdicts: HashMap<usize, Inferred>,
}

/// The distinct ways below a directory that is gone: names by the directory they are in.
struct Rests<'w> {
    by_directory: BTreeMap<&'w Path, BTreeSet<&'w OsStr>>,
    count: usize,
}

impl<'w> Rests<'w> {
    fn of(old: &Path, ways: &[(usize, &'w Way)]) -> Self {
        let mut by_directory: BTreeMap<&Path, BTreeSet<&OsStr>> = BTreeMap::new();
        for (_, way) in ways {
            if let Ok(rest) = way.wanted.strip_prefix(old)
                && let (Some(parent), Some(name)) = (rest.parent(), rest.file_name())
            {
                by_directory.entry(parent).or_default().insert(name);
            }
        }
        let count = by_directory.values().map(BTreeSet::len).sum();
        Self { by_directory, count }
    }

    /// The names right below the directory, evenly picked where there are many.
    fn first(&self) -> Vec<&'w OsStr> {
        let mut names = BTreeSet::new();
        for (directory, below) in &self.by_directory {
            match directory.components().next() {
                Some(first) => drop(names.insert(first.as_os_str())),
                None => names.extend(below),
            }
        }
        let step = names.len().div_ceil(MOST_FIRST).max(1);
        names.into_iter().step_by(step).collect()
    }

    /// How many names there are in all, those of directories once: what there is to agree.
    fn names(&self) -> usize {
        let directories: BTreeSet<&Path> =
            self.by_directory.keys().flat_map(|path| path.ancestors()).collect();
        self.count + directories.len().saturating_sub(1)
    }
}

impl<'a> Infer<'a> {
    /// Looks for where the directories went that these links led into.
    pub(super) fn run(&mut self, ways: &[(usize, &'a Way)]) {
        let mut groups: BTreeMap<PathBuf, Vec<(usize, &Way)>> = BTreeMap::new();
        for (link, way) in ways {
            if let Some(first) = way.missing().next() {
                groups.entry(way.ground().join(first)).or_default().push((*link, way));
            }
        }
        for (old, members) in groups {
            self.group(&old, members);
        }
    }

    fn group(&mut self, old: &Path, mut ways: Vec<(usize, &'a Way)>) {
        ways.retain(|(_, way)| way.wanted != old);
        let rests = Rests::of(old, &ways);
        // One name alone is found by its name.
        if rests.count < 2 {
            return;
        }
        let counted = self.count(old, &rests);
        if let Some(((best, new), second)) =
            counted.first().zip(Some(counted.get(1).map_or(0, |next| next.0)))
            && best * 2 >= rests.count
        {
            if second == *best {
                let tied: Vec<u32> =
                    counted.iter().take_while(|(count, _)| count == best).map(|(_, new)| *new).collect();
                self.tie(old, &tied, &ways);
                return;
            }
            let new = self.catalog.path(*new).to_owned();
            let confidence = confidence(old, &new, &rests, *best, second, self.catalog.is_whole);
            let number = self.mappings.len();
            let of = ways.len();
            ways.retain(|(link, way)| {
                let held = way.wanted.strip_prefix(old).is_ok_and(|rest| self.holds(&new, rest));
                if held {
                    self.verdicts.insert(*link, Inferred::By(number));
                }
                !held
            });
            let mends = of - ways.len();
            self.mappings.push(Mapping { old: old.to_owned(), new, mends, of, confidence });
        }
        // What is left may have gone elsewhere, directory by directory.
        let mut below: BTreeMap<PathBuf, Vec<(usize, &Way)>> = BTreeMap::new();
        for (link, way) in ways {
            let next = way.wanted.strip_prefix(old).ok().and_then(|rest| rest.components().next());
            if let Some(next) = next {
                below.entry(old.join(next)).or_default().push((link, way));
            }
        }
        for (old, members) in below {
            self.group(&old, members);
        }
    }

    /// Directories that hold ways of the one that is gone, and how many, the best first. Those behind the second are
    /// counted only so far.
    fn count(&self, old: &Path, rests: &Rests<'_>) -> Vec<(usize, u32)> {
        let first = rests.first();
        let mut hits: HashMap<u32, usize> = HashMap::new();
        for name in &first {
            for spot in self.places.get(*name).into_iter().flatten() {
                *hits.entry(spot.directory).or_default() += 1;
            }
        }
        let mut candidates: Vec<(usize, u32)> = hits
            .into_iter()
            .filter(|(_, hits)| hits * 2 >= first.len())
            .map(|(directory, hits)| (hits, directory))
            .collect();
        candidates.sort_unstable_by_key(|(hits, directory)| (Reverse(*hits), *directory));
        candidates.truncate(MOST_CANDIDATES);
        let mut counted: Vec<(usize, u32)> = Vec::new();
        let mut second = 0;
        for (_, directory) in candidates {
            let path = self.catalog.path(directory);
            if path == old || !(self.allowed)(path) {
                continue;
            }
            let found = self.mends(directory, rests, second);
            if found > 0 {
                counted.push((found, directory));
                counted.sort_unstable_by_key(|(count, directory)| (Reverse(*count), *directory));
                second = counted.get(1).map_or(0, |next| next.0);
            }
        }
        counted
    }

    /// How many ways a directory makes whole; breaks off where they cannot be as many as `least` any more.
    fn mends(&self, directory: u32, rests: &Rests<'_>, least: usize) -> usize {
        let root = self.catalog.path(directory);
        let (mut found, mut left) = (0, rests.count);
        for (below, names) in &rests.by_directory {
            let at = if below.as_os_str().is_empty() {
                Some(directory)
            } else {
                self.catalog.find(&root.join(below))
            };
            match at {
                None => left -= names.len(),
                Some(at) => {
                    for name in names {
                        found += usize::from(self.catalog.holds(at, name));
                        left -= 1;
                        if found + left < least {
                            return found;
                        }
                    }
                }
            }
            if found + left < least {
                return found;
            }
        }
        found
    }

    fn holds(&self, root: &Path, rest: &Path) -> bool {
        let Some(name) = rest.file_name() else { return false };
        let directory = root.join(rest.parent().unwrap_or(Path::new("")));
        // Without a slash at its end, which an empty rest would leave.
        let directory: PathBuf = directory.components().collect();
        self.catalog.find(&directory).is_some_and(|directory| self.catalog.holds(directory, name))
    }

    fn tie(&mut self, old: &Path, tied: &[u32], ways: &[(usize, &Way)]) {
        for (link, way) in ways {
            let Ok(rest) = way.wanted.strip_prefix(old) else { continue };
            let roots = tied.iter().map(|directory| self.catalog.path(*directory));
            let holding = roots.filter(|root| self.holds(root, rest));
            let score = rest.components().count();
            let candidates = holding.map(|root| Candidate { path: root.join(rest), score }).collect();
            self.verdicts.insert(*link, Inferred::Ambiguous(candidates));
        }
    }
}

/// How sure it is that a directory went there: strong where enough names agree, nearly all of them do, and no other
/// directory comes near.
fn confidence(
    old: &Path,
    new: &Path,
    rests: &Rests<'_>,
    best: usize,
    second: usize,
    is_whole: bool,
) -> Confidence {
    let all = rests.count;
    let same_name = old.file_name() == new.file_name();
    let enough = rests.names() >= 5 || same_name && rests.names() >= 3;
    let nearly_all = best * 10 >= all * 8;
    // One that holds every name is told from one that lacks some; of two that both lack some, either may be it.
    let clear = if best == all { best - second >= 2.max(all / 100) } else { second * 2 <= best };
    if enough && nearly_all && clear && is_whole { Confidence::Strong } else { Confidence::Weak }
}
