//! `fsutil`: §2 of the reference.

use super::*;

const NO_POINT: &str = "Error:  The file or directory is not a reparse point.\n";

#[test]
fn row_2_1_hardlink_create_says_both_paths_in_full() {
    for fs in [Fs::Ntfs, Fs::Ext4] {
        let volume = Volume::new(fs, 0);
        let linkctl = Linkctl::on(volume.path());
        tree!(volume.path(), { "f" => file("text"), "t" => dir });
        transcript(
            &linkctl,
            &[
                (
                    &["fsutil", "hardlink", "create", "h", "./f"],
                    0,
                    "Hardlink created for [DIR]/h <<===>> [DIR]/f\n",
                    "",
                ),
                (
                    &["fsutil", "HardLink", "Create", "h", "f"],
                    1,
                    "",
                    "Error:  Cannot create a file when that file already exists.\n",
                ),
                (&["fsutil", "hardlink", "create", "x", "t"], 1, "", "Error:  Access is denied.\n"),
                (
                    &["fsutil", "hardlink", "create", "x", "gone"],
                    1,
                    "",
                    "Error:  The system cannot find the file specified.\n",
                ),
                (
                    &["fsutil", "hardlink", "create", "x", "/etc/passwd"],
                    1,
                    "",
                    "Error:  The system cannot move the file to a different disk drive.\n",
                ),
            ],
        );
        assert_eq!(fs::read(linkctl.at("h")).unwrap(), b"text");
        assert_eq!(linkctl.newest(), "fsutil done: 1 done, 0 failed of 1");
        linkctl.ok(["undo"]);
        assert!(!linkctl.exists("h") && linkctl.exists("f"));
    }
}

#[test]
fn row_2_2_hardlink_list_prints_every_name_the_one_asked_about_first() {
    for fs in [Fs::Ntfs, Fs::Ext4] {
        let volume = Volume::new(fs, 0);
        let linkctl = Linkctl::on(volume.path());
        tree!(volume.path(), { "b" => file("text"), "deep/er/z" => hard("b"), "a" => hard("b"), "one" => file("") });
        transcript(
            &linkctl,
            &[
                (&["fsutil", "hardlink", "list", "b"], 0, "[DIR]/b\n[DIR]/a\n[DIR]/deep/er/z\n", ""),
                (&["fsutil", "hardlink", "list", "deep/er/z"], 0, "[DIR]/deep/er/z\n[DIR]/a\n[DIR]/b\n", ""),
                (&["fsutil", "hardlink", "list", "one"], 0, "[DIR]/one\n", ""),
                (
                    &["fsutil", "hardlink", "list", "gone"],
                    1,
                    "",
                    "Error:  The system cannot find the file specified.\n",
                ),
            ],
        );
    }
}

#[test]
fn row_2_2_a_link_with_two_names_lists_both() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "l", "nothing"]);
    linkctl.ok(["mklink", "/h", "m", "l"]);
    transcript(&linkctl, &[(&["fsutil", "hardlink", "list", "l"], 0, "[DIR]/l\n[DIR]/m\n", "")]);
}

#[test]
fn row_2_3_query_of_a_junction_and_of_a_symbolic_link() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t" => dir, "f" => file("text"), "unix" => symlink("f") });
    linkctl.ok(["mklink", "/j", "L", r"C:\t"]);
    linkctl.ok(["mklink", "/D", "dot", "."]);
    let junction = r"Reparse Tag Value : 0xa0000003
Tag value: Microsoft, Name Surrogate, Mount Point
Substitue Name offset: 0
Substitue Name length: 16
Print Name offset:     18
Print Name Length:     8
Substitute Name:       \??\C:\t
Print Name:            C:\t

Reparse Data Length: 0x24
Reparse Data:
0000:  00 00 10 00 12 00 08 00  5c 00 3f 00 3f 00 5c 00  ........\.?.?.\.
0010:  43 00 3a 00 5c 00 74 00  00 00 43 00 3a 00 5c 00  C.:.\.t...C.:.\.
0020:  74 00 00 00                                       t...
";
    let symlink = "Reparse Tag Value : 0xa000000c
Tag value: Microsoft, Name Surrogate, Symbolic Link

