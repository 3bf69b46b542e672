//! On an overlay, as in every container, an object of a lower layer gets another number at its first change.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

use testkit::tree;

use crate::common::Linkctl;

/// An overlay over a directory with links and a file, mounted until it is dropped.
struct Overlay {
    linkctl: Linkctl,
    layers: tempfile::TempDir,
}

impl Overlay {
    fn new() -> Overlay {
        let linkctl = Linkctl::new();
        let dir = tempfile::Builder::new().prefix("layers-").tempdir().unwrap();
        for name in ["lower", "upper", "work"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        for (link, target) in [("sh", "busybox"), ("ls", "busybox"), ("vi", "gone")] {
            symlink(target, dir.path().join("lower").join(link)).unwrap();
        }
        fs::write(dir.path().join("lower/busybox"), "1").unwrap();
        fs::write(dir.path().join("lower/conf"), "2").unwrap();
        fs::set_permissions(dir.path().join("lower/conf"), std::os::unix::fs::PermissionsExt::from_mode(0o4755))
            .unwrap();
        tree!(dir.path(), {
            "lower/dir/f" => file("f"), "lower/dir/sub/g" => file("g"), "lower/dir/sub/empty" => dir,
            "lower/dir/out" => symlink("../conf"), "lower/dir/in" => symlink("sub/g"), "lower/to dir" => symlink("dir"),
            "away/sub/f" => file("f")
        });
        symlink(dir.path().join("away"), dir.path().join("lower/to away")).unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let layers = format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("work"));
        let mounted =
            Command::new("mount").args(["-t", "overlay", "overlay", "-o", &layers]).arg(linkctl.work()).status();
        assert!(mounted.unwrap().success());
        Overlay { linkctl, layers: dir }
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let ended = Command::new("umount").arg(self.linkctl.work()).status();
        assert!(ended.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn links_of_a_lower_layer_are_changed_the_first_time_and_back() {
    let overlay = Overlay::new();
    let linkctl = &overlay.linkctl;
    linkctl.ok(["remove", "sh"]);
    linkctl.ok(["undo"]);
    assert_eq!(linkctl.target("sh"), b"busybox");
    linkctl.ok(["create", "--replace", "ls", "conf"]);
    linkctl.ok(["undo"]);
    assert_eq!(linkctl.target("ls"), b"busybox");
    let map = format!("{}={}", linkctl.at("gone").display(), linkctl.at("busybox").display());
    linkctl.ok(["repair", "vi", "--yes", "--map", &map]);
    linkctl.ok(["undo"]);
    assert_eq!(linkctl.target("vi"), b"gone");
}

#[test]
fn a_file_of_a_lower_layer_gets_a_second_name_which_is_recorded() {
    let overlay = Overlay::new();
    let linkctl = &overlay.linkctl;
    linkctl.ok(["create", "--kind", "hard", "conf2", "conf"]);
    let (one, two) = (linkctl.at("conf").metadata().unwrap(), linkctl.at("conf2").metadata().unwrap());
    assert_eq!((one.ino(), one.nlink()), (two.ino(), 2));
    assert_eq!(one.mode() & 0o7777, 0o4755, "nothing of the file is changed");
    linkctl.ok(["undo"]);
    assert!(!linkctl.exists("conf2") && linkctl.exists("conf"));
    assert_eq!(linkctl.history().len(), 2);
}

/// Whether the directory is whole there.
fn is_whole(linkctl: &Linkctl, name: &str) -> bool {
    let read = |below: &str| fs::read_to_string(linkctl.at(name).join(below)).unwrap_or_default();
    let all = [("f", "f"), ("sub/g", "g"), ("in", "g"), ("out", "2")];
    all.iter().all(|(below, content)| read(below) == *content) && linkctl.at(name).join("sub/empty").is_dir()
}

#[test]
fn a_directory_of_a_lower_layer_is_moved_and_brought_back() {
    let overlay = Overlay::new();
    let linkctl = &overlay.linkctl;
    linkctl.ok(["move", "--dry-run", "dir", "dir2"]).says("copied, and then removed");
    linkctl.ok(["move", "--yes", "dir", "dir2"]);
    assert!(is_whole(linkctl, "dir2") && linkctl.at("dir").is_symlink() && is_whole(linkctl, "dir"));
    linkctl.ok(["undo", "--yes"]);
    assert!(is_whole(linkctl, "dir") && !linkctl.at("dir").is_symlink() && !linkctl.exists("dir2"));
    linkctl.ok(["move", "--yes", "dir", "dir3"]);
    linkctl.ok(["restore", "--yes", "dir"]);
    assert!(is_whole(linkctl, "dir") && !linkctl.at("dir").is_symlink() && !linkctl.exists("dir3"));
    assert_eq!(crate::common::leftovers(linkctl.work()), Vec::<String>::new());
    // To and from another file system.
    let overlay = Overlay::new();
    let linkctl = &overlay.linkctl;
    let other = tempfile::tempdir().unwrap();
    let away = other.path().join("away");
    linkctl.ok(["move".as_ref(), "--yes".as_ref(), "dir".as_ref(), away.as_os_str()]);
    assert!(linkctl.at("dir").is_symlink() && is_whole(linkctl, "dir"));
    linkctl.ok(["undo", "--yes"]);
    assert!(is_whole(linkctl, "dir") && !linkctl.at("dir").is_symlink() && !away.exists());
    linkctl.ok(["restore", "--yes", "to away"]);
    assert!(linkctl.at("to away/sub/f").exists() && !linkctl.at("to away").is_symlink());
    assert!(!overlay.layers.path().join("away").exists());
    // Both the link and what it leads to are of the lower layer.
    let overlay = Overlay::new();
    let linkctl = &overlay.linkctl;
    linkctl.ok(["restore", "--yes", "to dir"]);
    assert!(is_whole(linkctl, "to dir") && !linkctl.at("to dir").is_symlink() && !linkctl.exists("dir"));
    linkctl.ok(["undo", "--yes"]);
    assert!(is_whole(linkctl, "dir") && linkctl.at("to dir").is_symlink());
}

#[test]
fn wherever_the_move_of_a_directory_of_a_lower_layer_ends_recover_finishes_it_or_takes_it_back() {
    let ways = [
        (["move", "--yes", "dir", "dir2"].as_slice(), "dir", "dir2"),
        (&["restore", "--yes", "to dir"], "dir", "to dir"),
    ];
    let mut ended = std::collections::BTreeSet::new();
    for (args, from, to) in ways {
        for phase in (0..10).chain(20..22) {
            let overlay = Overlay::new();
            let linkctl = &overlay.linkctl;
            let mut command = linkctl.command(args);
            if command.env("LINKCTL_CRASH_AT_PHASE", phase.to_string()).output().unwrap().status.success() {
                continue;
            }
            let ran = linkctl.output(["recover", "--yes"]).exits(0);
            let is_there = fs::symlink_metadata(linkctl.at(to)).is_ok_and(|found| found.is_dir());
            ended.insert((to, is_there));
            assert!(is_whole(linkctl, if is_there { to } else { from }), "{args:?} {phase}: {ran:?}");
            assert_eq!(linkctl.exists(from), args[0] == "move" || !is_there, "{args:?} {phase}: {ran:?}");
            assert_eq!(linkctl.at(from).is_symlink(), is_there && args[0] == "move", "{args:?} {phase}: {ran:?}");
            assert_eq!(linkctl.at("to dir").is_symlink(), args[0] == "move" || !is_there, "{args:?} {phase}: {ran:?}");
            assert!(linkctl.ok(["recover"]).out.contains("nothing to recover"), "{args:?} {phase}");
            let left = crate::common::leftovers(linkctl.work());
            assert!(left.is_empty(), "{args:?} {phase}: {left:?}");
        }
    }
    assert_eq!(ended.len(), 4, "each way ends both ways: {ended:?}");
}
