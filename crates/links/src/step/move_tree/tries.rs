//! What only a try can tell before a tree is moved: whether the links can be made that the move needs.

use std::path::Path;

use reparse::Tag;

use super::super::probe::{Capability, MAKE, Probe, probe};
use crate::error::{Error, Result};
use crate::model::{EntryPath, Finding, LinkKind, Severity, Target};
use crate::platform::{Inventory, Item, Place};

const NO_STREAMS: &str = "mounted so that streams cannot be seen, and would be lost: mount it with \
                          streams_interface=xattr, which is the default";

/// What would be tried.
pub(super) fn untried(link: &EntryPath, target: &Target) -> Vec<Finding> {
    let directory = link.parent().unwrap_or(link);
    let text = format!("whether a {} can be made here", target.kind());
    vec![Finding::new(Severity::NotTried, "link-not-tried", directory, text)]
}

/// Tries it, in a temporary directory at each place.
pub(super) fn run(link: &EntryPath, target: &Target, from: &EntryPath, to: &EntryPath) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    can_link(link.parent().unwrap_or(link), target, &mut findings);
    let (source, place) = (Place::of_entry("move", from)?, Place::of_entry("move to", to)?);
    let fail = |error| Error::io("look at", from.shown(), error);
    let volume = source.directory.metadata_nofollow(source.name()).map_err(fail)?.id.volume();
    // Elsewhere than on NTFS there is nothing more to be known that the try of a link does not tell.
    let is_other = place.directory.metadata().map_err(fail)?.id.volume() != volume;
    if is_other && place.ntfs().is_ok_and(|ntfs| ntfs.is_some()) {
        let inventory = Inventory::take(&source.directory, source.name()).map_err(fail)?;
        can_hold(to.parent().unwrap_or(to), &inventory, &mut findings);
    }
    Ok(findings)
}

/// Whether such a link can be made beside a place, and exchanged with what is there.
fn can_link(directory: &Path, target: &Target, findings: &mut Vec<Finding>) {
    let needed: &[Capability] = match target.kind() {
        LinkKind::Junction => &[Capability::Junction],
        LinkKind::SymlinkFile => &[Capability::FileSymlink],
        LinkKind::SymlinkDir => &[Capability::DirectorySymlink],
        _ => &[Capability::DirectorySymlink, Capability::Replace],
    };
    probed(directory, findings, |found, refuse| {
        for (capability, result) in found.capabilities.iter().filter(|(capability, _)| needed.contains(capability)) {
            if let Err(error) = result {
                let text = format!("no link can be made here ({}): {}", capability.as_str(), error.cause());
                refuse("link-impossible", text);
            }
        }
    });
}

/// Whether the new place takes what is in the tree.
fn can_hold(directory: &Path, inventory: &Inventory, findings: &mut Vec<Finding>) {
    probed(directory, findings, |found, refuse| {
        let link = found.capabilities.iter().find(|(capability, _)| *capability == Capability::HardLink);
        match link {
            Some((_, Err(error))) if error.operation() == MAKE => {
                refuse("read-only", format!("nothing can be made here: {}", error.cause()));
            }
            Some((_, Err(error))) if inventory.items.iter().any(Item::has_several_names) => {
                refuse("hard-link-impossible", format!("no hard link can be made here: {}", error.cause()));
            }
            _ => {}
        }
        let links =
            inventory.items.iter().filter(|item| item.point.as_ref().is_some_and(|at| at.tag() == Tag::SYMLINK));
        let made = found.capabilities.iter().find(|(capability, _)| *capability == Capability::FileSymlink);
        if let (count @ 1.., Some((_, Err(error)))) = (links.count(), made)
            && error.operation() != MAKE
        {
            let text = format!("{count} symbolic links are in the tree, and none can be made here: {}", error.cause());
            refuse("no-symlinks", text);
        }
    });
}

/// Tries all in a directory, and refuses what `judge` says of what came of it.
fn probed(
    directory: &Path,
    findings: &mut Vec<Finding>,
    judge: impl FnOnce(&Probe, &mut dyn FnMut(&'static str, String)),
) {
    let mut refuse = |code, text| findings.push(Finding::new(Severity::Refusal, code, directory, text));
    match probe(directory) {
        Ok(found) => {
            judge(&found, &mut refuse);
            if found.ntfs && !found.streams {
                refuse("no-streams", NO_STREAMS.to_owned());
            }
        }
        Err(error) => refuse("link-impossible", error.cause()),
    }
}
