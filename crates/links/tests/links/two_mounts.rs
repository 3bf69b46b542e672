//! One file system, seen through two mounts.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use links::{ErrorKind, Found, KindChoice, KindFilter, ScanOptions, scan};
use testkit::{Fs, Volume, require, tree};

use crate::support::*;

/// A directory shown at another place, too, until dropped.
struct Bound(PathBuf);

impl Bound {
    fn new(from: impl AsRef<Path>, at: impl AsRef<Path>) -> Bound {
        require::run(Command::new("mount").arg("--bind").arg(from.as_ref()).arg(at.as_ref()));
        Bound(at.as_ref().to_owned())
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// `d` with the names `f`, `g` and `sub/h` of one file; it is also `d2`, and its `sub` is `d3`.
fn ground() -> (Work, [Bound; 2]) {
    let work = Work::new();
    tree!(work.root(), { "d/f" => file("text"), "d/sub" => dir, "d2" => dir, "d3" => dir, "file" => file("") });
    for name in ["d/g", "d/sub/h"] {
        fs::hard_link(work.at("d/f"), work.at(name)).unwrap();
    }
    let bound = [Bound::new(work.at("d"), work.at("d2")), Bound::new(work.at("d/sub"), work.at("d3"))];
    (work, bound)
}

fn groups(roots: &[PathBuf]) -> Vec<(usize, u64)> {
    let mut options = ScanOptions::new(roots);
    options.filter.kinds = vec![KindFilter::HARD];
    scan(options)
        .map(|found| match found.unwrap() {
            Found::HardLinks(group) => (group.paths.len(), group.links),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn names_seen_through_two_mounts_were_counted_as_7_of_3() {
    let (work, _bound) = ground();
    // What is mounted over a file is no name of it.
    let _over = Bound::new(work.at("d/f"), work.at("file"));
    let all = [work.root().to_owned()];
    for roots in [&all[..], &[work.at("d"), work.at("d2")], &[work.at("d2"), work.at("d3")]] {
        assert_eq!(groups(roots), [(3, 3)], "{roots:?}");
    }
    assert_eq!(groups(&[work.at("d3")]), [(1, 3)]);
}

#[test]
fn hard_links_between_two_mounts_of_one_file_system_are_made() {
    let (work, _bound) = ground();
    let file = fs::metadata(work.at("d/f")).unwrap().ino();
    for (link, target) in [("d2/1", "d/f"), ("d3/2", "d/f"), ("d/3", "d3/h"), ("d2/new/4", "d3/h"), ("d3/5", "d2/g")] {
        let mut spec = work.spec(link, work.at(target));
        (spec.kind, spec.parents) = (KindChoice::Hard, true);
        work.create(&spec);
        assert_eq!(fs::metadata(work.at(link)).unwrap().ino(), file, "{link}");
    }
    let mut options = ScanOptions::new([work.root()]);
    options.filter.kinds = vec![KindFilter::HARD];
    assert_eq!(scan(options).count(), 1);
    assert_eq!(groups(&[work.root().to_owned()]), [(8, 8)]);
}

#[test]
fn where_no_mount_shows_both_places_that_is_said() {
    let (work, volume) = (Work::new(), Volume::new(Fs::Tmpfs, 0));
    tree!(volume.path(), { "a/f" => file("text"), "b" => dir });
    tree!(work.root(), { "a" => dir, "b" => dir });
    let _bound = [Bound::new(volume.path().join("a"), work.at("a")), Bound::new(volume.path().join("b"), work.at("b"))];
    drop(volume);
    let mut spec = work.spec("b/link", work.at("a/f"));
    spec.kind = KindChoice::Hard;
    let error = links::create(&spec).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CrossesVolumes);
    assert!(error.to_string().contains("one file system that is mounted twice"), "{error}");
}

#[test]
fn a_name_named_through_two_mounts_is_removed_once() {
    let (work, _bound) = ground();
    fs::remove_file(work.at("d/sub/h")).unwrap();
    let kind = Some(KindFilter::HARD);
    let refused = work.try_remove(&work.removal(["d/f", "d2/g"], kind)).unwrap_err();
    assert!(refused.iter().all(|error| error.kind() == ErrorKind::LastName), "{refused:?}");
    work.remove(["d/f", "d2/f"], kind);
    assert_eq!(names(work.at("d")), ["g", "sub"]);
}

#[test]
fn a_name_removed_through_a_mount_of_a_part_is_brought_back() {
    let (work, _bound) = ground();
    work.remove(["d3/h"], Some(KindFilter::HARD));
    work.undo();
    assert_eq!(groups(&[work.at("d")]), [(3, 3)]);
}
