//! What was recorded speaks against what is inferred.

use super::*;

/// Ten tracked files that went where this user may not look, and others of their names near by.
fn out_of_reach(keep: bool) -> (Ground, BTreeMap<PathBuf, String>) {
    let ground = Ground::nobody(Fs::Ext4);
    let mut behind = BTreeMap::new();
    for n in 0..10 {
        write(ground.at(format!("data/old/n{n}")), format!("right {n}"));
        let at = ground.at(format!("links/l{n}"));
        link(format!("../data/old/n{n}"), &at);
        behind.insert(at, format!("right {n}"));
    }
    ground.give_away();
    ground.ok(["track", "links"]);
    for n in 0..10 {
        write(ground.at(format!("data/fake/n{n}")), format!("wrong {n}"));
    }
    fs::create_dir(ground.at("secret")).unwrap();
    ground.give_away();
    let secret = ground.at("secret");
    chown(&secret, Some(0), Some(0)).unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    if keep {
        rename(ground.at("data/old"), secret.join("old"));
    } else {
        fs::remove_dir_all(ground.at("data/old")).unwrap();
    }
    (ground, behind)
}

#[track_caller]
fn assert_as_they_were(ground: &Ground, ran: &Ran) {
    for n in 0..10 {
        let text = ground.target(format!("links/l{n}"));
        assert_eq!(text, Path::new(&format!("../data/old/n{n}")), "{ran}");
    }
}

#[test]
fn files_of_other_content_are_not_inferred_where_the_recorded_ones_are_out_of_reach() {
    let (ground, _) = out_of_reach(true);
    let ran = ground.run(["repair", "links", "--min-confidence", "strong", "--yes"]);
    assert_as_they_were(&ground, &ran);
    ran.exits(1);
}

#[test]
fn files_of_other_content_are_not_inferred_where_the_recorded_ones_were_deleted() {
    let (ground, _) = out_of_reach(false);
    let ran = ground.run(["repair", "links", "--min-confidence", "strong", "--yes"]);
    assert_as_they_were(&ground, &ran);
    ran.exits(1);
}

#[test]
fn what_is_in_an_unreadable_directory_is_told_as_not_searched() {
    let (ground, behind) = out_of_reach(true);
    fs::remove_dir_all(ground.at("data")).unwrap();
    let ran = ground.run(["repair", "links", "--yes"]).exits(1);
    assert!(behind.keys().all(|path| read(path).is_none()), "{ran}");
    assert!(ran.err.contains("could not be searched") || ran.out.contains("may look"), "{ran}");
}

#[test]
fn a_recorded_target_that_was_deleted_is_told_as_deleted() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    fs::remove_file(ground.at("data/f")).unwrap();
    let ran = ground.run(["repair", "links", "--yes"]).exits(1);
    assert!(ran.out.contains("deleted"), "{ran}");
}

#[test]
fn a_recorded_directory_that_was_deleted_is_not_guessed_by_its_name_alone_as_strong() {
    let ground = Ground::on(Fs::Ext4);
    for n in 0..10 {
        write(ground.at(format!("data/d/n{n}")), "x");
        write(ground.at(format!("other/d/n{n}")), "y");
    }
    link(ground.at("data/d"), ground.at("links/l"));
    ground.ok(["track", "links"]);
    fs::remove_dir_all(ground.at("data/d")).unwrap();
    let ran = ground.run(["repair", "links", "--min-confidence", "strong", "--yes"]).exits(1);
    assert_eq!(ground.target("links/l"), ground.at("data/d"), "{ran}");
}

/// Ten tracked links to a volume that is away, and other files of the same names near by.
fn volume_away() -> (Ground, Volume, PathBuf) {
    let (ground, mut away) = (Ground::on(Fs::Ext4), Volume::new(Fs::Ext4, 0));
    let root = away.path();
    for n in 0..10 {
        write(root.join(format!("data/n{n}")), format!("right {n}"));
        write(ground.at(format!("backup/n{n}")), format!("wrong {n}"));
        link(root.join(format!("data/n{n}")), ground.at(format!("links/l{n}")));
    }
    ground.ok(["track", "links"]);
    away.unmount();
    (ground, away, root)
}

#[test]
fn links_to_a_volume_that_is_away_are_not_led_to_others_of_their_names() {
    let (ground, _away, root) = volume_away();
    let ran = ground.run(["repair", "links", "--search", ".", "--min-confidence", "strong", "--yes"]);
    for n in 0..10 {
        assert_eq!(ground.target(format!("links/l{n}")), root.join(format!("data/n{n}")), "{ran}");
    }
}

#[test]
fn that_the_volume_of_a_recorded_target_is_away_is_told() {
    let (ground, _away, _) = volume_away();
    fs::remove_dir_all(ground.at("backup")).unwrap();
    let ran = ground.run(["repair", "links", "--search", ".", "--yes"]).exits(1);
    assert!(ran.out.contains("not mounted"), "{ran}");
}

#[test]
fn of_two_records_of_one_path_the_older_does_not_speak_for_other_links() {
    let ground = Ground::on(Fs::Ext4);
    let path = ground.at("data/f");
    for (number, new) in ["first", "second"].into_iter().enumerate() {
        write(&path, new);
        link(&path, ground.at(format!("links/{number}")));
        ground.ok(["track", &format!("links/{number}")]);
        rename(&path, ground.at(format!("far/{new}")));
    }
    link(&path, ground.at("links/untracked"));
    for _ in 0..12 {
        let args = ["repair", "links", "--min-confidence", "strong", "--dry-run", "--json"];
        let ran = ground.run(args);
        let record = records(&ran)["links/untracked"].clone();
        let old = ground.at("far/first").display().to_string();
        assert!(record["new_target"]["text"] != old.as_str() || record["result"] != "planned", "{record}");
    }
}
