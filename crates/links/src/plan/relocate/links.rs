//! The link that is left where a tree was, and the links in the tree that lead out of it.

use std::path::{Component, Path, PathBuf};

use reparse::path::{TargetClass, classify, to_backslashes};
use reparse::{ReparseData, Symlink};

use super::{MOVE, MoveSpec, Tree};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, Form, KindChoice, LinkSpec, ReparsePoint, Shape, Target};
use crate::plan::create;
use crate::plan::{Finding, Rewritten, Severity};
use crate::platform::{self, Place};
use crate::read::places::relative_path;

/// What the link says that is left, and what is to be said of it.
pub(super) fn left(spec: &MoveSpec, tree: &Tree, kind: FileKind) -> Result<(Target, Vec<Finding>)> {
    let Tree { source, from, to, same, .. } = tree;
    let on_ntfs = source.ntfs().map_err(|error| Error::io(MOVE, &source.path, error))?.is_some();
    let text = |relative: bool| {
        let above = from.parent().unwrap_or(Path::new("/"));
        let path = if relative { relative_path(above, to) } else { to.to_owned() };
        Target::Text(path.into_os_string())
    };
    let directory = kind == FileKind::Directory;
    let junction = match spec.kind {
        KindChoice::Hard => {
            let cause = "a hard link leads to a file on its own volume, which is not moved then";
            return Err(Error::new(ErrorKind::NotSupported, MOVE, &source.path, cause));
        }
        KindChoice::Junction => true,
        // Where links are text, a junction is what somebody must want.
        KindChoice::Auto => !platform::TEXT_LINKS && directory && !spec.relative && !is_remote(to),
        KindChoice::Symlink => false,
    };
    if platform::TEXT_LINKS && !junction {
        if !on_ntfs {
            return Ok((text(spec.relative), Vec::new()));
        }
        if !same {
            let note = "the link leads to another file system: Linux follows it, Windows does not";
            let finding = Finding::new(Severity::Note, "linux-only-link", from, note);
            return Ok((text(spec.relative), vec![finding]));
        }
    }
    let mut link = LinkSpec::new(from, to);
    link.kind = if junction { KindChoice::Junction } else { KindChoice::Symlink };
    link.shape = Some(if directory { Shape::Directory } else { Shape::File });
    // Here nobody knows what letter Windows gives the volume, and a relative link needs none.
    let relative = spec.relative || platform::TEXT_LINKS && !junction && spec.drive.is_none();
    link.form = if relative { Form::Relative } else { Form::Absolute };
    link.drive = spec.drive.unwrap_or(link.drive);
    let (target, mut notes) = create::target_of(&link)?;
    if junction && platform::TEXT_LINKS && spec.drive.is_none() {
        let text = format!("the junction says drive {}: on Windows it leads there", link.drive);
        notes.push(Finding::new(Severity::Note, "assumed-drive", from, text));
    }
    Ok((target, notes))
}

/// Whether a path is one of the network.
fn is_remote(path: &Path) -> bool {
    platform::to_wide(path.as_os_str()).is_some_and(|text| classify(&text) == TargetClass::Unc)
}

/// The relative links of a tree that lead out of it, by what they say, and what they have to say elsewhere; and those
/// that cannot say it there.
pub(super) fn leading_out(tree: &Tree) -> (Vec<Rewritten>, Vec<PathBuf>) {
    let Tree { source, from, to, inventory, same, .. } = tree;
    let (mut found, mut stuck) = (Vec::new(), Vec::new());
    for (number, item) in inventory.items.iter().enumerate() {
        let Some(home) = item.target().filter(|_| number != 0) else { continue };
        let path = inventory.path(number);
        let base = from.join(path.parent().unwrap_or(Path::new("")));
        let Some(target) = relative_target(&home) else { continue };
        let (full, leaves) = lexical(&base, &target, from);
        if !leaves {
            continue;
        }
        let at = to.join(path.parent().unwrap_or(Path::new("")));
        match elsewhere(&home, full, &at, source, *same) {
            Some(away) => found.push(Rewritten { path, home, away }),
            None => stuck.push(path),
        }
    }
    (found, stuck)
}

/// The path that a relative link says, in this system's words. `None` of every other.
fn relative_target(target: &Target) -> Option<PathBuf> {
    match target {
        Target::Text(text) => Some(PathBuf::from(text)).filter(|path| path.is_relative()),
        Target::Reparse(point) => match point.decode().ok()? {
            ReparseData::Symlink(link) if classify(&link.substitute) == TargetClass::Relative => {
                Some(create::linux_words(&link.substitute))
            }
            _ => None,
        },
        Target::File(_) => None,
    }
}

/// What such a link has to say at its new place to lead where it did.
fn elsewhere(home: &Target, full: PathBuf, at: &Path, source: &Place, same: bool) -> Option<Target> {
    let Target::Reparse(point) = home else { return Some(Target::Text(full.into_os_string())) };
    let text = if platform::TEXT_LINKS {
        // Which letter Windows gives the volume is not known here.
        let relative = relative_path(at, &full);
        to_backslashes(&platform::to_wide(relative.as_os_str()).filter(|_| same)?)
    } else {
        source.ntfs().ok().flatten()?.windows_path(&full, crate::model::DEFAULT_DRIVE)?
    };
    let raw = ReparseData::Symlink(Symlink::new(&text).ok()?).encode().ok()?;
    Some(Target::Reparse(ReparsePoint { raw, directory: point.directory }))
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
