//! The paths that were given, in full.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::model::{FileKind, ends_in_separator, file_name_of, join};
use crate::platform::{Directory, Place};

/// Paths as they were given, and what they are without links.
pub(super) struct Roots {
    roots: Vec<(PathBuf, PathBuf)>,
    pub(super) errors: Vec<Error>,
}

impl Roots {
    /// A path that is itself a link means that link; with a slash at its end, the directory behind it.
    pub(super) fn find(paths: &[PathBuf]) -> Self {
        let mut found = Self::each(paths, full);
        // The longest first: of several that hold a path, the nearest names it.
        found.roots.sort_by_key(|(full, _)| std::cmp::Reverse(full.components().count()));
        found
    }

    /// Paths of directories; a link means the directory behind it.
    pub(super) fn directories(paths: &[PathBuf]) -> Self {
        Self::each(paths, |path| {
            let opened = Directory::open(path).and_then(|directory| directory.physical_path());
            opened.map_err(|error| Error::io("search", path, error))
        })
    }

    fn each(paths: &[PathBuf], full: impl Fn(&Path) -> Result<PathBuf, Error>) -> Self {
        let mut found = Self { roots: Vec::new(), errors: Vec::new() };
        for path in paths {
            match full(path) {
                Ok(full) => found.roots.push((full, path.clone())),
                Err(error) => found.errors.push(error),
            }
        }
        found
    }

    pub(super) fn physical(&self) -> Vec<PathBuf> {
        self.roots.iter().map(|(full, _)| full.clone()).collect()
    }

    /// A full path as it is to be shown: from the path that was given.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        for (full, typed) in &self.roots {
            let Ok(rest) = path.strip_prefix(full) else { continue };
            let empty = rest.as_os_str().is_empty();
            return if empty { typed.clone() } else { join(typed, rest.as_os_str()) };
        }
        path.to_owned()
    }
}

fn full(path: &Path) -> Result<PathBuf, Error> {
    let fail = |error| Error::io(super::REPAIR, path, error);
    let slash = ends_in_separator(path.as_os_str().as_encoded_bytes());
    if file_name_of(path).is_none() || slash {
        return Directory::open(path).and_then(|directory| directory.physical_path()).map_err(fail);
    }
    let place = Place::open(super::REPAIR, path)?;
    match place.metadata().map_err(fail)?.map(|found| found.kind) {
        None => {
            return Err(Error::new(ErrorKind::NotFound, super::REPAIR, path, "no such file or directory"));
        }
        // Nor can there be any below it.
        Some(FileKind::File | FileKind::Special) => {
            return Err(Error::new(ErrorKind::InvalidPath, super::REPAIR, path, "it is no link"));
        }
        Some(FileKind::Link | FileKind::Directory) => {}
    }
    Ok(place.directory.physical_path().map_err(fail)?.join(place.name()))
}
