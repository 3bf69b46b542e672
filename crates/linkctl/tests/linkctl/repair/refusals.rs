//! Doubtful finds, and links that cannot or must not be changed: they stay as they are, each with its reason.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

use super::*;

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
