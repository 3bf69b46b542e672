//! The journal behind the command: where it may be, how it breaks, and what it says afterwards.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;

use crate::common::sample::Dice;
use crate::common::{Linkctl, names};
use rusqlite::Connection;
use testkit::{Bind, Fs, Snapshot, Volume, strace, tree};

const CANNOT_UNDO: &str = "this change cannot be undone by linkctl";

fn pragma(database: &Path, name: &str) -> String {
    let connection = Connection::open(database).unwrap();
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
}

/// A journal of one operation with many steps: a database of many pages.
fn filled() -> Linkctl {
    let linkctl = Linkctl::new();
    let targets = (0..4000).map(|n| format!("target/{n}"));
    linkctl.ok(["create", "--parents", "--into", "old"].map(String::from).into_iter().chain(targets));
    linkctl
}

#[test]
fn without_a_place_for_the_journal_the_change_is_made_and_a_warning_given() {
    let linkctl = Linkctl::new();
    let run = |link: &str, change: &dyn Fn(&mut std::process::Command)| {
        let mut command = linkctl.command(["create", link, "t"]);
        change(&mut command);
        let ran = linkctl.said(command.output().unwrap()).exits(0).says("warning: ").says(CANNOT_UNDO);
        assert_eq!(linkctl.target(link), b"t", "{ran}");
    };
    run("no-home", &|command| {
        command.env_remove("LINKCTL_STATE_DIR").env_remove("HOME");
    });
    run("relative-home", &|command| {
        command.env_remove("LINKCTL_STATE_DIR").env("HOME", "here");
    });
    run("file-there", &|command| {
        command.env("LINKCTL_STATE_DIR", "/dev/null/state");
    });
    run("no-such-fs", &|command| {
        command.env("LINKCTL_STATE_DIR", "/proc/no/state");
    });
    assert!(!linkctl.exists("here"), "a relative HOME is no place");
}

