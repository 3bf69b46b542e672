//! Windows links on NTFS through ntfs-3g are led elsewhere by their reparse data, and stay what they are.

use testkit::ntfs::{get_reparse, ntfs_attrib};

use super::*;
use crate::points::{dir_point, file_point, junction, raw_symlink, symlink};

/// A directory and a file, with a link of each kind to them.
fn of_each_kind() -> Ground {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), {
        "data/d/in" => file("in"), "data/f.txt" => file("text"), "links/sub" => dir,
    });
    dir_point(ground.at("links/junction"), &junction(r"C:\data\d"));
    dir_point(ground.at("links/dir"), &symlink(r"C:\data\d"));
    dir_point(ground.at("links/reldir"), &symlink(r"..\data\d"));
    file_point(ground.at("links/file"), &symlink(r"C:\data\f.txt"));
    file_point(ground.at("links/sub/relfile"), &symlink(r"..\..\data\f.txt"));
    ground
}

fn points(ground: &Ground) -> Vec<(&'static str, Vec<u8>, u32)> {
    ["junction", "dir", "reldir", "file", "sub/relfile"]
        .into_iter()
        .map(|name| {
            let path = ground.at("links").join(name);
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
fn assert_points(ground: &Ground, expected: &[(&'static str, Vec<u8>, u32)], what: &str) {
    for (found, expected) in points(ground).iter().zip(expected) {
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn tracked_windows_links_are_retargeted_with_kind_flags_and_print_name_kept_and_undone() {
    let ground = of_each_kind();
    let before = points(&ground);
    ground.track(["links"]);
    rename(ground.at("data"), ground.at("new/data"));
    let ran = ground.repair(["links"]).run().mends_all();
    assert_points(&ground, &moved(), &ran.to_string());
    assert_eq!(read(ground.at("links/junction/in")).as_deref(), Some("in"));
    assert_eq!(read(ground.at("links/sub/relfile")).as_deref(), Some("text"));
    ground.undo();
    assert_points(&ground, &before, "undone");
}

#[test]
fn untracked_windows_links_are_retargeted_by_a_map() {
    let ground = of_each_kind();
    rename(ground.at("data"), ground.at("new/data"));
    let ran = ground.repair(["links"]).map("data", "new/data").run().mends_all();
    assert_points(&ground, &moved(), &ran.to_string());
    assert_eq!(ran.new_target("links/dir"), Some(r"C:\new\data\d".into()), "{ran}");
}

#[test]
fn untracked_windows_links_are_found_by_evidence() {
    let ground = Ground::on(Fs::Ntfs);
    for n in 0..12 {
        write(ground.at(format!("data/deep/f{n}")), n.to_string());
    }
    fs::create_dir(ground.at("links")).unwrap();
    for n in 0..12 {
        file_point(ground.at(format!("links/l{n}")), &symlink(&format!(r"C:\data\deep\f{n}")));
    }
    rename(ground.at("data"), ground.at("moved"));
    ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    for n in 0..12 {
        let expected = symlink(&format!(r"C:\moved\deep\f{n}"));
        assert_eq!(get_reparse(ground.at(format!("links/l{n}"))), Some(expected));
    }
}

#[test]
fn the_letter_that_a_link_says_stays() {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), { "new/f" => file("x"), "links" => dir });
    dir_point(ground.at("links/j"), &junction(r"E:\old"));
    file_point(ground.at("links/s"), &symlink(r"E:\old\f"));
    let ran = ground.repair(["links"]).drive('E').map("old", "new").run();
    assert_eq!(get_reparse(ground.at("links/j")), Some(junction(r"E:\new")), "{ran}");
    assert_eq!(get_reparse(ground.at("links/s")), Some(symlink(r"E:\new\f")), "{ran}");
    ran.mends_all();
}

#[test]
fn rooted_links_stay_rooted() {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), { "new/f" => file("x"), "links" => dir });
    file_point(ground.at("links/s"), &symlink(r"\old\f"));
    let ran = ground.repair(["links"]).map("old", "new").run().mends_all();
    assert_eq!(get_reparse(ground.at("links/s")), Some(symlink(r"\new\f")), "{ran}");
}

#[test]
fn a_link_for_files_is_not_led_to_a_directory() {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), { "new/f/in" => file("x"), "new/d" => file("y"), "links" => dir });
    file_point(ground.at("links/file"), &symlink(r"C:\old\f"));
    dir_point(ground.at("links/dir"), &symlink(r"C:\old\d"));
    let ran = ground.repair(["links"]).map("old", "new").run().leaves_some();
    assert_eq!(get_reparse(ground.at("links/file")), Some(symlink(r"C:\old\f")), "{ran}");
    assert_eq!(get_reparse(ground.at("links/dir")), Some(symlink(r"C:\old\d")), "{ran}");
    assert!(ran.reason_text("links/file").contains("the link is one for files"), "{ran}");
    assert!(ran.reason_text("links/dir").contains("the link is one for directories"), "{ran}");
}

#[test]
fn kind_fix_makes_links_of_the_kind_of_their_targets_and_undo_takes_that_back() {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), { "d/in" => file("in"), "f" => file("x"), "links" => dir });
    file_point(ground.at("links/to_dir"), &symlink(r"..\d"));
    dir_point(ground.at("links/to_file"), &symlink(r"C:\f"));
    file_point(ground.at("links/right"), &symlink(r"..\f"));
    let kinds = || {
        ["to_dir", "to_file", "right"].map(|name| {
            let path = ground.at("links").join(name);
            (get_reparse(&path).unwrap(), ntfs_attrib(&path).unwrap() & 0x410)
        })
    };
    let before = kinds();
    let ran = ground.convert(Conversion::Kind, ["links"]).run().mends_all();
    let expected = [(symlink(r"..\d"), 0x410), (symlink(r"C:\f"), 0x400), (symlink(r"..\f"), 0x400)];
    assert_eq!(kinds(), expected, "{ran}");
    assert_eq!(read(ground.at("links/to_dir/in")).as_deref(), Some("in"));
    ground.undo();
    assert_eq!(kinds(), before);
}

