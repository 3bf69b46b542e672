//! Names: bytes on Linux, UTF-16 on NTFS. WTF-8 carries the one in the other without loss.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use reparse::WideString;

pub(crate) fn to_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Borrowed(name.as_bytes())
}

pub(crate) fn from_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

/// A name by its bytes, not allocated where the system stores names so.
pub(crate) fn as_name(bytes: &[u8]) -> Cow<'_, OsStr> {
    Cow::Borrowed(OsStr::from_bytes(bytes))
}

pub(crate) fn from_wide(wide: &WideString) -> OsString {
    OsString::from_vec(wide.to_wtf8())
}

/// `None` where the bytes are no Windows name (neither UTF-8 nor WTF-8).
pub(crate) fn to_wide(name: &OsStr) -> Option<WideString> {
    WideString::from_wtf8(name.as_bytes())
}

/// Whether two names are one to this system.
pub(crate) fn is_same_name(a: &OsStr, b: &OsStr) -> bool {
    a == b
}

/// Equal for two physical paths of one entry. Names that differ in letter case are two.
pub(crate) fn identity_key(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// Whether a path is another one, or below it.
pub(crate) fn is_within(path: &Path, root: &Path) -> bool {
    path.starts_with(root)
}

/// A path within a sentence: control characters and bytes that are not Unicode are escaped.
pub(crate) fn quoted(path: &Path) -> String {
    format!("{path:?}")
}

/// Two names with the same key are the same name to Windows. An approximation of NTFS' `$UpCase`
/// table: one character to one character, never one to many.
pub(crate) fn collation_key(name: &OsStr) -> Vec<u8> {
    let upper = |c: char| {
        let mut mapped = c.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    };
    match name.to_str() {
        Some(text) => text.chars().map(upper).collect::<String>().into_bytes(),
        None => name.as_bytes().to_ascii_uppercase(),
    }
}
