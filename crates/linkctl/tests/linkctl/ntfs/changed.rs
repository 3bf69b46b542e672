//! Links replaced and removed, and brought back.

use super::*;

#[test]
fn replace_changes_a_junction_in_its_place_and_undo_brings_the_old_bytes_back() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "u/f" => file("other") });
    // As PowerShell made it: not what linkctl itself would write.
    let old = raw_junction(r"\??\C:\t", "");
    dir_point(bench.at("j"), &old);
    refused(&bench, &["create", "--kind", "junction", "j", r"C:\u"], &["a link has this name", "--replace"]);
    let ran = bench.ok(["create", "--kind", "junction", "--replace", "j", r"C:\u"]);
    assert_eq!(fs::read(bench.at("j/f")).unwrap(), b"other");
    assert_eq!(ran.out, "replaced with junction j -> C:\\u\n");
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\u")));
    assert_eq!(bench.names(), ["j", "t", "t/f", "u", "u/f"]);
    bench.ok(["undo"]);
    assert_eq!(get_reparse(bench.at("j")), Some(old));
    assert_eq!(fs::read(bench.at("j/f")).unwrap(), b"text");
    // And undoing that does it again.
    bench.ok(["undo", "2"]);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\u")));
    assert_eq!(bench.names(), ["j", "t", "t/f", "u", "u/f"]);
    let mft = bench.at("j").symlink_metadata().unwrap().ino();
    assert_index(&mut bench, vec![IndexEntry { tag: JUNCTION, mft, sequence: 1 }]);
}

#[test]
fn replace_goes_from_every_kind_of_link_to_every_other_and_back() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    dir_point(bench.at("l"), &symlink("t"));
    let steps: [(&[&str], Vec<u8>, bool); 4] = [
        (&["--kind", "junction", "l", r"C:\t"], hex(GOLDEN_JUNCTION), true),
        (&["l", r"t\f"], symlink(r"t\f"), false),
        (&["--kind", "junction", "l", r"C:\t"], hex(GOLDEN_JUNCTION), true),
        (&["l", "t"], symlink("t"), true),
    ];
    let mut history = vec![(symlink("t"), true)];
    for (args, data, directory) in steps {
        bench.ok([&["create", "--replace"], args].concat());
        assert_eq!(get_reparse(bench.at("l")).as_ref(), Some(&data), "{args:?}");
        assert_eq!(ntfs_attrib(bench.at("l")).unwrap() & 0x10 != 0, directory, "{args:?}");
        assert_eq!(bench.names(), ["l", "t", "t/f"]);
        history.push((data, directory));
    }
    for (data, directory) in history.into_iter().rev().skip(1) {
        bench.ok(["undo"]);
        assert_eq!(get_reparse(bench.at("l")).as_ref(), Some(&data));
        assert_eq!(ntfs_attrib(bench.at("l")).unwrap() & 0x10 != 0, directory);
        assert_eq!(bench.names(), ["l", "t", "t/f"]);
    }
}

#[test]
fn replace_never_takes_a_directory_or_a_file() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "full/f" => file("precious"), "empty" => dir, "file" => file("x") });
    let snapshot = Snapshot::of(bench.root());
    let all = ["full", "empty", "file"];
    for name in all {
        bench.run(["create", "--kind", "junction", "--replace", name, r"C:\t"]).exits(4).says(&["only links"]);
        bench.run(["create", "--replace", name, r"C:\t"]).exits(4).says(&["only links"]);
    }
    snapshot.assert_unchanged();
}

// Not every reparse point is a link: the data of a compressed file, a cloud file or a
// deduplicated one would be gone.
#[test]
fn replace_never_takes_a_reparse_point_that_holds_its_own_data() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "wof" => file("precious") });
    set_reparse(bench.at("wof"), &other(0x8000_0017, None, &[1; 24]));
    file_point(bench.at("cloud"), &other(0x9000_301a, None, &[2; 24]));
    let app = AppExecLink { version: 3, strings: ["P", "A", r"C:\x.exe", "0"].map(w).to_vec() };
    file_point(bench.at("app.exe"), &ReparseData::from(app).encode().unwrap());
    let before: Vec<_> = ["wof", "cloud", "app.exe"].map(|name| (name, get_reparse(bench.at(name)))).into();
    let codes: Vec<_> = before.iter().map(|(name, _)| bench.run(["create", "--replace", name, r"C:\t"]).code).collect();
    for (name, data) in &before {
        assert_eq!(&get_reparse(bench.at(name)), data, "{name}: {codes:?}");
    }
    assert_eq!(codes, [Some(4); 3]);
    remove_reparse(bench.at("wof"));
    assert_eq!(fs::read(bench.at("wof")).unwrap(), b"precious");
}

#[test]
fn remove_takes_the_link_and_never_what_it_leads_to() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "out/canary" => file("alive"), "out/deep/x" => file("x") });
    let canary = Snapshot::of(bench.at("out"));
    dir_point(bench.at("j"), &junction(r"C:\out"));
    dir_point(bench.at("d"), &symlink("out"));
    file_point(bench.at("f"), &symlink(r"out\canary"));
    for (name, shown) in [("j", "removed junction j"), ("d/", "removed symlink-dir d"), ("f", "removed symlink-file f")]
    {
        let ran = bench.ok(["remove", name]);
        assert!(ran.out.starts_with(shown), "{}", ran.out);
        assert!(bench.at(name.trim_end_matches('/')).symlink_metadata().is_err());
        canary.assert_unchanged();
    }
    assert_eq!(bench.names(), ["out", "out/canary", "out/deep", "out/deep/x"]);
    assert_index(&mut bench, Vec::new());
}

