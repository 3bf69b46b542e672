//! `dir`: §3 of the reference.

use std::process::Command;

use super::*;

/// A listing with what changes from run to run made equal, width for width.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let line = match line.strip_prefix(" Volume Serial Number is ") {
            Some(serial) => {
                let digits = |part: &str| {
                    part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
                };
                assert!(serial.split('-').all(digits) && serial.len() == 9, "{line}");
                " Volume Serial Number is 8865-94E7".to_owned()
            }
            None => match line.strip_suffix(" bytes free") {
                Some(head) => {
                    let (left, free) = head.split_at(head.len() - 15);
                    assert!(left.ends_with(" Dir(s) ") && !free.trim().is_empty(), "{line}");
                    format!("{left}{:>15} bytes free", "N")
                }
                None => line.to_owned(),
            },
        };
        steady.push_str(&line);
        steady.push('\n');
    }
    steady
}

/// All names below a directory get the time of the known listing.
fn stamp(dir: &Path) {
    let mut find = Command::new("find");
    find.arg(dir).args(["-depth", "-exec", "touch", "-h", "-d", "2019-05-28 09:57 UTC", "{}", "+"]);
    testkit::require::run(&mut find);
}

fn mixed() -> (Volume, Linkctl) {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t/test.txt" => file("17 bytes in here."), "t/sub" => dir });
    for words in [
        &["mklink", "/j", r"t\L", r"C:\t"][..],
        &["mklink", "/d", r"t\sub\up", r"..\..\t"],
        &["mklink", r"t\symtmp.txt", r"c:\t\test.txt"],
    ] {
        linkctl.ok(words);
    }
    stamp(&volume.path());
    (volume, linkctl)
}

#[test]
fn row_3_1_the_layout_to_the_column() {
    let (_volume, linkctl) = mixed();
    let plain = linkctl.output(["dir", "t"]).exits(0);
    assert_eq!(plain.err, "");
    assert_eq!(
        steady(&plain.out),
        r" Volume in drive [DIR] has no label.
 Volume Serial Number is 8865-94E7

 Directory of [DIR]/t

05/28/2019  09:57 AM    <DIR>          .
05/28/2019  09:57 AM    <DIR>          ..
05/28/2019  09:57 AM    <JUNCTION>     L [C:\t]
05/28/2019  09:57 AM    <DIR>          sub
05/28/2019  09:57 AM    <SYMLINK>      symtmp.txt [c:\t\test.txt]
05/28/2019  09:57 AM                17 test.txt
               2 File(s)             17 bytes
               4 Dir(s)               N bytes free
"
    );
    for line in plain.out.lines().filter(|line| line.starts_with("05/28")) {
        assert_ne!(line.as_bytes()[39], b' ', "the name stands at column 39: {line}");
        assert_eq!(line.as_bytes()[38], b' ', "{line}");
    }
    // The root of a volume has no directory above.
    let root = steady(&linkctl.output(["dir"]).exits(0).out);
    assert!(root.contains("<DIR>          t\n") && !root.contains("          .\n"), "{root}");
}

#[test]
fn row_3_3_every_link_of_a_volume_with_s_and_al() {
    let (_volume, linkctl) = mixed();
    let expected = r" Volume in drive [DIR] has no label.
 Volume Serial Number is 8865-94E7

 Directory of [DIR]/t

05/28/2019  09:57 AM    <JUNCTION>     L [C:\t]
05/28/2019  09:57 AM    <SYMLINK>      symtmp.txt [c:\t\test.txt]
               1 File(s)              0 bytes

 Directory of [DIR]/t/sub

05/28/2019  09:57 AM    <SYMLINKD>     up [..\..\t]
               0 File(s)              0 bytes

     Total Files Listed:
               1 File(s)              0 bytes
               2 Dir(s)               N bytes free
";
    for words in
        [&["/s", "/al"][..], &["/S", "/A:L"], &["/s/al"], &["/al", "/s", "/on", "."], &[".", "/a:l", "/S", "/O:N"]]
    {
        let ran = linkctl.output([&["dir"], words].concat()).exits(0);
        assert_eq!((steady(&ran.out).as_str(), ran.err.as_str()), (expected, ""), "{words:?}");
    }
    let bare = linkctl.output(["dir", "/s", "/b", "/a:l"]).exits(0).out;
    assert_eq!(bare, "[DIR]/t/L\n[DIR]/t/symtmp.txt\n[DIR]/t/sub/up\n");
}

