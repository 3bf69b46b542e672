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
use crate::journal::Journal;
use crate::model::{FileKind, KindChoice, LinkKind};
use crate::plan::{Plan, Rewritten, Seen, Step, Verify};
use crate::platform::{self, Directory, Inventory, Place};
use crate::read::inspect;
use crate::step::move_tree::must_not_be_moving;

pub use preflight::{Finding, Severity};

const MOVE: &str = "move";
const MOVE_TO: &str = "move to";
const RESTORE: &str = "restore";

/// What to move, and how.
#[derive(Clone, Debug)]
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
    /// How the copy is compared before the original goes. Default: every byte.
    pub verify: Verify,
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
            verify: Verify::default(),
        }
    }
}

/// A move or a restoration, planned.
#[derive(Debug)]
pub struct Relocation {
    /// What will be done.
    pub plan: Plan,
    /// What was found before: refusals stop it.
    pub findings: Vec<Finding>,
    /// How many files, directories and other objects there are.
    pub objects: u64,
    /// How many bytes have to be copied: none on one file system.
    pub bytes: u64,
    /// Whether it is on one file system, where nothing is copied.
    pub renamed: bool,
}

/// Plans a move. Nothing is changed, but for a link that is made and removed again to see that it can be made.
///
/// # Errors
/// The source is missing, is itself a link, or names no entry; the destination exists, or its directory does not; one is
/// inside the other.
pub fn plan(spec: &MoveSpec) -> Result<Relocation> {
    let source = Place::open(MOVE, &spec.source)?;
    let destination = Place::open(MOVE_TO, &spec.destination).map_err(|error| match error.kind() {
        ErrorKind::ParentMissing => {
            let parent = platform::quoted(spec.destination.parent().unwrap_or(Path::new("")));
            let cause = format!("its directory {parent} does not exist");
            Error::new(ErrorKind::ParentMissing, MOVE_TO, &spec.destination, cause)
        }
        _ => error,
    })?;
    let refuse = |kind, path: &Path, cause: &str| Err(Error::new(kind, MOVE, path, cause));
    let fail = |error| Error::io(MOVE, &source.path, error);
    let metadata = source.directory.metadata_nofollow(source.name()).map_err(fail)?;
    match metadata.kind {
        FileKind::File | FileKind::Directory => {}
        FileKind::Link => {
            return refuse(
                ErrorKind::TargetIsLink,
                &source.path,
                "it is itself a link: there is nothing to move",
            );
        }
        FileKind::Special => {
            return refuse(ErrorKind::NotSupported, &source.path, "a device, pipe or socket");
        }
    }
    if destination.metadata().map_err(|error| Error::io(MOVE, &destination.path, error))?.is_some() {
        let cause = "something has this name already";
        return Err(Error::new(ErrorKind::AlreadyExists, MOVE_TO, &destination.path, cause));
    }
    let full = |place: &Place| -> Result<PathBuf> {
        let parent = place.directory.physical_path().map_err(|error| Error::io(MOVE, &place.path, error))?;
        Ok(parent.join(place.name()))
    };
    let (from, to) = (full(&source)?, full(&destination)?);
    if to.starts_with(&from) || from.starts_with(&to) {
        return refuse(ErrorKind::SameFile, &source.path, "one of the two places is inside the other");
    }
    // What is tried out beside the source would look like a change to a move that is at it.
    must_not_be_moving(MOVE, &source, &destination)?;
    let inventory = Inventory::take(&source.directory, source.name()).map_err(fail)?;
    let there = destination.directory.metadata().map_err(fail)?;
    let same = there.id.volume() == metadata.id.volume();
    let (rewritten, stuck) = links::leading_out(&inventory, &source, (&from, &to), same);
    let (link, notes) = links::left(spec, &source, (&from, &to), metadata.kind, same)?;
    let findings = preflight::look(&preflight::Look {
        source: &source,
        destination: &destination,
        from: &from,
        to: &to,
        inventory: &inventory,
        same,
        rewritten: &rewritten,
        stuck: &stuck,
        link: &link,
    })?;
    let mut plan = Plan { steps: Vec::new(), notes };
    plan.steps.push(Step::MoveTree {
        source: from,
        destination: to,
        id: metadata.id,
        link,
        rewritten,
        verify: spec.verify,
    });
    let objects = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
    Ok(Relocation { plan, findings, objects, bytes: if same { 0 } else { inventory.bytes() }, renamed: same })
}

