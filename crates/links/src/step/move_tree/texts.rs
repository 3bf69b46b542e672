//! Links in a tree that say something else at its other place, where the tree goes there as it is: each is replaced where it
//! is, and keeps all else that belongs to it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::make::{New, says};
use super::super::os::{self, tree};
use super::super::replace_link::{Preserve, replace};
use super::across::join;
use super::stage::Before;
use super::{Direction, stat_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Rewritten;
use crate::platform::{Directory, Place, look, same_target};
use crate::read::inspect;

const REWRITE: &str = "rewrite the link";

/// Lets the links of a tree say what they have to say that way. What says neither is what its user wants, and stays.
pub(super) fn rewrite(
    root: &Path,
    links: &[Rewritten],
    way: Direction,
    private: &OsStr,
    stop: &AtomicBool,
) -> Result<()> {
    let Some(name) = root.file_name().filter(|_| !links.is_empty()) else { return Ok(()) };
    let found = Place::open_physical(REWRITE, root)?.directory.metadata_nofollow(name);
    let volume = found.map_err(|error| Error::io(REWRITE, root, error))?.id.volume();
    for link in links {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::stopped(REWRITE, root));
        }
        let (now, new) = way.texts(link);
        let path = root.join(&link.path);
        // What was written down may have been written by somebody else: of the tree alone links are rewritten.
        let elsewhere = || Error::new(ErrorKind::Changed, REWRITE, &path, "it is no link of the tree");
        if !is_below(&link.path) {
            return Err(elsewhere());
        }
        let place = match Place::open_physical(REWRITE, &path) {
            Ok(place) => place,
            Err(error) if error.kind() == ErrorKind::ParentMissing => continue,
            Err(error) => return Err(error),
        };
        let fail = |error| Error::io(REWRITE, &path, error);
        if place.directory.metadata().map_err(fail)?.id.volume() != volume {
            return Err(elsewhere());
        }
        clear(&place, private, links.iter().filter(|other| other.path.parent() == link.path.parent()))?;
        let Some(metadata) = place.metadata().map_err(fail)? else { continue };
        let Some(old) = inspect::see(place.spot(), &metadata).map_err(fail)? else { continue };
        if same_target(&old.target, now) {
            let new = New { target: new, file: None, attributes: Some(old.attributes), ntfs: None };
            replace(&place, &old, &new, private, Preserve::Everything)?;
        }
    }
    Ok(())
}

/// The directories of a tree in which links are rewritten, as they are before.
pub(super) fn directories(place: &Place, links: &[Rewritten]) -> std::io::Result<Vec<Before>> {
    let paths: BTreeSet<&Path> = links.iter().filter_map(|link| link.path.parent()).collect();
    let root = |path: &Path| place.directory.open_child(place.name())?.open_below(path);
    paths
        .into_iter()
        .map(|path| Ok(Before { path: path.to_owned(), stat: look(&root(path)?, OsStr::new("."))?.0 }))
        .collect()
}

/// Gives these their times back.
pub(super) fn give_back_times(root: &Path, directories: &[Before]) -> Result<()> {
    let is_in_it = |path: &Path| path.as_os_str().is_empty() || is_below(path);
    for before in directories.iter().filter(|before| is_in_it(&before.path)) {
        let path = join(root, &before.path);
        let fail = |error| Error::io("give back the time of", &path, error);
        let Ok(directory) = Directory::open_physical(&path) else { continue };
        // Another one may have the name by now; the number of the file system is another after a restart.
        let (now, _) = look(&directory, OsStr::new(".")).map_err(fail)?;
        if now.number == before.stat.number {
            tree::give_back_time(&directory, OsStr::new("."), &before.stat).map_err(fail)?;
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
pub(super) fn is_unfinished(root: &Path, links: &[Rewritten], way: Direction, private: &OsStr) -> bool {
    links.iter().filter(|link| is_below(&link.path)).any(|link| {
        let (wrong, _) = way.texts(link);
        Place::open_physical(REWRITE, &root.join(&link.path)).is_ok_and(|place| {
            says(&place.directory, place.name(), wrong).unwrap_or(false)
                || place.directory.metadata_nofollow(private).is_ok()
        })
    })
}

/// Removes what a run that ended in the middle has left in a directory: one of two links that changed places, whichever of
/// those that are rewritten there it was.
fn clear<'a>(place: &Place, private: &OsStr, mut links: impl Iterator<Item = &'a Rewritten>) -> Result<()> {
    let fail = |error| Error::io("remove what is left beside", &place.path, error);
    let says = |target| says(&place.directory, private, target).unwrap_or(false);
    if stat_of(&place.directory, private).map_err(fail)?.is_none() {
        return Ok(());
    }
    let (before, _) = look(&place.directory, OsStr::new(".")).map_err(fail)?;
    if links.any(|link| says(&link.home) || says(&link.away)) {
        os::remove_file(&place.directory, private).map_err(fail)?;
        tree::give_back_time(&place.directory, OsStr::new("."), &before).map_err(fail)?;
    }
    Ok(())
}
