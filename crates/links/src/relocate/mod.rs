//! Plans to take a file or directory to another place and leave a link, and to bring it back.
//!
//! ```text
//! mod.rs        the two plans
//! preflight.rs  everything that can be known to go wrong, before a byte is copied
//! ```

mod preflight;

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::create::relative_path;
use crate::error::{Error, ErrorKind, Result};
use crate::inspect;
use crate::journal::Journal;
use crate::model::{Attributes, FileKind, Target};
use crate::plan::{Plan, Rewritten, Seen, Step, Verify};
use crate::platform::{Directory, Inventory, Place};

pub use preflight::{Finding, Severity};

const MOVE: &str = "move";
const RESTORE: &str = "restore";

/// What to move, and how.
#[derive(Clone, Debug)]
pub struct MoveSpec {
    /// The file or directory.
    pub source: PathBuf,
    /// Where it goes: a name that must be free, in a directory that exists.
    pub destination: PathBuf,
    /// Whether the link that is left is relative. Default: it names the new place in full.
    pub relative: bool,
    /// How the copy is compared before the original goes. Default: every byte.
    pub verify: Verify,
    /// Trees that are looked through for links into the source. Default: none.
    pub search: Vec<PathBuf>,
}

impl MoveSpec {
    /// A move with the defaults of the rest.
    pub fn new(source: impl Into<PathBuf>, destination: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            destination: destination.into(),
            relative: false,
            verify: Verify::default(),
            search: Vec::new(),
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
}

/// Plans a move. Nothing is changed, but for a link that is made and removed again to see that it can be made.
///
/// # Errors
/// The source is missing, is itself a link, or names no entry; the destination exists, or its directory does not; one is
/// inside the other.
pub fn plan(spec: &MoveSpec) -> Result<Relocation> {
    let (source, destination) = (Place::open(MOVE, &spec.source)?, Place::open(MOVE, &spec.destination)?);
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
    if source.ntfs().map_err(fail)?.is_some() || destination.ntfs().map_err(fail)?.is_some() {
        let cause = "on NTFS, streams and security are not carried over yet: copy it with a tool that does";
        return refuse(ErrorKind::NotSupported, &source.path, cause);
    }
    if destination.metadata().map_err(|error| Error::io(MOVE, &destination.path, error))?.is_some() {
        return refuse(ErrorKind::AlreadyExists, &destination.path, "something has this name already");
    }
    let full = |place: &Place| -> Result<PathBuf> {
        let parent = place.directory.physical_path().map_err(|error| Error::io(MOVE, &place.path, error))?;
        Ok(parent.join(place.name()))
    };
    let (from, to) = (full(&source)?, full(&destination)?);
    if to.starts_with(&from) || from.starts_with(&to) {
        return refuse(ErrorKind::SameFile, &source.path, "one of the two places is inside the other");
    }
    let inventory = Inventory::take(&source.directory, source.name()).map_err(fail)?;
    let there = destination.directory.metadata().map_err(fail)?;
    let same = there.id.volume() == metadata.id.volume();
    let rewritten = rewritten(&inventory, &from);
    let findings = preflight::look(&preflight::Look {
        spec,
        source: &source,
        destination: &destination,
        from: &from,
        inventory: &inventory,
        same,
        rewritten: &rewritten,
    })?;
    let text = if spec.relative {
        relative_path(from.parent().unwrap_or(Path::new("/")), &to).into_os_string()
    } else {
        to.clone().into_os_string()
    };
    let mut plan = Plan::default();
    let in_place = if same { rewritten.clone() } else { Vec::new() };
    plan.steps.push(Step::MoveTree {
        source: from.clone(),
        destination: to.clone(),
        id: metadata.id,
        link: Target::Text(text),
        rewritten: if same { Vec::new() } else { rewritten },
        verify: spec.verify,
    });
    // On one file system the links in the tree go with it as they are: they get their new text there.
    for link in in_place {
        plan.steps.push(replace(&from, &to, &link.path, &link.home, &link.away)?);
    }
    let objects = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
    Ok(Relocation { plan, findings, objects, bytes: if same { 0 } else { inventory.bytes() } })
}

/// Plans to bring back what a link leads to. The journal, where there is one, knows which links in it were given another
/// text.
///
/// # Errors
/// It is no symbolic link, or leads nowhere, or through other links.
pub fn plan_restore(link: &Path, verify: Verify, journal: Option<&Journal>) -> Result<Relocation> {
    let place = Place::open(RESTORE, link)?;
    let refuse = |kind, cause: String| Err(Error::new(kind, RESTORE, &place.path, cause));
    let fail = |error| Error::io(RESTORE, &place.path, error);
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let seen = inspect::see(place.spot(), &metadata).map_err(fail)?;
    let Some(old @ Seen { target: Target::Text(_), .. }) = seen else {
        return refuse(ErrorKind::NotALink, "it is no symbolic link".to_owned());
    };
    let shown = inspect::inspect_path(&place.path, crate::model::DEFAULT_DRIVE)?;
    let chain = shown.chain.filter(|chain| chain.hops.len() == 1);
    let Some(tree) = chain.and_then(|chain| chain.resolved) else {
        return refuse(
            ErrorKind::NotFound,
            "it does not lead, by itself alone, to anything that is there".to_owned(),
        );
    };
    let at = Place::open(RESTORE, &tree)?;
    let found = at.directory.metadata_nofollow(at.name()).map_err(fail)?;
    let parent = place.directory.physical_path().map_err(fail)?;
    let home = parent.join(place.name());
    if home.starts_with(&tree) || tree.starts_with(&home) {
        return refuse(ErrorKind::SameFile, "the link is inside what it leads to".to_owned());
    }
    let inventory = Inventory::take(&at.directory, at.name()).map_err(fail)?;
    let same = found.id.volume() == place.directory.metadata().map_err(fail)?.id.volume();
    let rewritten = match journal {
        Some(journal) => given_other_texts(journal, &home, &tree)?,
        None => None,
    };
    let mut findings = preflight::look_back(&at, &place, &tree, &inventory, same)?;
    if rewritten.is_none() {
        let text = "no move in the history made this link: what it leads to may belong elsewhere".to_owned();
        findings.push(Finding { severity: Severity::Warning, path: home.clone(), text });
    }
    let rewritten = rewritten.unwrap_or_default();
    let mut plan = Plan::default();
    let in_place = if same { rewritten.clone() } else { Vec::new() };
    plan.steps.push(Step::RestoreTree {
        link: home.clone(),
        old,
        tree: tree.clone(),
        id: found.id,
        rewritten: if same { Vec::new() } else { rewritten },
        verify,
    });
    for link in in_place {
        // What was changed since says what its user wants.
        plan.steps.extend(replace(&tree, &home, &link.path, &link.away, &link.home).ok());
    }
    let objects = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
    Ok(Relocation { plan, findings, objects, bytes: if same { 0 } else { inventory.bytes() } })
}

/// A link in a tree that gets another text once the tree is at its new place.
fn replace(from: &Path, to: &Path, path: &Path, now: &OsStr, new: &OsStr) -> Result<Step> {
    let at = from.join(path);
    let place = Place::open(MOVE, &at)?;
    let fail = |error| Error::io(MOVE, &at, error);
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let seen = inspect::see(place.spot(), &metadata).map_err(fail)?;
    let old = seen.filter(|seen| seen.target == Target::Text(now.to_owned())).ok_or_else(|| {
        Error::new(ErrorKind::Changed, MOVE, &at, "the link says something else than a moment ago")
    })?;
    let attributes: Option<Attributes> = Some(old.attributes);
    Ok(Step::ReplaceLink {
        link: to.join(path),
        old,
        target: Target::Text(new.to_owned()),
        file: None,
        attributes,
    })
}

/// The relative links of a tree that lead out of it, by their texts, and what they have to say elsewhere.
fn rewritten(inventory: &Inventory, from: &Path) -> Vec<Rewritten> {
    let mut found = Vec::new();
    for (number, item) in inventory.items.iter().enumerate() {
        let Some(text) = &item.text else { continue };
        let target = Path::new(text);
        if number == 0 || target.is_absolute() {
            continue;
        }
        let path = inventory.path(number);
        let base = from.join(path.parent().unwrap_or(Path::new("")));
        let (full, leaves) = lexical(&base, target, from);
        if leaves {
            found.push(Rewritten { path, home: text.clone(), away: full.into_os_string() });
        }
    }
    found
}

/// Where a relative target leads, by its text alone; and whether it leaves the tree on its way, if only to come back by
/// the name that the tree has there.
fn lexical(base: &Path, text: &Path, tree: &Path) -> (PathBuf, bool) {
    let (mut path, mut leaves) = (base.to_owned(), false);
    for component in text.components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => drop(path.pop()),
            Component::RootDir => path = PathBuf::from("/"),
            Component::CurDir | Component::Prefix(_) => {}
        }
        leaves |= !path.starts_with(tree);
    }
    (path, leaves)
}

