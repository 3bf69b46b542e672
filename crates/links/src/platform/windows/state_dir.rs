//! Where the journal is kept.

use std::env;
use std::path::{Path, PathBuf};

/// `%LOCALAPPDATA%\linkctl`. `None` where there is no such folder.
pub(crate) fn default_state_dir() -> Option<PathBuf> {
    let base = env::var_os("LOCALAPPDATA").map(PathBuf::from).filter(|path| path.is_absolute());
    base.map(|base| base.join("linkctl"))
}

/// The place in a home directory whose owner has not chosen another.
pub(crate) fn state_dir_in(home: &Path) -> PathBuf {
    home.join(r"AppData\Local\linkctl")
}
