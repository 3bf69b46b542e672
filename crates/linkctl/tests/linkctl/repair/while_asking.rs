//! The plan is shown and a question asked: what changes meanwhile is seen before anything is done.

use std::io::{Read, Write as _};
use std::process::{Output, Stdio};

use super::*;

/// Runs it on a terminal, does something as soon as it asks, and answers yes.
#[track_caller]
fn asked(ground: &Ground, line: &str, meanwhile: impl FnOnce()) -> Ran {
    testkit::require!(tool "script");
    let line = format!("{} {line}", ground.linkctl.program().display());
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(ground.root()).env_remove("SUDO_USER");
    command.env("LINKCTL_STATE_DIR", ground.linkctl.state()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut answer, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !said.ends_with(b"[y/N] ") {
        let read = out.read_exact(&mut byte);
        assert!(read.is_ok(), "it does not ask: {}", String::from_utf8_lossy(&said));
        said.extend(byte);
    }
    meanwhile();
    answer.write_all(b"y\n").unwrap();
    out.read_to_end(&mut said).unwrap();
    let status = child.wait().unwrap();
    ground.linkctl.said(Output { status, stdout: said, stderr: Vec::new() })
}

#[track_caller]
fn assert_not_led_to_what_changed(change: impl FnOnce(&Ground)) {
    let ground = moved();
    let ran = asked(&ground, "repair links", || change(&ground));
    assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
    assert!(ran.out.contains("error"), "{ran}");
    ran.exits(4);
    assert_eq!(crate::common::leftovers(ground.at("links")), [""; 0]);
}

#[test]
fn a_link_whose_target_came_back_while_it_asked_stays() {
    assert_not_led_to_what_changed(|ground| rename(ground.at("far"), ground.at("data")));
}
