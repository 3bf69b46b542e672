//! `linkctl remove` and `linkctl undo`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Linkctl, find, leftovers, names};
use insta::assert_snapshot;
use testkit::{Snapshot, strace, tree};

/// Gives a link an owner and a time that nobody gives by accident.
fn mark(link: &Path) -> (u32, u32, i64, i64) {
    lchown(link, Some(1234), Some(4321)).unwrap();
    let touch = Command::new("touch").args(["-h", "-d", "2001-02-03T04:05:06.789"]).arg(link).status();
    assert!(touch.unwrap().success());
    marks(link)
}

fn marks(link: &Path) -> (u32, u32, i64, i64) {
    let found = fs::symlink_metadata(link).unwrap();
    (found.uid(), found.gid(), found.mtime(), found.mtime_nsec())
}

#[test]
fn remove_refuses_what_is_no_link() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d/f" => file(""), "f" => file(""), "a" => file(""), "b" => hard("a"), "p" => fifo, "l" => symlink("f") });
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["remove", "d"]), @"
    exit: 4
    -- err
    error: cannot remove 'd': a directory; only links are removed
    hint: --recursive removes the links below it
    ");
    assert_snapshot!(linkctl.run(["remove", "f"]), @"
    exit: 4
    -- err
    error: cannot remove 'f': a file with this one name; only links are removed
    hint: deleting it would delete its data; linkctl never does that
    ");
    assert_snapshot!(linkctl.run(["remove", "a"]), @"
    exit: 4
    -- err
    error: cannot remove 'a': a file with several names; --kind hard removes this one
    hint: the file keeps its other names and its data
    ");
    linkctl.output(["remove", "p"]).exits(4).says("a device, pipe or socket");
    linkctl.output(["remove", "--kind", "hard", "l"]).exits(4).says("not of the kind asked for");
    linkctl.output(["remove", "--kind", "hard", "f"]).exits(4).says("one name");
    linkctl.output(["remove", "gone"]).exits(3).says("cannot remove 'gone'");
    linkctl.output(["remove", ".", "/"]).exits(4);
    before.assert_unchanged();
    linkctl.ok(["remove", "--kind", "hard", "b"]);
    assert_eq!(fs::metadata(linkctl.at("a")).unwrap().nlink(), 1);
    assert!(!linkctl.exists("b"));
}

#[test]
fn remove_recursive_asks_and_without_anybody_to_ask_does_nothing() {
    testkit::require!(tool "script");
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d/a" => symlink("x"), "d/e/b" => symlink("y") });
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["remove", "--recursive", "d"]), @"
    exit: 4
    -- err
    error: no terminal to ask on: Remove 2 links below 'd'?
    hint: --yes does it without asking, --dry-run shows what would be done
    ");
    linkctl.ok(["remove", "--recursive", "--dry-run", "d"]);
    before.assert_unchanged();
    let answer = |text: &str| {
        let line = format!("{} remove --recursive d", linkctl.program().display());
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(linkctl.work());
        command.env("LINKCTL_STATE_DIR", linkctl.state()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap().status.code()
    };
    assert_eq!(answer("n\n"), Some(4));
    before.assert_unchanged();
    assert_eq!(answer("y\n"), Some(0));
    assert!(find(linkctl.work()).is_empty());
}

#[test]
fn remove_recursive_of_a_link_is_refused() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d/a" => symlink("x"), "l" => symlink("d"), "f" => file("") });
    let before = Snapshot::of(linkctl.work());
    for link in ["l", "l/", "l/."] {
        let ran = linkctl.output(["remove", "--recursive", "--yes", link]);
        assert!(matches!(ran.code(), Some(3 | 4)), "{link}: {ran}");
        assert!(ran.err.contains("itself a link"), "{link}: {ran}");
    }
    assert_ne!(linkctl.output(["remove", "--recursive", "--yes", "f"]).code(), Some(0));
    linkctl.output(["remove", "--recursive", "--kind", "hard", "--yes", "d"]).exits(2);
    before.assert_unchanged();
}

#[test]
fn undo_brings_back_text_owner_and_time_from_another_directory() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "sub/one" => symlink("./x//y"), "sub/two" => symlink("old"), "other" => dir });
    let one = mark(&linkctl.at("sub/one"));
    let two = mark(&linkctl.at("sub/two"));
    linkctl.output_in(linkctl.at("sub"), ["remove", "one"]).exits(0);
    linkctl.output_in(linkctl.at("sub"), ["create", "--replace", "two", "new"]).exits(0);
    assert_ne!(marks(&linkctl.at("sub/two")), two);
    for _ in 0..2 {
        linkctl.output_in(linkctl.at("other"), ["undo"]).exits(0);
    }
    assert_eq!((linkctl.target("sub/one"), marks(&linkctl.at("sub/one"))), (b"./x//y".to_vec(), one));
    assert_eq!((linkctl.target("sub/two"), marks(&linkctl.at("sub/two"))), (b"old".to_vec(), two));
    assert!(leftovers(linkctl.at("sub")).is_empty());
}

