//! `list --volume` with filters: the same as everything, filtered.

use super::*;

#[track_caller]
fn chooses(args: &[&str], wanted: impl Fn(&Value) -> bool) {
    let filled = Filled::of(ANY);
    let expected: Vec<Value> = links(&list(filled.source(), &[])).into_iter().filter(|link| wanted(link)).collect();
    assert!(!expected.is_empty(), "{args:?} would prove nothing");
    for scan in [&[][..], &["--full-scan"]] {
        let found = links(&list(filled.source(), &[args, scan].concat()));
        assert_same(&format!("{args:?}"), paths(&found), paths(&expected));
        assert!(found == expected, "{args:?}: the same paths, and something else about them");
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('\\'))
}

#[test]
fn kinds() {
    for kind in ["symlink-file", "symlink-dir", "junction", "mount-point", "app-exec", "wsl", "other"] {
        chooses(&["--kind", kind], |link| link["kind"] == kind);
    }
    chooses(&["--kind", "symlink"], |link| link["kind"].as_str().unwrap().starts_with("symlink"));
    chooses(&["--kind", "junction", "--kind", "wsl"], |link| link["kind"] == "junction" || link["kind"] == "wsl");
}

#[test]
fn states() {
    for one in ["ok", "missing", "loop", "too-long", "wrong-kind", "elsewhere"] {
        chooses(&["--state", one], |link| state(link) == one);
    }
    chooses(&["--state", "loop", "--state", "ok"], |link| ["loop", "ok"].contains(&state(link)));
    chooses(&["--broken"], is_broken);
    chooses(&["--broken", "--state", "loop", "--state", "ok"], |link| state(link) == "loop");
    chooses(&["--broken", "--kind", "junction"], |link| is_broken(link) && link["kind"] == "junction");
}

#[test]
fn names_and_targets() {
    chooses(&["--name", "link*"], |link| last(&path(link)).starts_with("link"));
    chooses(&["--name", "[0-9]"], |link| matches!(last(&path(link)).as_bytes(), [b'0'..=b'9']));
    chooses(&["--name", "É"], |link| path(link).ends_with(r"\É"));
    let target = |link: &Value| link.get("target").filter(|target| !target.is_null()).map(text).unwrap_or_default();
    chooses(&["--target", "target 1*"], |link| target(link).starts_with("target 1"));
    chooses(&["--target", r"C:\Real*"], |link| target(link).starts_with(r"C:\Real"));
    chooses(&["--target", r"*\other", "--kind", "symlink-file"], |link| {
        target(link).ends_with(r"\other") && link["kind"] == "symlink-file"
    });
}

#[test]
fn places() {
    chooses(&["--exclude", "large"], |link| !is_below(&path(link), r"C:\large"));
    chooses(&["--exclude", "/large/more/", "--exclude", "history"], |link| {
        !is_below(&path(link), r"C:\large\more") && !is_below(&path(link), r"C:\history")
    });
    chooses(&["--exclude", "*", "--exclude", "!/loops", "--exclude", "!/loops/a"], |link| path(link) == r"C:\loops\a");
    let depth = |link: &Value| path(link).matches('\\').count();
    chooses(&["--max-depth", "2", "--kind", "junction"], |link| depth(link) <= 2 && link["kind"] == "junction");
    chooses(&[r"C:\history"], |link| is_below(&path(link), r"C:\history"));
    chooses(&["HISTORY/moved twice", r"\loops"], |link| {
        is_below(&path(link), r"C:\history\moved twice") || is_below(&path(link), r"C:\loops")
    });
    chooses(&[r"C:\large", "--max-depth", "1"], |link| {
        path(link).strip_prefix(r"C:\large\").is_some_and(|name| !name.contains('\\'))
    });
    // One within another is listed once.
    chooses(&[r"C:\chains", r"C:\chains\5"], |link| is_below(&path(link), r"C:\chains"));
    // A link that is named is listed itself.
    chooses(&[r"C:\junctions\plain"], |link| path(link) == r"C:\junctions\plain");
    // By its way through a junction, or by its 8.3 name, a directory is itself.
    chooses(&[r"C:\junctions\plain\empty"], |link| path(link) == r"C:\Real\empty\second");
    chooses(&[r"C:\short\ALONGD~1"], |link| is_below(&path(link), r"C:\short\a long directory"));
}

#[test]
fn hard_links_are_filtered_too() {
    let filled = Filled::of(ANY);
    let of = |args: &[&str]| {
        let found = links(&list(filled.source(), args));
        let names = |group: &Value| group["paths"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
        found.iter().map(names).collect::<Vec<_>>()
    };
    let all = of(&["--hard"]);
    let keep = |wanted: &dyn Fn(&String) -> bool| {
        let kept = all.iter().map(|names| names.iter().filter(|name| wanted(name)).cloned().collect::<Vec<_>>());
        kept.filter(|names| !names.is_empty()).collect::<Vec<_>>()
    };
    assert_same("kind", of(&["--kind", "hard"]), all.clone());
    assert_same("place", of(&["--hard", r"C:\Real"]), keep(&|name| is_below(name, r"C:\Real")));
    let is_excluded = |name: &str| is_below(name, r"C:\names") || name == r"C:\large\names";
    assert_same("exclude", of(&["--hard", "--exclude", "names"]), keep(&|name| !is_excluded(name)));
    let by_name = |name: &String| ["a", "b"].contains(&last(name)) && !is_below(name, r"C:\names");
    assert_same("name", of(&["--hard", "--name", "[ab]", "--exclude", "names"]), keep(&by_name));
    let both = links(&list(filled.source(), &["--hard", "--kind", "junction"]));
    let count = |kind: &str| both.iter().filter(|link| link["kind"] == kind).count();
    assert_eq!((count("hard"), count("hard") + count("junction")), (all.len(), both.len()));
    // Names that are left out are outside, and deleting the others frees nothing.
    let part = links(&list(filled.source(), &["--hard", r"C:\Real\deep"]));
    let part: Vec<_> = part.iter().map(|group| (&group["links"], &group["outside"], &group["frees"])).collect();
    assert_eq!(part, [(&3.into(), &2.into(), &0.into())]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let source = Filled::of(ANY).source();
    for args in [
        &["--state", "ok", "--broken"][..],
        &["--target", "["],
        &["--jobs", "2"],
        &["--one-file-system"],
        &["-0", "--json"],
    ] {
        run("list", &source, args).exits(2);
    }
    run("list", &source, [r"C:\nope"]).exits(3).says(r"C:\nope");
}
