//! What the system allows beyond what trying tells: nothing here.

/// Whether this user may make symbolic links at all: everybody may.
pub(crate) fn may_make_symlinks() -> bool {
    true
}

/// What the system allows this user, in words: name, value.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    Vec::new()
}

/// Which symbolic links the system follows: all, by no policy that could be asked.
pub(crate) fn evaluation() -> Option<([bool; 4], bool)> {
    None
}

/// Whether this user may give 8.3 names: where they are kept, who may write may.
pub(crate) fn may_set_short_names() -> bool {
    true
}
