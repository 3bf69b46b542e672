//! The walk: what it finds, in how many calls, and what it may cost.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common::Linkctl;
use testkit::{require, strace, tree, trees};

/// The paths that `list` gives, sorted.
#[track_caller]
fn paths(linkctl: &Linkctl, args: &[&str]) -> Vec<String> {
    let ran = linkctl.ok([&["list", "--format", "paths"], args].concat());
    let mut paths: Vec<String> = ran.out.lines().map(str::to_owned).collect();
    paths.sort();
    paths
}

fn sh(linkctl: &Linkctl, script: &str) {
    require::run(Command::new("sh").args(["-c", script]).current_dir(linkctl.work()));
}

/// A sample of the tree that `cargo xtask bench scan` measures: siblings and others, half of each broken.
fn sample(linkctl: &Linkctl, directories: usize) {
    for n in 0..directories {
        let next = (n + 1) % directories;
        for file in 0..8 {
            tree!(linkctl.work(), { format!("d{n}/file{file}") => file("") });
        }
        tree!(linkctl.work(), {
            format!("d{n}/a") => symlink("file1"), format!("d{n}/b") => symlink("gone"),
            format!("d{n}/c") => symlink(format!("../d{next}/file2")), format!("d{n}/d") => symlink("../nowhere/x"),
        });
    }
}

/// How many calls that look at a file's attributes name one of the links.
fn stats(linkctl: &Linkctl, args: &[&str]) -> (usize, usize) {
    // Where ntfs-3g serves a volume, links that fail are looked at more closely: without such volumes, then.
    let mut command = Command::new("unshare");
    let without = "umount -l -a -t fuse,fuseblk 2>/dev/null; exec \"$0\" \"$@\"";
    command.args(["-m", "sh", "-c", without]).arg(linkctl.program()).args(["list", "--jobs", "1"]).args(args);
    command.current_dir(linkctl.work());
    let lines = strace::trace("%%stat,statx,readlinkat,readlink,openat2,openat", &command);
    let count = |call: &str| {
        let of = |line: &&String| line.contains(&format!(" {call}(")) || line.starts_with(&format!("{call}("));
        let links = ["\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"file1\"", "\"gone\"", "file2\"", "nowhere/x\""];
        lines.iter().filter(of).filter(|line| links.iter().any(|link| line.contains(link))).count()
    };
    (count("statx") + count("newfstatat"), count("readlinkat"))
}

#[test]
fn a_link_costs_one_readlink_and_one_stat_and_a_sibling_none() {
    let linkctl = Linkctl::new();
    sample(&linkctl, 10);
    // 40 links; 20 of them lead to plain names of their own directory.
    assert_eq!(stats(&linkctl, &["--format", "paths"]), (0, 0), "where nothing is asked, nothing is looked at");
    assert_eq!(stats(&linkctl, &["--broken", "--format", "paths"]), (20, 40));
    assert_eq!(stats(&linkctl, &["--format", "table"]), (20, 40));
    let (stat, readlink) = stats(&linkctl, &["--format", "ndjson"]);
    assert!(stat <= 20 && readlink == 40, "{stat} {readlink}");
    let mut siblings = Vec::new();
    for n in 0..10 {
        siblings.extend([format!("d{n}/c"), format!("d{n}/d")]);
    }
    for link in &siblings {
        fs::remove_file(linkctl.at(link)).unwrap();
    }
    assert_eq!(stats(&linkctl, &["--broken", "--format", "paths"]), (0, 20), "siblings cost no look");
}

#[test]
fn states_are_those_of_find_whatever_the_format_and_however_many_read() {
    let linkctl = Linkctl::new();
    sample(&linkctl, 50);
    trees::loops(&linkctl.at("loops").tap());
    trees::dangling(&linkctl.at("dangling").tap());
    trees::links(&linkctl.at("links").tap());
    // `find -xtype l` leaves loops out: what the system cannot reach is asked one by one.
    let each = "find . -type l -exec sh -c 'test -e \"$0\" || echo \"${0#./}\"' {} \\;";
    let output = Command::new("sh").args(["-c", each]).current_dir(linkctl.work()).output().unwrap();
    let mut broken: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    broken.sort();
    for jobs in ["1", "2", "7"] {
        assert_eq!(paths(&linkctl, &["--broken", "--jobs", jobs]), broken, "{jobs} jobs");
    }
    let records = linkctl.ok(["list", "--format", "ndjson"]).out;
    let records: BTreeSet<String> = records
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|record| ["missing", "loop", "too-long"].contains(&record["state"].as_str().unwrap()))
        .map(|record| record["path"]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(records, broken.into_iter().collect());
}

