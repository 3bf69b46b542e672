//! Everything that can be known to go wrong with a move, before a byte is copied.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{MOVE, MoveSpec, shown};
use crate::apply::{Capability, probe};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Rewritten;
use crate::platform::{self, Inventory, Item, ObjectKind, Place, quoted};
use crate::scan::{Details, Filter, Found, ScanOptions, scan};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something will not be as it was; with `--strict` a refusal.
    Warning,
    /// It cannot be done, or would lose something.
    Refusal,
}

/// Something found before a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// The path it is about.
    pub path: PathBuf,
    /// What it is. Names in it are quoted and escaped already.
    pub text: String,
}

/// What is looked at.
pub(super) struct Look<'a> {
    pub(super) spec: &'a MoveSpec,
    pub(super) source: &'a Place,
    pub(super) destination: &'a Place,
    /// The source in full, without links.
    pub(super) from: &'a Path,
    pub(super) inventory: &'a Inventory,
    /// Whether both places are on one file system.
    pub(super) same: bool,
    pub(super) rewritten: &'a [Rewritten],
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, severity: Severity, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.0.push(Finding { severity, path: path.into(), text: text.into() });
    }
}

/// More of one sort than this are told by their number.
const MOST: usize = 20;

pub(super) fn look(look: &Look<'_>) -> Result<Vec<Finding>> {
    let mut findings = Findings(Vec::new());
    can_link(look.source, &mut findings);
    objects(look.from, look.inventory, look.same, &mut findings);
    users(look.from, &mut findings);
    if !look.same {
        room(look.destination, look.inventory, &mut findings)?;
        holds(look.destination, &mut findings)?;
    }
    for (count, link) in look.rewritten.iter().enumerate() {
        if count == MOST {
            let more = look.rewritten.len() - MOST;
            findings.add(Severity::Note, look.from, format!("and {more} more links like that"));
            break;
        }
        let text = format!(
            "leads out of the tree by {}; at the new place it will say {}",
            quoted(Path::new(&link.home)),
            quoted(Path::new(&link.away))
        );
        findings.add(Severity::Note, look.from.join(&link.path), text);
    }
    for root in &look.spec.search {
        let mut filter = Filter::default();
        for error in filter.points_to(look.from)? {
            findings.add(Severity::Warning, error.path(), error.cause());
        }
        let mut options = ScanOptions::new([root]);
        options.filter = filter;
        options.details = Details::State;
        for found in scan(options) {
            match found {
                Ok(Found::Link(link)) if !link.path.starts_with(look.from) => {
                    findings.add(
                        Severity::Note,
                        link.path,
                        "leads into the tree; it goes on to, by way of the new link",
                    );
                }
                Ok(_) => {}
                Err(error) => findings.add(Severity::Warning, error.path(), error.cause()),
            }
        }
    }
    findings.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings.0)
}

/// The same for the way back: the link is there already.
pub(super) fn look_back(
    tree: &Place,
    link: &Place,
    from: &Path,
    inventory: &Inventory,
    same: bool,
) -> Result<Vec<Finding>> {
    let mut findings = Findings(Vec::new());
    if tree.ntfs().ok().flatten().is_some() || link.ntfs().ok().flatten().is_some() {
        findings.add(Severity::Refusal, from, "on NTFS, streams and security are not carried over yet");
    }
    can_link(link, &mut findings);
    objects(from, inventory, same, &mut findings);
    users(from, &mut findings);
    if !same {
        room(link, inventory, &mut findings)?;
        holds(link, &mut findings)?;
    }
    findings.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings.0)
}

/// Whether links can be made beside a place, and change places with what is there: found out by doing it.
fn can_link(place: &Place, findings: &mut Findings) {
    let directory = PathBuf::from(shown(&place.directory));
    match probe(&directory) {
        Ok(found) => {
            for (capability, result) in found.capabilities {
                if let (Capability::DirectorySymlink | Capability::Replace, Err(error)) = (capability, result)
                {
                    let text =
                        format!("no link can be made here ({}): {}", capability.as_str(), error.cause());
                    findings.add(Severity::Refusal, &directory, text);
                }
            }
        }
        Err(error) => findings.add(Severity::Refusal, &directory, error.cause()),
    }
}

