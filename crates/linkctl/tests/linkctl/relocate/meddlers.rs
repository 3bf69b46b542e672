//! Others who delete and rename in the tree all the while it is moved or brought back: what they did not delete is somewhere.
//!
//! `races.rs` changes one thing at one moment; here, programs that do not stop meet one phase after another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testkit::tree;

use crate::common::{Ran, leftovers};
use crate::relocate::{Dice, Scene, WAYS, Way, the_whole, two_in_memory};

/// A phase: the call that is held when it begins, and the calls that are slow while it lasts.
///
/// The calls before the one that is meant: in trials whether links can be made, and of what is written down.
struct Phase {
    name: &'static str,
    hold: &'static str,
    slow: &'static str,
}

const PHASES: [Phase; 7] = [
    Phase { name: "copy", hold: "mkdirat:delay_exit=80000:when=4", slow: "fchown:delay_exit=1500" },
    Phase { name: "flush", hold: "syncfs:delay_enter=80000:when=1", slow: "fsync:delay_exit=2000" },
    Phase { name: "compare", hold: "syncfs:delay_exit=80000:when=1", slow: "fadvise64:delay_exit=1500" },
    Phase { name: "before publishing", hold: "renameat2:delay_enter=80000:when=2", slow: "fsync:delay_exit=2000" },
    Phase { name: "before the exchange", hold: "renameat2:delay_enter=80000:when=3", slow: "fsync:delay_exit=2000" },
    Phase { name: "after the exchange", hold: "renameat2:delay_exit=80000:when=3", slow: "fcntl:delay_exit=1000" },
    // The third name that is given is that of the end written down.
    Phase { name: "removal", hold: "renameat:delay_exit=80000:when=3", slow: "unlinkat:delay_exit=1500" },
];

const FILES: usize = 60;
/// A deleter leaves the rest alone: with nothing left there is nothing to lose.
const MOST_DELETED: usize = 25;

fn content(number: usize) -> String {
    format!("content of file {number}")
}

/// Some directories with files of which each says something else.
fn build(src: &Path) {
    for number in 0..FILES {
        let dir = ["a", "b", "b/c", "d", "d/e", "d/e/f", "g", "h"][number % 8];
        tree!(src, { format!("{dir}/f{number}") => file(content(number)) });
    }
}

/// Everything that any file below a directory says.
fn said_below(dir: &Path, all: &mut BTreeMap<String, Vec<PathBuf>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            said_below(&entry.path(), all);
        } else if kind.is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            all.entry(text).or_default().push(entry.path());
        }
    }
}

fn said_in(dir: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut all = BTreeMap::new();
    if dir.is_dir() {
        said_below(dir, &mut all);
    }
    all
}

/// Starts a run that is slow in one phase.
fn slowly(scene: &Scene, way: Way, phase: &Phase) -> Child {
    let command = scene.linkctl.command(scene.args(way));
    let call = |inject: &str| inject.split(':').next().unwrap().to_owned();
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-o", "/dev/null"]);
    strace.args(["-e", &format!("trace={},{}", call(phase.hold), call(phase.slow))]);
    for inject in [phase.hold, phase.slow] {
        strace.args(["-e", &format!("inject={inject}")]);
    }
    strace.arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.current_dir(&scene.home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    strace.spawn().unwrap()
}

/// Waits until a run is held at its phase; or it is over. Whether it was held.
fn wait_for(strace: &mut Child) -> bool {
    let id = strace.id();
    // Many short stops in a row are none: each of them counts as one more switch.
    let held = || {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        let child = children.split_whitespace().next()?;
        let status = fs::read_to_string(format!("/proc/{child}/status")).ok()?;
        let line = |name: &str| Some(status.lines().find(|line| line.starts_with(name))?.to_owned());
        line("State:")?.contains("\tt").then_some(())?;
        line("voluntary_ctxt_switches:")
    };
    let (mut since, mut last) = (Instant::now(), None);
    loop {
        if strace.try_wait().unwrap().is_some() {
            return false;
        }
        let now = held();
        if now.is_none() || now != last {
            (since, last) = (Instant::now(), now);
        }
        if since.elapsed() > Duration::from_millis(30) {
            return true;
        }
        std::thread::sleep(Duration::from_micros(400));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meddler {
    Deleter,
    Renamer,
}

/// What a meddler has done.
#[derive(Default)]
struct Done {
    /// What the files said that it deleted, by the tree's public name or in the old tree under its private one.
    deleted: BTreeSet<String>,
    /// Of these, those that it deleted before anything changed places.
    deleted_at_home: BTreeSet<String>,
    renamed: usize,
}

/// Where the tree is that the run takes things from: under its name, or the private one.
fn old_tree(scene: &Scene, way: Way) -> Option<(PathBuf, bool)> {
    let (public, beside) = if way == Way::Away { (scene.src(), &scene.home) } else { (scene.dst(), &scene.away) };
    if public.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Some((public, true));
    }
    let is_tree = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    leftovers(beside).into_iter().map(|name| beside.join(name)).find(is_tree).map(|path| (path, false))
}

/// Files and directories below a tree, as far as they can be found while others are at it.
fn look_around(dir: &Path, files: &mut Vec<PathBuf>, dirs: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                dirs.push(entry.path());
                look_around(&entry.path(), files, dirs);
            }
            Ok(_) => files.push(entry.path()),
            Err(_) => {}
        }
    }
}

