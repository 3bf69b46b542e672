//! Plans to take a file or directory to another place and leave a link, and to bring it back.
//!
//! ```text
//! mod.rs        the two plans
//! links.rs      the link that is left, and the links in the tree that lead out of it
//! preflight.rs  everything that can be known to go wrong, before a byte is copied
//! ```

mod links;
mod preflight;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Lineage, Outcome};
use crate::model::{FileKind, KindChoice, LinkKind, MoveTree, RestoreTree, Target, TreeMove};
use crate::plan::repair::links_into;
use crate::plan::{Cost, Finding, Plan, PlanContext, Rewritten, Seen, Severity, Step, Verify};
use crate::platform::{self, Directory, FileSystems, Inventory, ObjectKind, Place, quoted};
use crate::read::inspect;
use crate::step::move_tree::{LINK_GONE, link_is_gone, must_not_be_moving, tree_at};

const MOVE: &str = "move";
const MOVE_TO: &str = "move to";
const RESTORE: &str = "restore";

/// What to move, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MoveSpec {
    /// The file or directory.
    pub source: PathBuf,
    /// Where it goes: a name that must be free, in a directory that exists.
    pub destination: PathBuf,
    /// The kind of link that is left: a symbolic link or a junction. Default: a symbolic link, on Windows a junction where a
    /// directory is moved on the same computer.
    pub kind: KindChoice,
    /// The letter that Windows gives the volume, for links made on NTFS elsewhere. Default: not known, so that a symbolic
    /// link made there is relative.
    pub drive: Option<char>,
    /// Whether the link that is left is relative. Default: it names the new place in full.
    pub relative: bool,
    /// How the tree is copied, and what becomes of links into it.
    pub how: TreeOptions,
}

/// How trees are moved and restored.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TreeOptions {
    /// How the copy is compared before the original goes. Default: every byte.
    pub verify: Verify,
    /// Whether the tree stays where it is if the copy cannot keep everything, or a warning was found before. Default: no.
    pub strict: bool,
    /// Where links into the tree are looked for, beside those that the journal knows.
    pub search: Vec<PathBuf>,
}

impl MoveSpec {
    /// A move with the defaults of the rest.
    pub fn new(source: impl Into<PathBuf>, destination: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            destination: destination.into(),
            kind: KindChoice::Auto,
            drive: None,
            relative: false,
            how: TreeOptions::default(),
        }
    }
}

/// What to restore, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RestoreSpec {
    /// The link that was left where the tree was.
    pub link: PathBuf,
    /// How the tree is copied, and what becomes of links into it.
    pub how: TreeOptions,
}

impl RestoreSpec {
    /// A restoration with the defaults of the rest.
    pub fn new(link: impl Into<PathBuf>) -> Self {
        Self { link: link.into(), how: TreeOptions::default() }
    }
}

/// A move or a restoration, planned.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Relocation {
    /// What will be done. [`Plan::cost`] is what it takes.
    pub plan: Plan,
    /// Steps that let links outside of the tree, which lead into it, name the new place: see
    /// [`Relocation::retarget_links`]. They count once the tree is there.
    pub outside: Vec<Step>,
    /// Such links that cannot say the new place, and why.
    pub stuck: Vec<Error>,
    /// What could not be read in search of such links.
    pub unread: Vec<Error>,
}

impl Relocation {
    /// Adds to the plan that links which lead into the tree name its new place.
    pub fn retarget_links(&mut self) {
        self.plan.steps.append(&mut self.outside);
    }

    /// A plan, with the links into the tree that it moves.
    fn of(plan: Plan, how: &TreeOptions, context: &PlanContext<'_>) -> Result<Self> {
        let Some(TreeMove { from, to, .. }) = plan.steps.first().and_then(Step::tree) else {
            return Ok(Self { plan, ..Self::default() });
        };
        let mut into = links_into(from, to, &how.search, context.journal)?;
        // The link of a tree that comes back is no link into it.
        into.steps.retain(|step| step.path() != to);
        Ok(Self { plan, outside: into.steps, stuck: into.stuck, unread: into.errors })
    }
}

