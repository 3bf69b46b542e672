//! On one file system: one exchange, however large the tree is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;

use testkit::{Fs, Volume, strace, tree};

use crate::crashes::crash_at;
use crate::kills::counts;
use crate::{Scene, WAYS, Way};

const CHANGING: &str = "mkdirat,renameat,renameat2,rename,symlinkat,symlink,linkat,link,unlinkat,unlink,rmdir,fchown,fchownat,\
    fchmod,fchmodat,utimensat,mknodat,fsetxattr,lsetxattr,fsync,syncfs,copy_file_range,ftruncate";

#[test]
fn the_number_of_calls_that_change_something_is_the_same_for_one_file_and_for_a_thousand() {
    for kind in [Fs::Ext4, Fs::Xfs, Fs::Btrfs, Fs::Tmpfs] {
        let volume = Volume::new(kind, 64 << 20);
        let mut seen: Vec<[BTreeMap<String, usize>; 2]> = Vec::new();
        for files in [1, 1000] {
            let (home, away) = (volume.path().join("home"), volume.path().join("away"));
            fs::create_dir_all(&home).unwrap();
            fs::create_dir_all(&away).unwrap();
            let build = |src: &std::path::Path| {
                for n in 0..files {
                    tree!(src, { format!("d{}/f{n}", n % 10) => file("x") });
                }
            };
            let scene = Scene::build(&home, &away, build, &[]);
            seen.push(WAYS.map(|way| counts(&scene.linkctl.command(scene.args(way)), CHANGING)));
            scene.assert_home("there and back");
        }
        assert_eq!(seen[0], seen[1], "{kind:?}");
        let total: usize = seen[0][0].values().sum();
        assert!(total < 40 && seen[0][0]["renameat2"] <= 4, "{kind:?}: {:?}", seen[0]);
    }
}

#[test]
fn a_crash_or_a_kill_leaves_the_tree_at_one_place_or_the_other() {
    let volume = Volume::new(Fs::Tmpfs, 64 << 20);
    let (home, away) = (volume.path().join("home"), volume.path().join("away"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&away).unwrap();
    let whole = |scene: &Scene, what: &str| {
        let at = if scene.is_moved() { scene.dst() } else { scene.src() };
        let found = crate::portrait(&at);
        // The links in it may have their old text or the new one.
        let strip = |all: &crate::Portrait| {
            let mut all = all.clone();
            // Nor does one that is being replaced lie about its own name.
            let replaced = |name: &[u8]| name == b"out" || name.starts_with(b".linkctl-");
            all.retain(|name, _| !name.is_empty() && !replaced(name));
            all
        };
        crate::same(&strip(&scene.original), &strip(&found), what);
    };
    for (way, phases) in [(Way::Away, 1..=2), (Way::Back, 2..=2)] {
        for phase in phases {
            let scene = Scene::ready_on_one(&home, &away, way);
            let ran = crash_at(&scene, way, phase);
            assert_eq!(ran.status.signal(), Some(6), "{ran}");
            let what = format!("{way:?} {phase}");
            whole(&scene, &what);
            // A link may be left that names itself.
            let ran = scene.recover(true);
            assert_eq!(ran.code(), Some(0), "{what}: {ran}");
            assert_eq!(scene.recover(true).out, "nothing to recover\n", "{what}");
            whole(&scene, &what);
            scene.assert_no_leftovers(&what);
            if scene.is_moved() {
                scene.linkctl.ok(scene.back_args());
            }
            assert!(scene.dst().symlink_metadata().is_err(), "{what}: something is left at the new place");
            scene.linkctl.ok(scene.away_args());
            whole(&scene, &format!("{what}, then moved again"));
        }
    }
    for way in WAYS {
        let scene = Scene::ready_on_one(&home, &away, way);
        let counts = counts(&scene.linkctl.command(scene.args(way)), "renameat2,symlinkat,unlinkat,fsync");
        for (call, n) in crate::kills::points(&counts) {
            let scene = Scene::ready_on_one(&home, &away, way);
            let inject = format!("{call}:signal=SIGKILL:when={n}");
            let output = strace::inject(&inject, &scene.linkctl.command(scene.args(way)));
            assert_eq!(output.status.signal(), Some(9), "{inject}");
            whole(&scene, &format!("{way:?} {inject}"));
        }
    }
}

impl Scene {
    fn ready_on_one(home: &std::path::Path, away: &std::path::Path, way: Way) -> Scene {
        let scene = Scene::new(home, away);
        if way == Way::Back {
            scene.linkctl.ok(scene.away_args());
        }
        scene
    }
}
