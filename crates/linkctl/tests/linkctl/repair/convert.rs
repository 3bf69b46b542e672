//! `--relative` and `--absolute`: every link says the same thing in another form.

use super::*;

#[test]
fn two_converters_at_once_are_refused() {
    let ground = Ground::new();
    for pair in [["--relative", "--absolute"], ["--absolute", "--kind-fix"], ["--kind-fix", "--relative"]] {
        ground.run(["repair", ".", "--yes"].into_iter().chain(pair)).exits(2);
    }
}

#[test]
fn a_dry_run_of_a_converter_changes_nothing() {
    let ground = Ground::new();
    write(ground.at("f"), "x");
    link(ground.at("f"), ground.at("l"));
    let before = testkit::Snapshot::of(ground.root());
    let ran = ground.ok(["repair", "--relative", ".", "--dry-run"]);
    assert!(ran.out.contains("would rewrite 1 link"), "{ran}");
    before.assert_unchanged();
    assert!(!ground.linkctl.state().exists(), "a journal was begun");
}
