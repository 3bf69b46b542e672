//! Links that nobody recorded: whole directories are found by what is in them, and in doubt nothing is taken.

use super::*;

/// Links into two trees of many files, two to each file; the trees have been renamed high above.
struct Renamed {
    ground: Ground,
    behind: BTreeMap<PathBuf, String>,
    /// What both hold, but for the name of the tree before each.
    files: Vec<(usize, usize)>,
}

fn name_in(tree: &str, (sub, number): (usize, usize)) -> String {
    format!("s{sub}/{tree}{number}")
}

impl Renamed {
    fn new(ground: Ground, count: usize) -> Renamed {
        let mut behind = BTreeMap::new();
        let files: Vec<(usize, usize)> = (0..count).map(|n| (n % 20, n)).collect();
        for tree in ["alpha", "beta"] {
            for (number, file) in files.iter().enumerate() {
                let file = name_in(tree, *file);
                let content = format!("in {file}");
                let target = ground.at(format!("srv/{tree}/deep/{file}"));
                write(&target, &content);
                let absolute = ground.at(format!("links/{}/{tree}_a{number}", number % 25));
                link(&target, &absolute);
                let relative = ground.at(format!("links/{}/{tree}_r{number}", number % 25));
                link(format!("../../srv/{tree}/deep/{file}"), &relative);
                behind.extend([(absolute, content.clone()), (relative, content)]);
            }
        }
        rename(ground.at("srv/alpha"), ground.at("srv/first"));
        rename(ground.at("srv/beta"), ground.at("srv/second"));
        Renamed { ground, behind, files }
    }

    /// A directory that holds some of the names, with other content: one file with many names.
    fn decoy(&self, at: &str, percent: usize, seed: usize, more: usize) {
        let root = self.ground.at(at);
        write(root.join("own"), "decoy");
        for sub in 0..20 {
            fs::create_dir_all(root.join(format!("s{sub}"))).unwrap();
        }
        let all = ["alpha", "beta"].map(|tree| self.files.iter().map(move |file| name_in(tree, *file)));
        for (number, file) in all.into_iter().flatten().enumerate() {
            if (number * 37 + seed) % 100 < percent {
                fs::hard_link(root.join("own"), root.join(file)).unwrap();
            }
        }
        for n in 0..more {
            fs::hard_link(root.join("own"), root.join(format!("s{}/more{n}", n % 20))).unwrap();
        }
    }

    #[track_caller]
    fn assert_none_wrong(&self, ran: &Repaired) {
        for (path, content) in &self.behind {
            let found = read(path);
            assert!(found.is_none() || found.as_ref() == Some(content), "{}\n{ran}", path.display());
        }
    }

    #[track_caller]
    fn assert_all_mended(&self) {
        for (path, content) in &self.behind {
            assert_eq!(read(path).as_ref(), Some(content), "{}", path.display());
        }
    }
}

#[test]
fn ten_thousand_links_are_mended_by_two_mappings_among_a_hundred_decoys_and_undone() {
    let renamed = Renamed::new(Ground::on(Fs::Xfs), 2500);
    for n in 0..100 {
        // From a half to all but a few; some with many names of their own.
        let (percent, more) = (50 + n * 48 / 99, if n % 3 == 0 { 500 } else { 0 });
        let place = ["srv", "srv/other", "srv/first/deep", "links"][n % 4];
        renamed.decoy(&format!("{place}/decoy{n}"), percent, n * 13, more);
    }
    let ground = &renamed.ground;
    mark(ground.at("links"));
    let before = facts(ground.at("links"));
    assert_eq!(before.len(), 10_000);
    let ran = ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    renamed.assert_all_mended();
    let counts: Vec<_> = ran.repair.mappings.iter().map(|mapping| (mapping.mends, mapping.of)).collect();
    assert_eq!(counts, [(5000, 5000), (5000, 5000)]);
    let after = facts(ground.at("links"));
    for ((path, old), new) in before.iter().zip(after.values()) {
        let (old, new) = ((old.1, old.2, old.3, old.4), (new.1, new.2, new.3, new.4));
        assert_eq!(old, new, "owner and time of {}", path.escape_ascii());
    }
    assert_eq!(ground.history().len(), 1, "one operation");
    ground.undo();
    assert!(facts(ground.at("links")) == before, "the undo does not give all back");
}

