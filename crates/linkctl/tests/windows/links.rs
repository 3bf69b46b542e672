//! Symbolic links and junctions: made for real where the system can, refused in words where it cannot.

use std::fs;

use crate::{Linkctl, able, is_reparse_point, output};

/// The bytes behind the header that Windows itself writes for what is typed.
const RELATIVE_DIRECTORY: &str = "0800080000000800010000002e002e005c0074002e002e005c007400";
const ABSOLUTE_FILE: &str = "08001000000008000000000043003a005c0074005c003f003f005c0043003a005c007400";
const SHARE: &str = "0a00160000000a00000000005c005c0073005c0068005c003f003f005c0055004e0043005c0073005c006800";
const ROOTED: &str = "0400040000000400010000005c0074005c007400";
const JUNCTION: &str = "00001000120008005c003f003f005c0043003a005c007400000043003a005c0074000000";

/// The bytes behind the header of the reparse data.
fn data(linkctl: &Linkctl, name: &str) -> String {
    let query = linkctl.ok(["fsutil", "reparsepoint", "query", name]);
    let lines = query.out.lines().skip_while(|line| *line != "Reparse Data:").skip(1);
    // Offset, colon, two groups of eight bytes, text.
    let bytes = lines.flat_map(|line| line.get(5..55).unwrap_or(&line[5..]).split_whitespace());
    bytes.collect()
}

#[test]
fn the_four_forms_of_mklink_store_what_windows_stores() {
    let linkctl = Linkctl::new();
    let cases: [(&[&str], &str, bool); 5] = [
        (&["/d", "relative", r"..\t"], RELATIVE_DIRECTORY, able().symlinks),
        (&["absolute", r"C:\t"], ABSOLUTE_FILE, able().symlinks),
        (&["/d", "share", r"\\s\h"], SHARE, able().symlinks),
        (&["/d", "rooted", r"\t"], ROOTED, able().symlinks),
        (&["/j", "junction", r"C:\t"], JUNCTION, able().junctions),
    ];
    for (words, bytes, possible) in cases {
        let (link, target) = (words[words.len() - 2], words[words.len() - 1]);
        let ran = linkctl.run([&["mklink"], words].concat());
        if possible {
            let ran = ran.exits(0);
            let made = if words[0] == "/j" { "Junction" } else { "symbolic link" };
            assert_eq!(ran.out, format!("{made} created for {link} <<===>> {target}\n"), "{words:?}");
            assert!(is_reparse_point(&linkctl.at(link)), "{words:?}");
            assert_eq!(data(&linkctl, link), bytes, "{words:?}");
        } else {
            let ran = ran.exits(1);
            assert!(ran.err.contains("the system") && ran.out.is_empty(), "{ran}");
            assert!(linkctl.left().is_empty(), "{words:?} left {:?}", linkctl.left());
        }
    }
}

#[test]
fn create_makes_each_kind_or_says_why_not_and_leaves_nothing() {
    let linkctl = Linkctl::new();
    linkctl.write("file", "x");
    fs::create_dir(linkctl.at("directory")).unwrap();
    let cases: [(&[&str], &str, &str, bool); 4] = [
        (&["--kind", "symlink"], "file", "symlink-file", able().symlinks),
        (&["--kind", "symlink"], "directory", "symlink-dir", able().symlinks),
        (&["--kind", "symlink", "--dir"], "missing", "symlink-dir", able().symlinks),
        (&["--kind", "junction"], "directory", "junction", able().junctions),
    ];
    for (options, target, kind, possible) in cases {
        let ran = linkctl.run([&["create"], options, &["link", target]].concat());
        if !possible {
            let ran = ran.exits(3).says("the system");
            assert_eq!(linkctl.left(), ["directory", "file"], "{ran}");
            let history = linkctl.ok(["history", "--json"]).json();
            assert_eq!(history["operations"][0]["state"], "failed");
            continue;
        }
        ran.exits(0).prints(kind);
        let shown = linkctl.ok(["show", "link", "--json"]).json();
        let state = if target == "missing" { "missing" } else { "ok" };
        assert_eq!((&shown["links"][0]["kind"], &shown["links"][0]["state"]), (&kind.into(), &state.into()), "{shown}");
        linkctl.ok(["remove", "link"]);
        assert_eq!(linkctl.left(), ["directory", "file"]);
        linkctl.ok(["undo"]);
        assert!(is_reparse_point(&linkctl.at("link")), "{kind} did not come back");
        linkctl.ok(["undo"]);
        assert_eq!(linkctl.left(), ["directory", "file"], "{kind} was not taken back");
    }
    assert_eq!(linkctl.read("file"), "x");
}

