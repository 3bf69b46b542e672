//! Where targets are looked for, and what is left out.

use super::*;

#[test]
fn what_was_recorded_is_not_taken_from_outside_the_search_and_its_place_is_told() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("t/a/f"), "x");
    link("../t/a/f", ground.at("keep/l"));
    ground.ok(["track", "."]);
    rename(ground.at("t/a"), ground.at("ex/a"));
    let ran = ground.run(["repair", ".", "--search", "keep", "--yes", "--json"]);
    assert_eq!(ground.target("keep/l"), Path::new("../t/a/f"), "{ran}");
    let record = &records(&ran)["keep/l"];
    assert!(record["why"].as_str().unwrap().contains("ex/a/f"), "{record}");
    ran.exits(1);
    ground.ok(["repair", ".", "--search", "ex", "--yes"]);
}

#[test]
fn where_what_is_to_be_searched_is_not_there_nothing_is_done() {
    let ground = moved();
    let ran = ground.run(["repair", "links", "--search", "nonexistent", "--yes"]).says("nonexistent");
    assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
    assert!(matches!(ran.code(), Some(2 | 3)), "{ran}");
}

#[test]
fn patterns_leave_out_nothing_by_the_directories_above_all() {
    let ground = Ground::new();
    write(ground.at("v3/new/f"), "x");
    link("../old/f", ground.at("v3/links/l"));
    let args = ["repair", "links", "--exclude", "v3", "--map", "old=new", "--dry-run", "--json"];
    let ran = ground.linkctl.output_in(ground.at("v3"), args);
    assert_eq!(records(&ran)["links/l"]["result"], "planned", "{ran}");
}
