//! A file system is known by its UUID: wherever it is mounted, by whatever device, and on whatever machine.

use super::*;

/// A mount of an image at another place, until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(image: &Path, at: PathBuf) -> Mounted {
        fs::create_dir_all(&at).unwrap();
        assert!(Command::new("mount").args(["-o", "loop"]).args([image, &at]).status().unwrap().success());
        Mounted(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

fn tracked(fs: Fs) -> Ground {
    let ground = Ground::on(fs);
    for n in 0..20 {
        write(ground.at(format!("data/d{n}/f")), format!("{n}"));
        link(format!("../data/d{n}/f"), ground.at(format!("links/l{n}")));
        link(format!("../data/d{n}"), ground.at(format!("links/d{n}")));
    }
    ground.track(["links"]);
    ground
}

#[test]
fn a_volume_mounted_elsewhere_by_another_device_is_known_again() {
    for fs in [Fs::Ext4, Fs::Xfs, Fs::Btrfs] {
        let mut ground = tracked(fs);
        for n in 0..20 {
            rename(ground.at(format!("data/d{n}/f")), ground.at(format!("far/x{n}/g")));
            rename(ground.at(format!("data/d{n}")), ground.at(format!("far/dir{n}")));
            write(ground.at(format!("far/dir{n}/who")), n.to_string());
        }
        let device = fs::metadata(ground.root()).unwrap().dev();
        let image = ground.volume.image();
        ground.volume.unmount();
        let dir = tempfile::tempdir().unwrap();
        // Others take the number of the device first.
        let mut others = Vec::new();
        let mounted = loop {
            let mounted = Mounted::new(&image, dir.path().join("mnt"));
            if fs::metadata(&mounted.0).unwrap().dev() != device {
                break mounted;
            }
            drop(mounted);
            others.push(Volume::new(if fs == Fs::Btrfs { Fs::Tmpfs } else { Fs::Ext4 }, 0));
            assert!(others.len() < 20, "the device has the same number again");
        };
        let ran = ground.records().repair(vec![mounted.0.join("links")]).run();
        for n in 0..20 {
            let links = mounted.0.join("links");
            assert_eq!(read(links.join(format!("l{n}"))), Some(n.to_string()), "{fs:?}\n{ran}");
            assert_eq!(read(links.join(format!("d{n}/who"))), Some(n.to_string()), "{fs:?}\n{ran}");
        }
        ran.mends_all();
        drop((mounted, others));
    }
}

#[test]
fn a_database_of_another_volume_with_the_same_paths_and_numbers_gives_nothing_away() {
    let mut first = tracked(Fs::Ext4);
    let second = tracked(Fs::Ext4);
    // Built alike: its numbers are the same. What moved there is not what was recorded of the first.
    for n in 0..20 {
        rename(second.at(format!("data/d{n}")), second.at(format!("far/dir{n}")));
        rename(second.at(format!("far/dir{n}/f")), second.at(format!("far/dir{n}/g")));
    }
    let texts = find(second.at("links"));
    let mut second = second;
    let (image, root) = (second.volume.image(), first.root());
    first.volume.unmount();
    second.volume.unmount();
    let mounted = Mounted::new(&image, root.clone());
    let ran = first.repair(["links"]).run().leaves_some();
    let now: Vec<Vec<u8>> = find(root.join("links")).into_values().collect();
    assert_eq!(now, texts.into_values().collect::<Vec<_>>(), "{ran}");
    drop(mounted);
}

#[test]
fn a_copied_state_directory_serves_as_well() {
    let ground = tracked(Fs::Ext4);
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("state");
    let mut cp = Command::new("cp");
    assert!(cp.arg("-a").args([&ground.records().directory, &copy]).status().unwrap().success());
    rename(ground.at("data"), ground.at("far/data"));
    let other = Records { directory: copy, ..ground.records() };
    other.repair(vec![ground.at("links")]).run().mends_all();
    for n in 0..20 {
        assert_eq!(read(ground.at(format!("links/l{n}"))), Some(n.to_string()));
    }
}

#[test]
fn a_clone_of_a_volume_with_its_uuid_is_mended_within_itself() {
    let mut ground = tracked(Fs::Ext4);
    for n in 0..20 {
        rename(ground.at(format!("data/d{n}")), ground.at(format!("far/dir{n}")));
    }
    ground.volume.unmount();
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let mut cp = Command::new("cp");
    assert!(cp.arg("--sparse=always").args([&ground.volume.image(), &image]).status().unwrap().success());
    ground.volume.mount();
    let clone = Mounted::new(&image, dir.path().join("mnt"));
    let ran = ground.records().repair(vec![clone.0.join("links")]).run();
    for n in 0..20 {
        let at = clone.0.join(format!("links/d{n}"));
        if let Ok(found) = fs::canonicalize(&at) {
            assert!(found.starts_with(&clone.0), "{} leads to {}\n{ran}", at.display(), found.display());
        }
    }
    drop(clone);
}
