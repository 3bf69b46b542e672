//! What is NTFS and what only looks like it.

use super::*;

#[test]
fn a_junction_anywhere_but_on_ntfs_3g_is_refused_by_the_name_of_the_file_system() {
    let row = "junction: directories only, on NTFS";
    for fs in [Fs::Ext4, Fs::Tmpfs] {
        let bench = Bench::on(Volume::new(fs, 0));
        tree!(bench.root(), { "t" => dir });
        for target in ["t", r"C:\t"] {
            let args = ["create", "--kind", "junction", "j", target];
            refused(&bench, &args, &[fs.name(), row, "--kind symlink"]);
        }
    }
    // FUSE, but not ntfs-3g: taken for it by whoever looks at statfs alone.
    let source = tempfile::tempdir().unwrap();
    tree!(source, { "t" => dir });
    let bind = Bind::new(source.path());
    let state = tempfile::tempdir().unwrap();
    let args = ["create", "--kind", "junction", "j", "t"];
    let ran = Ran::of(command(state.path(), bind.path(), args).output().unwrap());
    ran.exits(4).says(&["fuse", row, "--kind symlink"]);
    assert_eq!(names(&bind.path()), ["t"]);
}

// bindfs passes the attributes through and is called `fuse` too; but its root is not the root of the volume
// (whose inode number would be 5).
#[test]
fn a_folder_of_an_ntfs_volume_shown_through_bindfs_gets_no_links_that_lead_elsewhere() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    let bind = Bind::new(bench.at("sub"));
    let args = ["create", "--kind", "junction", "j", "t"];
    let ran = Ran::of(command(bench.state.path(), bind.path(), args).output().unwrap());
    // `C:\t` would be right if the mount were the volume; it is a folder of it.
    if bench.names() == ["sub", "sub/t", "sub/t/f"] {
        ran.exits(4);
    } else {
        assert_eq!(get_reparse(bench.at("sub/j")), Some(junction(r"C:\sub\t")), "{ran:?}");
    }
}

#[test]
fn windows_targets_on_other_file_systems_are_refused() {
    let bench = Bench::on(Volume::new(Fs::Ext4, 0));
    for target in [r"C:\Games", r"c:/Games", r"\\server\share", r"\\?\C:\x"] {
        refused(&bench, &["create", "l", target], &["Windows path", "ext4", target]);
        refused(&bench, &["create", "--kind", "symlink", "--dir", "l", target], &["Windows path", "ext4"]);
    }
    // A name with a backslash that exists is a name like any other there.
    tree!(bench.root(), { r"C:\odd" => file("text") });
    bench.ok(["create", "l", r"C:\odd"]);
    assert_eq!(fs::read(bench.at("l")).unwrap(), b"text");
}

/// A kernel bind mount, until dropped.
struct KernelBind(std::path::PathBuf);

impl KernelBind {
    fn new(from: &Path, at: &Path) -> KernelBind {
        assert!(Command::new("mount").arg("--bind").args([from, at]).status().unwrap().success());
        KernelBind(at.to_owned())
    }
}

impl Drop for KernelBind {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).status();
        assert!(done.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn a_bind_mount_of_a_folder_gets_no_absolute_links_that_lie() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    let at = tempfile::tempdir().unwrap();
    let _bind = KernelBind::new(&bench.at("sub"), at.path());
    let args = ["create", "--kind", "junction", "j", "t"];
    let ran = Ran::of(command(bench.state.path(), at.path(), args).output().unwrap());
    if bench.names() == ["sub", "sub/t", "sub/t/f"] {
        ran.exits(4);
    } else {
        assert_eq!(get_reparse(bench.at("sub/j")), Some(junction(r"C:\sub\t")), "{ran:?}");
    }
}

// The text of readlink would be "brought back" as an Interix symlink.
#[test]
fn what_is_removed_through_a_bind_mount_of_a_folder_comes_back_with_its_own_bytes() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    dir_point(bench.at("sub/j"), &junction(r"C:\sub\t"));
    dir_point(bench.at("sub/u"), &symlink(r"\\s\h"));
    let at = tempfile::tempdir().unwrap();
    let bind = KernelBind::new(&bench.at("sub"), at.path());
    let run = |args: &[&str]| Ran::of(command(bench.state.path(), at.path(), args).output().unwrap());
    // Either it is not removed, or it can be brought back.
    for name in ["j", "u"] {
        let removed = run(&["remove", name]);
        if removed.code == Some(0) {
            run(&["undo"]).exits(0);
        }
    }
    drop(bind);
    assert_eq!(get_reparse(bench.at("sub/j")), Some(junction(r"C:\sub\t")));
    assert_eq!(get_reparse(bench.at("sub/u")), Some(symlink(r"\\s\h")));
}

#[test]
fn list_and_show_decode_links_on_a_bind_mount_of_a_folder_too() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    dir_point(bench.at("sub/unc"), &symlink(r"\\s\h"));
    dir_point(bench.at("sub/rel"), &symlink("t"));
    dir_point(bench.at("sub/j"), &junction(r"C:\sub\t"));
    let at = tempfile::tempdir().unwrap();
    let _bind = KernelBind::new(&bench.at("sub"), at.path());
    let run = |args: &[&str]| Ran::of(command(bench.state.path(), at.path(), args).output().unwrap()).exits(0);
    let listed = run(&["list", "--json"]).json()["links"].clone();
    let seen: Vec<_> = listed.as_array().unwrap().iter().map(|l| [&l["path"], &l["kind"], &l["target"]]).collect();
    let name = |text: &str| json!({ "text": text });
    let expected = [
        [name("j"), json!("junction"), name(r"C:\sub\t")],
        [name("rel"), json!("symlink-dir"), name("t")],
        [name("unc"), json!("symlink-dir"), name(r"\\s\h")],
    ];
    assert_eq!(json!(seen), json!(expected));
}

#[test]
fn a_volume_on_a_block_device_under_an_odd_name_is_ntfs_too() {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    tree!(volume.path(), { "t/f" => file("text") });
    volume.unmount();
    let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = dir.path().join("my disk\n\\040");
    fs::create_dir(&at).unwrap();
    let mount = Command::new("mount").args(["-t", "ntfs-3g", "-o", "loop"]).arg(volume.image()).arg(&at).output();
    assert!(mount.as_ref().unwrap().status.success(), "{mount:?}");
    let guard = KernelBind(at.clone());
    assert!(fs::read_to_string("/proc/self/mountinfo").unwrap().contains("- fuseblk"), "no block device");
    let run = |args: &[&OsStr]| Ran::of(command(state.path(), &at, args).output().unwrap()).exits(0);
    let full = at.join("t");
    run(&["create", "--kind", "junction", "j"]
        .map(OsStr::new)
        .into_iter()
        .chain([full.as_os_str()])
        .collect::<Vec<_>>());
    assert_eq!(get_reparse(at.join("j")), Some(hex(GOLDEN_JUNCTION)));
    let shown = run(&["show", "--json", "j"].map(OsStr::new)).json()["links"][0].clone();
    assert_eq!((&shown["state"], text(&shown["resolved"])), (&json!("ok"), full.to_str().unwrap().to_owned()));
    drop(guard);
    // ntfs-3g writes on for a moment after umount; the loop device goes with it.
    drop(volume);
}
