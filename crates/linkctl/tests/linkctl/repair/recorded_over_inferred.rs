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