#[test]
fn remove_recursive_takes_links_only_and_undo_brings_each_back_byte_for_byte() {
    let bench = Bench::ntfs();
    tree!(bench.root(), {
        "out/canary" => file("alive"), "out/deep/x" => file("x"), "tree/keep/f" => file("kept"), "tree/sub" => dir,
        "tree/interix" => symlink("../out"),
    });
    let wsl = ReparseData::from(LxSymlink { target: b"../out/canary\xff".to_vec() }).encode().unwrap();
    let volume = raw_junction(&format!(r"\??\Volume{GUID}\"), "");
    let dirs = [
        ("tree/j", junction(r"C:\out")),
        ("tree/powershell", raw_junction(r"\??\C:\out", "")),
        ("tree/sub/up", symlink(r"..\..\out")),
        ("tree/unc", symlink(r"\\s\h")),
        ("tree/mount", volume),
        ("tree/gdir", other(0xa000_0019, None, b"global")),
    ];
    let files = [
        ("tree/f", symlink(r"..\out\canary")),
        ("tree/sub/dead", symlink(r"..\gone")),
        ("tree/wsl", wsl),
        ("tree/swapped", {
            // Names in Windows' other order, with NULs: the encoder would not write it so.
            let mut data = symlink("x");
            data.splice(4..6, [0x14, 0]);
            data.extend([0, 0, 0, 0]);
            data
        }),
    ];
    for (name, data) in &dirs {
        dir_point(bench.at(name), data);
    }
    for (name, data) in &files {
        file_point(bench.at(name), data);
    }
    file_point(bench.at("tree/wof"), &other(0x8000_0017, None, &[1; 24]));
    // They call themselves links, but nobody knows them, and a file of theirs may hold data.
    file_point(bench.at("tree/third"), &other(0x2000_0042, Some([9; 16]), b"third party"));
    file_point(bench.at("tree/tomb"), &other(0xa000_001f, None, b""));
    let app = AppExecLink { version: 3, strings: ["P", "A", r"C:\x.exe", "0"].map(w).to_vec() };
    file_point(bench.at("tree/app.exe"), &ReparseData::from(app).encode().unwrap());
    let all = bench.names();
    let facts = |name: &str| {
        let meta = bench.at(name).symlink_metadata().unwrap();
        let reparse = get_reparse(bench.at(name));
        (reparse, ntfs_attrib(bench.at(name)).unwrap() & 0x410, meta.mtime(), meta.uid())
    };
    let linked: Vec<&str> = dirs.iter().chain(&files).map(|(name, _)| *name).collect();
    let before: Vec<_> = linked.iter().map(|name| facts(name)).collect();
    let (canary, kept) = (Snapshot::of(bench.at("out")), Snapshot::of(bench.at("tree/keep")));
    // Longer than a second: times are kept, or seen not to be.
    std::thread::sleep(std::time::Duration::from_millis(1100));

    bench.run(["remove", "--recursive", "tree"]).exits(4).says(&["--yes"]);
    assert_eq!(bench.names(), all);
    let ran = bench.ok(["remove", "--recursive", "--yes", "tree"]);
    assert!(ran.err.contains("WOF") && ran.err.contains("app-exec"), "what stays is said: {}", ran.err);
    let left = ["tree", "tree/app.exe", "tree/keep", "tree/keep/f", "tree/sub", "tree/third", "tree/tomb", "tree/wof"];
    let left: Vec<_> = ["out", "out/canary", "out/deep", "out/deep/x"].into_iter().chain(left).collect();
    assert_eq!(bench.names(), left);
    canary.assert_unchanged();
    kept.assert_unchanged();

    bench.ok(["undo"]);
    assert_eq!(bench.names(), all);
    for (name, before) in linked.iter().zip(&before) {
        assert_eq!(&facts(name), before, "{name}");
    }
    assert_eq!(fs::read_link(bench.at("tree/interix")).unwrap(), Path::new("../out"));
    assert!(get_reparse(bench.at("tree/interix")).is_none());
    canary.assert_unchanged();
}

#[test]
fn remove_recursive_of_a_junction_itself_is_refused() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "out/canary" => file("alive") });
    dir_point(bench.at("out/j"), &junction(r"C:\out"));
    dir_point(bench.at("j"), &junction(r"C:\out"));
    for name in ["j", "j/"] {
        let ran = bench.run(["remove", "--recursive", "--yes", name]);
        assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
    }
    assert_eq!(bench.names(), ["j", "out", "out/canary", "out/j"]);
}

#[test]
fn reparse_points_that_hold_their_own_data_are_not_removed() {
    let bench = Bench::ntfs();
    file_point(bench.at("wof"), &other(0x8000_0017, None, &[1; 24]));
    file_point(bench.at("cloud"), &other(0x9000_301a, None, &[2; 24]));
    dir_point(bench.at("third"), &other(0x0000_0042, Some([9; 16]), b"no surrogate"));
    for (name, tag) in [("wof", "WOF"), ("cloud", "CLOUD_3"), ("third", "0x00000042")] {
        refused(&bench, &["remove", name], &["holds its own data", tag]);
    }
}

#[test]
fn a_junction_that_hides_children_is_kept_with_its_children() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "j/hidden" => file("precious") });
    set_reparse(bench.at("j"), &junction(r"C:\t"));
    bench.run(["remove", "j"]).exits(3).says(&["not empty"]);
    assert_eq!(bench.names(), ["j", "t", "t/f"]);
    bench.run(["create", "--kind", "junction", "--replace", "j", r"C:\gone"]).exits(3);
    assert_eq!(bench.names(), ["j", "t", "t/f"]);
    assert_eq!(get_reparse(bench.at("j")), Some(hex(GOLDEN_JUNCTION)));
    remove_reparse(bench.at("j"));
    assert_eq!(fs::read(bench.at("j/hidden")).unwrap(), b"precious");
}
