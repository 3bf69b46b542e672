//! A dry run makes nothing on any file system and reads the journal without changing it. What only a try can tell it
//! lists as not tried; the real run tries that before its first change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use crate::common::{Linkctl, leftovers};
use rusqlite::Connection;
use testkit::{Fs, Snapshot, Volume, strace, tree};

/// Calls that change something on a file system, whatever their arguments.
const CHANGES: &str = "creat,mkdir,mkdirat,symlink,symlinkat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,\
    mknod,mknodat,chmod,fchmod,fchmodat,?fchmodat2,chown,lchown,fchown,fchownat,utime,utimes,futimesat,utimensat,truncate,\
    ftruncate,setxattr,lsetxattr,fsetxattr,?setxattrat,removexattr,lremovexattr,fremovexattr,?removexattrat,fallocate,\
    copy_file_range,mount,umount2";

/// Calls that may, by their arguments.
const MAY_CHANGE: &str = "open,openat,?openat2,ioctl";

/// Requests that only read.
const READS: [&str; 10] = [
    "TCGETS",
    "TIOCGWINSZ",
    "FS_IOC_GETFLAGS",
    "FS_IOC_GETVERSION",
    "FS_IOC_FSGETXATTR",
    "FS_IOC_GETFSUUID",
    "FS_IOC_GETFSLABEL",
    // The same, where strace has no name for it.
    "_IOC(_IOC_READ, 0x15, 0, 0x11)",
    "BTRFS_IOC_FS_INFO",
    "BTRFS_IOC_GET_SUBVOL_INFO",
];

/// Whether a line of strace shows a call that makes or changes something.
fn is_change(line: &str) -> bool {
    let Some((call, arguments)) = line.split_once(' ').and_then(|(_, call)| call.trim().split_once('(')) else {
        // The end of a process, a signal, or the second half of a call.
        return false;
    };
    match call {
        resumed if resumed.starts_with('<') => false,
        "open" | "openat" | "openat2" => {
            let is_nameless = arguments.contains("O_TMPFILE");
            !is_nameless && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| arguments.contains(flag))
        }
        "ioctl" => !READS.iter().any(|request| arguments.contains(request)),
        _ => true,
    }
}

#[test]
fn what_changes_something_is_told_from_what_only_reads() {
    for line in [
        "7 openat(AT_FDCWD, \"a\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3",
        "7 openat2(3, \"a\", {flags=O_WRONLY, resolve=0}, 24) = 4",
        "7 mkdirat(AT_FDCWD, \"a\", 0777) = -1 EEXIST (File exists)",
        "7 ioctl(3, FS_IOC_SETFLAGS, [0]) = 0",
        "7 unlinkat(3, \"a\", 0 <unfinished ...>",
    ] {
        assert!(is_change(line), "{line}");
    }
    for line in [
        "7 openat(AT_FDCWD, \"a\", O_RDONLY|O_CLOEXEC) = 3",
        "7 openat(AT_FDCWD, \".\", O_RDWR|O_CLOEXEC|O_TMPFILE, 0600) = 3",
        "7 ioctl(1, TCGETS, 0x7ffc) = -1 ENOTTY (Inappropriate ioctl for device)",
        "7 <... ioctl resumed>, 0x7fff) = -1 ENOTTY (Inappropriate ioctl for device)",
        "7 +++ exited with 0 +++",
    ] {
        assert!(!is_change(line), "{line}");
    }
}

/// What a command did wrong that was to do nothing.
fn changes(command: &Command) -> (Vec<String>, String) {
    let mut lines = strace::trace(&format!("{CHANGES},{MAY_CHANGE}"), command);
    let end = lines.pop().unwrap_or_default();
    lines.retain(|line| is_change(line));
    (lines, end)
}

/// Links, trees and files of every sort, and a history with operations in the database and in the queue.
struct World {
    linkctl: Linkctl,
    other: Volume,
}

