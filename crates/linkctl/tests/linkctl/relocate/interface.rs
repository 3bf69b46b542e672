//! What is refused, warned of and said.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Fs, Snapshot, Volume, tree};

use crate::common::{Linkctl, NOBODY, Ran, leftovers, send_signal, wait_until};
use crate::relocate::{Scene, Way, small_tree, two_in_memory};

/// Refused, and nothing changed at either place.
#[track_caller]
fn refused(scene: &Scene, args: &[&str], says: &str) -> Ran {
    let before = [&scene.home, &scene.away].map(Snapshot::of);
    let ran = scene.linkctl.output(args);
    // The trial whether links can be made takes the directory's own time.
    for snapshot in before {
        let differences = snapshot.differences();
        let real =
            differences.lines().filter(|line| !line.starts_with("~ .: mtime") && !line.starts_with("~ .: ctime"));
        assert_eq!(real.collect::<Vec<_>>(), [""; 0], "{args:?}: {ran}");
    }
    ran.exits(4).says(says)
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_changed() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    let (src, dst) = (scene.src().display().to_string(), scene.dst().display().to_string());
    symlink("src", scene.home.join("link")).unwrap();
    fs::write(scene.away.join("there"), "").unwrap();
    let there = scene.away.join("there").display().to_string();
    refused(&scene, &["move", "link", &dst], "itself a link");
    refused(&scene, &["move", "src", &there], "has this name already");
    refused(&scene, &["move", "src", "src/inside"], "inside the other");
    refused(&scene, &["move", "src/a", "src"], "");
    refused(&scene, &["move", "src/pipe", &dst], "device, pipe or socket");
    refused(&scene, &["move", "src", &dst, "--kind", "junction"], "only NTFS holds junctions");
    let missing = format!("{}/no/dst", scene.away.display());
    assert_eq!(scene.linkctl.output(["move", "src", &missing]).exits(3).out, "");
    assert_eq!(scene.linkctl.output(["move", "nothing", &dst]).exits(3).out, "");
    refused(&scene, &["restore", "src"], "no symbolic link");
    // Something mounted inside.
    testkit::require::run(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(scene.src().join("b/empty")));
    let ran = scene.linkctl.output(["move", &src, &dst, "--yes"]);
    testkit::require::run(Command::new("umount").arg(scene.src().join("b/empty")));
    ran.exits(4).says("another file system is mounted here");
    scene.assert_nothing_lost("mount point");
}

#[test]
fn a_socket_with_two_names_does_not_stop_a_move() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    tree!(scene.src(), { "socket" => socket, "socket2" => hard("socket"), "pipe2" => hard("pipe"), "l" => symlink("a"), "l2" => hard("l") });
    let ran = scene.linkctl.output(["move", "src", &scene.dst().display().to_string(), "--yes"]);
    ran.exits(0).says("a socket: it is not copied");
    for name in ["pipe", "l"] {
        assert_eq!(scene.dst().join(name).symlink_metadata().unwrap().nlink(), 2, "{name}");
    }
}

#[test]
fn what_the_file_systems_forbid_is_refused() {
    let (home, mut away) = (Volume::new(Fs::Ext4, 16 << 20), Volume::new(Fs::Tmpfs, 1 << 20));
    let scene = Scene::new(&home.path(), &away.path());
    let dst = scene.dst().display().to_string();
    let chattr = |flag: &str| {
        testkit::require::run(Command::new("chattr").arg(flag).arg(scene.src().join("b/c/deep")));
    };
    for flag in ["i", "a"] {
        chattr(&format!("+{flag}"));
        let ran = scene.linkctl.output(["move", "src", &dst]);
        chattr(&format!("-{flag}"));
        ran.exits(4).says("immutable or append-only");
    }
    fs::write(scene.home.join("src/big"), vec![1; 1_100_000]).unwrap();
    refused(&scene, &["move", "src", &dst], "there is room for");
    away.remount_read_only();
    scene.linkctl.output(["move", "src", &dst]).exits(4).says("read-only");
    // Not even root makes names on it.
    let ntfs = Volume::new(Fs::Ntfs, 0);
    let there = ntfs.path().join("dst").display().to_string();
    scene.linkctl.output(["move", "src", &there]).exits(4).says("on NTFS");
    assert_eq!(leftovers(ntfs.path()), [""; 0]);
    assert!(scene.src().is_dir() && !scene.src().is_symlink());
}

