//! The command line as people and programs meet it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common::{Linkctl, leftovers, names, os};
use testkit::{require, tree};

const VERBS: [&str; 21] = [
    "create",
    "show",
    "list",
    "check",
    "remove",
    "history",
    "undo",
    "repair",
    "track",
    "untrack",
    "move",
    "restore",
    "recover",
    "doctor",
    "mklink",
    "fsutil",
    "dir",
    "drop-ins",
    "completions",
    "man",
    "help",
];

#[test]
fn every_verb_has_help_with_an_example() {
    let linkctl = Linkctl::new();
    let all = linkctl.ok(["--help"]).out;
    for verb in VERBS {
        assert!(all.contains(&format!("  {verb} ")), "{verb} is not in --help:\n{all}");
        let help = linkctl.ok([verb, "--help"]).out;
        assert!(help.contains("Example") && help.contains(&format!("  linkctl {verb}")), "{help}");
        assert!(help.contains(&format!("Usage: linkctl {verb}")), "{help}");
        assert!(linkctl.ok(["help", verb]).out.contains(&format!("  linkctl {verb}")), "{verb}");
    }
    assert!(linkctl.ok(["help"]).out.contains("Exit codes"));
    assert!(linkctl.ok(["--version"]).out.starts_with("linkctl "));
}

#[test]
fn help_kinds_answers_the_questions_for_each_kind() {
    let linkctl = Linkctl::new();
    let text = linkctl.ok(["help", "kinds"]).out;
    for kind in ["symlink", "junction", "hard"] {
        assert!(text.contains(&format!("kind                  {kind}\n")), "{text}");
    }
    for question in ["relative target", "to another volume", "missing target", "privilege", "deleting the link"] {
        assert_eq!(text.matches(question).count(), 3, "{question}:\n{text}");
    }
}

/// Questions down, kinds across.
#[test]
fn the_readme_has_the_table_of_help_kinds() {
    let text = Linkctl::new().ok(["help", "kinds"]).out;
    let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
    for (question, answer) in text.lines().filter_map(|line| line.strip_prefix("  ")?.split_at_checked(22)) {
        match rows.iter_mut().find(|(known, _)| *known == question.trim_end()) {
            Some((_, answers)) => answers.push(answer),
            None => rows.push((question.trim_end(), vec![answer])),
        }
    }
    let row = |(question, answers): &(&str, Vec<&str>)| format!("| {question} | {} |\n", answers.join(" | "));
    let mut table: Vec<String> = rows.iter().map(row).collect();
    assert_eq!(table.len(), 9, "{text}");
    table.insert(1, "|---|---|---|---|\n".to_owned());
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    assert!(readme.contains(&table.concat()), "README.md lacks the table:\n{}", table.concat());
}

#[test]
fn wrong_usage_exits_2_and_changes_nothing() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "a" => symlink("x") });
    let cases: [&[&str]; 17] = [
        &[],
        &["frobnicate"],
        &["create"],
        &["create", "only-one"],
        &["create", "one", "two", "three"],
        &["create", "--kind", "soft", "l", "t"],
        &["create", "--relative", "--absolute", "l", "t"],
        &["create", "--dir", "--file", "l", "t"],
        &["create", "--drive", "CD", "l", "t"],
        &["list", "--json", "--format", "csv"],
        &["list", "-0", "--json"],
        &["list", "--kind", "soft"],
        &["remove"],
        &["remove", "--one-file-system", "a"],
        &["undo", "first"],
        &["completions", "tcsh"],
        &["help", "frobnicate"],
    ];
    for case in cases {
        let ran = linkctl.output(case);
        assert_eq!((ran.code(), ran.out.as_str()), (Some(2), ""), "{case:?}: {ran}");
    }
    assert_eq!(names(linkctl.work()), ["a"]);
    assert!(!linkctl.state().exists());
}

#[test]
fn completions_are_accepted_by_the_shells() {
    let linkctl = Linkctl::new();
    for (shell, check) in [("bash", true), ("zsh", true), ("fish", true), ("powershell", false)] {
        let script = linkctl.ok(["completions", shell]).out;
        for verb in VERBS {
            assert!(script.contains(verb), "{shell} knows no {verb}");
        }
        if check {
            require::tool(shell);
            let file = linkctl.at(shell);
            fs::write(&file, &script).unwrap();
            let option = if shell == "fish" { "--no-execute" } else { "-n" };
            let output = Command::new(shell).arg(option).arg(&file).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
        }
    }
}

