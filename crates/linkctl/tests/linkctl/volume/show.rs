//! `show --volume`: one path of a volume, however it is written.

use super::*;

/// Names that hold what parts names cannot be typed.
fn can_be_typed(path: &str) -> bool {
    ![r"\a\b", r"\..\up", r"\C:\Real"].iter().any(|name| path.contains(&format!("{name}\\")) || path.ends_with(name))
}

#[track_caller]
fn show(path: impl AsRef<OsStr>) -> Value {
    show_of(Filled::of(ANY).source(), path)
}

#[track_caller]
fn show_of(source: impl AsRef<Path>, path: impl AsRef<OsStr>) -> Value {
    let ran = run("show", source, [OsStr::new("--json"), OsStr::new("--raw"), path.as_ref()]).exits(0);
    assert_eq!(ran.err, "");
    ran.json()["links"][0].clone()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_link_is_shown_to_the_last_byte() {
    let filled = Filled::of(ANY);
    let listed = links(&list(filled.source(), &[]));
    let mut names: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for link in &filled.expected.links {
        names.entry(link.mft).or_default().push(&link.path);
    }
    let mut shown_names: BTreeMap<u64, usize> = BTreeMap::new();
    for row in &listed {
        let typed = name(&row["path"]);
        let path = path(row);
        let expected = filled.expected_link(&path);
        let turn = shown_names.entry(expected.mft).or_default();
        *turn += 1;
        // Of 150 names of one file, a few are enough.
        if !can_be_typed(&path) || *turn > 3 {
            continue;
        }
        let shown = show(os(&typed));
        assert_eq!(shown["raw"], hex(&expected.raw), "{path}");
        for field in ["path", "kind", "target", "resolved", "state"] {
            assert_eq!(shown[field], row[field], "{field} of {path}");
        }
        let all = &names[&expected.mft];
        assert_eq!(shown["links"], all.len(), "{path}");
        if all.len() > 1 {
            let found = shown["names"]["found"].as_array().unwrap().iter().map(text).collect();
            assert_same(&path, found, all.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(shown["names"]["complete"], true);
        }
    }
    let several = names.values().filter(|all| all.len() > 1).count();
    assert!(several >= 3, "{several} links with several names");
}

#[test]
fn what_is_no_link_is_shown_too() {
    for (path, kind, full) in [
        (r"C:\Real\other", "file", r"C:\Real\other"),
        (r"C:\Real\deep", "directory", r"C:\Real\deep"),
        (r"C:\", "directory", r"C:\"),
        ("C:", "directory", r"C:\"),
        (r"\", "directory", r"C:\"),
    ] {
        let shown = show(path);
        assert_eq!((shown["kind"].as_str(), text(&shown["path"]).as_str()), (Some(kind), full), "{path}");
        assert_eq!((&shown["target"], &shown["state"]), (&Value::Null, &Value::Null), "{path}");
    }
    assert_eq!(show(r"C:\Real\other")["size"], 5);
    // An Interix symlink is a file, as Windows sees it.
    assert_eq!(show(r"C:\special\symlink")["kind"], "file");
}

#[test]
fn hard_links_are_shown_with_all_their_names() {
    let filled = Filled::of(ANY);
    for of in [r"C:\hard\a", r"C:\hard\many", r"C:\Case\case", r"C:\short\linked file.text"] {
        let group = filled.expected.hard.iter().find(|group| group.paths.iter().any(|path| path == of)).unwrap();
        let shown = show(of);
        assert_eq!((&shown["kind"], &shown["state"]), (&"hard".into(), &"ok".into()));
        assert_eq!((&shown["links"], &shown["size"]), (&group.paths.len().into(), &group.size.into()), "{of}");
        let found = shown["names"]["found"].as_array().unwrap().iter().map(text).collect();
        assert_same(of, found, group.paths.clone());
        assert_eq!(text(&shown["path"]), of);
    }
}

#[test]
fn paths_may_be_typed_in_many_ways() {
    for (typed, full) in [
        (r"C:\junctions\plain", r"C:\junctions\plain"),
        (r"c:\JUNCTIONS\Plain", r"C:\junctions\plain"),
        (r"\junctions\plain", r"C:\junctions\plain"),
        ("junctions/plain", r"C:\junctions\plain"),
        ("/junctions//plain/", r"C:\junctions\plain"),
        (r".\junctions\.\plain", r"C:\junctions\plain"),
        (r"C:/Real/../junctions\plain", r"C:\junctions\plain"),
        // Through junctions and symbolic links.
        (r"C:\junctions\plain\deep\f", r"C:\Real\deep\f"),
        (r"C:\chains\63\1\deep\F", r"C:\Real\deep\f"),
        (r"C:\junctions\to a junction\f", r"C:\Real\deep\f"),
        // Letter case beyond ASCII.
        (r"C:\é\É", r"C:\É\é"),
        // The very name goes before one in another case.
        (r"C:\Case\name", r"C:\Case\name"),
        (r"C:\case\NAME", r"C:\Case\NAME"),
        // 8.3 names.
        (r"C:\short\ALONGD~1\f", r"C:\short\a long directory\f"),
        (r"C:\short\alongj~1", r"C:\short\a long junction"),
        (r"C:\short\ALONGJ~1\f", r"C:\short\a long directory\f"),
        (r"C:\short\AFILEW~1.TEX", r"C:\short\a file with a long name.text"),
    ] {
        assert_eq!(text(&show(typed)["path"]), full, "{typed}");
    }
    assert_eq!(show(r"C:\é\É")["size"], "accents".len());
    assert_eq!((&show(r"C:\Case\name")["size"], &show(r"C:\Case\NAME")["kind"]), (&5.into(), &"file".into()));
}

#[test]
fn the_text_says_the_same() {
    let ran = run("show", Filled::of(ANY).source(), [r"C:\chains\5\3"]).exits(0);
    for line in [
        r"path        C:\chains\5\3",
        "kind        symlink-dir",
        "target      4",
        "state       ok",
        r"resolved    C:\Real",
    ] {
        assert!(ran.out.lines().any(|row| row.trim_end() == line), "{line}:\n{ran}");
    }
    for hop in [r"C:\chains\5\3", r"C:\chains\5\4", r"C:\chains\5\5"] {
        assert!(ran.out.contains(hop), "{ran}");
    }
    let shown = show(r"C:\chains\5\3");
    let hops = shown["chain"]["hops"].as_array().unwrap().iter().map(path);
    assert_eq!(hops.collect::<Vec<_>>(), [r"C:\chains\5\3", r"C:\chains\5\4", r"C:\chains\5\5"]);
}

#[test]
fn what_is_missing_is_named() {
    let source = Filled::of(ANY).source();
    for (typed, at) in [
        (r"C:\nope", r"C:\nope"),
        (r"C:\nope\x\y", r"C:\nope"),
        (r"Real/gone/x", r"C:\Real\gone"),
        (r"C:\junctions\plain\gone\x", r"C:\Real\gone"),
        (r"C:\junctions\dangling\x", r"C:\Real\gone"),
        (r"C:\Real\other\x", r"C:\Real\other"),
        (r"C:\loops\a\x", r"C:\loops\"),
    ] {
        let ran = run("show", &source, [typed]).exits(3).says(typed);
        assert_eq!(ran.out, "", "{typed}");
        assert!(typed == at || ran.err.replace(typed, "").contains(at), "{at}: {ran}");
    }
}

#[test]
fn the_link_that_is_one_too_many_is_named() {
    let ran = run("show", Filled::of(ANY).source(), [r"C:\chains\70\1\deep"]).exits(3);
    let ran = ran.says("70 hops; the system follows 63").says(r#"at "C:\chains\70\64""#);
    assert!(!ran.err.contains("--relative"), "{ran}");
}

#[test]
fn hints_are_about_the_volume() {
    let source = Filled::of(ANY).source();
    let ran = run("show", &source, [r"C:\nope"]).exits(3);
    assert!(!ran.err.contains("current directory"), "{ran}");
    let ran = run("show", &source, [r"D:\Real"]).says("paths on this volume begin with C:");
    assert!(!ran.err.contains("by its last name"), "{ran}");
}

#[test]
fn the_letter_decides_what_is_on_the_volume() {
    let source = Filled::of(ANY).source();
    let shown = run("show", &source, ["--json", "--drive", "d", r"D:\junctions\other drive"]).exits(0).json();
    let shown = &shown["links"][0];
    assert_eq!((state(shown), text(&shown["resolved"]).as_str()), ("ok", r"D:\Real"));
    let listed = links(&list(&source, &["--drive", "D"]));
    let of = |path: &str| state(link(&listed, path)).to_owned();
    assert_eq!(of(r"D:\junctions\other drive"), "ok");
    assert_eq!(of(r"D:\junctions\plain"), "elsewhere");
    assert_eq!(of(r"D:\symlinks\rooted file"), "ok");
    let on_c = links(&list(&source, &[]));
    assert_eq!(state(link(&on_c, r"C:\junctions\other drive")), "elsewhere");
    assert_eq!(state(link(&on_c, r"C:\junctions\share")), "elsewhere");
}

#[test]
fn a_link_to_a_file_that_is_kept_in_another_form_is_ok() {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    tree!(volume.path(), { "packed" => file("text"), "to packed" => file(""), "below packed" => file(""), "d" => dir });
    let point = |name: &str, data: &[u8]| testkit::ntfs::set_reparse(volume.path().join(name), data);
    let symlink = |target: &str| {
        let symlink = reparse::Symlink::new(&WideString::from(target)).unwrap();
        reparse::ReparseData::from(symlink).encode().unwrap()
    };
    let packed = [&0x8000_0017_u32.to_le_bytes()[..], &[8, 0, 0, 0], &[1, 0, 0, 0, 2, 0, 0, 0]].concat();
    point("to packed", &symlink("packed"));
    point("below packed", &symlink(r"packed\x"));
    tree!(volume.path(), { "cloud/f" => file("") });
    let cloud = [&0x9000_701a_u32.to_le_bytes()[..], &[4, 0, 0, 0], &[2; 4]].concat();
    point("packed", &packed);
    point("cloud", &cloud);
    volume.unmount();
    let listed = links(&list(volume.image(), &[]));
    let states = |path: &str| state(link(&listed, path)).to_owned();
    assert_eq!(states(r"C:\to packed"), "ok");
    assert_eq!(states(r"C:\below packed"), "missing");
    assert_eq!(text(&show_of(volume.image(), r"C:\cloud\f")["path"]), r"C:\cloud\f");
}

#[test]
fn a_slash_at_the_end_asks_for_a_directory_that_is_there() {
    let source = Filled::of(ANY).source();
    for typed in [r"C:\Real\deep\f\", "Real/deep/f/", r"C:\Real\other\"] {
        for verb in ["show", "list", "check", "dir"] {
            let ran = run(verb, &source, [typed]);
            assert!(matches!(ran.code(), Some(1 | 3)) && !ran.err.is_empty(), "{verb} {typed}: {ran}");
        }
    }
    for typed in [r"C:\Real\deep\", "Real/deep/", r"C:\junctions\plain\", r"C:\junctions\dangling\", r"C:\"] {
        run("show", &source, [typed]).exits(0);
    }
}
