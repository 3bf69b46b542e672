//! What a review of `repair`, `track` and the converters found.

use std::io::{Read, Write as _};
use std::process::{Output, Stdio};
use std::time::Duration;

use ntfs_common::{Bench, file_point, symlink};
use testkit::ntfs::get_reparse;

use super::*;

/// What a dry run says of each link.
#[track_caller]
fn planned<'a>(ground: &Ground, args: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Value> {
    records(&ground.run(["repair", "--dry-run", "--json"].into_iter().chain(args)))
}

/// Runs it on a terminal, does something as soon as it asks, and answers yes.
#[track_caller]
fn asked(ground: &Ground, line: &str, meanwhile: impl FnOnce()) -> Ran {
    testkit::require!(tool "script");
    let line = format!("{} {line}", ground.linkctl.program().display());
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(ground.root()).env_remove("SUDO_USER");
    command.env("LINKCTL_STATE_DIR", ground.linkctl.state()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut answer, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !said.ends_with(b"[y/N] ") {
        let read = out.read_exact(&mut byte);
        assert!(read.is_ok(), "it does not ask: {}", String::from_utf8_lossy(&said));
        said.extend(byte);
    }
    meanwhile();
    answer.write_all(b"y\n").unwrap();
    out.read_to_end(&mut said).unwrap();
    let status = child.wait().unwrap();
    ground.linkctl.said(Output { status, stdout: said, stderr: Vec::new() })
}

/// `links/l` to `data/f`, tracked, and `data` renamed to `far`.
fn moved() -> Ground {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link("../data/f", ground.at("links/l"));
    ground.ok(["track", "links"]);
    rename(ground.at("data"), ground.at("far"));
    ground
}

/// Saves a file as editors do: another one takes its name.
fn save(path: impl AsRef<Path>, content: &str) {
    let new = path.as_ref().with_extension("new");
    write(&new, content);
    rename(new, path);
}

/// An empty file system over a directory, until dropped.
struct Cover(PathBuf);

impl Cover {
    fn over(at: PathBuf) -> Cover {
        assert!(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&at).status().unwrap().success());
        Cover(at)
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn of_several_names_of_a_recorded_file_none_is_taken() {
    for before in [true, false] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("data/f"), "x");
        link("../data/f", ground.at("links/l"));
        fs::create_dir(ground.at("backup")).unwrap();
        let other_name = || fs::hard_link(ground.at("data/f"), ground.at("backup/f")).unwrap();
        if before {
            other_name();
            ground.ok(["track", "links"]);
        } else {
            ground.ok(["track", "links"]);
            other_name();
        }
        rename(ground.at("data/f"), ground.at("data/g"));
        let ran = ground.run(["repair", "links", "--yes", "--json"]);
        assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
        let ran = ran.exits(1);
        let candidates = records(&ran)["links/l"]["candidates"].to_string();
        for place in ["backup/f", "data/g"] {
            assert!(candidates.contains(place), "{place} is not told\n{ran}");
        }
        fs::remove_file(ground.at("backup/f")).unwrap();
        let ran = ground.run(["repair", "links", "--yes", "--json"]);
        // Of one that had two names, what is left may be the other.
        let (exits, confidence) = if before { (1, "weak") } else { (0, "exact") };
        let ran = ran.exits(exits);
        assert_eq!(records(&ran)["links/l"]["confidence"], confidence);
        assert_eq!(ground.target("links/l"), Path::new(if before { "../data/f" } else { "../data/g" }));
    }
}

#[track_caller]
fn assert_not_led_to_what_changed(change: impl FnOnce(&Ground)) {
    let ground = moved();
    let ran = asked(&ground, "repair links", || change(&ground));
    assert_eq!(ground.target("links/l"), Path::new("../data/f"), "{ran}");
    assert!(ran.out.contains("error"), "{ran}");
    ran.exits(4);
    assert_eq!(common::leftovers(ground.at("links")), [""; 0]);
}

#[test]
fn a_link_whose_target_came_back_while_it_asked_stays() {
    assert_not_led_to_what_changed(|ground| rename(ground.at("far"), ground.at("data")));
}

#[test]
fn a_link_whose_target_was_deleted_while_it_asked_stays() {
    assert_not_led_to_what_changed(|ground| fs::remove_file(ground.at("far/f")).unwrap());
}

