//! Which links are meant.

use super::*;

fn two_broken() -> Ground {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/mapped"));
    link(ground.at("gone/nothing"), ground.at("links/lost"));
    ground
}

#[test]
fn one_link_can_be_meant_and_the_others_stay() {
    let ground = two_broken();
    link(ground.at("old/f"), ground.at("links/second"));
    ground.repair(["links/mapped"]).map("old", "new").run().mends_all();
    assert_eq!(ground.target("links/second"), ground.at("old/f"));
    assert_eq!(ground.target("links/mapped"), ground.at("new/f"));
}

#[test]
fn paths_that_overlap_mend_each_link_once() {
    let ground = two_broken();
    let ran = ground.repair(["links", "links/mapped", "."]).map("old", "new").run().leaves_some();
    assert_eq!(ran.report.unwrap().results.len(), 1);
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_the_rest_is_mended() {
    let ground = two_broken();
    let ran = ground.repair(["nowhere", "links/mapped"]).map("old", "new").run();
    assert_eq!(read(ground.at("links/mapped")).as_deref(), Some("x"), "{ran}");
    assert_eq!(ran.repair.errors.len(), 1, "{ran}");
    assert!(ran.repair.errors[0].to_string().contains("nowhere"), "{ran}");
}

#[test]
fn a_search_root_that_is_not_there_is_an_error() {
    let refused = two_broken().repair(["links"]).search("nowhere").try_plan().unwrap_err();
    assert!(refused.to_string().contains("nowhere"), "{refused}");
}
