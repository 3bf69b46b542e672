//! The record of a link stays with it when the link itself is replaced: by a repair, by a converter, by an undo.

use super::*;

#[test]
fn a_link_to_a_link_that_was_mended_and_moved_is_mended_in_two_runs() {
    for at_once in [true, false] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("t/f"), "x");
        link("t/f", ground.at("mid"));
        link("mid", ground.at("end"));
        ground.track(["."]);
        rename(ground.at("t"), ground.at("u"));
        if !at_once {
            ground.repair(["."]).run().mends_all();
        }
        rename(ground.at("mid"), ground.at("mid2"));
        let first = ground.repair(["."]).run();
        let second = ground.repair(["."]).run();
        for name in ["mid2", "end"] {
            assert_eq!(read(ground.at(name)).as_deref(), Some("x"), "{name}\n{first}\n{second}");
        }
        second.mends_all();
    }
}

#[test]
fn a_link_that_a_converter_made_anew_is_still_the_one_that_was_recorded() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("f"), "x");
    link(ground.at("f"), ground.at("mid"));
    link("mid", ground.at("end"));
    ground.track(["."]);
    ground.convert(Conversion::Relative, ["mid"]).run().mends_all();
    rename(ground.at("mid"), ground.at("mid2"));
    let ran = ground.repair(["end"]).run();
    assert_eq!(ran.confidence("end"), Some(Confidence::Exact), "{ran}");
    assert_eq!(ground.target("end"), Path::new("mid2"), "{ran}");
    ran.mends_all();
}

#[test]
fn a_moved_link_whose_repair_was_undone_is_still_known_by_itself() {
    let ground = Ground::on(Fs::Xfs);
    write(ground.at("t/f"), "x");
    link("t/f", ground.at("l"));
    ground.track(["."]);
    rename(ground.at("l"), ground.at("l2"));
    rename(ground.at("t"), ground.at("u"));
    let ran = ground.repair(["."]).run().mends_all();
    assert_eq!(ran.confidence("l2"), Some(Confidence::Exact));
    ground.undo();
    assert_eq!(ground.target("l2"), Path::new("t/f"));
    assert_eq!(ground.repair(["."]).plan().confidence("l2"), Some(Confidence::Exact));
}

#[test]
fn records_follow_links_through_an_undo_and_through_long_operations() {
    for many in [0, 6_000] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("d/f"), "x");
        link(ground.at("d/f"), ground.at("z/l1"));
        link(ground.at("z/l1"), ground.at("a/l2"));
        for n in 0..many {
            link(ground.at("d/f"), ground.at(format!("m/k{n}")));
        }
        ground.track(["a", "z"]);
        ground.convert(Conversion::Relative, ["."]).run().mends_all();
        if many == 0 {
            ground.undo();
            rename(ground.at("a"), ground.at("a2"));
        }
        rename(ground.at("z"), ground.at("z2"));
        let l2 = if many == 0 { "a2/l2" } else { "a/l2" };
        assert_eq!(ground.repair(["."]).plan().confidence(l2), Some(Confidence::Exact), "{many}");
    }
}

#[test]
fn a_link_that_an_undo_brought_back_is_still_what_others_lead_to() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("d/f"), "x");
    link("../d/f", ground.at("z/l1"));
    link("../z/l1", ground.at("a/l2"));
    ground.track(["."]);
    ground.remove("z/l1");
    ground.undo();
    rename(ground.at("z"), ground.at("z2"));
    assert_eq!(ground.repair(["a"]).plan().confidence("a/l2"), Some(Confidence::Exact));
}