#[test]
fn row_3_3_attributes_combine_and_negate() {
    let (_volume, linkctl) = mixed();
    let bare = |words: &[&str]| {
        let ran = linkctl.output([&["dir", "/b", "t"], words].concat());
        assert!(ran.code() == Some(0) || ran.out.is_empty(), "{ran}");
        ran.out.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    for (words, expected) in [
        (&[][..], "L sub symtmp.txt test.txt"),
        (&["/al"], "L symtmp.txt"),
        (&["/a:-l"], "sub test.txt"),
        (&["/a:d"], "L sub"),
        (&["/ad-l"], "sub"),
        (&["/adl"], "L"),
        (&["/a-d"], "symtmp.txt test.txt"),
        (&["/a"], "L sub symtmp.txt test.txt"),
        (&["/o:-n"], "test.txt symtmp.txt sub L"),
        (&["/o"], "L sub symtmp.txt test.txt"),
        (&["/o:-g"], "symtmp.txt test.txt L sub"),
        (&["/o-s"], "test.txt L sub symtmp.txt"),
        (&["/a:h"], ""),
    ] {
        assert_eq!(bare(words), expected, "{words:?}");
    }
    // Hidden and system files of NTFS, and names with a dot elsewhere.
    let attrib = |name: &str, value: u32| {
        let value: String = value.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut set = Command::new("setfattr");
        set.args(["-h", "-n", "system.ntfs_attrib", "-v", &format!("0x{value}")]).arg(linkctl.at(name));
        testkit::require::run(&mut set);
    };
    attrib("t/test.txt", 0x2);
    attrib("t/L", 0x2 | 0x4);
    assert_eq!(bare(&[]), "sub symtmp.txt");
    assert_eq!(bare(&["/ah"]), "L test.txt");
    assert_eq!(bare(&["/ahs"]), "L");
    assert_eq!(bare(&["/al"]), "L symtmp.txt", "/a given at all lifts the filter");
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { ".hidden" => file(""), "seen" => file("") });
    assert_eq!(linkctl.output(["dir", "/b"]).out, "seen\n");
    assert_eq!(linkctl.output(["dir", "/b", "/a"]).out, ".hidden\nseen\n");
}

#[test]
fn row_3_2_tags_of_every_kind_of_reparse_point() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    let guid = r"\??\Volume{6e5c1f2a-0d3b-4c4e-9f5a-112233445566}\";
    use crate::common::ntfs::{dir_point, file_point, other, raw_junction, raw_symlink};
    dir_point(linkctl.at("powershell"), &raw_junction(r"\??\C:\temp", ""));
    dir_point(linkctl.at("volume"), &raw_junction(guid, ""));
    file_point(linkctl.at("noprint"), &raw_symlink(r"\??\C:\f", "", 0));
    file_point(linkctl.at("wsl"), &other(0xa000_0123, None, b"x"));
    file_point(linkctl.at("wof"), &other(0x8000_0017, None, b"x"));
    dir_point(linkctl.at("onedrive"), &other(0x9000_001a, None, b"x"));
    stamp(&volume.path());
    let listing = steady(&linkctl.output(["dir", "/al"]).exits(0).out);
    let rows: Vec<&str> = listing.lines().filter_map(|line| line.strip_prefix("05/28/2019  09:57 AM")).collect();
    assert_eq!(
        rows,
        [
            r"    <SYMLINK>      noprint [\??\C:\f]",
            "    <DIR>          onedrive",
            r"    <JUNCTION>     powershell [\??\C:\temp]",
            &format!("    <JUNCTION>     volume [{guid}]"),
            "                 0 wof",
            "    <JUNCTION>     wsl [...]",
        ]
    );
    assert!(listing.contains("               3 File(s)              0 bytes\n               3 Dir(s)"), "{listing}");
}

