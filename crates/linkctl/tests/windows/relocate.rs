//! Trees moved between two volumes and on one, brought back, and recovered wherever a run ended.
//!
//! Where a system makes no junctions (Debian's Wine), an empty directory stands in for the link and linkctl, built for
//! debugging, takes it for one; all else is what the system does. Between the link and the tree behind it nothing is followed
//! by the system then, so each is looked at by its own path.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Linkctl, Ran, able, output, say};

/// A place to work in on each of two volumes, or of one.
struct Scene {
    linkctl: Linkctl,
    away: TempDir,
    links: Option<TempDir>,
    original: Portrait,
}

type Portrait = BTreeMap<PathBuf, String>;

/// All that is to be kept of a tree, as far as the standard library tells it.
fn portrait(root: &Path) -> Portrait {
    fn add(root: &Path, path: &Path, all: &mut Portrait) {
        let found = path.symlink_metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Read-only, hidden, system, archive.
        let mut facts = format!("attributes {:x}, ", found.file_attributes() & 0x27);
        facts += &format!("written {}, ", found.last_write_time());
        if found.is_dir() {
            let mut names: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            names.sort();
            names.iter().for_each(|path| add(root, path, all));
        } else {
            let content = fs::read(path).unwrap();
            let sum = content.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
            facts += &format!("{} bytes, {sum:x}", content.len());
        }
        all.insert(path.strip_prefix(root).unwrap().to_owned(), facts);
    }
    let mut all = Portrait::new();
    add(root, root, &mut all);
    all
}

fn grow(src: &Path) {
    fs::create_dir_all(src.join("sub/empty")).unwrap();
    fs::write(src.join("file"), "content").unwrap();
    fs::write(src.join("sub/large"), vec![7; 2_500_000]).unwrap();
    fs::write(src.join("sub/none"), "").unwrap();
    fs::write(src.join("sub/n\u{e4}me \u{65e5}\u{672c}"), "unicode").unwrap();
    fs::hard_link(src.join("file"), src.join("sub/same")).unwrap();
    fs::write(src.join("marked"), "read-only").unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_500_000_000, 123_456_700);
    for name in ["file", "sub/large", "marked"] {
        File::options().write(true).open(src.join(name)).unwrap().set_modified(time).unwrap();
    }
    let mut permissions = fs::metadata(src.join("marked")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(src.join("marked"), permissions).unwrap();
}

impl Scene {
    fn new(one_volume: bool) -> Scene {
        let linkctl = Linkctl::new();
        grow(&linkctl.at("src"));
        let away =
            if one_volume { tempfile::tempdir().unwrap() } else { tempfile::tempdir_in(other_volume()).unwrap() };
        let links = (!able().junctions).then(|| tempfile::tempdir().unwrap());
        let original = portrait(&linkctl.at("src"));
        Scene { linkctl, away, links, original }
    }

    /// Ready for a move, or for the way back.
    fn ready(one_volume: bool, back: bool) -> Scene {
        let scene = Scene::new(one_volume);
        if back {
            scene.ok(&scene.move_args());
            scene.assert_moved("before");
        }
        scene
    }

    fn src(&self) -> PathBuf {
        self.linkctl.at("src")
    }

    fn dst(&self) -> PathBuf {
        self.away.path().join("dst")
    }

    fn move_args(&self) -> Vec<String> {
        ["move", "src", self.dst().to_str().unwrap(), "--jobs", "1", "--yes"].map(str::to_owned).into()
    }

    fn args(&self, back: bool) -> Vec<String> {
        if back { ["restore", "src", "--jobs", "1", "--yes"].map(str::to_owned).into() } else { self.move_args() }
    }

    fn command(&self, args: &[String]) -> Command {
        let mut command = self.linkctl.command(args);
        if let Some(links) = &self.links {
            command.env("LINKCTL_TEST_LINKS", links.path());
        }
        command
    }

    fn run(&self, args: &[String]) -> Ran {
        Ran::of(&output(&mut self.command(args)))
    }

    #[track_caller]
    fn ok(&self, args: &[String]) -> Ran {
        self.run(args).exits(0)
    }

    /// What linkctl says the name is that the tree had.
    fn kind(&self) -> String {
        let shown = self.run(&["show".to_owned(), "src".to_owned(), "--json".to_owned()]);
        shown.json()["links"][0]["kind"].as_str().unwrap_or("none").to_owned()
    }

    fn is_moved(&self) -> bool {
        self.kind() == "junction"
    }

    #[track_caller]
    fn assert_moved(&self, what: &str) {
        assert_eq!(self.kind(), "junction", "{what}");
        self.same(&self.dst(), what);
        self.assert_nothing_left(what);
    }

    #[track_caller]
    fn assert_home(&self, what: &str) {
        self.same(&self.src(), what);
        assert!(self.dst().symlink_metadata().is_err(), "{what}: something is at the new place");
        self.assert_nothing_left(what);
    }