#[test]
fn what_will_not_be_as_it_was_is_warned_of_and_strictly_refused() {
    let (home, away) = two_in_memory();
    type Prepare = fn(&Scene);
    let warnings: [(&str, Prepare); 2] = [
        ("other names outside the tree", |scene| {
            fs::hard_link(scene.src().join("a/two"), scene.home.join("outside")).unwrap();
        }),
        ("a socket: it is not copied", |scene| tree!(scene.src(), { "sock" => socket })),
    ];
    for (says, prepare) in warnings {
        let scene = Scene::new(&home.path(), &away.path());
        prepare(&scene);
        let dst = scene.dst().display().to_string();
        refused(&scene, &["move", "src", &dst, "--strict", "--yes"], says);
        // Without a terminal nobody is asked: it is not done.
        refused(&scene, &["move", "src", &dst], says);
        let dry = refused_not(&scene, &["move", "src", &dst, "--dry-run"]);
        assert!(dry.err.contains(says), "{dry}");
        let ran = scene.linkctl.ok(["move", "src", &dst, "--yes"]);
        assert!(
            ran.err.contains(&format!("warning: '[DIR]/src/{}", if says.starts_with('a') { "sock" } else { "a/two" })),
            "{ran}"
        );
        assert!(scene.is_moved());
    }
    // A program that has something open there, and one that works there.
    let scene = Scene::new(&home.path(), &away.path());
    let dst = scene.dst().display().to_string();
    let open = File::open(scene.src().join("a/one")).unwrap();
    let says = format!("process {} (", std::process::id());
    refused(&scene, &["move", "src", &dst, "--strict", "--yes"], &says).says("has this open");
    drop(open);
    let mut child = Command::new("sleep").arg("60").current_dir(scene.src().join("b")).spawn().unwrap();
    let ran = scene.linkctl.output(["move", "src", &dst, "--strict", "--yes"]);
    child.kill().unwrap();
    child.wait().unwrap();
    ran.exits(4).says(&format!("process {} (sleep) works here", child.id()));
    // Its own working directory: that is refused.
    scene
        .linkctl
        .output_in(scene.src(), ["move", scene.src().to_str().unwrap(), &dst, "--yes"])
        .exits(4)
        .says("works here");
    scene.assert_home("working directory");
}

/// Done without a change.
#[track_caller]
fn refused_not(scene: &Scene, args: &[&str]) -> Ran {
    let before = crate::relocate::portrait(&scene.src());
    let ran = scene.linkctl.ok(args);
    crate::relocate::same(&before, &crate::relocate::portrait(&scene.src()), "a dry run");
    assert!(!scene.is_moved() && scene.dst().symlink_metadata().is_err());
    scene.assert_no_leftovers("a dry run");
    ran
}

