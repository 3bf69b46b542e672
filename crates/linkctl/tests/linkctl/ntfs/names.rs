//! Hostile and odd names and targets.

use super::*;

#[test]
fn hostile_names_on_ntfs_are_listed_escaped_and_removed() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    let names = ["new\nline", "\u{1b}[31mred", "bidi\u{202e}txt", "trailing. ", "-dash", "Grüße 🎈", r"back\slash"];
    for name in names {
        let ran = bench.ok(["create", "--kind", "junction", "--", name, r"C:\t"]);
        assert_eq!(get_reparse(bench.at(name)), Some(hex(GOLDEN_JUNCTION)), "{name:?}");
        let raw = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.out.contains(raw) && ran.out.lines().count() == 1, "{:?}", ran.out);
    }
    let mut listed: Vec<_> = bench.list(&[]).into_iter().map(|(path, _)| path).collect();
    let mut expected = names.to_vec();
    listed.sort();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    let table = bench.ok(["list"]).out;
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "{table:?}");
    assert_eq!(table.lines().count(), 1 + names.len(), "{table}");
    for name in names {
        bench.ok(["remove", "--", name]);
    }
    assert_eq!(bench.names(), ["t", "t/f"]);
}

#[test]
fn hostile_targets_in_reparse_data_are_escaped() {
    let bench = Bench::ntfs();
    let target = "a\n\u{1b}]0;title\u{7}\u{202e}b";
    file_point(bench.at("l"), &raw_symlink(target, target, 1));
    assert_eq!(text(&bench.list(&[])[0].1["target"]), target);
    for args in [&["list"][..], &["show", "l"], &["show", "--raw", "l"], &["list", "--format", "csv"]] {
        let out = bench.ok(args).out;
        assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{args:?}: {out:?}");
    }
}

#[test]
fn unpaired_surrogates_are_kept_and_shown_as_bytes() {
    let bench = Bench::ntfs();
    let wide = WideString::from_units("a\u{1}b".encode_utf16().map(|u| if u == 1 { 0xd800 } else { u }).collect());
    let link = Symlink { substitute: wide.clone(), print: wide, flags: 1 };
    let data = ReparseData::from(link).encode().unwrap();
    file_point(bench.at("l"), &data);
    let wtf8 = b"a\xed\xa0\x80b";
    let target = json!({ "bytes": base64::engine::general_purpose::STANDARD.encode(wtf8) });
    let listed = bench.list(&[]);
    assert_eq!((&listed[0].1["target"], &listed[0].1["state"]), (&target, &json!("missing")));
    assert_eq!(bench.show("l", &[])["target"], target);
    // `Ran` has checked that what is printed is Unicode.
    bench.ok(["list"]);
    bench.ok(["show", "l"]);
    bench.ok(["remove", "l"]);
    bench.ok(["undo"]);
    assert_eq!(get_reparse(bench.at("l")), Some(data.clone()));
    // Typed as those bytes, the same link is made.
    let args = [OsStr::new("create"), OsStr::new("--file"), OsStr::new("m"), OsStr::from_bytes(wtf8)];
    bench.ok(args);
    assert_eq!(get_reparse(bench.at("m")), Some(data));
    // What is neither UTF-8 nor WTF-8 names nothing on NTFS.
    let args = [OsStr::new("create"), OsStr::new("n"), OsStr::from_bytes(b"x\xff")];
    bench.run(args).exits(4).says(&["not Unicode"]);
    assert!(bench.at("n").symlink_metadata().is_err());
}