#[test]
fn relative_and_absolute_say_windows_links_in_the_other_form() {
    let ground = of_each_kind();
    let before = points(&ground);
    let ran = ground.convert(Conversion::Absolute, ["links"]).run().mends_all();
    let point = |name: &str| get_reparse(ground.at("links").join(name));
    assert_eq!(point("reldir"), Some(symlink(r"C:\data\d")), "{ran}");
    assert_eq!(point("sub/relfile"), Some(symlink(r"C:\data\f.txt")), "{ran}");
    let ran = ground.convert(Conversion::Relative, ["links"]).run();
    assert_eq!(point("dir"), Some(symlink(r"..\data\d")), "{ran}");
    assert_eq!(point("sub/relfile"), Some(symlink(r"..\..\data\f.txt")), "{ran}");
    assert_eq!(point("junction"), Some(junction(r"C:\data\d")), "a junction has no relative form");
    ground.undo();
    ground.undo();
    assert_eq!(points(&ground), before);
}

#[test]
fn a_link_to_another_volume_of_windows_is_not_guessed_onto_this_one() {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), { "data/f" => file("x"), "links" => dir });
    file_point(ground.at("links/other"), &symlink(r"Z:\data\f"));
    file_point(ground.at("links/unc"), &symlink(r"\\server\share\data\f"));
    let ran = ground.repair(["links"]).at_least(Confidence::Weak).run();
    assert_eq!(get_reparse(ground.at("links/other")), Some(symlink(r"Z:\data\f")), "{ran}");
    assert_eq!(get_reparse(ground.at("links/unc")), Some(symlink(r"\\server\share\data\f")), "{ran}");
}

#[test]
fn a_print_name_of_its_own_is_replaced_with_the_true_one() {
    let ground = Ground::on(Fs::Ntfs);
    testkit::tree!(ground.root(), { "new/f" => file("x"), "links" => dir });
    file_point(ground.at("links/l"), &raw_symlink(r"\??\C:\old\f", r"a lie", 0));
    ground.repair(["links"]).map("old", "new").run().mends_all();
    assert_eq!(get_reparse(ground.at("links/l")), Some(symlink(r"C:\new\f")));
}

#[test]
fn ntfs_a_link_from_the_root_of_its_volume_is_said_in_full_once() {
    let ground = Ground::on(Fs::Ntfs);
    write(ground.at("t/f"), "x");
    fs::create_dir(ground.at("links")).unwrap();
    file_point(ground.at("links/l"), &symlink(r"\t\f"));
    ground.convert(Conversion::Absolute, ["links"]).run().mends_all();
    let point = get_reparse(ground.at("links/l"));
    let ran = ground.convert(Conversion::Absolute, ["links"]).run().mends_all();
    assert!(ran.repair.mends.is_empty() && ran.report.is_none(), "{ran}");
    assert_eq!(get_reparse(ground.at("links/l")), point);
}