#[test]
fn an_ordinary_user_is_told_of_what_belongs_to_others() {
    let (home, away) = two_in_memory();
    for volume in [&home, &away] {
        chown(volume.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(volume.path(), Permissions::from_mode(0o755)).unwrap();
    }
    let src = home.path().join("src");
    tree!(src, { "own" => file("own"), "foreign" => file("foreign") });
    for path in [src.clone(), src.join("own")] {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let linkctl = Linkctl::nobody();
    let (from, to) = (src.display().to_string(), away.path().join("dst").display().to_string());
    let ran = linkctl.output(["move", &from, &to, "--strict"]).exits(4);
    ran.says("1 files belong to others");
    // Whether somebody writes to it cannot be asked: the old tree could never go.
    linkctl.output(["move", &from, &to, "--yes"]).exits(4).says("1 files belong to others");
    assert!(!src.is_symlink());
    fs::remove_file(src.join("foreign")).unwrap();
    // A group that he may not give is lost, and with it what a file may do in the name of its group.
    let own = src.join("own");
    chown(&own, Some(NOBODY), Some(12)).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o2755)).unwrap();
    linkctl.output(["move", &from, &to, "--yes", "--strict"]).exits(4).says("could not be kept");
    assert!(!src.is_symlink(), "strictly, it stays");
    let ran = linkctl.output(["move", &from, &to, "--yes"]).exits(0);
    assert!(ran.err.contains("owner") && ran.err.contains("setuid and setgid"), "{ran}");
    assert_eq!(fs::metadata(away.path().join("dst/own")).unwrap().permissions().mode() & 0o7777, 0o755);
}

#[test]
fn history_undo_and_the_documents_tell_the_same() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    let dst = scene.dst().display().to_string();
    let dry = refused_not(&scene, &["move", "src", &dst, "--dry-run", "--json"]).json();
    assert_eq!(dry["schema"], 1, "{dry}");
    assert!(scene.linkctl.history().is_empty());
    let ran = scene.linkctl.ok(["move", "src", &dst, "--json"]).json();
    assert_eq!((&ran["schema"], ran["errors"].as_array().map(Vec::len)), (&serde_json::json!(1), Some(0)), "{ran}");
    assert_eq!(scene.linkctl.newest(), "move done: 1 done, 0 failed of 1");
    scene.assert_moved("json");
    scene.linkctl.ok(["undo", "1", "--yes"]);
    scene.assert_home("undo");
    assert_eq!(scene.linkctl.newest(), "undo done: 1 done, 0 failed of 1");
    // And the undo undone.
    scene.linkctl.ok(["undo", "2", "--yes"]);
    scene.assert_moved("undone undo");
    let ran = scene.linkctl.ok(["restore", "src", "--json"]).json();
    assert_eq!(ran["schema"], 1);
    scene.assert_home("restore");
    // What failed has a document too.
    let ran = scene.linkctl.output(["move", "nothing", &dst, "--json"]).exits(3);
    assert!(ran.json().is_object(), "{ran}");
    let ran = scene.linkctl.ok(["recover", "--json"]).json();
    assert_eq!(ran["stages"].as_array().map(Vec::len), Some(0));
}

#[test]
fn two_moves_of_one_tree_refuse_each_other() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    let hold = scene.linkctl.hold("syncfs:delay_enter=1200000:when=1", scene.away_args());
    let other = scene.away.join("other").display().to_string();
    // The tree itself, what is in it, what it is in, and what would go into it.
    let into = scene.src().join("new").display().to_string();
    fs::write(scene.home.join("beside file"), "x").unwrap();
    let above = scene.home.display().to_string();
    for (source, destination) in [("src", &other), ("src/a", &other), ("beside file", &into), (above.as_str(), &other)]
    {
        let ran = Linkctl::on(&scene.home).output(["move", source, destination, "--yes"]);
        assert!(ran.code() == Some(4) && ran.err.contains("another move of it"), "{source}: {ran}");
        assert_eq!(leftovers(&scene.away).len(), 1, "{ran}");
    }
    // Who only looks does not wait.
    scene.linkctl.ok(["list", "src"]);
    assert!(scene.linkctl.newest().contains("running"));
    let first = hold.end(&scene.linkctl);
    assert_eq!(first.code(), Some(0), "{first}");
    scene.assert_moved("after the others were refused");
}

