//! Where whole directories went: one path for another that makes most of the links below it whole.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::catalog::Searched;
use super::lost::{Lost, Way};
use super::{Candidate, Confidence};
use crate::model::below;

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

/// What inference says of a link.
#[derive(Clone, Debug)]
pub(super) enum Inferred {
    /// It is mended by this mapping, and led to this path.
    By(usize, PathBuf),
    /// Several directories are equally good.
    Ambiguous(Vec<Candidate>),
}

/// More candidates than this are not counted out: the names that they share with what is looked for are everywhere.
const MOST_CANDIDATES: usize = 2_000;
/// So many first names are asked for: enough to tell candidates from the rest.
const MOST_FIRST: usize = 64;

pub(super) struct Infer<'a> {
    pub(super) ground: &'a Searched<'a>,
    pub(super) lost: &'a [Lost],
    pub(super) mappings: Vec<Mapping>,
    pub(super) verdicts: HashMap<usize, Inferred>,
}

/// Names that are wanted in one directory, and by which links.
pub(super) struct Ways<'w> {
    pub(super) directory: &'w Path,
    /// How many leading components of it are there.
    pub(super) there: usize,
    /// In order.
    pub(super) names: Vec<(&'w OsStr, usize)>,
}

impl<'w> Ways<'w> {
    /// Ways put together by the directory they lead into, in the order of these.
    pub(super) fn of(ways: &[(usize, &'w Way)]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut numbers: HashMap<(&Path, usize), usize> = HashMap::new();
        let mut last = 0;
        for (link, way) in ways {
            let (Some(directory), Some(name)) = (way.wanted.parent(), way.wanted.file_name()) else {
                continue;
            };
            // Links that stand together mostly lead to what stands together.
            let is_it = |one: &&mut Self| one.there == way.there && one.directory == directory;
            if let Some(one) = all.get_mut(last).filter(is_it) {
                one.names.push((name, *link));
                continue;
            }
            last = *numbers.entry((directory, way.there)).or_insert_with(|| {
                all.push(Self { directory, there: way.there, names: Vec::new() });
                all.len() - 1
            });
            if let Some(one) = all.get_mut(last) {
                one.names.push((name, *link));
            }
        }
        all.sort_unstable_by_key(|one| (one.directory, one.there));
        for one in &mut all {
            one.names.sort_unstable();
        }
        all
    }

    /// The names of the directory that are missing.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'w OsStr> + use<'w> {
        self.directory.components().skip(self.there).map(Component::as_os_str)
    }
}

/// Names that are wanted in a directory below one that is gone.
struct Rest<'w> {
    below: &'w Path,
    names: Vec<(&'w OsStr, usize)>,
}

/// The same without the links: each name once.
struct Distinct<'w> {
    in_each: Vec<(&'w Path, Vec<&'w OsStr>)>,
    count: usize,
}

impl<'w> Distinct<'w> {
    fn of(rests: &[Rest<'w>]) -> Self {
        let once = |rest: &Rest<'w>| {
            let mut names: Vec<&OsStr> = rest.names.iter().map(|(name, _)| *name).collect();
            names.dedup();
            (rest.below, names)
        };
        let in_each: Vec<_> = rests.iter().map(once).collect();
        let count = in_each.iter().map(|(_, names)| names.len()).sum();
        Self { in_each, count }
    }

    /// Those right below the directory, evenly picked where there are many.
    fn first(&self) -> Vec<&'w OsStr> {
        let mut first = BTreeSet::new();
        for (below, names) in &self.in_each {
            match below.components().next() {
                Some(directory) => drop(first.insert(directory.as_os_str())),
                None => first.extend(names),
            }
        }
        let step = first.len().div_ceil(MOST_FIRST).max(1);
        first.into_iter().step_by(step).collect()
    }

    /// How many there are with those of directories, these once: what there is to agree.
    fn and_directories(&self) -> usize {
        let directories: BTreeSet<&Path> = self.in_each.iter().flat_map(|(below, _)| below.ancestors()).collect();
        self.count + directories.len().saturating_sub(1)
    }
}

