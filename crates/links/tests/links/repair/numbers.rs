//! Inode numbers that are given again: another object is never taken for the recorded one.

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
        let mut created: Vec<(PathBuf, PathBuf)> = Vec::new();
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
                            let at = ground.at("links/made").join(name);
                            created.push((at.clone(), target.clone()));
                            at
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
        assert_eq!(behind.len(), 1000);
        ground.create_all(&created);
        ground.track(["links"]);
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
    let ran = ground.repair(["links"]).at_least(Confidence::Weak).run().leaves_some();
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
fn ext4_a_number_given_again_is_never_taken() {
    a_number_given_again_is_never_taken(Ground::on(Fs::Ext4));
}

#[test]
fn xfs_a_number_given_again_is_never_taken() {
    a_number_given_again_is_never_taken(Ground::on(Fs::Xfs));
}

#[test]
fn btrfs_a_number_given_again_is_never_taken() {
    a_number_given_again_is_never_taken(Ground::on(Fs::Btrfs));
}