/// Makes the directory, and gives its path.
trait Tap {
    fn tap(self) -> Self;
}

impl Tap for std::path::PathBuf {
    fn tap(self) -> Self {
        fs::create_dir(&self).unwrap();
        self
    }
}

#[test]
fn ext4_directories_that_fold_case_are_not_taken_for_exact() {
    // What a name leads to there is the file system's word, not ours.
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "fd/x" => file("") });
    let proc = linkctl.output(["list", "--format", "ndjson", "/proc/self/fd/"]);
    let states: BTreeSet<&str> =
        proc.out.lines().filter_map(|line| line.split("\"state\":\"").nth(1)?.split('"').next()).collect();
    assert!(states.contains("ok"), "links of /proc look like names that are missing: {proc}");
}

#[test]
fn a_deep_tree_and_a_long_directory_need_few_files_and_little_memory() {
    let linkctl = Linkctl::new();
    let deep = trees::deep(linkctl.work(), 12_000);
    sh(
        &linkctl,
        "mkdir long && cd long && seq -f file-%06.0f 60000 | xargs touch && ln -s file-000007 l && ln -s none m",
    );
    let program = linkctl.program().to_str().unwrap().to_owned();
    let limited = format!("ulimit -n 64; ulimit -v 400000; exec {program} list --broken --format paths long");
    let ran = linkctl.said(Command::new("sh").args(["-c", &limited]).current_dir(linkctl.work()).output().unwrap());
    assert_eq!((ran.code(), ran.out.as_str(), ran.err.as_str()), (Some(0), "long/m\n", ""));
    let limited = format!("ulimit -n 64; exec {program} list --format paths | wc -l");
    let ran = linkctl.said(Command::new("sh").args(["-c", &limited]).current_dir(linkctl.work()).output().unwrap());
    assert_eq!(ran.err, "", "{ran}");
    let count: usize = ran.out.trim().parse().unwrap();
    assert!(count >= 2, "{ran}");
    for (files, jobs) in [(64, 8), (20, 8), (24, 2)] {
        let limited = format!("ulimit -n {files}; exec {program} list --jobs {jobs} --format paths | wc -l");
        let output = Command::new("sh").args(["-c", &limited]).current_dir(linkctl.work()).output().unwrap();
        let ran = linkctl.said(output);
        assert_eq!((ran.out.trim(), ran.err.as_str()), (count.to_string().as_str(), ""), "{files} files, {jobs} jobs");
    }
    drop(deep);
}

#[test]
fn names_depth_order_and_globs_narrow_the_list() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "l.txt" => symlink("x"), "a/l.txt" => symlink("x"), "a/m" => symlink("x"), "a/b/l.txt" => symlink("x"),
        "z/k.txt" => symlink("x")
    });
    assert_eq!(paths(&linkctl, &["--max-depth", "1"]), ["l.txt"]);
    assert_eq!(paths(&linkctl, &["--max-depth", "2"]), ["a/l.txt", "a/m", "l.txt", "z/k.txt"]);
    assert_eq!(paths(&linkctl, &["--max-depth", "1", "a"]), ["a/l.txt", "a/m"]);
    assert_eq!(paths(&linkctl, &["--name", "l.*"]), ["a/b/l.txt", "a/l.txt", "l.txt"]);
    assert_eq!(paths(&linkctl, &["--name", "l.*", "--exclude", "/a/b/"]), ["a/l.txt", "l.txt"]);
    for format in ["paths", "csv", "ndjson"] {
        let sorted = linkctl.ok(["list", "--sort", "--format", format]).out;
        let lines: Vec<&str> = sorted.lines().filter(|line| !line.starts_with("path,kind")).collect();
        assert_eq!(lines.len(), 5, "{sorted}");
        assert!(lines.is_sorted(), "{sorted}");
    }
}

