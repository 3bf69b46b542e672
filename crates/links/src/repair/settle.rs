//! What was found is tried from each link's own directory, and becomes a step, or a reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::exact::Fate;
use super::known::Known;
use super::lost::{Fault, Lost};
use super::retarget::{Form, Home};
use super::roots::Roots;
use super::{Confidence, Find, Mend, Reason, Repair, RepairSpec, Verdict, Why, in_parallel};
use crate::model::{Target, below};
use crate::plan::Step;
use crate::platform;
use crate::scan::ScanOptions;

pub(super) struct Ground<'a> {
    pub(super) spec: &'a RepairSpec,
    pub(super) roots: &'a Roots,
    pub(super) options: &'a ScanOptions,
    /// Where maps would have led, had anything been there.
    pub(super) mapped: &'a [(usize, PathBuf)],
    pub(super) known: &'a Known,
}

/// A link, and what was found for it and tried.
enum Tried {
    /// What it has to say, and where that leads.
    Found(Target, PathBuf, Why, Confidence),
    Remains(Reason, Vec<super::Candidate>),
}

/// Makes the plan of a repair, and says what becomes of each link.
pub(super) fn settle(ground: &Ground<'_>, lost: Vec<Lost>, finds: Vec<Option<Find>>) -> Repair {
    let mapped: HashMap<usize, &PathBuf> =
        ground.mapped.iter().map(|(number, path)| (*number, path)).collect();
    let items: Vec<(usize, Lost, Option<Find>)> =
        lost.into_iter().zip(finds).enumerate().map(|(number, (lost, find))| (number, lost, find)).collect();
    let tried = in_parallel(items, |items: Vec<(usize, Lost, Option<Find>)>| {
        let mut home = None;
        let mut one = |(number, lost, find): (usize, Lost, Option<Find>)| {
            let tried = match (find, mapped.get(&number)) {
                (Some(Find::At(to, why, confidence)), _) => attempt(ground, &lost, &to, &mut home)
                    .map_or_else(
                        |refusal| Tried::Remains(Reason::Other(refusal), Vec::new()),
                        |target| Tried::Found(target, to.clone(), why, confidence),
                    ),
                (_, Some(path)) => {
                    let text =
                        format!("by its map it would lead to {}, which is not there", platform::quoted(path));
                    Tried::Remains(Reason::Other(text), Vec::new())
                }
                (Some(Find::Remains(reason, candidates)), None) if !candidates.is_empty() => {
                    Tried::Remains(reason, candidates)
                }
                (find, None) => Tried::Remains(fate(ground.known, number, find), Vec::new()),
            };
            (lost, tried)
        };
        items.into_iter().map(&mut one).collect()
    });
    assemble(ground, tried)
}

/// What a link has to say to lead there, if it may and then does.
fn attempt(ground: &Ground<'_>, lost: &Lost, to: &Path, home: &mut Option<Home>) -> Result<Target, String> {
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
        let rest = to.strip_prefix(way.ground()).ok()?;
        Some(way.said.as_ref()?.join(rest))
    });
    let text = matches!(lost.seen.target, Target::Text(_));
    let to = said.as_deref().filter(|_| text).unwrap_or(to);
    let target = home.say(&lost.seen.target, to, Form::Same)?;
    if target == lost.seen.target {
        return Err("it says so already, and does not lead there".to_owned());
    }
    let at = || format!("it was found at {}, but ", platform::quoted(to));
    home.reaches(&target).map_err(|refusal| at() + &refusal)?;
    Ok(target)
}

/// Whether a path is in what is left out, seen from the roots that hold it.
fn is_excluded(ground: &Ground<'_>, path: &Path) -> bool {
    let filter = &ground.options.filter;
    if !filter.has_excludes() {
        return false;
    }
    let roots = ground.options.roots.iter().map(PathBuf::as_path).chain([Path::new("/")]);
    roots.filter_map(|root| path.strip_prefix(root).ok()).any(|inside| {
        let above = inside.ancestors().filter(|above| !above.as_os_str().is_empty());
        above.into_iter().any(|above| filter.excludes(above, above != inside))
    })
}

/// Why nothing was found for a link: what became of what was recorded, or what the search says.
fn fate(known: &Known, number: usize, find: Option<Find>) -> Reason {
    let searched = match find {
        Some(Find::Remains(reason, _)) => reason,
        _ => Reason::NotFound,
    };
    match known.get(number) {
        Some((_, Fate::Gone)) => Reason::Deleted,
        Some((_, Fate::Unfound(text))) => Reason::Other(format!("of what was recorded: {text}")),
        _ => searched,
    }
}

/// Links by which others lead: where each leads once the plan is carried out.
#[derive(Default)]
struct Chains {
    mended: HashMap<PathBuf, PathBuf>,
    by: HashMap<PathBuf, (PathBuf, Option<PathBuf>)>,
}

impl Chains {
    /// Where a way by a link leads, if that is mended, itself or by others in turn, and something is there.
    fn leads(&self, link: &Path, rest: Option<&Path>) -> bool {
        let (mut link, mut behind) = (link, rest.map(Path::to_owned));
        for _ in 0..64 {
            let Some(rest) = behind else { return false };
            if let Some(to) = self.mended.get(link) {
                // A slash at the end would ask for a directory.
                return below(to, &rest).metadata().is_ok();
            }
            let Some((next, first)) = self.by.get(link) else { return false };
            behind = first.as_ref().map(|first| first.components().chain(rest.components()).collect());
            link = next;
        }
        false
    }
}

fn assemble(ground: &Ground<'_>, tried: Vec<(Lost, Tried)>) -> Repair {
    let mut repair = Repair::default();
    let mut chains = Chains::default();
    for (lost, tried) in &tried {
        match (tried, &lost.fault) {
            (Tried::Found(_, to, _, confidence), _) if *confidence >= ground.spec.min_confidence => {
                chains.mended.insert(lost.link.clone(), to.clone());
            }
            (_, Fault::By(other, rest)) => {
                chains.by.insert(lost.link.clone(), (other.clone(), rest.clone()));
            }
            _ => {}
        }
    }
    for (lost, tried) in tried {
        let old = lost.seen.target.clone();
        let verdict = match (tried, lost.fault) {
            (Tried::Found(new, _, why, confidence), _) => {
                let step = (confidence >= ground.spec.min_confidence).then(|| {
                    repair.plan.steps.push(Step::retarget(lost.link.clone(), lost.seen, new.clone()));
                    repair.plan.steps.len() - 1
                });
                Verdict::Found { new, why, confidence, step }
            }
            (_, Fault::By(other, rest)) if chains.leads(&other, rest.as_deref()) => Verdict::With(other),
            (_, Fault::By(other, _)) if chains.mended.contains_key(&other) => {
                let text =
                    format!("leads by {}, which is mended, but not on from there", platform::quoted(&other));
                Verdict::Remains { reason: Reason::Other(text), candidates: Vec::new() }
            }
            (_, Fault::By(other, _)) => {
                Verdict::Remains { reason: Reason::By(other), candidates: Vec::new() }
            }
            (Tried::Remains(Reason::NotFound, _), Fault::Other(text)) => {
                Verdict::Remains { reason: Reason::Other(text), candidates: Vec::new() }
            }
            (Tried::Remains(reason, candidates), _) => Verdict::Remains { reason, candidates },
        };
        repair.mends.push(Mend { link: ground.roots.shown(&lost.link), kind: old.kind(), old, verdict });
    }
    repair
}
