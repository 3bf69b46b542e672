//! Undo, restore and recover mean the object that was moved, on the volume that it was moved to.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::clear;
use crate::common::{Linkctl, Ran, names};
use testkit::{Fs, Volume};

/// A tree `a`, moved to `s/a`.
fn moved() -> Linkctl {
    let linkctl = Linkctl::new();
    fs::create_dir_all(linkctl.at("a")).unwrap();
    fs::create_dir(linkctl.at("s")).unwrap();
    fs::write(linkctl.at("a/f"), "mine").unwrap();
    linkctl.ok(["move", "--yes", "a", "s/a"]);
    linkctl
}

/// A tree `a` with a file, moved to a volume.
fn moved_to(volume: &Volume) -> Linkctl {
    let linkctl = Linkctl::new();
    fs::create_dir_all(linkctl.at("a")).unwrap();
    fs::write(linkctl.at("a/f"), "mine").unwrap();
    linkctl.ok(["move".as_ref(), "--yes".as_ref(), "a".as_ref(), volume.path().join("a").as_os_str()]);
    linkctl
}

/// Mounts an image in a place, until it is dropped.
struct InPlace(PathBuf);

impl InPlace {
    fn of(image: &Path, at: &Path) -> InPlace {
        assert!(Command::new("mount").args(["-o", "loop"]).args([image, at]).status().unwrap().success());
        InPlace(at.to_owned())
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        let ended = Command::new("umount").arg(&self.0).status();
        assert!(ended.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

fn says(ran: Ran, parts: &[&str]) -> Ran {
    parts.iter().fold(ran, |ran, part| ran.says(part))
}

#[test]
fn what_has_the_name_of_a_moved_tree_is_not_taken_for_it() {
    type Put = fn(&Path);
    let cases: [(&str, Put); 4] = [
        ("a directory", |at| {
            fs::create_dir(at).unwrap();
            fs::write(at.join("g"), "foreign").unwrap();
        }),
        ("a file", |at| fs::write(at, "foreign").unwrap()),
        ("a link", |at| symlink("/etc", at).unwrap()),
        ("is gone", |_| {}),
    ];
    for (what, put) in cases {
        for verb in [&["undo"][..], &["restore", "a"]] {
            let linkctl = moved();
            fs::rename(linkctl.at("s/a"), linkctl.at("s/keep")).unwrap();
            put(&linkctl.at("s/a"));
            let before = (names(linkctl.at("s")), fs::read_link(linkctl.at("a")).unwrap());
            let ran = linkctl.output(verb.iter().copied().chain(["--yes"]));
            // A link that leads on by another link is refused by `restore` for that.
            let refused = if what == "a link" && verb[0] == "restore" { "another link" } else { what };
            let ran = ran.says(refused);
            assert!([Some(3), Some(4)].contains(&ran.code()), "{verb:?}, {what}: {:?}", ran.code());
            assert_eq!((names(linkctl.at("s")), fs::read_link(linkctl.at("a")).unwrap()), before, "{verb:?}, {what}");
        }
    }
}

#[test]
fn what_has_the_name_of_a_restored_tree_is_not_taken_for_it() {
    let linkctl = moved();
    linkctl.ok(["restore", "--yes", "a"]);
    fs::rename(linkctl.at("a"), linkctl.at("keep")).unwrap();
    fs::create_dir(linkctl.at("a")).unwrap();
    let ran = linkctl.output(["undo", "--yes"]).exits(4);
    says(ran, &["it is not the directory that was moved there", "file number"]);
    assert!(linkctl.exists("a") && names(linkctl.at("s")).is_empty());
}

#[test]
fn another_volume_in_its_place_is_left_alone_and_the_one_that_is_away_is_named() {
    let (mut own, mut foreign) = (Volume::new(Fs::Ext4, 0), Volume::new(Fs::Ext4, 0));
    assert!(Command::new("e2label").args([own.image().as_os_str(), "stick".as_ref()]).status().unwrap().success());
    own.remount();
    fs::create_dir(foreign.path().join("a")).unwrap();
    fs::write(foreign.path().join("a/b"), "theirs").unwrap();
    let linkctl = moved_to(&own);
    own.unmount();
    foreign.unmount();
    for verb in [&["undo"][..], &["restore", "a"]] {
        let verb = || verb.iter().copied().chain(["--yes"]);
        {
            let _mounted = InPlace::of(&foreign.image(), &own.path());
            says(linkctl.output(verb()).exits(4), &["stick/", "is on volume"]);
            assert_eq!(fs::read(own.path().join("a/b")).unwrap(), b"theirs");
        }
        says(linkctl.output(verb()).exits(4), &["it was on volume stick/", "not mounted"]);
        assert!(names(own.path()).is_empty(), "nothing is put into an empty mount point");
        // Where it is mounted elsewhere, that is said.
        let elsewhere = linkctl.at("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        let _mounted = InPlace::of(&own.image(), &elsewhere);
        says(linkctl.output(verb()).exits(4), &["is mounted at", "elsewhere"]);
    }
    own.mount();
    linkctl.ok(["undo", "--yes"]);
    assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine");
    // And away again: not while the volume is.
    own.unmount();
    says(linkctl.output(["undo", "2", "--yes"]).exits(4), &["stick/", "not mounted"]);
    assert!(names(own.path()).is_empty());
    own.mount();
    linkctl.ok(["undo", "2", "--yes"]);
    assert_eq!(fs::read(own.path().join("a/f")).unwrap(), b"mine");
}

fn broken(linkctl: &Linkctl) -> String {
    linkctl.ok(["list", "--broken", "--format", "paths"]).out
}

#[test]
fn links_to_a_volume_that_is_away_are_not_broken() {
    let mut volume = Volume::new(Fs::Ext4, 0);
    let linkctl = moved_to(&volume);
    fs::write(volume.path().join("file"), "x").unwrap();
    linkctl.ok(["create".as_ref(), "tracked".as_ref(), volume.path().join("file").as_os_str()]);
    symlink(volume.path().join("nothing"), linkctl.at("untracked")).unwrap();
    let mount_point = volume.path();
    volume.unmount();
    symlink("nowhere", linkctl.at("broken")).unwrap();
    let listed = linkctl.ok(["list", "--json"]).json();
    for link in listed["links"].as_array().unwrap() {
        let away = link["path"]["text"] != "broken";
        assert_eq!(link["state"], if away { "unreachable" } else { "missing" }, "{link}");
        assert_eq!(link["volume"]["mounted"] == false, away, "{link}");
        assert_eq!(link["volume"]["uuid"].as_str().is_some_and(|uuid| uuid.len() == 36), away, "{link}");
    }
    assert_eq!(broken(&linkctl), "broken\n");
    let shown = linkctl.ok(["show", "a"]).out;
    assert!(shown.contains("unreachable") && shown.contains("not mounted"), "{shown}");
    let checked = linkctl.output(["check"]).exits(1);
    assert!(checked.out.contains("missing") && !checked.out.contains("tracked"), "{}", checked.out);
    says(checked, &["'a': its target is on volume", "'tracked'"]);
    // What is missing on a volume that is there is broken.
    volume.mount();
    assert_eq!(volume.path(), mount_point);
    assert_eq!(broken(&linkctl), "broken\nuntracked\n");
}

#[test]
fn a_chain_of_moves_is_undone_in_order() {
    let linkctl = moved();
    fs::create_dir(linkctl.at("t")).unwrap();
    linkctl.ok(["move", "--yes", "s/a", "t/a"]);
    let ran = linkctl.output(["undo", "1", "--yes"]).exits(4);
    says(ran, &["operation 2 has moved it on to", "undo 2 first"]);
    assert_eq!(linkctl.target("s/a"), linkctl.at("t/a").as_os_str().as_encoded_bytes());
    linkctl.ok(["undo", "2", "--yes"]);
    linkctl.ok(["undo", "1", "--yes"]);
    assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine");
    assert!(!linkctl.exists("s/a") && !linkctl.exists("t/a"));
}

#[test]
fn what_was_copied_away_and_back_is_known_again() {
    let volume = Volume::new(Fs::Ext4, 0);
    let linkctl = moved_to(&volume);
    for _ in 0..2 {
        // Each time it is another object.
        linkctl.ok(["undo", "--yes"]);
        let newest = linkctl.history()[0]["id"].as_i64().unwrap().to_string();
        linkctl.ok(["undo", &newest, "--yes"]);
    }
    linkctl.ok(["restore", "--yes", "a"]);
    assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine");
}

#[test]
fn a_volume_under_another_device_number_is_the_same() {
    for fs_kind in [Fs::Xfs, Fs::Ntfs, Fs::Ext4, Fs::Btrfs] {
        let mut volume = Volume::new(fs_kind, 0);
        // On NTFS, owners and rights would be lost.
        let moves = fs_kind != Fs::Ntfs;
        let linkctl = if moves { moved_to(&volume) } else { Linkctl::new() };
        fs::write(volume.path().join("f"), "1").unwrap();
        linkctl.ok(["create".as_ref(), volume.path().join("l").as_os_str(), "f".as_ref()]);
        volume.unmount();
        // Takes the loop device, and the number for file systems without one, that it had.
        let mut other = Volume::new(fs_kind, 0);
        volume.mount();
        linkctl.ok(["undo", "--yes"]);
        assert!(volume.path().join("l").symlink_metadata().is_err(), "{fs_kind:?}");
        if moves {
            linkctl.ok(["undo", "--yes"]);
            assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine", "{fs_kind:?}");
        }
        other.unmount();
    }
}

#[test]
fn where_no_number_can_be_read_a_new_mount_is_not_taken_for_the_old_one() {
    let linkctl = Linkctl::new();
    for name in ["source", "mnt", "a"] {
        fs::create_dir(linkctl.at(name)).unwrap();
    }
    fs::write(linkctl.at("a/f"), "mine").unwrap();
    let bind = || {
        let mut bindfs = Command::new("bindfs");
        assert!(bindfs.args([linkctl.at("source"), linkctl.at("mnt")]).status().unwrap().success());
    };
    let unbind = || assert!(Command::new("umount").arg(linkctl.at("mnt")).status().unwrap().success());
    bind();
    linkctl.ok(["move", "--yes", "a", "mnt/a"]);
    linkctl.ok(["undo", "--yes"]);
    linkctl.ok(["move", "--yes", "a", "mnt/a"]);
    unbind();
    bind();
    for verb in [&["undo"][..], &["restore", "a"]] {
        let ran = linkctl.output(verb.iter().copied().chain(["--yes"])).exits(4);
        says(ran, &["unknown", "mounted anew", "no UUID", "no time of birth"]);
    }
    assert!(linkctl.exists("mnt/a/f"));
    unbind();
}

#[test]
fn a_moved_tree_whose_link_is_gone_comes_back_to_the_free_place() {
    let volume = Volume::new(Fs::Ext4, 0);
    for verb in [&["undo"][..], &["restore", "a"]] {
        for across in [false, true] {
            let linkctl = if across { moved_to(&volume) } else { moved() };
            fs::remove_file(linkctl.at("a")).unwrap();
            let verb = || verb.iter().copied();
            // Without a terminal nobody is asked.
            says(linkctl.output(verb()).exits(4), &["the link that was left here is gone", "/a"]);
            assert!(!linkctl.exists("a"));
            says(linkctl.output(verb().chain(["--yes"])).exits(0), &["comes back from there"]);
            assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine");
            // That is undone like any other: the tree goes away and the link is there again.
            let newest = linkctl.history()[0]["id"].as_i64().unwrap().to_string();
            linkctl.ok(["undo", &newest, "--yes"]);
            assert!(linkctl.at("a").is_symlink() && linkctl.exists("a/f"));
            clear(&volume.path());
        }
    }
}

#[test]
fn a_moved_tree_whose_link_was_replaced_is_told_where_it_is() {
    for verb in [&["undo"][..], &["restore", "a"]] {
        let linkctl = moved();
        fs::remove_file(linkctl.at("a")).unwrap();
        fs::write(linkctl.at("a"), "of a program").unwrap();
        let ran = linkctl.output(verb.iter().copied().chain(["--yes"])).exits(4);
        says(ran, &["s/a"]);
        assert_eq!(fs::read(linkctl.at("a")).unwrap(), b"of a program");
    }
}

/// A move of `a` to a volume, killed at a phase: 3 before the copy has its name, 7 right after the link has taken the name of
/// the original, which then lies beside it, whole.
fn killed_at(phase: &str, volume: &Volume) -> Linkctl {
    let linkctl = Linkctl::new();
    fs::create_dir(linkctl.at("a")).unwrap();
    fs::write(linkctl.at("a/f"), "mine").unwrap();
    let mut command =
        linkctl.command(["move".as_ref(), "--yes".as_ref(), "a".as_ref(), volume.path().join("a").as_os_str()]);
    assert!(!command.env("LINKCTL_CRASH_AT_PHASE", phase).output().unwrap().status.success());
    linkctl
}

#[test]
fn the_only_copy_beside_its_place_is_found_and_put_back_when_asked() {
    type Lose = fn(&mut Volume);
    let ways: [(&str, Lose); 3] = [
        ("not mounted", Volume::unmount),
        ("not mounted", |volume| {
            volume.unmount();
            assert!(Command::new("mkfs.ext4").arg("-qF").arg(volume.image()).status().unwrap().success());
            volume.mount();
        }),
        ("is gone", |volume| fs::remove_dir_all(volume.path().join("a")).unwrap()),
    ];
    for (number, (said, lose)) in ways.into_iter().enumerate() {
        let mut volume = Volume::new(Fs::Ext4, 0);
        let linkctl = killed_at("7", &volume);
        assert!(linkctl.at("a").is_symlink(), "the exchange was done");
        lose(&mut volume);
        for arguments in [&["recover"][..], &["recover", "."], &["recover", "--json"]] {
            let ran = linkctl.output(arguments).exits(4);
            let told = format!("{}{}", ran.out, ran.err);
            assert!(told.contains(said) && told.contains("original"), "{number}: {told}");
            assert!(!told.contains("nothing to recover") && !told.contains("may be removed"), "{number}: {told}");
        }
        linkctl.ok(["recover", "--dry-run"]);
        assert_eq!(linkctl.history()[0]["state"], "interrupted", "{number}");
        assert!(linkctl.at("a").is_symlink());
        assert!(linkctl.ok(["recover", "--yes"]).out.contains("rolled back"));
        assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine", "{number}");
        assert_eq!(names(linkctl.work()).len(), 1, "{number}: nothing is left beside it");
        assert_eq!(linkctl.history()[0]["state"], "failed", "{number}");
        assert!(linkctl.ok(["recover"]).out.contains("nothing to recover"));
    }
}

#[test]
fn a_move_whose_volume_is_away_is_not_settled() {
    let mut volume = Volume::new(Fs::Ext4, 0);
    let linkctl = killed_at("3", &volume);
    volume.unmount();
    linkctl.ok(["recover"]).says("is not mounted: mount it, and recover again");
    assert_eq!(linkctl.history()[0]["state"], "interrupted");
    volume.mount();
    assert!(linkctl.ok(["recover"]).out.contains("rolled back"));
    assert_eq!(fs::read(linkctl.at("a/f")).unwrap(), b"mine");
}

#[test]
fn what_was_moved_inside_a_tree_that_went_away_and_back_is_itself_or_is_said_not_to_be_known() {
    let away = Volume::new(Fs::Ext4, 0);
    let there = away.path().join("d");
    for (to, is_copied) in [("e", false), (there.to_str().unwrap(), true)] {
        let linkctl = Linkctl::new();
        fs::create_dir_all(linkctl.at("d")).unwrap();
        fs::write(linkctl.at("d/f"), "mine").unwrap();
        linkctl.ok(["move", "--yes", "d/f", "d/g"]);
        linkctl.ok(["move", "--yes", "d", to]);
        // Where it is, and what has to come first.
        linkctl
            .output(["undo", "--yes", "1"])
            .exits(4)
            .says("operation 2 has moved it on to")
            .says("/g")
            .says("undo 2 first");
        linkctl.ok(["undo", "--yes", "2"]);
        let ran = linkctl.output(["undo", "--yes", "1"]);
        if is_copied {
            ran.exits(4).says("operation 3 has copied it with what holds it");
            assert_eq!(fs::read(linkctl.at("d/g")).unwrap(), b"mine");
            // And where the link is gone, it is not taken by its name, nor what holds it.
            fs::remove_file(linkctl.at("d/f")).unwrap();
            linkctl.output(["restore", "--yes", "d/f"]).exits(4).says("has copied it with what holds it");
            assert_eq!(fs::read(linkctl.at("d/g")).unwrap(), b"mine");
        } else {
            ran.exits(0);
            assert!(!linkctl.exists("d/g") && !linkctl.at("d/f").is_symlink());
            assert_eq!(fs::read(linkctl.at("d/f")).unwrap(), b"mine");
        }
    }
}

#[test]
fn the_undo_of_a_restoration_gives_the_link_its_owner_and_time() {
    let away = Volume::new(Fs::Ext4, 0);
    for place in [None, Some(away.path().join("a"))] {
        let linkctl = Linkctl::new();
        let tree = place.unwrap_or_else(|| linkctl.at("there"));
        fs::create_dir(&tree).unwrap();
        symlink(&tree, linkctl.at("link")).unwrap();
        std::os::unix::fs::lchown(linkctl.at("link"), Some(1234), Some(4321)).unwrap();
        super::sys::set_times(&linkctl.at("link"), 1_000_000_000, 123_456_789);
        let facts = || {
            let found = linkctl.at("link").symlink_metadata().unwrap();
            (found.uid(), found.gid(), found.mtime(), found.mtime_nsec())
        };
        let before = facts();
        assert_eq!(before, (1234, 4321, 1_000_000_000, 123_456_789));
        linkctl.ok(["restore", "--yes", "link"]);
        assert!(linkctl.at("link").is_dir() && !linkctl.at("link").is_symlink());
        linkctl.ok(["undo", "--yes"]);
        assert!(linkctl.at("link").is_symlink());
        assert_eq!(facts(), before);
    }
}

#[test]
fn a_move_whose_end_was_not_recorded_is_not_undone_with_something_else() {
    let ways: [&[&str]; 2] = [&["move", "--yes", "e", "s/n"], &["restore", "--yes", "to s"]];
    for args in ways {
        let linkctl = Linkctl::new();
        fs::create_dir_all(linkctl.at("s")).unwrap();
        fs::create_dir_all(linkctl.at("e")).unwrap();
        fs::write(linkctl.at("e/f"), "mine").unwrap();
        symlink(linkctl.at("e"), linkctl.at("to s")).unwrap();
        let killed = linkctl.command(args).env("LINKCTL_CRASH_AFTER_STEP", "1").output().unwrap();
        assert!(!killed.status.success(), "{args:?}");
        let at = linkctl.at(if args[0] == "move" { "s/n" } else { "to s" });
        assert!(at.is_dir() && !at.is_symlink(), "{args:?}");
        fs::rename(&at, linkctl.at("kept")).unwrap();
        fs::create_dir(&at).unwrap();
        fs::write(at.join("theirs"), "theirs").unwrap();
        let ran = linkctl.output(["undo", "--yes", "1"]);
        assert_eq!(fs::read(at.join("theirs")).unwrap(), b"theirs", "{args:?}: {ran:?}");
        assert_eq!(linkctl.at("e").is_symlink(), args[0] == "move", "{args:?}: {ran:?}");
        fs::remove_dir_all(&at).unwrap();
        fs::rename(linkctl.at("kept"), &at).unwrap();
        linkctl.ok(["undo", "--yes", "1"]);
        assert_eq!(fs::read(linkctl.at("e/f")).unwrap(), b"mine", "{args:?}");
    }
}
