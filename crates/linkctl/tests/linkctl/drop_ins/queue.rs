//! What the drop-ins change is journaled: left in the queue, taken in once, by whoever looks.

use std::os::unix::fs::chown;
use std::process::Stdio;

use super::*;

#[test]
fn history_and_undo_know_what_the_drop_ins_did_in_order() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("x") });
    linkctl.ok(["mklink", "a", "f"]);
    linkctl.ok(["create", "b", "f"]);
    linkctl.ok(["fsutil", "hardlink", "create", "c", "f"]);
    let verbs: Vec<_> = linkctl.history().iter().map(|op| op["verb"].as_str().unwrap().to_owned()).collect();
    assert_eq!(verbs, ["fsutil", "create", "mklink"]);
    let steps = linkctl.ok(["history", "1", "--json"]).json();
    assert_eq!(steps["operations"][0]["steps"][0]["path"]["text"], linkctl.at("a").to_str().unwrap());
    for left in [&["a", "b", "f"][..], &["a", "f"], &["f"]] {
        linkctl.ok(["undo"]);
        assert_eq!(names(linkctl.work()), left);
    }
    linkctl.ok(["mklink", "d", "f"]);
    linkctl.ok(["undo", "--dry-run"]);
    assert!(linkctl.exists("d"));
}

#[test]
fn mklink_opens_no_database_and_waits_for_no_disk() {
    let linkctl = Linkctl::new();
    for round in 0..2 {
        let link = format!("l{round}");
        let lines = strace::trace("%file,fsync,fdatasync,write", &linkctl.command(["mklink", &link, "t"]));
        let about = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        assert_eq!((about("journal.db\", O_"), about("sync(")), (0, 0), "{lines:#?}");
        assert_eq!(about("journal.queue\", O_"), 2, "{lines:#?}");
    }
    assert_eq!(linkctl.history().len(), 2);
    for reads in [&["dir", "/s", "/al"][..], &["fsutil", "hardlink", "list", "l0"]] {
        let lines = strace::trace("%file", &linkctl.command(reads));
        assert!(!lines.iter().any(|line| line.contains("journal")), "{lines:#?}");
    }
}

#[test]
fn lines_that_are_met_again_are_taken_in_once() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    linkctl.ok(["mklink", "b", "t"]);
    let queue = linkctl.state().join("journal.queue");
    let lines = fs::read(&queue).unwrap();
    let before = linkctl.history();
    assert_eq!((before.len(), fs::metadata(&queue).unwrap().len()), (2, 0));
    // As a process killed between taking them in and emptying the queue leaves it.
    fs::write(&queue, &lines).unwrap();
    assert_eq!(linkctl.history(), before);
    // What was undone meanwhile stays undone.
    linkctl.ok(["undo"]);
    fs::write(&queue, &lines).unwrap();
    assert_eq!(linkctl.history()[1]["undone_by"], 3);
}

#[test]
fn an_end_that_comes_after_the_beginning_was_taken_in_finds_it() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    let queue = linkctl.state().join("journal.queue");
    let text = fs::read_to_string(&queue).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    fs::write(&queue, format!("{}\n", lines[0])).unwrap();
    assert_eq!(linkctl.history()[0]["state"], "interrupted");
    fs::write(&queue, format!("{}\n", lines[1])).unwrap();
    assert_eq!(linkctl.newest(), "mklink done: 1 done, 0 failed of 1");
}

#[test]
fn lines_without_meaning_are_kept_and_cost_no_other() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    let queue = linkctl.state().join("journal.queue");
    let mut lines = fs::read(&queue).unwrap();
    // Torn by a power cut in the middle, and another program's words.
    let torn = lines[..40].to_vec();
    lines.extend(torn);
    lines.extend(b"\nanother program's\n");
    fs::write(&queue, &lines).unwrap();
    linkctl.ok(["mklink", "b", "t"]);
    let ran = linkctl
        .ok(["history"])
        .says("1 line of the journal's queue without an end: dropped")
        .says("1 line of the journal's queue could not be read; kept");
    assert_eq!(ran.out.lines().count(), 3, "{ran}");
    let kept = names(linkctl.state()).into_iter().filter(|name| name.starts_with("journal.queue.broken-")).count();
    assert_eq!(kept, 1);
    assert_eq!(linkctl.ok(["history"]).err, "");
}

