//! Links that lead into what is moved.

use std::fs;
use std::path::Path;

use testkit::tree;

use crate::common::Linkctl;

fn ground() -> Linkctl {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "old/d/f" => file("x"),
        "old/own" => symlink("d/f"),
        "away/keep" => file(""),
        "links/by-path" => symlink("../old/d/f"),
        "links/other" => symlink("../away/keep"),
    });
    let full = linkctl.at("old/d");
    std::os::unix::fs::symlink(&full, linkctl.at("links/in-full")).unwrap();
    linkctl
}

fn says(linkctl: &Linkctl, link: &str) -> String {
    fs::read_link(linkctl.at(link)).unwrap().display().to_string()
}

#[test]
fn with_retarget_links_into_a_moved_tree_name_its_new_place_and_undo_takes_both_back() {
    let linkctl = ground();
    linkctl.ok(["move", "old", "away/new", "--search", "links", "--retarget"]);
    assert_eq!(says(&linkctl, "links/by-path"), "../away/new/d/f");
    assert_eq!(Path::new(&says(&linkctl, "links/in-full")), linkctl.at("away/new/d"));
    assert_eq!(says(&linkctl, "links/other"), "../away/keep");
    assert_eq!(says(&linkctl, "away/new/own"), "d/f", "what is in the tree goes with it");
    assert_eq!(fs::read(linkctl.at("links/by-path")).unwrap(), b"x");
    linkctl.ok(["undo"]);
    assert_eq!(says(&linkctl, "links/by-path"), "../old/d/f");
    assert_eq!(Path::new(&says(&linkctl, "links/in-full")), linkctl.at("old/d"));
    assert_eq!(fs::read(linkctl.at("links/by-path")).unwrap(), b"x");
    assert!(linkctl.at("old").symlink_metadata().unwrap().is_dir());
}

#[test]
fn unasked_links_into_a_moved_tree_stay_and_are_told() {
    let linkctl = ground();
    let ran = linkctl.ok(["move", "old", "away/new", "--search", "links", "--yes"]);
    assert!(ran.err.contains("2 links outside of it lead into"), "{ran}");
    assert!(ran.err.contains("--retarget"), "{ran}");
    assert_eq!(says(&linkctl, "links/by-path"), "../old/d/f");
    assert_eq!(fs::read(linkctl.at("links/by-path")).unwrap(), b"x", "it leads on by the new link");
}

#[test]
fn tracked_links_are_known_without_a_search_and_restore_would_break_them() {
    let linkctl = ground();
    linkctl.ok(["move", "old", "away/new"]);
    tree!(linkctl.work(), { "links/direct" => symlink("../away/new/d/f") });
    linkctl.ok(["track", "links/direct"]);
    let ran = linkctl.ok(["restore", "old", "--dry-run"]);
    assert!(ran.err.contains("1 link outside of it leads into"), "{ran}");
    assert!(ran.err.contains("will be broken"), "{ran}");
    linkctl.ok(["restore", "old", "--retarget"]);
    assert_eq!(says(&linkctl, "links/direct"), "../old/d/f");
    assert_eq!(fs::read(linkctl.at("links/direct")).unwrap(), b"x");
    linkctl.ok(["undo"]);
    assert_eq!(says(&linkctl, "links/direct"), "../away/new/d/f");
    assert_eq!(fs::read(linkctl.at("links/direct")).unwrap(), b"x");
}
