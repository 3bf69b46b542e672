//! What a link is planned to be, and what is made of it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use links::{ErrorKind, Form, KindChoice, LinkSpec, OnExisting};
use testkit::{Fs, Snapshot, Volume, tree};

use crate::support::*;

fn hard(work: &Work, link: &str, target: &str) -> LinkSpec {
    let mut spec = work.spec(link, work.at(target));
    spec.kind = KindChoice::Hard;
    spec
}

fn replacing(mut spec: LinkSpec) -> LinkSpec {
    spec.on_existing = OnExisting::ReplaceLink;
    spec
}

#[test]
fn the_target_is_stored_as_typed() {
    let work = Work::new();
    tree!(work.root(), { "d/f" => file("") });
    for (n, typed) in ["./d//f", "d/", "d/.", "d/../d/f", "..", "/", "~", "$HOME", " d "].iter().enumerate() {
        let link = n.to_string();
        work.create(&work.spec(&link, *typed));
        assert_eq!(work.target(&link).as_os_str(), *typed);
    }
}

#[test]
fn relative_is_computed_from_the_physical_parent_of_the_link() {
    let work = Work::new();
    tree!(work.root(), {
        "real/deep/f" => file("deep"), "real/f" => file("real"), "target" => file("text"),
        "alias" => symlink("real/deep"),
    });
    let cases = [
        ("alias/link", "target", "../../target"),
        ("by-alias", "alias/f", "real/deep/f"),
        ("behind-alias", "alias/../f", "real/f"),
        ("to-alias", "alias", "alias"),
        // Not "../", with a slash that nobody typed.
        ("alias/to-parent", "real", ".."),
        ("alias/to-own-parent", "alias/.", "."),
    ];
    for (link, target, stored) in cases {
        let mut spec = work.spec(link, work.at(target));
        spec.form = Form::Relative;
        work.create(&spec);
        assert_eq!(work.target(link).as_os_str(), stored, "{link}");
        let [there, meant] = [link, target].map(|path| fs::metadata(work.at(path)).unwrap().ino());
        assert_eq!(there, meant, "{link} does not reach the file that was typed");
    }
}

#[test]
fn replace_takes_a_link_to_a_directory_itself_and_never_a_file_or_directory() {
    let work = Work::new();
    tree!(work.root(), { "a/f" => file(""), "b" => dir, "link" => symlink("a"), "file" => file("") });
    work.create(&replacing(work.spec("link", "b")));
    assert_eq!(work.target("link"), Path::new("b"));
    work.create(&replacing(work.spec("link/", "a")));
    assert_eq!(work.target("link"), Path::new("a"));
    let before = Snapshot::of(work.root());
    for name in ["file", "b"] {
        let refused = kind_of(work.try_create(&replacing(work.spec(name, "a"))));
        assert_eq!(refused, ErrorKind::NotALink, "{name}");
    }
    before.assert_unchanged();
}

#[test]
fn replace_can_put_a_hard_link_in_the_place_of_a_symlink() {
    let work = Work::new();
    tree!(work.root(), { "f" => file("text"), "l" => symlink("f") });
    work.create(&replacing(hard(&work, "l", "f")));
    assert_eq!(fs::symlink_metadata(work.at("l")).unwrap().ino(), fs::metadata(work.at("f")).unwrap().ino());
    assert_eq!(names(work.root()), ["f", "l"]);
}

#[test]
fn hard_refuses_what_cannot_have_another_name() {
    let volume = Volume::new(Fs::Tmpfs, 0);
    let work = Work::new();
    tree!(volume.path(), { "far" => file("") });
    tree!(work.root(), { "d" => dir, "f" => file(""), "l" => symlink("f") });
    let before = Snapshot::of(work.root());
    let far = volume.path().join("far");
    let cases = [
        ("d", ErrorKind::IsDirectory),
        (".", ErrorKind::IsDirectory),
        ("missing", ErrorKind::NotFound),
        ("no/such/dir", ErrorKind::NotFound),
        ("l", ErrorKind::TargetIsLink),
        (far.to_str().unwrap(), ErrorKind::CrossesVolumes),
    ];
    for (target, kind) in cases {
        assert_eq!(kind_of(work.try_create(&hard(&work, "new", target))), kind, "{target}");
    }
    before.assert_unchanged();
}

