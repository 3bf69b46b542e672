//! Places that somebody says went elsewhere.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::*;

fn map(old: &Path, new: &Path) -> OsString {
    [old.as_os_str(), new.as_os_str()].join(OsStr::new("="))
}

#[test]
fn a_map_counts_at_the_borders_of_components_alone() {
    let ground = Ground::new();
    for name in ["b", "bc"] {
        link(ground.at(format!("a/{name}/f")), ground.at(format!("links/{name}")));
    }
    write(ground.at("new/f"), "x");
    write(ground.at("newc/f"), "wrong");
    let args = ["repair", "links", "--search", "links", "--yes", "--map", "a/b=new"];
    ground.run(args).exits(1);
    assert_eq!(read(ground.at("links/b")).as_deref(), Some("x"));
    assert_eq!(ground.target("links/bc"), ground.at("a/bc/f"));
}

#[test]
fn of_several_maps_the_longest_counts_in_any_order() {
    for turned in [false, true] {
        let ground = Ground::new();
        link(ground.at("a/b/f"), ground.at("links/b"));
        link(ground.at("a/c/f"), ground.at("links/c"));
        write(ground.at("x/b/f"), "wrong");
        write(ground.at("x/c/f"), "c");
        write(ground.at("y/f"), "b");
        let mut maps = ["a=x", "a/b=y"];
        if turned {
            maps.reverse();
        }
        ground.ok(["repair", "links", "--yes", "--map", maps[0], "--map", maps[1]]);
        assert_eq!(read(ground.at("links/b")).as_deref(), Some("b"));
        assert_eq!(read(ground.at("links/c")).as_deref(), Some("c"));
    }
}

#[test]
fn a_map_names_the_target_itself_too_and_a_slash_at_its_end_says_nothing() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old"), ground.at("links/d"));
    link(ground.at("old/f"), ground.at("links/f"));
    ground.ok(["repair", "links", "--yes", "--map", "old/=new/"]);
    assert_eq!(ground.target("links/d"), ground.at("new"));
    assert_eq!(ground.target("links/f"), ground.at("new/f"));
}

#[test]
fn names_with_equal_signs_are_written_with_two() {
    let ground = Ground::new();
    write(ground.at("n=e=w/f"), "x");
    link(ground.at("o=ld/f"), ground.at("links/l"));
    ground.ok(["repair", "links", "--yes", "--map", "o==ld=n==e==w"]);
    assert_eq!(ground.target("links/l"), ground.at("n=e=w/f"));
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
fn a_map_to_where_nothing_is_changes_nothing_and_says_so() {
    let ground = Ground::new();
    link(ground.at("old/f"), ground.at("links/l"));
    let ran = ground.run(["repair", "links", "--yes", "--map", "old=nowhere"]).exits(1);
    assert!(ran.out.contains("by its map it would lead to") && ran.out.contains("nowhere/f"), "{ran}");
    assert_eq!(ground.target("links/l"), ground.at("old/f"));
}

#[test]
fn a_map_leaves_links_alone_that_lead_somewhere() {
    let ground = Ground::new();
    write(ground.at("old/f"), "old");
    write(ground.at("new/f"), "new");
    link(ground.at("old/f"), ground.at("links/l"));
    ground.ok(["repair", "links", "--yes", "--map", "old=new"]);
    assert_eq!(ground.target("links/l"), ground.at("old/f"));
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
fn an_old_place_may_be_named_by_a_path_with_links() {
    let ground = Ground::new();
    write(ground.at("real/new/f"), "x");
    link("real", ground.at("via"));
    link(ground.at("real/old/f"), ground.at("links/l"));
    link(ground.at("via/old/f"), ground.at("links/m"));
    ground.ok(["repair", "links", "--yes", "--map", "via/old=via/new"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("x"));
    assert_eq!(read(ground.at("links/m")).as_deref(), Some("x"));
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

#[test]
fn a_map_goes_before_what_was_recorded() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "recorded");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    rename(ground.at("data/f"), ground.at("far/f"));
    write(ground.at("said/f"), "said");
    ground.ok(["repair", "links", "--yes", "--map", "data=said"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("said"));
}

#[test]
fn a_text_that_begins_with_a_linked_path_still_does() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["mapped", "tracked"] {
        write(ground.at("real/old").join(name), name);
        link(ground.at("via/old").join(name), ground.at("links").join(name));
    }
    link("real", ground.at("via"));
    ground.ok(["track", "links/tracked"]);
    rename(ground.at("real/old"), ground.at("real/new"));
    let ran = ground.ok(["repair", "links/tracked", "--yes"]);
    assert_eq!(ground.target("links/tracked"), ground.at("via/new/tracked"), "{ran}");
    let ran = ground.ok(["repair", "links", "--map", "via/old=via/new", "--yes"]);
    assert_eq!(ground.target("links/mapped"), ground.at("via/new/mapped"), "{ran}");
}

#[test]
fn two_dots_behind_a_link_are_followed_as_the_system_does() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("real/sub")).unwrap();
    write(ground.at("real/new/f"), "right");
    write(ground.at("new/f"), "wrong");
    link("real/sub", ground.at("via"));
    link("via/../old/f", ground.at("l"));
    ground.ok(["repair", "l", "--map", "real/old=real/new", "--map", "old=new", "--yes"]);
    assert_eq!(read(ground.at("l")).as_deref(), Some("right"));
}

#[test]
fn a_map_leads_no_link_by_another_name_into_what_is_left_out() {
    let ground = Ground::new();
    write(ground.at("ex/x/f"), "x");
    link("ex", ground.at("alias"));
    link("../old/x/f", ground.at("links/l"));
    let ran = ground.run(["repair", "links", "--exclude", "ex", "--map", "old=alias", "--yes"]);
    assert_eq!(ground.target("links/l"), Path::new("../old/x/f"), "{ran}");
    ran.exits(1);
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
