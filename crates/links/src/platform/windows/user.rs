//! Whose doing it is.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle as _, BorrowedHandle};

use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;

use super::nt::{Sort, open};
use super::security;
use crate::model::User;

impl User {
    pub(crate) fn current() -> Self {
        Self { uid: 0, name: std::env::var("USERNAME").ok(), sudo: None }
    }

    /// There is no `sudo` that keeps its caller's name.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn sudo_home(&self) -> Option<std::path::PathBuf> {
        None
    }
}

/// Why a name in a directory, or the directory itself, is not to be believed: it belongs to neither this user nor the
/// machine's administrators. Where a file system knows no owners, the system names everybody.
pub(super) fn distrust(directory: BorrowedHandle<'_>, name: &OsStr, what: &str) -> io::Result<Option<String>> {
    let opened = open(directory, name, READ_CONTROL, Sort::Any)?;
    let Some(owner) = security::owner(opened.as_handle())? else { return Ok(None) };
    let trusted = security::is_self(&owner) || security::is_known(&owner);
    Ok((!trusted).then(|| format!("{what} belongs to another user")))
}
