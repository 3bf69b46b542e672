//! Hard links: the same file by another name.

use std::fs;
use std::process::Stdio;

use crate::{Linkctl, started};

#[test]
fn a_hard_link_is_made_listed_removed_and_brought_back() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "one");
    linkctl.ok(["create", "--kind", "hard", "b", "a"]).prints("created hard b -> ");
    fs::write(linkctl.at("b"), "two").unwrap();
    assert_eq!(linkctl.read("a"), "two");

    let listed = linkctl.ok(["list", "--kind", "hard", "--format", "json"]).json();
    let group = &listed["links"][0];
    assert_eq!((&group["kind"], &group["links"], &group["size"]), (&"hard".into(), &2.into(), &3.into()));
    let paths: Vec<_> = group["paths"].as_array().unwrap().iter().map(|path| &path["text"]).collect();
    assert_eq!(paths, ["a", "b"]);

    linkctl.ok(["remove", "--kind", "hard", "b"]);
    assert_eq!(linkctl.left(), ["a"]);
    assert_eq!(linkctl.read("a"), "two");
    linkctl.run(["remove", "--kind", "hard", "a"]).exits(4).says("a file with this one name");

    linkctl.ok(["undo"]);
    assert_eq!(linkctl.left(), ["a", "b"]);
    fs::write(linkctl.at("a"), "three").unwrap();
    assert_eq!(linkctl.read("b"), "three");
    linkctl.ok(["undo"]).prints("removed hard");
    assert_eq!(linkctl.left(), ["a"]);
}

#[test]
fn names_in_other_directories_are_found_and_counted() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    fs::create_dir(linkctl.at("d")).unwrap();
    linkctl.ok(["create", "--kind", "hard", r"d\b", "a"]);
    linkctl.ok(["create", "--kind", "hard", r"d\c", r"d\b"]);
    let shown = linkctl.ok(["show", "a", "--json"]).json();
    assert_eq!(shown["links"][0]["kind"], "hard");
    let listed = linkctl.ok(["fsutil", "hardlink", "list", r"d\c"]);
    let lines: Vec<&str> = listed.out.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(lines[0].ends_with(r"\work\d\c") && lines[0].starts_with('\\'), "{listed}");
    assert!(lines.iter().any(|line| line.ends_with(r"\work\a")), "{listed}");
    // Removed from afar: the name to bring it back by is found by the file's number.
    linkctl.ok(["remove", "--kind", "hard", "a"]);
    fs::write(linkctl.at(r"d\b"), "changed since").unwrap();
    linkctl.ok(["undo"]);
    assert_eq!(linkctl.read("a"), "changed since");
}

#[test]
fn what_cannot_be_a_hard_link_is_refused_and_nothing_is_left() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    linkctl.write("taken", "y");
    fs::create_dir(linkctl.at("d")).unwrap();
    linkctl.run(["create", "--kind", "hard", "b", "d"]).exits(4).says("the target is a directory");
    linkctl.run(["create", "--kind", "hard", "b", "missing"]).exits(3).says("name a file that exists");
    linkctl.run(["create", "--kind", "hard", "taken", "a"]).exits(4).says("a file has this name");
    let replace = ["create", "--replace", "--kind", "hard", "taken", "a"];
    linkctl.run(replace).exits(4).says("only links are replaced");
    linkctl.run(["create", "--kind", "hard", r"missing\b", "a"]).exits(3);
    // A stream of a file is no name of one.
    linkctl.run(["create", "--kind", "hard", "bb:c", "a"]).exits(4).says("name");
    linkctl.run(["create", "--kind", "hard", "b", "aa:c"]).exits(4);
    assert_eq!(linkctl.left(), ["a", "d", "taken"]);
    assert_eq!(linkctl.read("taken"), "y");

    linkctl.ok(["create", "--kind", "hard", "b", "a"]);
    linkctl.ok(["create", "--replace", "--kind", "hard", "b", "a"]).says("one of the target's already");
    assert_eq!(linkctl.left(), ["a", "b", "d", "taken"]);
}

#[test]
fn of_two_that_remove_the_last_two_names_one_is_refused() {
    let linkctl = Linkctl::new();
    for round in 0..8 {
        let [a, b] = ["a", "b"].map(|name| format!("{name}{round}"));
        linkctl.write(&a, "x");
        linkctl.ok(["create", "--kind", "hard", &b, &a]);
        let children = [&a, &b].map(|name| {
            let mut command = linkctl.command(["remove", "--kind", "hard", name]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            started(|| command.spawn())
        });
        let done = children.map(|mut child| child.wait().unwrap().success());
        assert!(done.iter().filter(|done| **done).count() <= 1, "round {round}: both were removed");
        assert!(linkctl.exists(&a) || linkctl.exists(&b), "round {round}: the file is gone");
    }
}

#[test]
fn a_directory_of_many_names_is_read_whole() {
    let linkctl = Linkctl::new();
    linkctl.write("first", "x");
    // More than one answer of the system holds.
    for n in 0..1_500 {
        fs::write(linkctl.at(format!("a plain file with a long name, number {n:05}")), "").unwrap();
    }
    for n in 0..300 {
        fs::hard_link(linkctl.at("first"), linkctl.at(format!("link {n:05}"))).unwrap();
    }
    let listed = linkctl.ok(["list", "--kind", "hard", "--json"]).json();
    assert_eq!(listed["links"][0]["paths"].as_array().unwrap().len(), 301);
    assert_eq!(listed["links"].as_array().unwrap().len(), 1);
}
