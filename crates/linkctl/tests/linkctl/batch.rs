//! Many links replaced side by side: killed, stopped, raced for and failing, each is whole, told right, and taken back.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::common::{Linkctl, leftovers, names, send_signal, wait_until};
use links::Target;
use links::apply::{Operation, Records, Run};
use links::journal::Status;
use links::plan::{Plan, ReplaceLink, Seen, Step};
use testkit::{strace, tree};

/// So long each thread is held once, in microseconds.
const WHILE: &str = "1500000";

/// Old links in `many`, and the command that replaces all of them.
fn old_links(links: usize) -> (Linkctl, Vec<String>) {
    let linkctl = Linkctl::new();
    fs::create_dir(linkctl.at("many")).unwrap();
    for n in 0..links {
        symlink(format!("old/{n:05}"), linkctl.at(format!("many/{n:05}"))).unwrap();
    }
    // By its full path: what may lie behind a link is taken one by one.
    let many = linkctl.at("many").to_str().unwrap().to_owned();
    let args = ["create", "--replace", "--into", &many].map(String::from).into_iter();
    (linkctl, args.chain((0..links).map(|n| format!("new/{n:05}"))).collect())
}

/// The same in several directories, which the test program replaces itself: no verb of `linkctl` does that yet.
fn old_links_in_directories(links: usize) -> (Linkctl, Linkctl) {
    let linkctl = Linkctl::new();
    for n in 0..links {
        fs::create_dir_all(linkctl.at(path(n)).parent().unwrap()).unwrap();
        symlink(format!("old/{n:05}"), linkctl.at(path(n))).unwrap();
    }
    let own = Linkctl::on(linkctl.work()).with_state(linkctl.state()).by(std::env::current_exe().unwrap());
    (linkctl, own)
}

/// Has the test program do that, when it finds itself where such links are.
const REPLACE: [&str; 3] = ["--exact", "batch::replaces_links_in_directories", "--test-threads=1"];

#[test]
fn replaces_links_in_directories() {
    let here = std::env::current_dir().unwrap();
    let Some(state) = std::env::var_os("LINKCTL_STATE_DIR").filter(|_| here.join("directories").exists()) else {
        return;
    };
    let mut plan = Plan::default();
    for n in (0..).take_while(|n| here.join(path(*n)).is_symlink()) {
        let found = links::inspect(here.join(path(n))).unwrap();
        let (target, id, attributes) = (found.target.unwrap(), found.id.unwrap(), found.attributes.unwrap());
        plan.steps.push(Step::ReplaceLink(ReplaceLink {
            link: found.path.into(),
            old: Seen { target, id, attributes, several: false, ntfs: None },
            target: Target::Text(format!("new/{n:05}").into()),
            file: None,
            attributes: Some(attributes),
            ntfs: None,
        }));
    }
    let (mut journal, _) = links::apply::open_journal(Path::new(&state)).unwrap();
    let (operation, never) = (Operation::new("create"), AtomicBool::new(false));
    let run = Run { workers: Some(3), ..Run::new(&never) };
    let records = Some(Records::Journal(&mut journal));
    let report = links::apply::apply(&plan, &operation, records, run, &mut ());
    assert_eq!(report.status(), Status::Done);
}

/// A link in one of several directories.
fn path(n: usize) -> String {
    format!("directories/{:02}/{n:05}", n / 100)
}

/// What the links say that lie under private names.
fn left_in_directories(linkctl: &Linkctl) -> Vec<Vec<u8>> {
    let directories = names(linkctl.at("directories")).into_iter().map(|name| Path::new("directories").join(name));
    let left = |directory: std::path::PathBuf| {
        let left = leftovers(linkctl.at(&directory)).into_iter();
        // It may be gone by now.
        left.filter_map(|name| fs::read_link(linkctl.at(directory.join(name))).ok()).collect::<Vec<_>>()
    };
    directories.flat_map(left).map(|text| text.into_os_string().into_vec()).collect()
}

/// The numbers of the links that say the new text; all others say the old one.
#[track_caller]
fn replaced(linkctl: &Linkctl, links: usize) -> Vec<usize> {
    let one = !linkctl.exists("directories");
    let place = |n: usize| if one { format!("many/{n:05}") } else { path(n) };
    let is_new = |n: &usize| match String::from_utf8(linkctl.target(place(*n))).unwrap() {
        text if text == format!("new/{n:05}") => true,
        text if text == format!("old/{n:05}") => false,
        text => panic!("{n}: {text}"),
    };
    (0..links).filter(is_new).collect()
}