fn objects(from: &Path, inventory: &Inventory, same: bool, findings: &mut Findings) {
    let me = platform::current_user();
    let (mut names, mut foreign): (HashMap<(u64, u64), u32>, usize) = (HashMap::new(), 0);
    for (number, item) in inventory.items.iter().enumerate() {
        // Nothing is joined to the root: that would end in a slash.
        let path = || match number {
            0 => from.to_owned(),
            _ => from.join(inventory.path(number)),
        };
        if item.is_mount_point {
            findings.add(Severity::Refusal, path(), "another file system is mounted here: unmount it first");
        }
        if item.is_fixed {
            findings.add(
                Severity::Refusal,
                path(),
                "it is marked immutable or append-only (chattr): it could not be removed",
            );
        }
        if item.stat.sort == ObjectKind::Socket && !same {
            findings.add(
                Severity::Warning,
                path(),
                "a socket: it is not copied; the program behind it makes a new one",
            );
        }
        if item.stat.sort != ObjectKind::Directory && item.stat.names > 1 {
            *names.entry((item.stat.device, item.stat.number)).or_insert(0) += 1;
        }
        foreign += usize::from(me != 0 && item.stat.uid != me);
    }
    if foreign > 0 && !same {
        let text = format!("{foreign} objects belong to others: without root, the copies will be yours");
        findings.add(Severity::Warning, from, text);
    }
    if same {
        return;
    }
    let outside = |item: &Item| {
        let inside = names.get(&(item.stat.device, item.stat.number)).copied().unwrap_or(0);
        item.stat.sort != ObjectKind::Directory && item.stat.names > inside && item.stat.names > 1
    };
    let split: Vec<usize> = inventory
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| outside(item))
        .map(|(number, _)| number)
        .collect();
    for &number in split.iter().take(MOST) {
        let text = "it has other names outside the tree: they and the copy will be two files";
        findings.add(Severity::Warning, from.join(inventory.path(number)), text);
    }
    if split.len() > MOST {
        findings.add(Severity::Warning, from, format!("and {} more files like that", split.len() - MOST));
    }
}

/// Programs that have something open below, work there, or run from there.
fn users(from: &Path, findings: &mut Findings) {
    // It is written to during the move, and would be left at both places.
    if crate::journal::Journal::default_directory()
        .is_ok_and(|state| std::fs::canonicalize(&state).is_ok_and(|state| state.starts_with(from)))
    {
        findings.add(Severity::Refusal, from, "linkctl keeps its own history in it");
    }
    for user in platform::users_below(from) {
        let severity = if user.is_own { Severity::Refusal } else { Severity::Warning };
        findings.add(severity, &user.path, format!("process {} ({}) {}", user.pid, user.name, user.what));
    }
}

fn room(destination: &Place, inventory: &Inventory, findings: &mut Findings) -> Result<()> {
    let fail = |error| Error::io(MOVE, &destination.path, error);
    let (bytes, objects) = platform::room(&destination.directory).map_err(fail)?;
    let mut met = std::collections::HashSet::new();
    let needed = inventory.items.iter().filter(|item| {
        item.stat.sort == ObjectKind::File && (item.stat.names < 2 || met.insert(item.stat.number))
    });
    let needed = needed.fold(0u64, |sum, item| sum.saturating_add(item.stat.allocated));
    let count = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
    if needed > bytes {
        let text = format!("there is room for {bytes} bytes; {needed} are needed");
        findings.add(Severity::Refusal, shown(&destination.directory), text);
    }
    if objects.is_some_and(|objects| count + 8 > objects) {
        let text = format!("there is room for {} more files; {count} are needed", objects.unwrap_or(0));
        findings.add(Severity::Refusal, shown(&destination.directory), text);
    }
    Ok(())
}

/// File systems that cannot hold what a tree is made of.
fn holds(destination: &Place, findings: &mut Findings) -> Result<()> {
    let fail = |error| Error::io(MOVE, &destination.path, error).of_kind(ErrorKind::Io);
    let filesystem = platform::Filesystem::of(&destination.directory).map_err(fail)?;
    let place = shown(&destination.directory);
    if filesystem.read_only {
        findings.add(Severity::Refusal, &place, "the file system is mounted read-only");
    }
    match filesystem.kind.as_str() {
        "vfat" | "msdos" | "exfat" => {
            let text = format!("{} holds neither owners nor rights nor links", filesystem.kind);
            findings.add(Severity::Refusal, &place, text);
        }
        kind if kind.contains("ntfs") => {
            findings.add(Severity::Refusal, &place, "on NTFS, owners and rights would not be kept");
        }
        kind if filesystem.network => {
            let text = format!(
                "{kind}: what it keeps of owners, times and attributes is seen only when it is copied"
            );
            findings.add(Severity::Warning, &place, text);
        }
        _ => {}
    }
    Ok(())
}