#[test]
fn killed_before_and_behind_the_link_the_history_is_true() {
    let linkctl = Linkctl::new();
    let before = linkctl.said(strace::inject("symlinkat:signal=SIGKILL", &linkctl.command(["mklink", "a", "t"])));
    assert!(before.code().is_none() && !linkctl.exists("a"), "{before}");
    assert_eq!(linkctl.newest(), "mklink interrupted: 0 done, 0 failed of 1");
    let behind =
        linkctl.said(strace::inject("readlinkat:signal=SIGKILL:when=3", &linkctl.command(["mklink", "b", "t"])));
    let crash = linkctl.command(["mklink", "c", "t"]).env("LINKCTL_CRASH_AFTER_STEP", "1").output().unwrap();
    assert!(crash.status.code().is_none() && linkctl.exists("c"), "{behind}");
    assert_eq!(linkctl.newest(), "mklink interrupted: 1 done, 0 failed of 1");
    linkctl.ok(["undo"]);
    assert!(!linkctl.exists("c"));
}

#[test]
fn many_at_once_and_readers_between_lose_nothing() {
    let linkctl = Linkctl::new();
    let spawn = |n: usize| {
        let (link, history) = (format!("l{n}"), n.is_multiple_of(5));
        let words = if history { vec!["history"] } else { vec!["mklink", &link, "t"] };
        linkctl.command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for round in 0..4 {
        let children: Vec<_> = (round * 25..(round + 1) * 25).map(spawn).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
    assert_eq!(names(linkctl.work()).len(), 80);
    let history = linkctl.history();
    assert_eq!(history.len(), 80);
    assert!(history.iter().all(|op| op["state"] == "done"), "{history:?}");
}

#[test]
fn a_long_queue_is_taken_in_by_mklink_itself() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    let queue = linkctl.state().join("journal.queue");
    let lines = fs::read(&queue).unwrap();
    fs::write(&queue, [lines, vec![b'\n'; 1 << 20]].concat()).unwrap();
    linkctl.ok(["mklink", "b", "t"]);
    assert_eq!(fs::metadata(&queue).unwrap().len(), 0);
    assert_eq!(linkctl.history().len(), 2);
}

#[test]
fn a_queue_that_others_could_have_written_is_not_believed_and_costs_no_link() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    let queue = linkctl.state().join("journal.queue");
    chown(&queue, Some(crate::common::NOBODY), None).unwrap();
    transcript(&linkctl, &[(&["mklink", "b", "t"], 0, "symbolic link created for b <<===>> t\n", "")]);
    linkctl.output(["history"]).exits(3).says("belongs to user");
    fs::remove_file(&queue).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &queue).unwrap();
    let before = fs::read("/etc/passwd").unwrap();
    linkctl.ok(["mklink", "c", "t"]);
    assert_eq!(fs::read("/etc/passwd").unwrap(), before);
}

#[test]
fn without_a_place_for_the_journal_the_link_is_made_in_silence() {
    let linkctl = Linkctl::new().with_state("/proc/nowhere");
    transcript(&linkctl, &[(&["mklink", "a", "t"], 0, "symbolic link created for a <<===>> t\n", "")]);
    assert!(linkctl.exists("a"));
}

