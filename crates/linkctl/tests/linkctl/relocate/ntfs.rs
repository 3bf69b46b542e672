//! On NTFS through ntfs-3g: what only NTFS has is kept, and two names change places by renames.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use reparse::{MountPoint, Other, ReparseData, Symlink, Tag, WideString};
use testkit::{Fs, Volume, ntfs, strace, tree};

use crate::common::Linkctl;
use crate::relocate::crashes::crash_at;
use crate::relocate::kills::{counts, points};
use crate::relocate::{Dice, Scene, WAYS, Way, small_tree, sys};

/// Whether a place is on a file system where two names cannot change places in one call.
pub(crate) fn knows_no_exchange(place: &Path) -> bool {
    sys::xattr(place, "system.ntfs_attrib").is_some()
}

fn wide(text: &str) -> WideString {
    WideString::from_units(text.encode_utf16().collect())
}

fn junction(text: &str) -> Vec<u8> {
    ReparseData::MountPoint(MountPoint::junction(&wide(text)).unwrap()).encode().unwrap()
}

fn symlink(text: &str) -> Vec<u8> {
    ReparseData::Symlink(Symlink::new(&wide(text)).unwrap()).encode().unwrap()
}

/// Extended attributes as OS/2 had them, and WSL has: one, "X" = "value".
const EA: &[u8] = &[16, 0, 0, 0, 0, 1, 5, 0, b'X', 0, b'v', b'a', b'l', b'u', b'e', 0];

/// The small tree with what only NTFS has.
fn ntfs_tree(src: &Path) {
    small_tree(src);
    let at = |name: &str| src.join(name);
    sys::set_xattr(&at("a/two"), "user.stream", &vec![b's'; 5000]);
    sys::set_xattr(&at("a/two"), "user.longest", &vec![b'l'; 65_536]);
    sys::set_xattr(&at("b"), "user.of a directory", b"d");
    fs::create_dir(at("j")).unwrap();
    ntfs::set_reparse(at("j"), &junction("C:\\home\\src\\a"));
    fs::create_dir(at("gone dir")).unwrap();
    ntfs::set_reparse(at("gone dir"), &junction("D:\\elsewhere"));
    fs::write(at("b/s"), "").unwrap();
    ntfs::set_reparse(at("b/s"), &symlink("..\\a\\one"));
    fs::create_dir(at("b/sd")).unwrap();
    ntfs::set_reparse(at("b/sd"), &symlink("c"));
    sys::set_xattr(&at("b/c/deep"), "system.ntfs_dos_name", b"DEEP~1");
    sys::set_xattr(&at("b/c"), "system.ntfs_dos_name", b"C~1");
    sys::set_xattr(&at("a/two"), "system.ntfs_object_id", b"0123456789abcdef");
    sys::set_xattr(&at("a/two"), "system.ntfs_ea", EA);
    for name in ["a/two", "b", "j", "b/s"] {
        sys::set_xattr(&at(name), "system.ntfs_acl", sys::SECURITY);
        // Read-only, hidden, archive.
        sys::set_xattr(&at(name), "system.ntfs_attrib", &0x23_u32.to_ne_bytes());
    }
    let times: Vec<u8> =
        [131, 132, 133, 134_u64].iter().flat_map(|times| (times * 1_000_000_000_000_000 + 7).to_ne_bytes()).collect();
    for name in ["a/two", "b/c", "b", "a", "j", "b/s", ""] {
        sys::set_xattr(&at(name), "system.ntfs_times", &times);
    }
}

/// Two places: on two volumes, or on one.
struct Places {
    _volumes: Vec<Volume>,
    home: PathBuf,
    away: PathBuf,
}

impl Places {
    fn new(same_volume: bool) -> Places {
        let volumes: Vec<Volume> =
            (0..if same_volume { 1 } else { 2 }).map(|_| Volume::new(Fs::Ntfs, 64 << 20)).collect();
        let home = volumes[0].path().join("home");
        let away = volumes.last().unwrap().path().join("away");
        fs::create_dir(&home).unwrap();
        fs::create_dir(&away).unwrap();
        Places { _volumes: volumes, home, away }
    }

    fn ready(&self, way: Way) -> Scene {
        let out = ("out", self.home.join("beside/file"));
        let scene = Scene::build(&self.home, &self.away, ntfs_tree, &[out]);
        if way == Way::Back {
            scene.linkctl.ok(scene.away_args());
            scene.assert_moved("before");
        }
        scene
    }
}