Reparse Data Length: 0x10
Reparse Data:
0000:  02 00 02 00 00 00 02 00  01 00 00 00 2e 00 2e 00  ................
";
    transcript(
        &linkctl,
        &[
            (&["fsutil", "reparsepoint", "query", "L"], 0, junction, ""),
            (&["fsutil", "ReparsePoint", "QUERY", "dot"], 0, symlink, ""),
            (&["fsutil", "reparsepoint", "query", "t"], 1, "", NO_POINT),
            (&["fsutil", "reparsepoint", "query", "f"], 1, "", NO_POINT),
            (
                &["fsutil", "reparsepoint", "query", "gone"],
                1,
                "",
                "Error:  The system cannot find the file specified.\n",
            ),
        ],
    );
    // A mount point without a print name has no such line, and other tags have their own names.
    crate::common::ntfs::dir_point(linkctl.at("ps"), &crate::common::ntfs::raw_junction(r"\??\C:\t", ""));
    let said = linkctl.ok(["fsutil", "reparsepoint", "query", "ps"]).out;
    assert!(said.contains("Print Name Length:     0\nSubstitute Name:       \\??\\C:\\t\n\nReparse"), "{said}");
    crate::common::ntfs::file_point(linkctl.at("cloud"), &crate::common::ntfs::other(0x9000_001a, None, &[7; 24]));
    let said = linkctl.ok(["fsutil", "reparsepoint", "query", "cloud"]).out;
    assert!(said.starts_with("Reparse Tag Value : 0x9000001a\nTag value: Microsoft, "), "{said}");
    assert!(said.contains("Reparse Data Length: 0x18\n"), "{said}");
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("x") });
    transcript(&linkctl, &[(&["fsutil", "reparsepoint", "query", "l"], 1, "", NO_POINT)]);
}

#[test]
fn row_2_4_delete_leaves_an_empty_directory_or_file_and_undo_brings_the_link_back() {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t/canary" => file("alive") });
    linkctl.ok(["mklink", "/j", "j", r"C:\t"]);
    linkctl.ok(["mklink", "/d", "d", "t"]);
    linkctl.ok(["mklink", "s", r"t\canary"]);
    let before: Vec<_> = ["j", "d", "s"].map(|name| get_reparse(linkctl.at(name))).to_vec();
    for name in ["j", "d", "s"] {
        transcript(&linkctl, &[(&["fsutil", "reparsepoint", "delete", name], 0, "", "")]);
        assert_eq!(linkctl.newest(), "fsutil done: 1 done, 0 failed of 1");
        // At once, and by the path itself.
        let left = linkctl.at(name).symlink_metadata().unwrap();
        assert!(if name == "s" { left.is_file() && left.len() == 0 } else { left.is_dir() }, "{name}");
        assert_eq!(get_reparse(linkctl.at(name)), None);
    }
    assert_eq!(names(linkctl.at("j")), [""; 0]);
    assert_eq!(fs::read(linkctl.at("t/canary")).unwrap(), b"alive");
    for _ in 0..3 {
        linkctl.ok(["undo"]);
    }
    let after: Vec<_> = ["j", "d", "s"].map(|name| get_reparse(linkctl.at(name))).to_vec();
    assert_eq!(after, before);
    assert_eq!(fs::read(linkctl.at("j/canary")).unwrap(), b"alive", "followed again at once");
    volume.unmount();
    assert_eq!(volume.reparse_index().len(), 3);
}

#[test]
fn row_2_4_what_was_put_into_the_directory_since_is_not_hidden_by_undo() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t" => dir, "f" => file("") });
    linkctl.ok(["mklink", "/j", "j", r"C:\t"]);
    linkctl.ok(["mklink", "s", "f"]);
    linkctl.ok(["fsutil", "reparsepoint", "delete", "j"]);
    linkctl.ok(["fsutil", "reparsepoint", "delete", "s"]);
    tree!(volume.path(), { "j/mine" => file("mine") });
    fs::write(linkctl.at("s"), "mine").unwrap();
    for id in ["3", "4"] {
        let ran = linkctl.output(["undo", id]);
        assert!(matches!(ran.code(), Some(3 | 4)), "{ran}");
        assert!(ran.err.contains("no longer empty"), "{ran}");
    }
    assert_eq!(fs::read(linkctl.at("j/mine")).unwrap(), b"mine");
    assert_eq!(fs::read(linkctl.at("s")).unwrap(), b"mine");
}

#[test]
fn row_2_4_what_needs_its_reparse_point_to_be_read_keeps_it() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    // Compressed, deduplicated and cloud files are read by what their reparse point says.
    for (name, tag) in [("wof", 0x8000_0017), ("dedup", 0x8000_0013), ("cloud", 0x9000_001a), ("unknown", 0xa000_0123)]
    {
        let data = crate::common::ntfs::other(tag, None, &[1; 16]);
        crate::common::ntfs::file_point(linkctl.at(name), &data);
        let ran = linkctl.output(["fsutil", "reparsepoint", "delete", name]).exits(1);
        assert!(ran.err.contains("holds its own data"), "{ran}");
        assert_eq!(get_reparse(linkctl.at(name)), Some(data));
    }
    tree!(volume.path(), { "plain" => file("x"), "dir" => dir });
    for name in ["plain", "dir"] {
        transcript(&linkctl, &[(&["fsutil", "reparsepoint", "delete", name], 1, "", NO_POINT)]);
    }
}

