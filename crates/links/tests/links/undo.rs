//! What was done is taken back, and what was changed since is left alone.

use std::fs::{self, FileTimes};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::SystemTime;

use links::{ErrorKind, KindChoice, KindFilter, LinkSpec};
use testkit::{Fs, Snapshot, Volume, tree};

use crate::support::*;

const HARD: Option<KindFilter> = Some(KindFilter::HARD);

fn hard(work: &Work, link: &str, target: &str) -> LinkSpec {
    let mut spec = work.spec(link, work.at(target));
    spec.kind = KindChoice::Hard;
    spec
}

#[test]
fn undo_takes_back_what_create_made_and_its_directories() {
    let work = Work::new();
    tree!(work.root(), { "t1" => file(""), "t2" => file("") });
    work.create(&work.spec("l", "t1"));
    work.create(&hard(&work, "h", "t1"));
    let below = ["t1", "t2"].map(|name| {
        let mut spec = work.spec(format!("new/dir/{name}"), format!("../../{name}"));
        spec.parents = true;
        spec
    });
    work.create_all(&below);
    work.undo();
    assert_eq!(names(work.root()), ["h", "l", "t1", "t2"]);
    work.undo();
    work.undo();
    assert_eq!(names(work.root()), ["t1", "t2"]);
    assert_eq!(work.refused_undo(), [ErrorKind::Nothing]);
}

#[test]
fn undo_keeps_a_made_directory_that_holds_more_by_now() {
    let work = Work::new();
    let mut spec = work.spec("new/l", "t");
    spec.parents = true;
    work.create(&spec);
    tree!(work.root(), { "new/own" => file("mine") });
    work.undo();
    assert_eq!(names(work.at("new")), ["own"]);
}

#[test]
fn undo_of_a_removal_refuses_a_name_that_is_taken() {
    let work = Work::new();
    tree!(work.root(), { "l" => symlink("old") });
    work.remove(["l"], None);
    tree!(work.root(), { "l" => symlink("new") });
    assert_eq!(work.refused_undo(), [ErrorKind::Changed]);
    assert_eq!(work.target("l"), Path::new("new"));
    fs::remove_file(work.at("l")).unwrap();
    work.undo();
    assert_eq!(work.target("l"), Path::new("old"));
}

#[test]
fn undo_by_number_twice_and_back_again() {
    let work = Work::new();
    work.create(&work.spec("a", "x"));
    work.create(&work.spec("b", "y"));
    work.try_undo(1).unwrap();
    assert_eq!(names(work.root()), ["b"]);
    let refused = work.try_undo(1).unwrap_err();
    assert!(refused[0].to_string().contains("undone already, by 3"), "{refused:?}");
    let refused = work.try_undo(99).unwrap_err();
    assert!(refused[0].to_string().contains("no operation 99"), "{refused:?}");
    work.try_undo(3).unwrap();
    assert_eq!((names(work.root()), work.target("a")), (vec!["a".into(), "b".into()], "x".into()));
    work.try_undo(1).unwrap();
    assert_eq!(names(work.root()), ["b"]);
}

#[test]
fn undo_of_a_hard_link_that_is_the_last_name_by_now_is_refused() {
    let work = Work::new();
    tree!(work.root(), { "f" => file("data") });
    work.create(&hard(&work, "h", "f"));
    fs::remove_file(work.at("f")).unwrap();
    let refused = work.try_undo(1).unwrap_err();
    assert!(refused[0].to_string().contains("last name"), "{refused:?}");
    assert_eq!(fs::read(work.at("h")).unwrap(), b"data");
}

#[test]
fn undo_brings_a_removed_name_of_a_file_back_also_from_another_directory() {
    let work = Work::new();
    tree!(work.root(), { "d/a" => file("data"), "e/b" => hard("d/a"), "d/c" => hard("d/a") });
    let inode = fs::metadata(work.at("d/a")).unwrap().ino();
    for gone in ["d/c", "e/b"] {
        work.remove([gone], HARD);
        work.undo();
        assert_eq!(fs::metadata(work.at(gone)).unwrap().ino(), inode, "{gone}");
    }
}

#[test]
fn a_path_that_leads_to_another_directory_by_now_is_not_followed() {
    type Change<'a> = &'a dyn Fn(&Work);
    let moved: [(&str, Change<'_>); 2] = [
        ("a link", &|work| {
            fs::rename(work.at("d"), work.at("d2")).unwrap();
            tree!(work.root(), { "other" => dir, "d" => symlink("other") });
        }),
        ("a directory", &|work| {
            fs::rename(work.at("d"), work.at("d2")).unwrap();
            tree!(work.root(), { "d" => dir });
        }),
    ];
    for (what, change) in moved {
        let work = Work::new();
        fs::create_dir(work.at("d")).unwrap();
        work.create(&work.spec("d/l", "t"));
        change(&work);
        symlink("t", work.at("d/l")).unwrap();
        let before = Snapshot::of(work.root());
        assert_eq!(work.refused_undo().len(), 1, "create, {what}");
        before.assert_unchanged();

        let work = Work::new();
        tree!(work.root(), { "d/l" => symlink("t") });
        work.remove(["d/l"], None);
        change(&work);
        let before = Snapshot::of(work.root());
        assert_eq!(work.refused_undo().len(), 1, "remove, {what}");
        before.assert_unchanged();
        // Once the directory is back, so is the link.
        fs::rename(work.at("d"), work.at("d3")).unwrap();
        fs::rename(work.at("d2"), work.at("d")).unwrap();
        work.undo();
        assert_eq!(work.target("d/l"), Path::new("t"));
    }
}

#[test]
fn a_file_with_the_number_of_a_removed_one_is_another() {
    let volume = Volume::new(Fs::Ext4, 0);
    let work = Work::on(volume.path());
    tree!(volume.path(), { "a" => file("a") });
    let number = fs::metadata(work.at("a")).unwrap().ino();
    work.create(&hard(&work, "b", "a"));
    work.remove(["b"], HARD);
    fs::remove_file(work.at("a")).unwrap();
    let new = (0..300).map(|n| work.at(format!("new{n}"))).find(|path| {
        fs::write(path, "another").unwrap();
        fs::metadata(path).unwrap().ino() == number
    });
    let new = new.expect("the number is given again");
    let time = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
    fs::File::options().write(true).open(&new).unwrap().set_times(time).unwrap();
    let before = Snapshot::of(volume.path());
    let refused = work.try_undo(2).unwrap_err();
    assert!(refused[0].to_string().contains("no other name of its file was found"), "{refused:?}");
    before.assert_unchanged();
    // Nor is it what the creation made, under the name that this had.
    fs::rename(&new, work.at("b")).unwrap();
    fs::hard_link(work.at("b"), work.at("c")).unwrap();
    assert!(work.try_undo(1).is_err());
    assert_eq!(fs::read(work.at("b")).unwrap(), b"another");
}