#[test]
fn what_only_ntfs_has_is_kept_there_and_back() {
    for same_volume in [false, true] {
        let places = Places::new(same_volume);
        for undo in [false, true] {
            let scene = places.ready(Way::Away);
            scene.linkctl.ok(scene.away_args());
            scene.assert_moved(&format!("same volume: {same_volume}"));
            let back = if undo { vec!["undo".to_owned(), "--yes".to_owned()] } else { scene.back_args() };
            scene.linkctl.ok(back);
            scene.assert_home(&format!("same volume: {same_volume}, undo: {undo}"));
        }
    }
}

#[test]
fn whatever_phase_it_ends_in_on_ntfs_recover_finishes_or_takes_back() {
    let mut dice = Dice::new(19);
    let (mut points, mut finished) = (0, 0);
    for same_volume in [false, true] {
        let places = Places::new(same_volume);
        let phases = if same_volume { vec![0, 1, 2, 3] } else { [(0..=9).collect(), vec![20, 21]].concat() };
        for way in WAYS {
            for &phase in &phases {
                for journal in dice.one_of(vec![true, false]) {
                    let scene = places.ready(way);
                    let ran = crash_at(&scene, way, phase);
                    let what = format!("same volume: {same_volume}, {way:?} {phase}");
                    assert_eq!(ran.status.signal(), Some(6), "{what} was not passed: {ran}");
                    scene.assert_recovers(journal, &what);
                    points += 1;
                    let done = scene.is_moved() == (way == Way::Away);
                    finished += usize::from(done);
                    let from = match (same_volume, way) {
                        (true, _) => 2,
                        (false, Way::Away) => 7,
                        (false, Way::Back) => 5,
                    };
                    assert_eq!(done, phase >= from && phase != 20, "{what}");
                }
            }
        }
    }
    println!("crash points on NTFS: {points}, finished {finished}, lost 0");
}

#[test]
fn killed_at_any_call_on_ntfs_nothing_is_lost() {
    let mut dice = Dice::new(23);
    let mut done = 0;
    for same_volume in [false, true] {
        let places = Places::new(same_volume);
        for way in WAYS {
            let scene = places.ready(way);
            let calls =
                "mkdirat,renameat,renameat2,symlinkat,linkat,unlinkat,fsync,lsetxattr,setxattr,fsetxattr,ftruncate";
            let all = points(&counts(&scene.linkctl.command(scene.args(way)), calls));
            let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(call, _)| call.starts_with("rename"));
            for (index, (call, n)) in [dice.some(first, 3), dice.some(rest, 4)].concat().into_iter().enumerate() {
                let mut scene = places.ready(way);
                scene.killed_at_rewriting = same_volume;
                let inject = format!("{call}:signal=SIGKILL:when={n}");
                let output = strace::inject(&inject, &scene.linkctl.command(scene.args(way)));
                let what = format!("same volume: {same_volume}, {way:?} {inject}");
                assert_eq!(output.status.signal(), Some(9), "{what}: {}", scene.linkctl.said(output));
                scene.assert_recovers(index % 2 == 0, &what);
                done += 1;
            }
        }
    }
    println!("kills on NTFS: {done}, lost 0");
}

#[test]
fn a_failed_call_on_ntfs_leaves_everything_where_it_was() {
    let mut dice = Dice::new(27);
    let mut done = 0;
    for same_volume in [false, true] {
        let places = Places::new(same_volume);
        for way in WAYS {
            // Of the renames, each; of the rest, the first.
            for call in ["renameat", "mkdirat", "lsetxattr", "fsync"] {
                for n in 1..=if call == "renameat" { 6 } else { 1 } {
                    for errno in dice.one_of(vec!["EIO", "ENOSPC", "EACCES"]) {
                        let scene = places.ready(way);
                        let inject = format!("{call}:error={errno}:when={n}");
                        let output = strace::inject(&inject, &scene.linkctl.command(scene.args(way)));
                        let ran = scene.linkctl.said(output);
                        let what = format!("same volume: {same_volume}, {way:?} {inject}: {ran}");
                        if ran.code() != Some(0) {
                            scene.assert_recovers(true, &what);
                        }
                        scene.assert_settled(&what);
                        done += 1;
                    }
                }
            }
        }
    }
    println!("failed calls on NTFS: {done}, lost 0");
}