/// Works until it is told to stop, with everything by path, as programs do that were started later.
fn meddle(scene: &Scene, way: Way, meddler: Meddler, stop: &AtomicBool, dice: &mut Dice) -> Done {
    let mut done = Done::default();
    let outside = if way == Way::Away { scene.home.join("outside") } else { scene.away.join("outside") };
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (mut files, mut dirs) = (Vec::new(), Vec::new());
        let Some((tree, is_public)) = old_tree(scene, way) else {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        };
        look_around(&tree, &mut files, &mut dirs);
        let mut pick = |all: &[PathBuf]| all.get(dice.below(all.len())).cloned();
        match meddler {
            Meddler::Deleter if done.deleted.len() >= MOST_DELETED => {}
            Meddler::Deleter => {
                // Nobody writes to these files: what was read is what is deleted.
                if let Some((file, text)) =
                    pick(&files).and_then(|file| Some((file.clone(), fs::read_to_string(file).ok()?)))
                    && fs::remove_file(&file).is_ok()
                {
                    if is_public {
                        done.deleted_at_home.insert(text.clone());
                    }
                    done.deleted.insert(text);
                }
            }
            Meddler::Renamer => {
                let new = format!("r{turn}");
                let renamed = match turn % 6 {
                    // Within the tree.
                    0 | 3 => pick(&files).zip(pick(&dirs)).map(|(file, dir)| (file, dir.join(&new))),
                    // Out of it, and back into it under another name or its own.
                    1 => pick(&files).map(|file| (file, outside.join(&new))),
                    2 => {
                        let (mut left, mut none) = (Vec::new(), Vec::new());
                        look_around(&outside, &mut left, &mut none);
                        pick(&left).zip(pick(&dirs)).map(|(file, dir)| (file, dir.join(&new)))
                    }
                    // Directories: within, out, and in.
                    4 => pick(&dirs).zip(pick(&dirs)).map(|(dir, into)| (dir, into.join(&new))),
                    _ if turn % 12 == 5 => pick(&dirs).map(|dir| (dir, outside.join(&new))),
                    _ => {
                        let (mut none, mut left) = (Vec::new(), Vec::new());
                        look_around(&outside, &mut none, &mut left);
                        pick(&left).map(|dir| (dir, tree.join(&new)))
                    }
                };
                if renamed.is_some_and(|(old, new)| fs::rename(old, new).is_ok()) {
                    done.renamed += 1;
                }
            }
        }
        std::thread::sleep(Duration::from_micros([300, 1_000, 3_000][turn / 8 % 3]));
    }
    done
}

/// Nothing is lost, and what the run says is so.
#[track_caller]
fn judge(scene: &Scene, way: Way, ran: &Ran, done: &Done, what: &str) -> &'static str {
    let (here, there) = (said_in(&scene.home), said_in(&scene.away));
    for number in 0..FILES {
        let text = content(number);
        assert!(
            here.contains_key(&text) || there.contains_key(&text) || done.deleted.contains(&text),
            "{what}: file {number} is lost: {ran}"
        );
    }
    let (new, old) = match way {
        Way::Away => (scene.dst(), scene.src()),
        Way::Back => (scene.src(), scene.dst()),
    };
    let moved = scene.is_moved() == (way == Way::Away);
    let name = old.file_name().unwrap().to_str().unwrap();
    match ran.code() {
        Some(0) => {
            assert!(moved, "{what}: exit 0, and not moved: {ran}");
            let arrived = said_in(&new);
            for number in 0..FILES {
                let text = content(number);
                let elsewhere =
                    [&here, &there].iter().filter_map(|all| all.get(&text)).flatten().any(|path| {
                        !path.starts_with(&new) && path.components().any(|part| part.as_os_str() == "outside")
                    });
                let is_deleted = done.deleted.contains(&text);
                assert!(
                    arrived.contains_key(&text) || elsewhere || is_deleted,
                    "{what}: exit 0, and file {number} is not at the new place: {ran}"
                );
                assert!(
                    !(arrived.contains_key(&text) && done.deleted_at_home.contains(&text)),
                    "{what}: exit 0, and file {number}, deleted before, is back: {ran}"
                );
            }
            for place in [&scene.home, &scene.away] {
                assert_eq!(leftovers(place), [""; 0], "{what}: exit 0: {ran}");
            }
            "done"
        }
        Some(3 | 4) => {
            // By its name, or by the private one that it has got.
            let is_named = ran.err.contains(&format!("/{name}")) || ran.err.contains("/.linkctl-");
            assert!(is_named, "{what}: the path is not named: {ran}");
            if moved {
                assert!(ran.err.contains("kept as") || ran.err.contains("recover"), "{what}: {ran}");
                for left in leftovers(if way == Way::Away { &scene.home } else { &scene.away }) {
                    assert!(ran.err.contains(&left), "{what}: {left} is not named: {ran}");
                }
                "kept"
            } else {
                // What is in the tree was never given up: the files are all this side.
                for number in 0..FILES {
                    let text = content(number);
                    let side = if way == Way::Away { &here } else { &there };
                    assert!(
                        side.contains_key(&text) || done.deleted.contains(&text),
                        "{what}: file {number} is not where it was: {ran}"
                    );
                }
                "aborted"
            }
        }
        _ => panic!("{what}: {ran}"),
    }
}

