//! Killed at calls to the system, and killed again while that is recovered.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use testkit::strace;

use crate::relocate::crashes::crash_at;
use crate::relocate::{Dice, Scene, WAYS, Way, two_in_memory};

/// Calls that change something on a disk, or wait for it.
pub(crate) const CALLS: &str = "mkdirat,openat,renameat,renameat2,symlinkat,linkat,unlinkat,unlink,fsync,fdatasync,syncfs,\
    fchown,fchownat,fchmod,fchmodat,utimensat,mknodat,fsetxattr,ftruncate,pwrite64,copy_file_range,write";

/// How often the main thread makes each call.
pub(crate) fn counts(command: &Command, calls: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let lines = strace::trace(calls, command);
    // Of all threads it ends last, and need not be the first to make one.
    let main = lines.last().unwrap().split_whitespace().next().unwrap().to_owned();
    for line in lines.iter().filter(|line| line.starts_with(&main)) {
        let rest = line.split_whitespace().nth(1).unwrap_or_default();
        if let Some((call, _)) = rest.split_once('(') {
            *counts.entry(call.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

/// Every call and its number, those from `from` on.
pub(crate) fn points(counts: &BTreeMap<String, usize>) -> Vec<(String, usize)> {
    counts.iter().flat_map(|(call, &count)| (1..=count).map(move |n| (call.clone(), n))).collect()
}

#[test]
fn killed_at_any_call_nothing_is_lost() {
    let (home, away) = two_in_memory();
    let mut dice = Dice::new(7);
    let mut done = 0;
    for way in WAYS {
        let scene = Scene::ready(&home.path(), &away.path(), way);
        let all = points(&counts(&scene.linkctl.command(scene.args(way)), CALLS));
        assert!(all.len() > 100, "{all:?}");
        // What is rare is what matters: more of those calls, a few of each of the others.
        let rare = |call: &str| {
            call.starts_with("rename") || call.starts_with("mkdir") || call == "symlinkat" || call == "unlinkat"
        };
        let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(call, _)| rare(call));
        let chosen = [dice.some(first, 10), dice.some_of_each(rest, 1, |(call, _)| call.clone())].concat();
        for (index, (call, n)) in chosen.into_iter().enumerate() {
            let scene = Scene::ready(&home.path(), &away.path(), way);
            let inject = format!("{call}:signal=SIGKILL:when={n}");
            let output = strace::inject(&inject, &scene.linkctl.command(scene.args(way)));
            let what = format!("{way:?} {inject}");
            if output.status.signal() != Some(9) {
                // How many processes there are to look at differs from run to run.
                assert!(call == "openat" && n > 100, "{what}: {}", scene.linkctl.said(output));
                scene.assert_settled(&what);
                continue;
            }
            scene.assert_recovers(index % 2 == 0, &what);
            done += 1;
        }
    }
    println!("kills: {done}, lost 0");
}

#[test]
fn a_recovery_that_is_killed_is_repeated() {
    let (home, away) = two_in_memory();
    let mut dice = Dice::new(11);
    let mut done = 0;
    for (way, phase) in [
        (Way::Away, 2),
        (Way::Away, 5),
        (Way::Away, 6),
        (Way::Away, 7),
        (Way::Away, 8),
        (Way::Back, 3),
        (Way::Back, 5),
        (Way::Back, 6),
        (Way::Back, 8),
    ] {
        let scene = Scene::ready(&home.path(), &away.path(), way);
        crash_at(&scene, way, phase);
        let (linkctl, args) = scene.recover_command(false);
        let all = points(&counts(&linkctl.command(&args), "renameat,renameat2,unlinkat,mkdirat,fsync,openat"));
        let (first, rest): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(call, _)| call == "unlinkat" || call.starts_with("rename"));
        for (call, n) in [dice.some(first, 3), dice.some(rest, 1)].concat() {
            let scene = Scene::ready(&home.path(), &away.path(), way);
            crash_at(&scene, way, phase);
            let (linkctl, args) = scene.recover_command(false);
            let inject = format!("{call}:signal=SIGKILL:when={n}");
            let output = strace::inject(&inject, &linkctl.command(&args));
            let what = format!("{way:?} {phase}, recover {inject}");
            if output.status.signal() != Some(9) {
                // How many processes there are to look at differs from run to run.
                assert!(call == "openat" && n > 100, "{what}: {}", scene.linkctl.said(output));
                scene.assert_settled(&what);
                continue;
            }
            scene.assert_recovers(false, &what);
            done += 1;
        }
    }
    println!("kills of recover: {done}, lost 0");
}
