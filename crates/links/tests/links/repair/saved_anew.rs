//! Files that an editor saved anew or put aside: another inode has the recorded name.

use super::*;

/// Saves a file as editors do: another one takes its name.
fn save(path: impl AsRef<Path>, content: &str) {
    let new = path.as_ref().with_extension("new");
    write(&new, content);
    rename(new, path);
}

/// Tracked links to eight files, each of which was saved anew since.
fn saved_anew() -> Ground {
    let ground = Ground::on(Fs::Ext4);
    let names: Vec<String> = (0..8).map(|n| format!("old/f{n}.conf")).collect();
    for (n, name) in names.iter().enumerate() {
        write(ground.at(name), "first");
        link(Path::new("..").join(name), ground.at(format!("links/l{n}")));
    }
    ground.track(["links"]);
    for name in &names {
        save(ground.at(name), "second, and longer");
    }
    ground
}

#[test]
fn files_that_were_saved_anew_are_found_with_their_directory() {
    let ground = saved_anew();
    rename(ground.at("old"), ground.at("new"));
    let planned = ground.repair(["links"]).at_least(Confidence::Strong).plan();
    assert_eq!(planned.links().len(), 8);
    for path in planned.links().keys() {
        let found = (planned.outcome(path), planned.confidence(path));
        assert_eq!(found, (Outcome::Planned, Some(Confidence::Strong)), "{path}: {planned}");
    }
    ground.repair(["links"]).at_least(Confidence::Strong).run().mends_all();
    assert_eq!(ground.target("links/l3"), Path::new("../new/f3.conf"));
}

#[test]
fn what_took_the_place_of_a_recorded_file_goes_before_that_and_neither_is_sure() {
    let ground = saved_anew();
    write(ground.at("old/own.conf"), "own");
    link("../old/own.conf", ground.at("links/own"));
    ground.track(["links/own"]);
    rename(ground.at("old/own.conf"), ground.at("kept/own.conf"));
    write(ground.at("old/own.conf"), "another");
    rename(ground.at("old"), ground.at("new"));
    let records = ground.repair(["links"]).at_least(Confidence::Strong).plan();
    assert_eq!(records.confidence("links/own"), Some(Confidence::Strong), "{records}");
    assert_eq!(records.new_target("links/own"), Some("../new/own.conf".into()), "{records}");
    assert_eq!(records.confidence("links/l0"), Some(Confidence::Strong), "{records}");
}

#[test]
fn one_file_that_was_saved_anew_is_found_by_its_name_as_weak() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "first");
    link("../data/f", ground.at("links/l"));
    ground.track(["links"]);
    save(ground.at("data/f"), "second, and longer");
    rename(ground.at("data/f"), ground.at("sub/f"));
    let planned = ground.repair(["links"]).plan();
    let found = (planned.outcome("links/l"), planned.confidence("links/l"));
    assert_eq!(found, (Outcome::Shown, Some(Confidence::Weak)), "{planned}");
    assert_eq!(planned.new_target("links/l"), Some("../sub/f".into()), "{planned}");
}

#[test]
fn what_an_editor_kept_of_the_file_before_is_not_taken_for_it() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("f"), "first");
    link("f", ground.at("l"));
    ground.track(["l"]);
    rename(ground.at("f"), ground.at("f~"));
    write(ground.at("f"), "second");
    rename(ground.at("f"), ground.at("sub/f"));
    let planned = ground.repair(["l"]).plan();
    assert_ne!(planned.confidence("l"), Some(Confidence::Exact), "{planned}");
    let ran = ground.repair(["l"]).run().leaves_some();
    assert_eq!(ground.target("l"), Path::new("f"), "{ran}");
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
    ground.track(["links"]);
    for (name, aside) in names.iter().zip(aside) {
        rename(ground.at("dir").join(name), ground.at("dir").join(aside));
        write(ground.at("dir").join(name), "new");
    }
    rename(ground.at("dir"), ground.at("moved"));
    let ran = ground.repair(["links"]).plan();
    for name in names {
        let link = format!("links/{name}");
        assert_eq!(ran.new_target(&link), Some(format!("../moved/{name}").into()), "{ran}");
        assert_eq!(ran.confidence(&link), Some(Confidence::Strong), "{ran}");
    }
}
