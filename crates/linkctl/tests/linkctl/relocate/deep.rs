//! Trees so deep that no path names their end, and that the calls of a move tell whether they grow with the depth or with
//! its square.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use super::two_in_memory;
use crate::common::Linkctl;
use testkit::strace;

/// So long that a hundred of them are longer than any path may be.
const NAME: &str = "a directory with a name of fifty letters, or nearly";

/// A name in an opened directory.
fn within(directory: &File, name: &str) -> PathBuf {
    Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name)
}

/// So many directories, one in the other, and a file in the last.
fn make(tree: &Path, levels: usize) {
    fs::create_dir(tree).unwrap();
    let mut last = File::open(tree).unwrap();
    for _ in 0..levels {
        fs::create_dir(within(&last, NAME)).unwrap();
        last = File::open(within(&last, NAME)).unwrap();
    }
    fs::write(within(&last, "end"), levels.to_string()).unwrap();
}

/// Whether it is whole.
fn must_be_whole(tree: &Path, levels: usize) {
    let mut last = File::open(tree).unwrap();
    for _ in 0..levels {
        last = File::open(within(&last, NAME)).unwrap();
    }
    assert_eq!(fs::read_to_string(within(&last, "end")).unwrap(), levels.to_string());
}

#[test]
fn calls_grow_with_the_depth_of_a_tree_and_not_with_its_square() {
    let (home, away) = two_in_memory();
    let (tree, there) = (home.path().join("t"), away.path().join("t"));
    let commands: [&[&str]; 7] = [
        &["move", "--dry-run", "t", there.to_str().unwrap()],
        &["move", "--yes", "t", there.to_str().unwrap()],
        &["undo", "--dry-run"],
        &["restore", "--dry-run", "t"],
        &["restore", "--yes", "t"],
        &["undo", "--yes"],
        &["undo", "--yes", "1"],
    ];
    let mut counts = Vec::new();
    for levels in [60, 120, 360] {
        make(&tree, levels);
        let linkctl = Linkctl::on(home.path()).with_state(home.path().join(format!("state {levels}")));
        let mut calls = Vec::new();
        for (number, command) in commands.iter().enumerate() {
            let lines = strace::trace("openat,openat2", &linkctl.command(*command));
            assert!(lines.iter().any(|line| line.contains("exited with 0")), "{levels}: {command:?}");
            // What is looked up of other processes is never the same.
            calls.push(lines.iter().filter(|line| line.contains(NAME)).count());
            let is_away = (1..4).contains(&number) || number == 5;
            must_be_whole(if is_away { &there } else { &tree }, levels);
            assert_eq!(tree.is_symlink(), is_away, "{levels}: {command:?}");
        }
        counts.push(calls);
        fs::remove_dir_all(&tree).unwrap();
    }
    for (number, command) in commands.iter().enumerate() {
        let [few, more, most] = [counts[0][number], counts[1][number], counts[2][number]];
        assert!(more > few, "{command:?} {few} {more}");
        // Four times as many levels more, and some that are opened again; by the square it would be eleven times.
        assert!(most - more < 6 * (more - few), "{command:?}: {few} {more} {most}");
    }
}
