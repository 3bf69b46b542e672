//! What reviews found and no other file has a place for.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod common;

use common::*;
use testkit::{Snapshot, strace, tree};

#[test]
fn the_last_names_of_a_file_are_not_removed_together() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a" => file("data"), "b" => hard("a"), "c" => hard("a") });
    let before = Snapshot::of(linkctl.work());
    linkctl.output(["remove", "--kind", "hard", "a", "b", "c"]).exits(4).says("last name");
    before.assert_unchanged();
    linkctl.ok(["remove", "--kind", "hard", "a", "b"]);
    assert_eq!(names(linkctl.work()), ["c"]);
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

#[test]
fn dot_dot_behind_a_directory_that_is_not_there_makes_nothing() {
    let linkctl = Linkctl::new();
    linkctl.output(["create", "--parents", "x/../y/l", "t"]).exits(4).says("'..'");
    assert!(names(linkctl.work()).is_empty());
}

#[test]
fn a_target_in_a_loop_is_not_called_missing() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a" => symlink("b"), "b" => symlink("a") });
    let ran = linkctl.ok(["create", "l", "a"]);
    assert!(ran.err.contains("loop") && !ran.err.contains("--relative"), "{ran}");
}

#[test]
fn broken_narrows_the_states_asked_for() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file(""), "ok" => symlink("f"), "gone" => symlink("x"), "ring" => symlink("ring") });
    let ran = linkctl.ok(["list", "--broken", "--state", "ok", "--state", "missing", "--format", "paths"]);
    assert_eq!(ran.out, "gone\n");
    linkctl.output(["list", "--broken", "--state", "ok"]).exits(2);
}

#[test]
fn a_replaced_link_that_could_not_be_removed_is_put_back_by_undo() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("old") });
    // The old link cannot be removed under its private name, nor put back: two faults at once.
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "trace=unlinkat,renameat2"]);
    command.args(["-e", "inject=unlinkat:error=EIO", "-e", "inject=renameat2:error=EIO:when=2"]);
    let replace = linkctl.command(["create", "--replace", "l", "new"]);
    command.arg(replace.get_program()).args(replace.get_args()).current_dir(linkctl.work());
    for (name, value) in replace.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let ran = linkctl.said(command.output().unwrap());
    assert_eq!(ran.code(), Some(3), "{ran}");
    assert!(ran.err.contains("the link is now at"), "{ran}");
    linkctl.ok(["undo"]);
    assert_eq!(names(linkctl.work()), ["l"]);
    assert_eq!(linkctl.target("l"), b"old");
}
