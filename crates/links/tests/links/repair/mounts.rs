//! What mounts hide and what they show in its place.

use super::*;

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
fn for_what_a_mount_hides_no_other_of_its_name_is_proposed() {
    let ground = Ground::on(Fs::Ext4);
    for name in ["data", "decoy/x/data", "m"] {
        fs::create_dir_all(ground.at(name)).unwrap();
    }
    link("../data", ground.at("links/d"));
    ground.track(["links"]);
    rename(ground.at("data"), ground.at("m/hid"));
    let cover = Cover::over(ground.at("m"));
    let planned = ground.repair(["links"]).at_least(Confidence::Weak).plan();
    assert_eq!(planned.outcome("links/d"), Outcome::Remains, "{planned}");
    assert_eq!(planned.new_target("links/d"), None, "{planned}");
    drop(cover);
    assert_eq!(ground.repair(["links"]).plan().confidence("links/d"), Some(Confidence::Exact));
}

#[test]
fn the_root_of_another_volume_is_not_taken_for_that_of_this_one() {
    let (ground, other) = (Ground::on(Fs::Ext4), Volume::new(Fs::Ext4, 32 << 20));
    fs::create_dir(ground.at("disk")).unwrap();
    let mounted = |args: &[&OsStr]| assert!(Command::new("mount").args(args).status().unwrap().success());
    mounted(&["--bind".as_ref(), other.path().as_ref(), ground.at("disk").as_ref()]);
    let cover = Cover(ground.at("disk"));
    link("../disk", ground.at("links/disk"));
    ground.track(["links"]);
    drop(cover);
    fs::remove_dir(ground.at("disk")).unwrap();
    let ran = ground.repair(["links"]).plan();
    // The volume is mounted elsewhere still, where it is found.
    assert_eq!(ran.confidence("links/disk"), Some(Confidence::Exact), "{ran}");
    let found = ground.at("links").join(ran.new_target("links/disk").unwrap());
    assert_eq!(fs::canonicalize(found).unwrap(), other.path().canonicalize().unwrap());
}
