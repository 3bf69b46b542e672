//! `mklink`: §1 of the reference.

use super::*;

const SYNTAX: &str = "The syntax of the command is incorrect.\n";
const TAKEN: &str = "Cannot create a file when that file already exists.\n";
const NO_FILE: &str = "The system cannot find the file specified.\n";
const NO_PATH: &str = "The system cannot find the path specified.\n";
const DENIED: &str = "Access is denied.\n";
const OTHER_DISK: &str = "The system cannot move the file to a different disk drive.\n";
const LOCAL: &str = "Local volumes are required to complete the operation.\n";
const LOCAL_NTFS: &str = "Local NTFS volumes are required to complete the operation.\n";
const NAME_SYNTAX: &str = "The filename, directory name, or volume label syntax is incorrect.\n";
const TOO_LONG: &str = "The filename or extension is too long.\n";

#[test]
fn row_1_1_bare_and_wrong_calls_fail_with_code_1() {
    let linkctl = Linkctl::new();
    let bare = linkctl.output(["mklink"]).exits(1);
    let help = linkctl.output(["mklink", "/?"]).exits(0);
    assert_eq!((bare.out.as_str(), help.err.as_str()), ("", ""));
    assert_eq!(bare.err, help.out, "both show the help, the bare call on standard error");
    assert!(
        help.out.starts_with("Creates a symbolic link.\n\nMKLINK [[/D] | [/H] | [/J]] Link Target\n\n        /D      ")
    );
    assert!(help.out.contains("        /J      Creates a Directory Junction.\n"), "{}", help.out);
    transcript(
        &linkctl,
        &[
            (&["mklink", "one"], 1, "", SYNTAX),
            (&["mklink", "/d"], 1, "", &bare.err),
            (&["mklink", "one", "two", "three"], 1, "", SYNTAX),
            // Not in front of the names, it is a name.
            (&["mklink", "one", "two", "/d"], 1, "", SYNTAX),
            // What is no switch to the letter is a name, also with a slash.
            (&["mklink", "/z", "one", "two"], 1, "", SYNTAX),
        ],
    );
    assert_eq!(names(linkctl.work()), [""; 0]);
}

#[test]
fn row_1_1_switches_combine_and_the_last_of_h_and_j_counts() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t" => dir, "f" => file("text") });
    transcript(
        &linkctl,
        &[
            (&["mklink", "/J", "/D", "a", "t"], 0, "Junction created for a <<===>> t\n", ""),
            (&["mklink", "/D", "/J", "b", "t"], 0, "Junction created for b <<===>> t\n", ""),
            (&["mklink", "/h", "/J", "c", "t"], 0, "Junction created for c <<===>> t\n", ""),
            (&["mklink", "/j", "/H", "d", "f"], 0, "Hardlink created for d <<===>> f\n", ""),
            (&["mklink", "/d", "/h", "e", "t"], 1, "", DENIED),
        ],
    );
}

