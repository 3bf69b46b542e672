//! One entry put in the place of another, in the best way that the file system knows.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::system::tree::move_to_new;
use super::system::{exchange, rename_over, rename_to_new, set_short_name};
use crate::error::{Error, Result};
use crate::platform::{self, Directory};
use crate::step::crash_where;
use crate::step::private_name::aside_name;

/// Whether names are exchanged where an entry is put in the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// What had the name has the other one now.
    Exchanged,
    /// What had the name is gone.
    Gone,
}

/// Puts the entry under `new` in the place of another: names exchanged in one call, one renamed over the other after
/// `check`, or exchanged by way of a third name.
pub(crate) fn replace(
    directory: &Directory,
    new: &OsStr,
    name: &OsStr,
    check: impl FnOnce() -> Result<()>,
    fail: impl Fn(io::Error) -> Error,
) -> Result<Replaced> {
    if is_done(exchange(directory, new, directory, name)).map_err(&fail)? {
        return Ok(Replaced::Exchanged);
    }
    check()?;
    if is_done(rename_over(directory, new, name)).map_err(&fail)? {
        return Ok(Replaced::Gone);
    }
    by_third_name(((directory, new), (directory, name)), &aside_name(new), rename_to_new, BETWEEN_RENAMES)
        .map(|()| Replaced::Exchanged)
        .map_err(fail)
}

/// Takes an exchange of two entries back, as it was made.
pub(crate) fn exchange_back(directory: &Directory, new: &OsStr, name: &OsStr) -> io::Result<()> {
    if is_done(exchange(directory, new, directory, name))? {
        return Ok(());
    }
    by_third_name(((directory, new), (directory, name)), &aside_name(new), rename_to_new, BETWEEN_RENAMES)
}

/// Exchanges the names of two trees: in one call, or by way of a third name beside the second one. What is left if that ends
/// half-way, recovery knows by its stage.
pub(crate) fn exchange_trees(a: Name<'_>, b: Name<'_>, private: &OsStr) -> io::Result<()> {
    if is_done(exchange(a.0, a.1, b.0, b.1))? {
        return Ok(());
    }
    let short = platform::short_name(a.0, a.1);
    by_third_name((a, b), &aside_name(private), move_to_new, BETWEEN_TREES)?;
    // Once `b` is away, its name can be given that may be the same.
    if let Some(short) = short.filter(|short| platform::short_name(b.0, b.1).as_ref() != Some(short)) {
        drop(set_short_name(b.0, b.1, &short));
    }
    Ok(())
}

/// Whether a call did it, and is not one that the file system does not know.
fn is_done(answer: io::Result<()>) -> io::Result<bool> {
    match answer {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(false),
        answer => answer.map(|()| true),
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