/// Plans a move. Nothing is changed.
///
/// # Errors
/// The source is missing, is itself a link, or names no entry; the destination exists, or its directory does not; one is
/// inside the other.
pub fn plan(spec: &MoveSpec, context: &PlanContext<'_>) -> Result<Relocation> {
    let source = Place::open(MOVE, &spec.source)?;
    let destination = Place::open(MOVE_TO, &spec.destination).map_err(|error| match error.kind() {
        ErrorKind::ParentMissing => {
            let parent = quoted(spec.destination.parent().unwrap_or(Path::new("")));
            let cause = format!("its directory {parent} does not exist");
            Error::new(ErrorKind::ParentMissing, MOVE_TO, &spec.destination, cause)
        }
        _ => error,
    })?;
    destination.must_be_named(MOVE_TO, &spec.destination)?;
    let refuse = |kind, path: &Path, cause: &str| Err(Error::new(kind, MOVE, path, cause));
    let fail = |error| Error::io(MOVE, &source.path, error);
    let metadata = source.directory.metadata_nofollow(source.name()).map_err(fail)?;
    match metadata.kind {
        FileKind::File | FileKind::Directory => {}
        FileKind::Link => {
            return refuse(ErrorKind::TargetIsLink, &source.path, "it is itself a link: there is nothing to move");
        }
        FileKind::Special => {
            return refuse(ErrorKind::NotSupported, &source.path, "a device, pipe or socket");
        }
    }
    if destination.metadata().map_err(|error| Error::io(MOVE, &destination.path, error))?.is_some() {
        let cause = "something has this name already";
        return Err(Error::new(ErrorKind::AlreadyExists, MOVE_TO, &destination.path, cause));
    }
    let full = |place: &Place| match place.entry() {
        Ok(entry) => Ok(entry.to_path_buf()),
        Err(error) => Err(Error::io(MOVE, &place.path, error)),
    };
    let (from, to) = (full(&source)?, full(&destination)?);
    if to.starts_with(&from) || from.starts_with(&to) {
        return refuse(ErrorKind::SameFile, &source.path, "one of the two places is inside the other");
    }
    let volume = FileSystems::default().volume(&destination.directory).map_err(fail)?;
    let tree = Tree::look_at(MOVE, source, destination, from, to)?;
    let (rewritten, stuck) = links::leading_out(&tree);
    let (link, mut findings) = links::left(spec, &tree, metadata.kind)?;
    findings.extend(preflight::look(&tree, &link, &rewritten, &stuck, context.state_directory)?);
    let cost = Some(tree.cost());
    let step = Step::MoveTree(MoveTree {
        source: tree.from.into(),
        destination: tree.to.into(),
        id: metadata.id,
        link,
        rewritten,
        verify: spec.how.verify,
        strict: spec.how.strict,
        volume: Some(Box::new(volume)),
        like: None,
    });
    let plan = Plan { steps: vec![step], findings, cost, ..Plan::default() };
    Relocation::of(plan, &spec.how, context)
}

/// A tree that is to be somewhere else.
struct Tree {
    source: Place,
    destination: Place,
    /// The source in full, without links.
    from: PathBuf,
    /// The destination in full, without links.
    to: PathBuf,
    inventory: Inventory,
    /// Whether both places are on one file system.
    same: bool,
    /// Whether it may have to be copied even there: a directory on an overlay, which renames none of its lower layers.
    is_layered: bool,
}

impl Tree {
    fn look_at(verb: &'static str, source: Place, destination: Place, from: PathBuf, to: PathBuf) -> Result<Self> {
        let fail = |error| Error::io(verb, &source.path, error);
        // What is tried out beside the source would look like a change to a move that is at it.
        must_not_be_moving(verb, &source, &destination)?;
        let inventory = Inventory::take(&source.directory, source.name()).map_err(fail)?;
        let (here, there) = (source.directory.metadata_nofollow(source.name()), destination.directory.metadata());
        let same = here.map_err(fail)?.id.volume() == there.map_err(fail)?.id.volume();
        let is_directory = inventory.root().is_some_and(|root| root.stat.sort == ObjectKind::Directory);
        let is_layered = same && is_directory && platform::is_overlay(&source.directory).map_err(fail)?;
        Ok(Self { source, destination, from, to, inventory, same, is_layered })
    }

