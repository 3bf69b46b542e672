//! Doubtful finds, and links that cannot or must not be changed: they stay as they are, each with its reason.

use super::*;

#[test]
fn of_two_candidates_equally_good_none_is_taken_and_both_are_listed() {
    let ground = Ground::new();
    write(ground.at("a/x/f"), "1");
    write(ground.at("b/y/f"), "2");
    link(ground.at("gone/f"), ground.at("links/l"));
    let ran = ground.repair(["links"]).at_least(Confidence::Weak).run().leaves_some();
    assert_eq!(ground.target("links/l"), ground.at("gone/f"));
    assert_eq!(ran.reason("links/l"), &Reason::Ambiguous);
    assert_eq!(ran.candidates("links/l"), ["a/x/f", "b/y/f"]);
}

#[test]
fn a_link_is_not_led_to_itself() {
    let ground = Ground::new();
    link(ground.at("gone/f"), ground.at("links/f"));
    ground.repair(["links"]).at_least(Confidence::Weak).run().leaves_some();
    assert_eq!(ground.target("links/f"), ground.at("gone/f"));
    ground.repair(["links"]).map("gone", "links").run().leaves_some();
    assert_eq!(ground.target("links/f"), ground.at("gone/f"));
}

#[test]
fn a_candidate_that_leads_back_to_the_link_is_not_taken() {
    let ground = Ground::new();
    link("../gone/x", ground.at("b/k"));
    link("../b/k", ground.at("a/x"));
    ground.repair(["."]).at_least(Confidence::Weak).run().leaves_some();
    assert_eq!(ground.target("b/k"), Path::new("../gone/x"));
    assert_eq!(ground.target("a/x"), Path::new("../b/k"));
}

#[test]
fn two_links_that_look_for_each_other_do_not_become_a_loop() {
    let ground = Ground::new();
    link("../gone/two", ground.at("p/one"));
    link("../gone/one", ground.at("q/two"));
    ground.repair(["."]).at_least(Confidence::Weak).run().leaves_some();
    assert_eq!(ground.target("p/one"), Path::new("../gone/two"));
    assert_eq!(ground.target("q/two"), Path::new("../gone/one"));
}

#[test]
fn loops_stay_as_they_are_with_a_reason() {
    let ground = Ground::new();
    link("b", ground.at("links/a"));
    link("a", ground.at("links/b"));
    link("self", ground.at("links/self"));
    let ran = ground.repair(["links"]).at_least(Confidence::Weak).run().leaves_some();
    assert_eq!(ran.links().len(), 3, "{ran}");
    for name in ran.links().keys() {
        assert!(!matches!(ran.reason(name), Reason::Other(text) if text.is_empty()), "{ran}");
    }
    assert_eq!(ground.target("links/self"), Path::new("self"));
}

#[test]
fn a_loop_is_told_to_be_one() {
    let ground = Ground::new();
    link("b", ground.at("links/a"));
    link("a", ground.at("links/b"));
    let ran = ground.repair(["links"]).run().leaves_some();
    for name in ["links/a", "links/b"] {
        let reason = ran.reason_text(name);
        assert!(reason.contains("loop") || reason.contains("too many"), "{ran}");
    }
}

#[test]
fn no_link_is_led_into_what_is_left_out() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/tracked"));
    ground.track(["links"]);
    link(ground.at("data/f"), ground.at("links/untracked"));
    link(ground.at("old/f"), ground.at("links/mapped"));
    rename(ground.at("data/f"), ground.at("backup/f"));
    let repair = ground.repair(["links"]).exclude("backup").map("old", "backup");
    let ran = repair.at_least(Confidence::Weak).run().leaves_some();
    for name in ["tracked", "untracked"] {
        assert_eq!(ground.target(format!("links/{name}")), ground.at("data/f"), "{ran}");
    }
    assert_eq!(ground.target("links/mapped"), ground.at("old/f"), "{ran}");
    assert!(ran.reason_text("links/mapped").contains("left out"), "{ran}");
}

#[test]
fn no_link_that_is_left_out_is_changed() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/in"));
    link(ground.at("old/f"), ground.at("links/keep/out"));
    ground.repair(["links"]).exclude("keep").map("old", "new").run().mends_all();
    assert_eq!(ground.target("links/keep/out"), ground.at("old/f"));
    assert_eq!(ground.target("links/in"), ground.at("new/f"));
}

#[test]
fn of_a_chain_the_broken_link_is_mended_and_the_others_stay() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/c"));
    link("c", ground.at("links/b"));
    link("b", ground.at("links/a"));
    let ran = ground.repair(["links"]).map("old", "new").run().mends_all();
    assert_eq!(read(ground.at("links/a")).as_deref(), Some("x"));
    assert_eq!((ground.target("links/a"), ground.target("links/b")), ("b".into(), "c".into()));
    assert_eq!(ran.outcome("links/c"), Outcome::Planned);
    assert_eq!(ran.outcome("links/a"), Outcome::WithAnother);
    assert_eq!(ran.report.as_ref().unwrap().results.len(), 1);
    assert_eq!(ground.history()[0].planned, 1);
}

