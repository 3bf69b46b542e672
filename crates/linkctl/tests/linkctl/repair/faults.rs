//! Killed in the middle, and journals that cannot be used.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

use super::*;

const COUNT: usize = 120;

fn broken(ground: &Ground) {
    for n in 0..COUNT {
        write(ground.at(format!("new/f{n}")), n.to_string());
        link(ground.at(format!("old/f{n}")), ground.at(format!("links/l{n}")));
    }
    mark(&ground.at("links"));
}

const REPAIR: [&str; 5] = ["repair", "links", "--map", "old=new", "--yes"];

#[test]
fn killed_in_the_middle_every_link_is_whole_and_undo_gives_all_back() {
    for call in ["symlinkat", "renameat2", "unlinkat", "utimensat", "fchownat"] {
        for when in [1, 2, COUNT / 2, COUNT] {
            let ground = Ground::new();
            broken(&ground);
            let before = links(&ground.at("links"));
            let mut command = ground.linkctl.command(REPAIR);
            command.current_dir(ground.root());
            let ended = strace::inject(&format!("{call}:signal=SIGKILL:when={when}"), &command);
            if ended.status.signal() != Some(9) {
                assert_eq!(ended.status.code(), Some(0), "{call} {when}");
                continue;
            }
            for n in 0..COUNT {
                let text = ground.target(format!("links/l{n}"));
                let whole = [ground.at(format!("old/f{n}")), ground.at(format!("new/f{n}"))];
                assert!(whole.contains(&text), "{call} {when}: {}", text.display());
            }
            let ran = ground.run(["undo"]);
            let after = links(&ground.at("links"));
            let texts = |all: &BTreeMap<Vec<u8>, _>| all.keys().cloned().collect::<Vec<_>>();
            assert_eq!(texts(&after), texts(&before), "{call} {when}: {ran}");
            for (path, old) in &before {
                assert_eq!(after[path].0, old.0, "{call} {when}: {}\n{ran}", path.escape_ascii());
                assert_eq!(after[path], *old, "{call} {when}: {}\n{ran}", path.escape_ascii());
            }
        }
    }
}

#[test]
fn killed_in_the_middle_a_second_run_mends_the_rest() {
    let ground = Ground::new();
    broken(&ground);
    let mut command = ground.linkctl.command(REPAIR);
    command.current_dir(ground.root());
    let ended = strace::inject("renameat2:signal=SIGKILL:when=50", &command);
    assert_eq!(ended.status.signal(), Some(9));
    ground.ok(REPAIR);
    for n in 0..COUNT {
        assert_eq!(read(ground.at(format!("links/l{n}"))), Some(n.to_string()));
    }
}

#[test]
fn what_a_kill_left_is_cleared_when_all_that_came_after_it_is_undone_too() {
    let ground = Ground::new();
    broken(&ground);
    let mut command = ground.linkctl.command(REPAIR);
    command.current_dir(ground.root());
    let ended = strace::inject("renameat2:signal=SIGKILL:when=50", &command);
    assert_eq!(ended.status.signal(), Some(9));
    ground.ok(REPAIR);
    ground.ok(["undo"]);
    ground.ok(["undo"]);
    assert_eq!(crate::common::leftovers(ground.at("links")), [""; 0]);
    for n in 0..COUNT {
        assert_eq!(ground.target(format!("links/l{n}")), ground.at(format!("old/f{n}")));
    }
}

#[test]
fn a_full_disk_leaves_links_whole_and_is_told() {
    let ground = Ground::new();
    broken(&ground);
    let mut command = ground.linkctl.command(REPAIR);
    command.current_dir(ground.root());
    let ran = ground.linkctl.said(strace::inject("symlinkat:error=ENOSPC:when=10+", &command));
    let mended = (0..COUNT).filter(|n| read(ground.at(format!("links/l{n}"))).is_some()).count();
    let whole = (0..COUNT).filter(|n| ground.target(format!("links/l{n}")) == ground.at(format!("old/f{n}")));
    assert_eq!((mended, whole.count()), (9, COUNT - 9), "{ran}");
    let ran = ran.exits(3).says("no space left on device");
    assert!(ran.out.contains("mended 9 of 120 links"), "{ran}");
}

#[test]
fn a_corrupt_database_is_kept_aside_and_told_and_links_are_mended_without_it() {
    let ground = Ground::new();
    broken(&ground);
    ground.ok(["track", "new", "--json"]);
    fs::write(ground.linkctl.database(), "this is no database at all, by no means").unwrap();
    for file in ["journal.db-wal", "journal.db-shm"] {
        drop(fs::remove_file(ground.linkctl.state().join(file)));
    }
    let before = fs::read(ground.linkctl.database()).unwrap();
    ground.ok(["repair", "links", "--map", "old=new", "--dry-run"]).says("journal");
    assert_eq!(fs::read(ground.linkctl.database()).unwrap(), before, "a dry run");
    let ran = ground.ok(REPAIR).says("it is kept as");
    let kept: Vec<_> =
        crate::common::names(ground.linkctl.state()).into_iter().filter(|name| name.contains("corrupt")).collect();
    assert_eq!(kept.len(), 1, "{ran}");
    assert_eq!(fs::read(ground.linkctl.state().join(&kept[0])).unwrap(), before);
    ground.ok(["undo"]);
    assert_eq!(ground.target("links/l0"), ground.at("old/f0"));
}

#[test]
fn a_record_that_cannot_be_read_costs_no_other_link() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["a", "b"] {
        write(ground.at(format!("data/{name}")), name);
        link(ground.at(format!("data/{name}")), ground.at(format!("links/{name}")));
    }
    ground.ok(["track", "links"]);
    let database = rusqlite::Connection::open(ground.linkctl.database()).unwrap();
    let changed = database
        .execute("UPDATE tracked SET identity = '{\"nonsense\":1}' WHERE CAST(link AS TEXT) LIKE '%/a'", [])
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);
    for name in ["a", "b"] {
        rename(ground.at(format!("data/{name}")), ground.at(format!("far/{name}_")));
    }
    let ran = ground.run(["repair", "links", "--yes"]);
    assert_eq!(read(ground.at("links/b")).as_deref(), Some("b"), "{ran}");
}

#[test]
fn with_a_journal_that_cannot_be_read_it_says_so_and_mends_by_what_it_is_told() {
    let ground = Ground::nobody(Fs::Tmpfs);
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/l"));
    ground.give_away();
    ground.ok(["track", "new"]);
    let database = ground.linkctl.database();
    fs::set_permissions(&database, PermissionsExt::from_mode(0o000)).unwrap();
    let ran = ground.run(REPAIR).says("journal");
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("x"), "{ran}");
    ran.exits(0);
}

#[test]
fn a_database_that_another_program_holds_is_waited_for_or_told() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    let database = rusqlite::Connection::open(ground.linkctl.database()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Only reading: nobody has to wait.
    let ran = ground.ok(["repair", "links", "--dry-run"]);
    assert!(ran.out.contains("it is what was recorded"), "{ran}");
    database.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_journal_of_no_length_is_told() {
    let ground = moved();
    for file in crate::common::names(ground.linkctl.state()) {
        fs::remove_file(ground.linkctl.state().join(file)).unwrap();
    }
    fs::write(ground.linkctl.database(), "").unwrap();
    // One that was made just now is another process' that has not written to it yet.
    let ran = ground.run(["repair", "links", "--dry-run"]);
    assert!(!ran.err.contains("warning"), "{ran}");
    fs::write(ground.linkctl.database(), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(6));
    ground.run(["repair", "links", "--dry-run"]).says("warning").says("is empty");
}
