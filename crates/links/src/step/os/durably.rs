//! Changes of names that are on the disk when they are said to be done.

use std::ffi::OsStr;
use std::io::{self, Write as _};

use super::system::remove_file;
use super::system::tree::{create_private, flush_names, move_to_new, publish};
use crate::platform::{Directory, if_there};

/// Writes a small file whole: it is there with all it says, or not at all.
pub(crate) fn write_durably(directory: &Directory, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = name.to_owned();
    temporary.push(".new");
    if_there(remove_file(directory, &temporary))?;
    let mut file = create_private(directory, &temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    publish(directory, &temporary, name)?;
    flush_names(directory)
}

/// Moves an entry to a name that must be free.
pub(crate) fn move_durably(from: &Directory, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
    move_to_new(from, name, to, new)?;
    flush_names(to)?;
    if std::ptr::eq(from, to) { Ok(()) } else { flush_names(from) }
}

/// Removes an entry that is no directory.
pub(crate) fn remove_durably(directory: &Directory, name: &OsStr) -> io::Result<()> {
    remove_file(directory, name)?;
    flush_names(directory)
}
