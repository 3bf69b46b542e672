//! Random trees of links: what is said of each is compared with what the system opens.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::hostile::Dice;
use crate::{Linkctl, able, is_reparse_point, say};

const DIRECTORIES: [&str; 4] = ["d0", "d1", r"d0\sub", r"d1\sub\deep"];

/// What the system opens by each path: the content of a file, or that it is a directory; nothing where it opens none.
fn opened(root: &Path) -> BTreeMap<PathBuf, Option<String>> {
    fn add(path: &Path, all: &mut BTreeMap<PathBuf, Option<String>>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let found = match fs::metadata(&path) {
                Ok(found) if found.is_dir() => Some("a directory".to_owned()),
                Ok(_) => Some(fs::read_to_string(&path).unwrap()),
                Err(_) => None,
            };
            all.insert(path.clone(), found);
            if path.is_dir() && !is_reparse_point(&path) {
                add(&path, all);
            }
        }
    }
    let mut all = BTreeMap::new();
    add(root, &mut all);
    all
}

/// A tree with links to files, directories, other links, and nowhere, relative and absolute.
fn grow(linkctl: &Linkctl, dice: &mut Dice) -> usize {
    for directory in DIRECTORIES {
        fs::create_dir_all(linkctl.at("tree").join(directory)).unwrap();
        for name in ["a", "b"] {
            fs::write(linkctl.at("tree").join(directory).join(name), format!("{directory} {name}")).unwrap();
        }
    }
    let mut links: Vec<String> = Vec::new();
    for number in 0..16 {
        let link = format!(r"tree\{}\l{number}", DIRECTORIES[dice.below(4)]);
        let target = match dice.below(5) {
            0 => format!(r"tree\{}", DIRECTORIES[dice.below(4)]),
            1 | 2 => format!(r"tree\{}\a", DIRECTORIES[dice.below(4)]),
            3 if !links.is_empty() => links[dice.below(links.len())].clone(),
            _ => format!(r"tree\{}\gone", DIRECTORIES[dice.below(4)]),
        };
        let form = ["--relative", "--absolute"][dice.below(2)];
        let kind = if able().symlinks && dice.below(3) > 0 { "symlink" } else { "junction" };
        let mut args = vec!["create", "--kind", kind, &link, &target];
        if kind == "symlink" || form == "--absolute" {
            args.insert(1, form);
        }
        // A junction to a file, and what leads to itself, are refused.
        if !linkctl.run(args).failed() {
            links.push(link);
        }
    }
    links.len()
}

#[test]
fn links_of_random_trees_lead_where_the_system_opens_them_whatever_is_done_to_them() {
    if !able().junctions {
        return say("random trees of links: impossible here; asserted on NTFS, in tests/linkctl/");
    }
    let mut all = 0;
    for seed in 1..=6 {
        let (linkctl, mut dice) = (Linkctl::new(), Dice(seed));
        let made = grow(&linkctl, &mut dice);
        all += made;
        let before = opened(&linkctl.at("tree"));
        let listed = linkctl.run(["list", "tree", "--json"]).json();
        let listed = listed["links"].as_array().unwrap();
        assert_eq!(listed.len(), made, "seed {seed}");
        for link in listed {
            let path = linkctl.at(link["path"]["text"].as_str().unwrap());
            let found = &before[&path];
            assert_eq!(link["state"] == "ok", found.is_some(), "seed {seed}: {link}");
            if let (Some(content), Some(resolved)) = (found, link["resolved"]["text"].as_str())
                && content != "a directory"
            {
                assert_eq!(&fs::read_to_string(resolved).unwrap(), content, "seed {seed}: {link}");
            }
        }
        // All of them gone, and brought back.
        linkctl.ok(["remove", "--recursive", "--yes", "tree"]);
        let left = opened(&linkctl.at("tree"));
        assert_eq!(left.len(), before.len() - made, "seed {seed}");
        assert!(left.iter().all(|(path, found)| before[path] == *found), "seed {seed}");
        linkctl.ok(["undo"]);
        assert_eq!(opened(&linkctl.at("tree")), before, "seed {seed}");
        // Elsewhere, with a link left; and back again.
        if linkctl.run(["move", r"tree\d0", "moved", "--yes"]).failed() {
            continue;
        }
        for (path, found) in &before {
            if let Some(content) = found.as_ref().filter(|content| *content != "a directory") {
                assert_eq!(&fs::read_to_string(path).unwrap(), content, "seed {seed}: {}", path.display());
            }
        }
        linkctl.ok(["restore", r"tree\d0", "--yes"]);
        assert_eq!(opened(&linkctl.at("tree")), before, "seed {seed}");
    }
    say(&format!("random trees of links: {all} links, made, followed, removed, brought back, moved and restored"));
}
