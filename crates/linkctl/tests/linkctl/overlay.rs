//! On an overlay, as in every container, an object of a lower layer gets another number at its first change.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

use crate::common::Linkctl;

/// An overlay over a directory with links and a file, mounted until it is dropped.
struct Overlay {
    linkctl: Linkctl,
    _layers: tempfile::TempDir,
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
        let at = |name: &str| dir.path().join(name).display().to_string();
        let layers = format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("work"));
        let mounted =
            Command::new("mount").args(["-t", "overlay", "overlay", "-o", &layers]).arg(linkctl.work()).status();
        assert!(mounted.unwrap().success());
        Overlay { linkctl, _layers: dir }
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
