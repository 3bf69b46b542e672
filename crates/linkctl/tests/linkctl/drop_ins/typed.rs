//! What is typed is what is stored: §1.5, names of every kind, and what `dir` shows of them.

use std::ffi::OsString;

use proptest::prelude::*;
use reparse::{ReparseData, WideString};

use super::*;

/// Print name, substitute name.
fn stored(path: impl AsRef<Path>) -> (String, String) {
    let name = |name: &WideString| name.to_string();
    match ReparseData::decode(&get_reparse(path).unwrap()).unwrap() {
        ReparseData::Symlink(link) => (name(&link.print), name(&link.substitute)),
        ReparseData::MountPoint(link) => (name(&link.print), name(&link.substitute)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_1_5_each_form_of_target_is_stored_as_windows_stores_it() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "sub" => dir, "t" => dir });
    let native = volume.path().join("t");
    let native = native.to_str().unwrap();
    let cases = [
        // typed, print name, substitute name
        ("plain", "plain", "plain"),
        ("it's \"quoted\" & more", "it's \"quoted\" & more", "it's \"quoted\" & more"),
        (r"..\t\", r"..\t\", r"..\t\"),
        // With `/` in it, Windows would store a link that it cannot follow: the substitute name has `\`.
        ("../t", "../t", r"..\t"),
        ("./a/b", "./a/b", r".\a\b"),
        ("C:/t/x", "C:/t/x", r"\??\C:\t\x"),
        (r"c:\T", r"c:\T", r"\??\c:\T"),
        (r"C:\", r"C:\", r"\??\C:\"),
        (r"C:\a\..\b", r"C:\a\..\b", r"\??\C:\b"),
        (r"\\?\C:\t", r"\\?\C:\t", r"\??\C:\t"),
        (r"\\server\share\x", r"\\server\share\x", r"\??\UNC\server\share\x"),
        ("//server/share", "//server/share", r"\??\UNC\server\share"),
        // Drive-relative: from the current directory, on another drive from its root.
        ("C:x", r"C:\sub\x", r"\??\C:\sub\x"),
        ("D:x", r"D:\x", r"\??\D:\x"),
        // A path of this system, as Windows would have to say it.
        (native, r"C:\t", r"\??\C:\t"),
    ];
    let sub = linkctl.at("sub");
    for (index, (typed, print, substitute)) in cases.into_iter().enumerate() {
        let link = format!("link{index}");
        linkctl.output_in(&sub, ["mklink", "/d", &link, typed]).exits(0);
        assert_eq!(stored(sub.join(&link)), (print.into(), substitute.into()), "{typed}");
    }
    let junctions = [
        (r"..\t", r"C:\t"),
        ("../t", r"C:\t"),
        ("C:x", r"C:\sub\x"),
        (r"\t", r"C:\t"),
        (r"C:\t\", r"C:\t"),
        (r"\\?\C:\t", r"C:\t"),
        (r"D:\gone", r"D:\gone"),
        (native, r"C:\t"),
        // To itself, to nothing, to a file: nothing is asked.
        ("j7", r"C:\sub\j7"),
        ("nothing", r"C:\sub\nothing"),
    ];
    for (index, (typed, target)) in junctions.into_iter().enumerate() {
        let link = format!("j{index}");
        linkctl.output_in(&sub, ["mklink", "/j", &link, typed]).exits(0);
        assert_eq!(stored(sub.join(&link)), (target.into(), format!(r"\??\{target}")), "{typed}");
    }
    let drive = ["mklink", "--drive", "E", "/j", "on-e", "t"];
    linkctl.output(drive).exits(0);
    assert_eq!(stored(linkctl.at("on-e")).0, r"E:\t");
}

#[test]
fn a_backslash_separates_on_ntfs_and_is_a_letter_elsewhere() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "sub" => dir, "t" => dir });
    for link in [r"sub\a", r".\sub\b\", r"\sub\c", r"C:\sub\d", r"c:sub\e", r"\\?\C:\sub\f", "sub/g"] {
        linkctl.output(["mklink", "/d", link, r"..\t"]).exits(0);
    }
    assert_eq!(names(linkctl.at("sub")), ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(names(volume.path()), ["sub", "t"]);
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", r"a\b", r"c\d"]);
    assert_eq!(names(linkctl.work()), [r"a\b"]);
    assert_eq!(linkctl.target(r"a\b"), br"c\d");
}

/// `mklink`, then what `dir /al` shows in the brackets behind the name.
fn shown(linkctl: &Linkctl, link: &str, target: &OsString) -> Option<String> {
    let words = [os(b"mklink"), os(b"--"), link.as_ref(), target];
    linkctl.output(words).exits(0);
    let listing = linkctl.output(["dir", "/al"]).exits(0).out;
    fs::remove_file(linkctl.at(link)).unwrap();
    let row = listing.lines().find(|line| line.get(39..).is_some_and(|name| name.starts_with(link)))?;
    Some(row.strip_suffix(']')?.get(39 + link.len()..)?.strip_prefix(" [")?.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn on_linux_any_target_is_shown_as_typed(target in "[^/\\x00\\p{C}\\p{Z}\\p{DI}\u{2800}][^\\x00\\p{C}\\p{DI}\u{2028}\u{2029}\u{2800}]{0,60}") {
        let linkctl = Linkctl::new();
        prop_assert_eq!(shown(&linkctl, "l", &OsString::from(&target)), Some(target));
    }
}

#[test]
fn on_ntfs_any_target_is_shown_as_typed() {
    // One volume for all: making it is what takes time.
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    let name = "[^/\\\\:\\x00\\p{C}\\p{Z}\\p{DI}\u{2800}][^:\\x00\\p{C}\\p{DI}\u{2028}\u{2029}\u{2800}]{0,60}";
    let target =
        prop_oneof![name.prop_map(String::from), name.prop_map(|name| format!(r"C:\{}", name.replace('/', "x")))];
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&target, |target| {
            prop_assert_eq!(shown(&linkctl, "l", &OsString::from(&target)), Some(target));
            Ok(())
        })
        .unwrap();
}

#[test]
fn hostile_names_are_escaped_in_every_answer() {
    let linkctl = Linkctl::new();
    let (link, target) = (os(b"a\x1b[31m"), os(b"b\nc\xff"));
    let ran = linkctl.output([os(b"mklink"), link, target]).exits(0);
    assert_eq!(ran.out, "symbolic link created for a\\x1b[31m <<===>> b\\nc\\xff\n");
    let listing = linkctl.output(["dir", "/al"]).exits(0).out;
    assert!(listing.contains("<SYMLINK>      a\\x1b[31m [b\\nc\\xff]\n"), "{listing}");
    assert_eq!(linkctl.output(["dir", "/b"]).exits(0).out, "a\\x1b[31m\n");
}

#[test]
fn dots_are_taken_by_the_text_as_windows_takes_them() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    tree!(volume.path(), { "t/deep" => dir, "base" => dir });
    let base = linkctl.at("base");
    linkctl.output_in(&base, ["mklink", "/j", "LJ", r"C:\t\deep"]).exits(0);
    for (dir, target) in [("base", "here"), ("t", "other")] {
        linkctl.output_in(linkctl.at(dir), ["mklink", "S", target]).exits(0);
    }
    // `LJ\..` is `base`, wherever LJ leads.
    linkctl.output_in(&base, ["fsutil", "reparsepoint", "delete", r"LJ\..\S"]).exits(0);
    assert!(get_reparse(linkctl.at("t/S")).is_some(), "the link of that name elsewhere is another one");
    assert_eq!(get_reparse(linkctl.at("base/S")), None);
    linkctl.output_in(&base, ["mklink", r"C:\base\LJ\..\new", "x"]).exits(0);
    linkctl.output_in(&base, ["mklink", r"..\..\..\top", "x"]).exits(0);
    assert_eq!(
        (names(&base), names(linkctl.at("t"))),
        (vec!["LJ".into(), "S".into(), "new".into()], vec!["S".into(), "deep".into()])
    );
    assert!(linkctl.exists("top"), "nothing is above the root of a drive");
    for (link, typed, target) in [
        ("a", r"nope\..\b", r"C:\base\b"),
        ("b", r"..\..\..\x", r"C:\x"),
        ("c", "..", r"C:\"),
        ("d", "C:nope/../q", r"C:\base\q"),
    ] {
        linkctl.output_in(&base, ["mklink", "/j", link, typed]).exits(0);
        assert_eq!(stored(base.join(link)).0, target, "{typed}");
    }
}
