//! Fixtures: [`tree!`](crate::tree!) writes a tree down and builds it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode};

/// Builds a tree in a directory: `tree!(dir, { name => kind, ... })`.
///
/// A kind is a function of [`node`]: `dir`, `file(contents)`, `symlink(target)` (stored as given),
/// `hard(name)` (one more name of a file built earlier, by its path in the tree), `fifo`, `socket`. Missing
/// parents are made. Names and targets are anything that is a [`Name`], so `b"\xff"` is as good as `"a/b"`.
///
/// ```
/// let dir = tempfile::tempdir().unwrap();
/// testkit::tree!(dir, {
///     "a/b" => dir,
///     "f" => file("text"),
///     "l" => symlink("a/b"),
///     "h" => hard("f"),
///     b"not \xff unicode" => symlink(b"\xfe"),
/// });
/// assert_eq!(std::fs::read(dir.path().join("h")).unwrap(), b"text");
/// ```
#[macro_export]
macro_rules! tree {
    ($root:expr, { $($name:expr => $kind:ident $(($argument:expr))?),* $(,)? }) => {
        // `match`, not `let`: a temporary directory path lives as long as it is needed.
        match &$root {
            root => {
                let root: &::std::path::Path = root.as_ref();
                $($crate::tree::node::$kind($crate::tree::Place::new(root, &$name) $(, &$argument)?);)*
            }
        }
    };
}

/// Something that can name a file: text, bytes or a path.
pub trait Name {
    /// The name as the system takes it.
    fn as_name(&self) -> &OsStr;
}

macro_rules! names {
    ($($t:ty => $convert:expr),* $(,)?) => {
        $(impl Name for $t { fn as_name(&self) -> &OsStr { let convert: fn(&$t) -> &OsStr = $convert; convert(self) } })*
    };
}
names! {
    str => OsStr::new, String => OsStr::new, OsStr => |n| n, OsString => |n| n.as_os_str(),
    Path => Path::as_os_str, PathBuf => |n| n.as_os_str(), [u8] => OsStr::from_bytes, Vec<u8> => |n| OsStr::from_bytes(n),
}
impl<const N: usize> Name for [u8; N] {
    fn as_name(&self) -> &OsStr {
        OsStr::from_bytes(self)
    }
}
impl<T: Name + ?Sized> Name for &T {
    fn as_name(&self) -> &OsStr {
        (**self).as_name()
    }
}

/// Where a node goes: a name in the tree being built. Making one makes the missing parents.
#[derive(Debug)]
pub struct Place<'a> {
    root: &'a Path,
    path: PathBuf,
}

impl<'a> Place<'a> {
    /// The place called `name` in the tree at `root`.
    pub fn new(root: &'a Path, name: &impl Name) -> Place<'a> {
        let path = root.join(name.as_name());
        let parent = path.parent().unwrap();
        fs::create_dir_all(parent).unwrap_or_else(|e| panic!("cannot make {}: {e}", parent.display()));
        Place { root, path }
    }

    fn made<E: std::fmt::Display>(&self, kind: &str, outcome: Result<(), E>) {
        outcome.unwrap_or_else(|e| panic!("cannot make the {kind} {:?}: {e}", self.path));
    }
}

/// The kinds of [`tree!`](crate::tree!), one function each.
#[allow(clippy::needless_pass_by_value, reason = "the macro makes each place for its node alone")]
pub mod node {
    use rustix::fs::{FileType, mknodat};

    use super::{CWD, Mode, Name, Place, fs};

    /// A directory; one that exists already is kept.
    pub fn dir(at: Place<'_>) {
        at.made("directory", fs::create_dir_all(&at.path));
    }

    /// A file with these contents.
    pub fn file(at: Place<'_>, contents: impl AsRef<[u8]>) {
        at.made("file", fs::write(&at.path, contents));
    }

    /// A symbolic link with this target, stored as given.
    pub fn symlink(at: Place<'_>, target: impl Name) {
        at.made("symlink", std::os::unix::fs::symlink(target.as_name(), &at.path));
    }

    /// One more name of the file that the tree has under the name `existing`.
    pub fn hard(at: Place<'_>, existing: impl Name) {
        at.made("hard link", fs::hard_link(at.root.join(existing.as_name()), &at.path));
    }

    /// A fifo, mode 0600.
    pub fn fifo(at: Place<'_>) {
        at.made("fifo", mknodat(CWD, &at.path, FileType::Fifo, Mode::from_raw_mode(0o600), 0));
    }

    /// A socket that nobody listens on, mode 0600. (`mknod`, not `bind`, whose paths end at 108 bytes.)
    pub fn socket(at: Place<'_>) {
        at.made("socket", mknodat(CWD, &at.path, FileType::Socket, Mode::from_raw_mode(0o600), 0));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use super::*;

    #[test]
    fn tree_builds_every_kind_and_missing_parents() {
        let dir = tempfile::tempdir().unwrap();
        tree!(dir, {
            "a/b" => dir, "x/f" => file("text"), "l" => symlink("no where"), "y/h" => hard("x/f"), "p" => fifo,
            "s" => socket, b"\xff\n" => file(b"\0"), String::from("owned") => symlink(b"\xfe"),
        });
        let meta = |name: &[u8]| dir.path().join(OsStr::from_bytes(name)).symlink_metadata().unwrap();
        assert!(meta(b"a/b").is_dir());
        assert_eq!(meta(b"x/f").ino(), meta(b"y/h").ino());
        assert_eq!(fs::read_link(dir.path().join("l")).unwrap(), Path::new("no where"));
        assert!(meta(b"p").file_type().is_fifo() && meta(b"s").file_type().is_socket());
        assert_eq!(meta(b"\xff\n").len(), 1);
        assert_eq!(fs::read_link(dir.path().join("owned")).unwrap().as_os_str().as_bytes(), b"\xfe");
    }
}
