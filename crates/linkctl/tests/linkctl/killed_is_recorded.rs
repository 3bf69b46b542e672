//! A change that was killed anywhere is in the history with what came of it, and `undo` takes it back, whether it was
//! recorded in the database or in its queue.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use crate::common::sample::Dice;
use crate::common::{Linkctl, find, leftovers, names};
use crate::relocate::kills::{counts, points};
use testkit::{strace, tree};

/// Calls that change something, or write what is recorded of it.
const CALLS: &str = "write,pwrite64,symlinkat,linkat,renameat,renameat2,unlinkat,unlink,mkdirat,utimensat,fchownat,ftruncate,\
    fsync,fdatasync,flock";

/// As many of the calls of a command are tried in a run that does not try all.
const SAMPLE: usize = 40;

/// A command, and how many of its changes are whole on the disk.
struct Case {
    args: &'static [&'static str],
    planned: usize,
    whole: fn(&Linkctl) -> usize,
    /// Whether it is recorded in the queue.
    queued: bool,
}

const CASES: [Case; 6] = [
    Case {
        args: &["create", "new", "file"],
        planned: 1,
        whole: |linkctl| usize::from(linkctl.exists("new")),
        queued: true,
    },
    Case {
        args: &["create", "--kind", "hard", "new", "file"],
        planned: 1,
        whole: |linkctl| usize::from(linkctl.exists("new")),
        queued: true,
    },
    Case {
        args: &["create", "--into", "many", "to/a", "to/b", "to/c", "to/d"],
        planned: 4,
        whole: |linkctl| names(linkctl.at("many")).len(),
        queued: true,
    },
    Case {
        args: &["create", "--replace", "old", "second"],
        planned: 1,
        whole: |linkctl| usize::from(linkctl.target("old") == b"second" && is_clean(linkctl, "")),
        queued: true,
    },
    Case {
        args: &["remove", "old"],
        planned: 1,
        whole: |linkctl| usize::from(!linkctl.exists("old") && is_clean(linkctl, "")),
        queued: true,
    },
    Case {
        args: &["repair", "broken", "--search", "found", "--min-confidence", "weak", "--yes"],
        planned: 2,
        whole: |linkctl| {
            let is_mended = |link: &&str| linkctl.target(format!("broken/{link}")).starts_with(b"../found");
            let mended = ["one", "two"].iter().filter(|link| is_mended(link)).count();
            // One is not over while the old link still lies beside the new one.
            let left = leftovers(linkctl.at("broken")).into_iter();
            let is_old = |name: &String| linkctl.target(format!("broken/{name}")).starts_with(b"gone");
            mended - left.filter(is_old).count()
        },
        queued: false,
    },
];

fn is_clean(linkctl: &Linkctl, directory: &str) -> bool {
    leftovers(linkctl.at(directory)).is_empty()
}

fn scene() -> Linkctl {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "file" => file("one"), "second" => file("two"), "old" => symlink("file"), "many" => dir,
        "broken/one" => symlink("gone/first-name"), "broken/two" => symlink("gone/second-name"),
        "found/first-name" => file("three"), "found/second-name" => file("four"),
    });
    linkctl
}

/// All names, and what links say.
fn portrait(linkctl: &Linkctl) -> (Vec<PathBuf>, BTreeMap<Vec<u8>, Vec<u8>>) {
    let (mut all, mut todo) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(directory) = todo.pop() {
        for name in names(linkctl.at(&directory)) {
            let path = directory.join(name);
            if fs::symlink_metadata(linkctl.at(&path)).unwrap().is_dir() {
                todo.push(path.clone());
            }
            all.push(path);
        }
    }
    let links = find(linkctl.work()).into_iter();
    let root = linkctl.work().as_os_str().len();
    (all, links.map(|(path, target)| (path[root..].to_vec(), target)).collect())
}

/// What has to be so after a kill.
#[track_caller]
fn assert_recorded(linkctl: &Linkctl, case: &Case, what: &str) -> bool {
    let original = portrait(&scene());
    let before = portrait(linkctl);
    let whole = (case.whole)(linkctl);
    let is_in_queue = fs::metadata(linkctl.state().join("journal.queue")).is_ok_and(|queue| queue.len() > 0);
    if case.queued {
        assert!(!linkctl.database().exists(), "{what}: the database was opened");
    }
    let Some(newest) = linkctl.history().into_iter().next() else {
        assert_eq!(before, original, "{what}: changed, and not recorded");
        return false;
    };
    assert_eq!(is_in_queue, case.queued, "{what}");
    let field = |name: &str| newest[name].to_string().replace('"', "");
    assert_eq!(field("verb"), case.args[0], "{what}");
    assert_eq!(field("done"), whole.to_string(), "{what}: {newest}");
    assert_eq!(field("failed"), "0", "{what}: {newest}");
    assert_eq!(field("planned"), case.planned.to_string(), "{what}: {newest}");
    // Killed behind its last record, it is done.
    let is_over = field("state") == "done" && whole == case.planned;
    assert!(is_over || field("state") == "interrupted", "{what}: {newest}");
    let undo = linkctl.output(["undo", "1", "--yes"]);
    assert_eq!(undo.code(), Some(0), "{what}: {undo}");
    assert_eq!(portrait(linkctl), original, "{what}: {undo}");
    assert_eq!(linkctl.newest().split(' ').next(), Some("undo"), "{what}");
    true
}

#[test]
fn killed_at_any_call_a_change_is_in_the_history_and_undone() {
    let mut dice = Dice::new(23);
    for case in &CASES {
        let all = points(&counts(&scene().command(case.args), CALLS));
        let mut recorded = 0;
        let chosen = dice.some(all, SAMPLE);
        for (call, number) in &chosen {
            let linkctl = scene();
            let what = format!("{:?} {call} {number}", case.args);
            let inject = format!("{call}:signal=SIGKILL:when={number}");
            let ended = strace::inject(&inject, &linkctl.command(case.args));
            if ended.status.signal() != Some(9) {
                // How often it waits for a lock differs from run to run.
                assert_eq!(ended.status.code(), Some(0), "{what}: {}", linkctl.said(ended));
                continue;
            }
            recorded += usize::from(assert_recorded(&linkctl, case, &what));
        }
        assert!(recorded >= 2, "{:?}: recorded at {recorded} of {chosen:?}", case.args);
    }
}

#[test]
fn ended_after_any_step_a_change_is_in_the_history_and_undone() {
    for case in &CASES {
        for step in 1..=case.planned {
            let linkctl = scene();
            let mut command = linkctl.command(case.args);
            let ended = command.env("LINKCTL_CRASH_AFTER_STEP", step.to_string()).output().unwrap();
            let what = format!("{:?}, after step {step}", case.args);
            assert_eq!(ended.status.signal(), Some(6), "{what}: {}", linkctl.said(ended));
            assert_eq!((case.whole)(&linkctl), step, "{what}");
            assert!(assert_recorded(&linkctl, case, &what), "{what}: not in the history");
        }
    }
}
