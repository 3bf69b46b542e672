//! What was found is tried from each link's own directory, and becomes a step, or a reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::exact::Fate;
use super::known::Known;
use super::lost::{Fault, Lost};
use super::retarget::{Form, Home};
use super::roots::Roots;
use super::{Confidence, Find, Mend, Reason, Repair, RepairSpec, Verdict, Why, in_parallel};
use crate::model::{FileId, Target, below};
use crate::plan::Step;
use crate::platform::{self, Directory};
use crate::read::scan::ScanOptions;

pub(super) struct Ground<'a> {
    pub(super) spec: &'a RepairSpec,
    pub(super) roots: &'a Roots,
    pub(super) options: &'a ScanOptions,
    /// Where maps would have led, had anything been there.
    pub(super) mapped: &'a [(usize, PathBuf)],
    pub(super) known: &'a Known,
}

/// What came of some of the links.
#[derive(Default)]
struct Settled {
    mends: Vec<Mend>,
    steps: Vec<Step>,
    /// Where the link of each step will lead.
    places: Vec<PathBuf>,
    by: Vec<By>,
}

/// A link that leads by another.
struct By {
    mend: usize,
    link: PathBuf,
    other: PathBuf,
    /// The names behind the other, where these are known.
    rest: Option<PathBuf>,
}

/// Makes the plan of a repair, and says what becomes of each link.
pub(super) fn settle(ground: &Ground<'_>, lost: Vec<Lost>, finds: Vec<Option<Find>>) -> Repair {
    let mapped: HashMap<usize, &PathBuf> = ground.mapped.iter().map(|(number, path)| (*number, path)).collect();
    let items: Vec<_> =
        lost.into_iter().zip(finds).enumerate().map(|(number, (lost, find))| (number, lost, find)).collect();
    let parts = in_parallel(items, |items| {
        let mut settled = Settled { mends: Vec::with_capacity(items.len()), ..Settled::default() };
        let mut home = None;
        for (number, lost, find) in items {
            let refused = |text: String| (Reason::Other(text), Vec::new());
            let (reason, candidates) = match (find, mapped.get(&number)) {
                (Some(Find::At(to, why, confidence)), _) => match attempt(ground, &lost, &to, &mut home) {
                    Ok(new) => {
                        settled.found(ground, lost, new, (to, why, confidence));
                        continue;
                    }
                    Err(refusal) => refused(refusal),
                },
                (_, Some(path)) => {
                    let path = platform::quoted(path);
                    refused(format!("by its map it would lead to {path}, which is not there"))
                }
                (Some(Find::Remains(reason, candidates)), None) if !candidates.is_empty() => (reason, candidates),
                (find, None) => (fate(ground.known, number, find), Vec::new()),
            };
            settled.remains(ground, lost, reason, candidates);
        }
        vec![settled]
    });
    let mut all = parts.into_iter();
    let mut settled = all.next().unwrap_or_default();
    all.for_each(|part| settled.append(part));
    settled.by_others()
}

impl Settled {
    fn found(
        &mut self,
        ground: &Ground<'_>,
        lost: Lost,
        (new, object): (Target, FileId),
        (to, why, confidence): (PathBuf, Why, Confidence),
    ) {
        let (old, link) = (lost.seen.target.clone(), ground.roots.shown(&lost.link));
        let is_sure = confidence >= ground.spec.min_confidence;
        let step = is_sure.then(|| {
            self.steps.push(Step::retarget(lost.link.into(), lost.seen, new.clone(), Some(object)));
            self.places.push(to);
            self.steps.len() - 1
        });
        let verdict = Verdict::Found { new, why, confidence, step };
        self.mends.push(Mend { link, kind: old.kind(), old, verdict });
    }

    fn remains(&mut self, ground: &Ground<'_>, lost: Lost, reason: Reason, candidates: Vec<super::Candidate>) {
        let (old, link) = (lost.seen.target, ground.roots.shown(&lost.link));
        let reason = match (reason, lost.fault) {
            (reason, Fault::By(other, rest)) => {
                self.by.push(By { mend: self.mends.len(), link: lost.link, other, rest });
                reason
            }
            (Reason::NotFound, Fault::Other(text)) => Reason::Other(text),
            (reason, _) => reason,
        };
        let verdict = Verdict::Remains { reason, candidates };
        self.mends.push(Mend { link, kind: old.kind(), old, verdict });
    }

    fn append(&mut self, mut other: Self) {
        let (mends, steps) = (self.mends.len(), self.steps.len());
        for mend in &mut other.mends {
            if let Verdict::Found { step: Some(step), .. } = &mut mend.verdict {
                *step += steps;
            }
        }
        self.mends.append(&mut other.mends);
        self.steps.append(&mut other.steps);
        self.places.append(&mut other.places);
        self.by.extend(other.by.into_iter().map(|by| By { mend: by.mend + mends, ..by }));
    }

