//! Plans to give broken links targets again: exactly, where a target's identity was recorded; by evidence, where it was
//! not.
//!
//! ```text
//! mod.rs       the plan: links, what was found for each, and why
//! roots.rs     the paths that were given, in full
//! lost.rs      broken links, and where each would lead
//! maps.rs      places that somebody says went elsewhere
//! known.rs     what was recorded of links, and what became of it: exact.rs finds objects by what they are
//! evidence.rs  where others may have gone: infer.rs for whole directories, names.rs for single targets, both in
//!              catalog.rs, the entries of all directories that were read
//! retarget.rs  what a link has to say to lead to another place
//! settle.rs    what was found is tried, and becomes steps or reasons
//! into.rs      links into a tree that is about to be somewhere else
//! convert.rs   links that lead somewhere, said in another form
//! ```

mod catalog;
mod convert;
mod evidence;
mod exact;
mod infer;
mod into;
mod known;
mod lost;
mod maps;
mod names;
mod retarget;
mod roots;
mod settle;

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

pub use convert::Conversion;
pub use infer::Mapping;
pub use into::{LinksInto, links_into};

use catalog::Catalog;
use evidence::Evidence;
use known::Known;
use lost::{Looker, Lost};
pub use maps::Map;
use roots::Roots;
use settle::Ground;

use crate::error::{Error, Result};
use crate::model::{DEFAULT_DRIVE, Link, LinkKind, State, Target};
use crate::plan::{Plan, PlanContext};
use crate::read::scan::{Details, Progress, ScanOptions};
use crate::workers;

/// The operation in errors.
const REPAIR: &str = "repair";

/// What to mend, and how.
#[derive(Clone, Debug)]
pub struct RepairSpec {
    /// Links, and directories whose links are meant.
    pub paths: Vec<PathBuf>,
    /// Where targets are looked for. Default: by identity on their whole file system; by evidence in `paths`, and from
    /// the deepest directory on their way that is there.
    pub search: Vec<PathBuf>,
    /// Places that are known to have gone elsewhere. The longest that fits a target counts.
    pub maps: Vec<Map>,
    /// How sure it must be for a link to be changed. Default: [`Confidence::Exact`].
    pub min_confidence: Confidence,
    /// What is left out, in the syntax of `.gitignore`: no link in it is changed, and none is led into it.
    pub exclude: Vec<String>,
    /// Whether to stay on the file systems of `paths`. Default: no.
    pub one_file_system: bool,
    /// The letter that Windows gives an NTFS volume. Default: `C`.
    pub drive: char,
    /// How many threads read. Default: as [`ScanOptions::workers`].
    pub workers: Option<usize>,
    /// Instead of repairing broken links, rewrites those that lead somewhere in this form. Default: no.
    pub conversion: Option<Conversion>,
    /// Whether links to other file systems, too, are made relative. Default: no, as these may be mounted elsewhere.
    pub across: bool,
}

impl RepairSpec {
    /// Everything below the given paths, with the defaults of the rest.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            search: Vec::new(),
            maps: Vec::new(),
            min_confidence: Confidence::Exact,
            exclude: Vec::new(),
            one_file_system: false,
            drive: DEFAULT_DRIVE,
            workers: None,
            conversion: None,
            across: false,
        }
    }
}

/// How sure it is that a target was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess: one name, or few.
    Weak,
    /// Much agrees, and nothing else comes near.
    Strong,
    /// It is known: the same object, or where somebody said it is.
    Exact,
}

impl Confidence {
    /// The stable name used in every output and option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Exact => "exact",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// By what a target was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is the object that was recorded.
    Identity,
    /// Of the maps that were given, the one of this number.
    Map(usize),
    /// Of [`Repair::mappings`], the one of this number.
    Inferred(usize),
    /// It has the name of what was recorded, in the directory that was recorded with it.
    Directory,
    /// A file with the content that was recorded, and no other has it.
    Content,
    /// A file with the size and time that were recorded, and no other has them.
    SizeAndTime,
    /// It is where the link leads already: only how it says so changes.
    Converted,
    /// The only one of its name, or the one whose last names agree most.
    Name {
        /// How many do.
        components: usize,
    },
}

/// A place that a target may have gone to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub path: PathBuf,
    /// How many names at its end agree.
    pub score: usize,
}

