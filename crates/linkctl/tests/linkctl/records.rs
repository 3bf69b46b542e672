//! What the journal says is where to look: the disk that it finds there may be another by now.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{Linkctl, NOBODY, Ran, name, names, os, send_signal, wait_until};
use testkit::{Fs, Snapshot, Volume, strace, tree};

const CANNOT_UNDO: &str = "this change cannot be undone by linkctl";

#[track_caller]
fn run(program: &str, args: &[&Path]) {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}

/// An image mounted by hand, until dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(image: &Path, at: PathBuf) -> Mounted {
        run("mount", &[Path::new("-oloop"), image, &at]);
        Mounted(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let done = || Command::new("umount").arg(&self.0).output().unwrap().status.success();
        (0..100).find(|_| {
            done() || {
                std::thread::sleep(Duration::from_millis(20));
                false
            }
        });
    }
}

#[test]
fn another_volume_at_the_same_mount_point_is_not_taken_for_the_first() {
    let mut volume = Volume::new(Fs::Ext4, 0);
    let linkctl = Linkctl::on(volume.path());
    tree!(volume.path(), { "d" => dir, "old" => symlink("x") });
    linkctl.ok(["create", "d/l", "t"]);
    linkctl.ok(["remove", "old"]);
    let first = fs::symlink_metadata(linkctl.at("d/l")).unwrap();
    volume.unmount();
    // As alike as can be: a copy with another number of its own.
    let room = tempfile::tempdir().unwrap();
    let image = room.path().join("image");
    fs::copy(volume.image(), &image).unwrap();
    run("e2fsck", &[Path::new("-fy"), &image]);
    run("tune2fs", &[Path::new("-Urandom"), &image]);
    let other = Mounted::new(&image, volume.path());
    let second = fs::symlink_metadata(linkctl.at("d/l")).unwrap();
    assert_eq!((first.ino(), first.created().unwrap()), (second.ino(), second.created().unwrap()));
    let before = Snapshot::of(volume.path());
    for id in ["1", "2"] {
        linkctl.output(["undo", id]).exits(4).says("another volume is mounted there");
        before.assert_unchanged();
    }
    drop(other);
    // And one made independently, with the same numbers of inodes.
    let mut second = Volume::new(Fs::Ext4, 0);
    tree!(second.path(), { "d" => dir, "old" => symlink("x"), "d/l" => symlink("t") });
    second.unmount();
    let other = Mounted::new(&second.image(), volume.path());
    assert_eq!(fs::symlink_metadata(linkctl.at("d/l")).unwrap().ino(), first.ino());
    let before = Snapshot::of(volume.path());
    linkctl.output(["undo", "1"]).exits(4);
    before.assert_unchanged();
    drop(other);
    // Without any, it is not the directory below that is meant.
    linkctl.output(["undo", "1"]).exits(4).says("is its volume mounted?");
    assert!(names(volume.path()).is_empty());
    // The first one again, on other devices.
    let mut occupied = Vec::new();
    volume.mount();
    while fs::metadata(volume.path()).unwrap().dev() == first.dev() {
        volume.unmount();
        occupied.push(Volume::new(Fs::Ext4, 0));
        volume.mount();
    }
    linkctl.ok(["undo", "1"]);
    linkctl.ok(["undo", "2"]);
    assert_eq!((names(linkctl.at("d")), linkctl.target("old")), (vec![], b"x".to_vec()));
}

#[test]
fn an_undo_in_part_leaves_the_rest_to_be_undone() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "--into", ".", "x/l1", "x/l2", "x/l3"]);
    fs::rename(linkctl.at("l2"), linkctl.at("aside")).unwrap();
    tree!(linkctl.work(), { "l2" => file("mine") });
    linkctl.output(["undo"]).exits(4);
    assert!(linkctl.exists("l1") && linkctl.exists("l3"));
    linkctl.output(["undo", "--partial"]).exits(3).says("'[DIR]/l2'");
    assert_eq!(names(linkctl.work()), ["aside", "l2"]);
    let undone_by = |id: i64| {
        let history = linkctl.history();
        history.iter().find(|operation| operation["id"] == id).unwrap()["undone_by"].clone()
    };
    assert!(undone_by(1).is_null());
    // Nothing is left to do but what cannot be done: that is no undo either.
    linkctl.output(["undo", "--partial", "1"]).exits(4);
    assert!(undone_by(1).is_null());
    fs::rename(linkctl.at("aside"), linkctl.at("l2")).unwrap();
    linkctl.ok(["undo", "1"]);
    assert!(names(linkctl.work()).is_empty());
    assert!(!undone_by(1).is_null());
    linkctl.output(["undo", "1"]).exits(4).says("was undone already");
}

