//! One step: checked, done, read back, or taken back.

use std::ffi::OsStr;
use std::path::Path;

use super::Work;
use super::aside_name;
use super::make::New;
use super::move_tree::{self, Job, Link, Moved, Way};
use super::os::{self, tree};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileId, FileKind, LinkKind, Target};
use crate::model::{Seen, Step};
use crate::platform::{self, Place, Spot};
use crate::read::inspect;

/// How the parent of a step's path is opened.
pub(crate) type Open = fn(&'static str, &Path) -> Result<Place>;

/// Carries out a step. On failure everything is as it was, or the error says what is not.
pub(crate) fn perform(
    step: &Step,
    private_name: &str,
    open: Open,
    work: Work<'_>,
) -> Result<(Option<FileId>, Moved)> {
    let private = OsStr::new(private_name);
    let job = match step {
        Step::MoveTree { source, destination, id, link, rewritten, verify } => Job {
            way: Way::Away,
            from: source,
            to: destination,
            id: *id,
            link: Link::New(link),
            texts: rewritten,
            verify: *verify,
        },
        Step::RestoreTree { link, old, tree, id, rewritten, verify } => Job {
            way: Way::Back,
            from: tree,
            to: link,
            id: *id,
            link: Link::Old(old),
            texts: rewritten,
            verify: *verify,
        },
        step => return single(step, private_name, open).map(|made| (made, Moved::default())),
    };
    let moved = move_tree::perform(&job, private, open, work)?;
    Ok((moved.made, moved))
}

/// A step on one object.
fn single(step: &Step, private_name: &str, open: Open) -> Result<Option<FileId>> {
    let private = OsStr::new(private_name);
    match step {
        Step::MakeDirectory { path } => make_directory(path, open).map(Some),
        Step::CreateLink { link, target, file, attributes } => {
            let new = New { target, file: *file, attributes: *attributes, keeps: false };
            create(link, &new, open).map(Some)
        }
        Step::ReplaceLink { link, old, target, file, attributes } => {
            let new = New { target, file: *file, attributes: *attributes, keeps: false };
            replace(link, old, &new, private, open).map(Some)
        }
        Step::RemoveLink { link, old } => remove(link, old, private, open).map(|()| None),
        Step::RemoveEmpty { path, id, directory } => {
            remove_empty(path, *id, *directory, private, open).map(|()| None)
        }
        Step::ClearReparsePoint { path, old } => clear_reparse_point(path, old, open).map(Some),
        Step::SetReparsePoint { path, id, target } => set_reparse_point(path, *id, target, open).map(Some),
        Step::MoveTree { .. } | Step::RestoreTree { .. } => Ok(None),
    }
}

fn make_directory(path: &Path, open: Open) -> Result<FileId> {
    const OPERATION: &str = "make directory";
    let place = open(OPERATION, path)?;
    os::make_directory(&place.directory, place.name()).map_err(|error| Error::io(OPERATION, path, error))?;
    let made = place.directory.metadata_nofollow(place.name());
    Ok(made.map_err(|error| Error::io(OPERATION, path, error))?.id)
}

fn create(link: &Path, new: &New<'_>, open: Open) -> Result<FileId> {
    let place = open(new.operation(), link).map_err(|error| new.name_target(error))?;
    new.make(&place, place.name())
}

pub(crate) const REPLACE: &str = "replace link";

/// Makes the new link beside the old one and lets them change places: there is always one of the two.
pub(crate) fn replace(link: &Path, old: &Seen, new: &New<'_>, private: &OsStr, open: Open) -> Result<FileId> {
    replace_at(&open(REPLACE, link)?, old, new, private)
}

/// The same where the directory is open already.
pub(crate) fn replace_at(place: &Place, old: &Seen, new: &New<'_>, private: &OsStr) -> Result<FileId> {
    must_be(place.spot(), old, REPLACE)?;
    let fail = |error| Error::io(REPLACE, &place.path, error);
    let before = match new.keeps {
        true => Some(platform::look(&place.directory, OsStr::new(".")).map_err(fail)?.0),
        false => None,
    };
    let made = new.make(place, private)?;
    let give = || match before {
        Some(_) => tree::give_link(&place.directory, place.name(), private).map_err(fail),
        None => Ok(()),
    };
    let swapped = give()
        .and_then(|()| new.must_lead(place.spot_of(private), REPLACE))
        .and_then(|()| swap_in(place, old, private, REPLACE));
    let give_back_time = || match &before {
        Some(before) => tree::give_back_time(&place.directory, OsStr::new("."), before).map_err(fail),
        None => Ok(()),
    };
    if let Err(error) = swapped {
        if error.kind() == ErrorKind::Unsure {
            return Err(error);
        }
        // Whatever happened, only the new link may be removed under the private name.
        let ours = place.directory.metadata_nofollow(private).is_ok_and(|left| left.id == made);
        if ours && os::remove_file(&place.directory, private).is_ok() {
            return Err(give_back_time().err().unwrap_or(error));
        }
        return Err(left_behind(&error, place, private));
    }
    let now = place.directory.metadata_nofollow(place.name());
    if now.map_err(|error| new.unsure(&place.path, &error))?.id != made {
        let cause = "replaced, but something else has its name already";
        return Err(new.refuse(&place.path, ErrorKind::Unsure, cause));
    }
    give_back_time()?;
    Ok(made)
}

/// Puts the link under its private name in the place of the old one, which is gone then.
fn swap_in(place: &Place, old: &Seen, private: &OsStr, operation: &'static str) -> Result<()> {
    let fail = |error| Error::io(operation, &place.path, error);
    let (directory, name) = (&place.directory, place.name());
    must_hold_nothing(place.spot(), old, operation)?;
    match os::exchange(directory, private, name) {
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {}
        exchanged => {
            exchanged.map_err(fail)?;
            return drop_old(place, old, private, operation, || os::exchange(directory, private, name));
        }
    }
    must_be(place.spot(), old, operation)?;
    match os::rename_over(directory, private, name) {
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
            let aside = aside_name(private);
            let exchange = || os::exchange_by_steps(directory, private, name, &aside);
            exchange().map_err(fail)?;
            drop_old(place, old, private, operation, exchange)
        }
        renamed => {
            renamed.map_err(fail)?;
            // Renaming one name of a file onto another of the same file does nothing and says nothing.
            match directory.metadata_nofollow(private) {
                Ok(_) => os::remove_file(directory, private).map_err(fail),
                Err(_) => Ok(()),
            }
        }
    }
}

