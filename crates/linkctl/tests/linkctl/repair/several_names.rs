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
            ground.ok(["track", "links"]);
        } else {
            ground.ok(["track", "links"]);
            other_name();
        }
        rename(ground.at("data/f"), ground.at("data/g"));
        let ran = ground.run(["repair", "links", "--yes", "--json"]);
        assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
        let ran = ran.exits(1);
        let candidates = records(&ran)["links/l"]["candidates"].to_string();
        for place in ["backup/f", "data/g"] {
            assert!(candidates.contains(place), "{place} is not told\n{ran}");
        }
        fs::remove_file(ground.at("backup/f")).unwrap();
        let ran = ground.run(["repair", "links", "--yes", "--json"]);
        // Of one that had two names, what is left may be the other.
        let (exits, confidence) = if before { (1, "weak") } else { (0, "exact") };
        let ran = ran.exits(exits);
        assert_eq!(records(&ran)["links/l"]["confidence"], confidence);
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
    ground.ok(["track", "."]);
    rename(ground.at("t"), ground.at("u"));
    let ran = ground.run(["repair", ".", "--yes"]);
    assert_eq!(ground.target("s/l"), Path::new("../u/f"), "{ran}");
    assert_eq!(ground.target("s/deep/l3"), Path::new("../t/f"), "{ran}");
    ran.exits(1);
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
    ground.ok(["track", "."]);
    rename(ground.at("dir"), ground.at("moved"));
    ground.ok(["repair", ".", "--yes"]);
    for n in 0..6 {
        assert_eq!(ground.target(format!("l{n}")), Path::new(&format!("moved/f{n}")));
    }
    // In what was asked for, there is one.
    rename(ground.at("moved/f0"), ground.at("moved/g0"));
    let ran = planned(&ground, [".", "--search", "store"]);
    assert_eq!(
        (&ran["l0"]["new_target"]["text"], &ran["l0"]["confidence"]),
        (&"store/o0".into(), &"strong".into())
    );
}
