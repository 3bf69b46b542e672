//! What is recorded, by whom, and when it is forgotten.

use super::*;

/// The links that are tracked, with their states.
#[track_caller]
fn tracked(ground: &Ground) -> Vec<(String, String)> {
    let ran = ground.ok(["track", "--list", "--json"]);
    let root = ground.root().display().to_string() + "/";
    let tracked = ran.json()["tracked"].as_array().unwrap().clone();
    let path =
        |value: &Value| String::from_utf8(crate::common::name(&value["path"])).unwrap().replace(&root, "");
    tracked.iter().map(|value| (path(value), value["state"].as_str().unwrap().to_owned())).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(path, state)| ((*path).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn links_of_create_mklink_and_move_are_tracked_from_the_beginning() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["c", "m", "v"] {
        write(ground.at(format!("data/{name}")), name);
    }
    fs::create_dir_all(ground.at("links")).unwrap();
    ground.ok(["create", "links/c", "../data/c"]);
    ground.ok(["mklink", "links/m", "../data/m"]);
    ground.ok(["move", "--yes", "data/v", "kept"]);
    let ran = ground.ok(["track", "--list"]);
    for name in ["c", "m", "v"] {
        rename(fs::canonicalize(ground.at("data").join(name)).unwrap(), ground.at(format!("far/{name}_")));
    }
    let ran2 = ground.ok(["repair", ".", "--yes"]);
    for at in ["links/c", "links/m", "data/v"] {
        let content = at.rsplit('/').next();
        assert_eq!(read(ground.at(at)).as_deref(), content, "{at}\n{ran}\n{ran2}");
    }
}

#[test]
fn list_shows_each_link_with_where_it_led_and_how_it_is_now() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["ok", "missing", "changed", "gone"] {
        write(ground.at(format!("data/{name}")), name);
        link(format!("../data/{name}"), ground.at(format!("links/{name}")));
    }
    ground.ok(["track", "links"]);
    fs::remove_file(ground.at("data/missing")).unwrap();
    fs::remove_file(ground.at("links/gone")).unwrap();
    fs::remove_file(ground.at("links/changed")).unwrap();
    link("../data/ok", ground.at("links/changed"));
    let expected = [
        ("links/changed", "changed"),
        ("links/gone", "changed"),
        ("links/missing", "missing"),
        ("links/ok", "ok"),
    ];
    assert_eq!(tracked(&ground), pairs(&expected));
    let table = ground.ok(["track", "--list"]);
    assert!(table.out.contains("[DIR]/links/missing -> ../data/missing"), "{table}");
    assert!(table.out.contains("[DIR]/data/missing\n"), "{table}");
    let part = ground.ok(["track", "--list", "--json", "links/ok"]);
    assert_eq!(part.json()["tracked"].as_array().unwrap().len(), 1);
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
    ground.ok(["track", "links"]);
    fs::remove_file(ground.at("links/a")).unwrap();
    link("../data/new", ground.at("links/a"));
    fs::remove_file(ground.at("links/b")).unwrap();
    rename(ground.at("data/a"), ground.at("far/a"));
    ground.ok(["track", "--refresh"]);
    assert_eq!(tracked(&ground), pairs(&[("links/a", "ok"), ("links/broken", "missing")]));
    // What is broken keeps the record that mends it, and what was recorded anew serves.
    rename(ground.at("data/new"), ground.at("far/new"));
    ground.ok(["repair", "links", "--yes"]);
    assert_eq!(read(ground.at("links/a")).as_deref(), Some("new"));
    assert_eq!(read(ground.at("links/broken")).as_deref(), Some("a"));
}

#[test]
fn refresh_keeps_what_is_on_a_volume_that_is_away() {
    let mut ground = Ground::on(Fs::Ext4);
    write(ground.at("data/a"), "a");
    link("../data/a", ground.at("links/a"));
    ground.ok(["track", "links"]);
    ground.volume.unmount();
    ground.linkctl.output_in("/", ["track", "--refresh"]).exits(0);
    ground.volume.mount();
    assert_eq!(tracked(&ground), pairs(&[("links/a", "ok")]));
}

#[test]
fn a_replaced_file_under_the_same_name_is_recorded_by_refresh() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "old");
    link("../data/f", ground.at("links/l"));
    ground.ok(["track", "links"]);
    write(ground.at("data/f.new"), "new");
    rename(ground.at("data/f.new"), ground.at("data/f"));
    ground.ok(["track", "--refresh", "links"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.ok(["repair", "links", "--yes"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("new"));
}

#[test]
fn untrack_forgets_below_a_path_and_leaves_links_alone() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    for name in ["in/a", "in/b", "inside", "out"] {
        link(ground.at("data/f"), ground.at("links").join(name));
    }
    ground.ok(["track", "links"]);
    let before = testkit::Snapshot::of(ground.root());
    ground.ok(["untrack", "--dry-run", "links"]);
    assert_eq!(tracked(&ground).len(), 4);
    ground.ok(["untrack", "links/in"]);
    assert_eq!(tracked(&ground), pairs(&[("links/inside", "ok"), ("links/out", "ok")]));
    before.assert_unchanged();
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.run(["repair", "links", "--yes"]).exits(1);
    assert_eq!(read(ground.at("links/in/a")), None);
    assert_eq!(read(ground.at("links/out")).as_deref(), Some("x"));
    ground.run(["untrack", "links/none"]).exits(4).says("nothing is tracked");
}

#[test]
fn several_paths_of_untrack_are_forgotten_together_or_not_at_all() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/a"));
    ground.ok(["track", "links"]);
    ground.run(["untrack", "links/a", "links/none"]).exits(4);
    assert_eq!(tracked(&ground).len(), 1);
}

