//! `linkctl create`: what it makes, what it stores, and what it refuses.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::common::{Linkctl, leftovers, name, names, os};
use insta::assert_snapshot;
use testkit::{Fs, Snapshot, Volume, tree};

#[test]
fn auto_says_what_it_made() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "dir/f" => file("text") });
    assert_snapshot!(linkctl.run(["create", "to-file", "dir/f"]), @"
    exit: 0
    -- out
    created symlink to-file -> dir/f
    ");
    assert_snapshot!(linkctl.run(["create", "to-dir", "dir"]), @"
    exit: 0
    -- out
    created symlink to-dir -> dir
    ");
    assert_eq!(fs::read(linkctl.at("to-dir/f")).unwrap(), b"text");
}

#[test]
fn absolute_is_read_from_the_current_directory() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "sub" => dir, "f" => file("") });
    linkctl.output_in(linkctl.at("sub"), ["create", "--absolute", "../d", "../f"]).exits(0);
    assert_eq!(linkctl.target("d"), linkctl.at("f").as_os_str().as_encoded_bytes());
    linkctl.ok(["create", "--absolute", "missing", "sub/nowhere"]);
    assert_eq!(linkctl.target("missing"), linkctl.at("sub/nowhere").as_os_str().as_encoded_bytes());
}

#[test]
fn replace_makes_the_new_link_beside_the_old_and_renames_it_into_place() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "link" => symlink("old") });
    let command = linkctl.command(["create", "--replace", "link", "new"]);
    let lines = testkit::strace::trace("symlink,symlinkat,rename,renameat,renameat2,unlink,unlinkat,linkat", &command);
    let ours: Vec<_> = lines.iter().filter(|line| line.contains("\"link\"") || line.contains(".linkctl-")).collect();
    assert!(ours[0].contains("symlinkat(\"new\", ") && ours[0].contains(".linkctl-"), "{ours:#?}");
    assert!(ours[1].contains("renameat") && ours[1].contains("\"link\""), "{ours:#?}");
    assert!(ours[2..].iter().all(|line| !line.contains("\"link\"")), "{ours:#?}");
    assert_eq!(linkctl.target("link"), b"new");
    assert!(leftovers(linkctl.work()).is_empty());
}

#[test]
fn replace_by_the_same_target_changes_nothing() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "link" => symlink("same") });
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["create", "--replace", "link", "same"]), @"
    exit: 0
    -- out
    nothing to do
    -- err
    note: 'link': the target does not exist
    note: 'link': the link is there already and says the same
    ");
    before.assert_unchanged();
}

#[test]
fn replace_takes_a_link_to_a_directory_itself_and_never_a_file_or_directory() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a/f" => file(""), "b" => dir, "link" => symlink("a"), "file" => file("") });
    linkctl.ok(["create", "--replace", "link", "b"]);
    assert_eq!(linkctl.target("link"), b"b");
    linkctl.ok(["create", "--replace", "link/", "a"]);
    assert_eq!(linkctl.target("link"), b"a");
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["create", "--replace", "file", "a"]), @"
    exit: 4
    -- err
    error: cannot create link 'file' to 'a': a file has this name, and only links are replaced
    hint: choose another name, or move away what has it
    ");
    linkctl.output(["create", "--replace", "b", "a"]).exits(4).says("a directory has this name");
    before.assert_unchanged();
}

#[test]
fn parents_are_made_only_when_asked_for() {
    let linkctl = Linkctl::new();
    assert_snapshot!(linkctl.run(["create", "a/b/link", "t"]), @"
    exit: 3
    -- err
    error: cannot create link 'a/b/link' to 't': no such file or directory
    hint: make its directory first, or let --parents do it
    ");
    assert!(names(linkctl.work()).is_empty());
    assert_snapshot!(linkctl.run(["create", "--parents", "a/b/link", "t"]), @"
    exit: 0
    -- out
    made directory a
    made directory a/b
    created symlink a/b/link -> t
    -- err
    note: 'a/b/link': the target does not exist
    ");
    tree!(linkctl.work(), { "target" => file("") });
    linkctl.ok(["create", "--parents", "--relative", "x/y/link", "target"]);
    assert_eq!(linkctl.target("x/y/link"), b"../../target");
}

#[test]
fn into_makes_one_link_for_each_target_or_none_at_all() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "src/a" => file("a"), "src/b" => file("b"), "other/b" => file("b"), "bin" => dir, "taken/b" => file(""),
    });
    linkctl.ok(["create", "--into", "bin", "--relative", "src/a", "src/b/"]);
    assert_eq!([linkctl.target("bin/a"), linkctl.target("bin/b")], [b"../src/a", b"../src/b"]);
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["create", "--into", "bin", "src/b", "other/b"]), @"
    exit: 2
    -- err
    error: two targets would give the same link 'bin/b'
    hint: make one of them by name: linkctl create LINK TARGET
    ");
    linkctl.output(["create", "--into", "taken", "src/a", "src/b"]).exits(4).says("a file has this name");
    linkctl.output(["create", "--into", "bin", "src/.."]).exits(2).says("has no name of its own");
    linkctl.output(["create", "--into", "missing", "src/a"]).exits(3).says("--parents");
    before.assert_unchanged();
    linkctl.ok(["create", "--parents", "--into", "new/dir", "--relative", "src/a", "src/b"]);
    assert_eq!(names(linkctl.at("new/dir")), ["a", "b"]);
}

