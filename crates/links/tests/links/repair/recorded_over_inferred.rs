//! What was recorded speaks against what is inferred.

use super::*;

#[test]
fn a_recorded_target_that_was_deleted_is_told_as_deleted() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    fs::remove_file(ground.at("data/f")).unwrap();
    let ran = ground.repair(["links"]).run().leaves_some();
    assert_eq!(ran.reason("links/l"), &Reason::Deleted, "{ran}");
}

#[test]
fn a_recorded_directory_that_was_deleted_is_not_guessed_by_its_name_alone_as_strong() {
    let ground = Ground::on(Fs::Ext4);
    for n in 0..10 {
        write(ground.at(format!("data/d/n{n}")), "x");
        write(ground.at(format!("other/d/n{n}")), "y");
    }
    link(ground.at("data/d"), ground.at("links/l"));
    ground.track(["links"]);
    fs::remove_dir_all(ground.at("data/d")).unwrap();
    let ran = ground.repair(["links"]).at_least(Confidence::Strong).run().leaves_some();
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
    ground.track(["links"]);
    away.unmount();
    (ground, away, root)
}

#[test]
fn links_to_a_volume_that_is_away_are_not_led_to_others_of_their_names() {
    let (ground, _away, root) = volume_away();
    let ran = ground.repair(["links"]).search(".").at_least(Confidence::Strong).run();
    for n in 0..10 {
        assert_eq!(ground.target(format!("links/l{n}")), root.join(format!("data/n{n}")), "{ran}");
    }
}

#[test]
fn that_the_volume_of_a_recorded_target_is_away_is_told() {
    let (ground, _away, _) = volume_away();
    fs::remove_dir_all(ground.at("backup")).unwrap();
    let ran = ground.repair(["links"]).search(".").run().leaves_some();
    assert!(ran.reason_text("links/l0").contains("not mounted"), "{ran}");
}

#[test]
fn of_two_records_of_one_path_the_older_does_not_speak_for_other_links() {
    let ground = Ground::on(Fs::Ext4);
    let path = ground.at("data/f");
    for (number, new) in ["first", "second"].into_iter().enumerate() {
        write(&path, new);
        link(&path, ground.at(format!("links/{number}")));
        ground.track([&format!("links/{number}")]);
        rename(&path, ground.at(format!("far/{new}")));
    }
    link(&path, ground.at("links/untracked"));
    for _ in 0..12 {
        let ran = ground.repair(["links"]).at_least(Confidence::Strong).plan();
        let (new, outcome) = (ran.new_target("links/untracked"), ran.outcome("links/untracked"));
        assert!(new != Some(ground.at("far/first")) || outcome != Outcome::Planned, "{ran}");
    }
}

#[test]
fn what_is_on_a_volume_that_is_away_is_outdone_by_no_namesake() {
    let (ground, _away, root) = volume_away();
    // Of these nothing was recorded, but others of the same path: one file, and what would be below another.
    link(root.join("data/n0"), ground.at("links/same"));
    link(root.join("data/n1/below"), ground.at("links/below"));
    write(ground.at("backup/n1x/below"), "wrong");
    for confidence in [Confidence::Exact, Confidence::Strong, Confidence::Weak] {
        for search in [&["."][..], &["backup", "links"], &[]] {
            let ran = search.iter().fold(ground.repair(["links"]), Repairing::search).at_least(confidence).plan();
            assert_eq!(ran.links().len(), 12, "{ran}");
            for name in ran.links().keys() {
                assert_eq!(ran.outcome(name), Outcome::Remains, "{confidence}: {name}: {ran}");
                assert!(ran.reason_text(name).contains("not mounted"), "{confidence}: {name}: {ran}");
            }
        }
    }
}

#[test]
fn places_that_are_equally_good_are_all_told() {
    let ground = Ground::on(Fs::Ext4);
    for copy in 0..8 {
        for n in 0..4 {
            write(ground.at(format!("copies/c{copy}/data/n{n}")), "x");
        }
        write(ground.at(format!("copies/c{copy}/one")), "x");
    }
    for name in ["data/n0", "data/n1", "data/n2", "data/n3", "data/none", "one"] {
        link(ground.at("gone").join(name), ground.at("links").join(name.replace('/', "-")));
    }
    let ran = ground.repair(["links"]).search("copies").at_least(Confidence::Weak).plan();
    for name in ["links/data-n0", "links/one"] {
        assert_eq!(ran.reason(name), &Reason::Ambiguous, "{ran}");
        assert_eq!(ran.candidates(name).len(), 8, "{ran}");
    }
    assert_eq!(ran.reason("links/data-none"), &Reason::NotFound, "{ran}");
}