#[test]
fn on_linux_a_symbolic_link_to_a_directory_is_a_symlinkd() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "d" => dir, "f" => file("x"), "to-d" => symlink("d"), "to-f" => symlink("f"), "gone" => symlink("no where"),
        "loop" => symlink("loop")
    });
    stamp(linkctl.work());
    let listing = linkctl.output(["dir", "/al"]).exits(0).out;
    let rows: Vec<&str> = listing.lines().filter_map(|line| line.strip_prefix("05/28/2019  09:57 AM")).collect();
    assert_eq!(
        rows,
        [
            "    <SYMLINK>      gone [no where]",
            "    <SYMLINK>      loop [loop]",
            "    <SYMLINKD>     to-d [d]",
            "    <SYMLINK>      to-f [f]",
        ]
    );
}

#[test]
fn row_3_1_the_head_names_the_volume_as_windows_would() {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "f" => file("") });
    volume.unmount();
    testkit::require::run(Command::new("ntfslabel").arg(volume.image()).arg("My Games é"));
    volume.mount();
    let boot = fs::read(volume.image()).unwrap();
    let serial = u32::from_le_bytes(boot[0x48..0x4c].try_into().unwrap());
    let head = format!(
        " Volume in drive [DIR] is My Games é\n Volume Serial Number is {:04X}-{:04X}\n",
        serial >> 16,
        serial & 0xffff
    );
    let ran = linkctl.output(["dir"]).exits(0);
    assert!(ran.out.starts_with(&head), "{head}\n{ran}");
    let mut volume = Volume::new(Fs::Ext4, 0);
    let linkctl = Linkctl::on(volume.path());
    volume.unmount();
    testkit::require::run(Command::new("tune2fs").args(["-L", "data"]).arg(volume.image()));
    volume.mount();
    let ran = linkctl.output(["dir"]).exits(0);
    assert!(ran.out.starts_with(" Volume in drive [DIR] is data\n Volume Serial Number is "), "{ran}");
}

#[test]
fn row_3_3_what_is_not_there_is_said_behind_the_head_with_code_1() {
    let (_volume, linkctl) = mixed();
    let nothing = linkctl.output(["dir", "nothing"]).exits(1);
    assert_eq!(
        (steady(&nothing.out).as_str(), nothing.err.as_str()),
        (
            " Volume in drive [DIR] has no label.\n Volume Serial Number is 8865-94E7\n\n Directory of [DIR]\n\n",
            "File Not Found\n"
        )
    );
    for words in [&["/b", "nothing"][..], &["/b", "/ah"], &["/b", "/s", "*.zip"]] {
        let ran = linkctl.output([&["dir"], words].concat()).exits(1);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "File Not Found\n"), "{words:?}");
    }
    // One of several that fits is enough.
    linkctl.output(["dir", "/b", "nothing", "t"]).exits(0);
    let ran = linkctl.output(["dir", "no/where"]).exits(1);
    assert_eq!(ran.err, "The system cannot find the path specified.\n");
    let ran = linkctl.output(["dir", "/w"]).exits(1);
    assert_eq!(ran.err, "Invalid switch - \"w\".\n");
}

#[test]
fn names_and_patterns_are_listed_in_their_directory() {
    let (_volume, linkctl) = mixed();
    let listing = steady(&linkctl.output(["dir", r"t\*.TXT"]).exits(0).out);
    assert!(
        listing.contains(" Directory of [DIR]/t\n\n05/28/2019  09:57 AM    <SYMLINK>      symtmp.txt"),
        "{listing}"
    );
    assert!(listing.contains("               2 File(s)             17 bytes\n               0 Dir(s)"), "{listing}");
    // What a shell made of a pattern is one listing, too.
    let named = steady(&linkctl.output(["dir", "t/symtmp.txt", "t/test.txt"]).exits(0).out);
    assert_eq!(named, listing);
    assert_eq!(linkctl.output(["dir", "/s", "/b", "up"]).exits(0).out, "[DIR]/t/sub/up\n");
    // A link that is named is looked into, by its own name.
    let through = linkctl.output(["dir", "t/L"]).exits(0).out;
    assert!(through.contains(" Directory of [DIR]/t/L\n") && through.contains("17 test.txt"), "{through}");
    let linkctl = Linkctl::new();
    assert!(linkctl.output(["dir", "/usr/share"]).exits(0).out.contains(" Directory of /usr/share\n"));
    // Behind `--`, a switch is a path: of the root, where nothing has such a name.
    assert_eq!(
        linkctl.output(["dir", "--", "/s"]).exits(1).err,
        "File Not Found
"
    );
}