#[test]
fn hard_gives_the_same_file_another_name() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("text"), "sub" => dir });
    assert_snapshot!(linkctl.run(["create", "--kind", "hard", "sub/h", "f"]), @"
    exit: 0
    -- out
    created hard sub/h -> [DIR]/f
    ");
    let [link, file] = ["sub/h", "f"].map(|name| fs::symlink_metadata(linkctl.at(name)).unwrap());
    assert_eq!((link.ino(), file.nlink()), (file.ino(), 2));
}

#[test]
fn hard_refuses_what_cannot_have_another_name() {
    let volume = Volume::new(Fs::Tmpfs, 0);
    let linkctl = Linkctl::new();
    tree!(volume.path(), { "far" => file("") });
    tree!(linkctl.work(), { "d" => dir, "f" => file(""), "l" => symlink("f") });
    let before = Snapshot::of(linkctl.work());
    let hard = |target: &str| linkctl.run(["create", "--kind", "hard", "new", target]);
    assert_snapshot!(hard("d"), @"
    exit: 4
    -- err
    error: cannot create hard link 'new' to 'd': the target is a directory
    hint: use a symbolic link (--kind symlink), or on NTFS a junction (--kind junction)
          hard: files only; relative target: does not apply; to another volume: no;
          over the network: no; missing target: refused (linkctl help kinds)
    ");
    assert!(hard(".").contains("the target is a directory"), "{}", hard("."));
    assert_snapshot!(hard("missing"), @"
    exit: 3
    -- err
    error: cannot create hard link 'new' to 'missing': no such file or directory
    hint: name a file that exists, or use a symbolic link (--kind symlink)
          hard: files only; relative target: does not apply; to another volume: no;
          over the network: no; missing target: refused (linkctl help kinds)
    ");
    assert!(hard("no/such/dir").starts_with("exit: 3"), "{}", hard("no/such/dir"));
    assert_snapshot!(hard("l"), @"
    exit: 4
    -- err
    error: cannot create hard link 'new' to 'l': the target is itself a symbolic link or junction; name the file it leads to
    hint: `linkctl show TARGET` tells where it leads
          hard: files only; relative target: does not apply; to another volume: no;
          over the network: no; missing target: refused (linkctl help kinds)
    ");
    let far = volume.path().join("far");
    let ran = linkctl.output(["create", "--kind", "hard", "new", far.to_str().unwrap()]).exits(4);
    ran.says("link and target are on different volumes").says("to another volume: no");
    before.assert_unchanged();
}

#[test]
fn a_taken_name_is_refused_and_swapped_arguments_are_hinted_at() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("text"), "g" => file(""), "d" => dir, "dead" => symlink("gone") });
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["create", "f", "new"]), @"
    exit: 4
    -- err
    error: cannot create link 'f' to 'new': a file has this name
    hint: the link comes first, as in `linkctl create LINK TARGET`: are the two swapped?
    ");
    assert_snapshot!(linkctl.run(["create", "f", "g"]), @"
    exit: 4
    -- err
    error: cannot create link 'f' to 'g': a file has this name
    hint: choose another name, or use --replace where a link is to be replaced
    ");
    linkctl.output(["create", "d", "g"]).exits(4).says("a directory has this name");
    linkctl.output(["create", "dead", "g"]).exits(4).says("a link has this name");
    linkctl.output(["create", "new", ""]).exits(4).says("the target is empty");
    linkctl.output(["create", "", "g"]).exits(4).says("the path is empty");
    linkctl.output(["create", "f/new", "g"]).exits(3);
    before.assert_unchanged();
}

#[test]
fn a_missing_target_is_allowed_and_noted() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "here" => file(""), "sub" => dir });
    assert_snapshot!(linkctl.run(["create", "l", "gone"]), @"
    exit: 0
    -- out
    created symlink l -> gone
    -- err
    note: 'l': the target does not exist
    ");
    let ran = linkctl.ok(["create", "sub/l", "here"]);
    ran.says("a relative target is read from the link's directory; with --relative");
    assert_eq!(linkctl.target("sub/l"), b"here");
}

