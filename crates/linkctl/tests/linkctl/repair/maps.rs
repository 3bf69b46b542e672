//! Places that somebody says went elsewhere.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::*;

fn map(old: &Path, new: &Path) -> OsString {
    [old.as_os_str(), new.as_os_str()].join(OsStr::new("="))
}

#[test]
fn a_map_that_cannot_be_read_is_refused_and_nothing_is_done() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/l"));
    let before = testkit::Snapshot::of(ground.root());
    for bad in ["old", "=new", "old=", "a=b=c", "", "old==new"] {
        ground.run(["repair", "links", "--yes", "--map", "old=new", "--map", bad]).exits(2);
    }
    before.assert_unchanged();
}

#[test]
fn a_map_typed_with_two_dots_leaves_none_in_the_new_text() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/absolute"));
    link("../old/f", ground.at("links/relative"));
    let args = ["repair", ".", "--yes", "--map", "../old=../new"];
    ground.linkctl.output_in(ground.at("links"), args).exits(0);
    assert_eq!(ground.target("links/relative"), Path::new("../new/f"));
    assert_eq!(ground.target("links/absolute"), ground.at("new/f"));
}

#[test]
fn a_map_file_has_remarks_empty_lines_crlf_and_names_that_are_no_unicode() {
    let ground = Ground::new();
    let odd = OsString::from_vec(b"o\xff=d".to_vec());
    write(ground.at(&odd).join("f"), "odd");
    write(ground.at("new/f"), "new");
    link(ground.at("gone1/f"), ground.at("links/one"));
    link(ground.at("gone2/f"), ground.at("links/two"));
    let mut text = b"# a remark = with a sign\n\n".to_vec();
    text.extend(map(&ground.at("gone1"), &ground.at("new")).as_bytes());
    text.extend(b"\r\n");
    text.extend(ground.at("gone2").as_os_str().as_bytes());
    text.extend(b"=");
    text.extend(ground.root().as_os_str().as_bytes());
    text.extend(b"/o\xff==d\n");
    fs::write(ground.at("maps"), text).unwrap();
    ground.ok(["repair", "links", "--yes", "--map-file", "maps"]);
    assert_eq!(read(ground.at("links/one")).as_deref(), Some("new"));
    assert_eq!(read(ground.at("links/two")).as_deref(), Some("odd"));
}

#[test]
fn a_map_file_that_cannot_be_read_is_refused() {
    let ground = Ground::new();
    link(ground.at("gone/f"), ground.at("links/l"));
    ground.run(["repair", "links", "--yes", "--map-file", "no-such"]).exits(2).says("no-such");
    fs::write(ground.at("maps"), "gone=new\nnonsense\n").unwrap();
    ground.run(["repair", "links", "--yes", "--map-file", "maps"]).exits(2).says("nonsense");
}

/// A link to `old/f`, which is in `a` and in `b`.
fn in_two_places() -> Ground {
    let ground = Ground::new();
    for name in ["a", "b"] {
        write(ground.at(name).join("f"), name);
    }
    link("../old/f", ground.at("links/l"));
    ground
}

#[test]
fn two_maps_that_say_different_things_of_one_place_are_refused() {
    let ground = in_two_places();
    let root = ground.root().display().to_string();
    fs::write(ground.at("maps"), "old=b\n").unwrap();
    fs::write(ground.at("both"), "old=a\nold=b\n").unwrap();
    for maps in [
        &["--map", "old=a", "--map", "old=b"][..],
        &["--map", "old=b", "--map", "old=a"],
        &["--map", "./old/=a", "--map", &format!("{root}/old=b")],
        &["--map", "old=a", "--map-file", "maps"],
        &["--map-file", "both"],
    ] {
        let ran = ground.run(["repair", "links", "--yes"].iter().chain(maps));
        assert_eq!(ground.target("links/l"), Path::new("../old/f"), "{maps:?}\n{ran}");
        ran.exits(2).says("old");
    }
    let (whole, again) = (format!("{root}/old={root}/b"), "./old/=./b/");
    ground.ok(["repair", "links", "--yes", "--map", &whole, "--map", again, "--map-file", "maps"]);
    assert_eq!(ground.target("links/l"), Path::new("../b/f"));
}

#[test]
fn a_map_that_no_broken_link_needs_is_told() {
    let ground = in_two_places();
    let args = ["repair", "links", "--dry-run", "--map", "old=a"];
    ground.run(args.into_iter().chain(["--map", "misspelt=b"])).says("misspelt");
    assert_eq!(ground.ok(args).err, "");
}

#[test]
fn a_fault_in_a_map_file_is_told_with_the_file_and_the_line() {
    let ground = in_two_places();
    fs::write(ground.at("maps"), "# a remark\n\nold=a\nnonsense\n").unwrap();
    let ran = ground.run(["repair", "links", "--map-file", "maps", "--yes"]).exits(2).says("maps");
    assert!(ran.err.contains("line 4") || ran.err.contains("maps:4"), "{ran}");
}

#[test]
fn the_mark_of_utf_8_at_the_beginning_of_a_map_file_says_nothing() {
    let ground = in_two_places();
    fs::write(ground.at("maps"), "\u{feff}old=a\r\n").unwrap();
    let ran = ground.run(["repair", "links", "--map-file", "maps", "--yes"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("a"), "{ran}");
    ran.exits(0);
}

#[test]
fn lines_of_spaces_in_a_map_file_say_nothing() {
    let ground = in_two_places();
    fs::write(ground.at("maps"), "   \nold=a\n \t \n  \r\n").unwrap();
    let ran = ground.run(["repair", "links", "--map-file", "maps", "--yes"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("a"), "{ran}");
    ran.exits(0);
}
