//! `linkctl list` and `linkctl show`.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Linkctl, find, name, os};
use insta::assert_snapshot;
use testkit::{Fs, Snapshot, Volume, tree, trees};

/// What `list --json` tells: path and target.
fn listed(linkctl: &Linkctl, dir: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let json = linkctl.ok([os(b"list"), os(b"--json"), dir.as_os_str()]).json();
    assert_eq!(json["schema"], 1);
    let links = json["links"].as_array().unwrap();
    let map: BTreeMap<_, _> = links.iter().map(|link| (name(&link["path"]), name(&link["target"]))).collect();
    assert_eq!(map.len(), links.len(), "a link is listed twice");
    map
}

/// The paths that `list` gives with these arguments, from the work directory.
fn paths(linkctl: &Linkctl, args: &[&str]) -> String {
    let ran = linkctl.ok([&["list", "--format", "paths"], args].concat());
    let mut lines: Vec<&str> = ran.out.lines().collect();
    lines.sort_unstable();
    lines.join(" ")
}

#[test]
fn list_finds_what_find_finds_beyond_path_max() {
    let linkctl = Linkctl::new();
    for depth in [500, 2100] {
        let dir = linkctl.at(depth.to_string());
        fs::create_dir(&dir).unwrap();
        let deep = trees::deep(&dir, depth);
        let mut make = Command::new("find");
        make.arg(deep.top()).args(["-name", "bottom", "-execdir", "ln", "-s", "bottom", "link", ";"]);
        assert!(make.status().unwrap().success());
        let found = find(deep.top());
        assert_eq!(found.len(), 1);
        assert_eq!(listed(&linkctl, deep.top()), found);
        let path = found.keys().next().unwrap();
        let shown = linkctl.ok([os(b"show"), os(b"--json"), os(path)]).json();
        assert_eq!(shown["links"][0]["state"], "ok", "depth {depth}: {shown}");
        linkctl.ok([os(b"remove"), os(path)]);
        assert!(find(deep.top()).is_empty());
        linkctl.ok(["undo"]);
        assert_eq!(find(deep.top()), found, "depth {depth}");
    }
}

