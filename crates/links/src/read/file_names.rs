//! The other names of a hard-linked file.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::model::Seen;
use crate::model::join;
use crate::model::{FileId, FileKind, Metadata};
use crate::platform::{self, Directory, Filesystem};

/// The names found for a file, and where was looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The names found, in order.
    pub paths: Vec<PathBuf>,
    /// How many names the file has. On NTFS the short 8.3 name, which is no link, does not count.
    pub links: u64,
    /// The places looked through.
    pub searched: Vec<PathBuf>,
}

impl Names {
    /// Whether every name was found.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        u64::try_from(self.paths.len()).is_ok_and(|found| found >= self.links)
    }
}

/// Looks for the names of a file: in `directory`, then in each of `roots` and everything below it
/// on the same file system, until all are found. Directories below a root that cannot be read are
/// passed over.
///
/// # Errors
/// A root does not exist or cannot be read.
pub fn find(metadata: &Metadata, directory: &Path, roots: &[PathBuf]) -> Result<Names> {
    if let Some(names) = told(metadata, directory) {
        return Ok(names);
    }
    let mut names = Names { paths: Vec::new(), links: metadata.links, searched: Vec::new() };
    let places = std::iter::once((directory, Depth::One)).chain(roots.iter().map(|root| (root.as_path(), Depth::All)));
    let mut met = HashSet::new();
    for (root, depth) in places {
        if names.is_complete() {
            break;
        }
        names.searched.push(root.to_owned());
        visit_files(root, (depth, None), (metadata.id, Some(metadata.kind)), |directory, path, found| {
            // The same name may be reached by two paths: it counts once.
            if found.id == metadata.id && met.insert((directory, path.file_name().map(OsStr::to_owned))) {
                names.paths.push(path);
                // A file has one 8.3 name at most, beside one of its names.
                names.links = names.links.min(found.links);
            }
            if names.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    names.paths.sort();
    Ok(names)
}

/// All names at once, where the system tells them, and they are all there.
fn told(metadata: &Metadata, directory: &Path) -> Option<Names> {
    let (mut paths, root) = platform::file_names(directory, metadata.id)?;
    paths.sort();
    let names = Names { paths, links: metadata.links, searched: vec![root] };
    names.is_complete().then_some(names)
}

/// Any name of a file seen before, on the file system of `near`: there first. The number of the volume
/// is not compared, as it may have been mounted again since. Where files have no time of birth, a
/// number may have been given to another file: then the time of change must be the same, too. The search of the whole file
/// system ends by the given moment.
pub(crate) fn find_any(seen: &Seen, near: &Path, by: Instant) -> AnyName {
    let id = seen.id;
    let root = Directory::open(near).and_then(|directory| Filesystem::of(&directory));
    let Ok(Filesystem { mount_point: root, .. }) = root else { return AnyName::None };
    let mut answer = None;
    for (start, depth) in [(near, Depth::One), (&root, Depth::All)] {
        let by = (depth == Depth::All).then_some(by);
        let looked = visit_files(start, (depth, by), (id, None), |_, path, found| {
            let same = platform::NUMBERS_LAST || id.born != 0 || found.attributes.modified == seen.attributes.modified;
            if found.id.same_file(id) && same {
                answer = Some(path);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        match (answer, looked) {
            (Some(path), _) => return AnyName::Found(path),
            (None, Ok(Looked::AtAll)) => answer = None,
            (None, Ok(Looked::UntilTime)) => return AnyName::OutOfTime,
            (None, Err(_)) => return AnyName::None,
        }
    }
    AnyName::None
}

/// A name of a file that was looked for on a whole file system.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AnyName {
    Found(PathBuf),
    None,
    /// Not all of the file system could be searched in time.
    OutOfTime,
}

/// How much was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    AtAll,
    UntilTime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    One,
    All,
}

/// Shows everything but directories of one file system that may be the wanted one, with the identity of its directory; links are not
/// followed.
fn visit_files(
    root: &Path,
    (depth, by): (Depth, Option<Instant>),
    (wanted, wanted_kind): (FileId, Option<FileKind>),
    mut visit: impl FnMut(FileId, PathBuf, Metadata) -> ControlFlow<()>,
) -> Result<Looked> {
    let fail = |error| Error::io("search", root, error);
    let start = Directory::open(root).map_err(fail)?;
    let (volume, numbers) = (start.metadata().map_err(fail)?.id.volume, start.knows_numbers());
    let is_wanted = |kind| wanted_kind.is_none_or(|wanted| kind == wanted);
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        if by.is_some_and(|by| Instant::now() >= by) {
            return Ok(Looked::UntilTime);
        }
        let entries = Directory::open(&path).and_then(|directory| Ok((directory.entries()?, directory)));
        let (entries, directory) = match entries {
            Ok(entries) => entries,
            Err(error) if path == root => return Err(fail(error)),
            Err(_) => continue,
        };
        let here = directory.metadata().map_err(fail)?.id;
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if path == root => return Err(fail(error)),
                Err(_) => break,
            };
            let other = numbers && entry.number != wanted.file;
            match entry.kind {
                Some(kind) if kind != FileKind::Directory && (other || !is_wanted(kind)) => continue,
                Some(FileKind::Directory) if depth == Depth::One => continue,
                _ => {}
            }
            // What vanishes meanwhile has one name less to find.
            let Ok(metadata) = directory.metadata_nofollow(&entry.name) else { continue };
            let path = join(&path, &entry.name);
            match metadata.kind {
                FileKind::Directory if depth == Depth::All && metadata.id.volume == volume => {
                    pending.push(path);
                }
                FileKind::Directory => {}
                kind if is_wanted(kind) && visit(here, path, metadata).is_break() => return Ok(Looked::AtAll),
                _ => {}
            }
        }
    }
    Ok(Looked::AtAll)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use std::fs;

    use super::*;
    use crate::model::Target;

    #[test]
    fn the_search_for_another_name_ends_in_time() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("here")).unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let metadata = Directory::open(dir.path()).unwrap().metadata_nofollow(OsStr::new("file")).unwrap();
        let seen = Seen {
            target: Target::File(file.clone()),
            id: metadata.id,
            attributes: metadata.attributes,
            several: false,
            ntfs: None,
        };
        let now = Instant::now();
        assert_eq!(find_any(&seen, &dir.path().join("here"), now), AnyName::OutOfTime);
        // The directory itself is always searched.
        assert_eq!(find_any(&seen, dir.path(), now), AnyName::Found(file));
    }
}
