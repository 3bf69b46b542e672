//! Named trees, the usual suspects: basic, links, loops, dangling, escape, weirdnames, deep.

use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use crate::tree;
use crate::walk::remove_tree;

/// Plain directories and files, no links.
pub fn basic(dir: &Path) {
    tree!(dir, {
        "a" => file("a"), "b" => file("b"), "c/d" => file("d"), "e/f" => file(""), "g/h" => dir, "i" => dir,
        "k/foo/bar" => file("bar"), "l/foo/bar/baz" => file("baz"),
    });
}

/// Links that work: to a file, to a directory, through another link, up and down, absolute, and hard links.
pub fn links(dir: &Path) {
    tree!(dir, {
        "file" => file("text"), "hard" => hard("file"), "deep/hard" => hard("file"), "dir/inner" => file("inner"),
        "to-file" => symlink("file"), "to-dir" => symlink("dir"), "to-link" => symlink("to-file"),
        "deep/up" => symlink("../file"), "through-link" => symlink("to-dir/inner"),
        "absolute" => symlink(std::path::absolute(dir).unwrap().join("file")),
    });
}

/// Links that never arrive: to themselves, in a ring, to a parent, and `chain/0`, which reaches a file after
/// more hops (45) than the system follows (40); `chain/5` is the first that arrives.
pub fn loops(dir: &Path) {
    tree!(dir, {
        "self" => symlink("self"), "ring/a" => symlink("b"), "ring/b" => symlink("c"), "ring/c" => symlink("a"),
        "dir/up" => symlink(".."), "dir/here" => symlink("."), "below-self" => symlink("self/x"),
        "chain/45" => file("the end"),
    });
    for hop in 0..45 {
        tree!(dir, { format!("chain/{hop}") => symlink((hop + 1).to_string()) });
    }
}

/// Links to nothing: a name that is not there, one below a missing directory, one below a file, one through
/// another dangling link, an absolute one.
pub fn dangling(dir: &Path) {
    tree!(dir, {
        "gone" => symlink("no-such-name"), "far" => symlink("no/such/name"), "file" => file("text"),
        "below-file" => symlink("file/name"), "through" => symlink("gone"), "sub/gone" => symlink("../nothing"),
        "absolute" => symlink("/no-such-directory/name"),
    });
}

/// What [`escape`] built.
#[derive(Debug)]
pub struct Escape {
    /// The tree to give to what is tested.
    pub inside: PathBuf,
    /// What its links reach and no test may touch: take a [`Snapshot`](crate::Snapshot) of it.
    pub outside: PathBuf,
}

/// A tree whose links lead out of it, to a file, a directory, and by `..` through a link; and the outside.
pub fn escape(dir: &Path) -> Escape {
    let found = Escape { inside: dir.join("inside"), outside: dir.join("outside") };
    tree!(dir, {
        "outside/canary" => file("alive"), "outside/dir/canary" => file("alive"),
        "inside/file" => symlink("../outside/canary"), "inside/dir" => symlink("../outside/dir"),
        "inside/absolute" => symlink(std::path::absolute(&found.outside).unwrap()),
        "inside/dotdot" => symlink("dir/../canary"), "inside/hard" => hard("outside/canary"),
        "inside/own" => file("own"),
    });
    found
}

/// The names of [`weirdnames`].
pub const WEIRD_NAMES: &[&[u8]] = &[
    b" ",
    b"-rf",
    b"--",
    b"...",
    b"*",
    b"$(reboot)",
    b"`reboot`",
    b"quote's \"",
    b"back\\slash",
    b"trailing ",
    b"trailing.",
    b"new\nline",
    b"carriage\rreturn",
    b"tab\t",
    b"bell\x07",
    b"\x1b[2J\x1b]0;owned\x07",
    b"del\x7f",
    "c1 \u{9b}31m".as_bytes(),
    "bidi \u{202e}gpj.exe".as_bytes(),
    "wide \u{1f517}".as_bytes(),
    b"=cmd|'calc'!A0",
    b"a,b;c",
    b"<b>&amp;",
    b"NUL",
    b"C:",
    b"\xff\xfe",
    b"lone surrogate \xed\xa0\x80",
];