    fn cost(&self) -> Cost {
        let objects = u64::try_from(self.inventory.items.len()).unwrap_or(u64::MAX);
        let is_rename = self.same && !self.is_layered;
        Cost { objects, bytes: if is_rename { 0 } else { self.inventory.bytes() }, is_rename }
    }
}

/// Plans to bring back what a link leads to. The journal, where there is one, knows which links in it were given another
/// text, and which object it was; where the link is gone, also where that is.
///
/// # Errors
/// It is no symbolic link or junction, or leads nowhere, or through other links; or what it leads to is not what was moved
/// there, or not on the volume that it was moved to.
pub fn plan_restore(spec: &RestoreSpec, context: &PlanContext<'_>) -> Result<Relocation> {
    let place = Place::open(RESTORE, &spec.link)?;
    let fail = |error| Error::io(RESTORE, &place.path, error);
    let home = place.directory.physical_path().map_err(fail)?.join(place.name());
    let known = context.journal.map(|journal| moved_from(journal, &home)).transpose()?.flatten();
    let Ends { old, tree, is_gone } = ends(&place, known.as_ref())?;
    let at = Place::open(RESTORE, &tree)?;
    if let Some(known) = known.as_ref().filter(|known| *known.at() == *tree) {
        known.must_be_there(is_gone)?;
    }
    let id = at.directory.metadata_nofollow(at.name()).map_err(fail)?.id;
    let volume = Some(Box::new(FileSystems::default().volume(&at.directory).map_err(fail)?));
    if home.starts_with(&tree) || tree.starts_with(&home) {
        let cause = "the link is inside what it leads to";
        return Err(Error::new(ErrorKind::SameFile, RESTORE, &place.path, cause));
    }
    let tree = Tree::look_at(RESTORE, at, place, tree, home)?;
    let mut findings = preflight::look_back(&tree, context.state_directory)?;
    let (rewritten, unknown) = match known {
        Some(known) if *known.at() == *tree.from => (known.rewritten, None),
        Some(known) => {
            let at = quoted(known.at());
            (Vec::new(), Some(format!("what was moved from here is at {at}, and the link leads elsewhere")))
        }
        None => {
            let text = "no move in the history made this link: what it leads to may belong elsewhere";
            (Vec::new(), Some(text.to_owned()))
        }
    };
    findings.extend(unknown.map(|text| Finding::new(Severity::Warning, "unknown-move", &tree.to, text)));
    if is_gone {
        findings.push(Finding::new(Severity::Warning, LINK_GONE, &tree.to, link_is_gone(&tree.from)));
    }
    let cost = Some(tree.cost());
    let step = Step::RestoreTree(RestoreTree {
        link: tree.to.into(),
        old,
        tree: tree.from.into(),
        id,
        rewritten,
        verify: spec.how.verify,
        strict: spec.how.strict,
        volume,
        link_is_gone: is_gone,
    });
    let plan = Plan { steps: vec![step], findings, cost, ..Plan::default() };
    Relocation::of(plan, &spec.how, context)
}

/// The two places of a restoration.
struct Ends {
    /// The link.
    old: Seen,
    /// Where the tree is.
    tree: PathBuf,
    /// Whether the link is gone.
    is_gone: bool,
}