#[test]
fn a_state_directory_that_cannot_be_written_costs_a_warning_and_not_the_change() {
    let linkctl = Linkctl::nobody();
    chown(linkctl.state(), Some(0), Some(0)).unwrap();
    fs::set_permissions(linkctl.state(), Permissions::from_mode(0o755)).unwrap();
    linkctl.ok(["create", "l", "t"]).says(CANNOT_UNDO);
    chown(linkctl.state(), Some(crate::common::NOBODY), Some(crate::common::NOBODY)).unwrap();
    fs::set_permissions(linkctl.state(), Permissions::from_mode(0o555)).unwrap();
    linkctl.ok(["create", "m", "t"]).says(CANNOT_UNDO);
    fs::set_permissions(linkctl.state(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(linkctl.ok(["create", "n", "t"]).err.matches("warning").count(), 0);
    assert_eq!(names(linkctl.work()), ["l", "m", "n"]);
}

#[test]
fn a_read_only_journal_file_can_still_be_read() {
    let mut volume = Volume::new(Fs::Ext4, 8 << 20);
    let linkctl = Linkctl::new().with_state(volume.path().join("state"));
    linkctl.ok(["create", "l", "t"]);
    volume.remount_read_only();
    // A database in WAL mode opens there only as immutable.
    assert_eq!(linkctl.newest(), "create done: 1 done, 0 failed of 1");
    linkctl.ok(["create", "m", "t"]).says(CANNOT_UNDO);
}

#[test]
fn a_broken_journal_is_set_aside_and_a_new_one_begun() {
    for (how, breaks) in [
        ("garbage", (|file| fs::write(file, "garbage ".repeat(999)).unwrap()) as fn(&Path)),
        ("truncated", |file| fs::OpenOptions::new().write(true).open(file).unwrap().set_len(9000).unwrap()),
    ] {
        let linkctl = filled();
        breaks(&linkctl.database());
        let broken = fs::read(linkctl.database()).unwrap();
        let ran = linkctl.ok(["create", "new", "t"]);
        assert!(ran.err.contains("it is kept as") && !ran.err.contains(CANNOT_UNDO), "{how}: {ran}");
        let kept: Vec<_> = names(linkctl.state()).into_iter().filter(|n| n.contains("corrupt")).collect();
        assert_eq!(fs::read(linkctl.state().join(&kept[0])).unwrap(), broken, "{how}: {kept:?}");
        assert_eq!(linkctl.newest(), "create done: 1 done, 0 failed of 1", "{how}");
        linkctl.ok(["undo"]);
        assert!(!linkctl.exists("new"));
    }
}

#[test]
fn a_database_of_another_program_is_left_where_it_is() {
    let linkctl = filled();
    fs::remove_file(linkctl.database()).unwrap();
    Connection::open(linkctl.database()).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let theirs = fs::read(linkctl.database()).unwrap();
    let ran = linkctl.ok(["create", "new", "t"]);
    assert!(ran.err.contains("another program") && ran.err.contains(CANNOT_UNDO), "{ran}");
    assert_eq!(fs::read(linkctl.database()).unwrap(), theirs);
}

#[test]
fn any_broken_page_costs_the_journal_at_most_and_never_the_change() {
    let linkctl = filled();
    let good = fs::read(linkctl.database()).unwrap();
    let pages = good.len() / 4096;
    assert!(pages > 20, "{pages} pages");
    let mut bad = Vec::new();
    // The first three are the header and the roots of the tables.
    let chosen = [(0..3).collect(), Dice::new(41).some((3..pages).collect(), 20)].concat();
    for page in chosen {
        for file in names(linkctl.state()) {
            fs::remove_file(linkctl.state().join(file)).unwrap();
        }
        fs::write(linkctl.database(), &good).unwrap();
        let file = fs::OpenOptions::new().write(true).open(linkctl.database()).unwrap();
        file.write_all_at(&[0xa5; 4096], (page * 4096) as u64).unwrap();
        drop(file);
        let link = format!("page-{page}");
        let ran = linkctl.ok(["create", &link, "t"]);
        assert_eq!(linkctl.target(&link), b"t", "page {page}: {ran}");
        // Either nothing was noticed and all is well, or it was said.
        let newest = linkctl.output(["history", "-n", "1", "--json"]);
        let told = newest.code() == Some(0) && newest.json()["operations"][0]["done"] == 1;
        assert!(told || ran.err.contains(CANNOT_UNDO), "page {page}: {ran}\n{newest}");
        // A broken page met only in the middle of a run must not leave the journal as it is: then this and every
        // later change would not be recorded.
        // It may be met only by the second, which then begins a new one for the third.
        let fails = |name: &str| linkctl.ok(["create", &format!("{link}-{name}"), "t"]).err.contains(CANNOT_UNDO);
        if fails("next") && (ran.err.contains(CANNOT_UNDO) || fails("third")) {
            bad.push(page);
        }
    }
    assert!(bad.is_empty(), "broken pages {bad:?} of {pages}: no new journal was begun");
}

#[test]
fn steps_that_cannot_be_read_are_in_nobodys_way() {
    let linkctl = filled();
    linkctl.ok(["undo"]);
    let database = Connection::open(linkctl.database()).unwrap();
    let damage = "UPDATE chunks SET lines = substr(lines, 1, 100) WHERE typeof(lines) = 'blob'";
    assert!(database.execute(damage, []).unwrap() > 2);
    drop(database);
    let ran = linkctl.ok(["create", "l", "t"]);
    assert!(!ran.err.contains("warning"), "{ran}");
    let history = linkctl.ok(["history"]).out;
    assert!(history.contains("(a row of it has no meaning: compressed lines are not whole)"), "{history}");
    assert_eq!(linkctl.history().len(), 3);
    linkctl.output(["history", "1"]).exits(3).says("a row of it has no meaning");
    linkctl.ok(["undo"]);
    assert!(!linkctl.exists("l"));
}

#[test]
fn a_journal_of_before_is_told_where_it_cannot_be_brought_up_to_date() {
    let linkctl = Linkctl::nobody();
    linkctl.ok(["create", "l", "t", "--json"]);
    Connection::open(linkctl.database()).unwrap().execute_batch("PRAGMA user_version = 6").unwrap();
    fs::set_permissions(linkctl.state(), Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(linkctl.database(), Permissions::from_mode(0o444)).unwrap();
    linkctl.output(["history"]).exits(3).says("it is of an older linkctl");
}

#[test]
fn programs_that_begin_the_journal_at_the_same_moment_are_not_told_it_is_locked_or_another_programs() {
    for round in 0..60 {
        let linkctl = Linkctl::new();
        let spawn = |link: &str| {
            linkctl.command(["create", link, "t"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        for child in ["a", "b", "c"].map(spawn) {
            let ran = linkctl.said(child.wait_with_output().unwrap());
            assert!(ran.code() == Some(0) && !ran.err.contains("warning"), "round {round}: {ran}");
        }
        assert_eq!(linkctl.history().len(), 3, "round {round}");
    }
}

#[test]
fn a_newer_journal_is_left_alone() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "l", "t", "--json"]);
    Connection::open(linkctl.database()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let before = fs::read(linkctl.database()).unwrap();
    linkctl.ok(["create", "m", "t"]).says("newer linkctl (schema 99").says(CANNOT_UNDO);
    linkctl.output(["history"]).exits(3).says("newer linkctl");
    linkctl.output(["undo"]).exits(3).says("newer linkctl");
    assert_eq!(fs::read(linkctl.database()).unwrap(), before);
    assert!(!names(linkctl.state()).iter().any(|name| name.contains("corrupt")));
}

#[test]
fn a_journal_that_others_could_have_written_is_not_believed() {
    type Change<'a> = &'a dyn Fn(&Linkctl);
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let cases: [(&str, Change<'_>); 5] = [
        ("belongs to user 1000", &|linkctl| chown(linkctl.state(), Some(1000), None).unwrap()),
        ("belongs to user 1000", &|linkctl| chown(linkctl.database(), Some(1000), None).unwrap()),
        ("can be written by everybody", &|linkctl| mode(linkctl.state(), 0o777)),
        ("can be written by everybody", &|linkctl| mode(&linkctl.database(), 0o666)),
        ("is a symbolic link", &|linkctl| {
            fs::rename(linkctl.database(), linkctl.at("elsewhere")).unwrap();
            tree!(linkctl.state(), { "journal.db" => symlink(linkctl.at("elsewhere")) });
        }),
    ];
    for (said, change) in cases {
        let linkctl = Linkctl::new();
        linkctl.ok(["create", "l", "t", "--json"]);
        change(&linkctl);
        let before = fs::read(linkctl.database()).unwrap();
        linkctl.ok(["create", "m", "t"]).says(said).says(CANNOT_UNDO);
        linkctl.output(["undo"]).exits(3).says(said);
        assert!(linkctl.exists("l") && linkctl.exists("m"));
        assert_eq!(fs::read(linkctl.database()).unwrap(), before, "{said}");
    }
}

#[test]
fn the_journal_has_no_write_ahead_log_on_a_network_home() {
    let source = tempfile::tempdir().unwrap();
    let bind = Bind::new(source.path());
    let linkctl = Linkctl::new().with_state(bind.path().join("state"));
    let lines = strace::trace("openat,open,mmap", &linkctl.command(["create", "l", "t", "--json"]));
    assert!(lines.iter().any(|line| line.contains("journal.db\"")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("journal.db-wal") && line.contains("O_CREAT")), "{lines:#?}");
    assert_eq!(pragma(&linkctl.database(), "journal_mode"), "delete");
    linkctl.ok(["undo"]);
    assert_eq!(linkctl.history().len(), 2);
}

#[test]
fn the_journal_has_a_write_ahead_log_on_a_local_disk() {
    let volume = Volume::new(Fs::Ext4, 8 << 20);
    let linkctl = Linkctl::new().with_state(volume.path().join("state"));
    linkctl.ok(["create", "l", "t", "--json"]);
    assert_eq!(pragma(&linkctl.database(), "journal_mode"), "wal");
}

#[test]
fn two_processes_at_once_lose_no_operation() {
    let linkctl = Linkctl::new();
    std::thread::scope(|scope| {
        for dir in ["one", "two"] {
            fs::create_dir(linkctl.at(dir)).unwrap();
            let linkctl = &linkctl;
            scope.spawn(move || {
                for n in 0..200 {
                    let ran = linkctl.ok(["create", &format!("{dir}/{n}"), "t"]);
                    assert_eq!(ran.err.matches("warning").count(), 0, "{ran}");
                }
            });
        }
    });
    let history = linkctl.history();
    assert_eq!(history.len(), 400);
    assert!(history.iter().all(|operation| operation["state"] == "done" && operation["done"] == 1));
    assert_eq!([names(linkctl.at("one")).len(), names(linkctl.at("two")).len()], [200, 200]);
}

#[test]
fn an_operation_at_work_can_be_read_at_any_moment() {
    let linkctl = Linkctl::new();
    let targets = (0..8_000).map(|n| format!("target/{n}"));
    let args = ["create", "--into", "."].map(String::from).into_iter().chain(targets);
    let mut child = linkctl.command(args).stdout(Stdio::null()).spawn().unwrap();
    let mut seen = 0;
    while child.try_wait().unwrap().is_none() {
        let ran = linkctl.output(["history", "1", "--json"]);
        if ran.code() == Some(4) {
            // It has not begun.
            assert_eq!(seen, 0, "{ran}");
            continue;
        }
        let operation = ran.exits(0).json()["operations"][0].clone();
        let (done, begun) = (operation["done"].as_u64().unwrap(), operation["steps"].as_array().unwrap().len());
        assert!(seen <= done && usize::try_from(done).unwrap() <= begun, "{seen}, {done} of {begun}");
        seen = done;
    }
    assert!(seen > 0, "it was never seen at work");
    assert_eq!(linkctl.newest(), "create done: 8000 done, 0 failed of 8000");
}

#[test]
fn what_changes_nothing_does_not_open_the_journal() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("t"), "t" => file("") });
    let (with, without) = (Linkctl::new(), &linkctl);
    tree!(with.work(), { "t" => file("") });
    with.ok(["create", "l", "t"]);
    for args in [
        &["list"] as &[&str],
        &["show", "l"],
        &["create", "--dry-run", "new", "t"],
        &["remove", "--dry-run", "l"],
        &["create", "--replace", "l", "t"],
        &["help"],
    ] {
        for linkctl in [&with, without] {
            let before = Snapshot::of(linkctl.work());
            let lines = strace::trace("%file", &linkctl.command(args));
            let opened = lines.iter().find(|line| line.contains("journal.db"));
            assert!(opened.is_none(), "{args:?}: {opened:?}");
            before.assert_unchanged();
        }
    }
    assert!(!linkctl.state().exists());
}

#[test]
fn under_sudo_the_history_says_whose_it_is() {
    let linkctl = Linkctl::new();
    let output = linkctl.command(["create", "l", "t"]).env("SUDO_USER", "nobody").output().unwrap();
    assert!(output.status.success());
    assert!(linkctl.ok(["history"]).out.contains("root (sudo by nobody)"));
    let operation = &linkctl.history()[0];
    assert_eq!([&operation["sudo_user"], &operation["user"]], ["nobody", "root"]);
    let ran = linkctl.said(linkctl.command(["history"]).env("SUDO_USER", "nobody").output().unwrap());
    ran.exits(0).says("this is root's history");
}

#[test]
fn a_crash_is_told_with_true_counts_and_undone() {
    // The journal is written in chunks of 256: at the edges, and within.
    for (links, after) in [(5, 3), (300, 255), (300, 256), (300, 257), (300, 1)] {
        let linkctl = Linkctl::new();
        let targets = (0..links).map(|n| format!("x/{n:03}"));
        let args = ["create", "--into", "."].map(String::from).into_iter().chain(targets);
        let crash = linkctl.command(args).env("LINKCTL_CRASH_AFTER_STEP", after.to_string()).output().unwrap();
        assert_eq!(crash.status.signal(), Some(6));
        assert_eq!(names(linkctl.work()).len(), after);
        assert_eq!(linkctl.newest(), format!("create interrupted: {after} done, 0 failed of {links}"));
        linkctl.ok(["history"]).says("was interrupted; `linkctl undo 1` takes back what it did");
        linkctl.ok(["undo"]);
        assert!(names(linkctl.work()).is_empty());
    }
}

#[test]
fn an_interrupted_operation_that_did_nothing_does_not_bar_the_way_of_undo() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "kept", "t"]);
    let kill = "symlinkat:signal=SIGKILL:when=1";
    let killed = strace::inject(kill, &linkctl.command(["create", "killed", "t"]));
    assert_eq!(killed.status.signal(), Some(9));
    assert_eq!(names(linkctl.work()), ["kept"]);
    linkctl.ok(["undo"]);
    linkctl.ok(["undo"]);
    assert!(names(linkctl.work()).is_empty(), "undo never gets to the operation before the killed one");
}

