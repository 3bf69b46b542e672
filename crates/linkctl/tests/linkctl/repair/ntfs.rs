//! Windows links on NTFS through ntfs-3g are led elsewhere by their reparse data, and stay what they are.

use crate::common::ntfs::{Bench, Ran, dir_point, file_point, junction, raw_symlink, symlink};
use testkit::ntfs::{get_reparse, ntfs_attrib};

use super::*;

/// A directory and a file, with a link of each kind to them.
fn of_each_kind() -> Bench {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), {
        "data/d/in" => file("in"), "data/f.txt" => file("text"), "links/sub" => dir,
    });
    dir_point(bench.at("links/junction"), &junction(r"C:\data\d"));
    dir_point(bench.at("links/dir"), &symlink(r"C:\data\d"));
    dir_point(bench.at("links/reldir"), &symlink(r"..\data\d"));
    file_point(bench.at("links/file"), &symlink(r"C:\data\f.txt"));
    file_point(bench.at("links/sub/relfile"), &symlink(r"..\..\data\f.txt"));
    bench
}

fn points(bench: &Bench) -> Vec<(&'static str, Vec<u8>, u32)> {
    ["junction", "dir", "reldir", "file", "sub/relfile"]
        .into_iter()
        .map(|name| {
            let path = bench.at("links").join(name);
            (name, get_reparse(&path).unwrap_or_default(), ntfs_attrib(&path).unwrap() & 0x410)
        })
        .collect()
}

/// What each has to be when `data` is `new\data`.
fn moved() -> Vec<(&'static str, Vec<u8>, u32)> {
    vec![
        ("junction", junction(r"C:\new\data\d"), 0x410),
        ("dir", symlink(r"C:\new\data\d"), 0x410),
        ("reldir", symlink(r"..\new\data\d"), 0x410),
        ("file", symlink(r"C:\new\data\f.txt"), 0x400),
        ("sub/relfile", symlink(r"..\..\new\data\f.txt"), 0x400),
    ]
}

#[track_caller]
fn assert_points(bench: &Bench, expected: &[(&'static str, Vec<u8>, u32)], ran: &Ran) {
    for (found, expected) in points(bench).iter().zip(expected) {
        assert_eq!(found, expected, "{ran:?}");
    }
}

#[test]
fn tracked_windows_links_are_retargeted_with_kind_flags_and_print_name_kept_and_undone() {
    let bench = of_each_kind();
    let before = points(&bench);
    bench.ok(["track", "links"]);
    rename(bench.at("data"), bench.at("new/data"));
    let ran = bench.ok(["repair", "links", "--yes"]);
    assert_points(&bench, &moved(), &ran);
    assert_eq!(read(bench.at("links/junction/in")).as_deref(), Some("in"));
    assert_eq!(read(bench.at("links/sub/relfile")).as_deref(), Some("text"));
    let ran = bench.ok(["undo"]);
    assert_points(&bench, &before, &ran);
}

#[test]
fn untracked_windows_links_are_retargeted_by_a_map() {
    let bench = of_each_kind();
    rename(bench.at("data"), bench.at("new/data"));
    let ran = bench.ok(["repair", "links", "--map", "data=new/data", "--yes"]);
    assert_points(&bench, &moved(), &ran);
    let table = ran.out;
    assert!(table.contains(r"C:\new\data\d"), "{table}");
}

#[test]
fn untracked_windows_links_are_found_by_evidence() {
    let bench = Bench::ntfs();
    for n in 0..12 {
        write(bench.at(format!("data/deep/f{n}")), n.to_string());
    }
    fs::create_dir(bench.at("links")).unwrap();
    for n in 0..12 {
        file_point(bench.at(format!("links/l{n}")), &symlink(&format!(r"C:\data\deep\f{n}")));
    }
    rename(bench.at("data"), bench.at("moved"));
    bench.ok(["repair", "links", "--min-confidence", "strong", "--yes"]);
    for n in 0..12 {
        let expected = symlink(&format!(r"C:\moved\deep\f{n}"));
        assert_eq!(get_reparse(bench.at(format!("links/l{n}"))), Some(expected));
    }
}

#[test]
fn the_letter_that_a_link_says_stays() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "new/f" => file("x"), "links" => dir });
    dir_point(bench.at("links/j"), &junction(r"E:\old"));
    file_point(bench.at("links/s"), &symlink(r"E:\old\f"));
    let ran = bench.run(["repair", "links", "--drive", "E", "--map", "old=new", "--yes"]);
    assert_eq!(get_reparse(bench.at("links/j")), Some(junction(r"E:\new")), "{ran:?}");
    assert_eq!(get_reparse(bench.at("links/s")), Some(symlink(r"E:\new\f")), "{ran:?}");
    ran.exits(0);
}

#[test]
fn rooted_links_stay_rooted() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "new/f" => file("x"), "links" => dir });
    file_point(bench.at("links/s"), &symlink(r"\old\f"));
    let ran = bench.ok(["repair", "links", "--map", "old=new", "--yes"]);
    assert_eq!(get_reparse(bench.at("links/s")), Some(symlink(r"\new\f")), "{ran:?}");
}

