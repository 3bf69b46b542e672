//! Btrfs: each subvolume numbers its own files, and a snapshot repeats the numbers and times of another.

use super::*;

fn btrfs(args: &[&str], paths: &[PathBuf]) {
    assert!(Command::new("btrfs").args(args).args(paths).output().unwrap().status.success());
}

#[test]
fn moved_files_of_a_subvolume_in_another_are_found_too() {
    for ground in [Ground::on(Fs::Btrfs), Ground::nobody(Fs::Btrfs)] {
        let mut ground = ground;
        btrfs(&["subvolume", "create"], &[ground.at("inner")]);
        for (dir, content) in [("outer", "outer"), ("inner", "inner")] {
            write(ground.at(dir).join("a/f"), content);
            link(ground.at(dir).join("a/f"), ground.at("links").join(dir));
        }
        ground.give_away();
        ground.ok(["track", "links"]);
        for dir in ["outer", "inner"] {
            rename(ground.at(dir).join("a/f"), ground.at(dir).join("b/g"));
        }
        ground.give_away();
        ground.volume.remount();
        let ran = ground.run(["repair", "links", "--yes"]);
        for dir in ["outer", "inner"] {
            assert_eq!(read(ground.at("links").join(dir)).as_deref(), Some(dir), "{ran}");
        }
    }
}