#[test]
fn row_2_4_killed_at_any_call_the_history_is_true_and_undo_works() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let mut killed = 0;
    for call in ["openat", "statx", "removexattr", "lgetxattr", "write"] {
        for when in 1..12 {
            let linkctl = on_ntfs(&volume);
            let link = format!("{call}{when}");
            linkctl.ok(["mklink", "/j", &link, r"C:\t"]);
            let bytes = get_reparse(linkctl.at(&link));
            let command = linkctl.command(["fsutil", "reparsepoint", "delete", &link]);
            let ran = linkctl.said(strace::inject(&format!("{call}:signal=SIGKILL:when={when}"), &command));
            if ran.code() == Some(0) {
                break;
            }
            killed += 1;
            testkit_settle(&linkctl.at(&link));
            let cleared = get_reparse(linkctl.at(&link)).is_none();
            let newest = linkctl.newest();
            assert_eq!(newest.starts_with("fsutil") && newest.contains("1 done"), cleared, "{call} {when}: {newest}");
            if newest.starts_with("fsutil") && cleared {
                linkctl.ok(["undo"]);
            }
            assert_eq!(get_reparse(linkctl.at(&link)), bytes, "{call} {when}");
        }
    }
    assert!(killed > 10, "{killed} kills: the test kills nothing");
}

/// After a kill, ntfs-3g and the kernel's cache may disagree for a moment.
fn testkit_settle(path: &Path) {
    crate::common::wait_until("the system shows it", || {
        let link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
        link == get_reparse(path).is_some()
    });
}

#[test]
fn row_2_5_symlink_evaluation_is_a_policy_of_windows() {
    let linkctl = Linkctl::new();
    for words in [
        &["fsutil", "behavior", "query", "SymlinkEvaluation"][..],
        &["fsutil", "Behavior", "set", "symlinkevaluation", "R2L:1", "R2R:1"],
    ] {
        let ran = linkctl.output(words).exits(1);
        assert!(ran.out.is_empty() && ran.err.contains("policy of Windows"), "{ran}");
        assert_eq!(ran.err.lines().count(), 1);
    }
}

#[test]
fn help_lists_what_there_is_and_wrong_words_fail() {
    let linkctl = Linkctl::new();
    for (words, has) in [
        (&["fsutil"][..], "hardlink"),
        (&["fsutil", "/?"], "reparsepoint"),
        (&["fsutil", "hardlink"], "fsutil hardlink create <new name> <existing name>"),
        (&["fsutil", "reparsepoint", "/?"], "fsutil reparsepoint delete <path>"),
        (&["fsutil", "behavior"], "SymlinkEvaluation"),
    ] {
        let ran = linkctl.output(words).exits(0);
        assert!(ran.out.contains(has) && ran.err.is_empty(), "{ran}");
    }
    for words in [
        &["fsutil", "volume"][..],
        &["fsutil", "hardlink", "make"],
        &["fsutil", "hardlink", "create", "one"],
        &["fsutil", "hardlink", "list"],
        &["fsutil", "reparsepoint", "query", "a", "b"],
        &["fsutil", "behavior", "query", "disable8dot3"],
    ] {
        let ran = linkctl.output(words).exits(1);
        assert!(ran.out.is_empty() && ran.err.contains("Commands Supported"), "{ran}");
    }
}

#[test]
fn row_2_2_names_that_were_not_found_are_told() {
    use std::os::unix::fs::PermissionsExt;
    // On a volume of its own: the whole of it is looked through.
    let volume = Volume::new(Fs::Ext4, 0);
    let linkctl = Linkctl::nobody();
    tree!(volume.path(), { "f" => file("x"), "closed/g" => hard("f") });
    fs::set_permissions(volume.path().join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let ran = linkctl.output_in(volume.path(), ["fsutil", "hardlink", "list", "f"]).exits(1);
    assert_eq!(ran.out, format!("{}/f\n", volume.path().display()));
    assert!(ran.err.starts_with("Error:  1 of 2 names were found"), "{ran}");
    // A short 8.3 name is no link, and not missed.
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "long file name.txt" => file("x") });
    let mut set = std::process::Command::new("setfattr");
    set.args(["-h", "-n", "system.ntfs_dos_name", "-v", "LONGFI~1.TXT"]).arg(linkctl.at("long file name.txt"));
    testkit::require::run(&mut set);
    transcript(
        &linkctl,
        &[(&["fsutil", "hardlink", "list", "long file name.txt"], 0, "[DIR]/long file name.txt\n", "")],
    );
    transcript(&linkctl, &[(&["fsutil", "hardlink", "list", "."], 0, "[DIR]\n", "")]);
}
