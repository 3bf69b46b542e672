//! What happens to Windows links on NTFS when calls fail, the program is killed, the disk is full or read-only.

use std::fs;
use std::process::Stdio;

use crate::common::ntfs::*;
use serde_json::{Value, json};
use testkit::ntfs::{get_reparse, ntfs_attrib};
use testkit::strace::{inject, trace};
use testkit::{Fs, Snapshot, Volume, tree};

const MAKE: [&str; 5] = ["create", "--kind", "junction", "j", r"C:\t"];
const REPLACE: [&str; 6] = ["create", "--kind", "junction", "--replace", "j", r"C:\u"];

impl Bench {
    fn with_fault(&self, spec: &str, args: &[&str]) -> Ran {
        Ran::of(inject(spec, &self.command(args)))
    }

    fn targets() -> Bench {
        let bench = Bench::ntfs();
        tree!(bench.root(), { "t/f" => file("text"), "u/f" => file("other") });
        bench
    }

    /// The newest operation: its state, and how many steps were done of how many.
    #[track_caller]
    fn newest(&self) -> (Value, Value, Value) {
        let newest = &self.history()[0];
        (newest["state"].clone(), newest["done"].clone(), newest["planned"].clone())
    }
}

const TARGETS: [&str; 4] = ["t", "t/f", "u", "u/f"];
const ALL: [&str; 5] = ["j", "t", "t/f", "u", "u/f"];

// ---------------------------------------------------------------------------------------------- calls that fail

#[test]
fn a_reparse_point_that_cannot_be_set_leaves_nothing() {
    let bench = Bench::targets();
    cannot_set(&bench, &[("ENOSPC", "space"), ("EIO", "input/output"), ("EPERM", "permitted"), ("EINVAL", "invalid")]);
    // Nothing of it stands in the way of the next.
    bench.ok(MAKE);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")));
}

// Tried and failed is 3; refused (4) would mean that nothing was tried.
#[test]
fn a_reparse_point_that_the_driver_does_not_support_after_all_leaves_nothing() {
    cannot_set(&Bench::targets(), &[("EOPNOTSUPP", "supported")]);
}

#[track_caller]
fn cannot_set(bench: &Bench, cases: &[(&str, &str)]) {
    for (errno, words) in cases {
        for args in [&MAKE[..], &["create", "j", r"C:\t\f"], &["create", "--dir", "j", r"\\s\h"]] {
            let ran = bench.with_fault(&format!("lsetxattr:error={errno}"), args);
            assert_eq!(ran.code, Some(3), "{errno} {args:?}: {ran:?}");
            assert!(ran.err.to_lowercase().contains(words) && ran.err.contains("'j'"), "{ran:?}");
            assert_eq!(bench.names(), TARGETS, "{errno}");
            assert_eq!(bench.history()[0]["done"], 0);
            assert_eq!(bench.history()[0]["failed"], 1);
        }
    }
}

#[test]
fn a_replacement_that_cannot_be_made_leaves_the_old_link() {
    let bench = Bench::targets();
    dir_point(bench.at("j"), &junction(r"C:\t"));
    let faults = [
        "lsetxattr:error=ENOSPC",
        "mkdirat:error=EIO",
        "rename,renameat,renameat2:error=EIO",
        "rename,renameat,renameat2:error=ENOSPC",
    ];
    for fault in faults {
        let ran = bench.with_fault(fault, &REPLACE);
        assert_eq!(ran.code, Some(3), "{fault}: {ran:?}");
        assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")), "{fault}");
        assert_eq!(bench.names(), ALL, "{fault}");
    }
    bench.ok(REPLACE);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\u")));
}

