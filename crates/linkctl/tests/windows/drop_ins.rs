//! `mklink`, `fsutil` and `dir` with Windows' words and codes, also from `cmd` and by their own names.

use std::fs;
use std::process::{Command, Stdio};

use crate::{Linkctl, Ran, output, program};

#[test]
fn mklink_h_says_what_it_made_and_why_it_did_not() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    fs::create_dir(linkctl.at("d")).unwrap();
    let made = linkctl.ok(["mklink", "/h", r".\b", "a"]);
    assert_eq!((made.out.as_str(), made.err.as_str()), ("Hardlink created for .\\b <<===>> a\n", ""));
    linkctl.ok(["mklink", "c", "a", "/H"]);
    for (words, said) in [
        (&["/h", "b", "a"][..], "Cannot create a file when that file already exists."),
        (&["/h", "n", "missing"], "The system cannot find the file specified."),
        (&["/h", "n", "d"], "Access is denied."),
        (&["/h", r"missing\n", "a"], "The system cannot find the path specified."),
        (&["/z", "n", "a"], "Invalid switch - \"z\"."),
        (&["n"], "The syntax of the command is incorrect."),
        (&["n", "a", "x"], "The syntax of the command is incorrect."),
    ] {
        let ran = linkctl.run([&["mklink"], words].concat()).exits(1);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", format!("{said}\n").as_str()), "{words:?}");
    }
    linkctl.run(["mklink"]).exits(1).says("MKLINK [[/D] | [/H] | [/J]] Link Target");
    linkctl.ok(["mklink", "/?"]).prints("Creates a symbolic link.");
    assert_eq!(linkctl.left(), ["a", "b", "c", "d"]);
}

#[test]
fn fsutil_makes_and_lists_names_in_full() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    let work = linkctl.work();
    let made = linkctl.ok(["fsutil", "hardlink", "create", "b", "./a"]);
    let expected = format!("Hardlink created for {0}\\b <<===>> {0}\\a\n", work.display());
    assert_eq!(made.out, expected);
    let inside = work.to_str().unwrap().split_at(2).1.to_owned();
    let listed = linkctl.ok(["fsutil", "hardlink", "list", "b"]);
    assert_eq!(listed.out, format!("{inside}\\b\n{inside}\\a\n"));
    let query = linkctl.run(["fsutil", "reparsepoint", "query", "a"]).exits(1);
    assert_eq!(query.err, "Error:  The file or directory is not a reparse point.\n");
    let delete = linkctl.run(["fsutil", "reparsepoint", "delete", "a"]).exits(1);
    assert_eq!(delete.err, "Error:  The file or directory is not a reparse point.\n");
}

#[test]
fn fsutil_tells_which_symbolic_links_are_followed() {
    let linkctl = Linkctl::new();
    let told = linkctl.ok(["fsutil", "behavior", "query", "SymlinkEvaluation"]);
    let lines: Vec<&str> = told.out.lines().collect();
    let classes = ["Local to local", "Local to remote", "Remote to local", "Remote to remote"];
    for (line, class) in lines.iter().zip(classes) {
        let rest = line.strip_prefix(class).unwrap().strip_prefix(" symbolic links are ").unwrap();
        assert!(rest == "enabled." || rest == "disabled.", "{told}");
    }
    assert!(lines.len() >= 4, "{told}");
    linkctl.run(["fsutil", "behavior", "set", "SymlinkEvaluation", "L2L:2"]).exits(1);
}

/// Changes the machine's own policy: only where the machine is a Wine prefix made for these tests.
#[test]
fn fsutil_sets_which_symbolic_links_are_followed_and_says_so_afterwards() {
    let linkctl = Linkctl::new();
    if std::env::var_os("WINEPREFIX").is_none() {
        crate::say("SymlinkEvaluation is not set: this is no Wine prefix, and its policy is not the tests' to change");
        return;
    }
    let query = || linkctl.ok(["fsutil", "behavior", "query", "SymlinkEvaluation"]).out;
    linkctl.ok(["fsutil", "behavior", "set", "SymlinkEvaluation", "R2L:1", "L2R:0"]);
    assert!(query().contains("Remote to local symbolic links are enabled."), "{}", query());
    assert!(query().contains("Local to remote symbolic links are disabled."), "{}", query());
    linkctl.ok(["fsutil", "behavior", "set", "SymlinkEvaluation", "R2L:0", "L2R:1"]);
    assert!(query().contains("Remote to local symbolic links are disabled."), "{}", query());
}

#[test]
fn they_run_from_cmd_and_by_their_own_names() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "x");
    // The shell finds them beside where it stands.
    for name in ["linkctl.exe", "fsutil.exe", "mklink.exe"] {
        fs::hard_link(program(), linkctl.at(name))
            .or_else(|_| fs::copy(program(), linkctl.at(name)).map(drop))
            .unwrap();
    }
    let cmd = |line: &str| {
        let mut command: Command = linkctl.command_of("cmd".as_ref(), ["/d", "/c", line]);
        Ran::of(&output(command.stdin(Stdio::null())))
    };
    cmd(r"linkctl.exe create --kind hard b a").exits(0).prints("created hard b");
    cmd(r".\fsutil.exe hardlink list b").exits(0).prints(r"\work\a");
    cmd(r".\mklink.exe /h c a").exits(0).prints("Hardlink created for c <<===>> a");
    cmd(r"linkctl.exe mklink /h c a").exits(1).says("already exists");
    cmd(r"linkctl.exe show b").exits(0).prints("3 names");
    let listed = cmd(r"linkctl.exe list --kind hard --format json").exits(0).json();
    assert!(listed["links"].as_array().unwrap().iter().any(|group| group["links"] == 3), "{listed}");
    cmd(r"linkctl.exe remove --kind hard c").exits(0);
    cmd(r"linkctl.exe undo").exits(0).prints("created hard");
    cmd(r"linkctl.exe nonsense").exits(2);
    cmd(r"linkctl.exe remove --kind hard missing || exit 77").exits(77);
    for name in ["a", "b", "c"] {
        assert_eq!(linkctl.read(name), "x");
    }
}
