//! Killed and interrupted: every link whole, a journal that tells the truth, and an undo that takes all back.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use crate::common::{Linkctl, names, send_signal, wait_until};
use testkit::{strace, tree};

/// Starts the creation of ten thousand links, and gives the signal once so many are there.
fn ten_thousand(linkctl: &Linkctl, signal: &str, at: usize) -> std::process::Output {
    fs::create_dir(linkctl.at("many")).unwrap();
    let targets = (0..10_000).map(|n| format!("target/{n:05}"));
    let mut command = linkctl.command(["create", "--into", "many"].map(String::from).into_iter().chain(targets));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("links are made", || fs::read_dir(linkctl.at("many")).unwrap().take(at).count() == at);
    send_signal(signal, child.id());
    child.wait_with_output().unwrap()
}

#[test]
fn killed_among_ten_thousand_every_link_is_whole_and_history_true() {
    for at in [1, 3000, 9000] {
        let killed = || {
            let linkctl = Linkctl::new();
            let ended = ten_thousand(&linkctl, "KILL", at).status;
            let made = names(linkctl.at("many"));
            // On a busy machine the signal may come after the end: that proves nothing, and is tried again.
            (ended.signal() == Some(9) && made.len() < 10_000).then_some((linkctl, made))
        };
        let (linkctl, made) = (0..10).find_map(|_| killed()).expect("it is killed before its end");
        assert!(made.len() >= at, "{}", made.len());
        for name in &made {
            assert_eq!(linkctl.target(format!("many/{name}")), format!("target/{name}").as_bytes());
        }
        let newest = linkctl.newest();
        assert_eq!(newest, format!("create interrupted: {} done, 0 failed of 10000", made.len()));
        linkctl.ok(["undo"]);
        assert!(names(linkctl.at("many")).is_empty());
        assert_eq!(names(linkctl.work()), ["many"]);
    }
}

#[test]
fn interrupted_among_ten_thousand_it_says_so_and_stops_at_a_safe_point() {
    let linkctl = Linkctl::new();
    let ran = linkctl.said(ten_thousand(&linkctl, "INT", 1000)).exits(130);
    let made = names(linkctl.at("many")).len();
    let ran = ran.says("warning: stopping after this step").says(&format!("stopped after {made} of 10000 changes"));
    assert!(made < 10_000 && ran.err.contains("linkctl undo 1"), "{ran}");
    assert_eq!(linkctl.newest(), format!("create stopped: {made} done, 0 failed of 10000"));
    linkctl.ok(["undo"]);
    assert!(names(linkctl.at("many")).is_empty());
}

/// Kills a command before every call that changes a directory, and looks each time.
fn sweep(args: &[&str], new: Option<&[u8]>) {
    let mut killed = Vec::new();
    // strace counts each call by itself.
    for call in ["symlinkat", "linkat", "renameat2", "renameat", "rename", "unlinkat"] {
        for when in 1.. {
            let linkctl = Linkctl::new();
            tree!(linkctl.work(), { "l" => symlink("old") });
            let inject = format!("{call}:signal=SIGKILL:when={when}");
            let ended = strace::inject(&inject, &linkctl.command(args));
            if ended.status.signal() != Some(9) {
                assert_eq!(ended.status.code(), Some(0));
                break;
            }
            killed.push(inject.clone());
            let here = names(linkctl.work());
            let is_whole = |name: &String| {
                let target = linkctl.target(name);
                target == b"old" || Some(target.as_slice()) == new
            };
            assert!(!here.is_empty() && here.iter().all(is_whole), "{inject}: {here:?}");
            let undo = linkctl.output(["undo"]);
            assert_eq!(undo.code(), Some(0), "{inject}: {undo}");
            assert_eq!(names(linkctl.work()), ["l"], "{inject}: {undo}");
            assert_eq!(linkctl.target("l"), b"old", "{inject}: {undo}");
        }
    }
    assert!(killed.len() >= 2, "killed at {killed:?} alone");
}

#[test]
fn killed_at_any_call_of_remove_the_link_is_whole_and_undo_brings_it_back() {
    sweep(&["remove", "l"], None);
}

#[test]
fn killed_at_any_call_of_replace_the_link_is_whole_and_undo_brings_it_back() {
    sweep(&["create", "--replace", "l", "new"], Some(b"new"));
}

#[test]
fn killed_at_any_call_of_the_removal_of_a_name_the_file_keeps_it_or_undo_brings_it_back() {
    for call in ["renameat2", "unlinkat"] {
        let linkctl = Linkctl::new();
        tree!(linkctl.work(), { "sub/f" => file("data"), "h" => hard("sub/f") });
        let inject = format!("{call}:signal=SIGKILL:when=1");
        let command = linkctl.command(["remove", "--kind", "hard", "h"]);
        assert_eq!(strace::inject(&inject, &command).status.signal(), Some(9));
        linkctl.ok(["undo"]);
        assert_eq!(names(linkctl.work()), ["h", "sub"], "{inject}");
        assert_eq!(fs::metadata(linkctl.at("h")).unwrap().nlink(), 2, "{inject}");
    }
}

#[test]
fn an_undo_that_was_killed_itself_is_finished_by_another() {
    for call in ["symlinkat", "renameat,renameat2,rename", "unlinkat"] {
        for verb in [&["create", "--replace", "l", "new"] as &[&str], &["remove", "l"], &["create", "n", "new"]] {
            let linkctl = Linkctl::new();
            tree!(linkctl.work(), { "l" => symlink("old") });
            linkctl.ok(verb);
            let killed = strace::inject(&format!("{call}:signal=SIGKILL:when=1"), &linkctl.command(["undo"]));
            if killed.status.signal() != Some(9) {
                continue;
            }
            let undo = linkctl.output(["undo"]);
            let case = format!("{verb:?} {call}: {undo}");
            assert_eq!(undo.code(), Some(0), "{case}");
            assert_eq!(names(linkctl.work()), ["l"], "{case}");
            assert_eq!(linkctl.target("l"), b"old", "{case}");
        }
    }
}
