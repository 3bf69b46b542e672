//! Paths typed in Windows' words.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::platform;

/// A path as typed, in the words of this system. In a directory of an NTFS volume, `a\b` and `\a\b` are taken as
/// Windows takes them, and `C:\a` too, where `drive` is that letter. Elsewhere, and for a name that exists as it
/// is typed, a backslash is a letter like any other.
///
/// # Platform behavior
/// On Linux a volume is an NTFS volume if ntfs-3g serves it, and the current directory says which one is meant.
/// On Windows a name that exists as it is typed is meant, also one that ends in dots or spaces; else they are dropped,
/// as Win32 does.
#[must_use]
pub fn native_path(typed: &OsStr, drive: char) -> PathBuf {
    match platform::native_path(typed, drive) {
        // It asks for a directory still.
        Some(path) if matches!(typed.as_encoded_bytes().last(), Some(b'/' | b'\\')) => path.join(""),
        Some(path) => path,
        None => typed.into(),
    }
}