#[test]
fn hard_links_say_what_deleting_them_would_free() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "in/a" => file("12345"), "in/b" => hard("in/a"), "in/c" => file("x"), "out/c" => hard("in/c") });
    let groups = linkctl.ok(["list", "--hard", "--json", "in"]).json();
    let of = |index: usize, field: &str| groups["links"][index][field].as_u64().unwrap();
    assert_eq!((of(0, "links"), of(0, "outside")), (2, 0));
    assert_eq!(of(0, "frees"), of(0, "allocated"));
    assert!(of(0, "allocated") >= 512);
    assert_eq!((of(1, "links"), of(1, "outside"), of(1, "frees")), (2, 1, 0));
    // Roots that overlap show no name twice.
    let twice = linkctl.ok(["list", "--hard", "--json", "in", "./in", "."]).json();
    assert_eq!(twice["links"][0]["paths"].as_array().unwrap().len(), 2, "{twice}");
}

#[test]
fn points_to_finds_links_at_any_hop_and_names_of_files() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "games/doom/save" => file("x"), "games/wad" => file("y"), "direct" => symlink("games"),
        "below" => symlink("games/doom"), "hop" => symlink("below"), "far/hop2" => symlink("../hop/save"),
        "broken" => symlink("games/gone"), "other" => symlink("games-not"), "games-not" => dir,
        "copy" => hard("games/doom/save"), "absolute" => symlink("/usr")
    });
    let hits = |args: &[&str]| paths(&linkctl, args);
    let expected = ["below", "broken", "copy", "direct", "far/hop2", "games/doom/save", "hop"];
    assert_eq!(hits(&["--points-to", "games"]), expected);
    assert_eq!(hits(&["--points-to", "./games/"]), expected);
    assert_eq!(hits(&["--points-to", "games/gone"]), ["broken"]);
    assert_eq!(hits(&["--points-to", "below"]), ["far/hop2", "hop"], "a link is a path, too");
    assert_eq!(hits(&["--points-to", "games/doom/save"]), ["copy", "far/hop2", "games/doom/save"]);
    assert_eq!(hits(&["--points-to", "games/wad"]), [""; 0]);
    // Also what goes through a directory and leaves it again fails without it.
    tree!(linkctl.work(), { "through" => symlink("games/../games-not"), "far/back" => symlink("../direct/../other") });
    assert_eq!(hits(&["--points-to", "games", "--name", "*[hk]"]), ["far/back", "through"]);
    linkctl.output(["list", "--points-to", "no/where"]).exits(3);
}

#[test]
fn check_holds_links_to_the_rules_that_are_named() {
    let linkctl = Linkctl::new();
    let absolute = linkctl.at("t/in/f");
    tree!(linkctl.work(), {
        "t/in/f" => file(""), "t/ok" => symlink("in/f"), "t/gone" => symlink("nothing"), "t/loop" => symlink("loop"),
        "t/out" => symlink("../outside"), "outside" => file(""), "t/abs" => symlink(&absolute),
        "t/in/long" => symlink("../in/../in/f"), "t/in/dot" => symlink("./f"), "t/other" => symlink("/proc/version"),
        "t/c3" => symlink("c2"), "t/c2" => symlink("ok")
    });
    let blamed = |args: &[&str], code: i32| {
        let ran = linkctl.output([&["check", "--json"], args].concat()).exits(code);
        let findings = ran.json()["findings"].as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        findings.iter().map(|f| format!("{} {}", text(&f["rule"]), text(&f["path"]["text"]))).collect::<Vec<_>>()
    };
    assert_eq!(blamed(&["t"], 1), ["missing t/gone", "loop t/loop"]);
    assert_eq!(blamed(&["t/in"], 0), [""; 0]);
    assert_eq!(blamed(&["--rule", "escapes", "t"], 1), ["escapes t/other", "escapes t/out"]);
    assert_eq!(blamed(&["--root", ".", "t"], 1), ["missing t/gone", "loop t/loop", "escapes t/other"]);
    assert_eq!(blamed(&["--rule", "absolute", "t"], 1), ["absolute t/abs"]);
    assert_eq!(blamed(&["--rule", "roundabout", "t"], 1), ["roundabout t/in/dot", "roundabout t/in/long"]);
    assert_eq!(blamed(&["--rule", "other-filesystem", "t"], 1), ["other-filesystem t/other"]);
    assert_eq!(blamed(&["--rule", "long-chain", "--max-hops", "2", "t"], 1), ["long-chain t/c3"]);
    assert_eq!(blamed(&["--rule", "long-chain", "t"], 0), [""; 0]);
    assert_eq!(blamed(&["--rule", "all", "--max-hops", "2", "t"], 1).len(), 9);
    let table = linkctl.output(["check", "t"]).exits(1).out;
    assert!(table.starts_with("RULE     LINK") && table.contains("missing  t/gone -> nothing"), "{table}");
    linkctl.output(["check", "--rule", "escapes", "t", "t/in"]).exits(2);
    linkctl.output(["check", "--rule", "nonsense"]).exits(2).says("roundabout");
    linkctl.output(["check", "no-such-directory"]).exits(3);
}

