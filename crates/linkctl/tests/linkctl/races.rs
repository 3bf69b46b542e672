//! Held between two calls while another changes what is there: nothing of the other's is lost or changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::process::{Child, Stdio};

use crate::common::{Linkctl, NOBODY, Ran, leftovers, names};
use testkit::{Fs, Snapshot, Volume, tree};

/// So long a run is held, in microseconds.
const WHILE: &str = "1500000";

/// Where no exchange is possible, it is the other one.
const RENAME: &str = "renameat2,renameat";

fn before(call: &str, when: u32) -> String {
    format!("{call}:delay_enter={WHILE}:when={when}")
}

fn after(call: &str, when: u32) -> String {
    format!("{call}:delay_exit={WHILE}:when={when}")
}

/// The file `precious`, which another puts onto the name that is worked on.
struct Precious {
    number: u64,
}

impl Precious {
    fn new(linkctl: &Linkctl) -> Precious {
        tree!(linkctl.work(), { "precious" => file("all there is") });
        Precious { number: fs::metadata(linkctl.at("precious")).unwrap().ino() }
    }

    fn put_onto(&self, linkctl: &Linkctl, name: &str) {
        fs::rename(linkctl.at("precious"), linkctl.at(name)).unwrap();
    }

    /// It has this name, is the same file, and root's.
    #[track_caller]
    fn is_safe_at(&self, linkctl: &Linkctl, name: &str, ran: &Ran) {
        let found = fs::symlink_metadata(linkctl.at(name)).unwrap_or_else(|e| panic!("{name}: {e}\n{ran}"));
        assert_eq!((found.ino(), found.uid(), found.gid()), (self.number, 0, 0), "{ran}");
        assert_eq!(fs::read(linkctl.at(name)).unwrap(), b"all there is", "{ran}");
        assert_eq!(leftovers(linkctl.work()), [""; 0], "{ran}");
    }
}

#[test]
fn a_file_that_takes_the_name_before_a_hard_link_keeps_it() {
    let linkctl = Linkctl::new();
    let precious = Precious::new(&linkctl);
    tree!(linkctl.work(), { "a" => file("a") });
    let hold = linkctl.hold(&before("linkat", 1), ["create", "--kind", "hard", "b", "a"]);
    precious.put_onto(&linkctl, "b");
    let ran = hold.end(&linkctl).exits(4);
    precious.is_safe_at(&linkctl, "b", &ran);
    assert_eq!(linkctl.newest(), "create failed: 0 done, 1 failed of 1");
    linkctl.output(["undo"]);
    precious.is_safe_at(&linkctl, "b", &ran);
}

#[test]
fn a_file_that_takes_the_name_of_a_new_hard_link_is_not_taken_back() {
    let linkctl = Linkctl::new();
    let precious = Precious::new(&linkctl);
    tree!(linkctl.work(), { "a" => file("a") });
    let hold = linkctl.hold(&after("linkat", 1), ["create", "--kind", "hard", "b", "a"]);
    assert!(linkctl.exists("b"), "it is held too early");
    precious.put_onto(&linkctl, "b");
    let ran = hold.end(&linkctl);
    precious.is_safe_at(&linkctl, "b", &ran);
    let ran = ran.exits(3).says("something else has its name already");
    linkctl.output(["undo"]);
    precious.is_safe_at(&linkctl, "b", &ran);
    assert_eq!(fs::read(linkctl.at("a")).unwrap(), b"a");
}

#[test]
fn a_file_that_takes_the_name_of_a_new_symlink_is_not_taken_back() {
    let linkctl = Linkctl::new();
    let precious = Precious::new(&linkctl);
    let hold = linkctl.hold(&after("symlinkat", 1), ["create", "l", "t"]);
    assert!(linkctl.exists("l"), "it is held too early");
    precious.put_onto(&linkctl, "l");
    let ran = hold.end(&linkctl).exits(3);
    precious.is_safe_at(&linkctl, "l", &ran);
    linkctl.output(["undo"]);
    precious.is_safe_at(&linkctl, "l", &ran);
}

