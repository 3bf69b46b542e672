//! What is recorded, by whom, and when it is forgotten.

use super::*;

/// The links that are tracked, with their states.
#[track_caller]
fn tracked(ground: &Ground) -> Vec<(String, String)> {
    let ran = ground.ok(["track", "--list", "--json"]);
    let root = ground.root().display().to_string() + "/";
    let tracked = ran.json()["tracked"].as_array().unwrap().clone();
    let path = |value: &Value| String::from_utf8(crate::common::name(&value["path"])).unwrap().replace(&root, "");
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
    let expected =
        [("links/changed", "changed"), ("links/gone", "changed"), ("links/missing", "missing"), ("links/ok", "ok")];
    assert_eq!(tracked(&ground), pairs(&expected));
    let table = ground.ok(["track", "--list"]);
    assert!(table.out.contains("[DIR]/links/missing -> ../data/missing"), "{table}");
    assert!(table.out.contains("[DIR]/data/missing\n"), "{table}");
    let part = ground.ok(["track", "--list", "--json", "links/ok"]);
    assert_eq!(part.json()["tracked"].as_array().unwrap().len(), 1);
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
fn a_dry_run_of_track_records_nothing_and_one_of_untrack_forgets_nothing() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links", "--dry-run"]);
    assert_eq!(tracked(&ground), []);
    ground.ok(["track", "links"]);
    ground.ok(["untrack", "--dry-run", "links"]);
    assert_eq!(tracked(&ground), pairs(&[("links/l", "ok")]));
}
