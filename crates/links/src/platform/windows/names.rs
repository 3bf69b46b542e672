//! Names: UTF-16 in the system, WTF-8 wherever bytes are needed. Neither loses an unpaired surrogate.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use reparse::WideString;

pub(crate) fn to_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    match name.to_str() {
        Some(text) => Cow::Borrowed(text.as_bytes()),
        None => Cow::Owned(WideString::from_units(name.encode_wide().collect()).to_wtf8()),
    }
}

/// Bytes that are no WTF-8 come from elsewhere (a link of WSL) and can name nothing here: what is wrong in them is
/// marked.
pub(crate) fn from_bytes(bytes: Vec<u8>) -> OsString {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => match WideString::from_wtf8(error.as_bytes()) {
            Some(wide) => from_wide(&wide),
            None => String::from_utf8_lossy(error.as_bytes()).into_owned().into(),
        },
    }
}

/// A name by its bytes, not allocated where the system stores names so.
pub(crate) fn as_name(bytes: &[u8]) -> Cow<'_, OsStr> {
    Cow::Owned(from_bytes(bytes.to_vec()))
}

pub(crate) fn from_wide(wide: &WideString) -> OsString {
    OsString::from_wide(wide.units())
}

/// `None` is for other systems: here every name has this form.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn to_wide(name: &OsStr) -> Option<WideString> {
    Some(WideString::from_units(name.encode_wide().collect()))
}

/// Whether two names are one to this system.
pub(crate) fn is_same_name(a: &OsStr, b: &OsStr) -> bool {
    a == b || collation_key(a) == collation_key(b)
}

/// Equal for two physical paths of one entry. Names that differ in letter case are one.
pub(crate) fn identity_key(path: &Path) -> Vec<u8> {
    collation_key(path.as_os_str())
}

/// Whether a path is another one, or below it, upper and lower case being one.
pub(crate) fn is_within(path: &Path, root: &Path) -> bool {
    let mut names = path.components();
    root.components().all(|wanted| names.next().is_some_and(|name| is_same_name(name.as_os_str(), wanted.as_os_str())))
}

/// A path within a sentence: control characters and unpaired surrogates are escaped, separators are not.
pub(crate) fn quoted(path: &Path) -> String {
    format!("{path:?}").replace(r"\\", r"\")
}

/// Two names with the same key are the same name to Windows. An approximation of NTFS' `$UpCase`
/// table: one character to one character, never one to many.
pub(crate) fn collation_key(name: &OsStr) -> Vec<u8> {
    let upper = |unit: u16| {
        let Some(c) = char::from_u32(unit.into()) else { return unit };
        let mut mapped = c.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
            _ => unit,
        }
    };
    name.encode_wide().flat_map(|unit| upper(unit).to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_unicode_survive_as_bytes() {
        let name = OsString::from_wide(&[0x61, 0xd800, 0x62]);
        assert_eq!(from_bytes(to_bytes(&name).into_owned()), name);
        assert_eq!(to_bytes(&name).as_ref(), b"a\xed\xa0\x80b");
        assert_eq!(collation_key(OsStr::new("aÄß")), collation_key(OsStr::new("Aäß")));
        assert_ne!(collation_key(OsStr::new("ss")), collation_key(OsStr::new("ß")));
        for (a, b) in [("aÄß", "Aäß"), ("ss", "ß"), ("a", "a"), ("ı", "i"), ("ſ", "s"), ("K", "k"), ("", "a")] {
            let (a, b) = (OsStr::new(a), OsStr::new(b));
            assert_eq!(identity_key(Path::new(a)) == identity_key(Path::new(b)), is_same_name(a, b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn paths_are_within_each_other_whatever_their_case() {
        for (path, root, within) in [
            (r"C:\Games\x", r"c:\GAMES", true),
            (r"C:\Games", r"C:\games", true),
            (r"C:\Games2", r"C:\games", false),
            (r"D:\Games", r"C:\games", false),
            (r"C:\", r"C:\games", false),
        ] {
            assert_eq!(is_within(Path::new(path), Path::new(root)), within, "{path} {root}");
        }
        assert_eq!(quoted(Path::new("C:\\a\tb")), "\"C:\\a\\tb\"");
    }
}