#[test]
fn windows_targets_and_junctions_are_refused_outside_ntfs() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d" => dir });
    let ran = linkctl.output(["create", "l", "C:\\Games"]).exits(4).says("to 'C:\\Games': this is a Windows path");
    ran.says("hint: name the target by its path on this system\n      symlink: files and directories");
    let ran = linkctl.output(["create", "--kind", "junction", "l", "d"]).exits(4);
    ran.says("NTFS").says("use a symbolic link (--kind symlink)").says("junction: directories only, on NTFS");
    assert_eq!(names(linkctl.work()), ["d"]);
}

#[test]
fn targets_as_long_as_the_file_system_takes_and_one_byte_more() {
    let xfs = Volume::new(Fs::Xfs, 0);
    for (linkctl, longest) in [(Linkctl::new(), 4095), (Linkctl::on(xfs.path()), 1023)] {
        tree!(linkctl.work(), { "f" => file("") });
        let fits = "./".repeat(longest / 2) + "f";
        assert_eq!(fits.len(), longest);
        let ran = linkctl.ok(["create", "fits", &fits]);
        assert_eq!(ran.err, "");
        assert_eq!(linkctl.target("fits"), fits.as_bytes());
        assert_eq!(linkctl.ok(["show", "fits", "--json"]).json()["links"][0]["state"], "ok");
        let ran = linkctl.output(["create", "too-long", &format!("{fits}f")]).exits(3);
        ran.says(&format!("takes {longest}")).says("use a shorter target");
        assert_eq!(names(linkctl.work()), ["f", "fits"]);
    }
}

#[test]
fn hostile_names_are_made_as_they_are_and_shown_escaped() {
    let linkctl = Linkctl::new();
    let (link, target): (&[u8], &[u8]) = (b"\xff\n\x1b[31mred", "t\u{202e}\t\x07".as_bytes());
    let ran = linkctl.ok([os(b"create"), os(link), os(target)]);
    assert_eq!(ran.out, "created symlink \\xff\\n\\x1b[31mred -> t\\u{202e}\\t\\x07\n");
    assert_eq!(linkctl.target(os(link)), target);
    let json = linkctl.ok([os(b"create"), os(b"--replace"), os(b"--json"), os(link), os(b"\xfe")]).json();
    let change = &json["changes"][0];
    assert_eq!((name(&change["path"]), name(&change["target"])), (link.to_vec(), b"\xfe".to_vec()));
    assert!(change["path"]["bytes"].is_string());
}

#[test]
fn dry_run_changes_nothing_and_says_what_would_be() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file(""), "l" => symlink("old") });
    let before = Snapshot::of(linkctl.work());
    assert_snapshot!(linkctl.run(["create", "--dry-run", "--parents", "a/new", "../f"]), @"
    exit: 0
    -- out
    would make directory a
    would create symlink a/new -> ../f
    ");
    assert_snapshot!(linkctl.run(["create", "--dry-run", "--replace", "l", "f"]), @"
    exit: 0
    -- out
    would replace with symlink l -> f
    ");
    linkctl.output(["create", "--dry-run", "f", "l"]).exits(4);
    before.assert_unchanged();
    assert!(!linkctl.state().exists(), "a dry run has no business with the journal");
}

#[test]
fn a_target_in_a_loop_is_not_called_missing() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a" => symlink("b"), "b" => symlink("a") });
    let ran = linkctl.ok(["create", "l", "a"]);
    assert!(ran.err.contains("loop") && !ran.err.contains("--relative"), "{ran}");
}

#[test]
fn a_link_through_itself_is_refused_like_a_link_to_itself() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "d" => dir, "old" => symlink("d") });
    let full = linkctl.at("a/b");
    let cases: [&[&str]; 10] = [
        &["a", "a"],
        &["a", "a/b/c"],
        &["a", "./a/../d"],
        &["d/a", "../d/a/x"],
        &["a", full.to_str().unwrap()],
        &["--relative", "a", "a/b"],
        &["--absolute", "a", "d/../a/b"],
        &["--replace", "old", "old/x"],
        &["--parents", "n/m/a", "a/b"],
        &["--dry-run", "a", "a/b"],
    ];
    for case in cases {
        let ran = linkctl.output(["create"].iter().chain(case)).exits(4);
        assert!(ran.err.contains("itself"), "{case:?}: {ran}");
        assert!(!linkctl.exists("a") && !linkctl.exists("n") && linkctl.target("old") == b"d", "{case:?}");
    }
    linkctl.ok(["create", "a", "b/a/c"]);
}