#[test]
fn a_link_is_not_led_to_another_file_that_took_the_name_while_it_asked() {
    assert_not_led_to_what_changed(|ground| {
        rename(ground.at("far/f"), ground.at("far/g"));
        write(ground.at("far/f"), "another");
    });
}

#[test]
fn a_link_is_not_led_into_another_directory_that_took_the_name_while_it_asked() {
    assert_not_led_to_what_changed(|ground| {
        rename(ground.at("far"), ground.at("farther"));
        write(ground.at("far/f"), "another");
    });
}

#[test]
fn a_converter_leaves_links_alone_whose_target_went_while_it_asked() {
    for form in ["--relative", "--absolute"] {
        let ground = Ground::new();
        write(ground.at("data/f"), "x");
        let text = if form == "--relative" { ground.at("data/f") } else { "../data/f".into() };
        link(&text, ground.at("links/l"));
        let ran = asked(&ground, &format!("repair links {form}"), || {
            fs::remove_file(ground.at("data/f")).unwrap();
        });
        assert_eq!(ground.target("links/l"), text, "{ran}");
        ran.exits(4);
    }
}

#[test]
fn a_link_to_a_link_that_was_mended_and_moved_is_mended_in_two_runs() {
    for at_once in [true, false] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("t/f"), "x");
        link("t/f", ground.at("mid"));
        link("mid", ground.at("end"));
        ground.ok(["track", "."]);
        rename(ground.at("t"), ground.at("u"));
        if !at_once {
            ground.ok(["repair", ".", "--yes"]);
        }
        rename(ground.at("mid"), ground.at("mid2"));
        let first = ground.run(["repair", ".", "--yes"]);
        let second = ground.run(["repair", ".", "--yes"]);
        for name in ["mid2", "end"] {
            assert_eq!(read(ground.at(name)).as_deref(), Some("x"), "{name}\n{first}\n{second}");
        }
        second.exits(0);
    }
}

#[test]
fn a_link_that_a_converter_made_anew_is_still_the_one_that_was_recorded() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("f"), "x");
    link(ground.at("f"), ground.at("mid"));
    link("mid", ground.at("end"));
    ground.ok(["track", "."]);
    ground.ok(["repair", "mid", "--relative", "--yes"]);
    rename(ground.at("mid"), ground.at("mid2"));
    let ran = ground.run(["repair", "end", "--yes", "--json"]);
    assert_eq!(records(&ran)["end"]["confidence"], "exact", "{ran}");
    assert_eq!(ground.target("end"), Path::new("mid2"), "{ran}");
    ran.exits(0);
}

#[test]
fn a_moved_link_whose_repair_was_undone_is_still_known_by_itself() {
    let ground = Ground::on(Fs::Xfs);
    write(ground.at("t/f"), "x");
    link("t/f", ground.at("l"));
    ground.ok(["track", "."]);
    rename(ground.at("l"), ground.at("l2"));
    rename(ground.at("t"), ground.at("u"));
    let ran = ground.ok(["repair", ".", "--yes", "--json"]);
    assert_eq!(records(&ran)["l2"]["confidence"], "exact");
    ground.ok(["undo", "--yes"]);
    assert_eq!(ground.target("l2"), Path::new("t/f"));
    assert_eq!(planned(&ground, ["."])["l2"]["confidence"], "exact");
}

/// Tracked links to eight files, each of which was saved anew since.
fn saved_anew() -> Ground {
    let ground = Ground::on(Fs::Ext4);
    let names: Vec<String> = (0..8).map(|n| format!("old/f{n}.conf")).collect();
    for (n, name) in names.iter().enumerate() {
        write(ground.at(name), "first");
        link(Path::new("..").join(name), ground.at(format!("links/l{n}")));
    }
    ground.ok(["track", "links"]);
    for name in &names {
        save(ground.at(name), "second, and longer");
    }
    ground
}

#[test]
fn files_that_were_saved_anew_are_found_with_their_directory() {
    let ground = saved_anew();
    rename(ground.at("old"), ground.at("new"));
    let records = planned(&ground, ["links", "--min-confidence", "strong"]);
    assert_eq!(records.len(), 8);
    for (path, record) in &records {
        let found = (&record["result"], &record["confidence"]);
        assert_eq!(found, (&"planned".into(), &"strong".into()), "{path}: {record}");
    }
    ground.ok(["repair", "links", "--min-confidence", "strong", "--yes"]);
    assert_eq!(ground.target("links/l3"), Path::new("../new/f3.conf"));
}

