//! Files and links with several names: which of them a link leads to.

use super::*;

#[test]
fn of_several_names_of_a_recorded_file_none_is_taken() {
    for before in [true, false] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("data/f"), "x");
        link("../data/f", ground.at("links/l"));
        fs::create_dir(ground.at("backup")).unwrap();
        let other_name = || fs::hard_link(ground.at("data/f"), ground.at("backup/f")).unwrap();
        if before {
            other_name();
            ground.track(["links"]);
        } else {
            ground.track(["links"]);
            other_name();
        }
        rename(ground.at("data/f"), ground.at("data/g"));
        let ran = ground.repair(["links"]).run();
        assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
        let ran = ran.leaves_some();
        let candidates = ran.candidates("links/l");
        for place in ["backup/f", "data/g"] {
            assert!(candidates.iter().any(|path| path == place), "{place} is not told\n{ran}");
        }
        fs::remove_file(ground.at("backup/f")).unwrap();
        let ran = ground.repair(["links"]).run();
        // Of one that had two names, what is left may be the other.
        let confidence = if before { Confidence::Weak } else { Confidence::Exact };
        let ran = if before { ran.leaves_some() } else { ran.mends_all() };
        assert_eq!(ran.confidence("links/l"), Some(confidence));
        assert_eq!(ground.target("links/l"), Path::new(if before { "../data/f" } else { "../data/g" }));
    }
}

#[test]
fn another_name_of_a_recorded_link_that_led_nowhere_stays() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("t/f"), "x");
    link("../t/f", ground.at("s/l"));
    fs::create_dir(ground.at("s/deep")).unwrap();
    fs::hard_link(ground.at("s/l"), ground.at("s/deep/l3")).unwrap();
    ground.track(["."]);
    rename(ground.at("t"), ground.at("u"));
    let ran = ground.repair(["."]).run();
    assert_eq!(ground.target("s/l"), Path::new("../u/f"), "{ran}");
    assert_eq!(ground.target("s/deep/l3"), Path::new("../t/f"), "{ran}");
    ran.leaves_some();
}

#[test]
fn names_of_a_file_in_the_directory_that_was_recorded_are_told_from_others() {
    let ground = Ground::on(Fs::Ext4);
    for n in 0..6 {
        write(ground.at(format!("dir/f{n}")), format!("{n}"));
        fs::create_dir_all(ground.at("store")).unwrap();
        fs::hard_link(ground.at(format!("dir/f{n}")), ground.at(format!("store/o{n}"))).unwrap();
        link(format!("dir/f{n}"), ground.at(format!("l{n}")));
    }
    ground.track(["."]);
    rename(ground.at("dir"), ground.at("moved"));
    ground.repair(["."]).run().mends_all();
    for n in 0..6 {
        assert_eq!(ground.target(format!("l{n}")), Path::new(&format!("moved/f{n}")));
    }
    // In what was asked for, there is one.
    rename(ground.at("moved/f0"), ground.at("moved/g0"));
    let ran = ground.repair(["."]).search("store").plan();
    let found = (ran.new_target("l0"), ran.confidence("l0"));
    assert_eq!(found, (Some("store/o0".into()), Some(Confidence::Strong)));
}