/// Files with hostile names (one of 255 bytes among them), and for each a link of a like name, `NAME.l`, whose
/// target is that name. For Unix filesystems: ntfs-3g refuses names that are not Unicode.
pub fn weirdnames(dir: &Path) {
    for name in WEIRD_NAMES {
        tree!(dir, { name => file(name), [name, b".l".as_slice()].concat() => symlink(name) });
    }
    tree!(dir, { "n".repeat(255) => file("long"), "long.l" => symlink("n".repeat(255)) });
}

/// What [`deep`] built. Dropping it removes the tree, which `TempDir` alone could not: keep it in a variable
/// declared after the one of its directory.
#[derive(Debug)]
pub struct Deep {
    top: PathBuf,
}

impl Deep {
    /// The topmost directory.
    pub fn top(&self) -> &Path {
        &self.top
    }
}

impl Drop for Deep {
    fn drop(&mut self) {
        // What is tested may have moved or removed it.
        if self.top.symlink_metadata().is_ok_and(|m| m.is_dir()) {
            remove_tree(&self.top);
        }
    }
}

/// A chain of `depth` directories called `d`, with a file `bottom` in the last. From a depth of 2,048 the
/// whole path is longer than PATH_MAX: it can be walked by descriptors alone.
pub fn deep(dir: &Path, depth: usize) -> Deep {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let mut here = openat(CWD, dir, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        mkdirat(&here, "d", Mode::from_raw_mode(0o755)).unwrap();
        here = openat(&here, "d", flags, Mode::empty()).unwrap();
    }
    drop(openat(&here, "bottom", OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, 0o644.into()).unwrap());
    Deep { top: dir.join("d") }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::walk::{Event, walk};

    #[test]
    fn named_trees_are_what_they_say() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, build) in [("basic", basic as fn(&Path)), ("links", links), ("loops", loops), ("dangling", dangling)]
        {
            build(&at(name));
        }
        for name in ["to-file", "to-dir", "to-link", "deep/up", "through-link", "absolute"] {
            assert!(at("links").join(name).exists(), "{name}");
        }
        for name in ["self", "ring/a", "below-self", "chain/0", "chain/4"] {
            let error = fs::metadata(at("loops").join(name)).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(40), "{name}: {error}");
        }
        assert!(at("loops/chain/5").exists() && at("loops/dir/up/dir/here/up").exists());
        for name in ["gone", "far", "below-file", "through", "sub/gone", "absolute"] {
            let link = at("dangling").join(name);
            assert!(link.is_symlink() && !link.exists(), "{name}");
        }
        let escape = escape(dir.path());
        assert_eq!(fs::read(escape.inside.join("dotdot")).unwrap(), b"alive");
        assert_eq!(fs::read(escape.inside.join("absolute/dir/canary")).unwrap(), b"alive");
        weirdnames(&at("weird"));
        assert_eq!(fs::read_dir(at("weird")).unwrap().count(), 2 * (WEIRD_NAMES.len() + 1));
        assert!(fs::read_dir(at("weird")).unwrap().all(|entry| entry.unwrap().path().exists()));
    }

    #[test]
    fn deep_is_deeper_than_a_path_can_be_and_goes_away() {
        let dir = tempfile::tempdir().unwrap();
        let deep = deep(dir.path(), 2100);
        let path = dir.path().join(vec!["d"; 2100].join("/"));
        assert_eq!(fs::metadata(path).unwrap_err().raw_os_error(), Some(36), "ENAMETOOLONG");
        let mut levels = 0;
        walk(deep.top(), |event| levels += usize::from(matches!(event, Event::Left { .. })));
        assert_eq!(levels, 2100);
        drop(deep);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