#[test]
fn what_took_the_place_of_a_recorded_file_goes_before_that_and_neither_is_sure() {
    let ground = saved_anew();
    write(ground.at("old/own.conf"), "own");
    link("../old/own.conf", ground.at("links/own"));
    ground.ok(["track", "links/own"]);
    rename(ground.at("old/own.conf"), ground.at("kept/own.conf"));
    write(ground.at("old/own.conf"), "another");
    rename(ground.at("old"), ground.at("new"));
    let records = planned(&ground, ["links", "--min-confidence", "strong"]);
    assert_eq!(records["links/own"]["confidence"], "strong", "{records:?}");
    assert_eq!(records["links/own"]["new_target"]["text"], "../new/own.conf", "{records:?}");
    assert_eq!(records["links/l0"]["confidence"], "strong", "{records:?}");
}

#[test]
fn one_file_that_was_saved_anew_is_found_by_its_name_as_weak() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "first");
    link("../data/f", ground.at("links/l"));
    ground.ok(["track", "links"]);
    save(ground.at("data/f"), "second, and longer");
    rename(ground.at("data/f"), ground.at("sub/f"));
    let record = &planned(&ground, ["links"])["links/l"];
    assert_eq!((&record["result"], &record["confidence"]), (&"shown".into(), &"weak".into()), "{record}");
    assert_eq!(record["new_target"]["text"], "../sub/f", "{record}");
}

#[test]
fn another_name_of_a_recorded_link_that_led_nowhere_stays() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("t/f"), "x");
    link("../t/f", ground.at("s/l"));
    fs::create_dir(ground.at("s/deep")).unwrap();
    fs::hard_link(ground.at("s/l"), ground.at("s/deep/l3")).unwrap();
    ground.ok(["track", "."]);
    rename(ground.at("t"), ground.at("u"));
    let ran = ground.run(["repair", ".", "--yes"]);
    assert_eq!(ground.target("s/l"), Path::new("../u/f"), "{ran}");
    assert_eq!(ground.target("s/deep/l3"), Path::new("../t/f"), "{ran}");
    ran.exits(1);
}

