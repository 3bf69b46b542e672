//! `check --volume`.

use super::*;

#[track_caller]
fn findings(ran: &Ran) -> Vec<Value> {
    let document = ran.json();
    assert_eq!(document["errors"], Value::Array(Vec::new()));
    document["findings"].as_array().unwrap().clone()
}

#[test]
fn every_broken_link_is_found_and_no_other() {
    let filled = Filled::of(ANY);
    let listed = links(&list(filled.source(), &[]));
    let row = |link: &Value| (path(link), state(link).to_owned(), link["target"].to_string());
    let broken = |below: &str| {
        let wanted = listed.iter().filter(|link| is_broken(link) && path(link).starts_with(below));
        wanted.map(row).collect::<Vec<_>>()
    };
    let ran = run("check", filled.source(), ["--json"]).exits(1);
    let found = findings(&ran);
    assert!(found.iter().all(|one| one["rule"] == one["state"] && !one["reason"].as_str().unwrap().is_empty()));
    assert_same("check", found.iter().map(row).collect(), broken(""));

    let ran = run("check", filled.source(), ["--json", r"C:\loops", "symlinks/"]).exits(1);
    let below = [broken(r"C:\loops\"), broken(r"C:\symlinks\")].concat();
    assert_same("paths", findings(&ran).iter().map(row).collect(), below);

    let ran = run("check", filled.source(), ["--json", "--rule", "loop", "--exclude", "loops"]).exits(1);
    let loops = broken("").into_iter().filter(|(path, state, _)| state == "loop" && !path.starts_with(r"C:\loops\"));
    assert_same("rule", findings(&ran).iter().map(row).collect(), loops.collect());
}

#[test]
fn reasons_name_the_place() {
    let filled = Filled::of(ANY);
    let found = findings(&run("check", filled.source(), ["--json"]).exits(1));
    let reason = |path: &str| link(&found, path)["reason"].as_str().unwrap();
    assert_eq!(reason(r"C:\Real\empty\second"), r#"no such file or directory at "C:\Real\Real""#);
    assert_eq!(reason(r"C:\chains\70\1"), r#"70 hops; the system follows 63 at "C:\chains\70\64""#);
    assert!(reason(r"C:\loops\a").contains(r"C:\loops\"), "{}", reason(r"C:\loops\a"));
    assert!(reason(r"C:\symlinks\directory to a file").contains("a link for directories leads to a file"));
    assert!(reason(r"C:\symlinks\file to a directory").contains("a link for files leads to a directory"));
}

#[test]
fn long_chains_are_found_on_request() {
    let filled = Filled::of(ANY);
    let ran = run("check", filled.source(), ["--json", "--rule", "long-chain", "--max-hops", "3", r"\chains\5"]);
    let found = paths(&findings(&ran.exits(1)));
    assert_eq!(found, [r"C:\chains\5\1", r"C:\chains\5\2"]);
}

#[test]
fn rules_that_need_a_running_system_are_refused() {
    let filled = Filled::of(ANY);
    for rule in ["escapes", "absolute", "other-filesystem"] {
        run("check", filled.source(), ["--rule", rule]).exits(2).says(rule);
    }
}

#[test]
fn nothing_is_found_where_nothing_is_broken() {
    let filled = Filled::of(ANY);
    let ran = run("check", filled.source(), [r"C:\chains\5"]).exits(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let mut clean = Volume::new(Fs::Ntfs, 0);
    tree!(clean.path(), { "d/f" => file("text") });
    clean.unmount();
    run("check", clean.image(), [""; 0]).exits(0);
}
