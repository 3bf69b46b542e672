//! What was done is known, also behind a crash.

use crate::{Linkctl, output, started};

#[test]
fn a_crash_is_told_and_can_be_undone() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    let mut command = linkctl.command(["create", "--kind", "hard", "b", "a"]);
    let crashed = output(command.env("LINKCTL_CRASH_AFTER_STEP", "1"));
    assert!(!crashed.status.success());
    assert!(linkctl.exists("b"));
    let history = linkctl.ok(["history", "--json"]).json();
    assert_eq!(history["operations"][0]["state"], "interrupted", "{history}");
    // Windows has names alone.
    assert!(history["operations"][0].get("uid").is_none(), "{history}");
    linkctl.ok(["undo"]);
    assert_eq!(linkctl.left(), ["a"]);
    let history = linkctl.ok(["history", "--json"]).json();
    assert_eq!(history["operations"][0]["state"], "done", "{history}");
    assert_eq!(history["operations"][1]["undone_by"], 2, "{history}");
}

#[test]
fn many_at_once_lose_nothing() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    let children: Vec<_> = (0..12)
        .map(|n| {
            let name = format!("l{n}");
            let words = if n % 2 == 0 {
                vec!["mklink".to_owned(), "/h".to_owned(), name, "a".to_owned()]
            } else {
                ["create", "--kind", "hard", &name, "a"].map(str::to_owned).to_vec()
            };
            let mut command = linkctl.command(words);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            started(|| command.spawn())
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", crate::Ran::of(&output));
    }
    let history = linkctl.ok(["history", "--json"]).json();
    let operations = history["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 12);
    assert!(operations.iter().all(|operation| operation["state"] == "done"), "{history}");
}

#[test]
fn a_damaged_journal_is_set_aside_and_a_new_one_begun() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    linkctl.ok(["create", "--kind", "hard", "b", "a"]);
    // Takes in what waits in the queue: from there it would come into the new journal.
    linkctl.ok(["history"]);
    let state = linkctl.work().parent().unwrap().join("state");
    std::fs::write(state.join("journal.db"), vec![0x5a; 40_000]).unwrap();
    linkctl.ok(["create", "--kind", "hard", "c", "a"]).says("it is kept as");
    let history = linkctl.ok(["history", "--json"]).json();
    assert_eq!(history["operations"].as_array().unwrap().len(), 1);
    let kept = std::fs::read_dir(&state).unwrap().flatten();
    let kept = kept.filter(|entry| entry.file_name().to_string_lossy().contains("corrupt-")).count();
    assert_eq!(kept, 1);
}

#[test]
fn undo_refuses_what_has_changed_since() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    linkctl.ok(["create", "--kind", "hard", "b", "a"]);
    std::fs::remove_file(linkctl.at("b")).unwrap();
    linkctl.write("b", "another file");
    linkctl.run(["undo"]).exits(4);
    assert_eq!(linkctl.read("b"), "another file");
}
