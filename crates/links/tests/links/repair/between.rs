//! What changes between the plan and its execution is seen before a link is changed.

use super::*;

#[track_caller]
fn assert_not_led_to_what_changed(change: impl FnOnce(&Ground)) {
    let ground = moved();
    let planned = ground.repair(["links"]).plan();
    assert_eq!(planned.outcome("links/l"), Outcome::Planned, "{planned}");
    change(&ground);
    let ran = planned.apply();
    assert_eq!(ran.failures().len(), 1, "{ran}");
    assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
    assert_eq!(leftovers(ground.at("links")), [""; 0]);
}

#[test]
fn a_link_whose_target_came_back_after_the_plan_stays() {
    assert_not_led_to_what_changed(|ground| rename(ground.at("far"), ground.at("data")));
}

#[test]
fn a_link_whose_target_was_deleted_after_the_plan_stays() {
    assert_not_led_to_what_changed(|ground| fs::remove_file(ground.at("far/f")).unwrap());
}

#[test]
fn a_link_is_not_led_to_another_file_that_took_the_name_after_the_plan() {
    assert_not_led_to_what_changed(|ground| {
        rename(ground.at("far/f"), ground.at("far/g"));
        write(ground.at("far/f"), "another");
    });
}

#[test]
fn a_link_is_not_led_into_another_directory_that_took_the_name_after_the_plan() {
    assert_not_led_to_what_changed(|ground| {
        rename(ground.at("far"), ground.at("farther"));
        write(ground.at("far/f"), "another");
    });
}

#[test]
fn a_converter_leaves_links_alone_whose_target_went_after_the_plan() {
    for form in [Conversion::Relative, Conversion::Absolute] {
        let ground = Ground::new();
        write(ground.at("data/f"), "x");
        let text = if form == Conversion::Relative { ground.at("data/f") } else { "../data/f".into() };
        link(&text, ground.at("links/l"));
        let planned = ground.convert(form, ["links"]).plan();
        assert_eq!(planned.repair.plan.steps.len(), 1, "{planned}");
        fs::remove_file(ground.at("data/f")).unwrap();
        let ran = planned.apply();
        assert_eq!(ran.failures().len(), 1, "{ran}");
        assert_eq!(ground.target("links/l"), text, "{ran}");
    }
}
