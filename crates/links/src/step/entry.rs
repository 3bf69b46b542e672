//! Checks of one entry right before it is changed.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::os;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, Seen, Target};
use crate::platform::{self, Place, Spot};
use crate::read::inspect;

const ANOTHER: &str = "it is another object than the one that was looked at";

/// Refuses unless a name still is the link that the plan saw.
pub(super) fn must_be(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<()> {
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

/// The link that the plan saw, as what it is once it can be changed: an overlay gives what is in a lower layer another
/// number then.
pub(super) fn made_changeable<'s>(spot: Spot<'_>, old: &'s Seen, operation: &'static str) -> Result<Cow<'s, Seen>> {
    must_be(spot, old, operation)?;
    let fail = |error| Error::io(operation, spot.path, error);
    if !platform::is_overlay(spot.directory).map_err(fail)? {
        return Ok(Cow::Borrowed(old));
    }
    os::bring_up(spot.directory, spot.name).map_err(fail)?;
    let seen = Seen { id: spot.directory.metadata_nofollow(spot.name).map_err(fail)?.id, ..old.clone() };
    must_be(spot, &seen, operation)?;
    Ok(Cow::Owned(seen))
}

/// Refuses unless a name is the very link that was found to be the one the plan saw, right before it was renamed. The
/// text of a symbolic link never changes: where the time of birth tells a number given anew, it is not read again.
pub(super) fn must_still_be(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<()> {
    if !matches!(old.target, Target::Text(_)) || old.id.born == 0 {
        return must_be(spot, old, operation);
    }
    let metadata = spot.directory.metadata_nofollow(spot.name);
    if metadata.map_err(|error| Error::io(operation, spot.path, error))?.id != old.id {
        return Err(Error::new(ErrorKind::Changed, operation, spot.path, ANOTHER));
    }
    Ok(())
}

/// Refuses a link that holds data of its own, which is not seen through it: Windows lets a file have both.
pub(super) fn must_hold_nothing(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<()> {
    let is_file = matches!(&old.target, Target::Reparse(point) if !point.directory);
    if !platform::follows_reparse_points() || !is_file {
        return Ok(());
    }
    let metadata = spot.directory.metadata_nofollow(spot.name);
    if metadata.map_err(|error| Error::io(operation, spot.path, error))?.size == 0 {
        return Ok(());
    }
    let cause = "the link itself holds data, which would be lost; `fsutil reparsepoint delete` makes it a file again";
    Err(Error::new(ErrorKind::NotALink, operation, spot.path, cause))
}

/// The error of a step that could not put a link back.
pub(super) fn left_behind(error: Error, place: &Place, private: &OsStr) -> Error {
    let left = place.path.with_file_name(private);
    error.of_kind(ErrorKind::Unsure).after(format!("the link is now at {}", platform::quoted(&left)))
}

/// Renames the entry back to its name after a step failed.
pub(super) fn put_back(error: Error, place: &Place, private: &OsStr) -> Error {
    match os::rename_to_new(&place.directory, private, &place.directory, place.name()) {
        Ok(()) => error,
        Err(_) => left_behind(error, place, private),
    }
}