#[test]
fn a_target_that_is_exchanged_before_the_hard_link_is_not_linked() {
    let linkctl = Linkctl::new();
    let precious = Precious::new(&linkctl);
    tree!(linkctl.work(), { "a" => file("a"), "secret" => file("not for b") });
    let seen = fs::metadata(linkctl.at("a")).unwrap().ino();
    let hold = linkctl.hold(&before("linkat", 1), ["create", "--kind", "hard", "b", "a"]);
    fs::rename(linkctl.at("a"), linkctl.at("a-before")).unwrap();
    fs::rename(linkctl.at("secret"), linkctl.at("a")).unwrap();
    let ran = hold.end(&linkctl);
    let made = fs::symlink_metadata(linkctl.at("b"));
    assert!(made.as_ref().is_ok_and(|made| made.ino() == seen) || made.is_err(), "{ran}");
    assert_eq!(fs::metadata(linkctl.at("a")).unwrap().nlink(), 1, "{ran}");
    precious.is_safe_at(&linkctl, "precious", &ran);
}

/// A tree with links, and links that are none of its business in `out`.
fn tree_and_out(linkctl: &Linkctl) -> Snapshot {
    tree!(linkctl.work(), {
        "tree/d/l" => symlink("t"), "tree/d/sub/m" => symlink("t"), "tree/k" => symlink("t"),
        "out/l" => symlink("t"), "out/sub/m" => symlink("t"), "out/canary" => file("alive"),
    });
    Snapshot::of(linkctl.at("out"))
}

#[test]
fn a_directory_that_becomes_a_link_during_a_recursive_removal_leads_nowhere() {
    // When the root is about to be read, when it has been read, and when the removal begins.
    for (at, call, when) in [("read", "getdents64", 1), ("seen", "getdents64", 1), ("remove", "renameat2", 1)] {
        let linkctl = Linkctl::new();
        let out = tree_and_out(&linkctl);
        let inject = if at == "seen" { after(call, when) } else { before(call, when) };
        let hold = linkctl.hold(&inject, ["remove", "--recursive", "--yes", "tree"]);
        assert!(linkctl.exists("tree/d/l"), "{at}: held too late");
        fs::rename(linkctl.at("tree/d"), linkctl.at("moved")).unwrap();
        symlink("../out", linkctl.at("tree/d")).unwrap();
        let ran = hold.end(&linkctl);
        let differences = out.differences();
        assert_eq!(differences, "", "{at}: {ran}");
        assert_eq!(leftovers(linkctl.at("tree")), [""; 0], "{at}: {ran}");
    }
}

#[test]
fn a_link_swapped_in_during_a_recursive_removal_is_not_removed() {
    // Once it has been seen (the first is for the directory's own path), when the plan is put in order, and when the removal
    // begins.
    for inject in [after("readlinkat", 2), before("readlinkat", 3), before("renameat2", 1)] {
        let linkctl = Linkctl::new();
        tree!(linkctl.work(), { "tree/l" => symlink("t"), "other" => symlink("elsewhere") });
        let other = fs::symlink_metadata(linkctl.at("other")).unwrap().ino();
        let hold = linkctl.hold(&inject, ["remove", "--recursive", "--yes", "tree"]);
        fs::rename(linkctl.at("other"), linkctl.at("tree/l")).unwrap();
        let ran = hold.end(&linkctl);
        assert!(matches!(ran.code(), Some(3 | 4)), "{inject}: {ran}");
        let left = fs::symlink_metadata(linkctl.at("tree/l")).unwrap_or_else(|e| panic!("{inject}: {e}\n{ran}"));
        assert_eq!(left.ino(), other, "{inject}: {ran}");
        assert_eq!(linkctl.target("tree/l"), b"elsewhere", "{inject}: {ran}");
        assert_eq!(names(linkctl.at("tree")), ["l"], "{inject}: {ran}");
    }
}

const REMOVE: [&str; 3] = ["remove", "--kind", "hard"];

#[test]
fn of_two_that_remove_the_last_two_names_one_is_refused() {
    for inject in [before("unlinkat", 1), before("renameat2", 1), after("renameat2", 1)] {
        let linkctl = Linkctl::new();
        tree!(linkctl.work(), { "a" => file("data"), "b" => hard("a") });
        let hold = linkctl.hold(&inject, REMOVE.into_iter().chain(["a"]));
        let second = linkctl.output(REMOVE.into_iter().chain(["b"]));
        let first = hold.end(&linkctl);
        one_name_is_left(&linkctl, &["a", "b"], &[first, second], &inject);
    }
}