#[test]
fn a_directory_of_another_user_is_no_strong_find() {
    for (owner, confidence) in [(0, "strong"), (NOBODY, "weak")] {
        let ground = Ground::on(Fs::Ext4);
        for name in ["a", "b", "c", "d", "e", "f"] {
            link(format!("../old/{name}"), ground.at("root/desk").join(name));
            write(ground.at("pub/evil/old").join(name), "x");
        }
        let mut chown = Command::new("chown");
        chown.args(["-R", &owner.to_string()]).arg(ground.at("pub/evil"));
        assert!(chown.status().unwrap().success());
        let records = planned(&ground, ["root", "--min-confidence", "weak"]);
        assert_eq!(records.len(), 6);
        for (path, record) in &records {
            assert_eq!(record["confidence"], confidence, "of {owner}: {path}: {record}");
        }
        let strong = planned(&ground, ["root", "--min-confidence", "strong"]);
        let taken = strong.values().filter(|record| record["result"] == "planned").count();
        assert_eq!(taken, if owner == 0 { 6 } else { 0 }, "{strong:?}");
    }
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
fn a_map_leads_no_link_by_another_name_into_what_is_left_out() {
    let ground = Ground::new();
    write(ground.at("ex/x/f"), "x");
    link("ex", ground.at("alias"));
    link("../old/x/f", ground.at("links/l"));
    let ran = ground.run(["repair", "links", "--exclude", "ex", "--map", "old=alias", "--yes"]);
    assert_eq!(ground.target("links/l"), Path::new("../old/x/f"), "{ran}");
    ran.exits(1);
}

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

/// A link to `old/f`, which is in `a` and in `b`.
fn in_two_places() -> Ground {
    let ground = Ground::new();
    for name in ["a", "b"] {
        write(ground.at(name).join("f"), name);
    }
    link("../old/f", ground.at("links/l"));
    ground
}

#[test]
fn two_maps_that_say_different_things_of_one_place_are_refused() {
    let ground = in_two_places();
    let root = ground.root().display().to_string();
    fs::write(ground.at("maps"), "old=b\n").unwrap();
    fs::write(ground.at("both"), "old=a\nold=b\n").unwrap();
    for maps in [
        &["--map", "old=a", "--map", "old=b"][..],
        &["--map", "old=b", "--map", "old=a"],
        &["--map", "./old/=a", "--map", &format!("{root}/old=b")],
        &["--map", "old=a", "--map-file", "maps"],
        &["--map-file", "both"],
    ] {
        let ran = ground.run(["repair", "links", "--yes"].iter().chain(maps));
        assert_eq!(ground.target("links/l"), Path::new("../old/f"), "{maps:?}\n{ran}");
        ran.exits(2).says("old");
    }
    let (whole, again) = (format!("{root}/old={root}/b"), "./old/=./b/");
    ground.ok(["repair", "links", "--yes", "--map", &whole, "--map", again, "--map-file", "maps"]);
    assert_eq!(ground.target("links/l"), Path::new("../b/f"));
}

#[test]
fn ntfs_a_link_from_the_root_of_its_volume_is_said_in_full_once() {
    let bench = Bench::ntfs();
    write(bench.at("t/f"), "x");
    fs::create_dir(bench.at("links")).unwrap();
    file_point(bench.at("links/l"), &symlink(r"\t\f"));
    bench.ok(["repair", "links", "--absolute", "--yes"]);
    let point = get_reparse(bench.at("links/l"));
    let ran = bench.run(["repair", "links", "--absolute", "--yes"]).exits(0);
    assert!(ran.out.contains("nothing to do"), "{ran:?}");
    assert_eq!(get_reparse(bench.at("links/l")), point);
}

#[test]
fn the_link_to_the_renamed_directory_itself_goes_where_those_into_it_go() {
    let ground = Ground::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        write(ground.at("old").join(name), name);
        link(format!("../old/{name}"), ground.at("desk").join(name));
    }
    link("../old", ground.at("desk/top"));
    rename(ground.at("old"), ground.at("new"));
    let ran = ground.run(["repair", "desk", "--min-confidence", "strong", "--yes"]);
    assert_eq!(ground.target("desk/a"), Path::new("../new/a"), "{ran}");
    assert_eq!(ground.target("desk/top"), Path::new("../new"), "{ran}");
    ran.exits(0);
}

#[test]
fn for_what_a_mount_hides_no_other_of_its_name_is_proposed() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["data", "decoy/x/data", "m"] {
        fs::create_dir_all(ground.at(name)).unwrap();
    }
    link("../data", ground.at("links/d"));
    ground.ok(["track", "links"]);
    rename(ground.at("data"), ground.at("m/hid"));
    let cover = Cover::over(ground.at("m"));
    let record = planned(&ground, ["links", "--min-confidence", "weak"])["links/d"].clone();
    assert_ne!(record["result"], "planned", "{record}");
    assert!(record["new_target"].is_null(), "{record}");
    drop(cover);
    assert_eq!(planned(&ground, ["links"])["links/d"]["confidence"], "exact");
}

#[test]
fn a_journal_of_no_length_is_told() {
    let ground = moved();
    for file in common::names(ground.linkctl.state()) {
        fs::remove_file(ground.linkctl.state().join(file)).unwrap();
    }
    fs::write(ground.linkctl.database(), "").unwrap();
    // One that was made just now is another process' that has not written to it yet.
    let ran = ground.run(["repair", "links", "--dry-run"]);
    assert!(!ran.err.contains("warning"), "{ran}");
    fs::write(ground.linkctl.database(), "").unwrap();
    std::thread::sleep(Duration::from_secs(6));
    ground.run(["repair", "links", "--dry-run"]).says("warning").says("is empty");
}

#[test]
fn an_append_only_directory_is_told_beforehand_and_nothing_is_left_in_it() {
    let ground = moved();
    assert!(Command::new("chattr").arg("+a").arg(ground.at("links")).status().unwrap().success());
    let ran = ground.run(["repair", "links", "--dry-run"]).exits(1);
    assert!(ran.out.contains("may not") || ran.out.contains("append"), "{ran}");
    let ran = ground.run(["repair", "links", "--yes"]);
    assert_eq!(common::leftovers(ground.at("links")), [""; 0], "{ran}");
    assert_eq!(ground.target("links/l"), Path::new("../data/f"));
    assert_ne!(ran.code(), Some(0), "{ran}");
}

