//! What may be wrong with a link: rules, each by its name.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::model::{DEFAULT_DRIVE, Link, LinkKind, State, Target};
use crate::platform::{self, Place, quoted};
use crate::read::chain::{self, Chain};
use crate::read::places::{Tree, relative_path};
use crate::read::{inspect, volume};

/// What a link may be blamed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Its target does not exist.
    Missing,
    /// It leads to itself.
    Loop,
    /// It leads through more links than the system follows, or by names that are too long.
    TooLong,
    /// A link for files that leads to a directory, or the other way round (Windows and NTFS).
    WrongKind,
    /// It leads out of the tree that [`Rules::root`] names.
    Escapes,
    /// It is absolute and leads into its own tree: moved as a whole, the tree would leave its target behind.
    Absolute,
    /// Its relative target takes a longer way than it need.
    Roundabout,
    /// Its target is on another file system.
    OtherFilesystem,
    /// It leads through more links than [`Rules::most_hops`].
    LongChain,
}

impl Rule {
    /// All of them, in the order in which documents list them.
    pub const ALL: [Self; 9] = [
        Self::Missing,
        Self::Loop,
        Self::TooLong,
        Self::WrongKind,
        Self::Escapes,
        Self::Absolute,
        Self::Roundabout,
        Self::OtherFilesystem,
        Self::LongChain,
    ];

    /// Those of broken links.
    pub const BROKEN: [Self; 4] = [Self::Missing, Self::Loop, Self::TooLong, Self::WrongKind];

    /// The stable name used in every output and option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Loop => "loop",
            Self::TooLong => "too-long",
            Self::WrongKind => "wrong-kind",
            Self::Escapes => "escapes",
            Self::Absolute => "absolute",
            Self::Roundabout => "roundabout",
            Self::OtherFilesystem => "other-filesystem",
            Self::LongChain => "long-chain",
        }
    }

    /// Whether a running system must be asked: those on a volume that is not mounted cannot be held to it.
    #[must_use]
    pub fn needs_system(self) -> bool {
        self.state().is_none() && self != Self::LongChain
    }

    /// The state that breaks the rule, of those about states.
    fn state(self) -> Option<State> {
        match self {
            Self::Missing => Some(State::Missing),
            Self::Loop => Some(State::Loop),
            Self::TooLong => Some(State::TooLong),
            Self::WrongKind => Some(State::WrongKind),
            _ => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Rule {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text).ok_or(())
    }
}

/// The rules that links are held to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// Which of them.
    pub rules: Vec<Rule>,
    root: Option<Tree>,
    /// How many links a chain may have, the first included. Default: 8.
    pub most_hops: usize,
    /// The letter that Windows gives an NTFS volume. Default: `C`.
    pub drive: char,
}

/// A rule that a link breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blame {
    /// The rule.
    pub rule: Rule,
    /// How. Names in it are quoted and escaped already.
    pub reason: String,
}