#[test]
fn of_two_that_remove_the_last_two_names_at_once_one_is_refused() {
    let linkctl = Linkctl::new();
    for round in 0..50 {
        let pair = [format!("a{round}"), format!("b{round}")];
        tree!(linkctl.work(), { pair[0] => file("data"), pair[1] => hard(&pair[0]) });
        let spawn = |name: &String| -> Child {
            let mut command = linkctl.command(REMOVE.into_iter().chain([name.as_str()]));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let both = [spawn(&pair[0]), spawn(&pair[1])];
        let both = both.map(|child| linkctl.said(child.wait_with_output().unwrap()));
        one_name_is_left(&linkctl, &[&pair[0], &pair[1]], &both, &format!("round {round}"));
    }
}

#[track_caller]
fn one_name_is_left(linkctl: &Linkctl, pair: &[&str; 2], both: &[Ran; 2], case: &str) {
    let case = format!("{case}: {}\n{}", both[0], both[1]);
    let left: Vec<_> = pair.iter().filter(|name| linkctl.exists(name)).collect();
    assert!(!left.is_empty(), "the data is gone: {case}");
    assert_eq!(fs::read(linkctl.at(left[0])).unwrap(), b"data", "{case}");
    assert!(both.iter().any(|ran| ran.code() != Some(0)), "{case}");
    // What was told to be removed is, and nothing else.
    for (name, ran) in pair.iter().zip(both) {
        assert_eq!(linkctl.exists(name), ran.code() != Some(0), "{name}: {case}");
    }
    assert_eq!(leftovers(linkctl.work()), [""; 0], "{case}");
}

#[test]
fn what_takes_the_name_of_a_link_brought_back_is_not_given_away() {
    for inject in [before("fchownat", 1), after("fchownat", 1), after("symlinkat", 1)] {
        let linkctl = Linkctl::new();
        let precious = Precious::new(&linkctl);
        tree!(linkctl.work(), { "l" => symlink("t") });
        lchown(linkctl.at("l"), Some(NOBODY), Some(NOBODY)).unwrap();
        chown(linkctl.work(), Some(NOBODY), Some(NOBODY)).unwrap();
        let time = fs::metadata(linkctl.at("precious")).unwrap().modified().unwrap();
        linkctl.ok(["remove", "l"]);
        let hold = linkctl.hold(&inject, ["undo"]);
        assert!(linkctl.exists("l"), "{inject}: held too early");
        precious.put_onto(&linkctl, "l");
        let ran = hold.end(&linkctl);
        precious.is_safe_at(&linkctl, "l", &ran);
        assert_eq!(fs::metadata(linkctl.at("l")).unwrap().modified().unwrap(), time, "{inject}: {ran}");
    }
}

#[test]
fn a_file_that_takes_the_place_of_a_link_to_be_replaced_keeps_it() {
    let volume = Volume::new(Fs::Ext4, 0);
    for inject in [before(RENAME, 1), after("symlinkat", 1)] {
        let linkctl = Linkctl::on(volume.path());
        let precious = Precious::new(&linkctl);
        tree!(linkctl.work(), { "l" => symlink("old") });
        let hold = linkctl.hold(&inject, ["create", "--replace", "l", "new"]);
        assert_eq!(leftovers(linkctl.work()).len(), 1, "{inject}: held too early or too late");
        precious.put_onto(&linkctl, "l");
        let ran = hold.end(&linkctl);
        assert!(matches!(ran.code(), Some(3 | 4)), "{inject}: {ran}");
        precious.is_safe_at(&linkctl, "l", &ran);
        assert_eq!(linkctl.newest(), "create failed: 0 done, 1 failed of 1", "{inject}");
        linkctl.output(["undo"]);
        precious.is_safe_at(&linkctl, "l", &ran);
        fs::remove_file(linkctl.at("l")).unwrap();
    }
}

#[test]
fn a_file_that_takes_the_place_of_a_replaced_link_is_not_removed() {
    let linkctl = Linkctl::new();
    let precious = Precious::new(&linkctl);
    tree!(linkctl.work(), { "l" => symlink("old") });
    let hold = linkctl.hold(&after(RENAME, 1), ["create", "--replace", "l", "new"]);
    assert_eq!(linkctl.target("l"), b"new", "held too early");
    precious.put_onto(&linkctl, "l");
    let ran = hold.end(&linkctl);
    assert_ne!(ran.code(), Some(0), "{ran}");
    precious.is_safe_at(&linkctl, "l", &ran);
}