#[test]
fn a_map_that_no_broken_link_needs_is_told() {
    let ground = in_two_places();
    let args = ["repair", "links", "--dry-run", "--map", "old=a"];
    ground.run(args.into_iter().chain(["--map", "misspelt=b"])).says("misspelt");
    assert_eq!(ground.ok(args).err, "");
}

#[test]
fn a_fault_in_a_map_file_is_told_with_the_file_and_the_line() {
    let ground = in_two_places();
    fs::write(ground.at("maps"), "# a remark\n\nold=a\nnonsense\n").unwrap();
    let ran = ground.run(["repair", "links", "--map-file", "maps", "--yes"]).exits(2).says("maps");
    assert!(ran.err.contains("line 4") || ran.err.contains("maps:4"), "{ran}");
}

#[test]
fn the_mark_of_utf_8_at_the_beginning_of_a_map_file_says_nothing() {
    let ground = in_two_places();
    fs::write(ground.at("maps"), "\u{feff}old=a\r\n").unwrap();
    let ran = ground.run(["repair", "links", "--map-file", "maps", "--yes"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("a"), "{ran}");
    ran.exits(0);
}

#[test]
fn lines_of_spaces_in_a_map_file_say_nothing() {
    let ground = in_two_places();
    fs::write(ground.at("maps"), "   \nold=a\n \t \n  \r\n").unwrap();
    let ran = ground.run(["repair", "links", "--map-file", "maps", "--yes"]);
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("a"), "{ran}");
    ran.exits(0);
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

/// The candidates in the table, in its order.
fn candidates(ran: &Ran) -> Vec<String> {
    let rows = ran.out.lines().filter(|line| line.trim_start().starts_with("candidate"));
    rows.map(|line| line.split_whitespace().nth(1).unwrap().to_owned()).collect()
}

#[track_caller]
fn assert_in_order(found: &[String], ran: &Ran) {
    assert!(found.len() > 2 && found.is_sorted(), "{ran}");
}

#[test]
fn files_that_are_equally_good_are_told_in_the_order_of_their_paths() {
    for fs in [Fs::Tmpfs, Fs::Ext4] {
        let ground = Ground::on(fs);
        for name in ["n/z", "c/d", "b/p", "z/a", "a/q"] {
            write(ground.at(name).join("f"), name);
        }
        link(ground.at("gone/f"), ground.at("links/l"));
        let ran = ground.run(["repair", "links", "--dry-run"]).exits(1);
        assert_in_order(&candidates(&ran), &ran);
    }
}

#[test]
fn directories_that_are_equally_good_are_told_in_the_order_of_their_paths() {
    for fs in [Fs::Tmpfs, Fs::Ext4] {
        let ground = Ground::on(fs);
        for n in 0..10 {
            for name in ["n/z", "c/d", "b/p", "z/a", "a/q"] {
                write(ground.at(name).join(format!("f{n}")), name);
            }
            link(ground.at(format!("gone/f{n}")), ground.at(format!("links/l{n}")));
        }
        let ran = ground.run(["repair", "links", "--dry-run"]).exits(1);
        let found = candidates(&ran);
        for n in 0..10 {
            let of_one: Vec<_> =
                found.iter().filter(|path| path.ends_with(&format!("/f{n}"))).cloned().collect();
            assert_in_order(&of_one, &ran);
        }
    }
}

#[test]
fn what_an_editor_kept_of_the_file_before_is_not_taken_for_it() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("f"), "first");
    link("f", ground.at("l"));
    ground.ok(["track", "l"]);
    rename(ground.at("f"), ground.at("f~"));
    write(ground.at("f"), "second");
    rename(ground.at("f"), ground.at("sub/f"));
    let record = &planned(&ground, ["l"])["l"];
    assert_ne!(record["confidence"], "exact", "{record}");
    let ran = ground.run(["repair", "l", "--yes"]).exits(1);
    assert_eq!(ground.target("l"), Path::new("f"), "{ran}");
}