#[test]
fn s_follows_no_link_and_ends_in_any_tree() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a/b/loop" => symlink("../.."), "a/root" => symlink("/"), "a/b/c" => file("x") });
    let bare = linkctl.output(["dir", "/s", "/b"]).exits(0).out;
    assert_eq!(bare, "[DIR]/a\n[DIR]/a/b\n[DIR]/a/root\n[DIR]/a/b/c\n[DIR]/a/b/loop\n");
    // Deeper than any path may be long, with siblings at each level, and few descriptors.
    let linkctl = Linkctl::new();
    let mut shell = Command::new("sh");
    let build = "i=0; while [ $i -lt 600 ]; do mkdir level-$i side; ln -s x link; cd -P level-$i; i=$((i+1)); done";
    testkit::require::run(shell.args(["-c", build]).current_dir(linkctl.work()));
    let program = linkctl.program().to_str().unwrap().to_owned();
    let limited = format!("ulimit -n 64; exec {program} dir /s /b /al");
    let output = Command::new("sh").args(["-c", &limited]).current_dir(linkctl.work()).output().unwrap();
    let ran = linkctl.said(output);
    assert_eq!((ran.code(), ran.out.lines().count(), ran.err.as_str()), (Some(0), 600, ""));
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_listed() {
    use std::os::unix::fs::PermissionsExt;
    let linkctl = Linkctl::nobody();
    tree!(linkctl.work(), { "closed/l" => symlink("x"), "open/l" => symlink("x") });
    fs::set_permissions(linkctl.at("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let ran = linkctl.output(["dir", "/s", "/b", "/al"]).exits(1);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("[DIR]/open/l\n", "Access is denied. - [DIR]/closed\n"));
}

#[test]
fn one_name_that_cannot_be_looked_at_hides_no_other() {
    let linkctl = Linkctl::nobody();
    let ran = linkctl.output(["dir", "/b", "/proc/1"]).exits(1);
    assert!(ran.out.lines().any(|line| line == "status"), "{ran}");
    assert!(ran.err.contains("Access is denied. - /proc/1/exe\n") && !ran.err.contains("File Not Found"), "{ran}");
    linkctl.output(["dir", "/b", "/proc/1/status"]).exits(0);
}

#[test]
fn what_exists_is_no_pattern_and_years_have_their_number() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a*b" => file(""), "aXb" => file("") });
    assert_eq!(linkctl.output(["dir", "/b", "--", "a*b"]).exits(0).out, "a*b\n");
    assert_eq!(linkctl.output(["dir", "/b", "a?b"]).exits(0).out, "a*b\naXb\n");
    let volume = Volume::new(Fs::Tmpfs, 0);
    let linkctl = Linkctl::on(volume.path());
    tree!(volume.path(), { "far" => file("") });
    testkit::require::run(Command::new("touch").args(["-d", "@300000000000"]).arg(linkctl.at("far")));
    let listing = linkctl.output(["dir"]).exits(0).out;
    assert!(listing.contains("/9999  ") && !listing.contains("1970"), "{listing}");
}

#[test]
fn the_time_is_that_of_ls_in_every_zone() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("") });
    for moment in ["2026-01-15 12:00:00Z", "2026-07-15 12:00:00Z"] {
        testkit::require::run(Command::new("touch").args(["-d", moment]).arg(linkctl.at("f")));
        for zone in [
            "UTC",
            "Asia/Kolkata",
            ":Asia/Kolkata",
            "Europe/Berlin",
            "America/New_York",
            "EST5EDT",
            "IST-5:30",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "/usr/share/zoneinfo/Asia/Tokyo",
            "<+0330>-3:30",
            "",
        ] {
            let mut dir = linkctl.command(["dir", "f"]);
            let dir = linkctl.said(dir.env("TZ", zone).output().unwrap()).exits(0).out;
            let mut date = Command::new("date");
            let date = date.args(["-r", "f", "+%m/%d/%Y  %I:%M %p"]).env("TZ", zone).env("LC_ALL", "C");
            let date = date.current_dir(linkctl.work()).output().unwrap();
            let date = String::from_utf8(date.stdout).unwrap();
            assert!(dir.contains(date.trim_end()), "TZ={zone}: {date}{dir}");
        }
    }
}