#[test]
fn a_link_behind_a_broken_one_that_is_not_meant_is_told_to_depend_on_it() {
    let ground = Ground::new();
    link("gone", ground.at("links/c"));
    link("c", ground.at("links/b"));
    let ran = ground.repair(["links/b"]).run().leaves_some();
    assert_eq!(ran.reason("links/b"), &Reason::By(ground.at("links/c")), "{ran}");
}

#[test]
fn a_link_that_leads_nowhere_even_behind_a_mended_one_is_not_told_as_mended() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old"), ground.at("links/d"));
    link("d/no/such", ground.at("links/l"));
    let ran = ground.repair(["links"]).map("old", "new").run();
    assert!(fs::metadata(ground.at("links/l")).is_err());
    assert_eq!(ran.outcome("links/l"), Outcome::Remains, "{ran}");
    ran.leaves_some();
}

#[test]
fn a_target_that_only_looks_like_a_directory_by_a_slash_is_mended_with_the_slash() {
    let ground = Ground::new();
    write(ground.at("new/d/f"), "x");
    link(format!("{}/", ground.at("old/d").display()), ground.at("links/l"));
    ground.repair(["links"]).map("old", "new").run().mends_all();
    assert_eq!(read(ground.at("links/l/f")).as_deref(), Some("x"));
    assert!(ground.target("links/l").as_os_str().as_encoded_bytes().ends_with(b"/"));
}

#[test]
fn with_one_file_system_links_on_others_are_not_changed() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/here"));
    fs::create_dir_all(ground.at("links/mounted")).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(ground.at("links/mounted")).status();
    assert!(mount.unwrap().success());
    link(ground.at("old/f"), ground.at("links/mounted/there"));
    let ran = ground.repair(["links"]).one_file_system().map("old", "new").run();
    let there = ground.target("links/mounted/there");
    assert!(Command::new("umount").arg(ground.at("links/mounted")).status().unwrap().success());
    assert_eq!(there, ground.at("old/f"), "{ran}");
    assert_eq!(ground.target("links/here"), ground.at("new/f"), "{ran}");
}

#[test]
fn a_link_on_a_read_only_volume_stays_and_that_is_the_reason() {
    let mut ground = Ground::on(Fs::Ext4);
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/l"));
    ground.volume.remount_read_only();
    let ran = ground.repair(["links"]).map("old", "new").run().leaves_some();
    assert!(ran.reason_text("links/l").to_lowercase().contains("read-only"), "{ran}");
}

#[test]
fn a_link_by_two_dots_behind_a_mended_link_is_mended_with_it() {
    for tracked in [true, false] {
        let ground = Ground::on(Fs::Ext4);
        fs::create_dir_all(ground.at("real/x")).unwrap();
        link("../real/x", ground.at("a/sl"));
        write(ground.at("real/f"), "x");
        link("a/sl/../f", ground.at("l"));
        if tracked {
            ground.track(["."]);
        }
        rename(ground.at("real"), ground.at("real2"));
        let repair = ground.repair(["."]);
        let ran = if tracked { repair } else { repair.map("real", "real2") }.run();
        assert_eq!(read(ground.at("l")).as_deref(), Some("x"), "{ran}");
        assert_eq!(ran.outcome("l"), Outcome::WithAnother, "{ran}");
        assert_eq!(ground.target("l"), Path::new("a/sl/../f"));
        ran.mends_all();
    }
}

#[test]
fn an_append_only_directory_is_told_beforehand_and_nothing_is_left_in_it() {
    let ground = moved();
    assert!(Command::new("chattr").arg("+a").arg(ground.at("links")).status().unwrap().success());
    let ran = ground.repair(["links"]).plan().leaves_some();
    let reason = ran.reason_text("links/l");
    assert!(reason.contains("may not") || reason.contains("append"), "{ran}");
    let ran = ground.repair(["links"]).run();
    assert_eq!(leftovers(ground.at("links")), [""; 0], "{ran}");
    assert_eq!(ground.target("links/l"), Path::new("../data/f"));
    assert_ne!(ran.repair.remaining(), 0, "{ran}");
}

#[test]
fn what_a_crash_left_under_a_private_name_is_led_to_by_nothing() {
    let ground = moved();
    rename(ground.at("far/f"), ground.at("far/.linkctl-0123456789abcdef"));
    assert_eq!(ground.repair(["links"]).plan().outcome("links/l"), Outcome::Remains);
}