/// How a run ends, at least once, that is met in a phase.
const EXPECTED: [(&str, &str); 4] =
    [("copy", "aborted"), ("flush", "aborted"), ("compare", "aborted"), ("after the exchange", "kept")];

#[test]
fn deleters_and_renamers_in_every_phase_lose_nothing() {
    let (home, away) = two_in_memory();
    let mut ends: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut runs, mut deleted, mut renamed) = (0, 0, 0);
    for (number, phase) in PHASES.iter().enumerate() {
        for way in WAYS {
            // On the way back, the one exchange is what both of these wait for.
            if way == Way::Back && phase.name == "before publishing" {
                continue;
            }
            for meddler in [Meddler::Deleter, Meddler::Renamer] {
                for round in 0..12 {
                    // A sample is one round of each, and more until the phase was answered as it has to be.
                    let is_answered =
                        EXPECTED.iter().all(|&(name, end)| name != phase.name || ends.contains_key(&(name, end)));
                    if !the_whole() && round > 0 && is_answered {
                        break;
                    }
                    let seed = u64::try_from(number).unwrap() * 1000 + round;
                    let mut dice = Dice::new(seed);
                    let what = format!("{way:?}, {}, {meddler:?}, seed {seed}", phase.name);
                    let mut run = || {
                        let scene = Scene::build(&home.path(), &away.path(), build, &[]);
                        fs::create_dir(home.path().join("outside")).unwrap();
                        fs::create_dir(away.path().join("outside")).unwrap();
                        if way == Way::Back {
                            scene.linkctl.ok(scene.away_args());
                        }
                        let mut strace = slowly(&scene, way, phase);
                        let stop = AtomicBool::new(false);
                        let (ran, done, met) = std::thread::scope(|scope| {
                            let met = wait_for(&mut strace);
                            let worker = scope.spawn(|| meddle(&scene, way, meddler, &stop, &mut dice));
                            let ran = scene.linkctl.said(strace.wait_with_output().unwrap());
                            stop.store(true, Ordering::Relaxed);
                            (ran, worker.join().unwrap(), met)
                        });
                        // On a busy machine it may go on before anybody has seen it held: that is tried again.
                        met.then_some((scene, ran, done))
                    };
                    let met = (0..5).find_map(|_| run());
                    let (scene, ran, done) = met.unwrap_or_else(|| panic!("{what}: the run was never held"));
                    let end = judge(&scene, way, &ran, &done, &what);
                    // Recovery takes nothing away either, whatever it finds.
                    let again = scene.recover(true);
                    let (here, there) = (said_in(&scene.home), said_in(&scene.away));
                    for number in 0..FILES {
                        let text = content(number);
                        let is_there = here.contains_key(&text) || there.contains_key(&text);
                        assert!(
                            is_there || done.deleted.contains(&text),
                            "{what}: file {number} is lost by recover: {ran}\n{again}"
                        );
                    }
                    *ends.entry((phase.name, end)).or_insert(0) += 1;
                    (runs, deleted, renamed) = (runs + 1, deleted + done.deleted.len(), renamed + done.renamed);
                }
            }
        }
    }
    println!("meddlers: {runs} runs, lost 0; {deleted} files deleted, {renamed} renamed; {ends:?}");
    assert!(deleted > runs && renamed > runs, "they did next to nothing: {deleted}, {renamed}");
    // Every phase was met, and answered as it has to be.
    for (phase, end) in EXPECTED {
        assert!(ends.contains_key(&(phase, end)), "{phase}: never {end}: {ends:?}");
    }
}