#[test]
fn manual_pages_are_accepted_by_mandoc() {
    require::tool("mandoc");
    let linkctl = Linkctl::new();
    // The example of `man --help` is ~/.local/share/man/man1, of which nothing need exist.
    linkctl.ok(["man", "new/man1"]);
    let pages = names(linkctl.at("new/man1"));
    let expected = VERBS.iter().map(|verb| format!("linkctl-{verb}.1")).chain(["linkctl.1".to_owned()]);
    assert_eq!(pages.iter().cloned().collect::<BTreeSet<_>>(), expected.collect());
    for page in pages {
        let mut lint = Command::new("mandoc");
        let output = lint.args(["-Tlint", "-Werror"]).arg(linkctl.at("new/man1").join(&page)).output().unwrap();
        assert!(output.status.success(), "{page}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn doctor_tells_what_can_be_made_and_leaves_nothing() {
    let linkctl = Linkctl::new();
    linkctl.ok(["create", "l", "t"]);
    let json = linkctl.ok(["doctor", "--json"]).json();
    let able = |name: &str| {
        let capabilities = json["capabilities"].as_array().unwrap();
        capabilities.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("{name}: {json}"))["able"].clone()
    };
    assert_eq!([able("hard"), able("junction")], [true, false]);
    assert!(json["journal"].as_str().unwrap().contains("1 operations"), "{json}");
    assert_eq!(names(linkctl.work()), ["l"]);
    linkctl.output(["doctor", "no-such-place"]).exits(3).says("no-such-place");
}

#[test]
fn json_of_changing_verbs_is_one_document_also_when_refused() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("") });
    let made = linkctl.ok(["create", "--json", "l", "f"]).json();
    assert_eq!([&made["changes"][0]["action"], &made["changes"][0]["result"]], ["create", "done"]);
    assert_eq!((&made["schema"], &made["operation"]), (&1.into(), &1.into()));
    let refused = linkctl.output(["create", "--json", "l", "f"]).exits(4).json();
    assert_eq!([&refused["errors"][0]["kind"], &refused["errors"][0]["operation"]], ["already-exists", "create link"]);
    let planned = linkctl.ok(["remove", "--json", "--dry-run", "l"]).json();
    assert_eq!([&planned["changes"][0]["result"], &planned["verb"]], ["planned", "remove"]);
    assert_eq!(linkctl.ok(["undo", "--json"]).json()["changes"][0]["action"], "remove");
    // Every refusal is a document, these too.
    for args in [
        &["undo", "--json"] as &[&str],
        &["undo", "--json", "77"],
        &["show", "--json", "none"],
        &["history", "--json", "77"],
    ] {
        let ran = linkctl.output(args);
        assert!(
            ran.code() != Some(0) && serde_json::from_slice::<serde_json::Value>(&ran.bytes).is_ok(),
            "{args:?}: {ran}"
        );
    }
}

/// Random names: any bytes but NUL and slash, control characters more often than chance has them.
fn hostile_names(count: usize) -> BTreeSet<Vec<u8>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    const PIECES: [&[u8]; 9] = [
        b"\x1b[2J",
        b"\x1b]0;x\x07",
        b"\n",
        b"\r",
        "\u{9b}31m".as_bytes(),
        "\u{202e}".as_bytes(),
        b"\xff",
        b"\xc2",
        b"a",
    ];
    let mut names = BTreeSet::new();
    while names.len() < count {
        let mut name = Vec::new();
        for _ in 0..1 + random(8) {
            if random(2) == 0 {
                name.extend(PIECES[random(9) as usize]);
            } else {
                name.push(random(256) as u8);
            }
        }
        name.retain(|byte| ![0, b'/'].contains(byte));
        if !name.is_empty() && name != b"." && name != b".." && name[0] != b'-' {
            names.insert(name);
        }
    }
    names
}

/// Only text, and no character that a terminal obeys, but the ends of lines.
#[track_caller]
fn harmless(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{what}: {e}: {}", bytes.escape_ascii()));
    let bad = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2028}';
    assert!(!text.contains(bad), "{what}: {:?}", text.lines().find(|line| line.contains(bad)));
}

/// Every line of standard error begins as ours do: no name starts a line of its own.
#[track_caller]
fn own_lines(what: &str, text: &str) {
    for line in text.lines() {
        let own = ["error: ", "hint: ", "note: ", "warning: ", "      "].iter().any(|head| line.starts_with(head));
        assert!(own, "{what}: {line:?}");
    }
}