/// Plans to bring back what a link leads to. The journal, where there is one, knows which links in it were given another
/// text.
///
/// # Errors
/// It is no symbolic link or junction, or leads nowhere, or through other links.
pub fn plan_restore(link: &Path, verify: Verify, journal: Option<&Journal>) -> Result<Relocation> {
    let place = Place::open(RESTORE, link)?;
    let refuse = |kind, cause: String| Err(Error::new(kind, RESTORE, &place.path, cause));
    let fail = |error| Error::io(RESTORE, &place.path, error);
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let seen = inspect::see(place.spot(), &metadata).map_err(fail)?;
    let leads = |seen: &Seen| {
        use LinkKind::{Junction, Symlink, SymlinkDir, SymlinkFile};
        matches!(seen.target.kind(), Symlink | SymlinkFile | SymlinkDir | Junction)
    };
    let Some(old) = seen.filter(leads) else {
        return refuse(ErrorKind::NotALink, "it is no symbolic link or junction".to_owned());
    };
    let shown = inspect::inspect_path(&place.path, crate::model::DEFAULT_DRIVE)?;
    let chain = shown.chain;
    if let Some(next) = chain.as_ref().and_then(|chain| chain.hops.get(1)) {
        let next = platform::quoted(&next.link);
        return refuse(ErrorKind::TargetIsLink, format!("it leads on by another link, {next}"));
    }
    let Some(tree) = chain.and_then(|chain| chain.resolved) else {
        return refuse(ErrorKind::NotFound, "what it leads to is not there".to_owned());
    };
    // The link was read for its own sake, and for where it leads: both times it must have said the same.
    if shown.link.and_then(|link| link.target).as_ref() != Some(&old.target) {
        let cause = "the link says something else than a moment ago".to_owned();
        return refuse(ErrorKind::Changed, cause);
    }
    let at = Place::open(RESTORE, &tree)?;
    let found = at.directory.metadata_nofollow(at.name()).map_err(fail)?;
    let parent = place.directory.physical_path().map_err(fail)?;
    let home = parent.join(place.name());
    if home.starts_with(&tree) || tree.starts_with(&home) {
        return refuse(ErrorKind::SameFile, "the link is inside what it leads to".to_owned());
    }
    must_not_be_moving(RESTORE, &at, &place)?;
    let inventory = Inventory::take(&at.directory, at.name()).map_err(fail)?;
    let same = found.id.volume() == place.directory.metadata().map_err(fail)?.id.volume();
    let rewritten = match journal {
        Some(journal) => given_other_texts(journal, &home, &tree)?,
        None => None,
    };
    let mut findings = preflight::look_back(&at, &place, &tree, &inventory, (same, &old.target))?;
    if rewritten.is_none() {
        let text = "no move in the history made this link: what it leads to may belong elsewhere".to_owned();
        findings.push(Finding { severity: Severity::Warning, path: home.clone(), text });
    }
    let mut plan = Plan::default();
    plan.steps.push(Step::RestoreTree {
        link: home,
        old,
        tree,
        id: found.id,
        rewritten: rewritten.unwrap_or_default(),
        verify,
    });
    let objects = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
    Ok(Relocation { plan, findings, objects, bytes: if same { 0 } else { inventory.bytes() }, renamed: same })
}

/// Looks at what stands in the way of a plan that was made elsewhere, such as that of an undo. `None` where it moves no
/// tree.
///
/// # Errors
/// What is to be moved cannot be looked at, or is being moved.
pub fn check(plan: &Plan) -> Result<Option<Relocation>> {
    let trees: Vec<&Step> = plan.steps.iter().filter(|step| step.is_whole_tree()).collect();
    if trees.is_empty() {
        return Ok(None);
    }
    let (mut findings, mut objects, mut bytes, mut renamed) = (Vec::new(), 0, 0, true);
    for step in trees {
        let (verb, from, to) = match step {
            Step::MoveTree { source, destination, .. } => (MOVE, source, destination),
            Step::RestoreTree { link, tree, .. } => (RESTORE, tree, link),
            _ => continue,
        };
        let (source, destination) = (Place::open_physical(verb, from)?, Place::open_physical(verb, to)?);
        let fail = |error| Error::io(verb, &source.path, error);
        must_not_be_moving(verb, &source, &destination)?;
        let inventory = Inventory::take(&source.directory, source.name()).map_err(fail)?;
        let (here, there) =
            (source.directory.metadata_nofollow(source.name()), destination.directory.metadata());
        let same = here.map_err(fail)?.id.volume() == there.map_err(fail)?.id.volume();
        findings.extend(match step {
            Step::MoveTree { link, rewritten, .. } => preflight::look(&preflight::Look {
                source: &source,
                destination: &destination,
                from,
                to,
                inventory: &inventory,
                same,
                rewritten,
                stuck: &[],
                link,
            })?,
            Step::RestoreTree { old, .. } => {
                preflight::look_back(&source, &destination, from, &inventory, (same, &old.target))?
            }
            _ => Vec::new(),
        });
        objects += u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
        bytes += if same { 0 } else { inventory.bytes() };
        renamed &= same;
    }
    Ok(Some(Relocation { plan: plan.clone(), findings, objects, bytes, renamed }))
}

/// What the journal says of links in a tree that was moved there. `None` where it knows of no such move.
fn given_other_texts(journal: &Journal, home: &Path, tree: &Path) -> Result<Option<Vec<Rewritten>>> {
    for operation in journal.operations(10_000)? {
        for recorded in journal.steps(operation.id)? {
            if let Step::MoveTree { source, destination, rewritten, .. } = recorded.step
                && source == home
                && destination == tree
            {
                return Ok(Some(rewritten));
            }
        }
    }
    Ok(None)
}

/// What interrupted moves left in a directory.
///
/// # Errors
/// It cannot be read.
pub fn stages_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let fail = |error| Error::io("look for interrupted moves in", directory, error);
    let opened = Directory::open(directory).map_err(fail)?;
    let mut found = Vec::new();
    for entry in opened.entries().map_err(fail)? {
        let name = entry.map_err(fail)?.name;
        let full = directory.join(&name);
        // One that may not be used is told of, when it is tried.
        if crate::step::may_be_private(&name) && crate::step::move_tree::may_be_stage(&full) {
            found.push(full);
        }
    }
    Ok(found)
}

/// A directory's path as people are told of it.
fn shown(directory: &Directory) -> OsString {
    directory.physical_path().map(PathBuf::into_os_string).unwrap_or_default()
}
