//! What somebody else has put where a move leaves its own; and who is still in the old tree.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Snapshot;

use crate::common::NOBODY;
use crate::relocate::{Scene, Way, two_in_memory};

/// A move whose power failed with everything done but the removal of the old tree: the stage lies beside the new place.
fn killed_before_removal(scene: &Scene) -> PathBuf {
    let mut command = scene.linkctl.command(scene.args(Way::Away));
    let output = command.env("LINKCTL_CRASH_AT_PHASE", "8").output().unwrap();
    assert!(!output.status.success());
    stages(&scene.away).pop().unwrap()
}

fn stages(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".linkctl-")).collect()
}

#[test]
fn a_stage_that_somebody_else_could_have_written_is_not_believed() {
    let (home, away) = two_in_memory();
    type Forge = fn(&Path);
    let forgeries: [(&str, Forge); 5] = [
        ("another's directory", |stage| chown(stage, Some(NOBODY), None).unwrap()),
        ("a directory for all", |stage| fs::set_permissions(stage, Permissions::from_mode(0o777)).unwrap()),
        ("another's intent", |stage| chown(stage.join("intent"), Some(NOBODY), None).unwrap()),
        ("an intent with another name", |stage| {
            fs::hard_link(stage.join("intent"), stage.with_file_name("other")).unwrap();
        }),
        ("carried elsewhere", |stage| {
            let elsewhere = stage.parent().unwrap().join("elsewhere");
            fs::create_dir(&elsewhere).unwrap();
            fs::rename(stage, elsewhere.join(stage.file_name().unwrap())).unwrap();
        }),
    ];
    for (what, forge) in forgeries {
        let scene = Scene::ready(&home.path(), &away.path(), Way::Away);
        let stage = killed_before_removal(&scene);
        forge(&stage);
        let before = [&scene.home, &scene.away].map(Snapshot::of);
        let (plain, by_name) =
            (scene.recover(true), scene.linkctl.output(["recover".as_ref(), stage.parent().unwrap().as_os_str()]));
        let elsewhere = scene.away.join("elsewhere");
        let carried = scene.linkctl.output(["recover".as_ref(), elsewhere.as_os_str()]);
        for snapshot in before {
            assert_eq!(snapshot.differences(), "", "{what}: {plain}{by_name}{carried}");
        }
        if what == "carried elsewhere" {
            carried.exits(4).says("does not lie beside");
        }
    }
}

#[test]
fn an_inventory_that_leads_elsewhere_is_not_followed() {
    let (home, away) = two_in_memory();
    for name in ["../../canary", "..", "", "a/one"] {
        let scene = Scene::ready(&home.path(), &away.path(), Way::Away);
        fs::write(scene.home.join("canary"), "alive").unwrap();
        let stage = killed_before_removal(&scene);
        let copied = fs::read_to_string(stage.join("copied")).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&copied).unwrap();
        value["inventory"]["items"][1]["name"] = name.into();
        fs::write(stage.join("copied"), value.to_string()).unwrap();
        let before = Snapshot::of(&scene.home);
        let ran = scene.recover(true);
        assert_eq!(before.differences(), "", "{name}: {ran}");
        // An item that holds itself has no end.
        value["inventory"]["items"][1]["parent"] = 1.into();
        fs::write(stage.join("copied"), value.to_string()).unwrap();
        let ran = scene.recover(true);
        assert_eq!(before.differences(), "", "{name}: {ran}");
    }
}

#[test]
fn an_old_tree_that_looks_like_an_empty_stage_stays() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    for name in ["copied", "committed", "intent.new", "file", "hard"] {
        let kept = scene.home.join(".linkctl-0123456789abcdef");
        fs::create_dir(&kept).unwrap();
        fs::set_permissions(&kept, Permissions::from_mode(0o700)).unwrap();
        fs::write(kept.join(name), "precious").unwrap();
        fs::set_permissions(kept.join(name), Permissions::from_mode(0o600)).unwrap();
        let before = Snapshot::of(&kept);
        let ran = scene.linkctl.output(["recover".as_ref(), scene.home.as_os_str()]);
        assert_eq!(before.differences(), "", "{name}: {ran}");
        fs::remove_dir_all(&kept).unwrap();
    }
}

#[test]
fn whoever_works_in_the_tree_keeps_it() {
    let (home, away) = two_in_memory();
    for way in [Way::Away, Way::Back] {
        let scene = Scene::ready(&home.path(), &away.path(), way);
        let tree = if way == Way::Away { scene.src() } else { scene.dst() };
        let mut worker = Command::new("sleep").arg("600").current_dir(tree.join("a")).spawn().unwrap();
        let ran = scene.linkctl.output(scene.args(way));
        let inside = PathBuf::from(format!("/proc/{}/cwd/two", worker.id()));
        OpenOptions::new().append(true).open(&inside).unwrap().write_all(b"late").unwrap();
        let old = fs::read_link(format!("/proc/{}/cwd", worker.id())).unwrap();
        worker.kill().unwrap();
        worker.wait().unwrap();
        ran.exits(3).says("kept as").says("works here");
        assert_eq!(fs::metadata(old.join("two")).unwrap().len(), 70_004);
        let again = scene.recover(true);
        again.exits(3).says("was changed");
        assert_eq!(fs::metadata(old.join("two")).unwrap().len(), 70_004);
    }
}

