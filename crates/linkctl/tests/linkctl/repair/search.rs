//! Where targets are looked for, and what is left out.

use super::*;

#[test]
fn patterns_leave_out_nothing_by_the_directories_above_all() {
    let ground = Ground::new();
    write(ground.at("v3/new/f"), "x");
    link("../old/f", ground.at("v3/links/l"));
    let args = ["repair", "links", "--exclude", "v3", "--map", "old=new", "--dry-run", "--json"];
    let ran = ground.linkctl.output_in(ground.at("v3"), args);
    assert_eq!(records(&ran)["links/l"]["result"], "planned", "{ran}");
}