fn ends(place: &Place, known: Option<&MovedFrom>) -> Result<Ends> {
    let refuse = |kind, cause: String| Err(Error::new(kind, RESTORE, &place.path, cause));
    let fail = |error| Error::io(RESTORE, &place.path, error);
    let Some(metadata) = place.metadata().map_err(fail)? else {
        return match known {
            Some(known) => Ok(Ends { old: Seen::gone(&known.link), tree: known.at().to_path_buf(), is_gone: true }),
            None => Err(fail(std::io::ErrorKind::NotFound.into())),
        };
    };
    let seen = inspect::see(place.spot(), &metadata).map_err(fail)?;
    let leads = |seen: &Seen| {
        use LinkKind::{Junction, Symlink, SymlinkDir, SymlinkFile};
        matches!(seen.target.kind(), Symlink | SymlinkFile | SymlinkDir | Junction)
    };
    let Some(old) = seen.filter(leads) else {
        let mut cause = "it is no symbolic link or junction".to_owned();
        if let Some(known) = known {
            cause.push_str(&format!("; what was moved from here is at {}", quoted(known.at())));
        }
        return refuse(ErrorKind::NotALink, cause);
    };
    let shown = inspect::inspect_path(&place.path, crate::model::DEFAULT_DRIVE)?;
    let chain = shown.chain;
    if let Some(next) = chain.as_ref().and_then(|chain| chain.hops.get(1)) {
        return refuse(ErrorKind::TargetIsLink, format!("it leads on by another link, {}", quoted(&next.link)));
    }
    let Some(tree) = chain.and_then(|chain| chain.resolved) else {
        if let Some(known) = known {
            // Says which volume is away, if that is why.
            known.must_be_there(false)?;
        }
        return refuse(ErrorKind::NotFound, "what it leads to is not there".to_owned());
    };
    // The link was read for its own sake, and for where it leads: both times it must have said the same.
    if shown.link.and_then(|link| link.target).as_ref() != Some(&old.target) {
        return refuse(ErrorKind::Changed, "the link says something else than a moment ago".to_owned());
    }
    Ok(Ends { old, tree, is_gone: false })
}

/// Adds to a plan that was made elsewhere, such as that of an undo, what stands in the way of the trees that it moves, and
/// what moving them takes.
///
/// # Errors
/// What is to be moved cannot be looked at, or is being moved.
pub(crate) fn look_at_trees(plan: &mut Plan, context: &PlanContext<'_>) -> Result<()> {
    let mut all: Option<Cost> = None;
    let mut findings = Vec::new();
    for step in &plan.steps {
        let Some(TreeMove { from, to, .. }) = step.tree() else { continue };
        let verb = if matches!(step, Step::MoveTree(_)) { MOVE } else { RESTORE };
        let (source, destination) = (Place::of_entry(verb, from)?, Place::of_entry(verb, to)?);
        let tree = Tree::look_at(verb, source, destination, from.to_path_buf(), to.to_path_buf())?;
        findings.extend(match step {
            Step::MoveTree(MoveTree { link, rewritten, .. }) => {
                preflight::look(&tree, link, rewritten, &[], context.state_directory)?
            }
            _ => preflight::look_back(&tree, context.state_directory)?,
        });
        let one = tree.cost();
        let sum = all.get_or_insert(Cost { is_rename: true, ..Cost::default() });
        sum.objects += one.objects;
        sum.bytes += one.bytes;
        sum.is_rename &= one.is_rename;
    }
    plan.findings.extend(findings);
    plan.cost = all;
    Ok(())
}

/// A tree that was moved away from a place, as the journal has it.
struct MovedFrom {
    /// The link that was left.
    link: Target,
    /// Links in the tree that got another text.
    rewritten: Vec<Rewritten>,
    /// What became of the tree.
    now: Lineage,
}

impl MovedFrom {
    /// Where the tree is.
    fn at(&self) -> &Path {
        &self.now.at
    }

    /// Refuses where something else is there. What cannot be told, the link has to say.
    fn must_be_there(&self, is_gone: bool) -> Result<()> {
        match self.now.must_be_known(RESTORE) {
            Err(error) if is_gone => Err(error),
            Err(_) => Ok(()),
            Ok(()) => tree_at(RESTORE, self.at(), &self.now.last.recorded).map(drop),
        }
    }
}

/// The newest move away from a place, unless what was moved is back.
fn moved_from(journal: &Journal, home: &Path) -> Result<Option<MovedFrom>> {
    for relocated in journal.readable_relocations()? {
        let relocated = relocated?;
        let Step::MoveTree(MoveTree { source, link, rewritten, .. }) = &relocated.recorded.step else { continue };
        if **source != *home || !matches!(relocated.recorded.outcome, Outcome::Done(_) | Outcome::Pending) {
            continue;
        }
        let (link, rewritten) = (link.clone(), rewritten.clone());
        let known = MovedFrom { link, rewritten, now: journal.last_move_of(&relocated)? };
        return Ok(Some(known).filter(|known| *known.at() != *home));
    }
    Ok(None)
}

/// A directory's path in messages.
fn shown(directory: &Directory) -> OsString {
    directory.physical_path().map(PathBuf::into_os_string).unwrap_or_default()
}