    /// Looks at links that lead by others once it is known what becomes of these.
    fn by_others(mut self) -> Repair {
        if !self.by.is_empty() {
            let mended =
                self.steps.iter().map(|step| step.path().as_ref()).zip(self.places.iter().map(PathBuf::as_path));
            let by = self.by.iter().map(|by| (by.link.as_path(), by));
            let chains = Chains { mended: mended.collect(), by: by.collect() };
            for by in &self.by {
                if let Some(mend) = self.mends.get_mut(by.mend) {
                    mend.verdict = chains.verdict(by);
                }
            }
        }
        let mut repair = Repair { mends: self.mends, ..Repair::default() };
        repair.plan.steps = self.steps;
        repair
    }
}

/// What a link has to say to lead there, if it may and then does; and to what.
fn attempt(ground: &Ground<'_>, lost: &Lost, to: &Path, home: &mut Option<Home>) -> Result<(Target, FileId), String> {
    if is_excluded(ground, to) {
        return Err(format!("it was found at {}, which is left out", platform::quoted(to)));
    }
    if to == lost.link {
        return Err("only the link itself has that name".to_owned());
    }
    let home = Home::of_link(home, &lost.link)?;
    home.may_change()?;
    // Said as before, where the beginning of the way was said by another path.
    let said = lost.way().and_then(|way| {
        let said = way.said.as_ref()?;
        Some(said.join(to.strip_prefix(way.ground()).ok()?))
    });
    let text = matches!(lost.seen.target, Target::Text(_));
    let to = said.as_deref().filter(|_| text).unwrap_or(to);
    let target = home.say(&lost.seen.target, to, Form::Same)?;
    if target == lost.seen.target {
        return Err("it says so already, and does not lead there".to_owned());
    }
    let at = || format!("it was found at {}, but ", platform::quoted(to));
    let object = home.reaches(&target).map_err(|refusal| at() + &refusal)?;
    Ok((target, object))
}

/// Whether a path is in what is left out, seen from the roots that hold it.
fn is_excluded(ground: &Ground<'_>, path: &Path) -> bool {
    if !ground.options.filter.has_excludes() {
        return false;
    }
    // By whatever other name it was found.
    let there = path.parent().and_then(|parent| Directory::open(parent).ok()?.physical_path().ok());
    let there = there.zip(path.file_name()).map(|(parent, name)| parent.join(name));
    is_left_out(ground, path) || there.is_some_and(|there| is_left_out(ground, &there))
}

fn is_left_out(ground: &Ground<'_>, path: &Path) -> bool {
    let filter = &ground.options.filter;
    // What is outside of the roots is seen from the directory that it shares with the nearest.
    let shared =
        |root: &PathBuf| root.ancestors().find(|above| path.starts_with(above)).map(|above| above.components().count());
    let above = ground.options.roots.iter().filter_map(shared).max().unwrap_or(1);
    let inside: PathBuf = path.components().skip(above).collect();
    let mut ancestors = inside.ancestors().filter(|above| !above.as_os_str().is_empty());
    ancestors.any(|above| filter.excludes(above, above != inside))
}

/// Why nothing was found for a link: what became of what was recorded, or what the search says.
fn fate(known: &Known, number: usize, find: Option<Find>) -> Reason {
    let searched = match find {
        Some(Find::Remains(reason, _)) => reason,
        _ => Reason::NotFound,
    };
    match (searched, known.get(number)) {
        (Reason::NotFound | Reason::OtherContent, Some((_, Fate::Gone))) => Reason::Deleted,
        (Reason::NotFound | Reason::OtherContent, Some((_, Fate::Unfound { why, .. }))) => {
            Reason::Other(format!("of what was recorded: {why}"))
        }
        (searched, _) => searched,
    }
}

/// Links by which others lead: where each leads once the plan is carried out.
struct Chains<'a> {
    mended: HashMap<&'a Path, &'a Path>,
    by: HashMap<&'a Path, &'a By>,
}

impl Chains<'_> {
    /// Where a way by a link leads, if that is mended, itself or by others in turn, and something is there.
    fn leads(&self, link: &Path, rest: Option<&Path>) -> bool {
        let (mut link, mut behind) = (link, rest.map(Path::to_owned));
        for _ in 0..64 {
            let Some(rest) = behind else { return false };
            if let Some(to) = self.mended.get(link) {
                // A slash at the end would ask for a directory.
                return below(to, &rest).metadata().is_ok();
            }
            let Some(next) = self.by.get(link) else { return false };
            behind = next.rest.as_ref().map(|first| first.components().chain(rest.components()).collect());
            link = &next.other;
        }
        false
    }

    /// What becomes of a link that leads by another.
    fn verdict(&self, by: &By) -> Verdict {
        let other = &by.other;
        if self.leads(other, by.rest.as_deref()) {
            return Verdict::With(other.clone());
        }
        let reason = if self.mended.contains_key(other.as_path()) {
            let quoted = platform::quoted(other);
            Reason::Other(format!("leads by {quoted}, which is mended, but not on from there"))
        } else {
            Reason::By(other.clone())
        };
        Verdict::Remains { reason, candidates: Vec::new() }
    }
}