#[test]
fn what_is_written_while_the_old_tree_is_removed_stays() {
    let (home, away) = two_in_memory();
    type Write = fn(&Path);
    let late: [(&str, Write, &str); 3] = [
        (
            "append",
            |old| {
                OpenOptions::new().append(true).open(old.join("a/two")).unwrap().write_all(b"late").unwrap();
            },
            "a/two",
        ),
        ("new", |old| fs::write(old.join("b/c/new"), "late").unwrap(), "b/c/new"),
        (
            "replace",
            |old| {
                fs::write(old.join("x"), "late").unwrap();
                fs::rename(old.join("x"), old.join("b/c/deep")).unwrap();
            },
            "b/c/deep",
        ),
    ];
    for (what, write, path) in late {
        let scene = Scene::ready(&home.path(), &away.path(), Way::Away);
        // Its end is written down, and nothing removed yet.
        killed_before_removal(&scene);
        let old = stages(&scene.home).pop().unwrap();
        write(&old);
        let before = Snapshot::of(old.join(path));
        let ran = scene.recover(true);
        assert_eq!(before.differences(), "", "{what}: {ran}");
        ran.exits(3).says("kept as").says("nobody touched");
        assert!(!old.join("a/one").exists(), "{what}: what nobody touched is gone");
        assert_eq!(scene.recover(true).exits(3).out, "", "{what}");
        // Its owner has taken it, and that is the end.
        fs::remove_dir_all(&old).unwrap();
        scene.recover(true).exits(0);
        scene.assert_settled(what);
    }
}

#[test]
fn a_link_put_into_the_way_to_the_new_place_is_not_followed() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    fs::create_dir_all(scene.away.join("way/inner")).unwrap();
    fs::create_dir(scene.away.join("victim")).unwrap();
    let to = scene.away.join("way/inner/dst");
    let args = ["move", "--yes", "src", to.to_str().unwrap()];
    // Stopped in what is tried before the first change.
    let held = scene.linkctl.hold("unlinkat:delay_enter=1500000:when=6", args);
    fs::rename(scene.away.join("way/inner"), scene.away.join("way/was")).unwrap();
    std::os::unix::fs::symlink("../victim", scene.away.join("way/inner")).unwrap();
    let ran = held.end(&scene.linkctl);
    assert_eq!(fs::read_dir(scene.away.join("victim")).unwrap().count(), 0, "{ran}");
    assert!(scene.src().join("a/one").exists() && !scene.src().is_symlink(), "{ran}");
    ran.exits(4);
}

#[test]
fn nothing_is_done_to_a_tree_whose_last_move_is_not_over() {
    let (home, away) = two_in_memory();
    let scene = Scene::ready(&home.path(), &away.path(), Way::Away);
    killed_before_removal(&scene);
    let (src, dst) = (scene.src().display().to_string(), scene.dst().display().to_string());
    let before = [&scene.home, &scene.away].map(Snapshot::of);
    for args in [&["undo"][..], &["restore", &src, "--yes"], &["move", &dst, "elsewhere", "--yes"]] {
        let ran = scene.linkctl.output(args);
        assert!(ran.code() == Some(4) && ran.err.contains("linkctl recover"), "{args:?}: {ran}");
    }
    for args in [&["doctor"][..], &["history"]] {
        assert!(scene.linkctl.output(args).err.contains("`linkctl recover` finishes it"), "{args:?}");
    }
    for snapshot in before {
        let differences = snapshot.differences();
        let real = differences.lines().filter(|line| !line.contains("mtime") && !line.contains("ctime"));
        assert_eq!(real.collect::<Vec<_>>(), [""; 0]);
    }
    scene.recover(true).exits(0);
    scene.assert_moved("recovered");
    scene.linkctl.output(["restore", "src", "--yes"]).exits(0);
    scene.assert_home("brought back");
}

#[test]
fn what_a_link_of_somebody_else_leads_to_is_not_brought_without_a_question() {
    let (home, away) = two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    fs::rename(scene.src(), scene.home.join("lib")).unwrap();
    std::os::unix::fs::symlink("lib", scene.src()).unwrap();
    let ran = scene.linkctl.output(["restore", "src"]);
    assert!(ran.code() != Some(0) && ran.err.contains("no move in the history made this link"), "{ran}");
    assert!(scene.src().is_symlink() && scene.home.join("lib/a/one").exists(), "{ran}");
    scene.linkctl.output(["restore", "src", "--yes"]).exits(0);
    assert!(!scene.src().is_symlink() && !scene.home.join("lib").exists());
}