/// Why a link stays broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing of its target's name was found.
    NotFound,
    /// Several places are equally good.
    Ambiguous,
    /// Its target's name is that of too many others.
    TooCommon,
    /// Files of its target's name hold something else.
    OtherContent,
    /// What was recorded has several names now, and any of them may be meant.
    SeveralNames,
    /// What was recorded is there still, but under no name that was found.
    Hidden,
    /// Its target was deleted.
    Deleted,
    /// It leads by another link, which is broken.
    By(PathBuf),
    /// It is a link of this kind, and leads to what such links are not for: [`Conversion::Kind`] mends that.
    WrongKind(LinkKind),
    /// In words; names in it are quoted and escaped already.
    Other(String),
}

/// A broken link.
#[derive(Debug)]
pub struct Mend {
    /// The link.
    pub link: PathBuf,
    /// Its kind.
    pub kind: LinkKind,
    /// What it says.
    pub old: Target,
    /// What was found.
    pub verdict: Verdict,
}

/// What was found for a link.
#[derive(Debug)]
pub enum Verdict {
    /// A target.
    Found {
        /// What the link has to say.
        new: Target,
        /// By what it was found.
        why: Why,
        /// How sure that is.
        confidence: Confidence,
        /// The step of the plan that changes the link; `None` where it is not sure enough.
        step: Option<usize>,
    },
    /// It leads by another link, and is whole once that is.
    With(PathBuf),
    /// No target.
    Remains {
        /// Why.
        reason: Reason,
        /// Places that came near.
        candidates: Vec<Candidate>,
    },
}

/// A repair, planned.
#[derive(Debug, Default)]
pub struct Repair {
    /// What will be done.
    pub plan: Plan,
    /// Every broken link, in the order of paths.
    pub mends: Vec<Mend>,
    /// Directories that went elsewhere, as was inferred; and what was recorded for other links and found elsewhere.
    pub mappings: Vec<Mapping>,
    /// Maps that were given and hold the target of no broken link, by their numbers.
    pub idle_maps: Vec<usize>,
    /// What could not be read.
    pub errors: Vec<Error>,
    /// Whether everything was looked through that there was to look through; else nothing inferred counts as strong.
    pub is_whole: bool,
    /// How many directories could not be searched for targets.
    pub unsearched: usize,
    /// How many targets were found in directories that belong to others, or that everybody may write to: they are never
    /// more than weak.
    pub distrusted: usize,
}

impl Repair {
    /// How many links stay broken once the plan is carried out.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let stays = |mend: &&Mend| !matches!(mend.verdict, Verdict::With(_) | Verdict::Found { step: Some(_), .. });
        self.mends.iter().filter(stays).count()
    }
}

/// Plans to mend the broken links below paths. Nothing is changed. The journal, where there is one, knows what links
/// were recorded to lead to.
///
/// # Guarantees
/// A link is planned to be changed only where its new target was reached from its own directory, by the very text or
/// data it will have, and is of the kind that it says. Of several places that are equally good none is chosen.
///
/// # Errors
/// A pattern has no meaning, maps contradict each other, nothing of what is to be searched is there, or the journal
/// cannot be read.
pub fn plan(spec: &RepairSpec, context: &PlanContext<'_>) -> Result<Repair> {
    let unseen = Progress::default();
    let progress = context.progress.unwrap_or(&unseen);
    if let Some(conversion) = spec.conversion {
        return convert::convert(spec, conversion, progress);
    }
    let roots = Roots::find(&spec.paths);
    let mut options = scan_options(spec)?;
    options.roots = roots.physical();
    options.filter.states = State::ALL.into_iter().filter(|state| state.is_broken()).collect();
    let mut catalog = Catalog::new();
    let walked = catalog.read(&options, None, progress);
    let mut errors = walked.errors;
    let lost = look_at(walked.links, spec.drive, &mut errors);
    let mut search = Roots::directories(&spec.search);
    if search.physical().is_empty()
        && let Some(error) = search.errors.pop()
    {
        return Err(error);
    }
    let mut finds: Vec<Option<Find>> = lost.iter().map(|_| None).collect();
    let (misled, idle_maps) = maps::apply(&spec.maps, &lost, &mut finds)?;
    let mut known = Known::default();
    if let Some(journal) = context.journal {
        known = Known::of(journal, &lost, &finds, &mut errors)?;
    }
    known.find(&catalog, &options, &search.physical(), progress, &mut finds);
    let mappings = known.carry_over(&lost, &mut finds);
    let mut evidence =
        Evidence { lost: &lost, known: &known, search: search.physical(), options: &options, mappings, distrusted: 0 };
    let unsearched = evidence.look(&mut catalog, &mut finds, progress);
    let (mappings, distrusted) = (evidence.mappings, evidence.distrusted);
    let is_whole = catalog.is_whole;
    drop(catalog);
    let ground = Ground { spec, roots: &roots, options: &options, misled: &misled, known: &known };
    let mut repair = settle::settle(&ground, lost, finds);
    errors.extend(roots.errors);
    errors.extend(search.errors);
    repair = Repair { mappings, idle_maps, is_whole, errors, unsearched, distrusted, ..repair };
    Ok(repair)
}

