//! Files that are written for a user outside of the state directory: reports and manual pages.

use std::io;
use std::path::{Path, PathBuf};

use super::os;
use crate::error::{Error, ErrorKind, Result};

const WRITE: &str = "write";

/// The result for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Its name was free.
    New,
    /// A file of another content had its name, which is gone.
    Replaced,
    /// It had this content already.
    Unchanged,
}

/// Writes files into a directory, each under a private name first, which then takes the file's own: no file is ever seen
/// half written, and nothing is written through a link.
///
/// # Errors
/// A link, a directory or anything else that is no file has one of the names: then none is written. Or a file cannot be
/// written: those before it are.
pub fn write_files(directory: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<(PathBuf, Written)>> {
    for (name, _) in files {
        must_be_free_or_a_file(&directory.join(name))?;
    }
    let write = |(name, content): &(String, Vec<u8>)| {
        let path = directory.join(name);
        let there = must_be_free_or_a_file(&path)?;
        let is_same = || os::read_beginning(directory, name, content.len() as u64 + 1).is_ok_and(|old| old == *content);
        if there && is_same() {
            return Ok((path, Written::Unchanged));
        }
        os::write_and_rename(directory, name, content).map_err(|error| Error::io(WRITE, &path, error))?;
        Ok((path, if there { Written::Replaced } else { Written::New }))
    };
    files.iter().map(write).collect()
}

/// Whether a file has the name.
fn must_be_free_or_a_file(path: &Path) -> Result<bool> {
    let refuse = |kind, cause: &str| Err(Error::new(kind, WRITE, path, cause));
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(WRITE, path, error)),
        Ok(found) if found.is_symlink() => {
            refuse(ErrorKind::TargetIsLink, "a link has this name, and what it leads to is not written to")
        }
        Ok(found) if found.is_dir() => refuse(ErrorKind::IsDirectory, "a directory has this name"),
        Ok(found) if !found.is_file() => refuse(ErrorKind::AlreadyExists, "what has this name is no file"),
        Ok(_) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use std::fs;

    use super::*;

    #[test]
    fn files_are_new_replaced_or_unchanged_and_leave_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let files = |text: &str| vec![("a".to_owned(), text.into()), ("b".to_owned(), b"same".to_vec())];
        let written = |text: &str| {
            let written = write_files(dir.path(), &files(text)).unwrap();
            written.into_iter().map(|(_, written)| written).collect::<Vec<_>>()
        };
        assert_eq!(written("one"), [Written::New, Written::New]);
        assert_eq!(written("two"), [Written::Replaced, Written::Unchanged]);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_of_that_name_refuses_all() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        let files = [("a".to_owned(), Vec::new()), ("b".to_owned(), Vec::new())];
        assert_eq!(write_files(dir.path(), &files).unwrap_err().kind(), ErrorKind::IsDirectory);
        assert!(!dir.path().join("a").exists());
    }
}