#[test]
fn names_of_a_file_in_the_directory_that_was_recorded_are_told_from_others() {
    let ground = Ground::on(Fs::Ext4);
    for n in 0..6 {
        write(ground.at(format!("dir/f{n}")), format!("{n}"));
        fs::create_dir_all(ground.at("store")).unwrap();
        fs::hard_link(ground.at(format!("dir/f{n}")), ground.at(format!("store/o{n}"))).unwrap();
        link(format!("dir/f{n}"), ground.at(format!("l{n}")));
    }
    ground.ok(["track", "."]);
    rename(ground.at("dir"), ground.at("moved"));
    ground.ok(["repair", ".", "--yes"]);
    for n in 0..6 {
        assert_eq!(ground.target(format!("l{n}")), Path::new(&format!("moved/f{n}")));
    }
    // In what was asked for, there is one.
    rename(ground.at("moved/f0"), ground.at("moved/g0"));
    let ran = planned(&ground, [".", "--search", "store"]);
    assert_eq!(
        (&ran["l0"]["new_target"]["text"], &ran["l0"]["confidence"]),
        (&"store/o0".into(), &"strong".into())
    );
}

#[test]
fn a_file_that_was_put_aside_is_not_taken_for_the_one_in_its_place() {
    let ground = Ground::on(Fs::Ext4);
    let aside = ["a.log.1", "b.conf.rpmsave", "c.txt.dpkg-old", "bak/d", "e.~1~", "f~"];
    let names = ["a.log", "b.conf", "c.txt", "d", "e", "f"];
    for name in names {
        write(ground.at("dir").join(name), "old");
        link(Path::new("../dir").join(name), ground.at("links").join(name));
    }
    ground.ok(["track", "links"]);
    for (name, aside) in names.iter().zip(aside) {
        rename(ground.at("dir").join(name), ground.at("dir").join(aside));
        write(ground.at("dir").join(name), "new");
    }
    rename(ground.at("dir"), ground.at("moved"));
    let ran = planned(&ground, ["links"]);
    for name in names {
        let told = &ran[&format!("links/{name}")];
        assert_eq!(told["new_target"]["text"], format!("../moved/{name}"), "{told}");
        assert_eq!(told["confidence"], "strong", "{told}");
    }
    // As an ordinary user whom something on the volume is closed to, the same.
    let ground = Ground::nobody(Fs::Ext4);
    write(ground.at("dir/a"), "old");
    link("../dir/a", ground.at("links/a"));
    chown(ground.at("links"), Some(NOBODY), Some(NOBODY)).unwrap();
    ground.ok(["track", "links"]);
    save(ground.at("dir/a"), "new");
    rename(ground.at("dir"), ground.at("moved"));
    let ran = planned(&ground, ["links"]);
    assert_eq!(ran["links/a"]["confidence"], "strong", "{ran:?}");
}

#[test]
fn the_root_of_another_volume_is_not_taken_for_that_of_this_one() {
    let (ground, other) = (Ground::on(Fs::Ext4), Volume::new(Fs::Ext4, 32 << 20));
    fs::create_dir(ground.at("disk")).unwrap();
    let mounted = |args: &[&OsStr]| assert!(Command::new("mount").args(args).status().unwrap().success());
    mounted(&["--bind".as_ref(), other.path().as_ref(), ground.at("disk").as_ref()]);
    let cover = Cover(ground.at("disk"));
    link("../disk", ground.at("links/disk"));
    ground.ok(["track", "links"]);
    drop(cover);
    fs::remove_dir(ground.at("disk")).unwrap();
    let ran = planned(&ground, ["links"]);
    let told = &ran["links/disk"];
    // The volume is mounted elsewhere still, where it is found.
    assert_eq!(told["confidence"], "exact", "{told}");
    let found = ground.at("links").join(told["new_target"]["text"].as_str().unwrap());
    assert_eq!(fs::canonicalize(found).unwrap(), other.path().canonicalize().unwrap());
}

