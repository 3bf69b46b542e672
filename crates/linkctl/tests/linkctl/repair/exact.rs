//! What was recorded is found again wherever it went on its file system, by what it is.

use super::*;

const GROUPS: usize = 10;
const DIRECTORIES: usize = 10;
const FILES: usize = 9;

/// A thousand tracked links, and what is behind each.
struct Scene {
    ground: Ground,
    behind: BTreeMap<PathBuf, String>,
}

fn file_name(group: usize, directory: usize, file: usize) -> String {
    format!("f_{group}_{directory}_{file}")
}

impl Scene {
    fn new(ground: Ground) -> Scene {
        let mut behind = BTreeMap::new();
        let mut created: Vec<PathBuf> = Vec::new();
        fs::create_dir_all(ground.at("links/made")).unwrap();
        for group in 0..GROUPS {
            for directory in 0..DIRECTORIES {
                let name = format!("d_{group}_{directory}");
                let dir = ground.at(format!("data/g{group}/{name}"));
                let mut targets = vec![(dir.clone(), format!("in {group:03} {directory:03} who\n"))];
                write(dir.join("who"), &targets[0].1);
                for file in 0..FILES {
                    let content = format!("in {group:03} {directory:03} {file:03}\n");
                    write(dir.join(file_name(group, directory, file)), &content);
                    targets.push((dir.join(file_name(group, directory, file)), content));
                }
                for (number, (target, content)) in targets.into_iter().enumerate() {
                    let name = target.file_name().unwrap();
                    let at = match number % 3 {
                        0 => {
                            created.push(target.clone());
                            ground.at("links/made").join(name)
                        }
                        1 => {
                            let at = ground.at(format!("links/s{directory}")).join(name);
                            link(&target, &at);
                            at
                        }
                        _ => {
                            let at = ground.at(format!("links/t{directory}")).join(name);
                            link(Path::new("../..").join(target.strip_prefix(ground.root()).unwrap()), &at);
                            at
                        }
                    };
                    behind.insert(at, content);
                }
            }
        }
        ground.give_away();
        assert_eq!(behind.len(), 1000);
        let create = ["create", "--into", "links/made"].map(PathBuf::from);
        ground.ok(create.into_iter().chain(created));
        ground.ok(["track", "links"]);
        let scene = Scene { ground, behind };
        scene.assert_all_mended();
        scene
    }

    fn seen(path: &Path) -> Option<String> {
        if path.is_dir() { read(path.join("who")) } else { read(path) }
    }

    #[track_caller]
    fn assert_all_mended(&self) {
        for (path, content) in &self.behind {
            assert_eq!(Scene::seen(path).as_ref(), Some(content), "{}", path.display());
        }
    }

    /// Whole groups go elsewhere; of others each directory, under another name, with files renamed and moved out of it.
    /// Near where they were, others have their names and sizes.
    fn move_everything(&mut self) {
        let ground = &self.ground;
        for group in 0..GROUPS {
            let home = ground.at(format!("data/g{group}"));
            if group % 2 == 0 {
                rename(&home, ground.at(format!("else/where{group}/h{group}")));
            } else {
                for directory in 0..DIRECTORIES {
                    let new = ground.at(format!("moved/x{directory}_{group}"));
                    rename(home.join(format!("d_{group}_{directory}")), &new);
                    for file in 0..FILES {
                        let name = file_name(group, directory, file);
                        match file % 3 {
                            0 => rename(new.join(&name), new.join(format!("renamed_{file}"))),
                            1 => rename(new.join(&name), ground.at(format!("pool/p{directory}/{name}_"))),
                            _ => {}
                        }
                    }
                }
                fs::remove_dir(&home).unwrap();
            }
            for directory in 0..DIRECTORIES {
                for file in 0..FILES {
                    let name = file_name(group, directory, file);
                    write(ground.at(format!("data/near{directory}/{name}")), "not this 000 000\n");
                }
            }
        }
        ground.give_away();
        self.ground.volume.remount();
    }
}

fn moved_targets_are_found_with_one_walk(ground: Ground) {
    let mut scene = Scene::new(ground);
    scene.move_everything();
    let ground = &scene.ground;
    let (all, own) = (ground.readings(["list", "."], 0), ground.readings(["list", "links"], 0));
    let used = ground.readings(["repair", "links", "--yes"], 0);
    assert!(used <= all + own + 8, "{used} readings; the volume has {all}, the links {own}");
    scene.assert_all_mended();
    assert_eq!(ground.history()[0]["done"], 1000);
}

#[test]
fn ext4_a_thousand_moved_targets_are_found_with_one_walk() {
    moved_targets_are_found_with_one_walk(Ground::on(Fs::Ext4));
}

#[test]
fn xfs_a_thousand_moved_targets_are_found_with_one_walk() {
    moved_targets_are_found_with_one_walk(Ground::on(Fs::Xfs));
}

#[test]
fn btrfs_a_thousand_moved_targets_are_found_with_one_walk() {
    moved_targets_are_found_with_one_walk(Ground::on(Fs::Btrfs));
}

#[test]
fn ext4_a_thousand_moved_targets_are_found_with_one_walk_by_an_ordinary_user() {
    moved_targets_are_found_with_one_walk(Ground::nobody(Fs::Ext4));
}

#[test]
fn xfs_a_thousand_moved_targets_are_found_with_one_walk_by_an_ordinary_user() {
    moved_targets_are_found_with_one_walk(Ground::nobody(Fs::Xfs));
}

#[test]
fn btrfs_a_thousand_moved_targets_are_found_with_one_walk_by_an_ordinary_user() {
    moved_targets_are_found_with_one_walk(Ground::nobody(Fs::Btrfs));
}

