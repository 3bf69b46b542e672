//! Names and paths that trip programs on Windows.

use std::ffi::OsString;
use std::fs;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::process::CommandExt as _;
use std::path::PathBuf;

use crate::{Linkctl, Ran, able, output};

/// A path whose names are taken to the letter.
fn verbatim(linkctl: &Linkctl, name: &str) -> PathBuf {
    let mut path = OsString::from(r"\\?\");
    path.push(linkctl.work());
    path.push("\\");
    path.push(name);
    path.into()
}

#[test]
fn a_name_that_ends_in_dots_or_spaces_is_not_taken_for_the_one_without() {
    let linkctl = Linkctl::new();
    for (name, content) in [("a", "plain"), ("a.", "dot"), ("a ", "space")] {
        fs::write(verbatim(&linkctl, name), content).unwrap();
        fs::hard_link(verbatim(&linkctl, name), verbatim(&linkctl, &format!("other {content}"))).unwrap();
    }
    let shown = |name: &str| linkctl.ok(["show", name, "--json"]).json()["links"][0]["size"].clone();
    assert_eq!((shown("a"), shown("a."), shown("a ")), (5.into(), 3.into(), 5.into()));
    linkctl.ok(["remove", "--kind", "hard", "a."]);
    assert!(verbatim(&linkctl, "a").symlink_metadata().is_ok());
    assert!(verbatim(&linkctl, "a ").symlink_metadata().is_ok());
    assert!(verbatim(&linkctl, "a.").symlink_metadata().is_err());
    linkctl.ok(["undo"]);
    assert_eq!(fs::read_to_string(verbatim(&linkctl, "a.")).unwrap(), "dot");
    // A drop-in takes what Win32 would make of a name that is not there to the letter.
    let made = linkctl.ok(["fsutil", "hardlink", "create", "new. .", "a"]);
    assert!(made.out.starts_with("Hardlink created for "), "{made}");
    assert!(verbatim(&linkctl, "new").symlink_metadata().is_ok());
    assert!(verbatim(&linkctl, "new. .").symlink_metadata().is_err());
}

#[test]
fn names_of_devices_are_files_to_the_letter() {
    let linkctl = Linkctl::new();
    fs::write(verbatim(&linkctl, "nul"), "data").unwrap();
    linkctl.ok(["create", "--kind", "hard", "b", "nul"]);
    assert_eq!(linkctl.read("b"), "data");
    linkctl.ok(["list", "--kind", "hard", "--format", "paths"]).prints("nul");
    linkctl.ok(["remove", "--kind", "hard", "nul"]);
    assert_eq!(linkctl.left(), ["b"]);
}

#[test]
fn paths_longer_than_260_units_are_made_read_listed_and_removed() {
    let linkctl = Linkctl::new();
    let deep: Vec<String> = (0..12).map(|n| format!("{n:02}-{}", "d".repeat(40))).collect();
    let deep = deep.join("\\");
    fs::create_dir_all(verbatim(&linkctl, &deep)).unwrap();
    let (file, link) = (format!(r"{deep}\file"), format!(r"{deep}\link"));
    fs::write(verbatim(&linkctl, &file), "deep").unwrap();
    linkctl.ok(["create", "--kind", "hard", &link, &file]);
    assert_eq!(fs::read_to_string(verbatim(&linkctl, &link)).unwrap(), "deep");
    let listed = linkctl.ok(["list", "--kind", "hard", "--json"]).json();
    assert_eq!(listed["links"][0]["paths"][1]["text"], link.as_str());
    linkctl.ok(["show", &link]).prints("2 names");
    linkctl.ok(["dir", "/s", "/b", "/a-d"]).prints("file");
    linkctl.ok(["remove", "--kind", "hard", &link]);
    assert!(verbatim(&linkctl, &link).symlink_metadata().is_err());
    linkctl.ok(["undo"]);
    assert!(verbatim(&linkctl, &link).symlink_metadata().is_ok());
}

#[test]
fn names_that_are_no_unicode_come_out_whole() {
    let linkctl = Linkctl::new();
    let name = OsString::from_wide(&[u16::from(b'a'), 0xd800, u16::from(b'b')]);
    // "a", the three bytes of the surrogate, "b".
    const BASE64: &str = "Ye2ggGI=";
    let missing = linkctl.run(["show".into(), name.clone(), "--json".into()]).exits(3);
    assert_eq!(missing.json()["errors"][0]["path"]["bytes"], BASE64, "{missing}");
    assert!(missing.err.contains(r"a\xed\xa0\x80b"), "{missing}");
    // Not every file system of Wine can hold such a name; NTFS can.
    if fs::write(linkctl.at(&name), "x").is_err() {
        crate::say("unpaired surrogates: this file system holds none, so their way through an error is asserted");
        return;
    }
    linkctl.ok(["create".into(), "--kind".into(), "hard".into(), "c".into(), name.clone()]);
    let listed = linkctl.ok(["list", "--kind", "hard", "--json"]).json();
    assert_eq!(listed["links"][0]["paths"][0]["bytes"], BASE64, "{listed}");
    linkctl.ok(["remove".into(), "--kind".into(), "hard".into(), name.clone()]);
    assert!(!linkctl.at(&name).exists());
}

#[test]
fn case_is_one_to_the_system_and_kept_as_typed() {
    let linkctl = Linkctl::new();
    linkctl.write("Name", "x");
    linkctl.ok(["create", "--kind", "hard", "Link", "NAME"]);
    assert_eq!(linkctl.left(), ["Link", "Name"]);
    linkctl.run(["create", "--kind", "hard", "LINK", "Name"]).exits(4).says("a file has this name");
    linkctl.run(["create", "--kind", "hard", "NAME", "name"]).exits(4).says("the same name");
    linkctl.ok(["remove", "--kind", "hard", "lINK"]);
    assert_eq!(linkctl.left(), ["Name"]);
}

#[test]
fn a_backslash_before_the_quote_at_the_end_of_an_argument_ends_a_path() {
    let linkctl = Linkctl::new();
    fs::create_dir(linkctl.at("my dir")).unwrap();
    fs::write(linkctl.at(r"my dir\a"), "x").unwrap();
    fs::hard_link(linkctl.at(r"my dir\a"), linkctl.at(r"my dir\b")).unwrap();
    let run = |typed: &str| Ran::of(&output(linkctl.command([""; 0]).raw_arg(typed)));
    for typed in [r#"list --hard --json "my dir\""#, r#"list "my dir\" --hard --json"#] {
        let listed = run(typed).exits(0).json();
        assert_eq!(listed["links"][0]["links"], 2, "{typed}: {listed}");
    }
    // A link to `my dir"` was made.
    let ran = run(r#"create --kind junction link "my dir\""#);
    assert!(able().junctions || ran.failed(), "{ran}");
    if able().junctions {
        assert_eq!(linkctl.read(r"link\a"), "x");
    }
}