#[test]
fn ctrl_c_during_the_copy_leaves_everything_as_it_was() {
    for volumes in [two_in_memory(), (Volume::new(Fs::Ext4, 64 << 20), Volume::new(Fs::Xfs, 0))] {
        let build = |src: &Path| {
            small_tree(src);
            for n in 0..600 {
                fs::write(src.join(format!("b/f{n}")), vec![1; 3000]).unwrap();
            }
        };
        let (home, away) = (volumes.0.path(), volumes.1.path());
        let scene = Scene::build(&home, &away, build, &[("out", home.join("beside/file"))]);
        let args = scene.args(Way::Away);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", "/dev/null", "-e", "trace=fchown", "-e", "inject=fchown:delay_enter=3000", "--"]);
        let command = scene.linkctl.command(&args);
        strace.arg(command.get_program()).args(&args).env("LINKCTL_STATE_DIR", scene.linkctl.state());
        strace.current_dir(&home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let strace = strace.spawn().unwrap();
        let stage = || leftovers(&away).into_iter().map(|name| away.join(name)).find(|path| path.join("tree").is_dir());
        wait_until("it copies", || {
            stage().is_some_and(|path| fs::read_dir(path.join("tree/b")).is_ok_and(|all| all.count() > 20))
        });
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", strace.id())).unwrap();
        send_signal("INT", children.split_whitespace().next().unwrap().parse().unwrap());
        let ran = scene.linkctl.said(strace.wait_with_output().unwrap());
        assert_eq!(ran.code(), Some(130), "{ran}");
        scene.assert_home("interrupted");
        assert!(ran.err.contains("stopp"), "{ran}");
        assert_eq!(scene.recover(true).out, "nothing to recover\n");
    }
}

#[test]
fn an_undo_looks_first_as_a_restoration_does() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    scene.linkctl.ok(scene.away_args());
    let inside = scene.dst().join("b/empty");
    testkit::require::run(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&inside));
    let refused: Vec<Ran> = [vec!["undo", "--dry-run"], vec!["undo", "--yes"], vec!["restore", "src", "--yes"]]
        .into_iter()
        .map(|args| scene.linkctl.output(args))
        .collect();
    testkit::require::run(Command::new("umount").arg(&inside));
    for ran in refused {
        ran.exits(4).says("another file system is mounted here");
    }
    scene.assert_moved("refused");
    let ran = scene.linkctl.ok(["undo", "--yes"]);
    assert!(ran.out.contains("all that belongs to it was kept"), "{ran}");
    scene.assert_home("undone");
}

#[test]
fn nothing_is_brought_back_while_the_old_tree_is_kept() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    let held = fs::OpenOptions::new().append(true).open(scene.src().join("a/two")).unwrap();
    scene.linkctl.output(scene.away_args()).exits(3).says("is kept as");
    for args in [scene.back_args(), vec!["undo".into(), "--yes".into()]] {
        scene.linkctl.output(args).exits(4).says("has to be finished first");
    }
    drop(held);
    scene.linkctl.ok(["recover"]);
    scene.assert_moved("recovered");
    scene.linkctl.ok(scene.back_args());
    scene.assert_home("then brought back");
}

