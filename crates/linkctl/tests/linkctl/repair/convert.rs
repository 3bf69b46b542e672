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

#[test]
fn absolute_links_to_other_file_systems_are_left_alone_unless_asked_for() {
    let ground = Ground::new();
    write(ground.at("f"), "x");
    for (target, name) in [("/dev/null".into(), "null"), ("/proc/self/mounts".into(), "proc"), (ground.at("f"), "own")]
    {
        link(target, ground.at(name));
    }
    // Its own text stays on the file system, whatever that leads on to.
    link(ground.at("null"), ground.at("on"));
    let target = |name: &str| fs::read_link(ground.at(name)).unwrap();
    let ran = ground.ok(["repair", "--relative", "--yes", "."]);
    assert!(ran.err.contains("2 links to other file systems stay absolute"), "{ran}");
    for (name, expected) in [("null", "/dev/null"), ("proc", "/proc/self/mounts"), ("own", "f"), ("on", "null")] {
        assert_eq!(target(name), Path::new(expected), "{name}");
    }
    ground.ok(["repair", "--relative", "--across", "--yes", "."]);
    assert!(target("null").starts_with("../") && target("null").ends_with("dev/null"), "{:?}", target("null"));
    ground.run(["repair", "--across", "."]).exits(2);
}