#[test]
fn what_is_recorded_of_a_snapshot_stays_with_the_snapshot() {
    let ground = Ground::on(Fs::Btrfs);
    let btrfs = |args: &[&OsStr]| {
        let done = Command::new("btrfs").arg("subvolume").args(args).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    btrfs(&["create".as_ref(), ground.at("p").as_ref()]);
    write(ground.at("p/d/f"), "x");
    link("../d/f", ground.at("p/links/l"));
    link("../links/l", ground.at("p/e/m"));
    btrfs(&["snapshot".as_ref(), ground.at("p").as_ref(), ground.at("s").as_ref()]);
    ground.ok(["track", "p", "s"]);
    ground.ok(["repair", "--absolute", "--yes", "p/links"]);
    rename(ground.at("s/links"), ground.at("s/links2"));
    ground.ok(["repair", "--yes", "s"]);
    assert_eq!(ground.target("s/e/m"), Path::new("../links2/l"));
}

#[test]
fn records_follow_links_through_an_undo_and_through_long_operations() {
    for many in [0, 6_000] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("d/f"), "x");
        link(ground.at("d/f"), ground.at("z/l1"));
        link(ground.at("z/l1"), ground.at("a/l2"));
        for n in 0..many {
            link(ground.at("d/f"), ground.at(format!("m/k{n}")));
        }
        ground.ok(["track", "a", "z"]);
        ground.ok(["repair", "--relative", ".", "--yes"]);
        if many == 0 {
            ground.ok(["undo", "--yes"]);
            rename(ground.at("a"), ground.at("a2"));
        }
        rename(ground.at("z"), ground.at("z2"));
        let l2 = if many == 0 { "a2/l2" } else { "a/l2" };
        assert_eq!(planned(&ground, ["."])[l2]["confidence"], "exact", "{many}");
    }
}

#[test]
fn what_went_up_out_of_a_directory_leads_no_link_to_itself() {
    let ground = Ground::new();
    for n in 0..6 {
        write(ground.at(format!("top/t/sub/f{n}")), format!("{n}"));
        link(format!("../top/t/sub/f{n}"), ground.at(format!("links/l{n}")));
    }
    link("sub", ground.at("top/t/cur"));
    for n in 0..6 {
        rename(ground.at(format!("top/t/sub/f{n}")), ground.at(format!("top/t/f{n}")));
    }
    fs::remove_dir(ground.at("top/t/sub")).unwrap();
    let ran = planned(&ground, ["--min-confidence", "weak", "top", "links"]);
    assert_eq!(ran["links/l0"]["new_target"]["text"], "../top/t/f0");
    assert_eq!(ran["top/t/cur"]["result"], "remains");
}

#[test]
fn a_directory_beside_the_one_that_is_gone_is_in_the_same_hands() {
    let ground = Ground::new();
    for n in ["a", "b", "c", "d", "e", "f"] {
        write(ground.at("tree/new").join(n), n);
        link(Path::new("../tree/old").join(n), ground.at("links").join(n));
    }
    for path in ["tree", "tree/new"] {
        chown(ground.at(path), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    assert_eq!(planned(&ground, ["links"])["links/a"]["confidence"], "strong");
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

#[test]
fn what_a_crash_left_under_a_private_name_is_led_to_by_nothing() {
    let ground = moved();
    rename(ground.at("far/f"), ground.at("far/.linkctl-0123456789abcdef"));
    assert_eq!(planned(&ground, ["links"])["links/l"]["result"], "remains");
}

#[test]
fn a_link_that_an_undo_brought_back_is_still_what_others_lead_to() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("d/f"), "x");
    link("../d/f", ground.at("z/l1"));
    link("../z/l1", ground.at("a/l2"));
    ground.ok(["track", "."]);
    ground.ok(["remove", "z/l1"]);
    ground.ok(["undo", "--yes"]);
    rename(ground.at("z"), ground.at("z2"));
    assert_eq!(planned(&ground, ["a"])["a/l2"]["confidence"], "exact");
}

#[test]
fn records_that_make_no_sense_cost_a_repair_no_history() {
    for damage in ["{\"kind\":\"link\"}", "nonsense"] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("d/f"), "x");
        link("../d/f", ground.at("z/l1"));
        link("../z/l1", ground.at("a/l2"));
        ground.ok(["track", "."]);
        let database = rusqlite::Connection::open(ground.linkctl.database()).unwrap();
        let sql = "UPDATE tracked SET identity = ? WHERE CAST(link AS TEXT) LIKE '%/l2'";
        assert_eq!(database.execute(sql, [damage]).unwrap(), 1);
        drop(database);
        let ran = ground.ok(["repair", "--absolute", "z", "--yes"]);
        assert!(ran.out.contains("linkctl undo") && !ran.err.contains("warning"), "{ran}");
        ground.ok(["undo", "--yes"]);
        assert_eq!(ground.target("z/l1"), Path::new("../d/f"));
    }
}