impl Rules {
    /// These rules, with the defaults of the rest.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().collect(), root: None, most_hops: 8, drive: DEFAULT_DRIVE }
    }

    /// Sets the tree, by its path without links, that [`Rule::Escapes`] and [`Rule::Absolute`] speak of.
    pub fn within(&mut self, root: impl Into<PathBuf>) {
        self.root = Some(Tree::at(root.into()));
    }

    /// What a link is to be blamed for, in the order of [`Rule::ALL`]. For rules about states alone, nothing is
    /// asked of the system about links that are well.
    #[must_use]
    pub fn judge(&self, link: &Link) -> Vec<Blame> {
        let mut asked = Rule::ALL.into_iter().filter(|rule| self.rules.contains(rule));
        if asked.all(|rule| rule.state().is_some_and(|state| state != link.state)) {
            return Vec::new();
        }
        // A link that vanished meanwhile is nobody's fault.
        let Ok(place) = Place::open("check", &link.path) else { return Vec::new() };
        let mut chain = chain::follow(place.spot(), self.drive);
        if chain.state != link.state {
            inspect::chain_state(place.spot(), &mut chain);
        }
        let asked = Rule::ALL.into_iter().filter(|rule| self.rules.contains(rule));
        let blame = |rule| Some(Blame { rule, reason: self.reason(rule, link, &place, &chain)? });
        asked.filter_map(blame).collect()
    }

    /// As [`Rules::judge`], of a link whose way is known already, on a volume that need not be mounted. Rules that ask
    /// more than the way itself tells ([`Rule::needs_system`]) are not looked at.
    #[must_use]
    pub fn judge_chain(&self, link: &Link, chain: &Chain) -> Vec<Blame> {
        let asked = Rule::ALL.into_iter().filter(|rule| self.rules.contains(rule));
        let blame = |rule| {
            let reason = self.reason_of_chain(rule, link, chain, volume::quoted)?;
            Some(Blame { rule, reason })
        };
        asked.filter_map(blame).collect()
    }

    fn reason_of_chain(&self, rule: Rule, link: &Link, chain: &Chain, quoted: fn(&Path) -> String) -> Option<String> {
        if rule == Rule::LongChain {
            let (hops, most) = (chain.hops.len(), self.most_hops);
            return (hops > most).then(|| format!("leads through {hops} links; {most} are allowed"));
        }
        if rule.state() != Some(link.state) {
            return None;
        }
        let reason = chain.reason.clone().unwrap_or_else(|| link.state.to_string());
        let at = chain.failed_at.as_ref().map(|at| format!(" at {}", quoted(at))).unwrap_or_default();
        Some(reason + &at)
    }

    /// How a link breaks a rule; `None` if it does not.
    fn reason(&self, rule: Rule, link: &Link, place: &Place, chain: &Chain) -> Option<String> {
        match rule {
            Rule::Missing | Rule::Loop | Rule::TooLong | Rule::WrongKind | Rule::LongChain => {
                self.reason_of_chain(rule, link, chain, quoted)
            }
            Rule::Escapes => {
                let (root, end) = (self.root.as_ref()?, end(chain)?);
                (!root.holds(end)).then(|| format!("leads to {}, outside {}", quoted(end), quoted(root.path())))
            }
            Rule::Absolute => {
                let (root, end, target) = (self.root.as_ref()?, end(chain)?, text(link)?);
                let from = place.directory.physical_path().ok()?;
                let inside = target.is_absolute() && root.holds(end);
                inside.then(|| {
                    let relative = relative_path(&from, end);
                    format!("leads into its own tree; relative it would be {}", quoted(&relative))
                })
            }
            Rule::Roundabout => roundabout(&text(link)?, place),
            Rule::OtherFilesystem => {
                let here = place.directory.metadata().ok()?.id.volume();
                let there = place.directory.metadata_follow(place.name()).ok()?.id.volume();
                (here != there).then(|| match &chain.resolved {
                    Some(end) => format!("leads to another file system, {}", quoted(end)),
                    None => "leads to another file system".to_owned(),
                })
            }
        }
    }
}

/// A stored target that is a path of this system. A junction's is always absolute: that is no choice to be blamed for.
fn text(link: &Link) -> Option<PathBuf> {
    match &link.target {
        Some(Target::Text(text)) => Some(text.into()),
        Some(Target::Reparse(point))
            if platform::follows_reparse_points()
                && matches!(point.kind(), LinkKind::SymlinkFile | LinkKind::SymlinkDir) =>
        {
            point.shown().map(PathBuf::from)
        }
        _ => None,
    }
}

/// Where a chain ends, or would.
fn end(chain: &Chain) -> Option<&Path> {
    // What is deeper than the kernel names paths has none that could be compared.
    chain.resolved.as_deref().or(chain.failed_at.as_deref()).filter(|end| end.is_absolute())
}

/// Whether the stored way is longer than the direct one, and both reach the same file. A way over another link is a
/// choice, not a detour.
fn roundabout(text: &Path, place: &Place) -> Option<String> {
    let directory = &place.directory;
    if text.is_absolute() || !directory.leads_without_links(text.as_os_str()).ok()? {
        return None;
    }
    let (from, end) = (directory.physical_path().ok()?, directory.reach(text.as_os_str()).ok()??);
    let direct = relative_path(&from, &end);
    let reached = directory.metadata_follow(text.as_os_str()).ok()?;
    let same = directory.metadata_follow(direct.as_os_str()).is_ok_and(|direct| direct.id == reached.id);
    let shorter = direct.as_os_str().len() < text.as_os_str().len();
    (same && shorter).then(|| format!("could be {}", quoted(&direct)))
}