#[test]
fn the_summary_counts_what_the_list_lists() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "f" => file(""), "l" => symlink("f"), "a/m" => symlink("../f"), "a/b/n" => symlink("gone"), "z/h" => hard("f")
    });
    let summary = linkctl.ok(["list", "--summary", "--json"]).json();
    let rows = |field: &str| {
        let rows = summary[field].as_array().unwrap();
        rows.iter().map(|row| format!("{} {}", row["name"]["text"].as_str().unwrap(), row["links"])).collect::<Vec<_>>()
    };
    assert_eq!((summary["links"].as_u64(), summary["broken"].as_u64()), (Some(3), Some(1)));
    assert_eq!(rows("kinds"), ["symlink 3"]);
    assert_eq!(rows("states"), ["ok 2", "missing 1"]);
    assert_eq!(rows("directories"), ["a 2", ". 1"]);
    assert_eq!(rows("filesystems").len(), 1);
    let table = linkctl.ok(["list", "--summary"]).out;
    assert!(table.starts_with("3 links, 1 broken\n\n    LINKS  KIND\n        3  symlink\n"), "{table}");
    let hard = linkctl.ok(["list", "--summary", "--hard", "--json"]).json();
    assert_eq!(hard["kinds"][0]["links"], 2);
}

#[test]
fn many_workers_with_little_work_do_not_pass_it_round() {
    let linkctl = Linkctl::new();
    for n in 0..300 {
        tree!(linkctl.work(), {
            format!("k{n}/{}/l", "a".repeat(30)) => symlink("x"), format!("k{n}/b/l") => symlink("x")
        });
    }
    let program = linkctl.program().to_str().unwrap().to_owned();
    for (jobs, files) in [(2, 1024), (8, 1024), (64, 1024), (20_000, 1024), (64, 64)] {
        // What goes on for ever is killed, and fails.
        let script = format!("ulimit -n {files}; exec timeout -s KILL 20 {program} list --jobs {jobs} --format paths");
        let output = Command::new("sh").args(["-c", &script]).current_dir(linkctl.work()).output().unwrap();
        let ran = linkctl.said(output);
        assert_eq!((ran.code(), ran.out.lines().count(), ran.err.as_str()), (Some(0), 600, ""), "{jobs} {files}");
    }
}

#[test]
fn states_agree_with_the_system_for_long_names_and_long_chains() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "long" => symlink("x".repeat(300)), "d0" => dir, "end" => symlink("d41/nope") });
    for n in 1..=41 {
        tree!(linkctl.work(), { format!("d{n}") => symlink(format!("d{}", n - 1)) });
    }
    for order in [&[][..], &["--sort"]] {
        assert_eq!(paths(&linkctl, &[&["--state", "too-long"], order].concat()), ["d41", "end", "long"]);
    }
    let ran = linkctl.output(["check", "--json"]).exits(1);
    let rules: Vec<_> = ran.json()["findings"].as_array().unwrap().iter().map(|f| f["rule"].to_string()).collect();
    assert_eq!(rules, ["\"too-long\""; 3], "{ran}");
}

#[test]
fn a_table_has_room_for_paths_of_any_length() {
    let linkctl = Linkctl::new();
    let script = "n=$(printf 'n%.0s' $(seq 200)); i=0; while [ $i -lt 340 ]; do mkdir $n; cd -P $n; i=$((i+1)); done; ln -s nope l";
    sh(&linkctl, script);
    let ran = linkctl.output(["check"]).exits(1);
    assert!(ran.out.starts_with("RULE") && ran.out.contains("/l -> nope"), "{}", ran.err);
    sh(&linkctl, "find . -delete 2>/dev/null || rm -rf ./*");
}