#[test]
fn list_usr_is_what_find_finds_in_every_format() {
    let linkctl = Linkctl::new();
    let found = find("/usr");
    assert_eq!(listed(&linkctl, Path::new("/usr")), found);
    let null = linkctl.ok(["list", "-0", "/usr"]).bytes;
    let mut paths: Vec<_> = null.strip_suffix(b"\0").unwrap().split(|byte| *byte == 0).collect();
    paths.sort_unstable();
    assert!(paths.into_iter().eq(found.keys().map(Vec::as_slice)));
    let lines = linkctl.ok(["list", "--format", "ndjson", "/usr"]).out;
    let records = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert_eq!(records.filter(|record| record["kind"] == "symlink").count(), found.len());
    let text = linkctl.ok(["list", "--format", "csv", "/usr"]).bytes;
    let mut csv = csv::Reader::from_reader(text.as_slice());
    assert_eq!(csv.records().map(Result::unwrap).count(), found.len());
    assert_eq!(linkctl.ok(["list", "/usr"]).out.lines().count(), found.len() + 1);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_listed() {
    let linkctl = Linkctl::nobody();
    tree!(linkctl.work(), {
        "locked/f" => file(""), "locked/hidden" => symlink("f"), "into" => symlink("locked/f"), "z" => symlink("into"),
    });
    fs::set_permissions(linkctl.at("locked"), Permissions::from_mode(0o000)).unwrap();
    assert_snapshot!(linkctl.run(["list"]), @"
    exit: 3
    -- out
    KIND     STATE   LINK
    symlink  denied  into -> locked/f
    symlink  denied  z -> into
    -- err
    error: cannot read directory 'locked': permission denied
    hint: `linkctl doctor` on the directory tells what this user can do there
    ");
    let json = linkctl.output(["list", "--json"]).exits(3).json();
    assert_eq!(json["errors"][0]["kind"], "permission-denied");
    assert_eq!(json["links"].as_array().unwrap().len(), 2);
    assert_eq!(linkctl.output(["list", "--broken", "into"]).exits(0).out, "");
    linkctl.output(["list", "no-such-place", "into"]).exits(3).says("no-such-place");
}

#[test]
fn filters_leave_out_what_they_say() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "a/to-lib" => symlink("/usr/lib/x"), "a/back" => symlink("C:\\Games\\x"), "b/to-bin" => symlink("/usr/bin"),
        "node_modules/deep/l" => symlink("x"), "b/keep.l" => symlink("y"), "b/drop.l" => symlink("y"),
        "f" => file(""), "h" => hard("f"),
    });
    let list = |args: &[&str]| paths(&linkctl, args);
    assert_eq!(list(&["--target", "/usr/*"]), "a/to-lib b/to-bin");
    assert_eq!(list(&["--target", "*/lib/*"]), "a/to-lib");
    assert_eq!(list(&["--target", "C:\\Games\\*"]), "a/back");
    assert_eq!(list(&["--target", "[xy]"]), "b/drop.l b/keep.l node_modules/deep/l");
    let rest = "a/back a/to-lib b/to-bin";
    assert_eq!(list(&["--exclude", "node_modules", "--exclude", "*.l"]), rest);
    assert_eq!(list(&["--exclude", "*.l", "--exclude", "!keep.l", "--exclude", "/a", "b"]), "b/keep.l b/to-bin");
    assert_eq!(list(&["--exclude", "/deep", "node_modules"]), "");
    assert_eq!(list(&["--kind", "symlink", "--state", "ok"]), "b/to-bin");
    assert_eq!(list(&["--kind", "junction"]), "");
    assert_eq!(list(&["--kind", "symlink", "--kind", "hard", "--exclude", "*/"]), "f h");
    linkctl.output(["list", "--target", "[a"]).exits(2);
    linkctl.output(["list", "--state", "well"]).exits(2).says("ok, missing, loop");
}

#[test]
fn hard_groups_count_the_names_outside_the_search() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "in/a" => file("12345"), "in/sub/b" => hard("in/a"), "out/c" => hard("in/a"), "in/alone" => file(""),
        "in/link" => symlink("a"), "in/first" => file(""), "out/first" => hard("in/first"),
    });
    assert_snapshot!(linkctl.run(["list", "--hard", "in"]), @"
    exit: 0
    -- out
    KIND  STATE  LINK
    hard  ok     2 of 3 names, 5 bytes
                   in/a
                   in/sub/b
    hard  ok     1 of 2 names, 0 bytes
                   in/first
    ");
    let group = &linkctl.ok(["list", "--hard", "--json", "in"]).json()["links"][0];
    assert_eq!([&group["links"], &group["outside"], &group["size"]], [3, 1, 5]);
    assert_eq!(paths(&linkctl, &["--hard", "in"]), "in/a in/first in/sub/b");
}

#[test]
fn one_file_system_does_not_enter_a_mount() {
    let volume = Volume::new(Fs::Tmpfs, 0);
    let outer = volume.path().parent().unwrap().to_owned();
    tree!(outer, { "outer" => symlink("x") });
    tree!(volume.path(), { "inner" => symlink("y") });
    let linkctl = Linkctl::on(&outer);
    assert_eq!(paths(&linkctl, &[]), "mnt/inner outer");
    assert_eq!(paths(&linkctl, &["--one-file-system"]), "outer");
    assert_eq!(paths(&linkctl, &["--one-file-system", "mnt"]), "mnt/inner");
}