#[track_caller]
fn is_as_before(linkctl: &Linkctl, links: usize) {
    assert_eq!(replaced(linkctl, links).len(), 0);
    if linkctl.exists("directories") {
        assert_eq!(left_in_directories(linkctl).len(), 0);
    } else {
        assert_eq!(names(linkctl.at("many")).len(), links, "{:?}", leftovers(linkctl.at("many")));
    }
}

fn done(linkctl: &Linkctl) -> usize {
    let newest = linkctl.history().remove(0);
    assert_eq!(newest["failed"], 0, "{newest}");
    usize::try_from(newest["done"].as_u64().unwrap()).unwrap()
}

/// Gives a signal once the link of this number is replaced.
fn signalled(linkctl: &Linkctl, args: &[String], signal: &str, at: usize) -> Output {
    let mut command = linkctl.command(args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("links are replaced", || linkctl.target(format!("many/{at:05}")).starts_with(b"new"));
    send_signal(signal, child.id());
    child.wait_with_output().unwrap()
}

/// Kills a run whose threads are held before the same call. Gives what was left half done.
fn killed_half_way(linkctl: &Linkctl, args: &[&str], call: &str) -> Vec<Vec<u8>> {
    let hold = linkctl.held(&format!("{call}:delay_enter={WHILE}:when=9"), args);
    let two = || left_in_directories(linkctl).len() >= 2;
    wait_until("two threads are held", || {
        // Longer than a link takes.
        two() && {
            std::thread::sleep(Duration::from_millis(100));
            two()
        }
    });
    send_signal("KILL", hold.pid().unwrap());
    let ran = hold.end(linkctl);
    assert_eq!(ran.status.signal(), Some(9), "{ran}");
    left_in_directories(linkctl)
}

#[test]
fn killed_while_several_threads_have_a_link_half_done_history_is_true_and_undo_brings_all_back() {
    const LINKS: usize = 600;
    // With the new link beside the old one, with the old one beside the new one.
    for call in ["renameat2", "unlinkat"] {
        let (linkctl, own) = old_links_in_directories(LINKS);
        let half = killed_half_way(&own, &REPLACE, call);
        assert!(half.len() >= 2, "{call}: one thread alone was at work");
        // Half done is also what says the new text while the old link still lies beside it.
        let whole = replaced(&linkctl, LINKS).len() - half.iter().filter(|text| text.starts_with(b"old")).count();
        assert_eq!(linkctl.newest(), format!("create interrupted: {whole} done, 0 failed of {LINKS}"), "{call}");
        linkctl.ok(["undo"]);
        is_as_before(&linkctl, LINKS);
    }
}

#[test]
fn an_undo_killed_with_several_links_half_done_is_finished_by_another() {
    const LINKS: usize = 600;
    for call in ["renameat2", "unlinkat"] {
        let (linkctl, own) = old_links_in_directories(LINKS);
        own.ok(REPLACE);
        assert_eq!(replaced(&linkctl, LINKS).len(), LINKS);
        assert!(killed_half_way(&linkctl, &["undo"], call).len() >= 2, "{call}: one thread alone was at work");
        linkctl.ok(["undo"]);
        is_as_before(&linkctl, LINKS);
    }
}

#[test]
fn killed_at_any_moment_every_link_is_whole_history_true_and_undo_brings_all_back() {
    const LINKS: usize = 6_000;
    for at in [0, 255, 256, 700, 2_000, 5_000] {
        let (linkctl, args) = old_links(LINKS);
        let ended = signalled(&linkctl, &args, "KILL", at);
        assert_eq!(ended.status.signal(), Some(9), "{at}: it ended before the signal");
        let (new, left) = (replaced(&linkctl, LINKS).len(), leftovers(linkctl.at("many")).len());
        assert!(new < LINKS, "{at}");
        let done = done(&linkctl);
        assert!(done <= new && new <= done + left, "{at}: {done} done, {new} new, {left} left");
        assert!(linkctl.newest().starts_with("create interrupted"));
        linkctl.ok(["undo"]);
        is_as_before(&linkctl, LINKS);
    }
}

#[test]
fn interrupted_it_stops_at_a_safe_point_and_what_was_done_has_no_gaps() {
    const LINKS: usize = 6_000;
    for at in [0, 300, 3_000] {
        let (linkctl, args) = old_links(LINKS);
        let ran = linkctl.said(signalled(&linkctl, &args, "INT", at)).exits(130);
        let new = replaced(&linkctl, LINKS);
        let made = new.len();
        assert!(made < LINKS && new.iter().copied().eq(0..made), "{at}: {ran}");
        let ran = ran.says(&format!("stopped after {made} of {LINKS} changes"));
        assert_eq!(leftovers(linkctl.at("many")), [""; 0], "{ran}");
        assert_eq!(linkctl.newest(), format!("create stopped: {made} done, 0 failed of {LINKS}"));
        linkctl.ok(["undo"]);
        is_as_before(&linkctl, LINKS);
    }
}

#[test]
fn what_fails_is_told_in_its_place_and_the_others_go_on() {
    const LINKS: usize = 600;
    for (call, error) in [("symlinkat", "ENOSPC"), ("renameat2", "EIO"), ("unlinkat", "EACCES")] {
        let (linkctl, args) = old_links(LINKS);
        let inject = format!("{call}:error={error}:when=50");
        let mut command = linkctl.command(&args);
        command.args(["--json"]);
        let ran = linkctl.said(strace::inject_at(linkctl.at("many"), &inject, &command)).exits(3);
        let new = replaced(&linkctl, LINKS);
        let failed = LINKS - new.len();
        assert!((1..=LINKS / 50).contains(&failed), "{inject}: {failed} failed");
        assert_eq!(leftovers(linkctl.at("many")), [""; 0], "{inject}");
        // Each result stands beside its own change.
        let json = ran.json();
        for (n, change) in json["changes"].as_array().unwrap().iter().enumerate() {
            let is_well = change.get("error").is_none_or(serde_json::Value::is_null);
            assert_eq!(is_well, new.contains(&n), "{inject}: {change}");
        }
        let told = format!("create partial: {} done, {failed} failed of {LINKS}", new.len());
        assert_eq!(linkctl.newest(), told, "{inject}");
        linkctl.ok(["undo"]);
        is_as_before(&linkctl, LINKS);
    }
}

#[test]
fn a_link_that_cannot_be_given_its_time_is_not_brought_back_and_the_next_undo_does() {
    const LINKS: usize = 600;
    let (linkctl, args) = old_links(LINKS);
    let before = fs::symlink_metadata(linkctl.at("many/00049")).unwrap().modified().unwrap();
    linkctl.ok(&args);
    let ran = linkctl.said(strace::inject("utimensat:error=EIO:when=50", &linkctl.command(["undo"]))).exits(3);
    let failed = replaced(&linkctl, LINKS).len();
    assert!((1..=LINKS / 50).contains(&failed), "{failed} failed: {ran}");
    assert_eq!(leftovers(linkctl.at("many")), [""; 0], "{ran}");
    linkctl.ok(["undo"]);
    is_as_before(&linkctl, LINKS);
    assert_eq!(fs::symlink_metadata(linkctl.at("many/00049")).unwrap().modified().unwrap(), before);
}

#[test]
fn what_another_puts_in_the_place_of_a_link_meanwhile_is_not_lost() {
    const LINKS: usize = 600;
    // Once the link was looked at; once the new one was made; once it was swapped in.
    for inject in ["symlinkat:delay_enter", "symlinkat:delay_exit", "renameat2:delay_enter", "renameat2:delay_exit"] {
        let (linkctl, own) = old_links_in_directories(LINKS);
        tree!(linkctl.work(), { "precious" => file("all there is") });
        let number = fs::metadata(linkctl.at("precious")).unwrap().ino();
        let hold = own.held(&format!("{inject}={WHILE}:when=9"), REPLACE);
        // Of whichever thread begins: the ninth call is for the ninth link.
        let last = if inject == "renameat2:delay_exit" { 8 } else { 7 };
        wait_until("a thread is held", || linkctl.target(path(last)).starts_with(b"new"));
        std::thread::sleep(Duration::from_millis(100));
        let name = &path(8);
        assert_eq!(linkctl.target(name).starts_with(b"new"), inject == "renameat2:delay_exit", "{inject}");
        fs::rename(linkctl.at("precious"), linkctl.at(name)).unwrap();
        let ran = hold.end(&linkctl);
        let found = fs::symlink_metadata(linkctl.at(name)).unwrap();
        assert_eq!(found.ino(), number, "{inject}: {ran}");
        assert_eq!(fs::read(linkctl.at(name)).unwrap(), b"all there is", "{inject}");
        assert_eq!(left_in_directories(&linkctl).len(), 0, "{inject}: {ran}");
        assert_eq!(linkctl.newest(), format!("create partial: 599 done, 1 failed of {LINKS}"), "{inject}");
        let undo = linkctl.output(["undo"]);
        assert_eq!(fs::symlink_metadata(linkctl.at(name)).unwrap().ino(), number, "{inject}");
        fs::remove_file(linkctl.at(name)).unwrap();
        symlink("old/00008", linkctl.at(name)).unwrap();
        // What was swapped in before has been changed since: that is refused, and all is left.
        let left = if inject == "renameat2:delay_exit" { LINKS - 1 } else { 0 };
        assert_eq!(replaced(&linkctl, LINKS).len(), left, "{inject}: {undo}");
    }
}