#[test]
fn a_link_that_remove_failed_on_and_another_deleted_does_not_come_back() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l1" => symlink("t"), "l2" => symlink("t") });
    let command = linkctl.command(["remove", "l1", "l2"]);
    linkctl.said(strace::inject("renameat2:error=EIO:when=2", &command)).exits(3).says("'l2'");
    fs::remove_file(linkctl.at("l2")).unwrap();
    linkctl.ok(["undo"]);
    assert_eq!(names(linkctl.work()), ["l1"]);
}

#[test]
fn what_a_later_command_made_is_not_the_killed_ones() {
    let linkctl = Linkctl::new();
    let six = ["t/l0", "t/l1", "t/l2", "t/l3", "t/l4", "t/l5"];
    let command = linkctl.command(["create", "--into", "."].iter().chain(&six));
    let killed = strace::inject("symlinkat:signal=SIGKILL:when=3", &command);
    assert_eq!(killed.status.signal(), Some(9));
    assert_eq!(linkctl.newest(), "create interrupted: 2 done, 0 failed of 6");
    linkctl.ok(["create", "--into", "."].iter().chain(&six[2..]));
    let first = &linkctl.history()[1];
    assert_eq!((&first["id"], &first["done"], &first["planned"]), (&1.into(), &2.into(), &6.into()));
    linkctl.ok(["undo", "1"]);
    assert_eq!(names(linkctl.work()), ["l2", "l3", "l4", "l5"]);
    linkctl.ok(["undo", "2"]);
    assert!(names(linkctl.work()).is_empty());
}

#[test]
fn a_file_swapped_in_before_a_killed_removal_is_told_and_kept() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("t"), "precious" => file("all there is") });
    let hold = linkctl.hold("renameat2:delay_enter=1000000:delay_exit=1000000:when=1", ["remove", "l"]);
    fs::rename(linkctl.at("precious"), linkctl.at("l")).unwrap();
    wait_until("it is renamed", || !linkctl.exists("l"));
    send_signal("KILL", hold.pid().unwrap());
    hold.end(&linkctl);
    let [left] = &names(linkctl.work())[..] else { panic!("{:?}", names(linkctl.work())) };
    let before = Snapshot::of(linkctl.work());
    for undo in [&["undo"] as &[&str], &["undo", "--partial"]] {
        let ran = linkctl.output(undo).exits(4);
        assert!(ran.err.contains(&format!("[DIR]/{left}")), "{left} is not named: {ran}");
        before.assert_unchanged();
    }
    assert_eq!(fs::read(linkctl.at(left)).unwrap(), b"all there is");
}

#[test]
fn in_a_directory_deeper_than_a_path_can_be_a_removed_link_comes_back() {
    let linkctl = Linkctl::new();
    fs::create_dir(linkctl.at("deep")).unwrap();
    let script = r#"cd deep; n=$(printf '%0200d' 0)
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do mkdir $n; cd -P $n; done
        ln -s t l; "$0" remove l; code=$?; ls -A; cd -; "$0" undo; cd - > /dev/null; ls -A; exit $code"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).arg(linkctl.program()).current_dir(linkctl.work());
    let ran = linkctl.said(bash.env("LINKCTL_STATE_DIR", linkctl.state()).output().unwrap());
    let ran = ran.exits(0);
    assert!(ran.out.starts_with("removed symlink l -> t\n") && ran.out.ends_with("\nl\n"), "{ran}");
}

#[test]
fn behind_a_link_and_deeper_than_a_path_can_be_links_are_made_and_removed_all_the_same() {
    let linkctl = Linkctl::new();
    fs::create_dir(linkctl.at("deep")).unwrap();
    symlink("deep", linkctl.at("way")).unwrap();
    let script = r#"way=$PWD/way; cd deep; n=$(printf '%0200d' 0)
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do mkdir $n; cd -P $n; way=$way/$n; done
        "$0" create "$way/l" t && readlink l && "$0" create --replace "$way/l" u && readlink l && "$0" remove "$way/l"
        code=$?; ls -A; exit $code"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).arg(linkctl.program()).current_dir(linkctl.work());
    let ran = linkctl.said(bash.env("LINKCTL_STATE_DIR", linkctl.state()).output().unwrap()).exits(0);
    let said: Vec<&str> = ran.out.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(said, ["t", "u"], "{ran}");
}