#[test]
fn of_exact_copies_none_is_taken_and_each_is_told() {
    let renamed = Renamed::new(Ground::new(), 60);
    renamed.decoy("srv/copy/deep", 100, 0, 0);
    for confidence in [Confidence::Strong, Confidence::Weak] {
        let ran = renamed.ground.repair(["links"]).at_least(confidence).run();
        let ran = ran.leaves_some();
        assert_eq!(ran.links().len(), 240);
        for name in ran.links().keys() {
            assert_eq!(ran.reason(name), &Reason::Ambiguous, "{name}");
            assert!(ran.candidates(name).len() >= 2, "{name}: {ran}");
        }
        assert!(renamed.behind.keys().all(|path| read(path).is_none()));
    }
}

#[test]
fn a_large_directory_that_lacks_some_names_is_not_taken_for_the_whole_one() {
    let renamed = Renamed::new(Ground::new(), 200);
    renamed.decoy("srv/large/deep", 97, 3, 400);
    renamed.decoy("links/large", 95, 5, 400);
    renamed.ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    renamed.assert_all_mended();
}

#[test]
fn where_the_moved_directory_lost_names_and_a_decoy_has_more_of_them_nothing_is_wrong() {
    let renamed = Renamed::new(Ground::new(), 100);
    for file in renamed.files.iter().take(15) {
        for (tree, new) in [("alpha", "first"), ("beta", "second")] {
            let file = name_in(tree, *file);
            fs::remove_file(renamed.ground.at(format!("srv/{new}/deep/{file}"))).unwrap();
        }
    }
    renamed.decoy("srv/decoy/deep", 92, 3, 0);
    let ran = renamed.ground.repair(["links"]).at_least(Confidence::Strong).run().leaves_some();
    renamed.assert_none_wrong(&ran);
}

/// Links into `a/b/old`, of which each file went to `a/moved`, one directory higher than what is searched first.
fn moved_higher(count: usize) -> (Ground, BTreeMap<PathBuf, String>) {
    let ground = Ground::new();
    let mut behind = BTreeMap::new();
    for n in 0..count {
        let target = ground.at(format!("a/b/old/n{n}"));
        write(&target, format!("right {n}"));
        let at = ground.at(format!("links/l{n}"));
        link(&target, &at);
        behind.insert(at, format!("right {n}"));
    }
    rename(ground.at("a/b/old"), ground.at("a/moved"));
    (ground, behind)
}

#[track_caller]
fn assert_none_wrong(behind: &BTreeMap<PathBuf, String>, ran: &Repaired) {
    for (path, content) in behind {
        let found = read(path);
        assert!(found.is_none() || found.as_ref() == Some(content), "{}\n{ran}", path.display());
    }
}

#[test]
fn a_near_decoy_with_fewer_names_does_not_hide_the_whole_directory_farther_off() {
    let (ground, behind) = moved_higher(20);
    for n in 0..18 {
        write(ground.at(format!("a/b/decoy/n{n}")), "wrong");
    }
    let ran = ground.repair(["links"]).at_least(Confidence::Strong).run();
    assert_none_wrong(&behind, &ran);
}

#[test]
fn a_near_copy_does_not_hide_that_there_is_another_farther_off() {
    let (ground, behind) = moved_higher(20);
    for n in 0..20 {
        write(ground.at(format!("a/b/copy/n{n}")), "wrong");
    }
    let ran = ground.repair(["links"]).at_least(Confidence::Strong).run();
    assert_none_wrong(&behind, &ran);
}

#[test]
fn a_directory_moved_higher_is_found() {
    let (ground, behind) = moved_higher(20);
    ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    assert!(behind.iter().all(|(path, content)| read(path).as_ref() == Some(content)));
}