#[test]
fn row_1_3_success_says_what_was_typed_and_makes_the_bytes_of_windows() {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t" => dir, "f" => file("text"), "sub" => dir });
    transcript(
        &linkctl,
        &[
            (&["mklink", "/j", "L", r"C:\t"], 0, "Junction created for L <<===>> C:\\t\n", ""),
            (&["mklink", "/J", "rel-j", "t"], 0, "Junction created for rel-j <<===>> t\n", ""),
            (&["mklink", "/d", r"sub\L", r"..\t"], 0, "symbolic link created for sub\\L <<===>> ..\\t\n", ""),
            (&["mklink", "abs", r"C:\t"], 0, "symbolic link created for abs <<===>> C:\\t\n", ""),
            (&["mklink", "/D", "unc", r"\\s\h"], 0, "symbolic link created for unc <<===>> \\\\s\\h\n", ""),
            (&["mklink", "/d", "root", r"\t"], 0, "symbolic link created for root <<===>> \\t\n", ""),
            (&["mklink", "/D", "dot", "."], 0, "symbolic link created for dot <<===>> .\n", ""),
            (&["mklink", "/h", "h", "f"], 0, "Hardlink created for h <<===>> f\n", ""),
            (&["mklink", "/H", r"sub\h", r"sub\..\f"], 0, "Hardlink created for sub\\h <<===>> sub\\..\\f\n", ""),
        ],
    );
    let junction = "03 00 00 a0 24 00 00 00 | 00 00 10 00 12 00 08 00 | \
        5c 00 3f 00 3f 00 5c 00 43 00 3a 00 5c 00 74 00 00 00 | 43 00 3a 00 5c 00 74 00 00 00";
    for (link, bytes) in [
        ("L", junction),
        // /j stores an absolute path.
        ("rel-j", junction),
        (
            "sub/L",
            "0c 00 00 a0 1c 00 00 00 | 08 00 08 00 00 00 08 00 01 00 00 00 | \
             2e 00 2e 00 5c 00 74 00 | 2e 00 2e 00 5c 00 74 00",
        ),
        (
            "abs",
            "0c 00 00 a0 24 00 00 00 | 08 00 10 00 00 00 08 00 00 00 00 00 | \
             43 00 3a 00 5c 00 74 00 | 5c 00 3f 00 3f 00 5c 00 43 00 3a 00 5c 00 74 00",
        ),
        (
            "unc",
            "0c 00 00 a0 2c 00 00 00 | 0a 00 16 00 00 00 0a 00 00 00 00 00 | \
             5c 00 5c 00 73 00 5c 00 68 00 | \
             5c 00 3f 00 3f 00 5c 00 55 00 4e 00 43 00 5c 00 73 00 5c 00 68 00",
        ),
        ("root", "0c 00 00 a0 14 00 00 00 | 04 00 04 00 00 00 04 00 01 00 00 00 | 5c 00 74 00 | 5c 00 74 00"),
        // Captured on Windows.
        ("dot", "0c 00 00 a0 10 00 00 00 02 00 02 00 00 00 02 00 01 00 00 00 2e 00 2e 00"),
    ] {
        assert_eq!(get_reparse(linkctl.at(link)).unwrap(), hex(bytes), "{link}");
    }
    let directory = |name: &str| testkit::ntfs::ntfs_attrib(linkctl.at(name)).unwrap() & 0x10 != 0;
    assert!(directory("L") && directory("sub/L"));
    assert!(!directory("abs"), "without /d it is a link to a file, whatever the target is (§1.5)");
    for name in ["h", "sub/h"] {
        assert_eq!(fs::read(linkctl.at(name)).unwrap(), b"text", "{name}");
    }
    volume.unmount();
    let tags: Vec<u32> = volume.reparse_index().iter().map(|entry| entry.tag).collect();
    assert_eq!(tags, [[0xa000_0003; 2].as_slice(), &[0xa000_000c; 5]].concat());
}

