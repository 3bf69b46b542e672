//! Links are removed, and nothing else ever.

use std::fs;
use std::os::unix::fs::MetadataExt;

use links::remove::{Below, RemoveSpec};
use links::{ErrorKind, KindFilter};
use testkit::{Snapshot, tree, trees};

use crate::support::*;

const HARD: Option<KindFilter> = Some(KindFilter::HARD);

fn kinds(refused: Result<(), Vec<links::Error>>) -> Vec<ErrorKind> {
    refused.unwrap_err().iter().map(links::Error::kind).collect()
}

fn below(work: &Work, name: &str) -> RemoveSpec {
    let mut spec = work.removal([name], None);
    spec.below = Some(Below::default());
    spec
}

#[test]
fn remove_takes_the_links_and_leaves_the_outside_as_it_was() {
    let work = Work::new();
    let escape = trees::escape(work.root());
    let outside = Snapshot::of(&escape.outside);
    for link in ["file", "dir", "absolute", "dotdot"] {
        work.remove([format!("inside/{link}")], None);
    }
    outside.assert_unchanged();
    assert_eq!(names(&escape.inside), ["hard", "own"]);
}

#[test]
fn remove_recursive_takes_every_link_and_nothing_else() {
    let work = Work::new();
    let escape = trees::escape(work.root());
    trees::weirdnames(&escape.inside.join("weird"));
    let (outside, links) = (Snapshot::of(&escape.outside), find(&escape.inside));
    work.try_remove(&below(&work, "inside")).unwrap();
    outside.assert_unchanged();
    assert!(find(&escape.inside).is_empty());
    assert!(escape.inside.join("own").exists() && escape.inside.join("hard").exists());
    assert_eq!(names(escape.inside.join("weird")).len(), trees::WEIRD_NAMES.len() + 1);
    work.undo();
    outside.assert_unchanged();
    assert_eq!(find(&escape.inside), links);
}

#[test]
fn remove_refuses_what_is_no_link() {
    let work = Work::new();
    tree!(work.root(), {
        "d/f" => file(""), "f" => file(""), "a" => file(""), "b" => hard("a"), "p" => fifo, "l" => symlink("f"),
    });
    let before = Snapshot::of(work.root());
    let cases = [
        ("d", None, ErrorKind::IsDirectory),
        ("f", None, ErrorKind::LastName),
        ("a", None, ErrorKind::KindNeeded),
        ("p", None, ErrorKind::NotALink),
        ("l", HARD, ErrorKind::NotALink),
        ("f", HARD, ErrorKind::LastName),
        ("gone", None, ErrorKind::NotFound),
    ];
    for (name, kind, refused) in cases {
        assert_eq!(kinds(work.try_remove(&work.removal([name], kind))), [refused], "{name}");
    }
    before.assert_unchanged();
    work.remove(["b"], HARD);
    assert_eq!(fs::metadata(work.at("a")).unwrap().nlink(), 1);
    assert!(!work.exists("b"));
}

#[test]
fn remove_of_several_removes_none_where_one_is_refused() {
    let work = Work::new();
    tree!(work.root(), { "a" => symlink("x"), "b" => symlink("y"), "f" => file("") });
    let before = Snapshot::of(work.root());
    let refused = work.try_remove(&work.removal(["a", "f", "b"], None)).unwrap_err();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].path(), work.at("f"));
    before.assert_unchanged();
    // Named twice by different paths, it must not fail as missing the second time.
    work.remove(["a", "b", "./a", "a"], None);
    assert_eq!(names(work.root()), ["f"]);
}

#[test]
fn the_last_names_of_a_file_are_not_removed_together() {
    let work = Work::new();
    tree!(work.root(), { "a" => file("data"), "b" => hard("a"), "c" => hard("a") });
    let before = Snapshot::of(work.root());
    let refused = kinds(work.try_remove(&work.removal(["a", "b", "c"], HARD)));
    assert!(!refused.is_empty() && refused.iter().all(|kind| *kind == ErrorKind::LastName), "{refused:?}");
    before.assert_unchanged();
    work.remove(["a", "b"], HARD);
    assert_eq!(names(work.root()), ["c"]);
    assert_eq!(fs::read(work.at("c")).unwrap(), b"data");
}

#[test]
fn remove_of_all_names_of_a_file_keeps_the_last() {
    let work = Work::new();
    tree!(work.root(), { "a" => file("data"), "b" => hard("a") });
    assert!(work.try_remove(&work.removal(["a", "b"], HARD)).is_err());
    let left = names(work.root());
    assert!(!left.is_empty() && leftovers(work.root()).is_empty(), "{left:?}");
    assert_eq!(fs::read(work.at(&left[0])).unwrap(), b"data");
}

#[test]
fn remove_with_a_trailing_slash_removes_the_link_and_not_the_directory() {
    let work = Work::new();
    tree!(work.root(), { "d/canary" => file("alive"), "l" => symlink("d") });
    let canary = Snapshot::of(work.at("d"));
    work.remove(["l/"], None);
    canary.assert_unchanged();
    assert_eq!(names(work.root()), ["d"]);
}

#[test]
fn remove_recursive_of_a_link_is_refused() {
    let work = Work::new();
    tree!(work.root(), { "d/a" => symlink("x"), "l" => symlink("d"), "f" => file("") });
    let before = Snapshot::of(work.root());
    for link in ["l", "l/", "l/."] {
        let refused = work.try_remove(&below(&work, link)).unwrap_err();
        assert!(refused[0].to_string().contains("itself a link"), "{link}: {refused:?}");
    }
    assert!(work.try_remove(&below(&work, "f")).is_err());
    before.assert_unchanged();
}