/// Removes the old link, once it is where nobody else looks: whatever it is, it can be put back.
fn drop_old(
    place: &Place,
    old: &Seen,
    private: &OsStr,
    operation: &'static str,
    put_back: impl FnOnce() -> std::io::Result<()>,
) -> Result<()> {
    let fail = |error| Error::io(operation, &place.path, error);
    let checked = must_still_be(place.spot_of(private), old, operation)
        .and_then(|()| os::remove_file(&place.directory, private).map_err(fail));
    let Err(error) = checked else { return Ok(()) };
    put_back().map_err(|_| left_behind(&error, place, private))?;
    Err(error)
}

/// Refuses a link that holds data of its own, which nobody sees through it: Windows lets a file have both.
fn must_hold_nothing(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<()> {
    let is_file = matches!(&old.target, Target::Reparse(point) if !point.directory);
    if !platform::follows_reparse_points() || !is_file {
        return Ok(());
    }
    let metadata = spot.directory.metadata_nofollow(spot.name);
    if metadata.map_err(|error| Error::io(operation, spot.path, error))?.size == 0 {
        return Ok(());
    }
    let cause =
        "the link itself holds data, which would be lost; `fsutil reparsepoint delete` makes it a file again";
    Err(Error::new(ErrorKind::NotALink, operation, spot.path, cause))
}

/// No system removes "this object, if it has this name": the link is renamed to a private name,
/// looked at there, and only then removed.
fn remove(link: &Path, old: &Seen, private: &OsStr, open: Open) -> Result<()> {
    const REMOVE: &str = "remove";
    let place = open(REMOVE, link)?;
    let fail = |error| Error::io(REMOVE, &place.path, error);
    must_be(place.spot(), old, REMOVE)?;
    must_hold_nothing(place.spot(), old, REMOVE)?;
    // Two that remove the last two names of a file at the same time must not both see the other's.
    let _lock = match old.target {
        Target::File(_) => os::lock_file(&place.directory, place.name()).map_err(fail)?,
        _ => None,
    };
    // The system's list of mount points knows it by its own name only.
    let is_volume = matches!(&old.target, Target::Reparse(point) if point.kind() == LinkKind::MountPoint);
    if is_volume && platform::follows_reparse_points() {
        return os::remove_file(&place.directory, place.name()).map_err(fail);
    }
    match os::rename_to_new(&place.directory, place.name(), private) {
        Ok(()) => {}
        // A full disk may have no room for another name, and must not keep the link from going.
        Err(error) if platform::error_kind(&error) == ErrorKind::Full => {
            return os::remove_file(&place.directory, place.name()).map_err(fail);
        }
        Err(error) => return Err(fail(error)),
    }
    let removed = must_be(place.spot_of(private), old, REMOVE)
        .and_then(|()| os::remove_file(&place.directory, private).map_err(fail));
    let Err(error) = removed else { return Ok(()) };
    match os::rename_to_new(&place.directory, private, place.name()) {
        Ok(()) => Err(error),
        Err(_) => Err(left_behind(&error, &place, private)),
    }
}

fn remove_empty(path: &Path, id: FileId, directory: bool, private: &OsStr, open: Open) -> Result<()> {
    const OPERATION: &str = "remove empty";
    let place = open(OPERATION, path)?;
    let fail = |error| Error::io(OPERATION, path, error);
    let check = |name: &OsStr| {
        let metadata = place.directory.metadata_nofollow(name).map_err(fail)?;
        let empty_file = metadata.kind == FileKind::File && metadata.size == 0 && metadata.links == 1;
        let is_dir = metadata.kind == FileKind::Directory;
        if !metadata.id.same_file(id) || (directory && !is_dir) || (!directory && !empty_file) {
            return Err(Error::new(ErrorKind::Changed, OPERATION, path, "it is not what it was"));
        }
        Ok(())
    };
    check(place.name())?;
    if directory {
        // The system itself refuses a directory that is not empty.
        return os::remove_directory(&place.directory, place.name()).map_err(fail);
    }
    os::rename_to_new(&place.directory, place.name(), private).map_err(fail)?;
    let removed = check(private).and_then(|()| os::remove_file(&place.directory, private).map_err(fail));
    let Err(error) = removed else { return Ok(()) };
    match os::rename_to_new(&place.directory, private, place.name()) {
        Ok(()) => Err(error),
        Err(_) => Err(left_behind(&error, &place, private)),
    }
}

fn clear_reparse_point(path: &Path, old: &Seen, open: Open) -> Result<FileId> {
    const OPERATION: &str = "delete the reparse point of";
    let place = open(OPERATION, path)?;
    let fail = |error| Error::io(OPERATION, path, error);
    // What is held is what is looked at, whatever has its name meanwhile.
    let held = place.directory.hold(place.name()).map_err(fail)?;
    must_be(place.spot(), old, OPERATION)?;
    if held.metadata().map_err(fail)?.id != old.id {
        return Err(Error::new(ErrorKind::Changed, OPERATION, path, "it is another object than before"));
    }
    os::clear_reparse_point(&held, &place.directory, place.name()).map_err(fail)?;
    Ok(place.directory.metadata_nofollow(place.name()).map_err(fail)?.id)
}

fn set_reparse_point(path: &Path, id: FileId, target: &Target, open: Open) -> Result<FileId> {
    const OPERATION: &str = "set the reparse point of";
    let place = open(OPERATION, path)?;
    let fail = |error| Error::io(OPERATION, path, error);
    let Target::Reparse(point) = target else {
        return Err(Error::new(ErrorKind::InvalidTarget, OPERATION, path, "the target is no reparse data"));
    };
    let held = place.directory.hold(place.name()).map_err(fail)?;
    let metadata = held.metadata().map_err(fail)?;
    let empty = match metadata.kind {
        FileKind::Directory if point.directory => {
            let directory = place.directory.open_child(place.name()).map_err(fail)?;
            directory.entries().map_err(fail)?.next().is_none()
        }
        FileKind::File if !point.directory => metadata.size == 0,
        _ => false,
    };
    if !metadata.id.same_file(id) || !empty {
        let cause = "it is another object than before, or no longer empty";
        return Err(Error::new(ErrorKind::Changed, OPERATION, path, cause));
    }
    os::set_reparse_point(&held, &place.directory, place.name(), point).map_err(fail)?;
    Ok(place.directory.metadata_nofollow(place.name()).map_err(fail)?.id)
}

/// Refuses unless a name is the very link that was found to be the one the plan saw, right before it was renamed. The
/// text of a symbolic link never changes: where the time of birth tells a number given anew, it is not read again.
fn must_still_be(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<()> {
    if !matches!(old.target, Target::Text(_)) || old.id.born == 0 {
        return must_be(spot, old, operation);
    }
    let metadata = spot.directory.metadata_nofollow(spot.name);
    if metadata.map_err(|error| Error::io(operation, spot.path, error))?.id != old.id {
        return Err(Error::new(ErrorKind::Changed, operation, spot.path, ANOTHER));
    }
    Ok(())
}

const ANOTHER: &str = "it is another object than the one that was looked at";

/// Refuses unless a name still is the link that the plan saw.
pub(crate) fn must_be(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<()> {
    let fail = |error| Error::io(operation, spot.path, error);
    let changed = |cause: &str| Err(Error::new(ErrorKind::Changed, operation, spot.path, cause));
    let metadata = spot.directory.metadata_nofollow(spot.name).map_err(fail)?;
    if metadata.id != old.id {
        return changed(ANOTHER);
    }
    if matches!(old.target, Target::File(_)) {
        return match (metadata.kind, metadata.links) {
            (FileKind::File | FileKind::Special | FileKind::Link, 2..) => Ok(()),
            _ => changed("it is the last name of its file"),
        };
    }
    match inspect::see(spot, &metadata).map_err(fail)? {
        Some(seen) if seen.target == old.target => Ok(()),
        _ => changed("the link says something else than when it was looked at"),
    }
}

fn left_behind(error: &Error, place: &Place, private: &OsStr) -> Error {
    let left = place.path.with_file_name(private);
    let cause = format!("{}; the link is now at {}", error.cause(), platform::quoted(&left));
    Error::new(ErrorKind::Unsure, error.operation(), &place.path, cause)
}