#[test]
fn points_to_goes_on_where_something_cannot_be_read_and_takes_dots() {
    use std::os::unix::fs::PermissionsExt;
    let linkctl = Linkctl::nobody();
    tree!(linkctl.work(), { "real/locked" => dir, "l" => symlink("real"), "sub/up" => symlink("../real") });
    fs::set_permissions(linkctl.at("real/locked"), fs::Permissions::from_mode(0o000)).unwrap();
    let ran = linkctl.output(["list", "--sort", "--points-to", "real", "--format", "paths", "l", "sub"]).exits(3);
    assert_eq!(ran.out, "l\nsub/up\n");
    assert!(ran.err.contains("locked"), "{ran}");
    fs::set_permissions(linkctl.at("real/locked"), fs::Permissions::from_mode(0o755)).unwrap();
    let here = linkctl
        .output_in(linkctl.at("real"), ["list", "--sort", "--points-to", ".", "--format", "paths", "..", "/dev/fd"]);
    assert_eq!(here.out, "../l\n../sub/up\n", "{here}");
}

#[test]
fn a_directory_that_may_be_read_but_not_searched_is_listed() {
    use std::os::unix::fs::PermissionsExt;
    let linkctl = Linkctl::nobody();
    tree!(linkctl.work(), { "d/l" => symlink("x") });
    fs::set_permissions(linkctl.at("d"), fs::Permissions::from_mode(0o744)).unwrap();
    std::os::unix::fs::chown(linkctl.at("d"), Some(0), Some(0)).unwrap();
    for root in ["d", "."] {
        assert_eq!(paths(&linkctl, &["--name", "l", root]), ["d/l"]);
    }
}

#[test]
fn a_list_is_written_in_large_pieces_and_not_line_by_line() {
    let linkctl = Linkctl::new();
    sample(&linkctl, 500);
    for args in [&["list"][..], &["list", "--json"], &["remove", "--recursive", "--dry-run", "."]] {
        let mut command = Command::new(linkctl.program());
        command.args(args).current_dir(linkctl.work());
        let length = command.output().unwrap().stdout.len();
        assert!(length > 40_000, "{args:?}: {length}");
        let lines = strace::trace("write,writev", &command);
        let writes = lines.iter().filter(|line| line.contains("(1, ")).count();
        assert!((1..=length / (32 * 1024) + 2).contains(&writes), "{args:?}: {length} bytes in {writes} writes");
    }
}

#[test]
fn a_plan_to_remove_links_does_not_ask_where_they_lead() {
    let linkctl = Linkctl::new();
    sample(&linkctl, 10);
    let mut command = Command::new(linkctl.program());
    command.args(["remove", "--recursive", "--dry-run", "."]).current_dir(linkctl.work());
    let lines = strace::trace("%%stat,statx,readlinkat,readlink,openat2", &command);
    let of = |call: &str| {
        let links = ["\"a\"", "\"b\"", "\"c\"", "\"d\""];
        let named = |line: &&String| links.iter().any(|link| line.contains(link));
        lines.iter().filter(|line| line.contains(&format!("{call}("))).filter(named).count()
    };
    // Each of the 40 links is read, and looked at itself: a removal brings back owner and time.
    assert_eq!((of("readlinkat"), of("statx"), of("openat2")), (40, 40, 0), "{lines:#?}");
}

#[test]
fn lists_come_in_the_order_of_their_paths_component_by_component() {
    let linkctl = Linkctl::new();
    for path in ["a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "b"] {
        let link = format!("{path}/l");
        tree!(linkctl.work(), { link => symlink("x") });
    }
    let ran = linkctl.ok(["list", "--sort", "--format", "paths"]);
    let expected = "a/b/c/l\na/b/l\na/b-c/l\na/l\na-b/l\na.b/l\nb/l\n";
    assert_eq!(ran.out, expected);
    // The order of what was typed with dots is that of its components, too.
    let ran = linkctl.ok(["list", "--sort", "--format", "paths", "./b", "a-b", "a/../a/b"]);
    assert_eq!(ran.out, "./b/l\na/../a/b/c/l\na/../a/b/l\na-b/l\n");
}