impl<'a> Infer<'a> {
    /// Looks for where the directories went that these ways led into.
    pub(super) fn run(&mut self, wanted: &[Ways<'a>]) {
        // By the first name that is missing. Where that is the target itself, no directory is gone.
        let mut groups: BTreeMap<PathBuf, Vec<Rest<'a>>> = BTreeMap::new();
        for one in wanted {
            let mut components = one.directory.components();
            let ground: PathBuf = components.by_ref().take(one.there).collect();
            if let Some(first) = components.next() {
                let rest = Rest { below: components.as_path(), names: one.names.clone() };
                groups.entry(ground.join(first)).or_default().push(rest);
            }
        }
        for (old, rests) in groups {
            self.group(&old, rests);
        }
        self.lead_to_roots(wanted);
    }

    /// A directory that went elsewhere may itself be a target. Where only what was in it went, up into a directory
    /// above it, it is not; nor is it the target of links in it, which would go round.
    fn lead_to_roots(&mut self, wanted: &[Ways<'a>]) {
        let went = |(_, mapping): &(usize, &Mapping)| !mapping.old.starts_with(&mapping.new);
        for (number, mapping) in self.mappings.iter().enumerate().filter(went) {
            let (parent, name) = (mapping.old.parent(), mapping.old.file_name());
            for one in wanted.iter().filter(|one| parent == Some(one.directory)) {
                let is_meant = |(wanted, link): &&(&OsStr, usize)| {
                    let lost = self.lost.get(*link);
                    name == Some(*wanted) && !lost.is_some_and(|lost| lost.link.starts_with(&mapping.new))
                };
                for (_, link) in one.names.iter().filter(is_meant) {
                    self.verdicts.entry(*link).or_insert_with(|| Inferred::By(number, mapping.new.clone()));
                }
            }
        }
    }

    fn group(&mut self, old: &Path, mut rests: Vec<Rest<'a>>) {
        let names = Distinct::of(&rests);
        // One name alone is found by its name.
        if names.count < 2 {
            return;
        }
        let counted = self.count(old, &names);
        let second = counted.get(1).map_or(0, |next| next.0);
        if let Some((best, new)) = counted.first().filter(|(best, _)| best * 2 >= names.count) {
            if second == *best {
                let tied = counted.iter().take_while(|(count, _)| count == best);
                let mut tied: Vec<&Path> = tied.map(|(_, new)| self.ground.catalog.path(*new)).collect();
                tied.sort_unstable();
                self.tie(&tied, &rests);
                return;
            }
            let new = self.ground.catalog.path(*new).to_owned();
            let confidence = confidence(old, &new, &names, *best, second, self.ground.catalog.is_whole);
            let links = |rests: &[Rest<'_>]| rests.iter().map(|rest| rest.names.len()).sum();
            let of = links(&rests);
            self.lead(&new, &mut rests);
            let mends = of - links(&rests);
            self.mappings.push(Mapping { old: old.to_owned(), new, mends, of, confidence });
        }
        // What is left may have gone elsewhere, directory by directory.
        let mut below: BTreeMap<&OsStr, Vec<Rest<'a>>> = BTreeMap::new();
        for Rest { below: way, names } in rests {
            let mut components = way.components();
            if let Some(next) = components.next()
                && !names.is_empty()
            {
                let rest = Rest { below: components.as_path(), names };
                below.entry(next.as_os_str()).or_default().push(rest);
            }
        }
        for (name, rests) in below {
            self.group(&old.join(name), rests);
        }
    }

    /// Leads links into the new place, as far as what they want is there; leaves the others.
    fn lead(&mut self, new: &Path, rests: &mut [Rest<'a>]) {
        let mapping = self.mappings.len();
        for rest in rests {
            let place = below(new, rest.below);
            let Some(directory) = self.ground.catalog.find(&place) else { continue };
            rest.names.retain(|(name, link)| {
                let held = self.ground.catalog.holds(directory, name);
                if held {
                    self.verdicts.insert(*link, Inferred::By(mapping, place.join(name)));
                }
                !held
            });
        }
    }

    /// Directories that hold ways of the one that is gone, and how many, the best first. Those behind the second are
    /// counted only so far; of those that can hold no more than half as many as the best, how many they can.
    fn count(&self, old: &Path, names: &Distinct<'_>) -> Vec<(usize, u32)> {
        let first = names.first();
        let mut hits: HashMap<u32, usize> = HashMap::new();
        for name in &first {
            for spot in self.ground.places.get(*name).into_iter().flatten() {
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
        // Most hold few of the directories: that is seen before any name is looked for.
        let mut candidates: Vec<(usize, u32)> = candidates
            .into_iter()
            .filter(|(_, directory)| {
                let path = self.ground.catalog.path(*directory);
                path != old && self.ground.allows(path)
            })
            .map(|(_, directory)| (self.at_most(directory, names), directory))
            .collect();
        candidates.sort_unstable_by_key(|(most, directory)| (Reverse(*most), *directory));
        let mut counted: Vec<(usize, u32)> = Vec::new();
        for (most, directory) in candidates {
            let [best, second] = [0, 1].map(|place| counted.get(place).map_or(0, |one: &(usize, u32)| one.0));
            // As a rival it is none, however many it holds: see `confidence`.
            let is_rival = most * 2 > best || best < 3;
            let found = if is_rival { self.mends(directory, names, second) } else { most };
            if found > 0 {
                counted.push((found, directory));
                counted.sort_unstable_by_key(|(count, directory)| (Reverse(*count), *directory));
            }
        }
        counted
    }

    /// The names that are wanted in directories that are below this one.
    fn at_most(&self, directory: u32, names: &Distinct<'_>) -> usize {
        let root = self.ground.catalog.path(directory);
        let mut path = PathBuf::new();
        let mut wanted = 0;
        for (way, names) in &names.in_each {
            path.clear();
            path.push(root);
            if !way.as_os_str().is_empty() {
                path.push(way);
            }
            wanted += if self.ground.catalog.has(&path) { names.len() } else { 0 };
        }
        wanted
    }

    /// How many names a directory makes whole; breaks off where they cannot be as many as `least` any more.
    fn mends(&self, directory: u32, names: &Distinct<'_>, least: usize) -> usize {
        let root = self.ground.catalog.path(directory);
        let (mut found, mut left) = (0, names.count);
        for (way, names) in &names.in_each {
            match self.ground.catalog.find(&below(root, way)) {
                None => left -= names.len(),
                Some(at) => {
                    for name in names {
                        found += usize::from(self.ground.catalog.holds(at, name));
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

    fn tie(&mut self, tied: &[&Path], rests: &[Rest<'_>]) {
        for rest in rests {
            let score = rest.below.components().count() + 1;
            let places = tied.iter().map(|directory| below(directory, rest.below));
            let places: Vec<(Option<u32>, PathBuf)> =
                places.map(|place| (self.ground.catalog.find(&place), place)).collect();
            for (name, link) in &rest.names {
                let holds = |at: &Option<u32>| at.is_some_and(|at| self.ground.catalog.holds(at, name));
                let holding = places.iter().filter(|(at, _)| holds(at));
                let candidates: Vec<_> =
                    holding.map(|(_, place)| Candidate { path: place.join(name), score }).collect();
                // What none of them has, or one alone, is found by its name.
                if candidates.len() > 1 {
                    self.verdicts.insert(*link, Inferred::Ambiguous(candidates));
                }
            }
        }
    }
}

/// How sure it is that a directory went there: strong where enough names agree, nearly all of them do, and no other
/// directory comes near.
fn confidence(old: &Path, new: &Path, names: &Distinct<'_>, best: usize, second: usize, is_whole: bool) -> Confidence {
    let all = names.count;
    let same_name = old.file_name() == new.file_name();
    let enough = names.and_directories() >= 5 || same_name && names.and_directories() >= 3;
    let nearly_all = best * 10 >= all * 8;
    // One that holds every name is told from one that lacks some; of two that both lack some, either may be it.
    let clear = if best == all { best - second >= 2.max(all / 100) } else { second * 2 <= best };
    if enough && nearly_all && clear && is_whole { Confidence::Strong } else { Confidence::Weak }
}
