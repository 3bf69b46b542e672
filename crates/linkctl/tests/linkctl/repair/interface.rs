//! Tables, documents, questions and exit codes.

use crate::common::ntfs::{Bench, file_point, symlink};
use testkit::ntfs::{get_reparse, ntfs_attrib};

use super::*;

/// One link of each sort: to be mended, found but not surely, in doubt, with nothing found, by another.
fn of_each_sort() -> Ground {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link(ground.at("old/f"), ground.at("links/mapped"));
    write(ground.at("somewhere/weak"), "x");
    link(ground.at("gone/weak"), ground.at("links/unsure"));
    write(ground.at("a/double"), "1");
    write(ground.at("b/double"), "2");
    link(ground.at("gone/double"), ground.at("links/doubtful"));
    link(ground.at("gone/nothing"), ground.at("links/lost"));
    link("mapped", ground.at("links/by"));
    link("lost", ground.at("links/by-lost"));
    ground
}

/// The bytes and the time of the database, and what lies beside it.
fn database(ground: &Ground) -> (Vec<u8>, std::time::SystemTime, Vec<String>) {
    let path = ground.linkctl.database();
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    (fs::read(path).unwrap(), time, crate::common::names(ground.linkctl.state()))
}

#[test]
fn the_exit_code_is_1_while_links_remain_and_each_has_its_reason() {
    let ground = of_each_sort();
    let ran = ground.run(["repair", "links", "--map", "old=new", "--yes", "--json"]).exits(1);
    let records = records(&ran);
    let results: Vec<_> =
        records.iter().map(|(path, link)| (path.as_str(), link["result"].as_str().unwrap())).collect();
    let expected = [
        ("links/by", "with-another"),
        ("links/by-lost", "remains"),
        ("links/doubtful", "remains"),
        ("links/lost", "remains"),
        ("links/mapped", "done"),
        ("links/unsure", "shown"),
    ];
    assert_eq!(results, expected);
    assert!(records.values().all(|record| record["why"].as_str().is_some_and(|why| !why.is_empty())));
}

#[test]
fn table_and_json_tell_the_same() {
    let ground = of_each_sort();
    let args = ["repair", "links", "--map", "old=new", "--dry-run"];
    let table = ground.run(args).exits(1);
    let json = ground.run(args.into_iter().chain(["--json"])).exits(1);
    let document = json.json();
    assert_eq!((&document["verb"], &document["dry_run"]), (&"repair".into(), &true.into()));
    let root = ground.root().display().to_string();
    let records = records(&json);
    assert_eq!(records.len(), 6);
    for (path, record) in records {
        let line = table.out.lines().find(|line| line.split_whitespace().next() == Some(&path));
        let line = line.unwrap_or_else(|| panic!("{path} is not in the table\n{table}"));
        for field in ["old_target", "new_target"] {
            if let Some(text) = record[field]["text"].as_str() {
                assert!(line.contains(&text.replace(&root, "[DIR]")), "{text}\n{line}");
            }
        }
        let why = record["why"].as_str().unwrap().replace(&root, "[DIR]");
        assert!(line.contains(&why), "{why}\n{line}");
        if let Some(confidence) = record["confidence"].as_str() {
            assert!(line.ends_with(confidence), "{confidence}\n{line}");
        }
        for candidate in record["candidates"].as_array().into_iter().flatten() {
            let text = candidate["path"]["text"].as_str().unwrap().replace(&root, "[DIR]");
            assert!(table.out.contains(&text), "{text}\n{table}");
        }
    }
}

#[test]
fn every_document_parses_with_the_usual_head() {
    let ground = of_each_sort();
    for args in [
        &["repair", "links", "--json", "--dry-run"][..],
        &["repair", "links", "--json", "--yes"],
        &["repair", "--relative", "links", "--json", "--yes"],
        &["repair", "nowhere", "--json", "--yes"],
        &["track", "links", "--json"],
        &["track", "--list", "--json"],
        &["track", "--refresh", "--json"],
        &["untrack", "--dry-run", "links", "--json"],
    ] {
        let ran = ground.run(args);
        let document = ran.json();
        assert_eq!(document["schema"], 1, "{args:?}\n{ran}");
        assert_eq!(document["verb"], args[0], "{args:?}\n{ran}");
    }
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let ground = of_each_sort();
    let before = testkit::Snapshot::of(ground.root());
    ground.run(["repair", "links", "--map", "old=new"]).exits(4).says("--yes");
    before.assert_unchanged();
    link("new/f", ground.at("whole"));
    let before = testkit::Snapshot::of(ground.root());
    ground.run(["repair", "--absolute", "whole"]).exits(4).says("--yes");
    before.assert_unchanged();
}

