//! What the system allows, beyond what trying tells.

use crate::platform;

/// Which symbolic links the system follows, by where a link is and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymlinkEvaluation {
    /// Links on this computer to targets on this computer.
    pub local_to_local: bool,
    /// Links on this computer to targets on the network.
    pub local_to_remote: bool,
    /// Links on the network to targets on this computer.
    pub remote_to_local: bool,
    /// Links on the network to targets on the network.
    pub remote_to_remote: bool,
    /// Whether a group policy decides, and what is set here has no effect.
    pub by_policy: bool,
}

/// Which symbolic links the system follows. `None` where there is no such policy (Linux).
#[must_use]
pub fn symlink_evaluation() -> Option<SymlinkEvaluation> {
    let ([local_to_local, local_to_remote, remote_to_local, remote_to_remote], by_policy) = platform::evaluation()?;
    Some(SymlinkEvaluation { local_to_local, local_to_remote, remote_to_local, remote_to_remote, by_policy })
}

/// Whether this user may make symbolic links at all.
///
/// # Platform behavior
/// Windows: with the privilege for it, or in Developer Mode. Linux: always.
#[must_use]
pub fn may_make_symlinks() -> bool {
    platform::may_make_symlinks()
}

/// Whether the process was begun with a standard output that is open.
///
/// # Platform behavior
/// Windows: always, as programs without a console have none.
#[must_use]
pub fn has_output() -> bool {
    platform::has_output()
}

/// What the system allows this user, in words for people: name, value.
///
/// # Platform behavior
/// Windows: its build, elevation, the privilege to make symbolic links, Developer Mode, Redirection Guard, which
/// symbolic links are followed. Linux: nothing, as trying tells all.
#[must_use]
pub fn facts() -> Vec<(&'static str, String)> {
    platform::facts()
}