#[test]
fn csv_cells_never_begin_a_formula() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "=1+1" => symlink("=cmd|'calc'!A0"), "-x" => symlink("@a"), "q\"," => symlink("+1\n"),
        "a=1" => symlink("-1"), "tab" => symlink("\t=1"),
    });
    let ran = linkctl.ok(["list", "--format", "csv", "=1+1", "./-x", "q\",", "a=1", "tab"]);
    let mut csv = csv::Reader::from_reader(ran.bytes.as_slice());
    let mut rows: Vec<_> =
        csv.records().map(|row| row.unwrap()).map(|row| (row[0].to_owned(), row[2].to_owned())).collect();
    // In which order several threads find them is nobody's business.
    rows.sort();
    let own = |path: &str, target: &str| (path.to_owned(), target.to_owned());
    let [formula, dash] = [own("'=1+1", "'=cmd|'calc'!A0"), own("./-x", "'@a")];
    assert_eq!(rows, [formula, dash, own("a=1", "'-1"), own("q\",", "'+1\\n"), own("tab", "\\t=1")]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let linkctl = Linkctl::new();
    // The csv crate hides what sort of error it met.
    for format in ["table", "json", "ndjson", "csv", "paths"] {
        let mut command = linkctl.command(["list", "--format", format, "/usr"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut byte = [0];
        child.stdout.take().unwrap().read_exact(&mut byte).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{format}");
    }
}

#[test]
fn on_a_terminal_paths_are_escaped_and_in_a_pipe_they_are_not() {
    testkit::require!(tool "script");
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { b"\x1b[2Jx" => symlink("y") });
    assert_eq!(linkctl.ok(["list", "--format", "paths"]).bytes, b"\x1b[2Jx\n");
    let line = format!("{} list --format paths", linkctl.program().display());
    let output =
        Command::new("script").args(["-qec", &line, "/dev/null"]).current_dir(linkctl.work()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\\x1b[2Jx") && !said.contains("\x1b[2Jx"), "{said:?}");
}

#[test]
fn show_names_the_hop_that_fails() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a" => symlink("sub/b"), "sub/b" => symlink("../c/d"), "c" => symlink("gone") });
    assert_snapshot!(linkctl.run(["show", "a"]), @"
    exit: 0
    -- out
    path        a
    kind        symlink
    target      sub/b
    state       missing
    names       1

    chain
       1  symlink  [DIR]/a -> sub/b
       2  symlink  [DIR]/sub/b -> ../c/d
       3  symlink  [DIR]/c -> gone
          fails at [DIR]/gone: no such file or directory
    ");
    tree!(linkctl.work(), { "x" => symlink("y"), "y" => symlink("x") });
    let chain = &linkctl.ok(["show", "--json", "x"]).json()["links"][0]["chain"];
    assert_eq!(name(&chain["failed_at"]), linkctl.at("x").as_os_str().as_encoded_bytes());
    assert!(linkctl.run(["show", "x"]).contains("state       loop\n"));
}

#[test]
fn show_finds_the_other_names_of_a_file_where_it_is_told_to_look() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d/a" => file("1"), "d/b" => hard("d/a"), "far/away/c" => hard("d/a"), "d/l" => symlink("a") });
    assert_snapshot!(linkctl.run(["show", "d/a"]), @"
    exit: 0
    -- out
    path        d/a
    kind        hard
    state       ok
    names       3
    size        1 bytes

    2 of 3 names found
      d/a
      d/b
    looked in 'd'
    --search DIR looks further, for example in the root of the file system
    ");
    // `./d/b` and `d/b` are one name.
    let names = &linkctl.ok(["show", "--json", "--search", ".", "d/a"]).json()["links"][0]["names"];
    assert_eq!(names["complete"], true, "{names}");
    let found: Vec<_> = names["found"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(found.len(), 3, "{names}");
    assert!(found[0].ends_with(b"d/a") && found[2].ends_with(b"far/away/c"), "{names}");
}

#[test]
fn show_tells_files_and_directories_and_dumps_what_is_stored() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d" => dir, "f" => file("12"), "l" => symlink("d\x1b"), "p" => fifo });
    let first = |path: &str| linkctl.ok(["show", "--json", path]).json()["links"][0].clone();
    assert_eq!(
        [first("d")["kind"].clone(), first(".")["kind"].clone(), first("f")["kind"].clone()],
        ["directory", "directory", "file"]
    );
    assert_eq!([&first("p")["kind"], &first("f")["size"]], [&serde_json::json!("special"), &serde_json::json!(2)]);
    assert_snapshot!(linkctl.run(["show", "d/"]), @"
    exit: 0
    -- out
    path        d
    kind        directory (no link)
    ");
    let raw = linkctl.ok(["show", "--raw", "l"]).out;
    assert!(raw.contains("0000:  64 1b "), "{raw}");
    linkctl.output(["show", "nothing"]).exits(3).says("cannot read 'nothing'");
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
fn a_slash_at_the_end_asks_for_a_directory_that_is_there() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "f" => file("text"), "d/x" => symlink("y"), "to-d" => symlink("d"), "to-f" => symlink("f"), "dead" => symlink("gone")
    });
    let before = Snapshot::of(linkctl.work());
    let refused: [&[&str]; 27] = [
        &["create", "new/", "f"],
        &["create", "new/.", "f"],
        &["create", "new/", "d"],
        &["create", "new//", "f", "--json"],
        &["create", "new/", "f", "--dry-run"],
        &["create", "a/new/", "f", "--parents"],
        &["create", "f/", "d", "--replace"],
        &["create", "--kind", "hard", "new/", "f"],
        &["create", "--kind", "hard", "new", "f/"],
        &["mklink", "q/", "f"],
        &["mklink", "/d", "q/", "d"],
        &["mklink", "/h", "q/", "f"],
        &["mklink", "/h", "q", "f/"],
        &["fsutil", "hardlink", "create", "q/", "f"],
        &["fsutil", "hardlink", "list", "f/"],
        &["move", "--yes", "f", "nosuch/"],
        &["move", "--yes", "d", "nosuch/"],
        &["move", "--yes", "f/", "nosuch"],
        &["move", "--dry-run", "f", "nosuch/"],
        &["show", "f/"],
        &["show", "f/.", "--json"],
        &["show", "to-f/"],
        &["show", "dead/"],
        &["remove", "to-f/"],
        &["list", "f/"],
        &["list", "--points-to", "f/"],
        &["dir", "f/"],
    ];
    for words in refused {
        let ran = linkctl.output(words);
        assert!(matches!(ran.code(), Some(1 | 3 | 4)), "{words:?}: {ran}");
        before.assert_unchanged();
    }
    linkctl.output(["create", "new/", "f"]).exits(4).says("it ends in a slash");
    linkctl.output(["move", "--yes", "f", "nosuch/"]).exits(4).says("it ends in a slash");
    for words in [["show", "d/"], ["show", "to-d/"], ["list", "d/"], ["check", "d/"], ["dir", "to-d/"]] {
        assert!(matches!(linkctl.output(words).code(), Some(0 | 1)), "{words:?}");
    }
    linkctl.ok(["remove", "to-d/"]);
}

#[test]
fn a_separator_of_windows_at_the_end_asks_for_a_directory_on_ntfs() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = Linkctl::on(volume.path());
    tree!(volume.path(), { "f" => file("text"), "d" => dir });
    let before = Snapshot::of(linkctl.work());
    for words in [
        &["mklink", "q/", "f"] as &[&str],
        &["mklink", "q\\", "f"],
        &["mklink", "/h", "q\\", "f"],
        &["mklink", "/h", "q", "f\\"],
        &["create", "q/", "f"],
        &["create", "--kind", "junction", "q/", "d"],
        &["fsutil", "reparsepoint", "query", "f\\"],
        &["dir", "f\\"],
    ] {
        let ran = linkctl.output(words);
        assert!(matches!(ran.code(), Some(1 | 3 | 4)), "{words:?}: {ran}");
        before.assert_unchanged();
    }
    // A junction is a directory wherever it leads, and Windows makes it under such a name.
    linkctl.ok(["mklink", "/j", "j\\", "C:\\gone"]);
    linkctl.ok(["remove", "j/"]).says("");
}