#[test]
fn nothing_behind_a_link_is_listed_or_removed() {
    let linkctl = Linkctl::new();
    for name in ["outside", "tree"] {
        fs::create_dir(linkctl.at(name)).unwrap();
        fs::write(linkctl.at(name).join("canary"), name).unwrap();
    }
    fs::create_dir(linkctl.at(r"tree\deep")).unwrap();
    let mut made = 0;
    for (kind, possible) in [("junction", able().junctions), ("symlink", able().symlinks)] {
        let outside = linkctl.at("outside");
        let link = format!(r"tree\deep\{kind}");
        let ran = linkctl.run(["create", "--kind", kind, "--absolute", &link, outside.to_str().unwrap()]);
        if possible {
            drop(ran.exits(0));
            made += 1;
        } else {
            drop(ran.exits(3).says("the system"));
        }
    }
    // In a loop of junctions a walk that follows would not end.
    if able().junctions {
        linkctl.ok(["create", "--kind", "junction", r"tree\deep\up", "tree"]);
        made += 1;
    }
    let listed = linkctl.ok(["list", "tree", "--json"]).json();
    assert_eq!(listed["links"].as_array().unwrap().len(), made, "{listed}");
    let printed = linkctl.ok(["dir", "/s", "/b", "tree"]);
    assert_eq!(printed.out.lines().filter(|line| line.ends_with("canary")).count(), 1, "{printed}");
    let points = linkctl.ok(["list", "--points-to", "outside", "--json", "tree"]).json();
    let able = able();
    let expected = usize::from(able.junctions) + usize::from(able.symlinks);
    assert_eq!(points["links"].as_array().unwrap().len(), expected, "{points}");
    linkctl.ok(["remove", "--recursive", "--yes", "tree"]);
    assert_eq!(linkctl.read(r"outside\canary"), "outside");
    assert_eq!(linkctl.read(r"tree\canary"), "tree");
    assert_eq!(fs::read_dir(linkctl.at(r"tree\deep")).unwrap().count(), 0);
    if made > 0 {
        linkctl.ok(["undo"]);
        assert_eq!(fs::read_dir(linkctl.at(r"tree\deep")).unwrap().count(), made);
        assert_eq!(linkctl.ok(["list", "tree", "--json"]).json()["links"].as_array().unwrap().len(), made);
    }
}

#[test]
fn a_chain_is_followed_hop_by_hop_also_through_junctions() {
    let linkctl = Linkctl::new();
    if !able().symlinks || !able().junctions {
        crate::say("chains of Windows links: impossible here; asserted on NTFS, in tests/linkctl/ntfs/");
        linkctl.run(["create", "link", "target"]).exits(3).says("the system");
        assert!(linkctl.left().is_empty());
        return;
    }
    fs::create_dir_all(linkctl.at(r"real\sub")).unwrap();
    fs::write(linkctl.at(r"real\sub\file"), "x").unwrap();
    linkctl.ok(["create", "--kind", "junction", "j", "real"]);
    linkctl.ok(["create", "--kind", "symlink", "d", r"j\sub"]);
    linkctl.ok(["create", "--kind", "symlink", "f", r"D\FILE"]);
    let shown = linkctl.ok(["show", "f", "--json"]).json();
    let link = &shown["links"][0];
    assert_eq!((&link["kind"], &link["state"]), (&"symlink-file".into(), &"ok".into()), "{shown}");
    let resolved = link["resolved"]["text"].as_str().unwrap();
    assert!(resolved.to_lowercase().ends_with(r"\work\real\sub\file"), "{shown}");
    assert_eq!(link["chain"]["hops"].as_array().unwrap().len(), 3, "{shown}");
    // Taken away in the middle, every link before it is broken, at the place that is missing.
    linkctl.ok(["remove", "j"]);
    let shown = linkctl.ok(["show", "f", "--json"]).json();
    assert_eq!(shown["links"][0]["state"], "missing", "{shown}");
    linkctl.run(["check"]).exits(1).prints("missing");
    linkctl.ok(["undo"]);
    linkctl.ok(["check"]);
    // Asked in another case than it is stored in.
    for asked in ["real", "REAL", r"Real\SUB"] {
        let found = linkctl.ok(["list", "--points-to", asked, "--json"]).json();
        assert_eq!(found["links"].as_array().unwrap().len(), if asked.len() > 4 { 2 } else { 3 }, "{asked}: {found}");
    }
    let escapes = linkctl.ok(["check", "--rule", "escapes"]);
    assert!(!escapes.out.contains("escapes "), "{escapes}");
}