#[test]
fn what_a_user_may_not_do_is_told_before() {
    let (home, away) = two_in_memory();
    let linkctl = Linkctl::nobody();
    let to = away.path().join("dst").display().to_string();
    let src = home.path().join("src");
    tree!(src, { "d/file" => file("x") });
    let own = |path: &Path| chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    for path in [home.path(), src.clone(), src.join("d"), src.join("d/file")] {
        own(&path);
    }
    let from = src.display().to_string();
    let dry = || linkctl.output(["move", &from, &to, "--dry-run"]);
    fs::set_permissions(away.path(), Permissions::from_mode(0o755)).unwrap();
    dry().exits(4).says("may not make anything here");
    own(&away.path());
    dry().exits(0);
    fs::set_permissions(src.join("d/file"), Permissions::from_mode(0o000)).unwrap();
    dry().exits(4).says("may not read it");
    fs::set_permissions(src.join("d/file"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(src.join("d"), Permissions::from_mode(0o555)).unwrap();
    dry().exits(4).says("may not remove what is in it");
    fs::set_permissions(src.join("d"), Permissions::from_mode(0o755)).unwrap();
    dry().exits(0);
}

#[test]
fn one_file_system_mounted_twice_and_subvolumes_are_told_of() {
    let volume = Volume::new(Fs::Btrfs, 0);
    let (bound, other) = (tempfile::tempdir().unwrap(), Volume::new(Fs::Tmpfs, 16 << 20));
    let subvolume = volume.path().join("sub");
    testkit::require::run(Command::new("btrfs").args(["-q", "subvolume", "create"]).arg(&subvolume));
    fs::write(subvolume.join("file"), "in a subvolume").unwrap();
    fs::create_dir(volume.path().join("plain")).unwrap();
    let linkctl = Linkctl::on(volume.path());
    testkit::require::run(Command::new("mount").arg("--bind").arg(volume.path()).arg(bound.path()));
    let ran = linkctl.output(["move", "plain", bound.path().join("dst").to_str().unwrap(), "--yes"]);
    testkit::require::run(Command::new("umount").arg(bound.path()));
    ran.exits(4).says("mounted twice");
    let to = other.path().join("dst").display().to_string();
    linkctl.output(["move", "sub", &to, "--strict"]).exits(4).says("btrfs subvolumes");
    // A subvolume is a file system of its own: it is copied, also beside itself.
    for to in [to, volume.path().join("beside").display().to_string()] {
        linkctl.ok(["move", "sub", &to, "--yes"]);
        assert_eq!(fs::read(subvolume.join("file")).unwrap(), b"in a subvolume");
        assert!(subvolume.is_symlink());
        linkctl.ok(["restore", "sub", "--yes"]);
        assert!(!subvolume.is_symlink());
    }
    assert_eq!(leftovers(volume.path()), [""; 0]);
}

#[test]
fn where_the_old_tree_is_kept_nothing_says_that_all_was_well() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    let mut open = File::options().append(true).open(scene.src().join("a/one")).unwrap();
    let ran = scene.linkctl.output(scene.away_args()).exits(3);
    assert!(ran.out.contains("the old tree is still there") && !ran.out.contains("was kept"), "{ran:?}");
    let ran = ran.says("error: move ").says("old tree is kept as");
    assert!(!ran.err.contains("cannot move"), "{ran:?}");
    let history = scene.linkctl.output(["history"]).exits(0);
    let history = history.says("operation 1 was done but for its old tree; `linkctl recover`");
    assert!(history.out.contains("left-behind") && !history.out.contains("done  "), "{history:?}");
    assert_eq!(scene.linkctl.history()[0]["state"], "left-behind");
    std::io::Write::write_all(&mut open, b"").unwrap();
    drop(open);
    scene.linkctl.ok(["recover"]);
    assert_eq!(scene.linkctl.history()[0]["state"], "done");
    scene.linkctl.ok(["undo", "--yes"]);
    let _open = File::options().append(true).open(scene.src().join("a/one")).unwrap();
    let ran = scene.linkctl.output([scene.away_args(), vec!["--json".to_owned()]].concat()).exits(3).json();
    assert_eq!(ran["errors"][0]["kind"], "left-behind", "{ran}");
}

#[test]
fn a_lock_that_anybody_may_take_stops_no_move() {
    let (home, away) = two_in_memory();
    for (locked, how) in [(home.path(), "-x"), (away.path(), "-x"), (away.path(), "-s")] {
        let scene = Scene::new(&home.path(), &away.path());
        let script = "exec 9<\"$0\"; flock -n $1 9 && echo locked; exec sleep 60";
        let mut holder = Command::new("sh");
        holder.args(["-c", script]).arg(&locked).arg(how).stdout(Stdio::piped());
        let mut holder = std::os::unix::process::CommandExt::uid(&mut holder, 65534).spawn().unwrap();
        let mut said = [0; 6];
        std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
        scene.linkctl.ok(scene.away_args());
        scene.linkctl.ok(["undo", "--yes"]);
        holder.kill().unwrap();
        holder.wait().unwrap();
        scene.assert_nothing_lost(how);
    }
}