#[test]
fn row_1_4_the_failures_of_ntfs_have_windows_words() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t" => dir, "f" => file("text"), "link" => dir });
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    let elsewhere = elsewhere.path().to_str().unwrap();
    let before = names(volume.path());
    transcript(
        &linkctl,
        &[
            // Name already exists.
            (&["mklink", "f", "t"], 1, "", TAKEN),
            (&["mklink", "/d", "link", "t"], 1, "", TAKEN),
            (&["mklink", "/j", "link", r"C:\t"], 1, "", TAKEN),
            (&["mklink", "/h", "f", "f"], 1, "", TAKEN),
            (&["mklink", "/h", "link", "f"], 1, "", TAKEN),
            // /h across volumes, of a directory, of nothing.
            (&["mklink", "/h", "x", elsewhere], 1, "", OTHER_DISK),
            (&["mklink", "/h", "x", "t"], 1, "", DENIED),
            (&["mklink", "/h", "x", "nothing"], 1, "", NO_FILE),
            // /j to what is no local volume: the network, and what Windows will never see.
            (&["mklink", "/j", "x", r"\\server\share"], 1, "", LOCAL),
            (&["mklink", "/j", "x", "//server/share"], 1, "", LOCAL),
            (&["mklink", "/j", "x", "/usr"], 1, "", LOCAL),
            (&["mklink", "/j", "x", r"\\?\UNC\server\share"], 1, "", LOCAL),
            // The link's folder is missing.
            (&["mklink", "no/x", "t"], 1, "", NO_PATH),
            (&["mklink", "/j", r"no\x", r"C:\t"], 1, "", NO_PATH),
            (&["mklink", "/h", r"f\x", "f"], 1, "", NO_PATH),
            // No such names in Windows.
            (&["mklink", "a:b", "t"], 1, "", NAME_SYNTAX),
            (&["mklink", "nul", "t"], 1, "", NAME_SYNTAX),
            (&["mklink", "/j", "x", r"\\?\C:/t"], 1, "", NAME_SYNTAX),
            (&["mklink", "x", ""], 1, "", NAME_SYNTAX),
        ],
    );
    assert_eq!(names(volume.path()), before, "a failure makes nothing");
    assert_eq!(linkctl.history(), [serde_json::Value::Null; 0], "and is no change");
}

#[test]
fn row_1_4_on_linux_file_systems_there_are_no_junctions() {
    for fs in [Fs::Ext4, Fs::Xfs, Fs::Tmpfs] {
        let volume = Volume::new(fs, 0);
        let linkctl = Linkctl::on(volume.path());
        tree!(volume.path(), { "t" => dir, "f" => file("text") });
        transcript(
            &linkctl,
            &[
                (&["mklink", "/j", "x", "t"], 1, "", LOCAL_NTFS),
                (&["mklink", "/j", "x", r"\\s\h"], 1, "", LOCAL_NTFS),
                (&["mklink", "/d", "d", "t"], 0, "symbolic link created for d <<===>> t\n", ""),
                (&["mklink", "l", r"C:\t"], 0, "symbolic link created for l <<===>> C:\\t\n", ""),
                (&["mklink", "loop", "loop"], 0, "symbolic link created for loop <<===>> loop\n", ""),
                (&["mklink", "usr", "/usr/share"], 0, "symbolic link created for usr <<===>> /usr/share\n", ""),
                (&["mklink", "/h", "h", "f"], 0, "Hardlink created for h <<===>> f\n", ""),
                // Of a link, the link itself gets the name.
                (&["mklink", "/h", "hl", "l"], 0, "Hardlink created for hl <<===>> l\n", ""),
                (&["mklink", "/h", "x", "t"], 1, "", DENIED),
            ],
        );
        assert_eq!(linkctl.target("l"), br"C:\t");
        assert_eq!(linkctl.target("hl"), br"C:\t");
        assert_eq!(linkctl.target("usr"), b"/usr/share");
        assert!(!linkctl.exists("x"));
        let undo = |id: &str| linkctl.ok(["undo", id]);
        let ids: Vec<i64> = linkctl.history().iter().map(|op| op["id"].as_i64().unwrap()).collect();
        assert_eq!(ids.len(), 6);
        for id in ids {
            undo(&id.to_string());
        }
        assert_eq!(names(volume.path()).iter().filter(|name| *name != "lost+found").count(), 2);
    }
}

