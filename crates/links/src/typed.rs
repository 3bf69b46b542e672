//! Paths typed in Windows' words.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::platform::{self, Directory};

/// A path as typed, in the words of this system. In a directory of an NTFS volume, `a\b` and `\a\b` are taken as
/// Windows takes them, and `C:\a` too, where `drive` is that letter. Elsewhere, and for a name that exists as it
/// is typed, a backslash is a letter like any other.
///
/// # Platform behavior
/// On Linux a volume is an NTFS volume if ntfs-3g serves it, and the current directory says which one is meant.
#[must_use]
pub fn native_path(typed: &OsStr, drive: char) -> PathBuf {
    windows_path(typed, drive).unwrap_or_else(|| typed.into())
}

fn windows_path(typed: &OsStr, drive: char) -> Option<PathBuf> {
    let text = typed.to_str()?;
    let verbatim = text.strip_prefix(r"\\?\").unwrap_or(text);
    let mut letters = verbatim.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic).filter(|_| letters.next() == Some(':'));
    if text.starts_with('/')
        || letter.is_none() && !text.contains('\\')
        || Path::new(typed).symlink_metadata().is_ok()
    {
        return None;
    }
    let here = Directory::open(Path::new(".")).ok()?;
    let volume = platform::ntfs_volume(&here).ok()??;
    let (start, rest) = match letter {
        Some(letter) if letter.eq_ignore_ascii_case(&drive) => {
            let rest = verbatim.get(2..)?;
            if rest.starts_with(['\\', '/']) {
                (volume.root()?.to_owned(), rest)
            } else {
                (PathBuf::new(), rest)
            }
        }
        Some(_) => return None,
        // On the network, or of another kind: no name of this volume.
        None if verbatim.starts_with(r"\\") || verbatim.len() != text.len() => return None,
        None if verbatim.starts_with('\\') => (volume.root()?.to_owned(), verbatim),
        None => (PathBuf::new(), verbatim),
    };
    let names: Vec<&str> = rest.split(['\\', '/']).filter(|name| !name.is_empty() && *name != ".").collect();
    if !names.contains(&"..") {
        let path: PathBuf =
            std::iter::once(start.as_os_str()).chain(names.into_iter().map(OsStr::new)).collect();
        return Some(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path });
    }
    // Windows takes `..` by the text, whatever link is there, and stops at the drive's root.
    let root = volume.root()?;
    let mut path = if start.as_os_str().is_empty() { here.physical_path().ok()? } else { start };
    for name in names {
        match name {
            ".." if path == root => {}
            ".." => drop(path.pop()),
            name => path.push(name),
        }
    }
    Some(path)
}