    #[track_caller]
    fn same(&self, tree: &Path, what: &str) {
        let found = portrait(tree);
        for (path, facts) in &self.original {
            assert_eq!(found.get(path), Some(facts), "{what}: {}", tree.join(path).display());
        }
        assert_eq!(found.len(), self.original.len(), "{what}: {:?}", found.keys());
        // Names of one file are still that.
        let append = |name: &str| OpenOptions::new().append(true).open(tree.join(name)).unwrap();
        std::io::Write::write_all(&mut append("file"), b"!").unwrap();
        assert_eq!(fs::read_to_string(tree.join("sub/same")).unwrap(), "content!", "{what}");
        let file = append("sub/same");
        file.set_len(7).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_500_000_000, 123_456_700);
        file.set_modified(time).unwrap();
    }

    #[track_caller]
    fn assert_nothing_left(&self, what: &str) {
        for dir in [self.linkctl.work(), self.away.path().to_owned()] {
            let left: Vec<String> = names(&dir).into_iter().filter(|name| name.starts_with(".linkctl-")).collect();
            assert!(left.is_empty(), "{what}: {left:?} left in {}", dir.display());
        }
    }
}

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A directory on another volume than the temporary ones: named by the environment, or where Wine shows its host.
fn other_volume() -> PathBuf {
    let named = std::env::var_os("LINKCTL_TEST_OTHER_VOLUME").map(PathBuf::from);
    named.unwrap_or_else(|| {
        let host = PathBuf::from(r"Z:\tmp");
        assert!(host.is_dir(), "LINKCTL_TEST_OTHER_VOLUME has to name a directory on another volume");
        host
    })
}

#[test]
fn a_tree_travels_between_volumes_and_on_one_and_back() {
    for one_volume in [true, false] {
        let scene = Scene::new(one_volume);
        scene.ok(&scene.move_args());
        scene.assert_moved("moved");
        scene.ok(&scene.args(true));
        scene.assert_home("restored");
        scene.ok(&scene.move_args());
        scene.ok(&["undo".to_owned(), "--yes".to_owned()]);
        scene.assert_home("undone");
    }
    if !able().junctions {
        say("moves: with directories that stand in for junctions");
    }
}

#[test]
fn wherever_a_move_ends_recover_finishes_it_or_takes_it_back() {
    let (mut points, mut finished) = (0, 0);
    for one_volume in [true, false] {
        let phases: &[usize] = if one_volume { &[0, 1, 2, 3, 10] } else { &[0, 1, 2, 3, 4, 5, 6, 20, 21, 7, 8, 9] };
        for back in [false, true] {
            for (index, phase) in phases.iter().enumerate() {
                let what = format!("one volume: {one_volume}, back: {back}, phase {phase}");
                let scene = Scene::ready(one_volume, back);
                let mut command = scene.command(&scene.args(back));
                let ran = output(command.env("LINKCTL_CRASH_AT_PHASE", phase.to_string()));
                assert!(!ran.status.success(), "{what} was not passed: {}", Ran::of(&ran));
                let recover = if index % 2 == 0 {
                    scene.run(&["recover".to_owned()])
                } else {
                    // Told where to look, without the journal.
                    let places = [scene.linkctl.work(), scene.away.path().to_owned()];
                    let args: Vec<String> = places.iter().map(|place| place.to_str().unwrap().to_owned()).collect();
                    let mut command = scene.command(&[vec!["recover".to_owned()], args].concat());
                    let state = tempfile::tempdir().unwrap();
                    Ran::of(&output(command.env("LINKCTL_STATE_DIR", state.path())))
                };
                let recover = recover.exits(0);
                if scene.is_moved() {
                    scene.assert_moved(&format!("{what}: {recover}"));
                } else {
                    scene.assert_home(&format!("{what}: {recover}"));
                }
                points += 1;
                finished += usize::from(scene.is_moved() != back);
            }
        }
    }
    assert!(finished > 0 && finished < points);
    say(&format!("crash points of moves: {points}, finished {finished}, lost 0"));
}

#[test]
fn what_somebody_still_writes_to_stays() {
    let scene = Scene::new(false);
    // Shared in every way, so that nothing keeps the tree from being renamed.
    let held = OpenOptions::new().append(true).share_mode(7).open(scene.linkctl.at("src").join("file")).unwrap();
    let dry = scene.run(&[scene.move_args(), vec!["--dry-run".to_owned()]].concat()).exits(0);
    assert!(dry.err.contains("has this open"), "{dry}");
    let ran = scene.run(&scene.move_args());
    // Some systems do not rename what holds open files: then it is as it was. Else the old tree stays.
    if ran.says_kept() {
        assert!(ran.failed(), "{ran}");
        let old = names(&scene.linkctl.work())
            .into_iter()
            .find(|name| name.starts_with(".linkctl-") && scene.linkctl.at(name).join("file").exists());
        assert!(old.is_some(), "{ran}");
    } else {
        assert!(ran.failed(), "{ran}");
        drop(held);
        scene.assert_home("held open");
    }
}

#[test]
fn where_no_link_can_be_made_nothing_is_done() {
    let scene = Scene::new(false);
    if able().junctions {
        return say("that no move begins where no link can be made: not to be seen here, where they can");
    }
    // Without what stands in for links.
    let ran = Ran::of(&output(&mut scene.linkctl.command(scene.move_args()))).exits(4);
    assert!(ran.err.contains("no link can be made here"), "{ran}");
    scene.assert_home("refused");
}

impl Ran {
    fn says_kept(&self) -> bool {
        self.err.contains("is kept as")
    }
}
