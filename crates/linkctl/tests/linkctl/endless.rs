//! Files that never end, or are larger than they say: of each, no more is read than its limit.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::common::{Linkctl, Ran};

/// Runs it where it has 200 MB of memory.
fn within(linkctl: &Linkctl, args: &[&str]) -> Ran {
    let run = linkctl.command([""; 0]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 200000; exec \"$0\" \"$@\""]).arg(linkctl.program()).args(args);
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    linkctl.said(command.current_dir(linkctl.work()).output().unwrap())
}

fn sparse(path: impl AsRef<std::path::Path>, begin: &[u8]) {
    fs::write(&path, begin).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(3 << 30).unwrap();
}

#[test]
fn a_map_file_without_an_end_is_refused() {
    let linkctl = Linkctl::new();
    within(&linkctl, &["repair", "--map-file", "/dev/zero", "."]).exits(2).says("longer than 64 MiB");
}

#[test]
fn a_queue_of_gigabytes_is_taken_in_piece_by_piece() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "first", "x"]);
    // A hole of 250 MiB is one line.
    let queue = linkctl.state().join("journal.queue");
    File::options().write(true).open(&queue).unwrap().set_len(250 << 20).unwrap();
    let ran = within(&linkctl, &["history"]);
    assert!(ran.out.contains("create"), "{ran}");
    assert!(ran.err.contains("could not be read; kept beside it"), "{ran}");
    assert!(queue.metadata().unwrap().len() < 1 << 20);
}

#[test]
fn files_of_gigabytes_in_a_stage_are_told_by_their_beginning() {
    let linkctl = Linkctl::new();
    for (name, file, begin) in [
        (".linkctl-0123456789abcdef", "intent", &b"{\"form\":2"[..]),
        (".linkctl-0123456789abcdee", "copied", b"{\"copy\":{\"sort\":"),
        (".linkctl-0123456789abcded", "intent.new", b"{\"form\":"),
    ] {
        fs::create_dir(linkctl.at(name)).unwrap();
        fs::set_permissions(linkctl.at(name), fs::Permissions::from_mode(0o700)).unwrap();
        sparse(linkctl.at(name).join(file), begin);
    }
    // Read whole, they would not fit, and nothing would be found.
    let ran = within(&linkctl, &["recover", "--dry-run", "."]).exits(0);
    assert!(ran.out.contains("abcded") && ran.out.contains("abcdee") && !ran.out.contains("abcdef"), "{ran}");
}