#[test]
fn a_dry_run_changes_nothing_anywhere() {
    let ground = of_each_sort();
    ground.ok(["track", "links"]);
    let (volume, state) = (testkit::Snapshot::of(ground.root()), database(&ground));
    let args = ["repair", "links", "--map", "old=new", "--min-confidence", "weak", "--dry-run"];
    let ran = ground.run(args).exits(1);
    assert!(ran.out.contains("would mend 2 links; 3 stay broken"), "{ran}");
    volume.assert_unchanged();
    assert!(database(&ground) == state, "the database was changed");
}

#[test]
fn looking_writes_nothing_into_the_database() {
    let ground = of_each_sort();
    write(ground.at("new/g"), "x");
    link("../new/g", ground.at("links/whole"));
    ground.ok(["track", "links"]);
    rename(ground.at("new/g"), ground.at("far/g"));
    let (state, all) = (database(&ground), testkit::Snapshot::of(ground.linkctl.state()));
    for args in [&["list", "."][..], &["check", "."], &["show", "links/whole"]] {
        ground.run(args);
        // These do not even open it.
        all.assert_unchanged();
    }
    for args in [
        &["track", "--list"][..],
        &["repair", "links", "--dry-run"],
        &["untrack", "--dry-run", "links"],
        &["track", "--dry-run", "."],
    ] {
        ground.run(args);
        assert!(database(&ground) == state, "{args:?} changed the database");
    }
}

#[test]
fn looking_begins_no_journal() {
    let ground = of_each_sort();
    ground.run(["repair", "links", "--dry-run"]).exits(1);
    ground.ok(["track", "--list"]);
    assert!(!ground.linkctl.state().exists());
}

#[test]
fn a_dry_run_of_track_begins_no_journal() {
    let ground = of_each_sort();
    ground.ok(["track", "--dry-run", "links"]);
    ground.run(["untrack", "--dry-run", "links"]).exits(4);
    assert!(!ground.linkctl.state().exists(), "{:?}", crate::common::names(ground.linkctl.state()));
}

#[test]
fn what_is_whole_needs_nothing() {
    let ground = Ground::new();
    write(ground.at("f"), "x");
    link("f", ground.at("l"));
    let ran = ground.ok(["repair", ".", "--yes"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("nothing to do\n", ""));
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_the_rest_is_mended() {
    let ground = of_each_sort();
    let ran = ground.run(["repair", "nowhere", "links/mapped", "--map", "old=new", "--yes"]);
    assert_eq!(read(ground.at("links/mapped")).as_deref(), Some("x"), "{ran}");
    ran.exits(3).says("nowhere");
}

#[test]
fn a_search_root_that_is_not_there_is_an_error() {
    let ground = of_each_sort();
    let ran = ground.run(["repair", "links", "--search", "nowhere", "--dry-run"]);
    assert!(ran.code().is_some_and(|code| code >= 2), "{ran}");
    ran.says("nowhere");
}

#[test]
fn the_option_one_file_system_is_heeded() {
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
fn the_options_drive_and_kind_fix_are_heeded() {
    let bench = Bench::ntfs();
    testkit::tree!(bench.root(), { "new/f" => file("x"), "d/in" => file("in"), "links" => dir });
    file_point(bench.at("links/s"), &symlink(r"E:\old\f"));
    bench.ok(["repair", "links", "--drive", "E", "--map", "old=new", "--yes"]);
    assert_eq!(get_reparse(bench.at("links/s")), Some(symlink(r"E:\new\f")));
    file_point(bench.at("links/to_dir"), &symlink(r"..\d"));
    bench.ok(["repair", "links", "--kind-fix", "--yes"]);
    assert_eq!(ntfs_attrib(bench.at("links/to_dir")).unwrap() & 0x410, 0x410);
}

#[track_caller]
fn assert_told_to_be_no_link(verb: &str) {
    let ground = Ground::new();
    write(ground.at("f"), "x");
    link("f", ground.at("l"));
    ground.ok(["track", "l"]);
    let ran = ground.run([verb, "f", "--yes"]);
    assert_ne!(ran.code(), Some(0), "{ran}");
    assert!(ran.err.contains("no link") || ran.err.contains("not a link"), "{ran}");
}

#[test]
fn to_track_a_file_is_an_error() {
    assert_told_to_be_no_link("track");
}

#[test]
fn to_untrack_a_file_is_an_error_that_says_why() {
    assert_told_to_be_no_link("untrack");
}

#[test]
fn to_repair_a_file_is_an_error() {
    assert_told_to_be_no_link("repair");
}