#[test]
fn dots_and_spaces_at_the_end_of_a_relative_target_are_stored_as_typed() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "dot." => dir, "space " => dir, "both. " => file("text") });
    for (link, target, directory) in [("d", "dot.", true), ("s", "space ", true), ("b", "both. ", false)] {
        bench.ok(["create", link, target]);
        assert_eq!(get_reparse(bench.at(link)), Some(raw_symlink(target, target, 1)));
        assert_eq!(ntfs_attrib(bench.at(link)).unwrap() & 0x10 != 0, directory);
        let shown = bench.show(link, &[]);
        assert_eq!((text(&shown["target"]), &shown["state"]), (target.to_owned(), &json!("ok")), "{link}");
    }
    // An absolute one, too; `mklink` drops them as Win32 does, unless what is there has them.
    bench.ok(["create", "--dir", "w", r"C:\dot."]);
    assert_eq!(get_reparse(bench.at("w")), Some(raw_symlink(r"\??\C:\dot.", r"C:\dot.", 0)));
    assert_eq!(bench.show("w", &[])["state"], "ok");
    bench.ok(["mklink", "/d", "m", r"C:\none."]);
    assert_eq!(get_reparse(bench.at("m")), Some(raw_symlink(r"\??\C:\none", r"C:\none.", 0)));
}

/// A directory with a long and a short name, links into it in all sorts of letters, and within it one that leads out.
fn named_in_other_letters(bench: &Bench) -> [&'static str; 6] {
    tree!(bench.root(), { "Long Directory/File.txt" => file("text"), "Long Directory/sub" => dir, "other" => dir });
    let short = ["-n", "system.ntfs_dos_name", "-v", "LONGDI~1"];
    testkit::require::run(Command::new("setfattr").args(short).arg(bench.at("Long Directory")));
    dir_point(bench.at("junction"), &junction(r"C:\LONG DIRECTORY"));
    file_point(bench.at("file"), &symlink(r"long directory\FILE.TXT"));
    file_point(bench.at("gone"), &symlink(r"LONG directory\Gone"));
    dir_point(bench.at("Long Directory/sub/in"), &symlink(r"..\..\long DIRECTORY\sub"));
    dir_point(bench.at("Long Directory/sub/up"), &symlink(r"..\..\LONGDI~1"));
    dir_point(bench.at("Long Directory/sub/out"), &symlink(r"..\..\Other"));
    ["junction", "file", "gone", "Long Directory/sub/in", "Long Directory/sub/up", "Long Directory/sub/out"]
}

#[test]
fn places_on_a_volume_without_letter_case_were_compared_by_letters() {
    for options in ["", "ignore_case"] {
        let mut bench = Bench::on(Volume::with_options(Fs::Ntfs, 0, options));
        let links = named_in_other_letters(&bench);
        let lead_in = |paths: Vec<String>| {
            let paths: Vec<_> = paths.iter().map(|path| path.replace('\\', "/").to_lowercase()).collect();
            links.map(|link| paths.iter().any(|path| path.trim_start_matches("c:/") == link.to_lowercase()))
        };
        let cases = [
            ("Long Directory", [true, true, true, true, true, false]),
            ("LONG DIRECTORY", [true, true, true, true, true, false]),
            ("LONGDI~1", [true, true, true, true, true, false]),
            ("long directory/file.TXT", [false, true, false, false, false, false]),
            ("long directory/GONE", [false, false, true, false, false, false]),
        ];
        let list = |bench: &Bench, args: &[&str]| {
            let ran =
                bench.ok([&["list", "--kind", "symlink", "--kind", "junction", "--format", "paths"], args].concat());
            ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        for (typed, expected) in cases {
            assert_eq!(lead_in(list(&bench, &["--points-to", typed])), expected, "{options}: {typed}");
        }
        for root in ["Long Directory", "LONGDI~1"] {
            let ran = bench.run(["check", "--json", "--rule", "escapes", "--root", root, "Long Directory"]).exits(1);
            let found = ran.json()["findings"].as_array().unwrap().len();
            assert_eq!(found, 1, "{options}: {root}: {}", ran.out);
        }
        bench.volume.unmount();
        let image = bench.volume.image();
        for (typed, expected) in cases {
            let typed = format!(r"C:\{}", typed.replace('/', r"\"));
            let found = list(&bench, &["--volume", image.to_str().unwrap(), "--points-to", &typed]);
            assert_eq!(lead_in(found), expected, "{options}: {typed} on the volume");
        }
    }
}
