//! Names that only a step uses, beside what it changes.

use std::ffi::{OsStr, OsString};

use crate::platform;

/// How private names begin.
pub(super) const PRIVATE: &str = ".linkctl-";

/// Whether a name may be one that an interrupted step left.
pub(crate) fn may_be_private(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PRIVATE.as_bytes())
}

/// A name that nothing else uses and that tells which program made it.
pub(crate) fn private_name() -> String {
    format!("{PRIVATE}{:016x}", platform::random())
}

/// The name of the old link while two names are exchanged by way of a third.
pub(crate) fn aside_name(private: &OsStr) -> OsString {
    let mut name = private.to_owned();
    name.push("-old");
    name
}