type Break = (&'static str, fn(&Path));

/// What can stand in the place of a journal, so that it cannot be opened.
fn unusable() -> Vec<Break> {
    fn fifo(path: &Path) {
        testkit::require::run(std::process::Command::new("mkfifo").arg(path));
    }
    vec![
        ("garbage", |state| fs::write(state.join("journal.db"), [7; 5000]).unwrap()),
        ("directory", |state| fs::create_dir(state.join("journal.db")).unwrap()),
        ("empty", |state| fs::write(state.join("journal.db"), "").unwrap()),
        ("fifo", |state| fifo(&state.join("journal.db"))),
        ("fifo for a log", |state| fifo(&state.join("journal.db-wal"))),
        ("fifo for a queue", |state| fifo(&state.join("journal.queue"))),
        ("newer", |state| {
            let database = Connection::open(state.join("journal.db")).unwrap();
            database
                .execute_batch("CREATE TABLE x (y); PRAGMA application_id = 0x6c6e6b63; PRAGMA user_version = 99")
                .unwrap();
        }),
        ("another program's", |state| {
            Connection::open(state.join("journal.db")).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
        }),
        ("written by others", |state| {
            fs::write(state.join("journal.db"), "").unwrap();
            fs::set_permissions(state.join("journal.db"), Permissions::from_mode(0o666)).unwrap();
        }),
    ]
}

#[test]
fn a_move_and_its_restore_are_done_without_a_journal() {
    // On one file system, between two, and where names cannot change places in one call.
    let volumes = [None, Some(Volume::new(Fs::Tmpfs, 1 << 20)), Some(Volume::new(Fs::Ntfs, 0))];
    for (how, breaks) in unusable() {
        for volume in &volumes {
            let linkctl = match volume {
                Some(volume) if volume.fs() == Fs::Ntfs => Linkctl::on(volume.path()),
                _ => Linkctl::new(),
            };
            let linkctl = linkctl.by("/usr/bin/timeout");
            let to = match volume {
                Some(volume) if volume.fs() != Fs::Ntfs => volume.path().join("there"),
                _ => linkctl.at("there"),
            };
            tree!(linkctl.work(), { "tree/f" => file("text") });
            fs::create_dir(linkctl.state()).unwrap();
            fs::set_permissions(linkctl.state(), Permissions::from_mode(0o700)).unwrap();
            breaks(linkctl.state());
            let run = |words: &[&str]| linkctl.output([&["20", env!("CARGO_BIN_EXE_linkctl")], words].concat());
            let place = to.to_str().unwrap();
            let dry = run(&["move", "--dry-run", "tree", place]);
            assert_eq!(dry.code(), Some(0), "{how}: {dry}");
            let moved = run(&["move", "tree", place]);
            assert_eq!(moved.code(), Some(0), "{how}: {moved}");
            assert_eq!(fs::read(to.join("f")).unwrap(), b"text", "{how}");
            if !matches!(how, "garbage" | "empty" | "fifo for a queue") {
                assert!(moved.err.contains("`linkctl undo` will not know this move"), "{how}: {moved}");
            }
            assert!(linkctl.at("tree").is_symlink(), "{how}: {moved}");
            let history = run(&["history"]);
            assert!(matches!(history.code(), Some(0 | 3)), "{how}: {history}");
            let restored = run(&["restore", "--yes", "tree"]);
            assert_eq!(restored.code(), Some(0), "{how}: {restored}");
            assert_eq!(fs::read(linkctl.at("tree/f")).unwrap(), b"text", "{how}");
            assert!(!linkctl.at("tree").is_symlink() && !to.exists(), "{how}: {restored}");
            fs::remove_dir_all(linkctl.at("tree")).unwrap();
        }
    }
}

#[test]
fn a_move_is_done_where_the_journal_may_not_be_read_or_is_nowhere() {
    let linkctl = Linkctl::nobody();
    tree!(linkctl.work(), { "tree/f" => file("text"), "two/f" => file("text") });
    for path in ["tree", "two"] {
        chown(linkctl.at(path), Some(crate::common::NOBODY), Some(crate::common::NOBODY)).unwrap();
        chown(linkctl.at(path).join("f"), Some(crate::common::NOBODY), Some(crate::common::NOBODY)).unwrap();
    }
    linkctl.ok(["create", "l", "t", "--json"]);
    fs::set_permissions(linkctl.database(), Permissions::from_mode(0o000)).unwrap();
    linkctl.ok(["move", "tree", "there"]).says("`linkctl restore` of '[DIR]/tree' brings it back");
    let mut command = linkctl.command(["move", "two", "elsewhere"]);
    command.env("LINKCTL_STATE_DIR", "/proc/no/state");
    linkctl.said(command.output().unwrap()).exits(0).says("`linkctl restore` of '[DIR]/two' brings it back");
    assert!(linkctl.exists("there/f") && linkctl.exists("elsewhere/f"));
}

#[test]
fn a_row_without_meaning_stops_no_move_and_no_restore() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "old/f" => file(""), "tree/f" => file("") });
    linkctl.ok(["move", "old", "older"]);
    let database = Connection::open(linkctl.database()).unwrap();
    assert!(database.execute("UPDATE chunks SET lines = 'nothing'", []).unwrap() > 0);
    drop(database);
    linkctl.ok(["move", "tree", "there"]);
    assert_eq!(linkctl.newest(), "move done: 1 done, 0 failed of 1");
    linkctl.ok(["restore", "--yes", "old"]);
    linkctl.ok(["undo", "2"]);
    assert!(linkctl.exists("old/f") && linkctl.exists("tree/f") && !linkctl.exists("there"));
}