impl World {
    fn new() -> World {
        let (linkctl, other) = (Linkctl::new(), Volume::new(Fs::Tmpfs, 16 << 20));
        tree!(linkctl.work(), {
            "file" => file("one"), "second" => file("two"), "names/first" => file("three"),
            "names/hard" => hard("names/first"), "old" => symlink("file"), "place" => dir, "gone" => symlink("file"),
            "links/a" => symlink("../file"), "links/full" => symlink(linkctl.at("file")), "links/l" => symlink("a"),
            "broken/lost" => symlink("gone/unique-name"), "found/unique-name" => file("four"),
            "tree/f" => file("five"), "tree/out" => symlink("../file"), "tree/d/e" => file("six"),
            "near/f" => file("seven"), "near/out" => symlink("../file"), "far/f" => file("eight"),
        });
        let far = other.path().join("far");
        // Each is in the database: with --json its number is printed.
        let operations: [&[&str]; 7] = [
            &["create", "made", "file"],
            &["create", "--replace", "old", "second"],
            &["create", "--kind", "hard", "made-hard", "second"],
            &["remove", "gone"],
            &["move", "near", "place/near", "--yes"],
            &["move", "far", far.to_str().unwrap(), "--yes"],
            &["track", "links", "broken"],
        ];
        for args in operations {
            linkctl.ok([args, &["--json"]].concat());
        }
        linkctl.ok(["create", "queued", "file"]);
        let world = World { linkctl, other };
        assert!(world.queue_length() > 0, "the last operation is not in the queue");
        world
    }

    fn queue_length(&self) -> u64 {
        fs::metadata(self.linkctl.state().join("journal.queue")).map_or(0, |queue| queue.len())
    }

    /// Every changing verb, each as it would change something.
    fn commands(&self) -> Vec<Vec<String>> {
        let away = self.other.path().join("tree").to_str().unwrap().to_owned();
        let file = self.linkctl.at("file").to_str().unwrap().to_owned();
        let commands: [&[&str]; 27] = [
            &["create", "new", "file"],
            &["create", "--replace", "old", "third"],
            &["create", "--parents", "new/deep/link", &file],
            &["create", "--into", "place", &file, "elsewhere/any"],
            &["create", "--kind", "hard", "new", "file"],
            &["create", "--relative", "place/new", "file"],
            &["remove", "made"],
            &["remove", "--kind", "hard", "names/hard"],
            &["remove", "--recursive", "links"],
            &["move", "tree", "place/tree"],
            &["move", "tree", &away],
            &["move", "tree", &away, "--search", ".", "--retarget"],
            &["restore", "near"],
            &["restore", "far"],
            &["undo"],
            &["undo", "1"],
            &["undo", "2"],
            &["undo", "3"],
            &["undo", "4"],
            &["undo", "5"],
            &["undo", "6"],
            &["repair", "broken", "--search", ".", "--min-confidence", "weak"],
            &["repair", "--relative", "links"],
            &["track", "links"],
            &["track", "--refresh"],
            &["untrack", "links"],
            &["drop-ins", "bin"],
        ];
        let owned = commands.into_iter().map(|args| args.iter().map(|arg| (*arg).to_owned()).collect());
        owned.chain([vec!["recover".to_owned()]]).collect()
    }

    /// Runs each command with --dry-run. Beside what is `tolerated`, none of them makes or changes anything.
    #[track_caller]
    fn assert_nothing_changes(&self, tolerated: fn(&str) -> bool) {
        let places = [self.linkctl.work(), self.linkctl.state(), &self.other.path()];
        let before = places.map(Snapshot::of);
        for args in self.commands() {
            let mut command = self.linkctl.command(&args);
            command.arg("--dry-run");
            let (mut changes, end) = changes(&command);
            changes.retain(|line| !tolerated(line));
            assert!(end.ends_with("+++ exited with 0 +++"), "{args:?}: {end}: {}", self.linkctl.output(&args));
            assert!(changes.is_empty(), "{args:?}: {changes:#?}");
            for snapshot in &before {
                let differences = snapshot.differences();
                let differences: Vec<_> = differences.lines().filter(|line| !tolerated(line)).collect();
                assert_eq!(differences, [""; 0], "{args:?}");
            }
        }
    }
}

