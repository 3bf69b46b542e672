//! Where targets are looked for, and what is left out.

use super::*;

#[test]
fn what_was_recorded_is_not_taken_from_outside_the_search_and_its_place_is_told() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("t/a/f"), "x");
    link("../t/a/f", ground.at("keep/l"));
    ground.track(["."]);
    rename(ground.at("t/a"), ground.at("ex/a"));
    let ran = ground.repair(["."]).search("keep").run();
    assert_eq!(ground.target("keep/l"), Path::new("../t/a/f"), "{ran}");
    assert!(ran.reason_text("keep/l").contains("ex/a/f"), "{ran}");
    ran.leaves_some();
    ground.repair(["."]).search("ex").run().mends_all();
}

#[test]
fn where_what_is_to_be_searched_is_not_there_nothing_is_done() {
    let ground = moved();
    let refused = ground.repair(["links"]).search("nonexistent").try_plan().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
    assert!(refused.to_string().contains("nonexistent"), "{refused}");
    assert_eq!(ground.target("links/l"), Path::new("../data/f"));
}