#[test]
fn a_link_that_cannot_be_read_back_is_not_left_behind_for_good() {
    let bench = Bench::targets();
    // Counted on a run without a fault: how many reads come before the write, and how many behind it.
    let calls = trace("lsetxattr,lgetxattr", &bench.command(MAKE));
    let calls: Vec<_> = calls.iter().filter(|line| line.contains("xattr(")).collect();
    let written = calls.iter().position(|line| line.contains("lsetxattr(")).unwrap();
    bench.ok(["remove", "j"]);
    assert!(calls.len() - written > 2, "nothing is read back: {calls:#?}");
    let mut failed = 0;
    for first in written + 1..calls.len() {
        // From this one on, none works any more.
        let ran = bench.with_fault(&format!("lgetxattr:error=EIO:when={first}+"), &MAKE);
        // Behind its check, a link is read for the record of what it leads to, which it may lack.
        if ran.code == Some(0) {
            assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")), "call {first}: {ran:?}");
            bench.ok(["remove", "j"]);
            continue;
        }
        failed += 1;
        assert_eq!(ran.code, Some(3), "call {first}: {ran:?}");
        // It is gone; or, where even that cannot be known, this is said, and undo takes it away.
        if bench.at("j").symlink_metadata().is_ok() {
            assert!(ran.err.contains("left as it is"), "call {first}: {ran:?}");
            let undone = bench.run(["undo"]);
            // Journaled as failed, undo would take the link for another's and leave it.
            assert_eq!(bench.names(), TARGETS, "call {first} of {}: {ran:?} {undone:?}", calls.len() - 1);
        }
    }
    assert!(failed >= 2, "only {failed} reads were needed: {calls:#?}");
}

#[test]
fn a_first_look_that_fails_is_absorbed() {
    let bench = Bench::targets();
    let calls = trace("lsetxattr,lgetxattr", &bench.command(MAKE));
    let calls: Vec<_> = calls.iter().filter(|line| line.contains("xattr(")).collect();
    let written = calls.iter().position(|line| line.contains("lsetxattr(")).unwrap();
    bench.ok(["remove", "j"]);
    // The first read behind the write fails once.
    let ran = bench.with_fault(&format!("lgetxattr:error=EIO:when={}", written + 1), &MAKE);
    ran.exits(0);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")));
}

#[test]
fn a_link_that_cannot_be_removed_stays_under_its_name() {
    let bench = Bench::targets();
    dir_point(bench.at("j"), &junction(r"C:\t"));
    for fault in ["unlinkat:error=EIO", "unlinkat:error=EROFS", "rename,renameat,renameat2:error=EIO"] {
        let ran = bench.with_fault(fault, &["remove", "j"]);
        assert_eq!(ran.code, Some(3), "{fault}: {ran:?}");
        assert_eq!(bench.names(), ALL, "{fault}");
        assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")), "{fault}");
    }
}

// --------------------------------------------------------------------------------------------------------- killed

#[test]
fn killed_before_the_data_is_set_leaves_a_stub_that_undo_removes() {
    let cases: [(&[&str], bool); 3] =
        [(&MAKE, true), (&["create", "j", r"C:\t\f"], false), (&["create", "--dir", "j", r"\\s\h"], true)];
    for (args, directory) in cases {
        let bench = Bench::targets();
        let canary = Snapshot::of(bench.at("t"));
        let ran = bench.with_fault("lsetxattr:signal=SIGKILL", args);
        assert_eq!(ran.signal, Some(9), "{ran:?}");
        assert_eq!(bench.names(), ALL);
        let meta = bench.at("j").symlink_metadata().unwrap();
        assert_eq!((meta.is_dir(), meta.is_file()), (directory, !directory), "an empty stub");
        assert_eq!(get_reparse(bench.at("j")), None);
        assert_eq!(bench.newest(), (json!("interrupted"), json!(0), json!(1)));
        let steps = bench.ok(["history", "--json", "1"]).json()["operations"][0]["steps"].clone();
        assert_eq!(steps[0]["result"], "half-done");
        // The name is taken, and that is said, not half used.
        bench.run(args).exits(4).says(&["has this name"]);
        bench.ok(["undo"]);
        assert_eq!(bench.names(), TARGETS);
        bench.ok(args);
        assert!(get_reparse(bench.at("j")).is_some());
        canary.assert_unchanged();
    }
}