/// SQLite opens a log that was left open in this way, also where it only reads the database, and to root gives the log and
/// its index the owner that they have already. It writes nothing.
fn is_of_open_log(line: &str) -> bool {
    line.contains("/journal.db-wal\", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC")
        || line.split_once(' ').is_some_and(|(_, call)| call.trim().starts_with("fchown(") && call.contains(", 0, 0) "))
        || ["~ journal.db-wal: ctime was ", "~ journal.db-shm: ctime was "].iter().any(|start| line.starts_with(start))
}

#[test]
fn no_verb_changes_anything_with_operations_in_the_database_and_in_the_queue() {
    World::new().assert_nothing_changes(|_| false);
}

#[test]
fn no_verb_changes_a_journal_that_a_killed_program_left_open() {
    let world = World::new();
    let command = world.linkctl.command(["create", "half", "file", "--json"]);
    let killed = strace::inject("symlinkat:signal=SIGKILL", &command);
    assert_eq!(killed.status.signal(), Some(9));
    world.linkctl.ok(["create", "queued-too", "file"]);
    let log = world.linkctl.state().join("journal.db-wal");
    assert!(log.metadata().is_ok_and(|log| log.len() > 0), "no log is left");
    assert!(world.queue_length() > 0);
    world.assert_nothing_changes(is_of_open_log);
}

#[test]
fn no_verb_brings_an_older_journal_up_to_date() {
    let world = World::new();
    let connection = Connection::open(world.linkctl.database()).unwrap();
    connection
        .execute_batch(
            "DROP TABLE trees; DROP INDEX operations_that_move; ALTER TABLE operations DROP COLUMN moves_trees;
             CREATE INDEX operations_that_move ON operations (id) WHERE verb IN ('move', 'restore', 'undo');
             PRAGMA user_version = 7",
        )
        .unwrap();
    drop(connection);
    assert!(world.queue_length() > 0);
    world.assert_nothing_changes(|_| false);
}

#[test]
fn a_dry_run_without_a_journal_begins_none() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "file" => file("one"), "l" => symlink("file"), "tree/f" => file("two") });
    let before = Snapshot::of(linkctl.state().parent().unwrap());
    let all: [&[&str]; 6] = [
        &["create", "new", "file"],
        &["remove", "l"],
        &["move", "tree", "moved"],
        &["repair", "."],
        &["track", "."],
        &["recover"],
    ];
    for args in all {
        let mut command = linkctl.command(args);
        command.arg("--dry-run");
        let (changes, end) = changes(&command);
        assert!(changes.is_empty() && end.ends_with("+++ exited with 0 +++"), "{args:?}: {end}: {changes:#?}");
        before.assert_unchanged();
    }
}

#[test]
fn recover_with_an_interrupted_move_to_finish_changes_nothing() {
    let (linkctl, other) = (Linkctl::new(), Volume::new(Fs::Tmpfs, 16 << 20));
    tree!(linkctl.work(), { "tree/f" => file("one") });
    let mut command = linkctl.command(["move", "tree", other.path().join("tree").to_str().unwrap(), "--yes"]);
    let ended = command.env("LINKCTL_CRASH_AT_PHASE", "4").output().unwrap();
    assert_eq!(ended.status.signal(), Some(6));
    assert_eq!(leftovers(other.path()).len(), 1);
    let places = [linkctl.work(), linkctl.state(), &other.path()];
    let before = places.map(Snapshot::of);
    let other_path = other.path();
    for args in [&["recover", "--dry-run"] as &[&str], &["recover", "--dry-run", other_path.to_str().unwrap()]] {
        let (mut changes, end) = changes(&linkctl.command(args));
        changes.retain(|line| !is_of_open_log(line));
        assert!(changes.is_empty() && end.ends_with("+++ exited with 0 +++"), "{end}: {changes:#?}");
        let differences: String = before.iter().map(Snapshot::differences).collect();
        let differences: Vec<_> = differences.lines().filter(|line| !is_of_open_log(line)).collect();
        assert_eq!(differences, [""; 0], "{args:?}");
    }
}