/// What the journal says of links in a tree that was moved there. `None` where it knows of no such move.
fn given_other_texts(journal: &Journal, home: &Path, tree: &Path) -> Result<Option<Vec<Rewritten>>> {
    for operation in journal.operations(10_000)? {
        let mut found = Vec::new();
        let mut moved = false;
        for recorded in journal.steps(operation.id)? {
            match recorded.step {
                Step::MoveTree { source, destination, rewritten, .. }
                    if source == home && destination == tree =>
                {
                    moved = true;
                    found.extend(rewritten);
                }
                Step::ReplaceLink {
                    link,
                    old: Seen { target: Target::Text(home), .. },
                    target: Target::Text(away),
                    ..
                } if moved => {
                    if let Ok(path) = link.strip_prefix(tree) {
                        found.push(Rewritten { path: path.to_owned(), home, away });
                    }
                }
                _ => {}
            }
        }
        if moved {
            return Ok(Some(found));
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
        if name.as_encoded_bytes().starts_with(b".linkctl-") && crate::apply::is_stage(&full) {
            found.push(full);
        }
    }
    Ok(found)
}

/// A directory's path as people are told of it.
fn shown(directory: &Directory) -> OsString {
    directory.physical_path().map(PathBuf::into_os_string).unwrap_or_default()
}