#[test]
fn a_link_is_replaced_listed_and_deleted_as_a_reparse_point() {
    let linkctl = Linkctl::new();
    for name in ["one", "two"] {
        fs::create_dir(linkctl.at(name)).unwrap();
        fs::write(linkctl.at(name).join("canary"), name).unwrap();
    }
    for (kind, possible) in [("junction", able().junctions), ("symlink", able().symlinks)] {
        let create = |target: &str| linkctl.run(["create", "--replace", "--kind", kind, "link", target]);
        if !possible {
            create("one").exits(3).says("the system");
            assert_eq!(linkctl.left(), ["one", "two"]);
            continue;
        }
        create("one").exits(0);
        create("two").exits(0);
        assert_eq!(linkctl.left(), ["link", "one", "two"], "{kind}");
        assert_eq!(linkctl.read(r"link\canary"), "two", "{kind}");
        let listed = linkctl.ok(["list", "--json"]).json();
        assert_eq!(listed["links"].as_array().unwrap().len(), 1, "nothing is listed through the link: {listed}");
        assert_eq!(listed["links"][0]["state"], "ok", "{listed}");
        linkctl.ok(["dir", "/s", "/al"]).prints(if kind == "junction" { "<JUNCTION>" } else { "<SYMLINKD>" });
        linkctl.ok(["undo"]);
        assert_eq!(linkctl.read(r"link\canary"), "one", "{kind}");
        linkctl.ok(["fsutil", "reparsepoint", "delete", "link"]);
        assert!(linkctl.at("link").is_dir() && !is_reparse_point(&linkctl.at("link")));
        linkctl.ok(["undo"]);
        assert_eq!(linkctl.read(r"link\canary"), "one", "{kind}");
        linkctl.ok(["remove", "link"]);
        assert_eq!(linkctl.left(), ["one", "two"]);
    }
    assert_eq!((linkctl.read(r"one\canary"), linkctl.read(r"two\canary")), ("one".into(), "two".into()));
}

#[test]
fn states_are_told_apart() {
    let linkctl = Linkctl::new();
    if !able().symlinks {
        crate::say("states of Windows links: impossible here; asserted on NTFS, in tests/linkctl/ntfs/");
        linkctl.run(["create", "link", "target"]).exits(3).says("the system");
        assert!(linkctl.left().is_empty());
        return;
    }
    linkctl.write("file", "x");
    fs::create_dir(linkctl.at("directory")).unwrap();
    for (link, option, target, state) in [
        ("ok", "--file", "file", "ok"),
        ("missing", "--file", "gone", "missing"),
        ("wrong", "--file", "directory", "wrong-kind"),
        ("drive", "--dir", r"Q:\nowhere", "unreachable"),
        ("loop", "--file", "pool", "missing"),
        ("pool", "--file", "loop", "loop"),
    ] {
        linkctl.ok(["create", "--kind", "symlink", option, link, target]);
        let shown = linkctl.ok(["show", link, "--json"]).json();
        assert_eq!(shown["links"][0]["state"], state, "{link}: {shown}");
    }
}