#[test]
fn search_looks_there_alone() {
    let (ground, behind) = moved_higher(20);
    fs::create_dir(ground.at("empty")).unwrap();
    let ran = ground.repair(["links"]).search("empty").at_least(Confidence::Strong).run().leaves_some();
    assert!(behind.keys().all(|path| read(path).is_none()), "{ran}");
    ground.repair(["links"]).search("a").at_least(Confidence::Strong).run().mends_all();
    assert!(behind.iter().all(|(path, content)| read(path).as_ref() == Some(content)));
}

#[test]
fn several_search_roots_are_looked_through_as_one() {
    let (ground, _) = moved_higher(20);
    for n in 0..20 {
        write(ground.at(format!("copy/n{n}")), "wrong");
    }
    let repair = ground.repair(["links"]).search("a/moved").search("copy").at_least(Confidence::Strong);
    let ran = repair.run().leaves_some();
    assert!(ran.links().keys().all(|name| ran.reason(name) == &Reason::Ambiguous), "{ran}");
}

#[test]
fn the_only_file_of_a_name_is_a_weak_find() {
    let ground = Ground::new();
    write(ground.at("b/unique"), "x");
    link(ground.at("a/unique"), ground.at("links/l"));
    let ran = ground.repair(["links"]).at_least(Confidence::Strong).run().leaves_some();
    assert_eq!(ran.confidence("links/l"), Some(Confidence::Weak), "{ran}");
    assert!(read(ground.at("links/l")).is_none());
    ground.repair(["links"]).at_least(Confidence::Weak).run().mends_all();
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("x"));
}

#[test]
fn of_two_files_of_a_name_the_one_whose_path_agrees_more_is_found() {
    let ground = Ground::new();
    write(ground.at("b/kept/part/f"), "right");
    write(ground.at("c/part2/f"), "wrong");
    link(ground.at("a/part/f"), ground.at("links/l"));
    ground.repair(["links"]).at_least(Confidence::Weak).run().mends_all();
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("right"));
}

#[test]
fn a_file_replaced_by_one_of_the_same_content_elsewhere_is_a_strong_find() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "recorded content");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    // As an editor or a copy to another disk leaves it: another file.
    write(ground.at("other/f"), "recorded content");
    write(ground.at("near/f"), "another content!");
    fs::remove_file(ground.at("data/f")).unwrap();
    let ran = ground.repair(["links"]).run().leaves_some();
    assert!(read(ground.at("links/l")).is_none(), "{ran}");
    ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    assert_eq!(read(ground.at("links/l")).as_deref(), Some("recorded content"));
}

#[test]
fn links_below_a_tracked_directory_that_moved_go_with_it() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/d/f"), "x");
    write(ground.at("data/d/sub/g"), "y");
    link(ground.at("data/d"), ground.at("links/d"));
    ground.track(["links"]);
    link(ground.at("data/d/f"), ground.at("untracked/f"));
    link(ground.at("data/d/sub/g"), ground.at("untracked/g"));
    rename(ground.at("data/d"), ground.at("far/e"));
    ground.repair(["links", "untracked"]).at_least(Confidence::Strong).run().mends_all();
    assert_eq!(read(ground.at("untracked/f")).as_deref(), Some("x"));
    assert_eq!(read(ground.at("untracked/g")).as_deref(), Some("y"));
}

#[test]
fn a_search_root_that_is_a_link_means_the_directory_behind_it() {
    let (ground, behind) = moved_higher(20);
    link("a", ground.at("via"));
    let ran = ground.repair(["links"]).search("via").at_least(Confidence::Strong).run();
    assert!(behind.iter().all(|(path, content)| read(path).as_ref() == Some(content)), "{ran}");
}

#[test]
fn a_directory_whose_parts_went_to_different_places_is_mended_part_by_part() {
    let ground = Ground::new();
    for part in ["x", "y"] {
        for n in 0..10 {
            let target = ground.at(format!("old/{part}/{part}{n}"));
            write(&target, format!("{part}{n}"));
            link(&target, ground.at(format!("links/to {part}{n}")));
        }
        rename(ground.at("old").join(part), ground.at(format!("to_{part}/{part}_now")));
    }
    fs::remove_dir(ground.at("old")).unwrap();
    ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    for name in names(ground.at("links")) {
        assert_eq!(read(ground.at("links").join(&name)).as_deref(), name.strip_prefix("to "));
    }
}

