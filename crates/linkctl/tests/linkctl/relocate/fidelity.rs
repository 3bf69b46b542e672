//! Random trees between file systems: everything kept, or told.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, chown, lchown};
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{Fs, Volume, tree};

use crate::common::{Linkctl, leftovers, os};
use crate::relocate::portrait::{Portrait, portrait};
use crate::relocate::{Dice, Scene, clear, same, sys};

const NAMES: [&[u8]; 10] = [
    b"plain",
    b"with space",
    b"new\nline",
    b"\xff\xfe",
    "\u{202e}rtl".as_bytes(),
    b"-dash",
    b"quote'\"",
    b"back\\slash",
    b"tab\there",
    b".hidden",
];

/// A tree of every kind of object; gives how the links in it that lead out have to be rewritten.
fn grow(src: &Path, dice: &mut Dice, fs_kind: Fs) -> Vec<(Vec<u8>, PathBuf)> {
    fs::create_dir(src).unwrap();
    let on_ntfs = fs_kind == Fs::Ntfs;
    let (mut dirs, mut files, mut rewritten) = (vec![PathBuf::new()], Vec::<PathBuf>::new(), Vec::new());
    for number in 0..(15 + dice.below(30)) {
        let dir = dirs[dice.below(dirs.len())].clone();
        let mut name = NAMES[dice.below(NAMES.len())].to_vec();
        if on_ntfs && name.starts_with(b"\xff") {
            // Names there are Unicode.
            name = b"Unicode".to_vec();
        }
        name.extend(number.to_string().bytes());
        if dice.below(12) == 0 {
            name.resize(250, b'x');
        }
        let path = dir.join(os(&name));
        let full = src.join(&path);
        let depth = dir.components().count();
        let out = |more: &str| format!("{}{more}", "../".repeat(depth + 1));
        match dice.below(14) {
            0..=2 => {
                fs::create_dir(&full).unwrap();
                dirs.push(path.clone());
            }
            3..=5 => {
                fs::write(&full, vec![u8::try_from(number).unwrap(); dice.below(9000)]).unwrap();
                files.push(path.clone());
            }
            6 => {
                let file = fs::File::create(&full).unwrap();
                for _ in 0..dice.below(4) {
                    file.write_at(b"island", dice.next() % (8 << 20)).unwrap();
                }
                file.set_len((8 << 20) + dice.next() % 10_000).unwrap();
                files.push(path.clone());
            }
            7 => tree!(src, { path => fifo }),
            8 => sys::device(&full, 1, 3),
            9 => tree!(src, { path => socket }),
            10 if !files.is_empty() => {
                fs::hard_link(src.join(&files[dice.below(files.len())]), &full).unwrap();
            }
            _ => {
                let own = src.to_str().unwrap();
                let home = src.parent().unwrap();
                let (text, away) = match dice.below(6) {
                    0 => ("nothing".to_owned(), None),
                    1 => (format!("{own}/plain0"), None),
                    2 => ("/absolute/elsewhere".to_owned(), None),
                    3 => (out("beside/x"), Some(home.join("beside/x"))),
                    // Out, and back in by the name that the tree has at home.
                    4 => (out("src/plain0"), Some(src.join("plain0"))),
                    _ => (format!("./{}", if depth > 0 { "../" } else { "" }), None),
                };
                std::os::unix::fs::symlink(&text, &full).unwrap();
                if let Some(away) = away {
                    rewritten.push((path.as_os_str().as_bytes().to_vec(), away));
                }
            }
        }
        let meta = full.symlink_metadata().unwrap();
        if meta.is_file() || meta.is_dir() {
            if dice.below(2) == 0 {
                sys::set_xattr(&full, "user.some", &vec![b'v'; dice.below(200)]);
                sys::set_xattr(&full, "trusted.of root", b"\0\x01");
            }
            if on_ntfs && dice.below(3) == 0 {
                // Of read-only, hidden and archive, some. An empty file that is marked as system is a pipe to ntfs-3g.
                let attributes = u32::try_from(dice.below(8) & 3 | dice.below(2) << 5).unwrap();
                sys::set_xattr(&full, "system.ntfs_attrib", &attributes.to_ne_bytes());
            }
            if dice.below(4) == 0 && !on_ntfs {
                acl(&full, &["-m", "u:77:r-x,g:88:rwx"]);
                if meta.is_dir() {
                    acl(&full, &["-d", "-m", "u:77:rwx"]);
                }
            }
            if dice.below(3) == 0 {
                let mode = [0o4755, 0o2750, 0o1777, 0o000, 0o6711, 0o444][dice.below(6)];
                fs::set_permissions(&full, PermissionsExt::from_mode(mode)).unwrap();
            }
            if dice.below(3) == 0 {
                chown(&full, Some(1000), Some(4_000_000)).unwrap();
                // Owner and mode in this order: the one takes from the other.
                if meta.is_file() && dice.below(2) == 0 {
                    fs::set_permissions(&full, PermissionsExt::from_mode(0o6755)).unwrap();
                }
            }
            if meta.is_file() && dice.below(4) == 0 {
                // cap_net_raw+ep, revision 2.
                let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                sys::set_xattr(&full, "security.capability", &capability);
            }
        } else if dice.below(2) == 0 {
            lchown(&full, Some(5), Some(6)).unwrap();
            if meta.is_symlink() && !on_ntfs && fs_kind != Fs::Tmpfs {
                sys::try_set_xattr(&full, "trusted.link", b"of a link");
            }
        }
    }
    let mut all: Vec<_> = dirs.clone();
    for dir in &dirs {
        all.extend(
            fs::read_dir(src.join(dir)).unwrap().map(|e| e.unwrap().path().strip_prefix(src).unwrap().to_owned()),
        );
    }
    all.sort();
    for path in all.iter().rev() {
        let seconds = [0, 1, 1_000_000_000, 2_000_000_000, 1_700_000_000][dice.below(5)];
        let nanoseconds = i64::try_from(dice.next() % 1_000_000_000).unwrap();
        sys::set_times(&src.join(path), seconds, nanoseconds);
    }
    rewritten
}