#[test]
fn a_file_that_must_not_grow_is_an_error_and_not_the_end() {
    let volume = Volume::new(Fs::Tmpfs, 4 << 20);
    for limit in ["0", "1", "8", "40"] {
        let linkctl = Linkctl::new();
        tree!(linkctl.work(), { "small" => file("text"), "big" => file("text".repeat(99_999)) });
        let script = format!(
            "ulimit -f {limit}; \"$0\" history; echo rc $?; for l in a b c d e f g h i j; do \"$0\" mklink $l t || exit; done; \
             \"$0\" create --json k t || exit; \"$0\" move small moved || exit; \"$0\" move big {}; test $? = 3",
            volume.path().join("big").display()
        );
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_linkctl")]).current_dir(linkctl.work());
        let ran = linkctl.said(shell.env("LINKCTL_STATE_DIR", linkctl.state()).output().unwrap());
        assert_eq!(ran.code(), Some(0), "{limit}: {ran}");
        assert!(ran.out.contains("rc 0\n") && linkctl.exists("moved"), "{limit}: {ran}");
        assert!(
            names(volume.path()).is_empty() && linkctl.at("big").metadata().unwrap().len() > 300_000,
            "{limit}: {ran}"
        );
        // What could be recorded is whole.
        let later = linkctl.ok(["history"]);
        assert!(!later.err.contains("of the journal's queue"), "{limit}: {later}");
    }
}