#[test]
fn killed_behind_the_data_leaves_a_whole_link_that_undo_removes() {
    let bench = Bench::targets();
    // The first read behind the write.
    let calls = trace("lsetxattr,lgetxattr", &bench.command(MAKE));
    let calls: Vec<_> = calls.iter().filter(|line| line.contains("xattr(")).collect();
    let written = calls.iter().position(|line| line.contains("lsetxattr(")).unwrap();
    bench.ok(["undo"]);
    let ran = bench.with_fault(&format!("lgetxattr:signal=SIGKILL:when={}", written + 1), &MAKE);
    assert_eq!(ran.signal, Some(9), "{ran:?}");
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")));
    assert_eq!(bench.newest(), (json!("interrupted"), json!(1), json!(1)));
    bench.ok(["undo"]);
    assert_eq!(bench.names(), TARGETS);
}

#[test]
fn what_was_put_into_a_stub_since_is_not_undone() {
    let bench = Bench::targets();
    bench.with_fault("lsetxattr:signal=SIGKILL", &MAKE);
    fs::write(bench.at("j/mine"), "precious").unwrap();
    let ran = bench.run(["undo"]);
    assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
    assert_eq!(fs::read(bench.at("j/mine")).unwrap(), b"precious");
    // The same for a file.
    let bench = Bench::targets();
    bench.with_fault("lsetxattr:signal=SIGKILL", &["create", "j", r"C:\t\f"]);
    fs::write(bench.at("j"), "precious").unwrap();
    bench.run(["undo"]);
    assert_eq!(fs::read(bench.at("j")).unwrap(), b"precious");
}

#[test]
fn killed_in_the_middle_of_several_leaves_whole_links_and_true_counts() {
    let bench = Bench::targets();
    tree!(bench.root(), { "v/f" => file("v"), "in" => dir });
    let args = ["create", "--kind", "junction", "--into", "in", "t", "u", "v"];
    let ran = bench.with_fault("lsetxattr:signal=SIGKILL:when=2", &args);
    assert_eq!(ran.signal, Some(9), "{ran:?}");
    assert_eq!(get_reparse(bench.at("in/t")), Some(junction(r"C:\t")));
    assert_eq!(get_reparse(bench.at("in/u")), None);
    assert!(bench.at("in/v").symlink_metadata().is_err());
    assert_eq!(bench.newest(), (json!("interrupted"), json!(1), json!(3)));
    bench.ok(["undo"]);
    assert_eq!(fs::read_dir(bench.at("in")).unwrap().count(), 0);
    bench.ok(args);
    assert_eq!(fs::read_dir(bench.at("in")).unwrap().count(), 3);
}

#[test]
fn killed_while_replacing_there_is_always_one_of_the_two_links() {
    for fault in ["mkdirat", "lsetxattr", "rename,renameat,renameat2"] {
        let bench = Bench::targets();
        dir_point(bench.at("j"), &junction(r"C:\t"));
        let ran = bench.with_fault(&format!("{fault}:signal=SIGKILL"), &REPLACE);
        assert_eq!(ran.signal, Some(9), "{fault}: {ran:?}");
        assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")), "{fault}");
        assert_eq!(bench.newest(), (json!("interrupted"), json!(0), json!(1)), "{fault}");
        bench.ok(["undo"]);
        assert_eq!(bench.names(), ALL, "{fault}: nothing under a private name");
        assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")), "{fault}");
        bench.ok(REPLACE);
    }
}

#[test]
fn killed_while_removing_undo_brings_the_link_back() {
    let point = other(0x2000_0042, Some([9; 16]), b"third party");
    for fault in ["rename,renameat,renameat2", "unlinkat"] {
        let bench = Bench::targets();
        dir_point(bench.at("j"), &point);
        let ran = bench.with_fault(&format!("{fault}:signal=SIGKILL"), &["remove", "j"]);
        assert_eq!(ran.signal, Some(9), "{fault}: {ran:?}");
        assert_eq!(bench.newest().0, "interrupted", "{fault}");
        bench.ok(["undo"]);
        assert_eq!(bench.names(), ALL, "{fault}");
        assert_eq!(get_reparse(bench.at("j")).as_ref(), Some(&point), "{fault}");
        assert_eq!(ntfs_attrib(bench.at("j")).unwrap() & 0x10, 0x10, "{fault}");
    }
}

// --------------------------------------------------------------------------------------------- full, read-only, race

