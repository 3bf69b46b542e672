//! Where the journal is kept.

use std::env;
use std::path::PathBuf;

/// `$XDG_STATE_HOME/linkctl`, else `~/.local/state/linkctl` (XDG Base Directory Specification).
/// `None` where there is no home directory either.
pub(crate) fn default_state_dir() -> Option<PathBuf> {
    // The specification has relative values ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("linkctl"))
}
