//! `--relative` and `--absolute`: every link says the same thing in another form.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::*;

/// A copy of what a system has, with links of every form added.
fn like_usr(ground: &Ground) -> PathBuf {
    let root = ground.at("usr");
    fs::create_dir(&root).unwrap();
    for (from, to) in [("/usr/share/zoneinfo", "zoneinfo"), ("/etc/alternatives", "alternatives")] {
        let mut cp = Command::new("cp");
        assert!(cp.args(["-a", from]).arg(root.join(to)).status().unwrap().success(), "{from} is needed");
    }
    // The whole tree once more behind links to directories, and links beside them.
    link("zoneinfo", root.join("zone"));
    link(root.join("zone/Europe"), root.join("dirs/europe"));
    link("../zone/America", root.join("dirs/america"));
    let mut number = 0;
    for dir in ["zoneinfo/Europe", "zoneinfo/America"] {
        for name in names(root.join(dir)) {
            number += 1;
            let at = root.join(format!("more/d{}/l{number}", number % 13));
            match number % 4 {
                0 => link(root.join(dir).join(&name), at),
                1 => link(root.join("dirs").join(dir[9..].to_lowercase()).join(&name), at),
                2 => link(format!("../../{dir}/{name}"), at),
                _ => link(format!("../../dirs/europe/../{}/{name}", &dir[9..]), at),
            }
        }
    }
    // A link below a linked directory, whose own directory has another path than it seems.
    link("../Europe/Paris", root.join("zoneinfo/Europe/inside"));
    link(root.join("zone"), root.join("zoneinfo/loop_to_the_top"));
    root
}

/// What each link leads to.
fn reached(root: &Path) -> BTreeMap<Vec<u8>, Option<(u64, u64)>> {
    let number = |path: &[u8]| fs::metadata(OsStr::from_bytes(path)).ok().map(|meta| (meta.dev(), meta.ino()));
    find(root).into_keys().map(|path| (path.clone(), number(&path))).collect()
}

#[test]
fn relative_and_absolute_lead_every_link_to_the_same_file_and_two_undos_give_every_text_back() {
    let ground = Ground::on(Fs::Ext4);
    let root = like_usr(&ground);
    mark(&root);
    let (before, leads) = (facts(&root), reached(&root));
    assert!(before.len() > 500, "only {} links", before.len());
    let broken = |path: &Vec<u8>| leads[path].is_none();
    // It links to files that are on another file system.
    let mut to_relative = ground.convert(Conversion::Relative, ["usr"]);
    to_relative.spec.across = true;
    to_relative.run();
    let relative = facts(&root);
    for (path, (text, ..)) in &relative {
        assert!(broken(path) || text[0] != b'/', "{}: {}", path.escape_ascii(), text.escape_ascii());
    }
    assert!(reached(&root) == leads, "a relative text leads a link elsewhere");
    ground.convert(Conversion::Absolute, ["usr"]).run();
    let absolute = facts(&root);
    for (path, (text, ..)) in &absolute {
        assert!(broken(path) || text[0] == b'/', "{}: {}", path.escape_ascii(), text.escape_ascii());
        assert!(!broken(path) || *text == before[path].0, "a broken link was changed");
    }
    assert!(reached(&root) == leads, "an absolute text leads a link elsewhere");
    for ((path, old), new) in before.iter().zip(absolute.values()) {
        let (old, new) = ((old.1, old.2, old.3, old.4), (new.1, new.2, new.3, new.4));
        assert_eq!(old, new, "owner and time of {}", path.escape_ascii());
    }
    ground.undo();
    assert!(facts(&root) == relative, "the first undo");
    ground.undo();
    assert!(facts(&root) == before, "the second undo");
}