#[test]
fn what_only_a_try_can_tell_is_listed_as_not_tried() {
    let world = World::new();
    for args in world.commands() {
        let moves_a_tree = match args[0].as_str() {
            "move" | "restore" => true,
            "undo" => args.get(1).is_some_and(|number| ["5", "6"].contains(&number.as_str())),
            _ => false,
        };
        let with = |more: &[&str]| [args.clone(), more.iter().map(ToString::to_string).collect()].concat();
        let text = world.linkctl.ok(with(&["--dry-run"]));
        assert_eq!(text.err.contains("not tried: "), moves_a_tree, "{args:?}: {text}");
        let json = world.linkctl.ok(with(&["--dry-run", "--json"])).json();
        let listed = json["not_tried"].as_array().cloned().unwrap_or_default();
        assert_eq!(!listed.is_empty(), moves_a_tree, "{args:?}: {json}");
        for finding in &listed {
            assert_eq!(finding["severity"], "not-tried", "{finding}");
            assert!(finding["code"].is_string() && finding["text"].is_string(), "{finding}");
        }
    }
}

/// A tree at home on a volume of its own, with a place for it elsewhere.
fn at_home(volume: &Volume) -> (Linkctl, Volume) {
    let other = Volume::new(Fs::Tmpfs, 16 << 20);
    tree!(volume.path(), { "home/tree/f" => file("one"), "home/tree/out" => symlink("../x"), "home/beside" => dir });
    (Linkctl::on(volume.path()), other)
}

fn set_immutable(path: &Path, sign: &str) {
    let status = Command::new("chattr").arg(format!("{sign}i")).arg(path).status().unwrap();
    assert!(status.success());
}

/// Refused for safety, with everything as it was and nothing more in the history.
#[track_caller]
fn assert_refused(linkctl: &Linkctl, args: &[&str], places: &[&Path], what: &str) {
    let operations = linkctl.history().len();
    let before: Vec<_> = places.iter().map(Snapshot::of).collect();
    let dry = linkctl.output([args, &["--dry-run"]].concat());
    for snapshot in &before {
        assert_eq!(snapshot.differences(), "", "{what}, dry: {dry}");
    }
    let ran = linkctl.output([args, &["--yes"]].concat());
    assert_eq!(ran.code(), Some(4), "{what}: {ran}");
    for snapshot in &before {
        assert_eq!(snapshot.differences(), "", "{what}: {ran}");
    }
    assert_eq!(linkctl.history().len(), operations, "{what}: {ran}");
}

#[test]
fn a_move_whose_link_cannot_be_made_is_refused_before_its_first_change() {
    let mut volume = Volume::new(Fs::Ext4, 16 << 20);
    let (linkctl, other) = at_home(&volume);
    let (home, dst) = (volume.path().join("home"), other.path().join("tree"));
    let places = [home.as_path(), &other.path()];
    set_immutable(&home, "+");
    for dst in [dst.to_str().unwrap(), "home/beside/tree"] {
        let args = ["move", "home/tree", dst];
        let dry = linkctl.ok([&args as &[&str], &["--dry-run"]].concat());
        assert!(dry.err.contains("not tried: "), "{dry}");
        assert_refused(&linkctl, &args, &places, &format!("an immutable directory, to {dst}"));
    }
    set_immutable(&home, "-");
    volume.remount_read_only();
    assert_refused(&linkctl, &["move", "home/tree", dst.to_str().unwrap()], &places, "a read-only file system");
}

