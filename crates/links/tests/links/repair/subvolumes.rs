//! Btrfs: each subvolume numbers its own files, and a snapshot repeats the numbers and times of another.

use super::*;

fn btrfs(args: &[&str], paths: &[PathBuf]) {
    assert!(Command::new("btrfs").args(args).args(paths).output().unwrap().status.success());
}

/// Links to the files of a subvolume and to their copies in its snapshot, told apart by where they were.
fn with_a_snapshot() -> Ground {
    let ground = Ground::on(Fs::Btrfs);
    btrfs(&["subvolume", "create"], &[ground.at("one")]);
    write(ground.at("one/d/f"), "same");
    write(ground.at("one/d/who"), "one");
    btrfs(&["subvolume", "snapshot"], &[ground.at("one"), ground.at("two")]);
    fs::write(ground.at("two/d/who"), "two").unwrap();
    for subvolume in ["one", "two"] {
        link(ground.at(format!("{subvolume}/d")), ground.at(format!("links/{subvolume}")));
    }
    ground.track(["links"]);
    ground
}

#[test]
fn what_a_snapshot_repeats_is_not_taken_for_the_original() {
    let ground = with_a_snapshot();
    rename(ground.at("one/d"), ground.at("one/e"));
    rename(ground.at("two/d"), ground.at("two/e"));
    let ran = ground.repair(["links"]).run();
    for subvolume in ["one", "two"] {
        let found = read(ground.at(format!("links/{subvolume}/who")));
        assert_eq!(found.as_deref(), Some(subvolume), "{ran}");
    }
}

#[test]
fn what_is_left_in_a_snapshot_is_not_taken_for_what_was_deleted() {
    let ground = with_a_snapshot();
    fs::remove_dir_all(ground.at("one/d")).unwrap();
    let ran = ground.repair(["links"]).run().leaves_some();
    assert_eq!(ground.target("links/one"), ground.at("one/d"), "{ran}");
}

#[test]
fn links_in_a_snapshot_are_not_led_out_of_it() {
    let ground = Ground::on(Fs::Btrfs);
    btrfs(&["subvolume", "create"], &[ground.at("one")]);
    for n in 0..5 {
        write(ground.at(format!("one/data/d{n}/f")), n.to_string());
        link(format!("../data/d{n}"), ground.at(format!("one/links/l{n}")));
    }
    ground.track(["one"]);
    rename(ground.at("one/data"), ground.at("one/far"));
    btrfs(&["subvolume", "snapshot"], &[ground.at("one"), ground.at("two")]);
    let ran = ground.repair(["two"]).run();
    for n in 0..5 {
        if let Ok(found) = fs::canonicalize(ground.at(format!("two/links/l{n}"))) {
            assert!(found.starts_with(ground.at("two")), "{}\n{ran}", found.display());
        }
    }
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
    ground.track(["p", "s"]);
    ground.convert(Conversion::Absolute, ["p/links"]).run().mends_all();
    rename(ground.at("s/links"), ground.at("s/links2"));
    ground.repair(["s"]).run().mends_all();
    assert_eq!(ground.target("s/e/m"), Path::new("../links2/l"));
}