#[test]
fn undo_takes_back_what_create_made_and_its_directories() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "t1" => file(""), "t2" => file("") });
    linkctl.ok(["create", "l", "t1"]);
    linkctl.ok(["create", "--kind", "hard", "h", "t1"]);
    linkctl.ok(["create", "--parents", "--into", "new/dir", "--relative", "t1", "t2"]);
    assert_snapshot!(linkctl.run(["undo"]), @"
    exit: 0
    -- out
    removed symlink [DIR]/new/dir/t2 -> ../../t2
    removed symlink [DIR]/new/dir/t1 -> ../../t1
    removed empty [DIR]/new/dir
    removed empty [DIR]/new
    ");
    linkctl.ok(["undo"]);
    linkctl.ok(["undo"]);
    assert_eq!(names(linkctl.work()), ["t1", "t2"]);
    linkctl.output(["undo"]).exits(4).says("there is nothing to undo");
    assert_eq!(linkctl.newest(), "undo done: 1 done, 0 failed of 1");
}

#[test]
fn undo_keeps_a_made_directory_that_holds_more_by_now() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "--parents", "new/l", "t"]);
    tree!(linkctl.work(), { "new/own" => file("mine") });
    linkctl.ok(["undo"]).says("holds more than was made in it");
    assert_eq!(names(linkctl.at("new")), ["own"]);
}

#[test]
fn undo_does_not_touch_what_was_changed_since() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "--into", ".", "x/a", "x/b", "x/c"]);
    fs::remove_file(linkctl.at("b")).unwrap();
    tree!(linkctl.work(), { "b" => file("mine") });
    let before = Snapshot::of(linkctl.work());
    linkctl.output(["undo"]).exits(4).says("'[DIR]/b'").says("--partial undoes the rest");
    before.assert_unchanged();
    linkctl.output(["undo", "--partial", "--dry-run"]);
    before.assert_unchanged();
    linkctl.output(["undo", "--partial"]).exits(3);
    assert_eq!(names(linkctl.work()), ["b"]);
    assert_eq!(fs::read(linkctl.at("b")).unwrap(), b"mine");
}

#[test]
fn undo_goes_past_what_failed_to_what_was_done() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("") });
    linkctl.ok(["create", "done", "f"]);
    let args = ["create", "failed", "f"];
    let failed = linkctl.said(strace::inject("symlinkat:error=EIO", &linkctl.command(args)));
    assert_eq!(failed.code(), Some(3), "{failed}");
    assert_eq!(linkctl.newest(), "create failed: 0 done, 1 failed of 1");
    linkctl.ok(["undo"]);
    assert_eq!(names(linkctl.work()), ["f"]);
}

/// Whatever is no directory can have several names: links themselves, pipes, devices, sockets.
#[test]
fn names_of_links_pipes_and_sockets_are_seen_removed_and_brought_back_as_names() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "fifo" => fifo, "socket" => socket, "l" => symlink("gone"), "h/l" => symlink("x") });
    for (name, second) in [("fifo", "fifo2"), ("socket", "socket2"), ("l", "l2"), ("h/l", "h/l2")] {
        fs::hard_link(linkctl.at(name), linkctl.at(second)).unwrap();
        let names = |number: u64| {
            let (one, other) = (linkctl.at(name).symlink_metadata().unwrap(), linkctl.at(second).symlink_metadata());
            assert_eq!(
                (one.nlink(), other.is_ok_and(|other| other.ino() == one.ino())),
                (number, number == 2),
                "{name}"
            );
        };
        let groups = linkctl.ok(["list", "--hard", "."]).out;
        assert!(groups.contains(second), "{groups}");
        assert!(linkctl.ok(["show", second]).out.contains("2 of 2 names found"));
        linkctl.ok(["remove", "--kind", "hard", "--yes", second]);
        names(1);
        linkctl.output(["remove", "--kind", "hard", "--yes", name]).exits(4);
        linkctl.ok(["undo", "--yes"]);
        names(2);
    }
    // Removed as the links that they are, they come back as names of what is left.
    for args in [&["remove", "l2"][..], &["remove", "--recursive", "--yes", "h"]] {
        linkctl.ok(args);
        linkctl.ok(["undo", "--yes"]);
    }
    assert_eq!(linkctl.at("l2").symlink_metadata().unwrap().ino(), linkctl.at("l").symlink_metadata().unwrap().ino());
    assert_eq!(linkctl.at("l").symlink_metadata().unwrap().nlink(), 2);
    linkctl.ok(["create", "--kind", "hard", "fifo3", "fifo"]);
    assert_eq!(linkctl.at("fifo").symlink_metadata().unwrap().nlink(), 3);
}
