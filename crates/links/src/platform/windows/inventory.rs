//! Whole trees are not moved on Windows yet.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::Directory;
use crate::platform::{Inventory, Marks, Stat};

pub(crate) fn take_inventory(_parent: &Directory, _name: &OsStr) -> io::Result<Inventory> {
    Err(unsupported())
}

pub(crate) fn look(_directory: &Directory, _name: &OsStr) -> io::Result<(Stat, Marks)> {
    Err(unsupported())
}

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "moving is not possible on Windows yet")
}

/// A program that uses something.
pub(crate) struct Use {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) what: &'static str,
    pub(crate) is_own: bool,
}

pub(crate) fn users_below(_path: &Path) -> Vec<Use> {
    Vec::new()
}

pub(crate) fn room(_directory: &Directory) -> io::Result<(u64, Option<u64>)> {
    Err(unsupported())
}

pub(crate) fn current_user() -> u32 {
    0
}
