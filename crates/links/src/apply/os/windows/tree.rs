//! Whole trees are not moved on Windows yet: everything here says so.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

pub(in crate::apply) use super::super::tree_types::{Failed, Loss, Root, STOPPED, Texts, Work};
use crate::platform::{Directory, Inventory};

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "moving is not possible on Windows yet")
}

fn failed() -> Failed {
    Failed { path: PathBuf::new(), doing: "move", error: unsupported() }
}

pub(in crate::apply) fn copy(
    _from: Root<'_>,
    _inventory: &Inventory,
    _to: Root<'_>,
    _texts: &Texts,
    _work: Work<'_>,
) -> Result<Vec<Loss>, Failed> {
    Err(failed())
}

pub(in crate::apply) fn compare(
    _original: Root<'_>,
    _inventory: &Inventory,
    _copy: Root<'_>,
    _texts: &Texts,
    _losses: &[Loss],
    _content: bool,
    _work: Work<'_>,
) -> Result<(), Failed> {
    Err(failed())
}

pub(in crate::apply) fn erase(
    _root: Root<'_>,
    _inventory: &Inventory,
    _work: Work<'_>,
) -> Result<Vec<Loss>, Failed> {
    Err(failed())
}

pub(in crate::apply) fn writer(_root: Root<'_>, _inventory: &Inventory) -> io::Result<Option<PathBuf>> {
    Err(unsupported())
}

pub(in crate::apply) fn open_to_flush(
    _directory: &Directory,
) -> io::Result<std::os::windows::io::OwnedHandle> {
    Err(unsupported())
}

pub(in crate::apply) fn flush(_opened: &std::os::windows::io::OwnedHandle) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) fn flush_names(_directory: &Directory) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) fn write_durably(
    _directory: &Directory,
    _name: &OsStr,
    _bytes: &[u8],
) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) fn read_small(_directory: &Directory, _name: &OsStr) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::NotFound.into())
}

pub(in crate::apply) fn make_private_directory(_directory: &Directory, _name: &OsStr) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) fn move_to_new(
    _from: &Directory,
    _name: &OsStr,
    _to: &Directory,
    _new: &OsStr,
) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) fn exchange_between(
    _a: &Directory,
    _a_name: &OsStr,
    _b: &Directory,
    _b_name: &OsStr,
) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) fn give_back_time(
    _directory: &Directory,
    _name: &OsStr,
    _stat: &crate::platform::Stat,
) -> io::Result<()> {
    Err(unsupported())
}

pub(in crate::apply) type Lock = std::os::windows::io::OwnedHandle;

pub(in crate::apply) fn lock(_directory: &Directory, _name: &OsStr) -> io::Result<Option<Lock>> {
    Err(unsupported())
}