#[test]
fn a_tree_whose_link_cannot_be_taken_away_is_not_brought_back() {
    let volume = Volume::new(Fs::Ext4, 16 << 20);
    let (linkctl, other) = at_home(&volume);
    let (home, dst) = (volume.path().join("home"), other.path().join("tree"));
    linkctl.ok(["move", "home/tree", dst.to_str().unwrap(), "--yes"]);
    let places = [home.as_path(), &other.path()];
    set_immutable(&home, "+");
    assert_refused(&linkctl, &["restore", "home/tree"], &places, "restore");
    assert_refused(&linkctl, &["undo", "1"], &places, "undo");
    set_immutable(&home, "-");
    linkctl.ok(["undo", "1", "--yes"]);
    assert!(home.join("tree/f").metadata().is_ok_and(|found| found.nlink() == 1));
}

fn use_up_inodes(volume: &Volume) {
    let mut numbers = 0..;
    while fs::write(volume.path().join(format!("filler-{}", numbers.next().unwrap())), "").is_ok() {}
}

#[test]
fn a_tree_is_not_brought_back_to_a_file_system_without_room_for_a_name() {
    let volume = Volume::with_options(Fs::Tmpfs, 16 << 20, "nr_inodes=32");
    let (linkctl, other) = at_home(&volume);
    let dst = other.path().join("tree");
    linkctl.ok(["move", "home/tree", dst.to_str().unwrap(), "--yes"]);
    use_up_inodes(&volume);
    let places = [volume.path(), other.path()];
    let places = places.each_ref().map(std::path::PathBuf::as_path);
    assert_refused(&linkctl, &["restore", "home/tree"], &places, "restore");
    assert_refused(&linkctl, &["undo", "1"], &places, "undo");
}

#[test]
fn a_move_from_a_file_system_without_room_for_a_name_is_refused_before_its_first_change() {
    let volume = Volume::with_options(Fs::Tmpfs, 16 << 20, "nr_inodes=32");
    let (linkctl, other) = at_home(&volume);
    use_up_inodes(&volume);
    let dst = other.path().join("tree");
    let places = [volume.path(), other.path()];
    let places = places.each_ref().map(std::path::PathBuf::as_path);
    assert_refused(&linkctl, &["move", "home/tree", dst.to_str().unwrap()], &places, "a full file system");
}

#[test]
fn no_tree_is_moved_from_or_to_a_home_without_symbolic_links() {
    let volume = Volume::new(Fs::Tmpfs, 16 << 20);
    let (linkctl, other) = at_home(&volume);
    let dst = other.path().join("tree");
    let tree = Snapshot::of(volume.path().join("home/tree"));
    // What vfat and exFAT say.
    let command = linkctl.command(["move", "home/tree", dst.to_str().unwrap(), "--yes"]);
    let ran = linkctl.said(strace::inject("symlinkat:error=EPERM", &command)).exits(4);
    tree.assert_unchanged();
    assert_eq!(leftovers(volume.path().join("home")), [""; 0], "{ran}");
    assert_eq!(crate::common::names(other.path()), [""; 0], "{ran}");
    assert!(linkctl.history().is_empty(), "{ran}");
    // Nor is it brought back to one.
    linkctl.ok(["move", "home/tree", dst.to_str().unwrap(), "--yes"]);
    let moved = Snapshot::of(other.path());
    for args in [&["restore", "home/tree", "--yes"] as &[&str], &["undo", "1", "--yes"]] {
        let ran = linkctl.said(strace::inject("symlinkat:error=EPERM", &linkctl.command(args))).exits(4);
        moved.assert_unchanged();
        assert_eq!(linkctl.target("home/tree"), dst.as_os_str().as_encoded_bytes(), "{ran}");
        assert_eq!(leftovers(volume.path().join("home")), [""; 0], "{ran}");
        assert_eq!(linkctl.history().len(), 1, "{ran}");
    }
}