#[test]
fn a_full_volume_takes_no_link_and_says_so() {
    let bench = Bench::targets();
    dir_point(bench.at("old"), &junction(r"C:\t"));
    bench.volume.fill();
    // Too long for the file record: it needs room of its own.
    let long = format!(r"C:\{}\{}", "x".repeat(200), "y".repeat(200));
    let before = bench.names();
    let ran = bench.run(["create", "--kind", "junction", "j", &long]);
    ran.exits(3).says(&["no space left", "free some space"]);
    assert_eq!(bench.names(), before);
    bench.run(["create", "--kind", "junction", "--replace", "old", &long]).exits(3).says(&["no space left"]);
    assert_eq!(bench.names(), before);
    assert_eq!(get_reparse(bench.at("old")), Some(junction(r"C:\t")));
    // Until there is not even room for a name.
    let mut stuffing = 0;
    while let Ok(file) = fs::File::create_new(bench.at(format!("{}{stuffing}", "n".repeat(200)))) {
        drop(file);
        stuffing += 1;
        assert!(stuffing < 100_000);
    }
    let before = bench.names();
    bench.run(MAKE).exits(3).says(&["no space left", "free some space"]);
    assert_eq!(bench.names(), before);
    // A link can be removed from it all the same.
    bench.ok(["remove", "old"]);
    assert!(bench.at("old").symlink_metadata().is_err());
}

#[test]
fn a_read_only_volume_is_said_to_be_one() {
    let mut bench = Bench::targets();
    dir_point(bench.at("j"), &junction(r"C:\t"));
    bench.volume.remount_read_only();
    let words = ["read-only", "read-write"];
    bench.run(["create", "--kind", "junction", "k", r"C:\t"]).exits(3).says(&words);
    bench.run(["create", "l", r"C:\t\f"]).exits(3).says(&words);
    bench.run(REPLACE).exits(3).says(&words);
    bench.run(["remove", "j"]).exits(3).says(&words);
    bench.run(["remove", "--recursive", "--yes", "."]).exits(3).says(&words);
    assert_eq!(bench.names(), ALL);
    assert_eq!(bench.list(&[])[0].1["state"], "ok");
}

#[test]
fn of_processes_making_the_same_link_one_wins_and_the_others_say_so() {
    for round in 0..5 {
        let bench = Bench::targets();
        let targets = [r"C:\t", r"C:\u"];
        let start = |n: usize| {
            let args = ["create", "--kind", "junction", "j", targets[n % 2]];
            let mut command = bench.command(args);
            (targets[n % 2], command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        };
        let running: Vec<_> = (0..6).map(start).collect();
        let ended = running.into_iter().map(|(target, run)| (target, Ran::of(run.wait_with_output().unwrap())));
        let (won, lost): (Vec<_>, Vec<_>) = ended.partition(|(_, ran)| ran.code == Some(0));
        assert_eq!(won.len(), 1, "round {round}: {won:?} {lost:?}");
        for (_, ran) in lost {
            ran.exits(4).says(&["cannot create"]);
        }
        assert_eq!(get_reparse(bench.at("j")), Some(junction(won[0].0)), "round {round}");
        assert_eq!(bench.names(), ALL);
    }
}

#[test]
fn a_journal_on_ntfs_is_used_where_it_is_safe_and_warned_of_where_not() {
    let on = |other: &Volume, bench: &Bench, args: &[&str]| {
        let mut command = bench.command(args);
        command.env("LINKCTL_STATE_DIR", other.path().join("state"));
        Ran::of(command.output().unwrap()).exits(0)
    };
    let bench = Bench::targets();
    // Read-only; and without permissions, where everybody may write it. Neither costs the link.
    let mut other = Volume::new(Fs::Ntfs, 0);
    on(&other, &bench, &MAKE).says(&["warning:", "written by everybody", "cannot be undone"]);
    other.remount_read_only();
    on(&other, &bench, &["remove", "j"]).says(&["warning:", "cannot be undone"]);
    on(&other, &bench, &MAKE).says(&["warning:", "cannot be undone"]);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")));
    // With permissions it is a place like any other.
    let other = Volume::with_options(Fs::Ntfs, 0, "permissions");
    let ran = on(&other, &bench, &["remove", "j"]);
    assert_eq!(ran.err, "");
    on(&other, &bench, &["undo"]);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\t")));
}
