//! Paths in Windows' words, on volumes that ntfs-3g serves.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reparse::WideString;

use super::{Directory, ntfs_volume};

/// A path typed in Windows' words, in this system's. `None` where it is none, or means itself.
pub(crate) fn native_path(typed: &OsStr, drive: char) -> Option<PathBuf> {
    let text = typed.to_str()?;
    let verbatim = text.strip_prefix(r"\\?\").unwrap_or(text);
    let mut letters = verbatim.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic).filter(|_| letters.next() == Some(':'));
    if text.starts_with('/') || letter.is_none() && !text.contains('\\') || Path::new(typed).symlink_metadata().is_ok()
    {
        return None;
    }
    let here = Directory::open(Path::new(".")).ok()?;
    let volume = ntfs_volume(&here).ok()??;
    let (start, rest) = match letter {
        Some(letter) if letter.eq_ignore_ascii_case(&drive) => {
            let rest = verbatim.get(2..)?;
            if rest.starts_with(['\\', '/']) { (volume.root()?.to_owned(), rest) } else { (PathBuf::new(), rest) }
        }
        Some(_) => return None,
        // On the network, or of another kind: no name of this volume.
        None if verbatim.starts_with(r"\\") || verbatim.len() != text.len() => return None,
        None if verbatim.starts_with('\\') => (volume.root()?.to_owned(), verbatim),
        None => (PathBuf::new(), verbatim),
    };
    let names: Vec<&str> = rest.split(['\\', '/']).filter(|name| !name.is_empty() && *name != ".").collect();
    if !names.contains(&"..") {
        let path: PathBuf = std::iter::once(start.as_os_str()).chain(names.into_iter().map(OsStr::new)).collect();
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

/// Where each drive was last left, only Windows knows.
pub(crate) fn drive_relative(_text: &WideString) -> Option<WideString> {
    None
}

/// Which volume has another letter or name, only Windows knows.
pub(crate) fn volume_root(_root: &WideString) -> Option<PathBuf> {
    None
}
