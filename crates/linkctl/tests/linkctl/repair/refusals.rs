//! Doubtful finds, and links that cannot or must not be changed: they stay as they are, each with its reason.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

use super::*;

const WEAK: [&str; 3] = ["--min-confidence", "weak", "--yes"];

#[test]
fn of_two_candidates_equally_good_none_is_taken_and_both_are_listed() {
    let ground = Ground::new();
    write(ground.at("a/x/f"), "1");
    write(ground.at("b/y/f"), "2");
    link(ground.at("gone/f"), ground.at("links/l"));
    let ran = ground.run(["repair", "links"].into_iter().chain(WEAK)).exits(1);
    assert_eq!(ground.target("links/l"), ground.at("gone/f"));
    for part in ["several places are equally good", "[DIR]/a/x/f", "[DIR]/b/y/f"] {
        assert!(ran.out.contains(part), "{part}\n{ran}");
    }
}

#[test]
fn a_link_is_not_led_to_itself() {
    let ground = Ground::new();
    link(ground.at("gone/f"), ground.at("links/f"));
    ground.run(["repair", "links"].into_iter().chain(WEAK)).exits(1);
    assert_eq!(ground.target("links/f"), ground.at("gone/f"));
    ground.run(["repair", "links", "--map", "gone=links", "--yes"]).exits(1);
    assert_eq!(ground.target("links/f"), ground.at("gone/f"));
}

#[test]
fn a_candidate_that_leads_back_to_the_link_is_not_taken() {
    let ground = Ground::new();
    link("../gone/x", ground.at("b/k"));
    link("../b/k", ground.at("a/x"));
    ground.run(["repair", "."].into_iter().chain(WEAK)).exits(1);
    assert_eq!(ground.target("b/k"), Path::new("../gone/x"));
    assert_eq!(ground.target("a/x"), Path::new("../b/k"));
}

#[test]
fn two_links_that_look_for_each_other_do_not_become_a_loop() {
    let ground = Ground::new();
    link("../gone/two", ground.at("p/one"));
    link("../gone/one", ground.at("q/two"));
    ground.run(["repair", "."].into_iter().chain(WEAK)).exits(1);
    assert_eq!(ground.target("p/one"), Path::new("../gone/two"));
    assert_eq!(ground.target("q/two"), Path::new("../gone/one"));
}

#[test]
fn loops_stay_as_they_are_with_a_reason() {
    let ground = Ground::new();
    link("b", ground.at("links/a"));
    link("a", ground.at("links/b"));
    link("self", ground.at("links/self"));
    let ran = ground.run(["repair", "links", "--json"].into_iter().chain(WEAK)).exits(1);
    let records = records(&ran);
    assert_eq!(records.len(), 3, "{ran}");
    for record in records.values() {
        assert_eq!(record["result"], "remains");
        assert_ne!(record["why"], "");
    }
    assert_eq!(ground.target("links/self"), Path::new("self"));
}

#[test]
fn a_loop_is_told_to_be_one() {
    let ground = Ground::new();
    link("b", ground.at("links/a"));
    link("a", ground.at("links/b"));
    let ran = ground.run(["repair", "links", "--yes"]).exits(1);
    assert!(ran.out.contains("loop") || ran.out.contains("too many"), "{ran}");
}

#[test]
fn no_link_is_led_into_what_is_left_out() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link(ground.at("data/f"), ground.at("links/tracked"));
    ground.ok(["track", "links"]);
    link(ground.at("data/f"), ground.at("links/untracked"));
    link(ground.at("old/f"), ground.at("links/mapped"));
    rename(ground.at("data/f"), ground.at("backup/f"));
    let args = ["repair", "links", "--exclude", "backup", "--map", "old=backup"];
    let ran = ground.run(args.into_iter().chain(WEAK)).exits(1);
    for name in ["tracked", "untracked"] {
        assert_eq!(ground.target(format!("links/{name}")), ground.at("data/f"), "{ran}");
    }
    assert_eq!(ground.target("links/mapped"), ground.at("old/f"), "{ran}");
    assert!(ran.out.contains("left out"), "{ran}");
}

#[test]
fn no_link_that_is_left_out_is_changed() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/in"));
    link(ground.at("old/f"), ground.at("links/keep/out"));
    ground.ok(["repair", "links", "--exclude", "keep", "--map", "old=new", "--yes"]);
    assert_eq!(ground.target("links/keep/out"), ground.at("old/f"));
    assert_eq!(ground.target("links/in"), ground.at("new/f"));
}

#[test]
fn a_link_in_a_directory_that_this_user_may_not_change_stays_with_that_reason() {
    let ground = Ground::nobody(Fs::Tmpfs);
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/mine/l"));
    link(ground.at("old/f"), ground.at("links/theirs/l"));
    ground.give_away();
    chown(ground.at("links/theirs"), Some(0), Some(0)).unwrap();
    fs::set_permissions(ground.at("links/theirs"), PermissionsExt::from_mode(0o755)).unwrap();
    for more in ["--dry-run", "--yes"] {
        let ran = ground.run(["repair", "links", "--map", "old=new", more]).exits(1);
        let line = ran.out.lines().find(|line| line.starts_with("links/theirs/l")).unwrap().to_owned();
        assert!(line.contains("may not change its directory"), "{ran}");
    }
    assert_eq!(ground.target("links/mine/l"), ground.at("new/f"));
    assert_eq!(ground.target("links/theirs/l"), ground.at("old/f"));
}