/// Targets that were deleted are looked for by what they are, and then by what they were called: that is twice.
#[test]
fn deleted_targets_cost_at_most_one_walk_more() {
    for ground in [Ground::on(Fs::Ext4), Ground::nobody(Fs::Ext4)] {
        for n in 0..200 {
            write(ground.at(format!("a/b/c/d{n}/f")), n.to_string());
            write(ground.at(format!("a/x{n}/other")), "");
            link(ground.at(format!("a/b/c/d{n}/f")), ground.at(format!("links/l{n}")));
        }
        ground.give_away();
        ground.ok(["track", "links"]);
        fs::remove_file(ground.at("a/b/c/d7/f")).unwrap();
        for n in 0..200 {
            rename(ground.at(format!("a/b/c/d{n}")), ground.at(format!("a/b/c/moved{n}")));
        }
        let (all, own) = (ground.readings(["list", "."], 0), ground.readings(["list", "links"], 0));
        let used = ground.readings(["repair", "links", "--yes"], 1);
        assert_eq!(ground.history()[0]["done"], 199);
        assert!(used <= 2 * all + own + 8, "{used} readings; the volume has {all}, the links {own}");
    }
}

#[test]
fn where_the_scan_has_read_the_whole_volume_nothing_is_read_twice() {
    let mut scene = Scene::new(Ground::nobody(Fs::Ext4));
    scene.move_everything();
    let ground = &scene.ground;
    let all = ground.readings(["list", "."], 0);
    let used = ground.readings(["repair", ".", "--yes"], 0);
    assert!(used <= all + 8, "{used} readings; the volume has {all}");
    scene.assert_all_mended();
}

#[test]
fn root_finds_moved_directories_without_a_walk() {
    for fs in [Fs::Ext4, Fs::Xfs, Fs::Btrfs] {
        let mut ground = Ground::on(fs);
        for n in 0..100 {
            write(ground.at(format!("data/d{n}/sub/who")), format!("{n}"));
            link(ground.at(format!("data/d{n}/sub")), ground.at(format!("links/l{n}")));
        }
        ground.ok(["track", "links"]);
        for n in 0..100 {
            rename(ground.at(format!("data/d{n}")), ground.at(format!("far/{n}/away")));
        }
        ground.volume.remount();
        let own = ground.readings(["list", "links"], 0);
        let used = ground.readings(["repair", "links", "--yes"], 0);
        assert!(used <= own + 4, "{fs:?}: {used} readings, of which the links need {own}");
        for n in 0..100 {
            assert_eq!(read(ground.at(format!("links/l{n}/who"))), Some(n.to_string()), "{fs:?}");
        }
    }
}

/// Deletes targets and makes new files until they have the old numbers, of the same size and times. None is taken.
fn a_number_given_again_is_never_taken(ground: Ground) {
    let scene = Scene::new(ground);
    let ground = &scene.ground;
    let mut dead = BTreeMap::new();
    for (number, path) in scene.behind.keys().enumerate() {
        if number % 7 != 0 {
            continue;
        }
        let target = fs::canonicalize(path).unwrap();
        let meta = fs::metadata(&target).unwrap();
        if meta.is_file() {
            fs::remove_file(&target).unwrap();
            dead.insert(path.clone(), (meta.ino(), fs::read_link(path).unwrap(), meta.modified().unwrap()));
        }
    }
    rename(ground.at("data"), ground.at("else/data"));
    let numbers: std::collections::BTreeSet<u64> = dead.values().map(|dead| dead.0).collect();
    let time = dead.values().next().unwrap().2;
    let mut again = 0;
    for n in 0..2000 {
        // Also of the names that are looked for.
        let name = dead.keys().nth(n % dead.len()).unwrap().file_name().unwrap().to_owned();
        let path = ground.at(format!("new/{n}")).join(name);
        write(&path, "not this 000 000\n");
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        again += usize::from(numbers.contains(&fs::metadata(&path).unwrap().ino()));
    }
    if ground.volume.fs() != Fs::Btrfs {
        assert!(again > 5, "only {again} numbers came again");
    }
    ground.give_away();
    let ran = ground.run(["repair", "links", "--min-confidence", "weak", "--yes"]).exits(1);
    for (path, content) in &scene.behind {
        match dead.get(path) {
            None => assert_eq!(Scene::seen(path).as_ref(), Some(content), "{}\n{ran}", path.display()),
            Some((_, text, _)) => {
                assert_eq!(fs::read_link(path).unwrap(), *text, "{}\n{ran}", path.display());
            }
        }
    }
}

#[test]
fn ext4_a_number_given_again_is_never_taken_by_an_ordinary_user() {
    a_number_given_again_is_never_taken(Ground::nobody(Fs::Ext4));
}

#[test]
fn a_directory_that_has_the_number_of_a_deleted_one_is_never_taken() {
    for ground in [Ground::on(Fs::Ext4), Ground::nobody(Fs::Ext4)] {
        write(ground.at("data/old/f"), "x");
        link(ground.at("data/old"), ground.at("links/l"));
        ground.give_away();
        ground.ok(["track", "links"]);
        let number = fs::metadata(ground.at("data/old")).unwrap().ino();
        fs::remove_dir_all(ground.at("data/old")).unwrap();
        let came = (0..500).any(|n| {
            let new = ground.at(format!("data/new{n}"));
            fs::create_dir(&new).unwrap();
            fs::metadata(&new).unwrap().ino() == number
        });
        assert!(came, "the number did not come again");
        ground.give_away();
        let ran = ground.run(["repair", "links", "--yes"]).exits(1);
        assert_eq!(ground.target("links/l"), ground.at("data/old"), "{ran}");
    }
}