fn acl(path: &Path, options: &[&str]) {
    testkit::require::run(Command::new("setfacl").args(options).arg("--").arg(path));
}

fn rewrite(original: &Portrait, rewritten: &[(Vec<u8>, PathBuf)]) -> Portrait {
    let mut moved = original.clone();
    for (path, text) in rewritten {
        moved.get_mut(path).unwrap().insert("target", text.as_os_str().as_bytes().escape_ascii().to_string());
    }
    moved
}

/// Moves it and brings it back, and compares both times.
fn there_and_back(home: &Path, away: &Path, seed: u64, fs_kind: Fs) -> usize {
    clear(home);
    clear(away);
    let mut dice = Dice::new(seed);
    let (src, dst) = (home.join("src"), away.join("dst"));
    let rewritten = grow(&src, &mut dice, fs_kind);
    let original = portrait(&src);
    let moved = rewrite(&original, &rewritten);
    let sockets = Command::new("find").arg(&src).args(["-type", "s"]).output().unwrap().stdout;
    let sockets = sockets.split(|byte| *byte == b'\n').any(|line| !line.is_empty());
    let linkctl = Linkctl::on(home);
    let verify = ["full", "metadata"][dice.below(2)];
    let what = format!("seed {seed}, {} -> {}", home.display(), away.display());
    let args = ["move", "src", dst.to_str().unwrap(), "--yes", "--verify", verify];
    let ran = linkctl.output(args);
    assert_eq!(ran.code(), Some(0), "{what}: {ran}");
    if fs::metadata(home).unwrap().dev() != fs::metadata(away).unwrap().dev() {
        assert_eq!(ran.err.contains("socket"), sockets, "{what}: {ran}");
    }
    assert_eq!(src.canonicalize().unwrap(), dst, "{what}");
    same(&moved, &portrait(&dst), &format!("{what}, moved"));
    let undo = dice.below(2) == 0;
    let ran = if undo { linkctl.output(["undo", "--yes"]) } else { linkctl.output(["restore", "src", "--yes"]) };
    assert_eq!(ran.code(), Some(0), "{what}, back (undo: {undo}): {ran}");
    same(&original, &portrait(&src), &format!("{what}, back (undo: {undo})"));
    for dir in [home, away] {
        assert_eq!(leftovers(dir), [""; 0], "{what}");
    }
    assert!(dst.symlink_metadata().is_err(), "{what}");
    original.len()
}