#[test]
fn a_target_behind_a_directory_that_this_user_may_not_enter_is_not_taken() {
    let ground = Ground::nobody(Fs::Tmpfs);
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/l"));
    ground.give_away();
    chown(ground.at("new"), Some(0), Some(0)).unwrap();
    fs::set_permissions(ground.at("new"), PermissionsExt::from_mode(0o744)).unwrap();
    let ran = ground.run(["repair", "links", "--map", "old=new", "--yes"]).exits(1);
    assert_eq!(ground.target("links/l"), ground.at("old/f"), "{ran}");
}

#[test]
fn of_a_chain_the_broken_link_is_mended_and_the_others_stay() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/c"));
    link("c", ground.at("links/b"));
    link("b", ground.at("links/a"));
    let ran = ground.ok(["repair", "links", "--map", "old=new", "--yes", "--json"]);
    assert_eq!(read(ground.at("links/a")).as_deref(), Some("x"));
    assert_eq!((ground.target("links/a"), ground.target("links/b")), ("b".into(), "c".into()));
    let records = records(&ran);
    assert_eq!(records["links/c"]["result"], "done");
    assert_eq!(records["links/a"]["result"], "with-another");
    assert_eq!(ground.history()[0]["done"], 1);
}

#[test]
fn a_link_behind_a_broken_one_that_is_not_meant_is_told_to_depend_on_it() {
    let ground = Ground::new();
    link("gone", ground.at("links/c"));
    link("c", ground.at("links/b"));
    let ran = ground.run(["repair", "links/b", "--yes"]).exits(1);
    assert!(ran.out.contains("leads by [DIR]/links/c, which is broken"), "{ran}");
}

#[test]
fn a_link_that_leads_nowhere_even_behind_a_mended_one_is_not_told_as_mended() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old"), ground.at("links/d"));
    link("d/no/such", ground.at("links/l"));
    let ran = ground.run(["repair", "links", "--map", "old=new", "--yes", "--json"]);
    assert!(fs::metadata(ground.at("links/l")).is_err());
    assert_eq!(records(&ran)["links/l"]["result"], "remains", "{ran}");
    ran.exits(1);
}

#[test]
fn a_link_whose_way_another_link_would_mend_but_could_not_is_not_told_as_mended() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old"), ground.at("links/d"));
    link("d/f", ground.at("links/l"));
    let command = ground.linkctl.command(["repair", "links", "--map", "old=new", "--yes"]);
    let ran = ground.linkctl.said(strace::inject("symlinkat:error=ENOSPC", &command));
    assert!(fs::metadata(ground.at("links/l")).is_err());
    assert!(ran.code().is_some_and(|code| code > 0), "{ran}");
}