#[test]
fn a_journal_that_has_no_room_left_promises_no_undo() {
    let volume = Volume::with_options(Fs::Tmpfs, 1 << 20, "size=200k");
    let linkctl = Linkctl::new().with_state(volume.path().join("state"));
    let targets = (0..6000).map(|n| format!("target/{n}"));
    let args = ["create", "--into", "."].map(String::from).into_iter().chain(targets);
    let ran = linkctl.ok(args).says("warning: ").says(CANNOT_UNDO);
    assert_eq!(names(linkctl.work()).len(), 6000);
    assert!(linkctl.database().exists(), "it did not even begin: {ran}");
    assert!(!ran.out.contains("linkctl undo") && !ran.err.contains("`linkctl undo"), "{ran}");
}

#[test]
fn in_the_home_of_another_user_root_makes_nothing() {
    let linkctl = Linkctl::new();
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    for (link, inside) in [("l", ""), ("m", ".local/state"), ("n", ".local/state/linkctl")] {
        let inside = home.path().join(inside);
        fs::create_dir_all(&inside).unwrap();
        for dir in inside.ancestors().take_while(|dir| dir.starts_with(home.path())) {
            chown(dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let before = Snapshot::of(home.path());
        let mut command = linkctl.command(["create", link, "t"]);
        command.env_remove("LINKCTL_STATE_DIR").env("HOME", home.path()).env("SUDO_USER", "nobody");
        let ran = linkctl.said(command.output().unwrap()).exits(0).says("warning: ").says(CANNOT_UNDO);
        assert_eq!((linkctl.target(link), before.differences().as_str()), (b"t".to_vec(), ""), "{ran}");
    }
}

#[test]
fn a_journal_that_another_group_could_have_written_is_not_believed() {
    for file in [false, true] {
        let linkctl = Linkctl::new();
        linkctl.ok(["create", "l", "t", "--json"]);
        let path = if file { linkctl.database() } else { linkctl.state().to_owned() };
        chown(&path, None, Some(1000)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o770)).unwrap();
        linkctl.ok(["create", "m", "t"]).says("can be written by its group").says(CANNOT_UNDO);
        linkctl.output(["undo"]).exits(3).says("can be written by its group");
        assert_eq!(names(linkctl.work()), ["l", "m"]);
    }
}

/// Names below the work directory: with owner, group, time of links, target, and how many names a file has.
fn state(linkctl: &Linkctl) -> Vec<String> {
    let mut find = Command::new("find");
    find.args([".", "-type", "l", "-printf", "%p %u %g %T@ %l\\n", "-o", "-printf", "%p %y %n\\n"]);
    let output = find.current_dir(linkctl.work()).output().unwrap();
    let mut lines: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(Into::into).collect();
    lines.sort();
    lines
}

/// A link with an owner and a time of its own, and a file with two names; then the command to be undone.
fn to_be_undone(args: &[&str]) -> (Linkctl, Vec<String>) {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("old"), "sub/f" => file("data"), "h" => hard("sub/f") });
    lchown(linkctl.at("l"), Some(1234), Some(4321)).unwrap();
    run("touch", &[Path::new("-hd"), Path::new("2001-02-03 04:05:06.789"), &linkctl.at("l")]);
    let before = state(&linkctl);
    linkctl.ok(args);
    assert_ne!(state(&linkctl), before);
    (linkctl, before)
}

const CALLS: [&str; 7] = ["symlinkat", "fchownat", "utimensat", "linkat", "renameat2", "unlinkat", "mkdirat"];