#[test]
fn a_converter_mends_nothing_even_what_was_recorded() {
    for form in [Conversion::Relative, Conversion::Absolute, Conversion::Kind] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("data/f"), "x");
        link(ground.at("data/f"), ground.at("links/absolute"));
        link("../data/f", ground.at("links/relative"));
        ground.track(["links"]);
        rename(ground.at("data/f"), ground.at("far/f"));
        let before = facts(ground.at("links"));
        ground.convert(form, ["links"]).map("data", "far").run();
        assert!(facts(ground.at("links")) == before, "{form:?}");
        ground.convert(form, ["links"]).at_least(Confidence::Weak).run();
        assert!(facts(ground.at("links")) == before, "{form:?}");
    }
}

#[test]
fn a_relative_text_counts_from_where_the_link_is_and_not_from_where_it_was_named() {
    let ground = Ground::new();
    write(ground.at("real/deep/er/f"), "x");
    link(ground.at("real/deep/er/f"), ground.at("real/deep/dir/l"));
    link("real/deep/dir", ground.at("short"));
    ground.convert(Conversion::Relative, ["short/"]).run().mends_all();
    assert_eq!(ground.target("real/deep/dir/l"), Path::new("../er/f"));
    ground.convert(Conversion::Absolute, ["short/l"]).run().mends_all();
    assert_eq!(ground.target("real/deep/dir/l"), ground.at("real/deep/er/f"));
}

#[test]
fn two_dots_behind_a_link_are_those_of_the_system() {
    let ground = Ground::new();
    write(ground.at("real/f"), "right");
    write(ground.at("f"), "wrong");
    fs::create_dir_all(ground.at("real/sub")).unwrap();
    link("real/sub", ground.at("via"));
    link("via/../f", ground.at("l"));
    ground.convert(Conversion::Absolute, ["l"]).run().mends_all();
    assert_eq!(read(ground.at("l")).as_deref(), Some("right"));
    ground.convert(Conversion::Relative, ["l"]).run().mends_all();
    assert_eq!(read(ground.at("l")).as_deref(), Some("right"));
}

#[test]
fn a_link_to_a_link_still_leads_to_that_link() {
    let ground = Ground::new();
    write(ground.at("one"), "1");
    write(ground.at("two"), "2");
    link("one", ground.at("mid"));
    link(ground.at("mid"), ground.at("l"));
    ground.convert(Conversion::Relative, ["l"]).run().mends_all();
    fs::remove_file(ground.at("mid")).unwrap();
    link("two", ground.at("mid"));
    assert_eq!(read(ground.at("l")).as_deref(), Some("2"), "it was led around the link between");
}

#[test]
fn odd_texts_are_converted_and_come_back_byte_for_byte() {
    let ground = Ground::new();
    let odd = OsString::from_vec(b"no \xff\nunicode".to_vec());
    write(ground.at("d").join(&odd), "x");
    let root = ground.root().display().to_string();
    let texts = [
        "d//".to_owned(),
        "./d/.".to_owned(),
        format!("{root}//d/../d/./"),
        ".".to_owned(),
        "..".to_owned(),
        "/".to_owned(),
        "//".to_owned(),
        root,
    ];
    for (number, text) in texts.iter().enumerate() {
        link(text, ground.at(format!("l{number}")));
    }
    link(ground.at("d").join(&odd), ground.at(&odd));
    let (before, leads) = (facts(ground.root()), reached(&ground.root()));
    for form in [Conversion::Relative, Conversion::Absolute] {
        ground.convert(form, ["."]).run().mends_all();
        assert!(reached(&ground.root()) == leads, "{form:?}");
    }
    ground.undo();
    ground.undo();
    assert!(facts(ground.root()) == before);
}

#[test]
fn links_that_have_the_form_already_are_not_touched_nor_told() {
    let ground = Ground::new();
    write(ground.at("f"), "x");
    link("f", ground.at("l"));
    let before = testkit::Snapshot::of(ground.root());
    let ran = ground.convert(Conversion::Relative, ["."]).run().mends_all();
    assert!(ran.repair.mends.is_empty() && ran.report.is_none(), "{ran}");
    before.assert_unchanged();
}