#[test]
fn what_cannot_be_carried_is_refused_before_it_begins() {
    let places = Places::new(false);
    let other = Volume::new(Fs::Ext4, 16 << 20);
    let scene = Scene::build(&places.home, &places.away, |src| fs::create_dir(src).unwrap(), &[]);
    let refused = |args: Vec<String>, why: &str| {
        let ran = scene.linkctl.output(args);
        assert_eq!(ran.code(), Some(4), "{why}: {ran}");
        assert!(ran.err.contains(why), "{why}: {ran}");
    };
    let to = |path: PathBuf| vec!["move".to_owned(), "src".to_owned(), path.display().to_string(), "--yes".to_owned()];
    refused(to(other.path().join("dst")), "holds no streams");
    let on_ext4 = other.path().join("src");
    fs::create_dir(&on_ext4).unwrap();
    let mut args = to(scene.dst());
    args[1] = on_ext4.display().to_string();
    refused(args, "owners, rights and ACLs would not be kept");
    // Data that only Windows reads: compressed by the file system filter WOF.
    let odd = scene.src().join("odd");
    fs::write(&odd, "").unwrap();
    let wof = ReparseData::Other(Other { tag: Tag(0x8000_0017), guid: None, data: vec![1; 16] }).encode().unwrap();
    ntfs::set_reparse(&odd, &wof);
    refused(to(scene.dst()), "whose content only Windows can read");
    ntfs::remove_reparse(&odd);
    std::thread::sleep(std::time::Duration::from_millis(1200));
    fs::remove_file(&odd).unwrap();
    // A relative link out of the tree has no words for another volume.
    fs::write(&odd, "").unwrap();
    ntfs::set_reparse(&odd, &symlink("..\\beside"));
    refused(to(scene.dst()), "cannot say where to");
    assert_eq!(crate::relocate::leftovers(&places.home), [""; 0]);
    assert_eq!(crate::relocate::leftovers(&places.away), [""; 0]);
    // On its own volume it gets other words, and its own again.
    let near = places.home.join("deeper/and/dst");
    fs::create_dir_all(near.parent().unwrap()).unwrap();
    scene.linkctl.ok(to(near.clone()));
    assert_eq!(sys::xattr(&near.join("odd"), "system.ntfs_reparse_data").unwrap(), symlink("..\\..\\..\\beside"));
    scene.linkctl.ok(["restore", "src", "--yes"]);
    assert_eq!(sys::xattr(&scene.src().join("odd"), "system.ntfs_reparse_data").unwrap(), symlink("..\\beside"));
}

#[test]
fn streams_that_cannot_be_seen_are_not_lost_in_silence() {
    let home = Volume::with_options(Fs::Ntfs, 32 << 20, "streams_interface=none");
    let away = Volume::new(Fs::Ntfs, 32 << 20);
    let scene = Scene::build(&home.path(), &away.path(), |src| fs::create_dir(src).unwrap(), &[]);
    let ran = scene.linkctl.output(scene.away_args());
    assert!(ran.code() == Some(4) && ran.err.contains("streams_interface=xattr"), "{ran}");
    // A stream longer than the kernel takes attributes: made through the other interface.
    drop(home);
    let mut volume = Volume::with_options(Fs::Ntfs, 32 << 20, "streams_interface=windows");
    fs::create_dir_all(volume.path().join("home/src")).unwrap();
    fs::write(volume.path().join("home/src/file"), "x").unwrap();
    fs::write(volume.path().join("home/src/file:huge"), vec![b'h'; 70_000]).unwrap();
    volume.unmount();
    let mounted = tempfile::tempdir().unwrap();
    testkit::require::run(Command::new("ntfs-3g").arg(volume.image()).arg(mounted.path()));
    let linkctl = Linkctl::on(mounted.path().join("home"));
    let ran = linkctl.output(["move", "src", away.path().join("dst").to_str().unwrap(), "--yes"]);
    testkit::require::run(Command::new("umount").arg(mounted.path()));
    assert!(ran.code() == Some(4) && ran.err.contains("huge") && ran.err.contains("64 KiB"), "{ran}");
}