#[test]
fn row_1_4_denied_read_only_full_and_too_many() {
    let linkctl = Linkctl::nobody();
    let theirs = tempfile::tempdir().unwrap();
    let link = theirs.path().join("x");
    for kind in [&["mklink"][..], &["mklink", "/h"]] {
        tree!(linkctl.work(), { "f" => file("text") });
        let words = [kind, &[link.to_str().unwrap(), "f"]].concat();
        transcript(&linkctl, &[(&words, 1, "", DENIED)]);
        fs::remove_file(linkctl.at("f")).unwrap();
    }
    let mut volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "f" => file("text"), "many" => dir });
    for n in 1..1024 {
        fs::hard_link(linkctl.at("f"), linkctl.at(format!("many/{n}"))).unwrap();
    }
    let many = "An attempt was made to create more links on a file than the file system supports.\n";
    transcript(&linkctl, &[(&["mklink", "/h", "x", "f"], 1, "", many)]);
    volume.remount_read_only();
    transcript(&linkctl, &[(&["mklink", "x", "f"], 1, "", "The media is write protected.\n")]);
    let linkctl = Linkctl::new();
    let ran = linkctl.said(strace::inject("symlinkat:error=ENOSPC", &linkctl.command(["mklink", "x", "f"])));
    assert_eq!((ran.code(), ran.err.as_str()), (Some(1), "There is not enough space on the disk.\n"));
}

#[test]
fn row_4_5_the_longest_target_fits_and_one_more_does_not() {
    let volume = Volume::new(Fs::Ntfs, 16 << 20);
    let linkctl = on_ntfs(&volume);
    let target = |length: usize| format!("C:\\{}", "x".repeat(length - 3));
    for (kind, link) in [("/d", "d"), ("/j", "j")] {
        let longest = target(4_089);
        let ran = linkctl.output(["mklink", kind, link, &longest]).exits(0);
        assert!(ran.out.ends_with(&format!("created for {link} <<===>> {longest}\n")), "{ran}");
        assert!(ran.err.starts_with("note: 16384 bytes of reparse data: beyond about 500"), "{ran}");
        assert_eq!(get_reparse(linkctl.at(link)).unwrap().len(), 16_384);
        transcript(&linkctl, &[(&["mklink", kind, "x", &target(4_090)], 1, "", TOO_LONG)]);
        assert!(!linkctl.exists("x"));
    }
    let linkctl = Linkctl::new();
    transcript(&linkctl, &[(&["mklink", "x", &"x".repeat(4_096)], 1, "", TOO_LONG)]);
    linkctl.ok(["mklink", "x", &"x".repeat(4_095)]);
}

#[test]
fn what_windows_cannot_reach_is_told_in_words_of_our_own() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    let ran = linkctl.output(["mklink", "/d", "x", "/usr/share"]).exits(1);
    assert!(ran.err.contains("not on the link's volume"), "{ran}");
    assert!(ran.err.contains("Windows cannot find it") && !linkctl.exists("x"), "{ran}");
}

#[test]
fn junctions_lead_to_files_and_to_themselves_as_on_windows() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "sub/f.txt" => file("text") });
    transcript(
        &linkctl,
        &[
            (&["mklink", "/J", "foo", "foo"], 0, "Junction created for foo <<===>> foo\n", ""),
            (&["mklink", "/J", "foo", "foo"], 1, "", TAKEN),
            (&["mklink", "/J", "to-f", r"sub\f.txt"], 0, "Junction created for to-f <<===>> sub\\f.txt\n", ""),
            (&["mklink", "/J", "to-g", "sub/f.txt"], 0, "Junction created for to-g <<===>> sub/f.txt\n", ""),
            (&["mklink", "/h", "foo"], 1, "", SYNTAX),
            (&["mklink", "/h", "bar"], 1, "", SYNTAX),
        ],
    );
    assert_eq!(names(volume.path()), ["foo", "sub", "to-f", "to-g"]);
    let listed = linkctl.ok(["dir", "/al"]).out;
    for row in
        [r"<JUNCTION>     foo [C:\foo]", r"<JUNCTION>     to-f [C:\sub\f.txt]", r"<JUNCTION>     to-g [C:\sub\f.txt]"]
    {
        assert!(listed.contains(row), "{listed}");
    }
}
