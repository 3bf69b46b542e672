//! Where targets may have gone that nobody recorded, or that are not the recorded ones any more.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::catalog::{Catalog, NEAR};
use super::exact::Fate;
use super::infer::{Infer, Inferred, Mapping};
use super::known::Known;
use super::lost::{Lost, Way};
use super::names::{Names, Verdict};
use super::{Find, Reason, Why};
use crate::platform::Directory;
use crate::scan::{Progress, ScanOptions};

/// So often the search goes one directory higher, where nothing was found below.
const WIDER: usize = 2;

pub(super) struct Evidence<'a> {
    pub(super) lost: &'a [Lost],
    pub(super) known: &'a Known,
    /// Where alone to look; empty, near what is missing.
    pub(super) search: Vec<PathBuf>,
    pub(super) options: &'a ScanOptions,
    pub(super) mappings: Vec<Mapping>,
}

impl Evidence<'_> {
    /// Looks for what is not found yet: first in what was read already and from the deepest directories that are there,
    /// then from those above. Gives how many directories could not be read.
    pub(super) fn look(
        &mut self,
        catalog: &mut Catalog,
        finds: &mut [Option<Find>],
        progress: &Progress,
    ) -> usize {
        let mut unread = 0;
        for ring in 0..=WIDER {
            let ways: Vec<(usize, &Way)> = self
                .lost
                .iter()
                .enumerate()
                .filter(|(number, _)| finds.get(*number).is_some_and(is_open))
                .filter_map(|(number, lost)| Some((number, lost.way()?)))
                .collect();
            if ways.is_empty() || ring > 0 && !self.search.is_empty() {
                break;
            }
            let roots = if self.search.is_empty() { grounds(&ways, ring) } else { self.search.clone() };
            let mut new: Vec<PathBuf> = roots.into_iter().filter(|root| !catalog.has(root)).collect();
            new.sort();
            new.dedup_by(|inner, outer| inner.starts_with(outer));
            if new.is_empty() && ring > 0 {
                break;
            }
            if !new.is_empty() {
                let limit = self.search.is_empty().then_some(NEAR);
                unread += catalog.search(new, self.options, limit, progress);
            }
            self.judge(catalog, &ways, finds);
        }
        unread
    }

    fn judge(&mut self, catalog: &Catalog, ways: &[(usize, &Way)], finds: &mut [Option<Find>]) {
        let search = &self.search;
        let allowed =
            move |path: &Path| search.is_empty() || search.iter().any(|root| path.starts_with(root));
        let names: HashSet<&OsStr> = ways.iter().flat_map(|(_, way)| way.missing()).collect();
        let places = catalog.places(&names);
        let first = self.mappings.len();
        let mut infer = Infer {
            catalog,
            places: &places,
            allowed: &allowed,
            mappings: Vec::new(),
            verdicts: std::collections::HashMap::new(),
        };
        // What was recorded, and lives, is not looked for by what it is called.
        let gone = |number: usize| !matches!(self.known.get(number), Some((_, Fate::Gone)));
        let untold: Vec<(usize, &Way)> = ways.iter().filter(|(number, _)| gone(*number)).copied().collect();
        infer.run(&untold);
        let Infer { mappings, mut verdicts, .. } = infer;
        let mut by_name = Names { catalog, places: &places, allowed: &allowed, work: 0 };
        for (number, way) in ways {
            let find = match verdicts.remove(number) {
                Some(Inferred::By(mapping)) => mappings.get(mapping).and_then(|found| {
                    let rest = way.wanted.strip_prefix(&found.old).ok()?;
                    Some(Find::At(found.new.join(rest), Why::Inferred(first + mapping), found.confidence))
                }),
                Some(Inferred::Ambiguous(candidates)) => Some(Find::Remains(Reason::Ambiguous, candidates)),
                None => None,
            };
            let known = self.known.get(*number);
            let find = find.unwrap_or_else(|| match by_name.look(way, known.map(|(identity, _)| identity)) {
                Verdict::At(path, why, confidence) => Find::At(path, why, confidence),
                Verdict::Remains(reason, candidates) => Find::Remains(reason, candidates),
            });
            if let Some(place) = finds.get_mut(*number) {
                *place = Some(find);
            }
        }
        self.mappings.extend(mappings);
    }
}

/// Whether it is worth looking farther for a link.
fn is_open(find: &Option<Find>) -> bool {
    matches!(find, None | Some(Find::Remains(Reason::NotFound | Reason::OtherContent, _)))
}

/// The deepest directories that are there of each way, or so many above them on the same file system.
fn grounds(ways: &[(usize, &Way)], above: usize) -> Vec<PathBuf> {
    let grounds: HashSet<PathBuf> = ways.iter().map(|(_, way)| way.ground()).collect();
    let higher = |path: PathBuf| {
        let device = |path: &Path| {
            Directory::open(path).and_then(|opened| opened.metadata()).map(|found| found.id.volume()).ok()
        };
        let mut highest = path.clone();
        for wider in path.ancestors().take(above + 1) {
            if device(wider) != device(&path) {
                break;
            }
            wider.clone_into(&mut highest);
        }
        highest
    };
    grounds.into_iter().map(higher).collect()
}