#[test]
fn a_junction_is_left_if_asked_for() {
    let places = Places::new(true);
    let scene = places.ready(Way::Away);
    let args = |more: &[&str]| [scene.away_args(), more.iter().map(|&more| more.to_owned()).collect()].concat();
    scene.linkctl.ok(args(&["--kind", "junction", "--drive", "E"]));
    assert_eq!(sys::xattr(&scene.src(), "system.ntfs_reparse_data").unwrap(), junction("E:\\away\\dst"));
    scene.linkctl.ok(["undo", "--yes"]);
    scene.assert_home("junction");
    scene.linkctl.ok(args(&["--drive", "E"]));
    assert_eq!(sys::xattr(&scene.src(), "system.ntfs_reparse_data").unwrap(), symlink("E:\\away\\dst"));
}

#[test]
fn a_link_with_a_long_name_is_rewritten_and_leaves_no_short_one() {
    let places = Places::new(true);
    let name = "n".repeat(250);
    let build = |src: &Path| {
        fs::create_dir(src).unwrap();
        std::os::unix::fs::symlink("../beside/file", src.join(&name)).unwrap();
    };
    let out = (name.as_str(), places.home.join("beside/file"));
    let scene = Scene::build(&places.home, &places.away, build, &[out]);
    scene.linkctl.ok(scene.away_args());
    scene.assert_moved("long name");
    scene.linkctl.ok(scene.back_args());
    scene.assert_home("long name");
}

#[test]
fn a_stage_that_anybody_could_write_rewrites_no_links_elsewhere() {
    // Mounted without rights, everything is everybody's: so is what recover finds there.
    let places = Places::new(true);
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("l");
    for path in [victim.display().to_string(), format!("../../../..{}", victim.display())] {
        let scene = places.ready(Way::Away);
        let away = places.home.join("beside/file");
        fs::remove_file(&victim).unwrap_or_default();
        std::os::unix::fs::symlink(&away, &victim).unwrap();
        crash_at(&scene, Way::Away, 1);
        let stage = places.away.join(&crate::relocate::leftovers(&places.away)[0]);
        let intent = fs::read_to_string(stage.join("intent")).unwrap();
        let forged = intent.replace(r#""path":{"text":"out"}"#, &format!(r#""path":{{"text":"{path}"}}"#));
        assert_ne!(intent, forged, "{intent}");
        fs::write(stage.join("intent"), forged).unwrap();
        let ran = scene.recover(false);
        assert!(ran.code() != Some(0) && ran.err.contains("no link of the tree"), "{ran}");
        assert_eq!(fs::read_link(&victim).unwrap(), away, "{ran}");
    }
}

#[test]
fn a_junction_that_leads_into_the_moved_tree_is_told_of_and_others_are_no_errors_unasked() {
    let (home, away) = (Volume::new(Fs::Ntfs, 0), Volume::new(Fs::Ntfs, 0));
    let linkctl = Linkctl::on(home.path());
    tree!(&home.path(), { "App/data/f" => file("x"), "Users" => dir });
    let there = away.path().join("App2");
    for (link, target) in [("App/j", r"C:\App\data"), ("Users/App", r"C:\App")] {
        linkctl.ok(["create", "--kind", "junction", link, target]);
    }
    let told = "App/j': leads into the tree by a full path of this volume";
    let args = |more: &[&'static str]| [&["move", "App"], more].concat();
    let to = there.to_str().unwrap().to_owned();
    let run = |more: &[&'static str]| {
        let mut words: Vec<String> = args(more).into_iter().map(str::to_owned).collect();
        words.push(to.clone());
        linkctl.output(words)
    };
    run(&["--yes", "--strict"]).exits(4).says(told);
    assert!(!there.exists() && !home.path().join("App").is_symlink());
    let told_in_json = run(&["--dry-run", "--json"]).exits(0).json().to_string();
    assert!(told_in_json.contains("leads-into-itself"), "{told_in_json}");
    // Nobody asked for other links: that this one cannot say the new place is no error.
    let ran = run(&["--yes"]).exits(0).says(told).says("1 link outside of it leads into");
    assert!(!ran.err.contains("error") && !ran.err.contains("--retarget"), "{ran:?}");
    linkctl.output(["undo", "--yes"]).exits(0);
    run(&["--yes", "--retarget"]).says("cannot retarget").says("Users/App");
    // And on the way back.
    ntfs::remove_reparse(there.join("j"));
    ntfs::set_reparse(there.join("j"), &junction(r"C:\App2\data"));
    linkctl.output(["restore", "--strict", "App"]).exits(4).says("App2/j': leads into the tree by a full path");
}