/// How the trees are read.
fn scan_options(spec: &RepairSpec) -> Result<ScanOptions> {
    let mut options = ScanOptions::new(Vec::<PathBuf>::new());
    options.filter.exclude(&spec.exclude)?;
    options.one_file_system = spec.one_file_system;
    options.details = Details::Identity;
    options.drive = spec.drive;
    options.workers = spec.workers;
    Ok(options)
}

/// Looks at what the scan found broken, in the order of paths, each link once.
fn look_at(links: Vec<Link>, drive: char, errors: &mut Vec<Error>) -> Vec<Lost> {
    let looked = in_parallel(each_once(links), |links: Vec<Link>| {
        let mut looker = Looker::new(drive);
        links.into_iter().map(|link| looker.look(link)).collect()
    });
    looked.into_iter().filter_map(|found| found.map_err(|error| errors.push(error)).ok()).collect()
}

/// Links in the order of paths, each once: roots that overlap show them twice.
fn each_once(mut links: Vec<Link>) -> Vec<Link> {
    // As paths are compared: what is below a directory stands behind it, before all that is called like it and longer.
    let in_order = |byte: &u8| if std::path::is_separator(char::from(*byte)) { 0 } else { *byte };
    links.sort_by_cached_key(|link| {
        let path = link.path.as_os_str().as_encoded_bytes();
        path.iter().map(in_order).collect::<Vec<u8>>()
    });
    links.dedup_by(|a, b| a.path == b.path);
    links
}

/// Does something with parts of a list in several threads; what comes of it stays in order.
fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(Vec<T>) -> Vec<R> + Sync) -> Vec<R> {
    /// Fewer are done before a thread has begun.
    const LEAST: usize = 256;
    let part = items.len().div_ceil(workers::cores()).max(LEAST);
    let mut items = items.into_iter();
    let mut parts = Vec::new();
    while items.len() > 0 {
        parts.push(Mutex::new(items.by_ref().take(part).collect()));
    }
    let done = workers::each(workers::cores(), parts.len(), |number| {
        let part = parts.get(number).map(|part| part.lock().unwrap_or_else(PoisonError::into_inner));
        Ok::<_, Infallible>(work(part.map(|mut part| std::mem::take(&mut *part)).unwrap_or_default()))
    });
    let Ok(done) = done;
    done.into_iter().flatten().collect()
}

/// What was found for a link, before it is tried.
#[derive(Debug)]
enum Find {
    At(PathBuf, Why, Confidence),
    Remains(Reason, Vec<Candidate>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;

    fn links(paths: &[&str]) -> Vec<Link> {
        let link = |path: &&str| Link {
            path: path.into(),
            kind: LinkKind::Symlink,
            target: None,
            resolved: None,
            state: State::Missing,
            id: None,
            attributes: None,
            volume: None,
            several: false,
        };
        paths.iter().map(link).collect()
    }

    #[test]
    fn links_stand_in_the_order_of_their_paths_each_once() {
        let given = ["/a/b.c", "/a/b/c", "/a", "/a/b", "/a-b", "/a/b", "/a/b-c", "/a/b/c/d", "/a.b/c", "/ä"];
        let mut wanted: Vec<PathBuf> = given.iter().map(PathBuf::from).collect();
        wanted.sort();
        wanted.dedup();
        let found: Vec<PathBuf> = each_once(links(&given)).into_iter().map(|link| link.path).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_threads_make_of_a_list_stays_in_its_order() {
        for many in [0, 1, 255, 256, 257, 511, 512, 513, 10_000] {
            let items: Vec<usize> = (0..many).collect();
            let doubled = in_parallel(items.clone(), |part| part.into_iter().map(|item| item * 2).collect());
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>(), "{many}");
        }
    }
}
