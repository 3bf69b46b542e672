//! Where the journal is kept.

use std::env;
use std::path::{Path, PathBuf};

/// `$XDG_STATE_HOME/linkctl`, else `~/.local/state/linkctl` (XDG Base Directory Specification).
/// `None` where there is no home directory either.
pub(crate) fn default_state_dir() -> Option<PathBuf> {
    // The specification has relative values ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").map(|base| base.join("linkctl"));
    base.or_else(|| Some(state_dir_in(&absolute("HOME")?)))
}

/// The place in a home directory whose owner has not chosen another.
pub(crate) fn state_dir_in(home: &Path) -> PathBuf {
    home.join(".local/state/linkctl")
}