#[test]
fn hostile_names_never_reach_the_terminal_as_they_are() {
    let linkctl = Linkctl::new();
    let names = hostile_names(300);
    fs::create_dir(linkctl.at("d")).unwrap();
    let check = |args: &[&[u8]], lines: Option<usize>| {
        let ran = linkctl.output(args.iter().map(|arg| os(arg)));
        let what = args[0].escape_ascii().to_string();
        harmless(&what, &ran.bytes);
        harmless(&what, &ran.raw_err);
        own_lines(&what, &ran.err);
        if let Some(lines) = lines {
            assert_eq!(ran.out.lines().count(), lines, "{what}: {ran}");
        }
    };
    for chunk in names.iter().collect::<Vec<_>>().chunks(20) {
        let plain: Vec<&[u8]> = chunk.iter().map(|name| name.as_slice()).collect();
        let targets: Vec<Vec<u8>> = chunk.iter().map(|name| [b"t/", name.as_slice()].concat()).collect();
        let targets: Vec<&[u8]> = targets.iter().map(Vec::as_slice).collect();
        let create: &[&[u8]] = &[b"create", b"--into", b"d"];
        check(&[create, &[b"--dry-run"], &targets].concat(), Some(20));
        check(&[create, &targets].concat(), Some(20));
        check(&[create, &targets].concat(), Some(0));
        check(&[create, &plain].concat(), Some(0));
        check(&[&[b"remove".as_slice()], plain.as_slice()].concat(), Some(0));
        check(&[&[b"list".as_slice()], plain.as_slice()].concat(), Some(0));
    }
    let count = names.len();
    check(&[b"list", b"d"], Some(count + 1));
    check(&[b"list", b"--format", b"csv", b"d"], Some(count + 1));
    check(&[b"history"], Some(count / 20 + 1));
    check(&[b"history", b"1"], Some(2 + 1 + 20));
    check(&[b"remove", b"--recursive", b"--dry-run", b"d"], Some(count));
    for name in names.iter().take(60) {
        let path = [b"d/", name.as_slice()].concat();
        check(&[b"show", &path], None);
        check(&[b"show", name], Some(0));
        check(&[b"create", &path, b"t"], Some(0));
        check(&[b"create", b"--kind", b"hard", b"h", name], Some(0));
        check(&[b"create", b"f/x", name], Some(0));
        check(&[b"doctor", name], Some(0));
        if std::str::from_utf8(name).is_ok() {
            check(&[b"list", b"--target", name, name], Some(0));
        }
    }
    check(&[b"remove", b"--recursive", b"--yes", b"d"], None);
    check(&[b"undo"], None);
}

#[test]
fn hostile_arguments_in_usage_errors_are_escaped() {
    let linkctl = Linkctl::new();
    // `linkctl remove *` in a directory with such a name.
    let cases: [&[&str]; 5] = [
        &["remove", "--x\x07\x08\u{9b}31m"],
        &["\x07verb\u{202e}"],
        &["list", "--kind", "\x07\r\u{202e}"],
        &["help", "\x07\u{9b}"],
        &["undo", "\x08\x07"],
    ];
    for case in cases {
        let ran = linkctl.output(case).exits(2);
        // What clap quotes it quotes raw.
        harmless(&format!("{case:?}"), &ran.raw_err);
    }
}

#[test]
fn man_writes_through_no_link_and_says_what_it_replaced() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "precious" => file("precious"), "pub/linkctl-check.1" => symlink("../precious") });
    let ran = linkctl.output(["man", "pub"]).exits(4).says("a link has this name");
    assert_eq!(names(linkctl.at("pub")), ["linkctl-check.1"], "{ran}");
    assert_eq!(fs::read(linkctl.at("precious")).unwrap(), b"precious");
    fs::remove_file(linkctl.at("pub/linkctl-check.1")).unwrap();
    // Another name of the file keeps what was in it.
    fs::hard_link(linkctl.at("precious"), linkctl.at("pub/linkctl-check.1")).unwrap();
    let ran = linkctl.ok(["man", "pub"]);
    assert!(ran.out.starts_with("replaced pub/linkctl-check.1\nmanual pages written into pub\n"), "{ran}");
    assert_eq!(fs::read(linkctl.at("precious")).unwrap(), b"precious");
    assert_eq!(linkctl.ok(["man", "pub"]).out, "manual pages written into pub\n");
    fs::remove_file(linkctl.at("pub/linkctl.1")).unwrap();
    fs::create_dir(linkctl.at("pub/linkctl.1")).unwrap();
    linkctl.output(["man", "pub"]).exits(4).says("a directory has this name");
    assert!(leftovers(linkctl.at("pub")).is_empty());
}

