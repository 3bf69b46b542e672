//! Paths without links, and the way from one to another.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::model::FileId;
use crate::platform::{self, Directory};
use crate::read::inspect;

/// A directory's path without links.
///
/// # Errors
/// It is no directory, cannot be looked at, or has no path any more.
pub fn physical_path(directory: &Path) -> Result<PathBuf> {
    let found = Directory::open(directory).and_then(|opened| opened.physical_path());
    found.map_err(|error| Error::io("find", directory, error))
}

/// The text that leads from one physical directory to a full path.
pub(crate) fn relative_path(from: &Path, to: &Path) -> PathBuf {
    let same = |(a, b): &(Component<'_>, Component<'_>)| platform::is_same_name(a.as_os_str(), b.as_os_str());
    let shared = from.components().zip(to.components()).take_while(same).count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    let down = to.components().skip(shared).map(|component| Path::new(component.as_os_str()));
    let path: PathBuf = up.chain(down).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// The identity of what has a path, itself; `None` where that cannot be told.
fn id_of(path: &Path) -> Option<FileId> {
    // A root has no name.
    let root = || Directory::open(path).and_then(|directory| directory.metadata()).ok();
    if path.parent().is_none() { root().map(|found| found.id) } else { inspect::id_of(path) }
}

/// An entry that paths are asked to lead to or below. It is compared by its identity: other letters may name it, and other
/// mounts show it.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    path: PathBuf,
    /// What it is; of one that does not exist, the directory that it would be in.
    id: Option<FileId>,
    parent: Option<FileId>,
    /// Whether directories lie in it, once that was asked.
    known: Arc<Mutex<HashMap<PathBuf, bool>>>,
}

impl Tree {
    /// By its path, without links but at its end.
    pub(crate) fn at(path: PathBuf) -> Self {
        let id = id_of(&path);
        let parent = path.parent().filter(|_| id.is_none()).and_then(id_of);
        Self { path, id, parent, known: Arc::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a path without links is this one, or below it.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        platform::is_within(path, &self.path) || self.is_at(path) || self.holds_parent(path)
    }

    fn holds_parent(&self, path: &Path) -> bool {
        path.parent().is_some_and(|parent| self.holds_directory(parent))
    }

    /// The same of a directory, each of which is asked once.
    pub(crate) fn holds_directory(&self, path: &Path) -> bool {
        if path.as_os_str().is_empty() {
            return false;
        }
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(path).copied();
        known.unwrap_or_else(|| {
            let holds = self.is_at(path) || self.holds_parent(path);
            lock().insert(path.to_owned(), holds);
            holds
        })
    }

    fn is_at(&self, path: &Path) -> bool {
        if self.id.is_some() {
            return id_of(path) == self.id;
        }
        let Some(above) = path.parent() else { return false };
        let key = |path: &Path| path.file_name().map(platform::collation_key);
        self.parent.is_some()
            && key(path) == key(&self.path)
            && id_of(above) == self.parent
            && Directory::open(above).is_ok_and(|above| !above.names_are_exact())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_go_up_to_the_shared_part_and_down_again() {
        let cases = [
            ("/a/b", "/a/c/d", "../c/d"),
            ("/a", "/a/b", "b"),
            ("/a/b/c", "/a", "../.."),
            ("/a", "/a", "."),
            ("/", "/x", "x"),
            ("/ab", "/a", "../a"),
        ];
        for (from, to, expected) in cases {
            // As text: to `Path`, a trailing slash makes no difference.
            let expected = expected.replace('/', std::path::MAIN_SEPARATOR_STR);
            assert_eq!(relative_path(Path::new(from), Path::new(to)).as_os_str(), expected.as_str(), "{from} {to}");
        }
    }
}
