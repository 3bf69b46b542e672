//! Opens the journal for writing: makes its directory, and sets a corrupt one aside.

use std::path::{Path, PathBuf};

use super::os;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{self, Journal};

/// Opens the journal in a directory, making both where they are missing.
///
/// A corrupt journal is renamed, kept, and replaced by a new one; the second part then says so.
///
/// # Errors
/// The directory cannot be made or written, is not this user's, or the journal is of a newer version.
pub fn open_journal(directory: &Path) -> Result<(Journal, Option<String>)> {
    const MAKE: &str = "make the directory of the journal";
    os::make_state_directory(directory)
        .map_err(|error| Error::io(MAKE, directory, error).of_kind(ErrorKind::Journal))?;
    let error = match Journal::open_or_create(directory) {
        Ok(journal) => return Ok((journal, None)),
        Err(error) => error,
    };
    let Some(cause) = error.corruption() else { return Err(error.into_error(directory)) };
    // Another process may have set it aside just now: the new one must stay.
    let fail = |error| Error::io("lock", directory, error).of_kind(ErrorKind::Journal);
    let _lock = os::lock_directory(directory).map_err(fail)?;
    if let Ok(journal) = Journal::open_or_create(directory) {
        return Ok((journal, None));
    }
    let kept = set_aside(directory)?;
    let journal = Journal::open_or_create(directory).map_err(|error| error.into_error(directory))?;
    let said = format!("the journal was broken ({cause}); it is kept as {kept:?}, and a new one was begun");
    Ok((journal, Some(said)))
}

/// Renames a journal out of the way whose damage showed in the middle of a run; not one that another
/// process has begun anew meanwhile.
pub(super) fn set_aside_if_broken(directory: &Path) -> Result<()> {
    let fail = |error| Error::io("lock", directory, error).of_kind(ErrorKind::Journal);
    let _lock = os::lock_directory(directory).map_err(fail)?;
    match Journal::open_or_create(directory) {
        Ok(journal) if journal.is_sound() => Ok(()),
        _ => set_aside(directory).map(drop),
    }
}

/// Renames a corrupt journal out of the way. Gives its new name.
fn set_aside(directory: &Path) -> Result<PathBuf> {
    let suffix = format!("corrupt-{}", journal::now());
    let fail =
        |error| Error::io("set aside the corrupt journal in", directory, error).of_kind(ErrorKind::Journal);
    os::set_aside(directory, &Journal::FILES, &suffix).map_err(fail)
}
