//! Trees taken to another place and brought back: everything kept, and nothing lost to crashes, kills, errors, power cuts
//! and other programs.

mod adversary;
mod beside;
mod crashes;
mod cuts;
mod deep;
mod errnos;
mod fidelity;
mod hostile;
mod interface;
mod into;
pub(crate) mod kills;
mod meddlers;
mod ntfs;
mod portrait;
mod races;
mod same;
mod same_object;
pub(crate) mod sys;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::common::sample::{Dice, the_whole};
use crate::common::{Linkctl, Ran, leftovers};
use portrait::{Portrait, portrait};
use testkit::{Fs, Volume, tree};

/// A tree at home, and a place for it elsewhere.
pub(crate) struct Scene {
    pub(crate) home: PathBuf,
    pub(crate) away: PathBuf,
    pub(crate) linkctl: Linkctl,
    /// The tree as it is at home.
    pub(crate) original: Portrait,
    /// The tree as it has to be at its new place.
    pub(crate) moved: Portrait,
    /// The links in it that say something else there.
    rewritten: Vec<String>,
    /// Whether the directory of these may have another time: it is given back after each, and a kill may come first.
    pub(crate) killed_at_rewriting: bool,
}

/// Removes what is in a directory.
pub(crate) fn clear(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "lost+found" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            // FUSE hears a moment later that a file was closed, and until then keeps a removed one under another name.
            let mut tries = 0..100;
            while let Err(error) = fs::remove_dir_all(entry.path()) {
                assert!(error.kind() == std::io::ErrorKind::DirectoryNotEmpty && tries.next().is_some(), "{error}");
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        } else {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

/// A small tree with something of everything.
pub(crate) fn small_tree(src: &Path) {
    tree!(src, {
        "a/one" => file("one"), "a/two" => file(vec![7u8; 70_000]), "a/same" => hard("a/one"), "b/c/deep" => file("deep"),
        "b/empty" => dir, "in" => symlink("a/one"), "b/up" => symlink("../a/two"), "out" => symlink("../beside/file"),
        "gone" => symlink("/no/where"), "pipe" => fifo, "b/large" => file(vec![3u8; 1_300_000]),
    });
    sys::set_xattr(&src.join("a/one"), "user.test", b"value");
    fs::set_permissions(src.join("a/two"), std::os::unix::fs::PermissionsExt::from_mode(0o4751)).unwrap();
    std::os::unix::fs::chown(src.join("b"), Some(12), Some(34)).unwrap();
    let sparse = fs::File::create(src.join("b/sparse")).unwrap();
    std::os::unix::fs::FileExt::write_at(&sparse, b"end", 3 << 20).unwrap();
    sys::set_times(&src.join("a"), 1_000_000_000, 123_456_789);
    sys::set_times(src, 1_100_000_000, 987_654_321);
}

impl Scene {
    /// The small tree in `home`, nothing in `away`.
    pub(crate) fn new(home: &Path, away: &Path) -> Scene {
        Scene::build(home, away, small_tree, &[("out", home.join("beside/file"))])
    }

    pub(crate) fn build(home: &Path, away: &Path, build: impl FnOnce(&Path), rewritten: &[(&str, PathBuf)]) -> Scene {
        clear(home);
        clear(away);
        build(&home.join("src"));
        let original = portrait(&home.join("src"));
        let mut moved = original.clone();
        for (path, text) in rewritten {
            let facts = moved.get_mut(path.as_bytes()).expect("the link is in the tree");
            facts.insert("target", text.display().to_string().escape_default().to_string());
        }
        let rewritten = rewritten.iter().map(|(path, _)| (*path).to_owned()).collect();
        let (home, away) = (home.to_owned(), away.to_owned());
        Scene { linkctl: Linkctl::on(&home), home, away, original, moved, rewritten, killed_at_rewriting: false }
    }

    fn is_on_one_volume(&self) -> bool {
        fs::metadata(&self.home).unwrap().dev() == fs::metadata(&self.away).unwrap().dev()
    }

    pub(crate) fn src(&self) -> PathBuf {
        self.home.join("src")
    }

    pub(crate) fn dst(&self) -> PathBuf {
        self.away.join("dst")
    }

    /// The words of a move.
    pub(crate) fn away_args(&self) -> Vec<String> {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        ["move".to_owned(), path(self.src()), path(self.dst()), "--jobs".into(), "1".into(), "--yes".into()].into()
    }

    /// The words of a restoration.
    pub(crate) fn back_args(&self) -> Vec<String> {
        let src = self.src().to_str().unwrap().to_owned();
        ["restore".to_owned(), src, "--jobs".into(), "1".into(), "--yes".into()].into()
    }

    pub(crate) fn args(&self, way: Way) -> Vec<String> {
        match way {
            Way::Away => self.away_args(),
            Way::Back => self.back_args(),
        }
    }

    /// Ready for a run that way.
    pub(crate) fn ready(home: &Path, away: &Path, way: Way) -> Scene {
        let scene = Scene::new(home, away);
        if way == Way::Back {
            scene.linkctl.ok(scene.away_args());
            scene.assert_moved("before");
        }
        scene
    }

    pub(crate) fn is_moved(&self) -> bool {
        self.src().is_symlink()
    }

    /// The whole tree can be read, at its place or through it; and what is at the other place is whole.
    #[track_caller]
    pub(crate) fn assert_nothing_lost(&self, what: &str) {
        self.assert_whole(what, false);
    }

    /// Before it is recovered, the root may lack its time: on XFS, changing places takes it.
    #[track_caller]
    fn assert_whole(&self, what: &str, timeless: bool) {
        let bare = |all: &Portrait| {
            let mut all = all.clone();
            if (timeless || self.killed_at_rewriting)
                && let Some(root) = all.get_mut(&Vec::new())
            {
                root.remove("modified");
                root.remove("times");
            }
            if timeless {
                // On one file system a link may say already, or still, what it says at the other place.
                let is_own = |name: &[u8]| name.rsplit(|byte| *byte == b'/').next().unwrap().starts_with(b".linkctl-");
                all.retain(|name, _| !is_own(name));
                for name in self.rewritten.iter().filter(|_| self.is_on_one_volume()) {
                    if let Some(link) = all.get_mut(name.as_bytes()) {
                        link.remove("target");
                    }
                    let parent = Path::new(name).parent().unwrap().as_os_str().as_encoded_bytes().to_vec();
                    if let Some(directory) = all.get_mut(&parent) {
                        directory.remove("modified");
                        directory.remove("times");
                    }
                }
            }
            all
        };
        let check = |wanted: &Portrait, path: &Path, where_to: &str| {
            same(&bare(wanted), &bare(&portrait(path)), &format!("{what}: {where_to}"));
        };
        if self.is_moved() {
            assert_eq!(self.src().canonicalize().unwrap(), self.dst(), "{what}");
            check(&self.moved, &self.dst(), "through the link");
        } else if timeless && self.src().symlink_metadata().is_err() && ntfs::knows_no_exchange(&self.home) {
            // Between two renames: the tree is whole where it goes, or beside where it was.
            let beside = leftovers(&self.home).into_iter().map(|name| self.home.join(name));
            let whole = |path: &Path| {
                path.is_dir() && [bare(&self.original), bare(&self.moved)].contains(&bare(&portrait(path)))
            };
            let place = beside.chain([self.dst()]).find(|path| whole(path));
            assert!(place.is_some(), "{what}: the tree is nowhere");
        } else {
            check(&self.original, &self.src(), "at home");
            // On one file system the link may still, or already, lie where it changes places with the tree.
            let is_link = timeless && self.is_on_one_volume() && self.dst().is_symlink();
            if self.dst().symlink_metadata().is_ok() && !is_link {
                check(&self.moved, &self.dst(), "half visible");
            }
        }
    }

    #[track_caller]
    pub(crate) fn assert_no_leftovers(&self, what: &str) {
        for dir in [&self.home, &self.away] {
            assert_eq!(leftovers(dir), [""; 0], "{what}: left in {}", dir.display());
        }
    }

    /// Moved: a link, and the tree at its new place, nothing else.
    #[track_caller]
    pub(crate) fn assert_moved(&self, what: &str) {
        assert!(self.is_moved(), "{what}: not moved");
        self.assert_nothing_lost(what);
        self.assert_no_leftovers(what);
    }

    /// At home, with nothing elsewhere.
    #[track_caller]
    pub(crate) fn assert_home(&self, what: &str) {
        assert!(!self.is_moved(), "{what}: it is moved");
        self.assert_nothing_lost(what);
        assert!(self.dst().symlink_metadata().is_err(), "{what}: something is at the new place");
        self.assert_no_leftovers(what);
    }

    #[track_caller]
    pub(crate) fn assert_settled(&self, what: &str) {
        if self.is_moved() {
            self.assert_moved(what);
        } else {
            self.assert_home(what);
        }
    }

    /// `recover`: with the journal; or without, told where to look.
    pub(crate) fn recover_command(&self, journal: bool) -> (Linkctl, Vec<String>) {
        let linkctl = Linkctl::on(&self.home);
        if journal {
            (linkctl.with_state(self.linkctl.state()), vec!["recover".into()])
        } else {
            let path = |path: &Path| path.to_str().unwrap().to_owned();
            (linkctl, vec!["recover".into(), path(&self.home), path(&self.away)])
        }
    }

    pub(crate) fn recover(&self, journal: bool) -> Ran {
        let (linkctl, args) = self.recover_command(journal);
        linkctl.output(args)
    }

    /// Before a run is in the journal, it tries out in a directory of its own whether links can be made. If it ends there,
    /// `recover` has to be told where to look.
    #[track_caller]
    fn clear_trials(&self) {
        for dir in [&self.home, &self.away] {
            for left in leftovers(dir) {
                let names = crate::common::names(dir.join(&left));
                assert!(!names.iter().any(|name| name == "tree" || name == "intent"), "{names:?}");
                self.linkctl.ok([OsStr::new("recover"), dir.as_os_str()]);
            }
        }
    }

    /// Recovers, and checks all that has to be so then.
    #[track_caller]
    pub(crate) fn assert_recovers(&self, journal: bool, what: &str) {
        self.assert_whole(what, true);
        let ran = self.recover(journal);
        let what = format!("{what}, recovered {} the journal: {ran}", if journal { "with" } else { "without" });
        assert_eq!(ran.code(), Some(0), "{what}");
        if journal {
            self.clear_trials();
        }
        self.assert_settled(&what);
        let again = self.recover(journal);
        assert!(again.code() == Some(0) && again.out == "nothing to recover\n", "{what}; again: {again}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Away,
    Back,
}

pub(crate) const WAYS: [Way; 2] = [Way::Away, Way::Back];

/// Panics with the differences alone.
#[track_caller]
pub(crate) fn same(wanted: &Portrait, found: &Portrait, what: &str) {
    let mut text = String::new();
    let show = |name: &[u8]| name.escape_ascii().to_string();
    for (name, facts) in wanted {
        match found.get(name) {
            None => text += &format!("- {} is missing\n", show(name)),
            Some(now) if now == facts => {}
            Some(now) => {
                let facts: BTreeMap<_, _> = facts.iter().filter(|(key, value)| now.get(*key) != Some(value)).collect();
                let now: BTreeMap<_, _> =
                    now.iter().filter(|(key, value)| wanted[name].get(*key) != Some(value)).collect();
                text += &format!("~ {}: {facts:?} wanted, {now:?} found\n", show(name));
            }
        }
    }
    for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
        text += &format!("+ {} is more\n", show(name));
    }
    assert!(text.is_empty(), "{what}:\n{text}");
}

/// Two file systems in memory.
pub(crate) fn two_in_memory() -> (Volume, Volume) {
    (Volume::new(Fs::Tmpfs, 64 << 20), Volume::new(Fs::Tmpfs, 64 << 20))
}
