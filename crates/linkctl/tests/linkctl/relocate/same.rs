//! On one file system: one exchange, however large the tree is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;

use testkit::{Fs, Volume, strace, tree};

use crate::relocate::kills::counts;
use crate::relocate::{Dice, Scene, WAYS, Way};

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
    let mut dice = Dice::new(29);
    for (way, phases) in [(Way::Away, vec![1, 2, 10]), (Way::Back, vec![2, 10])] {
        for phase in phases {
            let kinds = vec![(false, true), (true, true), (false, false), (true, false)];
            for (relative, journal) in dice.some(kinds, 2) {
                let scene = Scene::ready_on_one(&home, &away, way);
                let mut command = scene.linkctl.command(scene.args(way));
                if relative && way == Way::Away {
                    command.arg("--relative");
                }
                let ran = command.env("LINKCTL_CRASH_AT_PHASE", phase.to_string()).output().unwrap();
                let what = format!("{way:?} {phase}, relative: {relative}, journal: {journal}");
                assert_eq!(ran.status.signal(), Some(6), "{what}: {}", scene.linkctl.said(ran));
                // The history tells it, and what became of it.
                assert!(scene.linkctl.newest().contains("interrupted"), "{what}");
                scene.assert_recovers(journal, &what);
                // Whoever recovered it without the journal, the journal is told when it is asked next.
                scene.linkctl.ok(["recover"]);
                let newest = scene.linkctl.newest();
                let done = scene.is_moved() == (way == Way::Away);
                let verb = if way == Way::Away { "move" } else { "restore" };
                let told = if done { "done: 1 done, 0 failed" } else { "failed: 0 done, 1 failed" };
                assert_eq!(newest, format!("{verb} {told} of 1"), "{what}");
                if scene.is_moved() {
                    scene.linkctl.ok(scene.back_args());
                }
                scene.assert_home(&format!("{what}, then at home"));
                scene.linkctl.ok(scene.away_args());
                scene.assert_moved(&format!("{what}, then moved again"));
            }
        }
    }
    let mut kills = 0;
    for way in WAYS {
        let scene = Scene::ready_on_one(&home, &away, way);
        let counts = counts(&scene.linkctl.command(scene.args(way)), "renameat2,symlinkat,unlinkat,fsync,utimensat");
        let all = crate::relocate::kills::points(&counts);
        for (call, n) in dice.some_of_each(all, 2, |(call, _)| call.clone()) {
            let mut scene = Scene::ready_on_one(&home, &away, way);
            scene.killed_at_rewriting = true;
            let inject = format!("{call}:signal=SIGKILL:when={n}");
            let output = strace::inject(&inject, &scene.linkctl.command(scene.args(way)));
            assert_eq!(output.status.signal(), Some(9), "{inject}");
            scene.assert_recovers(kills % 2 == 0, &format!("{way:?} {inject}"));
            kills += 1;
        }
    }
    println!("kills on one file system: {kills}, lost 0");
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

#[test]
fn of_several_links_rewritten_in_one_directory_a_kill_is_recovered() {
    let volume = Volume::new(Fs::Ext4, 32 << 20);
    let (home, away) = (volume.path().join("home"), volume.path().join("deeper/away"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&away).unwrap();
    let build = |src: &std::path::Path| {
        tree!(src, {
            "l1" => symlink("../o1"), "l2" => symlink("../o2"), "d/l3" => symlink("../../o3"), "d/l4" => symlink("../../o4"),
        });
        std::os::unix::fs::lchown(src.join("l2"), Some(3), Some(4)).unwrap();
        crate::relocate::sys::set_xattr(&src.join("l1"), "trusted.x", b"y");
        for path in ["d", ""] {
            crate::relocate::sys::set_times(&src.join(path), 1_000_000_000, 5);
        }
    };
    let out = [("l1", "o1"), ("l2", "o2"), ("d/l3", "o3"), ("d/l4", "o4")];
    let out = out.map(|(link, target)| (link, home.join(target)));
    let calls = "renameat2,symlinkat,unlinkat,fsync,utimensat,fchownat,lsetxattr";
    let mut dice = Dice::new(31);
    let mut kills = 0;
    for way in WAYS {
        let ready = || {
            let scene = Scene::build(&home, &away, build, &out);
            if way == Way::Back {
                scene.linkctl.ok(scene.away_args());
            }
            scene
        };
        let scene = ready();
        let all = crate::relocate::kills::points(&counts(&scene.linkctl.command(scene.args(way)), calls));
        for (call, n) in dice.some_of_each(all, 2, |(call, _)| call.clone()) {
            let scene = ready();
            let inject = format!("{call}:signal=SIGKILL:when={n}");
            let output = strace::inject(&inject, &scene.linkctl.command(scene.args(way)));
            assert_eq!(output.status.signal(), Some(9), "{inject}");
            scene.assert_recovers(kills % 2 == 0, &format!("{way:?} {inject}"));
            kills += 1;
        }
    }
    println!("kills while links are rewritten: {kills}, lost 0");
}
