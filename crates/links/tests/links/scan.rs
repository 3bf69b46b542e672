//! What a scan finds, beside what `find` and the system say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use links::{DEFAULT_DRIVE, Details, ScanOptions, State, inspect_path};
use testkit::{Fs, Volume, require, tree, trees};

use crate::support::*;

/// Makes the directory, and gives its path.
fn made(path: PathBuf) -> PathBuf {
    fs::create_dir(&path).unwrap();
    path
}

/// Siblings and others, half of each broken.
fn sample(root: &Path, directories: usize) {
    for n in 0..directories {
        let next = (n + 1) % directories;
        for file in 0..8 {
            tree!(root, { format!("d{n}/file{file}") => file("") });
        }
        tree!(root, {
            format!("d{n}/a") => symlink("file1"), format!("d{n}/b") => symlink("gone"),
            format!("d{n}/c") => symlink(format!("../d{next}/file2")), format!("d{n}/d") => symlink("../nowhere/x"),
        });
    }
}

fn names_found(root: &Path, options: ScanOptions) -> Vec<String> {
    scanned(options).keys().map(|path| below(root, path)).collect()
}

#[test]
fn list_finds_what_find_finds_on_every_named_tree() {
    let work = Work::new();
    for (name, build) in [
        ("basic", trees::basic as fn(&Path)),
        ("links", trees::links),
        ("loops", trees::loops),
        ("dangling", trees::dangling),
        ("weirdnames", trees::weirdnames),
        ("escape", |dir| drop(trees::escape(dir))),
    ] {
        build(&work.at(name));
        let (found, listed) = (find(work.at(name)), listed(work.at(name)));
        assert_eq!(listed, found, "{name}");
        assert_eq!(found.is_empty(), name == "basic", "{name}");
    }
    assert_eq!(listed(work.root()), find(work.root()));
}

#[test]
fn states_are_those_of_the_system() {
    let work = Work::new();
    trees::loops(&work.at("loops"));
    trees::dangling(&work.at("dangling"));
    trees::links(&work.at("links"));
    tree!(work.root(), { "long" => symlink("x".repeat(300)), "slash" => symlink("links/file/") });
    let links = scanned(ScanOptions::new([work.root()]));
    for (path, link) in &links {
        let answer = fs::metadata(path);
        let state = link.state;
        assert_eq!(state == State::Ok, answer.is_ok(), "{path:?} is {state:?}, the system says {answer:?}");
    }
    for (path, state) in [
        ("loops/self", State::Loop),
        ("loops/ring/b", State::Loop),
        ("loops/below-self", State::Loop),
        ("loops/chain/5", State::Ok),
        ("loops/chain/4", State::TooLong),
        ("loops/dir/up", State::Ok),
        ("dangling/gone", State::Missing),
        ("dangling/below-file", State::Missing),
        ("dangling/through", State::Missing),
        ("slash", State::Missing),
        ("links/through-link", State::Ok),
    ] {
        assert_eq!(links[&work.at(path)].state, state, "{path}");
    }
    let broken = links.values().filter(|link| link.state != State::Ok).count();
    let mut only = ScanOptions::new([work.root()]);
    only.filter.states = State::ALL.into_iter().filter(|state| state.is_broken()).collect();
    assert_eq!(scanned(only).len(), broken);
    let mut too_long = ScanOptions::new([work.at("loops/chain")]);
    too_long.filter.states = vec![State::TooLong];
    assert_eq!(scanned(too_long).len(), 5);
}

#[test]
fn one_file_system_does_not_enter_a_mount() {
    let volume = Volume::new(Fs::Tmpfs, 0);
    let outer = volume.path().parent().unwrap().to_owned();
    tree!(outer, { "outer" => symlink("x") });
    tree!(volume.path(), { "inner" => symlink("y") });
    let found = |root: &Path, one_file_system: bool| {
        let mut options = ScanOptions::new([root]);
        options.one_file_system = one_file_system;
        names_found(&outer, options)
    };
    assert_eq!(found(&outer, false), ["mnt/inner", "outer"]);
    assert_eq!(found(&outer, true), ["outer"]);
    assert_eq!(found(&volume.path(), true), ["mnt/inner"]);
}

#[test]
fn links_are_never_entered_and_a_link_named_is_listed_itself() {
    let work = Work::new();
    let escape = trees::escape(work.root());
    tree!(work.root(), { "outside/dir/found" => symlink("x"), "door" => symlink("inside") });
    assert_eq!(listed(&escape.inside), find(&escape.inside));
    assert_eq!(names_found(work.root(), ScanOptions::new([work.at("door")])), ["door"]);
    assert_eq!(names_found(work.root(), ScanOptions::new([work.at("outside")])), ["outside/dir/found"]);
}

#[test]
fn a_chain_is_counted_as_the_system_does() {
    let work = Work::new();
    trees::loops(work.root());
    let look = |name: &str| inspect_path(&work.at(name), DEFAULT_DRIVE).unwrap();
    assert_eq!(look("chain/5").link.unwrap().state, State::Ok);
    let shown = look("chain/4");
    assert_eq!(shown.link.unwrap().state, State::TooLong);
    let chain = shown.chain.unwrap();
    assert_eq!(chain.hops.len(), 41);
    assert_eq!(chain.failed_at, Some(work.at("chain/44")));
}

#[test]
fn resolved_is_where_the_system_says_it_is() {
    let work = Work::new();
    sample(work.root(), 3);
    trees::links(&made(work.at("links")));
    tree!(work.root(), {
        "via" => symlink("links/to-dir/../file"), "twice" => symlink("d0/../d1/file1"), "slash" => symlink("d0/"),
        "dots" => symlink("././d0/./a"), "up" => symlink("..")
    });
    let mut options = ScanOptions::new([work.root()]);
    options.details = Details::Resolved;
    let links = scanned(options);
    for (path, link) in &links {
        let real = fs::canonicalize(path).ok();
        // As text: to a path, `./` makes no difference.
        let text = |path: PathBuf| path.into_os_string();
        assert_eq!(link.resolved.clone().map(text), real.map(text), "{path:?}");
    }
    assert!(links.len() > 20);
}

#[test]
fn every_file_system_gives_what_find_gives() {
    for fs in [Fs::Btrfs, Fs::Xfs, Fs::Tmpfs, Fs::Ext4] {
        let volume = Volume::new(fs, 0);
        if fs == Fs::Btrfs {
            let make = "btrfs -q subvolume create sub && btrfs -q subvolume create sub/sub";
            require::run(Command::new("sh").args(["-c", make]).current_dir(volume.path()));
            tree!(volume.path(), { "sub/l" => symlink("x"), "sub/sub/m" => symlink("../l") });
        }
        sample(&volume.path(), 5);
        trees::weirdnames(&made(volume.path().join("weird")));
        trees::loops(&made(volume.path().join("loops")));
        assert_eq!(listed(volume.path()), find(volume.path()), "{fs:?}");
    }
}

#[test]
fn states_agree_with_the_system_for_long_names_and_long_chains() {
    let work = Work::new();
    tree!(work.root(), { "long" => symlink("x".repeat(300)), "d0" => dir, "end" => symlink("d41/nope") });
    for n in 1..=41 {
        tree!(work.root(), { format!("d{n}") => symlink(format!("d{}", n - 1)) });
    }
    let mut options = ScanOptions::new([work.root()]);
    options.filter.states = vec![State::TooLong];
    assert_eq!(names_found(work.root(), options), ["d41", "end", "long"]);
}