#[test]
fn output_that_cannot_be_written_is_exit_3() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("t") });
    let run = |words: &str, to: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("\"$0\" {words} {to}"), env!("CARGO_BIN_EXE_linkctl")]);
        linkctl.said(shell.current_dir(linkctl.work()).env("LINKCTL_STATE_DIR", linkctl.state()).output().unwrap())
    };
    let all = [
        "--help",
        "--version",
        "help list",
        "help kinds",
        "list --help",
        "mklink --help",
        "list",
        "list --json",
        "list --format paths",
        "list --format ndjson",
        "list --format csv",
        "show l",
        "show --json l",
        "completions bash",
        "doctor",
        "create m t",
        "history",
        "man pages",
        "check",
    ];
    for words in all {
        for to in [">&-", "> /dev/full"] {
            let ran = run(words, to);
            assert_eq!(ran.code(), Some(3), "{words} {to}: {ran}");
            assert!(ran.err.contains("cannot write the output: "), "{words} {to}: {ran}");
            fs::remove_file(linkctl.at("m")).unwrap_or_default();
        }
        // Nobody asked for it.
        assert!(matches!(run(words, "1<> /dev/null").code(), Some(0 | 1)), "{words}");
        fs::remove_file(linkctl.at("m")).unwrap_or_default();
    }
}

#[test]
fn a_drop_in_that_cannot_print_ended_with_1_as_if_it_had_failed() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "t" => file("x"), "l" => symlink("t"), "bin" => dir });
    linkctl.ok(["drop-ins", "bin"]);
    let all = [
        "mklink n t",
        "mklink /h n t",
        "mklink /?",
        "mklink --help",
        "dir",
        "dir /b",
        "dir /?",
        "dir --help",
        "fsutil",
        "fsutil hardlink",
        "fsutil hardlink create n t",
        "fsutil hardlink list t",
    ];
    for words in all {
        for called in [format!("{} {words}", linkctl.program().display()), format!("bin/{words}")] {
            // By its own name, a drop-in knows no such word.
            if called.starts_with("bin") && words.ends_with("--help") {
                continue;
            }
            for to in [">&-", "> /dev/full"] {
                let shell = format!("exec {called} {to}");
                let mut command = Command::new("sh");
                command.args(["-c", &shell]).current_dir(linkctl.work()).env("LINKCTL_STATE_DIR", linkctl.state());
                let ran = linkctl.said(command.output().unwrap());
                assert_eq!(ran.code(), Some(3), "{shell}: {ran}");
                assert!(ran.err.contains("cannot write the output: "), "{shell}: {ran}");
                fs::remove_file(linkctl.at("n")).unwrap_or_default();
            }
        }
    }
}

#[test]
fn a_command_line_that_makes_no_sense_prints_no_document() {
    let linkctl = Linkctl::new();
    let cases: [&[&str]; 5] = [
        &["list", "--target", "[", "."],
        &["list", "--exclude", "{", "."],
        &["check", "--exclude", "{", "."],
        &["repair", "--map", "nothing", "."],
        &["repair", "--map-file", "nowhere", "."],
    ];
    for case in cases {
        let ran = linkctl.output(case.iter().chain(&["--json"])).exits(2);
        assert!(ran.out.is_empty() && ran.err.starts_with("error: "), "{case:?}: {ran}");
    }
}

#[test]
fn without_proc_every_verb_works_or_says_why_not() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "f" => file("x"), "d/e" => dir, "ntfs" => dir });
    let script = r#"umount -l /proc; "$@""#;
    let run = |args: &[&str]| {
        let mut command = linkctl.command([""; 0]);
        let envs: Vec<_> = command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
        command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", script, "sh"]).arg(linkctl.program()).args(args);
        linkctl.said(command.envs(envs).current_dir(linkctl.work()).output().unwrap())
    };
    let works: [&[&str]; 17] = [
        &["create", "l", "f"],
        &["create", "--relative", "d/r", "f"],
        &["create", "--absolute", "abs", "f"],
        &["create", "--kind", "hard", "h", "f"],
        &["create", "--replace", "l", "d"],
        &["list", "."],
        &["list", "--hard", "."],
        &["list", "--json", "."],
        &["list", "--points-to", "f", "."],
        &["show", "l"],
        &["check", "."],
        &["doctor", "."],
        &["remove", "l"],
        &["undo"],
        &["repair", "--relative", "--yes", "."],
        &["history"],
        &["recover", "."],
    ];
    for args in works {
        run(args).exits(0);
    }
    assert_eq!(
        (linkctl.target("d/r"), linkctl.target("abs"), linkctl.target("l")),
        (b"../f".into(), b"f".into(), b"d".into())
    );
    run(&["track", "--yes", "d/r"]).exits(3).says("/proc is not mounted");
    run(&["move", "--yes", "d", "moved"]).exits(4).says("/proc is not mounted");
}
