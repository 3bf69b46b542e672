//! The program ends after each step of its own.

use std::os::unix::process::ExitStatusExt;

use crate::common::Ran;
use crate::relocate::{Scene, WAYS, Way, two_in_memory};

const PHASES: std::ops::RangeInclusive<usize> = 0..=9;

/// Runs it so that it ends at a phase.
pub(crate) fn crash_at(scene: &Scene, way: Way, phase: usize) -> Ran {
    let mut command = scene.linkctl.command(scene.args(way));
    command.env("LINKCTL_CRASH_AT_PHASE", phase.to_string());
    scene.linkctl.said(command.output().unwrap())
}

#[test]
fn whatever_phase_it_ends_in_recover_finishes_or_takes_back() {
    let (home, away) = two_in_memory();
    let (mut points, mut finished) = (0, 0);
    for way in WAYS {
        for phase in PHASES {
            for journal in [true, false] {
                let scene = Scene::ready(&home.path(), &away.path(), way);
                let ran = crash_at(&scene, way, phase);
                // Every phase is passed but that: on the way back, nothing is published before the swap.
                assert_eq!(ran.status.signal(), Some(6), "{way:?} {phase} was not passed: {ran}");
                scene.assert_recovers(journal, &format!("{way:?} {phase}"));
                points += 1;
                let done = scene.is_moved() == (way == Way::Away);
                finished += usize::from(done);
                assert_eq!(done, phase >= if way == Way::Away { 7 } else { 5 }, "{way:?} {phase}");
                if scene.is_moved() && journal {
                    // The journal still knows what links in it said at home.
                    scene.linkctl.ok(scene.back_args());
                    scene.assert_home(&format!("{way:?} {phase}, then restored"));
                }
            }
        }
    }
    println!("crash points: {points}, finished {finished}, lost 0");
}

#[test]
fn what_is_there_to_recover_is_said_and_a_dry_run_does_nothing() {
    let (home, away) = two_in_memory();
    let scene = Scene::ready(&home.path(), &away.path(), Way::Away);
    crash_at(&scene, Way::Away, 4);
    let before = crate::relocate::leftovers(&scene.away);
    assert_eq!(before.len(), 1);
    let ran = scene.linkctl.ok(["recover", "--dry-run"]);
    assert!(ran.out.contains("would finish or roll back"), "{ran}");
    assert_eq!(crate::relocate::leftovers(&scene.away), before);
    let json = scene.linkctl.ok(["recover", "--json"]).json();
    assert_eq!(json["recovered"][0]["result"], "rolled-back");
    scene.assert_home("json");
}
