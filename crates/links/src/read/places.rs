//! Paths without links, and the way from one to another.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::platform::{self, Directory};

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