#[test]
fn a_file_copied_to_another_volume_is_found_there_by_its_content() {
    let (ground, other) = (Ground::on(Fs::Ext4), Ground::on(Fs::Xfs));
    write(ground.at("data/f"), "recorded content");
    link(ground.at("data/f"), ground.at("links/l"));
    ground.track(["links"]);
    fs::remove_file(ground.at("data/f")).unwrap();
    write(other.at("deep/f"), "recorded content");
    write(other.at("deeper/f"), "recorded ------t");
    let repair = ground.repair(["links"]).search(other.root()).at_least(Confidence::Strong);
    repair.run().mends_all();
    assert_eq!(ground.target("links/l"), other.at("deep/f"));
}

#[test]
fn a_small_sample_of_names_is_not_strong() {
    let ground = Ground::new();
    for n in 0..2 {
        write(ground.at(format!("other/n{n}")), "wrong");
        link(ground.at(format!("gone/n{n}")), ground.at(format!("links/l{n}")));
    }
    let ran = ground.repair(["links"]).at_least(Confidence::Strong).run().leaves_some();
    assert_eq!(ground.target("links/l0"), ground.at("gone/n0"), "{ran}");
}

#[test]
fn links_that_are_called_like_their_targets_do_not_stand_in_their_own_way() {
    let ground = Ground::new();
    for n in 0..20 {
        write(ground.at(format!("old/n{n}")), n.to_string());
        link(format!("../old/n{n}"), ground.at(format!("bin/n{n}")));
    }
    rename(ground.at("old"), ground.at("new"));
    let ran = ground.repair(["bin"]).at_least(Confidence::Strong).run();
    for n in 0..20 {
        assert_eq!(read(ground.at(format!("bin/n{n}"))), Some(n.to_string()), "{ran}");
    }
}

#[test]
fn two_directories_of_links_called_like_their_targets_do_not_stand_in_each_others_way() {
    let ground = Ground::new();
    for n in 0..20 {
        write(ground.at(format!("old/n{n}")), n.to_string());
        link(format!("../old/n{n}"), ground.at(format!("bin/n{n}")));
        link(format!("../old/n{n}"), ground.at(format!("sbin/n{n}")));
    }
    rename(ground.at("old"), ground.at("new"));
    let ran = ground.repair(["bin"]).at_least(Confidence::Strong).run();
    for n in 0..20 {
        assert_eq!(read(ground.at(format!("bin/n{n}"))), Some(n.to_string()), "{ran}");
    }
}

#[test]
fn a_broken_link_is_no_candidate_beside_a_file_of_the_name() {
    let ground = Ground::new();
    write(ground.at("new/f"), "x");
    link("../old/f", ground.at("links/f"));
    let ran = ground.repair(["links"]).at_least(Confidence::Weak).run();
    assert_eq!(read(ground.at("links/f")).as_deref(), Some("x"), "{ran}");
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
    let ran = ground.repair(["desk"]).at_least(Confidence::Strong).run();
    assert_eq!(ground.target("desk/a"), Path::new("../new/a"), "{ran}");
    assert_eq!(ground.target("desk/top"), Path::new("../new"), "{ran}");
    ran.mends_all();
}

#[track_caller]
fn assert_in_order(found: &[String], ran: &Repaired) {
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
        let ran = ground.repair(["links"]).plan().leaves_some();
        assert_in_order(&ran.candidates("links/l"), &ran);
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
        let ran = ground.repair(["links"]).plan().leaves_some();
        for n in 0..10 {
            let of_one = ran.candidates(&format!("links/l{n}"));
            assert!(of_one.iter().all(|path| path.ends_with(&format!("/f{n}"))), "{ran}");
            assert_in_order(&of_one, &ran);
        }
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
    let ran = ground.repair(["top", "links"]).at_least(Confidence::Weak).plan();
    assert_eq!(ran.new_target("links/l0"), Some("../top/t/f0".into()));
    assert_eq!(ran.outcome("top/t/cur"), Outcome::Remains);
}