#[test]
fn a_replacement_that_is_killed_between_its_renames_is_taken_back_whole() {
    let linkctl = Linkctl::new();
    for name in ["one", "two"] {
        fs::create_dir(linkctl.at(name)).unwrap();
        fs::write(linkctl.at(name).join("canary"), name).unwrap();
    }
    if !able().junctions {
        crate::say("replacements killed half-way: impossible here, as nothing can be replaced");
        linkctl.run(["create", "--kind", "junction", "link", "one"]).exits(3).says("the system");
        return;
    }
    for killed_behind in ["1", "2"] {
        linkctl.ok(["create", "--kind", "junction", "link", "one"]);
        let mut command = linkctl.command(["create", "--replace", "--kind", "junction", "link", "two"]);
        let ran = output(command.env("LINKCTL_CRASH_BETWEEN_RENAMES", killed_behind));
        if ran.status.success() {
            crate::say("replacements killed half-way: this system replaces in one call");
            return;
        }
        assert!(linkctl.left().iter().any(|name| name.ends_with("-old")), "{:?}", linkctl.left());
        linkctl.ok(["undo"]);
        assert_eq!(linkctl.left(), ["link", "one", "two"], "killed behind {killed_behind}");
        assert_eq!(linkctl.read(r"link\canary"), "one", "killed behind {killed_behind}");
        // An undo that is killed at the same place is taken up by the next.
        linkctl.ok(["create", "--replace", "--kind", "junction", "link", "two"]);
        let mut command = linkctl.command(["undo"]);
        let ran = output(command.env("LINKCTL_CRASH_BETWEEN_RENAMES", killed_behind));
        assert!(!ran.status.success());
        linkctl.ok(["undo"]);
        assert_eq!(linkctl.left(), ["link", "one", "two"], "undo killed behind {killed_behind}");
        assert_eq!(linkctl.read(r"link\canary"), "one", "undo killed behind {killed_behind}");
        linkctl.ok(["remove", "link"]);
    }
    assert_eq!((linkctl.read(r"one\canary"), linkctl.read(r"two\canary")), ("one".into(), "two".into()));
}

#[test]
fn a_link_that_cannot_go_stays_what_it_was() {
    let linkctl = Linkctl::new();
    if !able().junctions || !able().symlinks {
        crate::say("links that cannot be replaced: impossible here, as there are none");
        linkctl.run(["create", "link", "target"]).exits(3).says("the system");
        return;
    }
    fs::create_dir(linkctl.at("directory")).unwrap();
    linkctl.ok(["create", "--kind", "symlink", "--file", "link", "nowhere"]);
    let attrib = |sign: &str| {
        let mut command = linkctl.command_of("attrib".as_ref(), [sign, "link", "/l"]);
        drop(output(&mut command));
    };
    attrib("+r");
    let replaced = linkctl.run(["create", "--replace", "--kind", "junction", "link", "directory"]);
    let shown = linkctl.ok(["show", "link", "--json"]).json();
    // Newer systems remove what is read-only all the same.
    let kind = if replaced.failed() { "symlink-file" } else { "junction" };
    assert_eq!(shown["links"][0]["kind"], kind, "{replaced}");
    attrib("-r");
    assert_eq!(linkctl.left(), ["directory", "link"], "{replaced}");
}

#[test]
fn names_in_other_case_are_one_name_to_a_plan() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    for link in ["b", "c"] {
        linkctl.ok(["create", "--kind", "hard", link, "a"]);
    }
    linkctl.ok(["remove", "--kind", "hard", "b", "B"]);
    assert_eq!(linkctl.left(), ["a", "c"]);
    if able().symlinks {
        fs::create_dir_all(linkctl.at(r"sub\deep")).unwrap();
        linkctl.write(r"sub\x", "x");
        linkctl.ok(["create", "--relative", r"sub\deep\l", r"SUB\x"]);
        assert_eq!(linkctl.ok(["show", r"sub\deep\l", "--json"]).json()["links"][0]["target"]["text"], r"..\x");
        // From a directory that is still to be made, the target is found all the same.
        linkctl.ok(["create", "--parents", r"new\l", r"..\sub"]);
        let shown = linkctl.ok(["show", r"new\l", "--json"]).json();
        assert_eq!(shown["links"][0]["kind"], "symlink-dir", "{shown}");
    }
}
