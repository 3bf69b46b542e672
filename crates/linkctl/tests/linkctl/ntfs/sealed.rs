//! Directories that ntfs-3g cannot enter, as those of OneDrive: what is in them is not passed over in silence.

use super::*;

#[test]
fn a_directory_that_only_windows_can_enter_is_told_by_every_reader_of_a_tree() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "OneDrive/in/a" => file("1"), "cloud" => file("2"), "deep/d" => dir, "plain" => dir });
    bench.ok(["create", "--file", "OneDrive/in/l", "a"]);
    for (name, tag) in [("OneDrive", 0x9000_701a_u32), ("deep/d", 0x8000_0013)] {
        set_reparse(bench.at(name), &[&tag.to_le_bytes()[..], &[4, 0, 0, 0, 0, 0, 0, 0]].concat());
    }
    set_reparse(bench.at("cloud"), &[&0x9000_701a_u32.to_le_bytes()[..], &[4, 0, 0, 0, 0, 0, 0, 0]].concat());
    bench.volume.unmount();
    bench.volume.mount();
    let readers: [&[&str]; 11] = [
        &["list", "."],
        &["list", ".", "--name", "l"],
        &["list", ".", "--format", "paths"],
        &["list", ".", "--kind", "junction"],
        &["list", ".", "--hard"],
        &["list", ".", "--summary"],
        &["list", "OneDrive", "deep/d"],
        &["check", "."],
        &["track", "--yes", "."],
        &["repair", "--yes", "."],
        &["remove", "--recursive", "--yes", "--dry-run", "deep", "OneDrive"],
    ];
    for reader in readers {
        let ran = bench.run(reader).exits(3).says(&["cannot enter directory", "OneDrive", "deep/d", "--volume"]);
        assert!(!ran.err.contains("cloud"), "a file is no directory: {ran:?}");
    }
    let ran = bench.run(["dir", "/s", "."]);
    assert!(ran.code == Some(1) && ran.err.contains("OneDrive") && ran.err.contains("deep/d"), "{ran:?}");
    for named in [&["dir", "OneDrive"][..], &["dir", "/b", "OneDrive"], &["dir", "plain", "deep/d"]] {
        let ran = bench.run(named).exits(1);
        assert!(ran.err.contains(named.last().unwrap()), "{named:?}: {ran:?}");
    }
    // A row of it is all that was asked for.
    bench.ok(["dir"]);
    let errors = bench.run(["list", ".", "--json"]).exits(3).json()["errors"].clone();
    assert_eq!((errors.as_array().unwrap().len(), &errors[0]["kind"]), (2, &json!("blocked")));
    // Not gone into anyway, or left out.
    let passed: [&[&str]; 2] =
        [&["list", ".", "--max-depth", "1"], &["list", ".", "--exclude", "OneDrive", "--exclude", "d"]];
    for passed in passed {
        bench.ok(passed);
    }
}
