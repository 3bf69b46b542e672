//! Places that somebody says went elsewhere.

use super::*;

#[test]
fn a_map_counts_at_the_borders_of_components_alone() {
    let ground = Ground::new();
    for name in ["b", "bc"] {
        link(ground.at(format!("a/{name}/f")), ground.at(format!("links/{name}")));
    }
    write(ground.at("new/f"), "x");
    write(ground.at("newc/f"), "wrong");
    ground.repair(["links"]).search("links").map("a/b", "new").run().leaves_some();
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
        let mut maps = [("a", "x"), ("a/b", "y")];
        if turned {
            maps.reverse();
        }
        let repair = ground.repair(["links"]).map(maps[0].0, maps[0].1).map(maps[1].0, maps[1].1);
        repair.run().mends_all();
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
    ground.repair(["links"]).map("old/", "new/").run().mends_all();
    assert_eq!(ground.target("links/d"), ground.at("new"));
    assert_eq!(ground.target("links/f"), ground.at("new/f"));
}

#[test]
fn names_with_equal_signs_are_written_with_two() {
    let ground = Ground::new();
    write(ground.at("n=e=w/f"), "x");
    link(ground.at("o=ld/f"), ground.at("links/l"));
    ground.repair(["links"]).map("o==ld", "n==e==w").run().mends_all();
    assert_eq!(ground.target("links/l"), ground.at("n=e=w/f"));
}

#[test]
fn a_map_to_where_nothing_is_changes_nothing_and_says_so() {
    let ground = Ground::new();
    link(ground.at("old/f"), ground.at("links/l"));
    let ran = ground.repair(["links"]).map("old", "nowhere").run().leaves_some();
    let reason = ran.reason_text("links/l");
    assert!(reason.contains("by its map it would lead to") && reason.contains("nowhere/f"), "{ran}");
    assert_eq!(ground.target("links/l"), ground.at("old/f"));
}

#[test]
fn a_map_leaves_links_alone_that_lead_somewhere() {
    let ground = Ground::new();
    write(ground.at("old/f"), "old");
    write(ground.at("new/f"), "new");
    link(ground.at("old/f"), ground.at("links/l"));
    ground.repair(["links"]).map("old", "new").run().mends_all();
    assert_eq!(ground.target("links/l"), ground.at("old/f"));
}

#[test]
fn an_old_place_may_be_named_by_a_path_with_links() {
    let ground = Ground::new();
    write(ground.at("real/new/f"), "x");
    link("real", ground.at("via"));
    link(ground.at("real/old/f"), ground.at("links/l"));
    link(ground.at("via/old/f"), ground.at("links/m"));
    ground.repair(["links"]).map("via/old", "via/new").run().mends_all();
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("x"));
    assert_eq!(read(ground.at("links/m")).as_deref(), Some("x"));
}

#[test]
fn a_map_goes_before_what_was_recorded() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "recorded");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    rename(ground.at("data/f"), ground.at("far/f"));
    write(ground.at("said/f"), "said");
    ground.repair(["links"]).map("data", "said").run().mends_all();
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
    ground.track(["links/tracked"]);
    rename(ground.at("real/old"), ground.at("real/new"));
    let ran = ground.repair(["links/tracked"]).run().mends_all();
    assert_eq!(ground.target("links/tracked"), ground.at("via/new/tracked"), "{ran}");
    let ran = ground.repair(["links"]).map("via/old", "via/new").run().mends_all();
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
    ground.repair(["l"]).map("real/old", "real/new").map("old", "new").run().mends_all();
    assert_eq!(read(ground.at("l")).as_deref(), Some("right"));
}

#[test]
fn a_map_leads_no_link_by_another_name_into_what_is_left_out() {
    let ground = Ground::new();
    write(ground.at("ex/x/f"), "x");
    link("ex", ground.at("alias"));
    link("../old/x/f", ground.at("links/l"));
    let ran = ground.repair(["links"]).exclude("ex").map("old", "alias").run();
    assert_eq!(ground.target("links/l"), Path::new("../old/x/f"), "{ran}");
    ran.leaves_some();
}