use std::os::unix::fs::MetadataExt;

#[test]
fn random_trees_travel_between_all_pairs_of_file_systems_and_back() {
    let kinds = [Fs::Ext4, Fs::Xfs, Fs::Btrfs, Fs::Tmpfs];
    let volumes = kinds.map(|kind| Volume::new(kind, 200 << 20));
    let (mut seed, mut objects) = (1, 0);
    for (a, from) in volumes.iter().enumerate() {
        for (b, to) in volumes.iter().enumerate() {
            let rounds = if crate::relocate::the_whole() { if a == b { 15 } else { 30 } } else { 1 };
            for _ in 0..rounds {
                let (home, away) = (from.path().join("home"), to.path().join("away"));
                fs::create_dir_all(&home).unwrap();
                fs::create_dir_all(&away).unwrap();
                objects += there_and_back(&home, &away, seed, from.fs());
                seed += 1;
            }
        }
    }
    // Between NTFS and another file system, too much would be lost: that is refused.
    let ntfs = [Fs::Ntfs, Fs::Ntfs].map(|kind| Volume::new(kind, 200 << 20));
    for (from, to) in [(0, 0), (0, 1), (1, 0)] {
        for _ in 0..if crate::relocate::the_whole() { 30 } else { 1 } {
            let (home, away) = (ntfs[from].path().join("home"), ntfs[to].path().join("away"));
            fs::create_dir_all(&home).unwrap();
            fs::create_dir_all(&away).unwrap();
            objects += there_and_back(&home, &away, seed, Fs::Ntfs);
            seed += 1;
        }
    }
    println!("trees: {}, objects: {objects}, differences 0", seed - 1);
}

#[test]
fn a_single_file_travels_too() {
    let (home, away) = (Volume::new(Fs::Ext4, 0), Volume::new(Fs::Xfs, 0));
    for same_volume in [false, true] {
        let (home, away) = if same_volume { (home.path(), home.path()) } else { (home.path(), away.path()) };
        let scene = Scene::build(
            &home,
            &away,
            |src| {
                fs::write(src, "content").unwrap();
                chown(src, Some(3), Some(4)).unwrap();
                fs::set_permissions(src, PermissionsExt::from_mode(0o4710)).unwrap();
                sys::set_xattr(src, "user.x", b"y");
                sys::set_times(src, 1_234_567, 890);
            },
            &[],
        );
        scene.linkctl.ok(scene.away_args());
        scene.assert_moved("file");
        scene.linkctl.ok(scene.back_args());
        scene.assert_home("file");
        scene.linkctl.ok(scene.away_args());
        scene.linkctl.ok(["undo", "--yes"]);
        scene.assert_home("file, undone");
        scene.linkctl.ok(["undo", "--yes"]);
    }
}

#[test]
fn access_lists_of_the_new_place_do_not_get_into_the_tree() {
    let (home, away) = (Volume::new(Fs::Ext4, 16 << 20), Volume::new(Fs::Ext4, 16 << 20));
    for verify in ["full", "metadata"] {
        let scene = Scene::new(&home.path(), &away.path());
        acl(&away.path(), &["-d", "-m", "u:99:rwx"]);
        acl(&home.path(), &["-d", "-m", "u:66:rwx"]);
        let mut args = scene.away_args();
        args.extend(["--verify".into(), verify.into()]);
        scene.linkctl.ok(args);
        scene.assert_moved(verify);
        scene.linkctl.ok(scene.back_args());
        scene.assert_home(verify);
        acl(&home.path(), &["-b"]);
    }
}

#[test]
fn a_relative_link_is_left_if_asked_for() {
    let (home, away) = crate::relocate::two_in_memory();
    let scene = Scene::new(&home.path(), &away.path());
    let mut args = scene.away_args();
    args.push("--relative".into());
    scene.linkctl.ok(args);
    let text = fs::read_link(scene.src()).unwrap();
    assert!(text.is_relative() && text.starts_with(".."), "{}", text.display());
    assert_eq!(scene.src().canonicalize().unwrap(), scene.dst());
    scene.linkctl.ok(scene.back_args());
    scene.assert_home("relative");
}
