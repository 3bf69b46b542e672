//! The executor, recovery, undo and history know no verb: a tree moved under a name that no command has is finished or
//! rolled back after a crash, and undone, like any other.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::common::{Linkctl, Ran};
use crate::relocate::{Scene, WAYS, Way, two_in_memory};
use links::PlanContext;
use links::apply::{Operation, Records, Run};
use links::journal::Status;
use links::relocate::{MoveSpec, RestoreSpec};
use testkit::{Fs, Volume};

/// What the test program does when it runs itself with these in its environment: the verb, and the two places.
const VERB: &str = "OTHER_VERB";
const FROM: &str = "OTHER_VERB_FROM";
const TO: &str = "OTHER_VERB_TO";

const ACT: [&str; 3] = ["--exact", "other_verbs::moves_a_tree_under_the_verb_it_is_given", "--test-threads=1"];

/// The verbs that move a tree away and bring it back.
fn verb(way: Way) -> &'static str {
    match way {
        Way::Away => "mirror",
        Way::Back => "unmirror",
    }
}

#[test]
fn moves_a_tree_under_the_verb_it_is_given() {
    let Ok(verb) = std::env::var(VERB) else { return };
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (mut journal, _) = links::apply::open_journal(&path("LINKCTL_STATE_DIR").unwrap()).unwrap();
    let from = path(FROM).unwrap();
    let relocation = {
        let context = PlanContext { journal: Some(&journal), ..PlanContext::default() };
        match path(TO) {
            Some(to) => links::relocate::plan(&MoveSpec::new(from, to), &context),
            None => links::relocate::plan_restore(&RestoreSpec::new(from), &context),
        }
    };
    let plan = relocation.unwrap().plan;
    let never = AtomicBool::new(false);
    let run = Run { workers: Some(1), ..Run::new(&never) };
    let records = Some(Records::Journal(&mut journal));
    let report = links::apply::apply(&plan, &Operation::new(&verb), records, run, &mut ());
    assert_eq!(report.status(), Status::Done, "{report:?}");
}

/// Has the test program move the tree, and end at a phase.
fn run(scene: &Scene, way: Way, phase: Option<usize>) -> Ran {
    let program = std::env::current_exe().unwrap();
    let own = Linkctl::on(&scene.home).with_state(scene.linkctl.state()).by(program);
    let mut command = own.command(ACT);
    command.env(VERB, verb(way)).env(FROM, scene.src());
    if way == Way::Away {
        command.env(TO, scene.dst());
    }
    if let Some(phase) = phase {
        command.env("LINKCTL_CRASH_AT_PHASE", phase.to_string());
    }
    own.said(command.output().unwrap())
}

/// At home, or moved under the made-up verb.
fn ready(home: &Path, away: &Path, way: Way) -> Scene {
    let scene = Scene::new(home, away);
    if way == Way::Back {
        run(&scene, Way::Away, None).exits(0);
        scene.assert_moved("before");
    }
    scene
}

/// Ends a move at a phase, recovers it, and undoes it where it was finished. Returns whether it was finished.
#[track_caller]
fn crash_recover_undo(home: &Path, away: &Path, way: Way, phase: usize) -> bool {
    let scene = ready(home, away, way);
    let ran = run(&scene, way, Some(phase));
    let what = format!("{} {phase}", verb(way));
    assert_eq!(ran.status.signal(), Some(6), "{what} was not passed: {ran}");
    let newest = scene.linkctl.newest();
    assert!(newest.starts_with(&format!("{} interrupted", verb(way))), "{what}: {newest}");
    scene.assert_recovers(true, &what);
    let is_finished = scene.is_moved() == (way == Way::Away);
    let outcome = if is_finished { "done: 1 done, 0 failed" } else { "failed: 0 done, 1 failed" };
    assert_eq!(scene.linkctl.newest(), format!("{} {outcome} of 1", verb(way)), "{what}");
    if is_finished {
        scene.linkctl.ok(["undo", "--yes"]);
        match way {
            Way::Away => scene.assert_home(&format!("{what}, undone")),
            Way::Back => scene.assert_moved(&format!("{what}, undone")),
        }
        let [undo, undone, ..] = &scene.linkctl.history()[..] else { panic!("{what}: no undo") };
        assert_eq!((&undo["undoes"], &undone["undone_by"]), (&undone["id"], &undo["id"]), "{what}");
        assert_eq!(undone["verb"], verb(way), "{what}");
    }
    is_finished
}

#[test]
fn a_tree_moved_across_file_systems_under_a_verb_of_no_command_is_recovered_and_undone() {
    let (home, away) = two_in_memory();
    for way in WAYS {
        for phase in 0..=9 {
            let is_finished = crash_recover_undo(&home.path(), &away.path(), way, phase);
            let committed = if way == Way::Away { 7 } else { 5 };
            assert_eq!(is_finished, phase >= committed, "{way:?} {phase}");
        }
    }
}

#[test]
fn a_tree_moved_on_one_file_system_under_a_verb_of_no_command_is_recovered_and_undone() {
    let volume = Volume::new(Fs::Ext4, 64 << 20);
    let (home, away) = (volume.path().join("home"), volume.path().join("away"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&away).unwrap();
    let mut finished = Vec::new();
    for (way, phases) in [(Way::Away, vec![0, 1, 2, 10]), (Way::Back, vec![0, 2, 10])] {
        for phase in phases {
            if crash_recover_undo(&home, &away, way, phase) {
                finished.push((way, phase));
            }
        }
    }
    assert_eq!(finished, [(Way::Away, 2), (Way::Back, 2), (Way::Back, 10)]);
}

#[test]
fn restore_knows_what_links_said_in_a_tree_that_a_verb_of_no_command_moved() {
    let (home, away) = two_in_memory();
    let scene = ready(&home.path(), &away.path(), Way::Back);
    scene.linkctl.ok(scene.back_args());
    scene.assert_home("restored");
}
