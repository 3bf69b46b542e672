//! Paths as they are given to the system: in full and to the letter, behind `\\?\`.
//!
//! Win32 drops dots and spaces at the end of names, knows devices by names like `NUL`, and ends at 260 units. None of
//! this holds behind `\\?\`: a name that a directory shows can be opened by that name.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf, Prefix};
use std::ptr;

use reparse::WideString;
use windows_sys::Win32::Foundation::ERROR_INVALID_NAME;
use windows_sys::Win32::Storage::FileSystem::GetFullPathNameW;

use super::nt::{code, terminated, to_units};
use super::{from_wide, to_wide};

/// A path from its root, `..` taken by its text as Windows takes it, nothing else changed: `C:\a`, `\\s\h\a`,
/// `\\?\Volume{...}\a`.
pub(super) fn in_full(path: &Path) -> io::Result<PathBuf> {
    let mut components = path.components().peekable();
    let mut full = match components.peek() {
        Some(Component::Prefix(prefix)) => {
            let kind = prefix.kind();
            let head = PathBuf::from(prefix.as_os_str());
            components.next();
            match kind {
                Prefix::Disk(_) if components.peek() != Some(&Component::RootDir) => {
                    // `C:a` is read from where this drive was last left.
                    PathBuf::from(win32_full(&head.into_os_string())?)
                }
                // `\\?\C:\a` is the same as `C:\a` here, and a shorter one to show.
                Prefix::VerbatimDisk(letter) => PathBuf::from(format!("{}:\\", char::from(letter))),
                Prefix::VerbatimUNC(server, share) => {
                    let mut head = OsString::from(r"\\");
                    head.push(server);
                    head.push(r"\");
                    head.push(share);
                    head.push(r"\");
                    PathBuf::from(head)
                }
                _ => {
                    let mut head = head.into_os_string();
                    head.push(r"\");
                    PathBuf::from(head)
                }
            }
        }
        Some(Component::RootDir) => PathBuf::from(win32_full(OsStr::new(r"\"))?),
        _ => std::env::current_dir().and_then(|here| in_full(&here))?,
    };
    for component in components {
        match component {
            // A colon would name a stream; pushed, `c:x` would even replace the path.
            Component::Normal(name) if name.as_encoded_bytes().contains(&b':') => {
                return Err(code(ERROR_INVALID_NAME));
            }
            Component::Normal(name) => full.push(name),
            // At the root it stays there.
            Component::ParentDir => drop(full.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    Ok(full)
}

/// A full path as the system takes it to the letter, with its NUL.
pub(crate) fn verbatim(path: &Path) -> io::Result<Vec<u16>> {
    let full = in_full(path)?;
    let mut components = full.components();
    let Some(Component::Prefix(prefix)) = components.next() else { return Err(code(ERROR_INVALID_NAME)) };
    let names = components.filter(|component| matches!(component, Component::Normal(_)));
    let mut units: Vec<u16> = match prefix.kind() {
        Prefix::Disk(_) => r"\\?\".encode_utf16().chain(to_units(prefix.as_os_str())).collect(),
        Prefix::UNC(server, share) => {
            let mut units: Vec<u16> = r"\\?\UNC\".encode_utf16().collect();
            units.extend(to_units(server));
            units.push(b'\\'.into());
            units.extend(to_units(share));
            units
        }
        _ => to_units(prefix.as_os_str()),
    };
    let mut any = false;
    for name in names {
        let name = to_units(name.as_os_str());
        if name.iter().any(|unit| *unit == u16::from(b'/') || *unit == 0) {
            return Err(code(ERROR_INVALID_NAME));
        }
        units.push(b'\\'.into());
        units.extend(name);
        any = true;
    }
    if !any {
        units.push(b'\\'.into());
    }
    units.push(0);
    Ok(units)
}

/// A path as the system gave it, without `\\?\` where it says the same without.
pub(super) fn shown(units: &[u16]) -> PathBuf {
    let path = PathBuf::from(OsString::from_wide(units));
    in_full(&path).unwrap_or(path)
}

/// `GetFullPathNameW`, for what only the system knows: where each drive was left.
fn win32_full(path: &OsStr) -> io::Result<OsString> {
    let path = terminated(path);
    let mut room = vec![0_u16; 512];
    loop {
        let length = u32::try_from(room.len()).map_err(|_| code(ERROR_INVALID_NAME))?;
        // SAFETY: `path` ends in NUL; the system writes at most `length` units to `room`, which has as many. The last
        // pointer may be null.
        let written = unsafe { GetFullPathNameW(path.as_ptr(), length, room.as_mut_ptr(), ptr::null_mut()) };
        match usize::try_from(written) {
            Ok(0) | Err(_) => return Err(io::Error::last_os_error()),
            Ok(written) if written < room.len() => {
                return Ok(OsString::from_wide(room.get(..written).unwrap_or_default()));
            }
            Ok(needed) => room.resize(needed + 1, 0),
        }
    }
}

/// `C:x` in full, from where that drive was left.
pub(crate) fn drive_relative(text: &WideString) -> Option<WideString> {
    to_wide(&win32_full(&from_wide(text)).ok()?)
}

/// Where a drive, share or volume begins that a link names, to be gone on from.
pub(crate) fn volume_root(root: &WideString) -> Option<PathBuf> {
    Some(PathBuf::from(from_wide(root)))
}

/// A path as it was typed. What exists by that very name is meant; else what Win32 would make of it, which drops dots
/// and spaces at the end of names.
pub(crate) fn native_path(typed: &OsStr, _drive: char) -> Option<PathBuf> {
    let path = Path::new(typed);
    let is_verbatim = path
        .components()
        .next()
        .is_some_and(|first| matches!(first, Component::Prefix(prefix) if prefix.kind().is_verbatim()));
    if is_verbatim || path.as_os_str().is_empty() {
        return None;
    }
    let exists = super::Directory::of_path(path).is_ok();
    let kept = |name: &OsStr| {
        let units = to_units(name);
        let odd = |unit: &&u16| **unit == u16::from(b'.') || **unit == u16::from(b' ');
        let length = units.len() - units.iter().rev().take_while(odd).count();
        OsString::from_wide(units.get(..length).unwrap_or_default())
    };
    let normal: PathBuf = path
        .components()
        .map(|component| match component {
            Component::Normal(name) => kept(name),
            other => other.as_os_str().to_owned(),
        })
        .collect();
    (!exists && normal != path).then_some(normal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn text(path: &str) -> String {
        String::from_utf16(&verbatim(Path::new(path)).unwrap()).unwrap()
    }

    #[test]
    fn paths_are_given_to_the_system_in_full_and_to_the_letter() {
        for (typed, expected) in [
            (r"C:\a\b", r"\\?\C:\a\b"),
            (r"C:/a/./b/", r"\\?\C:\a\b"),
            (r"C:\a\..\..\b. ", r"\\?\C:\b. "),
            (r"C:\", r"\\?\C:\"),
            (r"\\?\C:\a", r"\\?\C:\a"),
            (r"\\s\h\a", r"\\?\UNC\s\h\a"),
            (r"\\s\h", r"\\?\UNC\s\h\"),
            (r"\\?\UNC\s\h\a", r"\\?\UNC\s\h\a"),
            (r"C:\nul", r"\\?\C:\nul"),
        ] {
            assert_eq!(text(typed), format!("{expected}\0"), "{typed}");
        }
        for typed in [r"C:\a:b", r"C:\a\b:$DATA"] {
            assert_eq!(verbatim(Path::new(typed)).unwrap_err().raw_os_error(), Some(123), "{typed}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(in_full(Path::new("x")).unwrap(), in_full(&here).unwrap().join("x"));
        assert_eq!(in_full(Path::new("")).unwrap(), in_full(&here).unwrap());
    }
}
