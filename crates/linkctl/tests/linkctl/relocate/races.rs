//! Others at work in the tree while it is moved: nothing they write is lost.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::{Ran, leftovers};
use crate::relocate::{Scene, WAYS, Way, the_whole, two_in_memory};

/// Runs it slowly: every call of these takes so long.
fn slowly(scene: &Scene, way: Way, inject: &str) -> std::process::Child {
    let command = scene.linkctl.command(scene.args(way));
    let mut strace = Command::new("strace");
    let calls = inject.split(':').next().unwrap();
    strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &format!("inject={inject}"), "--"]);
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.current_dir(&scene.home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    strace.spawn().unwrap()
}

/// Waits until strace holds the run, or it has ended. Whether it is held.
fn wait_until_held(strace: &std::process::Child) -> bool {
    let id = strace.id();
    let stat = |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = |pid: &str| stat(pid).rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    let held = || {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        state(children.split_whitespace().next()?).filter(|state| *state == 't')
    };
    let begin = Instant::now();
    let mut since = Instant::now();
    loop {
        if held().is_none() {
            since = Instant::now();
        }
        // Stops of a moment, at each call that is looked at, are none.
        if since.elapsed() > Duration::from_millis(80) {
            return true;
        }
        if state(&id.to_string()) == Some('Z') || begin.elapsed() > Duration::from_secs(30) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Where the old tree is now, if it was kept.
fn kept(scene: &Scene, way: Way) -> Option<PathBuf> {
    let dir = if way == Way::Away { &scene.home } else { &scene.away };
    let left = leftovers(dir);
    // The one with the tree itself in it, not the stage.
    left.into_iter().map(|name| dir.join(name)).find(|path| path.join("a").exists())
}

fn tree_at(scene: &Scene, way: Way) -> PathBuf {
    if way == Way::Away { scene.src() } else { scene.dst() }
}

/// What the end must be: done and nobody wrote meanwhile; or not done; or done, and the old tree kept.
#[track_caller]
fn judge(scene: &Scene, way: Way, ran: &Ran, what: &str, written: impl Fn(&Path) -> bool) -> &'static str {
    let new = if way == Way::Away { scene.dst() } else { scene.src() };
    let moved = scene.is_moved() == (way == Way::Away);
    match ran.code() {
        Some(0) => {
            assert!(moved && written(&new), "{what}: lost, and exit 0: {ran}");
            "done"
        }
        Some(3 | 4) if !moved => {
            assert!(written(&tree_at(scene, way)), "{what}: lost where it was: {ran}");
            assert_eq!(kept(scene, way), None);
            "aborted"
        }
        Some(3) => {
            let old = kept(scene, way).unwrap_or_else(|| panic!("{what}: not kept: {ran}"));
            assert!(written(&old) || written(&new), "{what}: lost in {}: {ran}", old.display());
            assert!(ran.err.contains("kept as"), "{what}: {ran}");
            "kept"
        }
        _ => panic!("{what}: {ran}"),
    }
}

#[test]
fn a_file_held_open_for_writing_across_the_swap_keeps_the_old_tree() {
    let (home, away) = two_in_memory();
    for way in WAYS {
        let scene = Scene::ready(&home.path(), &away.path(), way);
        let at = tree_at(&scene, way);
        let mut held = OpenOptions::new().append(true).open(at.join("a/two")).unwrap();
        let ran = scene.linkctl.output(scene.args(way));
        assert!(ran.err.contains(&format!("process {}", std::process::id())), "the writer is not named: {ran}");
        held.write_all(b"late").unwrap();
        let size = 70_004;
        let end = judge(&scene, way, &ran, "held open", |tree| {
            fs::metadata(tree.join("a/two")).is_ok_and(|meta| meta.len() == size)
        });
        assert_eq!(end, "kept", "{ran}");
        // It stays so until the owner has looked.
        drop(held);
        let again = scene.recover(true);
        assert_eq!(again.code(), Some(3), "{again}");
        assert!(again.err.contains("was changed"), "{again}");
        fs::remove_dir_all(kept(&scene, way).unwrap()).unwrap();
        let last = scene.recover(true);
        assert_eq!(last.code(), Some(0), "{last}");
        scene.assert_settled("after the owner has removed it");
    }
}

type Change = fn(&Path, usize);
type Written = fn(&Path, usize) -> bool;

#[test]
fn whatever_is_written_at_whatever_moment_is_somewhere() {
    let changes: [(&str, Change, Written); 5] = [
        (
            "append",
            |tree, _| {
                let file = OpenOptions::new().append(true).open(tree.join("a/two"));
                file.unwrap().write_all(b"appended").unwrap();
            },
            |tree, _| fs::metadata(tree.join("a/two")).is_ok_and(|meta| meta.len() == 70_008),
        ),
        (
            "overwrite",
            |tree, _| {
                let file = OpenOptions::new().write(true).open(tree.join("b/c/deep"));
                file.unwrap().write_all(b"DEEP").unwrap();
            },
            |tree, _| fs::read(tree.join("b/c/deep")).is_ok_and(|text| text == b"DEEP"),
        ),
        (
            "new file",
            |tree, _| fs::write(tree.join("b/empty/new"), "new").unwrap(),
            |tree, _| tree.join("b/empty/new").exists(),
        ),
        ("delete", |tree, _| fs::remove_file(tree.join("a/one")).unwrap(), |tree, _| !tree.join("a/one").exists()),
        (
            "rename",
            |tree, _| fs::rename(tree.join("a/two"), tree.join("b/two")).unwrap(),
            |tree, _| tree.join("b/two").exists() && !tree.join("a/two").exists(),
        ),
    ];
    // Held before the n-th call of a kind, the run is somewhere between its steps; what changes then, changes there.
    let moments = [
        "mkdirat:delay_enter=600000:when=4",
        "symlinkat:delay_enter=600000:when=5",
        "syncfs:delay_enter=600000:when=1",
        "syncfs:delay_exit=600000:when=1",
        "renameat2:delay_enter=600000:when=2",
        "renameat2:delay_enter=600000:when=3",
        "renameat2:delay_exit=600000:when=3",
        "fadvise64:delay_exit=600000:when=1",
        "fchown:delay_exit=600000:when=3",
    ];
    let (home, away) = two_in_memory();
    let mut ends = std::collections::BTreeMap::new();
    for (number, moment) in moments.iter().enumerate() {
        for (offset, (name, change, written)) in changes.iter().enumerate() {
            // Each moment with some of the changes.
            if (number + offset) % if the_whole() { 2 } else { 4 } != 0 {
                continue;
            }
            for way in WAYS {
                let scene = Scene::ready(&home.path(), &away.path(), way);
                let what = format!("{way:?}, {moment}, {name}");
                let child = slowly(&scene, way, moment);
                if !wait_until_held(&child) {
                    *ends.entry("not held").or_insert(0) += 1;
                }
                // Through the name it has just now; a program that comes by the path gets what is there.
                let at = tree_at(&scene, way);
                let is_there = at.is_dir() && (way == Way::Away || !at.is_symlink());
                if is_there {
                    change(&at, 0);
                }
                let ran = scene.linkctl.said(child.wait_with_output().unwrap());
                if is_there {
                    let end = judge(&scene, way, &ran, &what, |tree| written(tree, 0));
                    *ends.entry(end).or_insert(0) += 1;
                } else {
                    *ends.entry("nothing to change").or_insert(0) += 1;
                }
            }
        }
    }
    println!("races: {ends:?}, lost 0");
    assert!(ends.get("aborted").is_some_and(|&n| n > 5), "{ends:?}");
}

#[test]
fn a_writer_that_never_stops_loses_nothing() {
    let (home, away) = two_in_memory();
    let mut ends = std::collections::BTreeMap::new();
    for round in 0..6 {
        let way = Way::Away;
        let scene = Scene::ready(&home.path(), &away.path(), way);
        let (stop, path) = (AtomicBool::new(false), scene.src().join("a/log"));
        fs::write(&path, "").unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut lines = 0;
                let mut kept = OpenOptions::new().append(true).open(&path).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    if round % 2 == 0 {
                        writeln!(kept, "{lines:06}").unwrap();
                    } else if let Ok(mut file) = OpenOptions::new().append(true).open(&path) {
                        writeln!(file, "{lines:06}").unwrap();
                    } else {
                        continue;
                    }
                    lines += 1;
                    std::thread::sleep(Duration::from_millis([1, 3, 9][round / 2]));
                }
                lines
            });
            std::thread::sleep(Duration::from_millis(5));
            let ran = scene.linkctl.output(scene.away_args());
            std::thread::sleep(Duration::from_millis(10));
            stop.store(true, Ordering::Relaxed);
            let lines: usize = writer.join().unwrap();
            // Every line is in the old file or in the new one.
            let mut found = std::collections::BTreeSet::new();
            let places = [Some(scene.src().join("a/log")), kept(&scene, way).map(|old| old.join("a/log"))];
            for text in places.into_iter().flatten().filter_map(|path| fs::read_to_string(path).ok()) {
                found.extend(text.lines().map(str::to_owned));
            }
            assert_eq!(found.len(), lines, "round {round}: {ran}");
            *ends.entry(format!("{:?} moved: {}", ran.code(), scene.is_moved())).or_insert(0) += 1;
        });
    }
    println!("a writer that never stops: {ends:?}, lines lost 0");
}

#[test]
fn recover_leaves_a_move_alone_that_is_still_running() {
    let (home, away) = two_in_memory();
    for (call, when) in [("syncfs", 1), ("renameat2", 2), ("renameat2", 3)] {
        let scene = Scene::ready(&home.path(), &away.path(), Way::Away);
        let hold = scene.linkctl.hold(&format!("{call}:delay_enter=900000:when={when}"), scene.away_args());
        let left = leftovers(&scene.away);
        let ran = scene.recover(false);
        if !left.is_empty() {
            assert!(ran.code() != Some(0) && ran.err.contains("is running"), "{call} {when}: {ran}");
        }
        let ran = hold.end(&scene.linkctl);
        assert_eq!(ran.code(), Some(0), "{call} {when}: {ran}");
        scene.assert_moved(call);
    }
}
