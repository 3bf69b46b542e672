//! Checks of one entry right before it is changed, and its exchange with another.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::private_name::aside_name;
use super::{crash_where, os};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, Seen, Target};
use crate::platform::{self, Directory, Place, Spot};
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
pub(super) fn made_changeable(spot: Spot<'_>, old: &Seen, operation: &'static str) -> Result<Seen> {
    must_be(spot, old, operation)?;
    let fail = |error| Error::io(operation, spot.path, error);
    let mut seen = old.clone();
    if os::bring_up(spot.directory, spot.name).map_err(fail)? {
        seen.id = spot.directory.metadata_nofollow(spot.name).map_err(fail)?.id;
        must_be(spot, &seen, operation)?;
    }
    Ok(seen)
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

/// How a new entry got its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swapped {
    /// The names were exchanged in one call: what had the name has the other one now.
    Exchanged,
    /// The same, by way of a third name.
    ByThirdName,
    /// What had the name is gone.
    Replaced,
}

/// Puts the entry under `new` in the place of another, in the best way that the file system knows: names exchanged in one
/// call, one renamed over the other after `check`, or exchanged by way of a third name.
pub(super) fn swap_in(
    directory: &Directory,
    new: &OsStr,
    name: &OsStr,
    check: impl FnOnce() -> Result<()>,
    fail: impl Fn(io::Error) -> Error,
) -> Result<Swapped> {
    match os::exchange(directory, new, directory, name) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        exchanged => return exchanged.map(|()| Swapped::Exchanged).map_err(fail),
    }
    check()?;
    match os::rename_over(directory, new, name) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        renamed => return renamed.map(|()| Swapped::Replaced).map_err(fail),
    }
    let names = ((directory, new), (directory, name));
    let swapped = by_third_name(names, &aside_name(new), os::rename_to_new, BETWEEN_RENAMES);
    swapped.map(|()| Swapped::ByThirdName).map_err(fail)
}

/// Takes an exchange back.
pub(super) fn exchange_back(directory: &Directory, new: &OsStr, name: &OsStr, swapped: Swapped) -> io::Result<()> {
    if swapped == Swapped::Exchanged {
        return os::exchange(directory, new, directory, name);
    }
    let names = ((directory, new), (directory, name));
    by_third_name(names, &aside_name(new), os::rename_to_new, BETWEEN_RENAMES)
}

/// Exchanges the names of two trees: in one call, or by way of a third name beside the second one. What is left if that ends
/// half-way, recovery knows by its stage.
pub(super) fn exchange_trees(a: Name<'_>, b: Name<'_>, private: &OsStr) -> io::Result<()> {
    match os::exchange(a.0, a.1, b.0, b.1) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            by_third_name((a, b), &aside_name(private), os::tree::move_to_new, BETWEEN_TREES)
        }
        answer => answer,
    }
}

/// Where tests end the program between two renames: a variable, and its first number.
type CrashPoints = (&'static str, usize);

const BETWEEN_RENAMES: CrashPoints = ("LINKCTL_CRASH_BETWEEN_RENAMES", 1);
const BETWEEN_TREES: CrashPoints = ("LINKCTL_CRASH_AT_PHASE", 20);

/// A name in an opened directory.
type Name<'a> = (&'a Directory, &'a OsStr);

/// Exchanges two names by way of a third, taken back where a rename fails. Killed in between, `b` may be free, and what it
/// was is under `aside`.
fn by_third_name(
    (a, b): (Name<'_>, Name<'_>),
    aside: &OsStr,
    to_new: fn(&Directory, &OsStr, &Directory, &OsStr) -> io::Result<()>,
    (variable, first): CrashPoints,
) -> io::Result<()> {
    let third = (b.0, aside);
    let rename = |from: Name<'_>, to: Name<'_>| to_new(from.0, from.1, to.0, to.1);
    let failed = |error: io::Error, back: io::Result<()>| match back {
        Ok(()) => error,
        Err(back) => io::Error::other(format!(
            "{}; what was there is left as {}, as it could not be put back: {}",
            platform::describe(&error),
            platform::quoted(Path::new(aside)),
            platform::describe(&back)
        )),
    };
    rename(b, third)?;
    crash_where(variable, first);
    if let Err(error) = rename(a, b) {
        return Err(failed(error, rename(third, b)));
    }
    crash_where(variable, first + 1);
    if let Err(error) = rename(third, a) {
        return Err(failed(error, rename(b, a).and_then(|()| rename(third, b))));
    }
    Ok(())
}
