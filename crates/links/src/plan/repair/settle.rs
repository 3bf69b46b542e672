//! What was found is tried from each link's own directory, and becomes a step, or a reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::exact::Fate;
use super::known::Known;
use super::lost::{Fault, Lost};
use super::maps::Misled;
use super::retarget::Home;
use super::roots::Roots;
use super::{Candidate, Confidence, Find, Mend, Reason, Repair, RepairSpec, Verdict, Why, in_parallel};
use crate::model::{FileId, Form, Target, below};
use crate::plan::Step;
use crate::platform::{self, Directory};
use crate::read::scan::ScanOptions;

pub(super) struct Ground<'a> {
    pub(super) spec: &'a RepairSpec,
    pub(super) roots: &'a Roots,
    pub(super) options: &'a ScanOptions,
    pub(super) misled: &'a Misled,
    pub(super) known: &'a Known,
}

/// What came of a link.
struct Settled {
    mend: Mend,
    /// The step that changes it, and where it will lead.
    step: Option<(Step, PathBuf)>,
    by: Option<By>,
}

/// A link that leads by another.
struct By {
    link: PathBuf,
    other: PathBuf,
    /// The names behind the other, where these are known.
    rest: Option<PathBuf>,
}

/// Makes the plan of a repair, and says what becomes of each link.
pub(super) fn settle(ground: &Ground<'_>, lost: Vec<Lost>, finds: Vec<Option<Find>>) -> Repair {
    let items: Vec<_> =
        lost.into_iter().zip(finds).enumerate().map(|(number, (lost, find))| (number, lost, find)).collect();
    let settled = in_parallel(items, |items| {
        let mut home = None;
        let mut one = |(number, lost, find): (usize, Lost, Option<Find>)| {
            let refused = |text: String| (Reason::Other(text), Vec::new());
            let (reason, candidates) = match (find, ground.misled.get(&number)) {
                (Some(Find::At(to, why, confidence)), _) => match attempt(ground, &lost, &to, &mut home) {
                    Ok(new) => return found(ground, lost, new, (to, why, confidence)),
                    Err(refusal) => refused(refusal),
                },
                (_, Some(path)) => {
                    let path = platform::quoted(path);
                    refused(format!("by its map it would lead to {path}, which is not there"))
                }
                (Some(Find::Remains(reason, candidates)), None) if !candidates.is_empty() => (reason, candidates),
                (find, None) => (fate(ground.known, number, find), Vec::new()),
            };
            remains(ground, lost, reason, candidates)
        };
        items.into_iter().map(&mut one).collect()
    });
    in_order(settled)
}

fn found(
    ground: &Ground<'_>,
    lost: Lost,
    (new, object): (Target, FileId),
    (to, why, confidence): (PathBuf, Why, Confidence),
) -> Settled {
    let (old, link) = (lost.seen.target.clone(), ground.roots.shown(&lost.link));
    let is_sure = confidence >= ground.spec.min_confidence;
    let step = is_sure.then(|| (Step::retarget(lost.link.into(), lost.seen, new.clone(), Some(object)), to));
    let verdict = Verdict::Found { new, why, confidence, step: None };
    Settled { mend: Mend { link, kind: old.kind(), old, verdict }, step, by: None }
}

fn remains(ground: &Ground<'_>, lost: Lost, reason: Reason, candidates: Vec<Candidate>) -> Settled {
    let (old, link) = (lost.seen.target, ground.roots.shown(&lost.link));
    let (reason, by) = match (reason, lost.fault) {
        (reason, Fault::By(other, rest)) => (reason, Some(By { link: lost.link, other, rest })),
        (Reason::NotFound, Fault::Other(reason)) => (reason, None),
        (reason, _) => (reason, None),
    };
    let verdict = Verdict::Remains { reason, candidates };
    Settled { mend: Mend { link, kind: old.kind(), old, verdict }, step: None, by }
}

/// Puts the plan together. Links that lead by others are looked at once it is known what becomes of these.
fn in_order(settled: Vec<Settled>) -> Repair {
    let mut repair = Repair { mends: Vec::with_capacity(settled.len()), ..Repair::default() };
    let (mut places, mut by_others) = (Vec::new(), Vec::new());
    for Settled { mut mend, step: change, by } in settled {
        if let (Verdict::Found { step, .. }, Some((change, place))) = (&mut mend.verdict, change) {
            *step = Some(repair.plan.steps.len());
            repair.plan.steps.push(change);
            places.push(place);
        }
        by_others.extend(by.map(|by| (repair.mends.len(), by)));
        repair.mends.push(mend);
    }
    if !by_others.is_empty() {
        let links = repair.plan.steps.iter().map(|step| step.path().as_ref());
        let mended = links.zip(places.iter().map(PathBuf::as_path)).collect();
        let chains = Chains { mended, by: by_others.iter().map(|(_, by)| (by.link.as_path(), by)).collect() };
        for (mend, by) in &by_others {
            if let Some(mend) = repair.mends.get_mut(*mend) {
                mend.verdict = chains.verdict(by);
            }
        }
    }
    repair
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
    let target = home.say(&lost.seen.target, to, Form::AsTyped)?;
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
