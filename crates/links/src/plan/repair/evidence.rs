//! Where targets may have gone that nobody recorded, or that are not the recorded ones any more.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::catalog::{Catalog, NEAR, Searched};
use super::exact::device_of;
use super::infer::{Infer, Inferred, Mapping, Ways};
use super::known::Known;
use super::lost::{Lost, Way};
use super::names::Names;
use super::{Confidence, Find, Reason, Why};
use crate::platform::{self, Directory};
use crate::read::identity::Likeness;
use crate::read::scan::{Progress, ScanOptions};

/// So many directories higher than what is there of a way the search begins.
const WIDER: usize = 2;

pub(super) struct Evidence<'a> {
    pub(super) lost: &'a [Lost],
    pub(super) known: &'a Known,
    /// Where alone to look; empty, near what is missing.
    pub(super) search: Vec<PathBuf>,
    pub(super) options: &'a ScanOptions,
    pub(super) mappings: Vec<Mapping>,
    /// How many finds lie in the hands of others.
    pub(super) distrusted: usize,
}

impl Evidence<'_> {
    /// Looks for what is not found yet: in what was read already, and below the directories that are there of each way,
    /// or those a little above. All of it at once, so that nothing near hides what fits better farther off. Gives how
    /// many directories could not be read.
    pub(super) fn look(&mut self, catalog: &mut Catalog, finds: &mut [Option<Find>], progress: &Progress) -> usize {
        let unfound = self.lost.iter().zip(&*finds).enumerate().filter(|(_, (_, find))| find.is_none());
        let ways: Vec<(usize, &Way)> = unfound.filter_map(|(number, (lost, _))| Some((number, lost.way()?))).collect();
        if ways.is_empty() {
            return 0;
        }
        let wanted = Ways::of(&ways);
        let mut roots = if self.search.is_empty() { grounds(&wanted) } else { self.search.clone() };
        roots.retain(|root| !catalog.has(root));
        roots.sort();
        roots.dedup_by(|inner, outer| inner.starts_with(outer));
        let limit = self.search.is_empty().then_some(NEAR);
        let unread = if roots.is_empty() { 0 } else { catalog.search(roots, self.options, limit, progress) };
        self.judge(catalog, &ways, &wanted, finds);
        unread
    }

    fn judge<'a>(
        &mut self,
        catalog: &'a Catalog,
        ways: &[(usize, &'a Way)],
        wanted: &[Ways<'a>],
        finds: &mut [Option<Find>],
    ) {
        let names = |one: &Ways<'a>| one.missing().chain(one.names.iter().map(|(name, _)| *name)).collect::<Vec<_>>();
        let names: HashSet<&OsStr> = wanted.iter().flat_map(names).collect();
        let ground = Searched { catalog, places: catalog.places(&names), within: &self.search };
        let first = self.mappings.len();
        let mut infer = Infer { ground: &ground, lost: self.lost, mappings: Vec::new(), verdicts: HashMap::new() };
        infer.run(wanted);
        let Infer { mut mappings, mut verdicts, .. } = infer;
        self.hold_to_records(&mut mappings, &mut verdicts);
        let mut by_name = Names { ground: &ground, work: 0 };
        let mut trust = Trust::default();
        let moved: HashSet<&Path> = mappings.iter().map(|mapping| mapping.new.as_path()).collect();
        for (number, way) in ways {
            let known = self.known.get(*number);
            let find = match verdicts.remove(number) {
                Some(Inferred::By(mapping, path)) => {
                    mappings.get(mapping).map(|found| Find::At(path, Why::Inferred(first + mapping), found.confidence))
                }
                Some(Inferred::Ambiguous(candidates)) => Some(Find::Remains(Reason::Ambiguous, candidates)),
                None => None,
            };
            let mut find = find.unwrap_or_else(|| by_name.look(way, known));
            let owner = self.lost.get(*number).map_or(0, |lost| lost.seen.attributes.uid);
            if let Find::At(path, _, confidence @ Confidence::Strong) = &mut find
                && trust.is_of_others(directory_of(path, &moved), owner, way)
            {
                *confidence = Confidence::Weak;
                self.distrusted += 1;
            }
            if let Some(place) = finds.get_mut(*number) {
                *place = Some(find);
            }
        }
        self.mappings.extend(mappings);
    }

    /// Of what was recorded, names are not enough: a file must look as it did. A mapping that leads such links to
    /// other files is a guess for all others, too.
    fn hold_to_records(&self, mappings: &mut [Mapping], verdicts: &mut HashMap<usize, Inferred>) {
        let agrees = |likeness: Likeness| likeness != Likeness::Other;
        let mut told: HashMap<usize, (usize, usize)> = HashMap::new();
        verdicts.retain(|number, verdict| {
            let (Some((known, _)), Inferred::By(by, path)) = (self.known.get(*number), verdict) else {
                return true;
            };
            let Some(mapping) = mappings.get_mut(*by) else { return true };
            let (agreeing, others) = told.entry(*by).or_default();
            let is_like = known.likeness_at(path).is_some_and(agrees);
            *(if is_like { agreeing } else { others }) += 1;
            mapping.mends -= usize::from(!is_like);
            is_like
        });
        for (by, (agreeing, others)) in told {
            // A file may have been written to since; many are others.
            if let Some(mapping) = mappings.get_mut(by).filter(|_| others * 10 > agreeing) {
                mapping.confidence = Confidence::Weak;
            }
        }
    }
}

/// The directory that somebody laid out for a path to be found: itself, where it is one that others were found in.
fn directory_of<'p>(path: &'p Path, moved: &HashSet<&Path>) -> &'p Path {
    if moved.contains(path) { path } else { path.parent().unwrap_or(path) }
}

/// In whose hands directories are: anybody can lay out names. The last answer is kept.
#[derive(Default)]
struct Trust {
    asked: Option<(PathBuf, u32, PathBuf, bool)>,
}

impl Trust {
    /// Whether a directory is in the hands of others than this user, the link's owner, and whoever has the directory in
    /// which the way of the link is still there: he could have laid out what was on it before.
    fn is_of_others(&mut self, directory: &Path, owner: u32, way: &Way) -> bool {
        let ground = way.ground();
        match &self.asked {
            Some((of, who, on, answer)) if of == directory && *who == owner && on == ground => *answer,
            _ => {
                let host = Directory::open(ground).and_then(|opened| opened.metadata());
                let host = host.map_or(owner, |found| found.attributes.uid);
                let answer = platform::is_of_others(directory, [owner, host]);
                self.asked = Some((directory.to_owned(), owner, ground.to_owned(), answer));
                answer
            }
        }
    }
}

/// The deepest directories that are there of each way, or those a little above on the same file system; never the root
/// of all, unless nothing else is there.
fn grounds(wanted: &[Ways<'_>]) -> Vec<PathBuf> {
    let ground = |one: &Ways<'_>| one.directory.components().take(one.there).collect();
    let grounds: HashSet<PathBuf> = wanted.iter().map(ground).collect();
    let higher = |path: PathBuf| {
        let here = device_of(&path);
        let wider = path.ancestors().take(WIDER + 1);
        let near = wider.take_while(|wider| wider.parent().is_some() && device_of(wider) == here).last();
        near.map_or_else(|| path.clone(), Path::to_owned)
    };
    grounds.into_iter().map(higher).collect()
}
