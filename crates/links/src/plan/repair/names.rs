//! Where a single target went, by what can be seen of it: its name, the names above it, its size, time and content.

use std::path::Path;

use super::catalog::{Searched, Spot};
use super::exact::Fate;
use super::lost::Way;
use super::{Candidate, Confidence, Find, Reason, Why};
use crate::model::FileKind;
use crate::read::identity::{Identity, Likeness};

/// So many candidates are looked at one by one; more, and their common name says nothing.
const MOST: usize = 1_000;
/// So many comparisons are made in all.
const WORK: usize = 20_000_000;
/// So many candidates are told that are not equally good.
pub(super) const TOLD: usize = 5;

pub(super) struct Names<'a> {
    pub(super) ground: &'a Searched<'a>,
    pub(super) work: usize,
}

impl Names<'_> {
    /// Looks for a target by its name, and by what was recorded of it.
    pub(super) fn look(&mut self, way: &Way, known: Option<(&Identity, &Fate)>) -> Find {
        let none = || Find::Remains(Reason::NotFound, Vec::new());
        let Some(name) = way.wanted.file_name() else { return none() };
        let Some(places) = self.ground.places.get(name) else { return none() };
        self.work += places.len();
        if places.len() > MOST || self.work > WORK {
            return Find::Remains(Reason::TooCommon, Vec::new());
        }
        let mut found: Vec<(usize, Spot)> = Vec::new();
        for spot in places {
            let kind = self.ground.catalog.kind_of(*spot);
            let fits = known.is_none_or(|(known, _)| kind.is_none_or(|kind| kind == known.kind));
            let directory = self.ground.catalog.path(spot.directory);
            // A link that leads nowhere itself is nothing to lead to.
            let leads = kind != Some(FileKind::Link) || self.ground.catalog.path_of(*spot).metadata().is_ok();
            if fits && leads && self.ground.allows(directory) {
                let above = way.wanted.parent().unwrap_or(Path::new("/"));
                found.push((1 + agreeing(above, directory), *spot));
            }
        }
        let directory = |spot: &Spot| self.ground.catalog.path(spot.directory);
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| directory(&a.1).cmp(directory(&b.1))));
        if let Some((known, fate)) = known.filter(|(known, _)| known.kind == FileKind::File) {
            let verdict = self.by_content(known, &found);
            // Of one that is gone, another may have taken the place.
            if !fate.is_gone() || !matches!(verdict, Find::Remains(Reason::OtherContent, _)) {
                return verdict;
            }
        }
        let told = |found: &[(usize, Spot)]| {
            let best = found.first().map_or(0, |(score, _)| *score);
            let equal = found.iter().take_while(|(score, _)| *score == best).count();
            let told = found.iter().take(equal.max(TOLD));
            told.map(|(score, spot)| Candidate { path: self.ground.catalog.path_of(*spot), score: *score }).collect()
        };
        match found.as_slice() {
            [] => none(),
            [(first, _), (second, _), ..] if first == second => Find::Remains(Reason::Ambiguous, told(&found)),
            [(score, spot), ..] => {
                let (why, confidence) = (Why::Name { components: *score }, Confidence::Weak);
                Find::At(self.ground.catalog.path_of(*spot), why, confidence)
            }
        }
    }

    /// Of a file that was recorded, only one that looks the same is taken.
    fn by_content(&self, known: &Identity, found: &[(usize, Spot)]) -> Find {
        let mut alike: Vec<(Likeness, Candidate)> = Vec::new();
        for (score, spot) in found {
            let path = self.ground.catalog.path_of(*spot);
            match known.likeness_at(&path) {
                None | Some(Likeness::Other) => {}
                Some(likeness) => alike.push((likeness, Candidate { path, score: *score })),
            }
        }
        let same = |likeness: &Likeness| *likeness == Likeness::Same;
        if alike.iter().any(|(likeness, _)| same(likeness)) {
            alike.retain(|(likeness, _)| same(likeness));
        }
        match alike.as_slice() {
            [] => Find::Remains(Reason::OtherContent, Vec::new()),
            [(likeness, only)] => {
                let why = if same(likeness) { Why::Content } else { Why::SizeAndTime };
                let confidence = if self.ground.catalog.is_whole { Confidence::Strong } else { Confidence::Weak };
                Find::At(only.path.clone(), why, confidence)
            }
            several => {
                let told = several.iter().map(|(_, candidate)| candidate.clone());
                Find::Remains(Reason::Ambiguous, told.collect())
            }
        }
    }
}

/// How many names at the end of two paths are the same.
pub(super) fn agreeing(one: &Path, other: &Path) -> usize {
    one.components().rev().zip(other.components().rev()).take_while(|(a, b)| a == b).count()
}
