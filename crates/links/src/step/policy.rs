//! What changes the system's own behaviour.

use super::os;
use crate::error::{Error, Result};

/// From here on, an elevated process on Windows follows no junction that an ordinary user made (Redirection Guard).
/// For programs that change something and read nothing else; it cannot be taken back. Nothing happens on other systems.
pub fn raise_guard() {
    os::guard();
}

/// Sets which symbolic links Windows follows; what is `None` stays: local to local, local to remote, remote to local,
/// remote to remote.
///
/// # Errors
/// The user is no administrator, or there is no such policy (Linux).
pub fn set_symlink_evaluation(values: [Option<bool>; 4]) -> Result<()> {
    const SET: &str = "set the evaluation of symbolic links on";
    os::set_evaluation(values).map_err(|error| Error::io(SET, "this system", error))
}