#[test]
fn names_with_newlines_escapes_and_bytes_that_are_no_unicode_are_mended_and_shown_harmless() {
    let ground = Ground::on(Fs::Ext4);
    let names = [&b"new\nline"[..], b"esc\x1b[31m", b"no \xff unicode", b"-dash", b" space ", b"e=q"];
    for name in names {
        let name = OsString::from_vec(name.to_vec());
        let dir = ground.at("data").join(&name);
        write(dir.join(&name), name.as_encoded_bytes());
        link(dir.join(&name), ground.at("links").join(&name));
    }
    ground.ok(["track", "links"]);
    rename(ground.at("data"), ground.at(crate::common::os(b"far\n\xff")));
    let ran = ground.ok(["repair", "links", "--yes"]);
    assert!(!ran.bytes.contains(&0x1b), "{ran}");
    assert_eq!(ran.out.lines().count(), names.len() + 2, "a line for each link\n{ran}");
    for name in names {
        let name = OsString::from_vec(name.to_vec());
        assert_eq!(fs::read(ground.at("links").join(&name)).unwrap(), name.as_encoded_bytes());
    }
    ground.ok(["undo"]);
    rename(ground.at(crate::common::os(b"far\n\xff")), ground.at("again"));
    let ran = ground.ok(["repair", "links", "--yes", "--json"]);
    let mut told: Vec<Vec<u8>> = ran.json()["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| crate::common::name(&link["path"])["links/".len()..].to_vec())
        .collect();
    told.sort();
    let mut expected = names.map(<[u8]>::to_vec).to_vec();
    expected.sort();
    assert_eq!(told, expected);
}

/// A run that is held when its plan is made and the first link is about to be changed.
fn held(ground: &Ground) -> crate::common::Hold {
    for n in 0..3 {
        link(ground.at(format!("old/f{n}")), ground.at(format!("links/l{n}")));
        write(ground.at(format!("new/f{n}")), n.to_string());
    }
    let args = ["repair", "links", "--map", "old=new", "--yes"];
    ground.linkctl.hold("symlinkat:delay_enter=1500000:when=1", args)
}

#[test]
fn a_link_that_changed_since_it_was_looked_at_is_left_alone_and_the_others_are_mended() {
    let ground = Ground::new();
    let hold = held(&ground);
    for n in 0..2 {
        fs::remove_file(ground.at(format!("links/l{n}"))).unwrap();
        link("other", ground.at(format!("links/l{n}")));
    }
    let ran = hold.end(&ground.linkctl);
    assert_eq!(ground.target("links/l0"), Path::new("other"), "{ran}");
    assert_eq!(ground.target("links/l1"), Path::new("other"), "{ran}");
    assert_eq!(ground.target("links/l2"), ground.at("new/f2"), "{ran}");
    assert!(ran.code() != Some(0) && ran.err.contains("l0") && ran.err.contains("l1"), "{ran}");
    assert_eq!(crate::common::leftovers(ground.at("links")), [""; 0]);
}

#[test]
fn a_file_that_took_the_name_of_a_link_is_left_alone() {
    let ground = Ground::new();
    let hold = held(&ground);
    for n in 0..3 {
        fs::remove_file(ground.at(format!("links/l{n}"))).unwrap();
        write(ground.at(format!("links/l{n}")), "precious");
    }
    let ran = hold.end(&ground.linkctl);
    for n in 0..3 {
        assert_eq!(read(ground.at(format!("links/l{n}"))).as_deref(), Some("precious"), "{ran}");
    }
    assert_ne!(ran.code(), Some(0), "{ran}");
    assert_eq!(crate::common::leftovers(ground.at("links")), [""; 0]);
}

#[test]
fn a_target_that_only_looks_like_a_directory_by_a_slash_is_mended_with_the_slash() {
    let ground = Ground::new();
    write(ground.at("new/d/f"), "x");
    link(format!("{}/", ground.at("old/d").display()), ground.at("links/l"));
    ground.ok(["repair", "links", "--map", "old=new", "--yes"]);
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
    let ran = ground.run(["repair", "links", "--one-file-system", "--map", "old=new", "--yes"]);
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
    let ran = ground.run(["repair", "links", "--map", "old=new", "--yes"]).exits(1);
    assert!(ran.out.to_lowercase().contains("read-only"), "{ran}");
}

#[test]
fn a_directory_of_links_that_cannot_be_read_is_an_error_and_the_rest_is_mended() {
    let ground = Ground::nobody(Fs::Tmpfs);
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/mine/l"));
    link(ground.at("old/f"), ground.at("links/theirs/l"));
    ground.give_away();
    chown(ground.at("links/theirs"), Some(0), Some(0)).unwrap();
    fs::set_permissions(ground.at("links/theirs"), PermissionsExt::from_mode(0o700)).unwrap();
    let ran = ground.run(["repair", "links", "--map", "old=new", "--yes"]).exits(3).says("theirs");
    assert_eq!(ground.target("links/mine/l"), ground.at("new/f"), "{ran}");
}

#[test]
fn a_link_by_two_dots_behind_a_mended_link_is_mended_with_it() {
    for tracked in [true, false] {
        let ground = Ground::on(Fs::Ext4);
        fs::create_dir_all(ground.at("real/x")).unwrap();
        link("../real/x", ground.at("a/sl"));
        write(ground.at("real/f"), "x");
        link("a/sl/../f", ground.at("l"));
        let mut args = vec!["repair", ".", "--yes", "--json"];
        if tracked {
            ground.ok(["track", "."]);
        } else {
            args.extend(["--map", "real=real2"]);
        }
        rename(ground.at("real"), ground.at("real2"));
        let ran = ground.run(args);
        assert_eq!(read(ground.at("l")).as_deref(), Some("x"), "{ran}");
        assert_eq!(records(&ran)["l"]["result"], "with-another", "{ran}");
        assert_eq!(ground.target("l"), Path::new("a/sl/../f"));
        ran.exits(0);
    }
}

#[test]
fn an_append_only_directory_is_told_beforehand_and_nothing_is_left_in_it() {
    let ground = moved();
    assert!(Command::new("chattr").arg("+a").arg(ground.at("links")).status().unwrap().success());
    let ran = ground.run(["repair", "links", "--dry-run"]).exits(1);
    assert!(ran.out.contains("may not") || ran.out.contains("append"), "{ran}");
    let ran = ground.run(["repair", "links", "--yes"]);
    assert_eq!(crate::common::leftovers(ground.at("links")), [""; 0], "{ran}");
    assert_eq!(ground.target("links/l"), Path::new("../data/f"));
    assert_ne!(ran.code(), Some(0), "{ran}");
}

#[test]
fn what_a_crash_left_under_a_private_name_is_led_to_by_nothing() {
    let ground = moved();
    rename(ground.at("far/f"), ground.at("far/.linkctl-0123456789abcdef"));
    assert_eq!(planned(&ground, ["links"])["links/l"]["result"], "remains");
}