#[test]
fn called_by_their_own_names_they_answer_the_same() {
    let linkctl = Linkctl::new();
    let ran = linkctl.ok(["drop-ins", "bin"]);
    let program = linkctl.program().display().to_string();
    assert_eq!(ran.out.lines().count(), 4, "{ran}");
    for tool in ["mklink", "fsutil", "dir"] {
        assert!(ran.out.contains(&format!("created symlink bin/{tool} -> {program}\n")), "{ran}");
    }
    let call = |tool: &str, words: &[&str]| {
        let mut command = linkctl.command(words);
        let mut by_name = std::process::Command::new(linkctl.at("bin").join(tool));
        by_name.args(words).current_dir(linkctl.work());
        for (name, value) in command.env("X", "").get_envs() {
            if let Some(value) = value {
                by_name.env(name, value);
            }
        }
        linkctl.said(by_name.output().unwrap())
    };
    assert_eq!(call("mklink", &["a", "t"]).exits(0).out, "symbolic link created for a <<===>> t\n");
    assert_eq!(call("dir", &["/b", "/al"]).exits(0).out, "a\n");
    assert!(call("fsutil", &["hardlink", "list", "a"]).exits(0).out.ends_with("/a\n"));
    // Again: nothing of what is there is replaced unasked.
    linkctl.output(["drop-ins", "bin"]).exits(4);
    linkctl.ok(["drop-ins", "bin", "--replace"]);
    linkctl.ok(["undo", "1"]);
    assert!(!linkctl.exists("bin"));
}

#[test]
fn a_journal_that_is_held_or_is_no_file_keeps_no_link_waiting() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    // The shell holds the lock itself: nothing of it outlives the kill.
    let script = "exec 9<\"$0\"; flock -x 9; exec sleep 60";
    let mut holder = std::process::Command::new("sh");
    let mut holder = holder.args(["-c", script]).arg(linkctl.state()).spawn().unwrap();
    let free = || {
        let mut test = std::process::Command::new("flock");
        test.args(["-n", "-x"]).arg(linkctl.state()).arg("true").status().unwrap().success()
    };
    crate::common::wait_until("the lock is held", || !free());
    transcript(&linkctl, &[(&["mklink", "b", "t"], 0, "symbolic link created for b <<===>> t\n", "")]);
    assert!(!free(), "it did not wait for the end of the lock");
    holder.kill().unwrap();
    holder.wait().unwrap();
    crate::common::wait_until("the lock is free", free);
    assert_eq!(linkctl.history().len(), 2, "it is journaled all the same");
    let queue = linkctl.state().join("journal.queue");
    fs::remove_file(&queue).unwrap();
    testkit::require::run(std::process::Command::new("mkfifo").arg(&queue));
    transcript(&linkctl, &[(&["mklink", "c", "t"], 0, "symbolic link created for c <<===>> t\n", "")]);
    fs::remove_file(&queue).unwrap();
    tree!(linkctl.work(), { "precious" => file("mine") });
    fs::hard_link(linkctl.at("precious"), &queue).unwrap();
    linkctl.ok(["mklink", "d", "t"]);
    assert_eq!(fs::read(linkctl.at("precious")).unwrap(), b"mine");
}

#[test]
fn what_was_made_by_hand_later_is_not_taken_for_a_leftover() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let linkctl = on_ntfs(&volume);
    let killed = strace::inject("mkdirat:signal=SIGKILL", &linkctl.command(["mklink", "/j", "t", r"C:\zz"]));
    assert!(killed.status.code().is_none() && !linkctl.exists("t"));
    tree!(volume.path(), { "t" => dir });
    testkit::require::run(std::process::Command::new("touch").args(["-d", "+1 hour"]).arg(linkctl.at("t")));
    linkctl.ok(["undo"]);
    assert!(linkctl.exists("t"), "the directory is the user's own");
}

#[test]
fn a_torn_line_is_dropped_and_said_once() {
    let linkctl = Linkctl::new();
    linkctl.ok(["mklink", "a", "t"]);
    let queue = linkctl.state().join("journal.queue");
    let lines = fs::read(&queue).unwrap();
    fs::write(&queue, &lines[..lines.len() - 20]).unwrap();
    const DROPPED: &str = "1 line of the journal's queue without an end: dropped";
    linkctl.ok(["history"]).says(DROPPED);
    assert!(!linkctl.ok(["history"]).err.contains(DROPPED));
    assert!(!names(linkctl.state()).iter().any(|name| name.contains("broken")));
}