/// Kills the undo of a command before every call that changes something, once and twice; then it is undone.
fn killed_undo(args: &[&str], points: usize) {
    let lines = strace::trace(&CALLS.join(","), &to_be_undone(args).0.command(["undo"]));
    let count = |call: &str| lines.iter().filter(|line| line.contains(&format!(" {call}("))).count();
    let kills: Vec<_> = CALLS.iter().flat_map(|call| (1..=count(call)).map(move |n| (call, n))).collect();
    assert_eq!(kills.len(), points, "{args:?}: {lines:#?}");
    let mut wrong = String::new();
    for ((call, when), times) in kills.into_iter().flat_map(|kill| [(kill, 1), (kill, 2)]) {
        let (linkctl, before) = to_be_undone(args);
        let inject = format!("{call}:signal=SIGKILL:when={when}");
        for nth in 1..=times {
            let status = strace::inject(&inject, &linkctl.command(["undo"])).status;
            assert!(nth > 1 || status.signal() == Some(9), "{args:?} {inject}: {status}");
        }
        let (undo, now) = (linkctl.output(["undo", "1"]), state(&linkctl));
        // The second time it may have come to its end.
        let told = undo.code() == Some(0) || times == 2 && undo.err.contains("was undone already");
        if !told || now != before {
            wrong += &format!("{inject} {times} times: {undo}\nleft: {now:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{args:?}:\n{wrong}");
}

#[test]
fn a_killed_undo_of_a_removal_is_finished() {
    killed_undo(&["remove", "l"], 3);
}

#[test]
fn a_killed_undo_of_the_removal_of_a_name_is_finished() {
    killed_undo(&["remove", "--kind", "hard", "h"], 1);
}

#[test]
fn a_killed_undo_of_a_creation_with_its_directories_is_finished() {
    killed_undo(&["create", "--parents", "p/q/r", "t"], 4);
}

#[test]
fn a_killed_undo_of_a_replacement_is_finished() {
    killed_undo(&["create", "--replace", "l", "new"], 5);
}

#[test]
fn a_killed_undo_of_a_hard_link_is_finished() {
    killed_undo(&["create", "--kind", "hard", "n", "sub/f"], 2);
}

#[test]
fn json_has_no_character_that_a_terminal_obeys_and_gives_the_names_back() {
    const HOSTILE: [&str; 5] =
        ["del\x7f", "c1 \u{9b}31m", "bidi \u{202e}gpj.exe", "bell\x07 \x1b[2J", "\u{2066}\u{feff}"];
    let linkctl = Linkctl::new();
    let mut documents = Vec::new();
    for hostile in HOSTILE {
        documents.push(linkctl.ok(["create", "--json", hostile, &format!("to {hostile}")]));
        documents.push(linkctl.ok(["show", "--json", hostile]));
        documents.push(linkctl.output(["create", "--json", hostile, "t"]).exits(4));
    }
    documents.push(linkctl.ok(["history", "--json"]));
    documents.push(linkctl.ok(["history", "--json", "1"]));
    documents.push(linkctl.ok(["list", "--json"]));
    documents.push(linkctl.ok(["list", "--format", "ndjson"]));
    for document in &documents {
        let text = std::str::from_utf8(&document.bytes).unwrap();
        let raw = |c: char| c != '\n' && c.is_control() || "\u{202e}\u{2066}\u{feff}".contains(c);
        assert!(!text.contains(raw), "{text:?}");
    }
    let list = linkctl.ok(["list", "--json"]).json();
    let links = list["links"].as_array().unwrap();
    let found: Vec<_> = links.iter().map(|link| (name(&link["path"]), name(&link["target"]))).collect();
    assert_eq!(found.len(), HOSTILE.len());
    for hostile in HOSTILE {
        let pair = (hostile.as_bytes().to_vec(), format!("to {hostile}").into_bytes());
        assert!(found.contains(&pair) && linkctl.exists(os(hostile.as_bytes())), "{hostile:?}: {list}");
    }
    assert_eq!(name(&documents[0].json()["changes"][0]["path"]), HOSTILE[0].as_bytes());
}

#[test]
fn of_16_undos_of_one_operation_at_once_one_is_recorded() {
    for round in 0..6 {
        let linkctl = Linkctl::new();
        tree!(linkctl.work(), { "old" => symlink("x"), "f" => file("text") });
        let made: &[&str] = match round % 3 {
            0 => &["remove", "old"],
            1 => &["create", "--replace", "old", "y"],
            _ => &["create", "--kind", "hard", "name", "f"],
        };
        linkctl.ok(made);
        let number = linkctl.history()[0]["id"].clone();
        let id = number.to_string();
        let undos: Vec<_> = (0..16)
            .map(|_| linkctl.command(["undo", &id]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let ran: Vec<Ran> = undos.into_iter().map(|undo| linkctl.said(undo.wait_with_output().unwrap())).collect();
        let done = ran.iter().filter(|ran| ran.code() == Some(0)).count();
        let refused = ran.iter().filter(|ran| ran.code() == Some(4)).count();
        assert_eq!((done, refused), (1, 15), "{made:?}: {ran:#?}");
        let undos = linkctl.history().into_iter().filter(|operation| operation["undoes"] == number).count();
        assert_eq!(undos, 1, "{made:?}");
        assert_eq!(names(linkctl.work()), ["f", "old"], "{made:?}");
        assert_eq!(linkctl.target("old"), b"x", "{made:?}");
    }
}