#[test]
fn link_and_target_may_not_be_the_same_name() {
    let work = Work::new();
    tree!(work.root(), { "f" => file(""), "real" => dir, "alias" => symlink("real"), "real/g" => file("") });
    let before = Snapshot::of(work.root());
    let formed = |form: Form, link: &str, target: &str| {
        let mut spec = work.spec(link, work.at(target));
        spec.form = form;
        spec
    };
    let cases = [
        work.spec("new", "new"),
        work.spec("./new", "new"),
        work.spec("new", "./new"),
        work.spec("real/../new", "new"),
        work.spec("alias/new", "new"),
        work.spec("alias/new", "../real/new"),
        formed(Form::Relative, "alias/new", "real/new"),
        formed(Form::Absolute, "new", "real/../new"),
        replacing(work.spec("alias", "alias")),
        hard(&work, "f", "./f"),
        hard(&work, "alias/g", "real/g"),
    ];
    for spec in cases {
        assert_eq!(kind_of(work.try_create(&spec)), ErrorKind::SameFile, "{spec:?}");
    }
    before.assert_unchanged();
}

#[test]
fn dot_dot_behind_a_directory_that_is_not_there_makes_nothing() {
    let work = Work::new();
    let mut spec = work.spec("x/../y/l", "t");
    spec.parents = true;
    let refused = work.try_create(&spec).unwrap_err();
    assert!(refused.to_string().contains("'..'"), "{refused}");
    assert!(names(work.root()).is_empty());
}

#[test]
fn a_taken_name_and_an_empty_one_are_refused() {
    let work = Work::new();
    tree!(work.root(), { "f" => file("text"), "g" => file(""), "d" => dir, "dead" => symlink("gone") });
    let before = Snapshot::of(work.root());
    for taken in ["f", "d", "dead"] {
        assert_eq!(kind_of(work.try_create(&work.spec(taken, "g"))), ErrorKind::AlreadyExists, "{taken}");
    }
    assert_eq!(kind_of(work.try_create(&work.spec("new", ""))), ErrorKind::InvalidTarget);
    assert_eq!(kind_of(work.try_create(&LinkSpec::new("", "g"))), ErrorKind::InvalidPath);
    assert!(work.try_create(&work.spec("f/new", "g")).is_err());
    before.assert_unchanged();
}

#[test]
fn windows_targets_and_junctions_are_refused_outside_ntfs() {
    let work = Work::new();
    tree!(work.root(), { "d" => dir });
    let refused = work.try_create(&work.spec("l", r"C:\Games")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported);
    assert!(refused.to_string().contains("this is a Windows path"), "{refused}");
    let mut junction = work.spec("l", work.at("d"));
    junction.kind = KindChoice::Junction;
    assert_eq!(kind_of(work.try_create(&junction)), ErrorKind::NotSupported);
    assert_eq!(names(work.root()), ["d"]);
}

#[test]
fn an_error_goes_into_one_of_the_standard_library_whole() {
    let work = Work::new();
    let missing = links::create(&work.spec("gone/link", "b")).unwrap_err();
    let text = missing.to_string();
    let error = io::Error::from(missing);
    assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::NotFound, text));
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<links::Error>());
    assert_eq!(inner.and_then(links::Error::second_path), Some(Path::new("b")));
    let refused = links::create(&work.spec("link", "")).unwrap_err();
    assert_eq!((refused.kind(), refused.io_error().is_none()), (ErrorKind::InvalidTarget, true));
    assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::InvalidInput);
}