#[test]
fn a_gone_link_is_untracked_by_its_path() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/d/a"));
    ground.ok(["track", "links"]);
    fs::remove_dir_all(ground.at("links")).unwrap();
    ground.ok(["untrack", "links/d/a"]);
    assert_eq!(tracked(&ground), []);
}

#[test]
fn broken_links_are_not_tracked_and_that_is_said() {
    let ground = Ground::on(Fs::Ext4);
    link("../data/none", ground.at("links/l"));
    let ran = ground.ok(["track", "links"]);
    assert!(ran.out.contains("1 link leads nowhere"), "{ran}");
    assert_eq!(tracked(&ground), []);
}

#[test]
fn excluded_links_are_not_tracked() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/a"));
    link(ground.at("data/f"), ground.at("links/no/b"));
    ground.ok(["track", "links", "--exclude", "no"]);
    assert_eq!(tracked(&ground), pairs(&[("links/a", "ok")]));
}

#[test]
fn relative_links_whose_own_directory_moved_are_known_by_themselves() {
    for ground in [Ground::on(Fs::Ext4), Ground::nobody(Fs::Xfs), Ground::on(Fs::Btrfs)] {
        for n in 0..10 {
            write(ground.at(format!("data/f{n}")), n.to_string());
            link(format!("../data/f{n}"), ground.at(format!("links/l{n}")));
        }
        ground.give_away();
        ground.ok(["track", "links"]);
        rename(ground.at("links"), ground.at("some/where/else"));
        ground.give_away();
        let ran = ground.ok(["repair", "some", "--yes"]);
        for n in 0..10 {
            assert_eq!(read(ground.at(format!("some/where/else/l{n}"))), Some(n.to_string()), "{ran}");
        }
        assert_eq!(ground.target("some/where/else/l1"), Path::new("../../../data/f1"));
    }
}

#[test]
fn links_and_targets_that_both_moved_find_each_other() {
    let mut ground = Ground::on(Fs::Ext4);
    for n in 0..10 {
        write(ground.at(format!("data/f{n}")), n.to_string());
        link(format!("../data/f{n}"), ground.at(format!("links/l{n}")));
    }
    ground.ok(["track", "links"]);
    for n in 0..10 {
        rename(ground.at(format!("links/l{n}")), ground.at(format!("far/{n}/renamed")));
        rename(ground.at(format!("data/f{n}")), ground.at(format!("off/{n}/g")));
    }
    ground.volume.remount();
    ground.ok(["repair", "far", "--yes"]);
    for n in 0..10 {
        assert_eq!(read(ground.at(format!("far/{n}/renamed"))), Some(n.to_string()));
    }
}

#[test]
fn a_mended_link_is_tracked_where_it_leads_now() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    for (old, new) in [("data/f", "far/g"), ("far/g", "off/h"), ("off/h", "data/f")] {
        rename(ground.at(old), ground.at(new));
        ground.ok(["repair", "links", "--yes"]);
        assert_eq!(ground.target("links/l"), ground.at(new));
    }
}

#[test]
fn a_link_known_by_itself_is_tracked_at_its_new_place_once_it_is_mended() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link("../data/f", ground.at("links/l"));
    ground.ok(["track", "links"]);
    rename(ground.at("links"), ground.at("some/where"));
    ground.ok(["repair", "some", "--yes"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    let ran = ground.run(["repair", "some", "--yes"]);
    assert_eq!(read(ground.at("some/where/l")).as_deref(), Some("x"), "{ran}");
}

#[test]
fn an_undone_repair_can_be_done_again() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.ok(["repair", "links", "--yes"]);
    ground.ok(["undo"]);
    assert_eq!(ground.target("links/l"), ground.at("data/f"));
    ground.ok(["repair", "links", "--yes"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("x"));
}

#[test]
fn a_record_of_what_a_link_said_before_does_not_mend_what_it_says_now() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "recorded");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    fs::remove_file(ground.at("links/l")).unwrap();
    link(ground.at("data/other"), ground.at("links/l"));
    rename(ground.at("data/f"), ground.at("far/g"));
    ground.run(["repair", "links", "--yes"]).exits(1);
    assert_eq!(ground.target("links/l"), ground.at("data/other"));
}

#[test]
fn a_dry_run_of_track_records_nothing() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links", "--dry-run"]);
    assert_eq!(tracked(&ground), []);
}