#[test]
fn a_link_for_files_is_not_led_to_a_directory() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "new/f/in" => file("x"), "new/d" => file("y"), "links" => dir });
    file_point(bench.at("links/file"), &symlink(r"C:\old\f"));
    dir_point(bench.at("links/dir"), &symlink(r"C:\old\d"));
    let ran = bench.run(["repair", "links", "--map", "old=new", "--yes"]).exits(1);
    assert_eq!(get_reparse(bench.at("links/file")), Some(symlink(r"C:\old\f")), "{ran:?}");
    assert_eq!(get_reparse(bench.at("links/dir")), Some(symlink(r"C:\old\d")), "{ran:?}");
    assert!(ran.out.contains("the link is one for files"), "{ran:?}");
    assert!(ran.out.contains("the link is one for directories"), "{ran:?}");
}

#[test]
fn kind_fix_makes_links_of_the_kind_of_their_targets_and_undo_takes_that_back() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "d/in" => file("in"), "f" => file("x"), "links" => dir });
    file_point(bench.at("links/to_dir"), &symlink(r"..\d"));
    dir_point(bench.at("links/to_file"), &symlink(r"C:\f"));
    file_point(bench.at("links/right"), &symlink(r"..\f"));
    let kinds = || {
        ["to_dir", "to_file", "right"].map(|name| {
            let path = bench.at("links").join(name);
            (get_reparse(&path).unwrap(), ntfs_attrib(&path).unwrap() & 0x410)
        })
    };
    let before = kinds();
    let ran = bench.ok(["repair", "links", "--kind-fix", "--yes"]);
    let expected = [(symlink(r"..\d"), 0x410), (symlink(r"C:\f"), 0x400), (symlink(r"..\f"), 0x400)];
    assert_eq!(kinds(), expected, "{ran:?}");
    assert_eq!(read(bench.at("links/to_dir/in")).as_deref(), Some("in"));
    bench.ok(["undo"]);
    assert_eq!(kinds(), before);
}

#[test]
fn relative_and_absolute_say_windows_links_in_the_other_form() {
    let bench = of_each_kind();
    let before = points(&bench);
    let ran = bench.ok(["repair", "links", "--absolute", "--yes"]);
    let point = |name: &str| get_reparse(bench.at("links").join(name));
    assert_eq!(point("reldir"), Some(symlink(r"C:\data\d")), "{ran:?}");
    assert_eq!(point("sub/relfile"), Some(symlink(r"C:\data\f.txt")), "{ran:?}");
    let ran = bench.run(["repair", "links", "--relative", "--yes"]);
    assert_eq!(point("dir"), Some(symlink(r"..\data\d")), "{ran:?}");
    assert_eq!(point("sub/relfile"), Some(symlink(r"..\..\data\f.txt")), "{ran:?}");
    assert_eq!(point("junction"), Some(junction(r"C:\data\d")), "a junction has no relative form");
    bench.ok(["undo"]);
    bench.ok(["undo"]);
    assert_eq!(points(&bench), before);
}

#[test]
fn a_link_to_another_volume_of_windows_is_not_guessed_onto_this_one() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "data/f" => file("x"), "links" => dir });
    file_point(bench.at("links/other"), &symlink(r"Z:\data\f"));
    file_point(bench.at("links/unc"), &symlink(r"\\server\share\data\f"));
    let ran = bench.run(["repair", "links", "--min-confidence", "weak", "--yes"]);
    assert_eq!(get_reparse(bench.at("links/other")), Some(symlink(r"Z:\data\f")), "{ran:?}");
    assert_eq!(get_reparse(bench.at("links/unc")), Some(symlink(r"\\server\share\data\f")), "{ran:?}");
}

#[test]
fn a_print_name_of_its_own_is_replaced_with_the_true_one() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "new/f" => file("x"), "links" => dir });
    file_point(bench.at("links/l"), &raw_symlink(r"\??\C:\old\f", r"a lie", 0));
    bench.ok(["repair", "links", "--map", "old=new", "--yes"]);
    assert_eq!(get_reparse(bench.at("links/l")), Some(symlink(r"C:\new\f")));
}

#[test]
fn ntfs_a_link_from_the_root_of_its_volume_is_said_in_full_once() {
    let bench = Bench::ntfs();
    write(bench.at("t/f"), "x");
    fs::create_dir(bench.at("links")).unwrap();
    file_point(bench.at("links/l"), &symlink(r"\t\f"));
    bench.ok(["repair", "links", "--absolute", "--yes"]);
    let point = get_reparse(bench.at("links/l"));
    let ran = bench.run(["repair", "links", "--absolute", "--yes"]).exits(0);
    assert!(ran.out.contains("nothing to do"), "{ran:?}");
    assert_eq!(get_reparse(bench.at("links/l")), point);
}
