//! A name in an opened directory: what a path is once its parent has been looked up.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::{Directory, NtfsVolume, Spot, if_there, ntfs_volume};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EntryPath, FileKind, Metadata, asks_for_directory, below, file_name_of};

/// Where a link is or will be.
#[derive(Debug)]
pub(crate) struct Place {
    /// The path as it was given, without trailing slashes.
    pub(crate) path: PathBuf,
    /// The directory that holds it; links on the way to it were followed.
    pub(crate) directory: Directory,
    /// The last component.
    pub(crate) name: OsString,
}

impl Place {
    /// Opens the parent of a path. A trailing slash does not mean "what it leads to": the link itself is always meant. But
    /// it asks for a directory, or a link to one: a file is refused. Where nothing is there, nothing is asked of it, see
    /// [`Place::must_be_named`].
    pub(crate) fn open(operation: &'static str, path: &Path) -> Result<Self> {
        let place = Self::open_by(operation, path, Directory::open)?;
        if asks_for_directory(path) && !place.may_be_directory().map_err(|error| Error::io(operation, path, error))? {
            let cause = "it ends in a slash, which asks for a directory, and it is none";
            return Err(Error::new(ErrorKind::InvalidPath, operation, path, cause));
        }
        Ok(place)
    }

    fn may_be_directory(&self) -> io::Result<bool> {
        Ok(match self.metadata()?.map(|found| found.kind) {
            None | Some(FileKind::Directory) => true,
            Some(FileKind::File | FileKind::Special) => false,
            Some(FileKind::Link) => match self.directory.metadata_follow(&self.name) {
                Ok(found) => found.kind != FileKind::File && found.kind != FileKind::Special,
                // Junctions and links to directories are directories wherever they lead.
                Err(_) => self.ntfs()?.is_some(),
            },
        })
    }

    /// For what is to be made: without a slash behind its name, unless something is there.
    pub(crate) fn must_be_named(&self, operation: &'static str, typed: &Path) -> Result<()> {
        if asks_for_directory(typed) && matches!(self.metadata(), Ok(None)) {
            return Err(ends_in_slash(operation, typed));
        }
        Ok(())
    }

    /// The same for a physical path of a record: a link in the parent, put there since, is refused.
    pub(crate) fn open_physical(operation: &'static str, path: &Path) -> Result<Self> {
        Self::open_by(operation, path, Directory::open_physical)
    }

    /// Opens the directory of a step's entry, which no link may be on the way to; messages have the path as it is shown.
    pub(crate) fn of_entry(operation: &'static str, path: &EntryPath) -> Result<Self> {
        match Self::open_by(operation, path, Directory::open_physical) {
            Ok(place) => Ok(Self { path: path.shown().to_owned(), ..place }),
            Err(error) => Err(error.at(path.shown())),
        }
    }

    /// The place for a step: its physical path, shown as this one.
    pub(crate) fn entry(&self) -> io::Result<EntryPath> {
        let parent = physical_path(&self.directory, self.path.parent().unwrap_or(Path::new("")))?;
        Ok(EntryPath::shown_as(parent.join(&self.name), &self.path))
    }

    fn open_by(operation: &'static str, path: &Path, open: fn(&Path) -> io::Result<Directory>) -> Result<Self> {
        let Some(name) = file_name_of(path) else {
            let cause = if path.as_os_str().is_empty() {
                "the path is empty"
            } else {
                "the path names a directory by '/', '.' or '..', which cannot be a link"
            };
            return Err(Error::new(ErrorKind::InvalidPath, operation, path, cause));
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        let directory = open(parent).map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let error = Error::io(operation, path, error);
            if missing { error.of_kind(ErrorKind::ParentMissing) } else { error }
        })?;
        let mut clean = parent.to_owned();
        clean.push(name);
        Ok(Self { path: clean, directory, name: name.to_owned() })
    }

    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(crate) fn spot(&self) -> Spot<'_> {
        Spot { directory: &self.directory, name: &self.name, path: &self.path }
    }

    /// Another name in the same directory; errors speak of this place all the same.
    pub(crate) fn spot_of<'a>(&'a self, name: &'a OsStr) -> Spot<'a> {
        Spot { directory: &self.directory, name, path: &self.path }
    }

    /// What is there, links not followed. `None` where nothing is.
    pub(crate) fn metadata(&self) -> io::Result<Option<Metadata>> {
        if_there(self.directory.metadata_nofollow(&self.name))
    }

    /// The NTFS volume that the place is on, if ntfs-3g serves it.
    pub(crate) fn ntfs(&self) -> io::Result<Option<NtfsVolume>> {
        ntfs_volume(&self.directory)
    }
}

/// That a slash stands behind a name that is to be made.
pub(crate) fn ends_in_slash(operation: &'static str, typed: &Path) -> Error {
    let cause = "it ends in a slash, which asks for a directory that is there";
    Error::new(ErrorKind::InvalidPath, operation, typed, cause)
}

/// The physical path of an opened directory, also of one that the kernel cannot name: it is too deep, or `/proc` is not
/// mounted.
pub(crate) fn physical_path(directory: &Directory, typed: &Path) -> io::Result<PathBuf> {
    let error = match directory.physical_path() {
        Ok(path) => return Ok(path),
        Err(error) => error,
    };
    let typed = if typed.as_os_str().is_empty() { Path::new(".") } else { typed };
    let spelled_out = || {
        // The longest part that the system resolves; no link may be in the rest.
        let full = typed.ancestors().find_map(|above| {
            let named = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            Some(below(&named.canonicalize().ok()?, typed.strip_prefix(above).ok()?))
        })?;
        let found = Directory::open_physical(&full).ok()?.metadata().ok()?;
        (found.id == directory.metadata().ok()?.id).then_some(full)
    };
    spelled_out().ok_or(error)
}
