//! Links in a tree that say something else at its other place, where the tree goes there as it is: each is replaced where it
//! is, and keeps all else that belongs to it.

use std::ffi::OsStr;
use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::os::{self, tree};
use super::super::step::{self, New};
use super::{Open, Way, stage};
use crate::error::{Error, ErrorKind, Result};
use crate::inspect;
use crate::plan::Rewritten;
use crate::platform::{Place, same_target};

const REWRITE: &str = "rewrite the link";

/// Lets the links of a tree say what they have to say that way. What says neither is what its user wants, and stays.
pub(super) fn rewrite(
    root: &Path,
    links: &[Rewritten],
    way: Way,
    private: &OsStr,
    open: Open,
    stop: &AtomicBool,
) -> Result<()> {
    let Some(name) = root.file_name().filter(|_| !links.is_empty()) else { return Ok(()) };
    let found = open(REWRITE, root)?.directory.metadata_nofollow(name);
    let volume = found.map_err(|error| Error::io(REWRITE, root, error))?.id.volume();
    for link in links {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Stopped, REWRITE, root, "stopped"));
        }
        let (now, new) = match way {
            Way::Away => (&link.home, &link.away),
            Way::Back => (&link.away, &link.home),
        };
        let path = root.join(&link.path);
        // What was written down may have been written by somebody else: of the tree alone links are rewritten.
        let elsewhere = || Error::new(ErrorKind::Changed, REWRITE, &path, "it is no link of the tree");
        if !is_below(&link.path) {
            return Err(elsewhere());
        }
        let place = match open(REWRITE, &path) {
            Ok(place) => place,
            Err(error) if error.kind() == ErrorKind::ParentMissing => continue,
            Err(error) => return Err(error),
        };
        let fail = |error| Error::io(REWRITE, &path, error);
        if place.directory.metadata().map_err(fail)?.id.volume() != volume {
            return Err(elsewhere());
        }
        clear(&place, private, link)?;
        let Some(metadata) = place.metadata().map_err(fail)? else { continue };
        let Some(old) = inspect::see(place.spot(), &metadata).map_err(fail)? else { continue };
        if same_target(&old.target, now) {
            let new = New { target: new, file: None, attributes: Some(old.attributes), keeps: true };
            step::replace(&path, &old, &new, private, open)?;
        }
    }
    Ok(())
}

/// Whether a path is one below the root of a tree, and leads nowhere else.
fn is_below(path: &Path) -> bool {
    let mut components = path.components().peekable();
    components.peek().is_some() && components.all(|component| matches!(component, Component::Normal(_)))
}

/// Whether a run that ended in the middle has left links of a tree that do not say what they have to that way, or a name of
/// its own.
pub(super) fn is_unfinished(root: &Path, links: &[Rewritten], way: Way, private: &OsStr) -> bool {
    links.iter().filter(|link| is_below(&link.path)).any(|link| {
        let wrong = if way == Way::Away { &link.home } else { &link.away };
        Place::open_physical(REWRITE, &root.join(&link.path)).is_ok_and(|place| {
            stage::says(&place.directory, place.name(), wrong).unwrap_or(false)
                || place.directory.metadata_nofollow(private).is_ok()
        })
    })
}

/// Removes what a run that ended in the middle has left beside a link: one of the two that changed places.
fn clear(place: &Place, private: &OsStr, link: &Rewritten) -> Result<()> {
    let fail = |error| Error::io("remove what is left beside", &place.path, error);
    let says = |target| stage::says(&place.directory, private, target);
    match place.directory.metadata_nofollow(private) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(fail)?,
    };
    let (before, _) = crate::platform::look(&place.directory, OsStr::new(".")).map_err(fail)?;
    if says(&link.home).map_err(fail)? || says(&link.away).map_err(fail)? {
        os::remove_file(&place.directory, private).map_err(fail)?;
        tree::give_back_time(&place.directory, OsStr::new("."), &before).map_err(fail)?;
    }
    Ok(())
}
