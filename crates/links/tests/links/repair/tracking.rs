//! What is recorded, by whom, and when it is forgotten.

use super::*;

fn pairs(all: &[(&str, State)]) -> Vec<(String, Option<State>)> {
    all.iter().map(|(path, state)| ((*path).to_owned(), Some(*state))).collect()
}

#[test]
fn refresh_records_anew_and_forgets_what_is_gone_or_says_something_else() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["a", "b", "new"] {
        write(ground.at(format!("data/{name}")), name);
    }
    link("../data/a", ground.at("links/a"));
    link("../data/b", ground.at("links/b"));
    link("../data/a", ground.at("links/broken"));
    ground.track(["links"]);
    fs::remove_file(ground.at("links/a")).unwrap();
    link("../data/new", ground.at("links/a"));
    fs::remove_file(ground.at("links/b")).unwrap();
    rename(ground.at("data/a"), ground.at("far/a"));
    ground.refresh([""; 0]);
    assert_eq!(ground.tracked(), pairs(&[("links/a", State::Ok), ("links/broken", State::Missing)]));
    // What is broken keeps the record that mends it, and what was recorded anew serves.
    rename(ground.at("data/new"), ground.at("far/new"));
    ground.repair(["links"]).run().mends_all();
    assert_eq!(read(ground.at("links/a")).as_deref(), Some("new"));
    assert_eq!(read(ground.at("links/broken")).as_deref(), Some("a"));
}

#[test]
fn refresh_keeps_what_is_on_a_volume_that_is_away() {
    let mut ground = Ground::on(Fs::Ext4);
    write(ground.at("data/a"), "a");
    link("../data/a", ground.at("links/a"));
    ground.track(["links"]);
    ground.volume.unmount();
    ground.refresh([""; 0]);
    ground.volume.mount();
    assert_eq!(ground.tracked(), pairs(&[("links/a", State::Ok)]));
}

#[test]
fn a_replaced_file_under_the_same_name_is_recorded_by_refresh() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "old");
    link("../data/f", ground.at("links/l"));
    ground.track(["links"]);
    write(ground.at("data/f.new"), "new");
    rename(ground.at("data/f.new"), ground.at("data/f"));
    ground.refresh(["links"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.repair(["links"]).run().mends_all();
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("new"));
}

#[test]
fn untrack_forgets_below_a_path_and_leaves_links_alone() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    for name in ["in/a", "in/b", "inside", "out"] {
        link(ground.at("data/f"), ground.at("links").join(name));
    }
    ground.track(["links"]);
    let before = testkit::Snapshot::of(ground.root());
    assert_eq!(ground.tracked().len(), 4);
    assert_eq!(ground.untrack(["links/in"]).unwrap(), 2);
    assert_eq!(ground.tracked(), pairs(&[("links/inside", State::Ok), ("links/out", State::Ok)]));
    before.assert_unchanged();
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.repair(["links"]).run().leaves_some();
    assert_eq!(read(ground.at("links/in/a")), None);
    assert_eq!(read(ground.at("links/out")).as_deref(), Some("x"));
    let refused = ground.untrack(["links/none"]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Nothing);
    assert!(refused.to_string().contains("nothing is tracked"), "{refused}");
}

#[test]
fn several_paths_of_untrack_are_forgotten_together_or_not_at_all() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/a"));
    ground.track(["links"]);
    assert_eq!(kind_of(ground.untrack(["links/a", "links/none"])), ErrorKind::Nothing);
    assert_eq!(ground.tracked().len(), 1);
}

#[test]
fn a_gone_link_is_untracked_by_its_path() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/d/a"));
    ground.track(["links"]);
    fs::remove_dir_all(ground.at("links")).unwrap();
    assert_eq!(ground.untrack(["links/d/a"]).unwrap(), 1);
    assert_eq!(ground.tracked(), []);
}

#[test]
fn broken_links_are_not_tracked_and_that_is_said() {
    let ground = Ground::on(Fs::Ext4);
    link("../data/none", ground.at("links/l"));
    assert_eq!(ground.track(["links"]).broken, [ground.at("links/l")]);
    assert_eq!(ground.tracked(), []);
}

#[test]
fn excluded_links_are_not_tracked() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/a"));
    link(ground.at("data/f"), ground.at("links/no/b"));
    ground.track_without(["links"], &["no"]);
    assert_eq!(ground.tracked(), pairs(&[("links/a", State::Ok)]));
}

#[test]
fn links_and_targets_that_both_moved_find_each_other() {
    let mut ground = Ground::on(Fs::Ext4);
    for n in 0..10 {
        write(ground.at(format!("data/f{n}")), n.to_string());
        link(format!("../data/f{n}"), ground.at(format!("links/l{n}")));
    }
    ground.track(["links"]);
    for n in 0..10 {
        rename(ground.at(format!("links/l{n}")), ground.at(format!("far/{n}/renamed")));
        rename(ground.at(format!("data/f{n}")), ground.at(format!("off/{n}/g")));
    }
    ground.volume.remount();
    ground.repair(["far"]).run().mends_all();
    for n in 0..10 {
        assert_eq!(read(ground.at(format!("far/{n}/renamed"))), Some(n.to_string()));
    }
}

#[test]
fn a_mended_link_is_tracked_where_it_leads_now() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    for (old, new) in [("data/f", "far/g"), ("far/g", "off/h"), ("off/h", "data/f")] {
        rename(ground.at(old), ground.at(new));
        ground.repair(["links"]).run().mends_all();
        assert_eq!(ground.target("links/l"), ground.at(new));
    }
}

#[test]
fn a_link_known_by_itself_is_tracked_at_its_new_place_once_it_is_mended() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link("../data/f", ground.at("links/l"));
    ground.track(["links"]);
    rename(ground.at("links"), ground.at("some/where"));
    ground.repair(["some"]).run().mends_all();
    rename(ground.at("data/f"), ground.at("far/g"));
    let ran = ground.repair(["some"]).run();
    assert_eq!(read(ground.at("some/where/l")).as_deref(), Some("x"), "{ran}");
}

#[test]
fn an_undone_repair_can_be_done_again() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.repair(["links"]).run().mends_all();
    ground.undo();
    assert_eq!(ground.target("links/l"), ground.at("data/f"));
    ground.repair(["links"]).run().mends_all();
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("x"));
}

#[test]
fn a_record_of_what_a_link_said_before_does_not_mend_what_it_says_now() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "recorded");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    fs::remove_file(ground.at("links/l")).unwrap();
    link(ground.at("data/other"), ground.at("links/l"));
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.repair(["links"]).run().leaves_some();
    assert_eq!(ground.target("links/l"), ground.at("data/other"));
}
