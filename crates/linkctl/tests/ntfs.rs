//! Windows links on real NTFS volumes mounted by ntfs-3g: made, seen, replaced, removed, brought back.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "common/ntfs.rs"]
mod ntfs_common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use ntfs_common::*;
use reparse::{AppExecLink, LxSymlink, ReparseData, Symlink, WideString};
use serde_json::{Value, json};
use testkit::ntfs::{IndexEntry, get_reparse, ntfs_attrib, remove_reparse, set_reparse};
use testkit::{Bind, Fs, Snapshot, Volume, tree};

const JUNCTION: u32 = 0xa000_0003;
const SYMLINK: u32 = 0xa000_000c;
const GUID: &str = "{6e5c1f2a-0d3b-4c4e-9f5a-112233445566}";

const GOLDEN_JUNCTION: &str = "03 00 00 a0 24 00 00 00 | 00 00 10 00 12 00 08 00 | \
    5c 00 3f 00 3f 00 5c 00 43 00 3a 00 5c 00 74 00 00 00 | 43 00 3a 00 5c 00 74 00 00 00";
const GOLDEN_RELATIVE: &str = "0c 00 00 a0 1c 00 00 00 | 08 00 08 00 00 00 08 00 01 00 00 00 | \
    2e 00 2e 00 5c 00 74 00 | 2e 00 2e 00 5c 00 74 00";
const GOLDEN_ABSOLUTE: &str = "0c 00 00 a0 24 00 00 00 | 08 00 10 00 00 00 08 00 00 00 00 00 | \
    43 00 3a 00 5c 00 74 00 | 5c 00 3f 00 3f 00 5c 00 43 00 3a 00 5c 00 74 00";
const GOLDEN_UNC: &str = "0c 00 00 a0 2c 00 00 00 | 0a 00 16 00 00 00 0a 00 00 00 00 00 | \
    5c 00 5c 00 73 00 5c 00 68 00 | \
    5c 00 3f 00 3f 00 5c 00 55 00 4e 00 43 00 5c 00 73 00 5c 00 68 00";
const GOLDEN_ROOTED: &str = "0c 00 00 a0 14 00 00 00 | 04 00 04 00 00 00 04 00 01 00 00 00 | \
    5c 00 74 00 | 5c 00 74 00";
/// Captured on Windows: `mklink /D dot .`
const CAPTURED_DOT: &str = "0c 00 00 a0 10 00 00 00 | 02 00 02 00 00 00 02 00 01 00 00 00 | 2e 00 | 2e 00";

/// Makes `link` and checks everything that can be asked while the volume is mounted. Gives the index entry that
/// the image must hold afterwards.
#[track_caller]
fn make_golden(
    bench: &Bench,
    link: &str,
    args: &[&str],
    golden: &str,
    directory: bool,
    through: Option<&str>,
) -> IndexEntry {
    let ran = bench.ok(args);
    // No sleep and no look at the link in between: ntfs-3g has to follow it at once.
    if let Some(file) = through {
        assert_eq!(fs::read(bench.at(file)).unwrap(), b"text", "through {file}");
    }
    let path = bench.at(link);
    let meta = path.symlink_metadata().unwrap();
    assert!(meta.is_symlink(), "{link} is {:?}", meta.file_type());
    assert_eq!(get_reparse(&path).unwrap(), hex(golden), "{link}");
    let attributes = ntfs_attrib(&path).unwrap();
    assert_eq!(attributes & 0x410, if directory { 0x410 } else { 0x400 }, "{link}: {attributes:#x}");
    let kind = match (golden == GOLDEN_JUNCTION, directory) {
        (true, _) => "junction",
        (_, true) => "symlink-dir",
        (_, false) => "symlink-file",
    };
    // Names do not lie: it says what it made.
    assert!(ran.out.starts_with(&format!("created {kind} {link} -> ")), "{}", ran.out);
    let tag = if kind == "junction" { JUNCTION } else { SYMLINK };
    IndexEntry { tag, mft: meta.ino(), sequence: 1 }
}

#[track_caller]
fn assert_index(bench: &mut Bench, mut expected: Vec<IndexEntry>) {
    bench.volume.unmount();
    let found = bench.volume.reparse_index();
    // The sequence number counts the lives of a record: rollbacks and private names may have used it before.
    let without = |entries: &[IndexEntry]| entries.iter().map(|e| (e.tag, e.mft)).collect::<Vec<_>>();
    expected.sort_unstable();
    assert_eq!(without(&found), without(&expected));
}

// ---------------------------------------------------------------------------------------------- golden bytes

#[test]
fn links_to_a_directory_have_the_bytes_windows_writes_and_work_at_once() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "sub" => dir });
    let (b, mut index) = (&bench, Vec::new());
    let junction = ["create", "--kind", "junction", "j", r"C:\t"];
    index.push(make_golden(b, "j", &junction, GOLDEN_JUNCTION, true, Some("j/f")));
    index.push(make_golden(
        b,
        "sub/rel",
        &["create", "sub/rel", r"..\t"],
        GOLDEN_RELATIVE,
        true,
        Some("sub/rel/f"),
    ));
    index.push(make_golden(b, "abs", &["create", "abs", r"C:\t"], GOLDEN_ABSOLUTE, true, Some("abs/f")));
    index.push(make_golden(b, "root", &["create", "root", r"\t"], GOLDEN_ROOTED, true, Some("root/f")));
    index.push(make_golden(b, "unc", &["create", "--dir", "unc", r"\\s\h"], GOLDEN_UNC, true, None));
    index.push(make_golden(b, "sub/dot", &["create", "sub/dot", "."], CAPTURED_DOT, true, None));
    assert_index(&mut bench, index);
}

#[test]
fn links_to_a_file_have_the_bytes_windows_writes_and_work_at_once() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t" => file("text"), "sub" => dir });
    let (b, mut index) = (&bench, Vec::new());
    index.push(make_golden(b, "abs", &["create", "abs", r"C:\t"], GOLDEN_ABSOLUTE, false, Some("abs")));
    let rel = ["create", "sub/rel", r"..\t"];
    index.push(make_golden(b, "sub/rel", &rel, GOLDEN_RELATIVE, false, Some("sub/rel")));
    index.push(make_golden(b, "root", &["create", "root", r"\t"], GOLDEN_ROOTED, false, Some("root")));
    assert_index(&mut bench, index);
}

#[test]
fn dir_and_file_decide_the_kind_of_a_link_whose_target_is_not_there() {
    let mut bench = Bench::ntfs();
    let (b, mut index) = (&bench, Vec::new());
    index.push(make_golden(b, "d", &["create", "--dir", "d", r"C:\t"], GOLDEN_ABSOLUTE, true, None));
    index.push(make_golden(b, "f", &["create", "--file", "f", r"C:\t"], GOLDEN_ABSOLUTE, false, None));
    index.push(make_golden(b, "u", &["create", "--file", "u", r"\\s\h"], GOLDEN_UNC, false, None));
    let junction = ["create", "--kind", "junction", "j", r"C:\t"];
    index.push(make_golden(b, "j", &junction, GOLDEN_JUNCTION, true, None));
    // Without either, it is said which was made.
    let ran = b.ok(["create", "guessed", r"C:\t"]).says(&["note:", "--dir or --file"]);
    assert!(ran.out.starts_with("created symlink-file guessed"), "{}", ran.out);
    index.push(IndexEntry {
        tag: SYMLINK,
        mft: b.at("guessed").symlink_metadata().unwrap().ino(),
        sequence: 1,
    });
    assert_index(&mut bench, index);
}

// ------------------------------------------------------------------------------------------------ list, show

struct Case {
    name: &'static str,
    directory: bool,
    data: Vec<u8>,
    kind: &'static str,
    target: Option<String>,
    state: &'static str,
    /// Below the root of the volume.
    resolved: Option<&'static str>,
}

fn case(
    name: &'static str,
    kind: &'static str,
    data: Vec<u8>,
    target: &str,
    state: &'static str,
    resolved: Option<&'static str>,
) -> Case {
    let directory = matches!(kind, "symlink-dir" | "junction" | "mount-point");
    Case { name, directory, data, kind, target: Some(target.to_owned()), state, resolved }
}

/// Makes every link of the table, and checks what `list` and `show` say of it.
#[track_caller]
fn check_cases(bench: &Bench, cases: &[Case], options: &[&str]) {
    for case in cases {
        if case.directory {
            dir_point(bench.at(case.name), &case.data);
        } else {
            file_point(bench.at(case.name), &case.data);
        }
    }
    check_made(bench, cases, options);
}

#[track_caller]
fn check_made(bench: &Bench, cases: &[Case], options: &[&str]) {
    let listed = bench.list(options);
    let mut wrong = String::new();
    for case in cases {
        let Some((_, seen)) = listed.iter().find(|(path, _)| path == case.name) else {
            wrong.push_str(&format!("{}: not listed\n", case.name));
            continue;
        };
        let name = |path: &Path| json!({ "text": path.to_str().unwrap() });
        let resolved =
            case.resolved.map(|path| name(&bench.at(path).components().collect::<std::path::PathBuf>()));
        let expected = [
            ("kind", json!(case.kind)),
            ("target", case.target.as_ref().map_or(Value::Null, |target| json!({ "text": target }))),
            ("state", json!(case.state)),
            ("resolved", resolved.unwrap_or(Value::Null)),
        ];
        let shown = bench.show(case.name, options);
        for (key, value) in expected {
            for (verb, record) in [("list", seen), ("show", &shown)] {
                if record[key] != value {
                    wrong.push_str(&format!("{}: {verb} {key}: {} for {value}\n", case.name, record[key]));
                }
            }
        }
    }
    assert_eq!(listed.len(), cases.len(), "every link once and nothing else: {listed:#?}");
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[track_caller]
fn readlink_is_no_help(bench: &Bench, names: &[&str]) {
    for name in names {
        let text = fs::read_link(bench.at(name)).unwrap();
        assert!(text.to_string_lossy().starts_with("unsupported reparse tag"), "{name} -> {text:?}");
    }
}

#[test]
fn list_and_show_decode_what_readlink_cannot() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "sub" => dir, "Real/Deep/x.txt" => file("x") });
    check_cases(
        &bench,
        &[
            case("sub/dangling", "symlink-dir", symlink(r"..\no\where"), r"..\no\where", "missing", None),
            case("sub/danglingf", "symlink-file", symlink(r"..\nowhere"), r"..\nowhere", "missing", None),
            case("unc", "symlink-dir", symlink(r"\\s\h"), r"\\s\h", "elsewhere", None),
            case("uncf", "symlink-file", symlink(r"\\s\h\f"), r"\\s\h\f", "elsewhere", None),
            case("sub/up", "symlink-dir", symlink(".."), "..", "ok", Some("")),
            case("sub/dot", "symlink-dir", symlink("."), ".", "ok", Some("sub")),
            // To Windows there is nothing above the root of a volume.
            case("sub/above", "symlink-dir", symlink(r"..\..\..\t"), r"..\..\..\t", "ok", Some("t")),
            case("case", "symlink-dir", symlink(r"REAL\dEEP"), r"REAL\dEEP", "ok", Some("Real/Deep")),
            case("jcase", "junction", junction(r"c:\rEAL\deep"), r"c:\rEAL\deep", "ok", Some("Real/Deep")),
            case("jj", "junction", junction(r"C:\Real"), r"C:\Real", "ok", Some("Real")),
            case("mid", "symlink-dir", symlink(r"JJ\deep"), r"JJ\deep", "ok", Some("Real/Deep")),
            case(
                "midf",
                "symlink-file",
                symlink(r"C:\jj\DEEP\X.TXT"),
                r"C:\jj\DEEP\X.TXT",
                "ok",
                Some("Real/Deep/x.txt"),
            ),
            case("midj", "junction", junction(r"C:\jj\deep"), r"C:\jj\deep", "ok", Some("Real/Deep")),
            case("slash", "symlink-file", raw_symlink("t/f", "t/f", 1), "t/f", "missing", None),
        ],
        &[],
    );
    readlink_is_no_help(&bench, &["sub/dangling", "sub/danglingf", "unc", "uncf", "sub/up", "slash"]);
}

#[test]
fn list_and_show_tell_loops_and_wrong_kinds_on_ntfs() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    check_cases(
        &bench,
        &[
            case("self", "symlink-file", symlink("self"), "self", "loop", None),
            case("a", "symlink-dir", symlink("b"), "b", "loop", None),
            case("b", "symlink-dir", symlink("a"), "a", "loop", None),
            case("j", "junction", junction(r"C:\j"), r"C:\j", "loop", None),
            case("into", "symlink-dir", symlink(r"into\x"), r"into\x", "loop", None),
            case("upper", "symlink-file", symlink("UPPER"), "UPPER", "loop", None),
            case("f2d", "symlink-file", symlink("t"), "t", "wrong-kind", Some("t")),
            case("d2f", "symlink-dir", symlink(r"t\f"), r"t\f", "wrong-kind", Some("t/f")),
            case("j2f", "junction", junction(r"C:\t\f"), r"C:\t\f", "wrong-kind", Some("t/f")),
            case("under", "symlink-file", symlink(r"t\f\x"), r"t\f\x", "missing", None),
        ],
        &[],
    );
    let broken = bench.list(&["--broken"]);
    assert_eq!(broken.len(), 10, "{broken:#?}");
}

#[test]
fn another_drive_is_elsewhere_and_drive_says_which_is_this() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    let cases = |c: &'static str, d: &'static str| {
        let to = |state| (state == "ok").then_some("t");
        [
            case("jc", "junction", junction(r"C:\t"), r"C:\t", c, to(c)),
            case("jd", "junction", junction(r"D:\t"), r"D:\t", d, to(d)),
            case("sc", "symlink-dir", symlink(r"c:\t"), r"c:\t", c, to(c)),
            case("sd", "symlink-dir", symlink(r"d:\t"), r"d:\t", d, to(d)),
        ]
    };
    check_cases(&bench, &cases("ok", "elsewhere"), &[]);
    check_made(&bench, &cases("elsewhere", "ok"), &["--drive", "D"]);
    check_made(&bench, &cases("elsewhere", "ok"), &["--drive", "d:"]);
}

#[test]
fn every_kind_of_reparse_point_has_its_true_name() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    let wsl = |target: &str| ReparseData::from(LxSymlink { target: target.into() }).encode().unwrap();
    let app =
        AppExecLink { version: 3, strings: ["Pkg", "Pkg!App", r"C:\Apps\app.exe", "0"].map(w).to_vec() };
    let volume = format!(r"\??\Volume{GUID}\");
    let shown_volume = format!(r"\\?\Volume{GUID}\");
    let mut wof = case("wof", "other", other(0x8000_0017, None, &[1; 24]), "", "elsewhere", None);
    wof.target = None;
    let mut global = case("global", "other", other(0xa000_0019, None, b"data"), "", "elsewhere", None);
    global.target = None;
    let mut third = case("third", "other", other(0x2000_0042, Some([7; 16]), b"xyz"), "", "elsewhere", None);
    third.target = None;
    let cases = [
        case("wsl", "wsl", wsl("t/f"), "t/f", "ok", Some("t/f")),
        case("wsldead", "wsl", wsl("no/where"), "no/where", "missing", None),
        // Its root is one that only WSL knows.
        case("wslroot", "wsl", wsl("/etc/passwd"), "/etc/passwd", "elsewhere", None),
        case(
            "app.exe",
            "app-exec",
            ReparseData::from(app).encode().unwrap(),
            r"C:\Apps\app.exe",
            "elsewhere",
            None,
        ),
        case("mount", "mount-point", raw_junction(&volume, ""), &shown_volume, "elsewhere", None),
        // What PowerShell and libuv make.
        case("powershell", "junction", raw_junction(r"\??\C:\t", ""), r"C:\t", "ok", Some("t")),
        case("libuv", "junction", raw_junction(r"\??\C:\t\", r"C:\t"), r"C:\t", "ok", Some("t")),
        wof,
        global,
        third,
    ];
    check_cases(&bench, &cases, &[]);
    let tags = [
        ("wof", "0x80000017", "WOF"),
        ("global", "0xa0000019", "GLOBAL_REPARSE"),
        ("wsl", "0xa000001d", "LX_SYMLINK"),
    ];
    for (path, tag, name) in tags {
        let listed = bench.list(&[]);
        let record = &listed.iter().find(|(listed, _)| listed == path).unwrap().1;
        assert_eq!((&record["tag"], &record["tag_name"]), (&json!(tag), &json!(name)), "{path}");
    }
    assert_eq!(bench.show("wof", &[])["reparse"]["name_surrogate"], false);
    assert_eq!(bench.show("third", &[])["reparse"]["name_surrogate"], true);
}

#[test]
fn an_interix_symlink_is_a_plain_symlink() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "l" => symlink("t/f"), "dead" => symlink("gone") });
    check_made(
        &bench,
        &[
            case("l", "symlink", Vec::new(), "t/f", "ok", Some("t/f")),
            case("dead", "symlink", Vec::new(), "gone", "missing", None),
        ],
        &[],
    );
}

#[test]
fn a_print_name_that_lies_does_not_change_the_state() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    check_cases(
        &bench,
        &[
            case("good", "junction", raw_junction(r"\??\C:\t", r"C:\gone"), r"C:\gone", "ok", Some("t")),
            case("bad", "junction", raw_junction(r"\??\C:\gone", r"C:\t"), r"C:\t", "missing", None),
            case("rel", "symlink-dir", raw_symlink("gone", "t", 1), "t", "missing", None),
        ],
        &[],
    );
    // And show tells both.
    let shown = bench.show("bad", &[]);
    assert_eq!(shown["reparse"]["substitute"], r"\??\C:\gone");
    assert_eq!(shown["reparse"]["print"], r"C:\t");
}

// The flags of a symbolic link, and the `\??\` that a junction needs, count.
#[test]
fn what_windows_would_not_follow_is_not_said_to_be_ok() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    // An NT path outside \??\ (containers have such), a rooted path that is not flagged relative, an NT path that
    // is, and a junction with a relative path. ntfs-3g follows none of them either.
    dir_point(bench.at("container"), &raw_symlink(r"\ContainerMappedDirectories\t", r"C:\t", 0));
    dir_point(bench.at("rooted0"), &raw_symlink(r"\t", r"\t", 0));
    dir_point(bench.at("nt1"), &raw_symlink(r"\??\C:\t", r"C:\t", 1));
    dir_point(bench.at("reljunction"), &raw_junction("t", "t"));
    let ok: Vec<_> = bench.list(&["--state", "ok"]).into_iter().map(|(path, _)| path).collect();
    assert_eq!(ok, [""; 0], "said to be ok");
}

/// A chain of so many links: `l1` leads to the file `l0`, and each to the one before.
fn chain_of(links: usize) -> Bench {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "l0" => file("text") });
    for n in 1..=links {
        file_point(bench.at(format!("l{n}")), &symlink(&format!("l{}", n - 1)));
    }
    bench
}

#[test]
fn windows_follows_63_links_and_no_more() {
    let bench = chain_of(64);
    let state = |name: &str| bench.show(name, &[])["state"].clone();
    assert_eq!([state("l1"), state("l41"), state("l63")], [json!("ok"), json!("ok"), json!("ok")]);
    assert_eq!(state("l64"), "too-long");
}

// Not Linux' limit of 40.
#[test]
fn a_chain_of_64_links_is_told_the_limit_of_windows() {
    let shown = chain_of(64).show("l64", &[]);
    let reason = shown["chain"]["reason"].as_str().unwrap();
    assert!(reason.contains("63"), "Windows' limit is 63, said: {reason}");
}

#[test]
fn show_names_each_hop_and_the_one_that_fails() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    dir_point(bench.at("j"), &junction(r"C:\t"));
    file_point(bench.at("l"), &symlink(r"j\gone"));
    let chain = bench.show("l", &[])["chain"].clone();
    let hops: Vec<_> = chain["hops"].as_array().unwrap().iter().map(|hop| hop["kind"].clone()).collect();
    assert_eq!(hops, ["symlink-file", "junction"]);
    assert_eq!(text(&chain["failed_at"]), bench.at("t/gone").to_str().unwrap());
    let shown = bench.ok(["show", "--raw", "j"]);
    assert!(shown.out.contains("0xa0000003 MOUNT_POINT, name surrogate"), "{}", shown.out);
    assert!(shown.out.contains(r"substitute  \??\C:\t"), "{}", shown.out);
    assert!(shown.out.contains("0000:  03 00 00 a0 24 00 00 00"), "{}", shown.out);
}

// ------------------------------------------------------------------------------------------ Linux words, refusals

#[test]
fn a_linux_path_on_the_volume_is_stored_as_windows_words_it() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "a/b/f" => file("text"), "sub" => dir, "cwd/here" => dir });
    let full = |path: &str| bench.at(path).to_str().unwrap().to_owned();
    let made =
        |name: &str, expected: Vec<u8>| assert_eq!(get_reparse(bench.at(name)), Some(expected), "{name}");
    bench.ok(["create", "--kind", "junction", "j", &full("t")]);
    made("j", hex(GOLDEN_JUNCTION));
    bench.ok(["create", "--kind", "junction", "--drive", "E", "je", &full("a/b")]);
    made("je", junction(r"E:\a\b"));
    assert_eq!(bench.show("je", &["--drive", "E"])["state"], "ok");
    assert_eq!(bench.show("je", &[])["state"], "elsewhere");
    bench.ok(["create", "abs", &full("t")]);
    made("abs", hex(GOLDEN_ABSOLUTE));
    bench.ok(["create", "--drive", "e:", "abse", &full("a/b/f")]);
    made("abse", symlink(r"E:\a\b\f"));
    bench.ok(["create", "sub/rel", "../t"]);
    made("sub/rel", hex(GOLDEN_RELATIVE));
    bench.ok(["create", "sub/relf", "../a/b/f"]);
    made("sub/relf", symlink(r"..\a\b\f"));
    assert_eq!(fs::read(bench.at("sub/relf")).unwrap(), b"text");
    // From another directory: the target is read from there, whatever the drive is called.
    bench.run_in(bench.at("cwd/here"), ["create", "--relative", "../../sub/r", "../../a/b/f"]).exits(0);
    made("sub/r", symlink(r"..\a\b\f"));
    bench.run_in(bench.at("cwd/here"), ["create", "--relative", "../../sub/w", r"C:\a\b"]).exits(0);
    made("sub/w", symlink(r"..\a\b"));
    bench.run_in(bench.at("cwd/here"), ["create", "--absolute", "../../sub/a", "../../a/b/f"]).exits(0);
    made("sub/a", symlink(r"C:\a\b\f"));
    bench.run_in(bench.at("cwd/here"), ["create", "--kind", "junction", "../../sub/j", "../../t"]).exits(0);
    made("sub/j", hex(GOLDEN_JUNCTION));
    bench.run_in(bench.at("cwd/here"), ["create", "--kind", "junction", "../../sub/jw", r"..\..\t"]).exits(0);
    made("sub/jw", hex(GOLDEN_JUNCTION));
    let broken = bench.list(&["--broken"]);
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn into_makes_one_windows_link_for_each_target() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "u/g" => file("g"), "in" => dir });
    bench.ok(["create", "--into", "in", "--relative", "t", "u/g", r"C:\u"]);
    assert_eq!(get_reparse(bench.at("in/t")), Some(hex(GOLDEN_RELATIVE)));
    assert_eq!(get_reparse(bench.at("in/g")), Some(symlink(r"..\u\g")));
    assert_eq!(get_reparse(bench.at("in/u")), Some(symlink(r"..\u")));
    bench.ok(["create", "--kind", "junction", "--parents", "new/deep/j", "t"]);
    assert_eq!(get_reparse(bench.at("new/deep/j")), Some(hex(GOLDEN_JUNCTION)));
    bench.ok(["undo"]);
    assert!(!bench.at("new").exists() && bench.at("in/t").is_symlink());
}

/// Refused with exit 4, with these words, nothing made and nothing journaled.
#[track_caller]
fn refused(bench: &Bench, args: &[&str], words: &[&str]) {
    let before = bench.names();
    bench.run(args).exits(4).says(words);
    assert_eq!(bench.names(), before, "{args:?} left something behind");
    assert_eq!(bench.history(), [Value::Null; 0]);
}

#[test]
fn a_target_outside_the_volume_is_refused() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub" => dir });
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let why = ["not on the link's volume", out];
    refused(
        &bench,
        &["create", "--kind", "junction", "j", out],
        &[&why[..], &["junction: directories only"]].concat(),
    );
    refused(&bench, &["create", "l", out], &why);
    refused(&bench, &["create", "--relative", "l", out], &why);
    // A relative text that leads out of the mount on Linux, and nowhere on Windows.
    let climb = format!("../../../../../..{out}");
    refused(&bench, &["create", "sub/l", &climb], &["leaves the volume"]);
}

#[test]
fn a_junction_to_the_network_to_a_file_or_to_itself_is_refused() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "f" => file("text"), "t" => dir });
    let row = "junction: directories only, on NTFS; relative target: no, absolute";
    refused(&bench, &["create", "--kind", "junction", "j", r"\\s\h"], &["network", r"\\s\h", row]);
    refused(&bench, &["create", "--kind", "junction", "j", r"\\?\UNC\s\h"], &[row]);
    refused(&bench, &["create", "--kind", "junction", "--relative", "j", "t"], &[row]);
    refused(&bench, &["create", "--kind", "junction", "j", r"C:t"], &[row]);
    refused(&bench, &["create", "--kind", "junction", "j", r"C:\j"], &["itself"]);
    refused(&bench, &["create", "--kind", "junction", "j", r"\j"], &["itself"]);
    refused(&bench, &["create", "--kind", "junction", "j", "j"], &["same name"]);
    refused(&bench, &["create", "j", r"C:\j"], &["itself"]);
    refused(&bench, &["create", "j", "j"], &["itself"]);
    refused(&bench, &["create", "--kind", "junction", "--file", "j", r"C:\f"], &["directory"]);
    let before = bench.names();
    let ran = bench.run(["create", "--kind", "junction", "j", r"C:\f"]).says(&["the target is a file", row]);
    assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
    assert_eq!(bench.names(), before);
}

// NTFS knows no case, so these lead to themselves.
#[test]
fn a_link_to_itself_in_other_letters_is_refused_too() {
    let bench = Bench::ntfs();
    refused(&bench, &["create", "--kind", "junction", "j", r"C:\J"], &["itself"]);
    refused(&bench, &["create", "j", "J"], &["itself"]);
}

#[test]
fn a_junction_anywhere_but_on_ntfs_3g_is_refused_by_the_name_of_the_file_system() {
    let row = "junction: directories only, on NTFS";
    for fs in [Fs::Ext4, Fs::Tmpfs] {
        let bench = Bench::on(Volume::new(fs, 0));
        tree!(bench.root(), { "t" => dir });
        for target in ["t", r"C:\t"] {
            let args = ["create", "--kind", "junction", "j", target];
            refused(&bench, &args, &[fs.name(), row, "--kind symlink"]);
        }
    }
    // FUSE, but not ntfs-3g: taken for it by whoever looks at statfs alone.
    let source = tempfile::tempdir().unwrap();
    tree!(source, { "t" => dir });
    let bind = Bind::new(source.path());
    let state = tempfile::tempdir().unwrap();
    let args = ["create", "--kind", "junction", "j", "t"];
    let ran = Ran::of(command(state.path(), bind.path(), args).output().unwrap());
    ran.exits(4).says(&["fuse", row, "--kind symlink"]);
    assert_eq!(names(&bind.path()), ["t"]);
}

// bindfs passes the attributes through and is called `fuse` too; but its root is not the root of the volume
// (whose inode number would be 5).
#[test]
fn a_folder_of_an_ntfs_volume_shown_through_bindfs_gets_no_links_that_lead_elsewhere() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    let bind = Bind::new(bench.at("sub"));
    let args = ["create", "--kind", "junction", "j", "t"];
    let ran = Ran::of(command(bench.state.path(), bind.path(), args).output().unwrap());
    // `C:\t` would be right if the mount were the volume; it is a folder of it.
    if bench.names() == ["sub", "sub/t", "sub/t/f"] {
        ran.exits(4);
    } else {
        assert_eq!(get_reparse(bench.at("sub/j")), Some(junction(r"C:\sub\t")), "{ran:?}");
    }
}

#[test]
fn windows_targets_on_other_file_systems_are_refused() {
    let bench = Bench::on(Volume::new(Fs::Ext4, 0));
    for target in [r"C:\Games", r"c:/Games", r"\\server\share", r"\\?\C:\x"] {
        refused(&bench, &["create", "l", target], &["Windows path", "ext4", target]);
        refused(&bench, &["create", "--kind", "symlink", "--dir", "l", target], &["Windows path", "ext4"]);
    }
    // A name with a backslash that exists is a name like any other there.
    tree!(bench.root(), { r"C:\odd" => file("text") });
    bench.ok(["create", "l", r"C:\odd"]);
    assert_eq!(fs::read(bench.at("l")).unwrap(), b"text");
}

/// A kernel bind mount, until dropped.
struct KernelBind(std::path::PathBuf);

impl KernelBind {
    fn new(from: &Path, at: &Path) -> KernelBind {
        assert!(Command::new("mount").arg("--bind").args([from, at]).status().unwrap().success());
        KernelBind(at.to_owned())
    }
}

impl Drop for KernelBind {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).status();
        assert!(done.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn a_bind_mount_of_a_folder_gets_no_absolute_links_that_lie() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    let at = tempfile::tempdir().unwrap();
    let _bind = KernelBind::new(&bench.at("sub"), at.path());
    let args = ["create", "--kind", "junction", "j", "t"];
    let ran = Ran::of(command(bench.state.path(), at.path(), args).output().unwrap());
    if bench.names() == ["sub", "sub/t", "sub/t/f"] {
        ran.exits(4);
    } else {
        assert_eq!(get_reparse(bench.at("sub/j")), Some(junction(r"C:\sub\t")), "{ran:?}");
    }
}

// The text of readlink would be "brought back" as an Interix symlink.
#[test]
fn what_is_removed_through_a_bind_mount_of_a_folder_comes_back_with_its_own_bytes() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    dir_point(bench.at("sub/j"), &junction(r"C:\sub\t"));
    dir_point(bench.at("sub/u"), &symlink(r"\\s\h"));
    let at = tempfile::tempdir().unwrap();
    let bind = KernelBind::new(&bench.at("sub"), at.path());
    let run = |args: &[&str]| Ran::of(command(bench.state.path(), at.path(), args).output().unwrap());
    // Either it is not removed, or it can be brought back.
    for name in ["j", "u"] {
        let removed = run(&["remove", name]);
        if removed.code == Some(0) {
            run(&["undo"]).exits(0);
        }
    }
    drop(bind);
    assert_eq!(get_reparse(bench.at("sub/j")), Some(junction(r"C:\sub\t")));
    assert_eq!(get_reparse(bench.at("sub/u")), Some(symlink(r"\\s\h")));
}

#[test]
fn list_and_show_decode_links_on_a_bind_mount_of_a_folder_too() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub/t/f" => file("text") });
    dir_point(bench.at("sub/unc"), &symlink(r"\\s\h"));
    dir_point(bench.at("sub/rel"), &symlink("t"));
    dir_point(bench.at("sub/j"), &junction(r"C:\sub\t"));
    let at = tempfile::tempdir().unwrap();
    let _bind = KernelBind::new(&bench.at("sub"), at.path());
    let run =
        |args: &[&str]| Ran::of(command(bench.state.path(), at.path(), args).output().unwrap()).exits(0);
    let listed = run(&["list", "--json"]).json()["links"].clone();
    let seen: Vec<_> =
        listed.as_array().unwrap().iter().map(|l| [&l["path"], &l["kind"], &l["target"]]).collect();
    let name = |text: &str| json!({ "text": text });
    let expected = [
        [name("j"), json!("junction"), name(r"C:\sub\t")],
        [name("rel"), json!("symlink-dir"), name("t")],
        [name("unc"), json!("symlink-dir"), name(r"\\s\h")],
    ];
    assert_eq!(json!(seen), json!(expected));
}

#[test]
fn a_volume_on_a_block_device_under_an_odd_name_is_ntfs_too() {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    tree!(volume.path(), { "t/f" => file("text") });
    volume.unmount();
    let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = dir.path().join("my disk\n\\040");
    fs::create_dir(&at).unwrap();
    let mount =
        Command::new("mount").args(["-t", "ntfs-3g", "-o", "loop"]).arg(volume.image()).arg(&at).output();
    assert!(mount.as_ref().unwrap().status.success(), "{mount:?}");
    let guard = KernelBind(at.clone());
    assert!(fs::read_to_string("/proc/self/mountinfo").unwrap().contains("- fuseblk"), "no block device");
    let run = |args: &[&OsStr]| Ran::of(command(state.path(), &at, args).output().unwrap()).exits(0);
    let full = at.join("t");
    run(&["create", "--kind", "junction", "j"]
        .map(OsStr::new)
        .into_iter()
        .chain([full.as_os_str()])
        .collect::<Vec<_>>());
    assert_eq!(get_reparse(at.join("j")), Some(hex(GOLDEN_JUNCTION)));
    let shown = run(&["show", "--json", "j"].map(OsStr::new)).json()["links"][0].clone();
    assert_eq!(
        (&shown["state"], text(&shown["resolved"])),
        (&json!("ok"), full.to_str().unwrap().to_owned())
    );
    drop(guard);
    // ntfs-3g writes on for a moment after umount; the loop device goes with it.
    drop(volume);
}

// ------------------------------------------------------------------------------------------------------- replace

#[test]
fn replace_changes_a_junction_in_its_place_and_undo_brings_the_old_bytes_back() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "u/f" => file("other") });
    // As PowerShell made it: not what linkctl itself would write.
    let old = raw_junction(r"\??\C:\t", "");
    dir_point(bench.at("j"), &old);
    refused(&bench, &["create", "--kind", "junction", "j", r"C:\u"], &["a link has this name", "--replace"]);
    let ran = bench.ok(["create", "--kind", "junction", "--replace", "j", r"C:\u"]);
    assert_eq!(fs::read(bench.at("j/f")).unwrap(), b"other");
    assert_eq!(ran.out, "replaced with junction j -> C:\\u\n");
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\u")));
    assert_eq!(bench.names(), ["j", "t", "t/f", "u", "u/f"]);
    bench.ok(["undo"]);
    assert_eq!(get_reparse(bench.at("j")), Some(old));
    assert_eq!(fs::read(bench.at("j/f")).unwrap(), b"text");
    // And undoing that does it again.
    bench.ok(["undo", "2"]);
    assert_eq!(get_reparse(bench.at("j")), Some(junction(r"C:\u")));
    assert_eq!(bench.names(), ["j", "t", "t/f", "u", "u/f"]);
    let mft = bench.at("j").symlink_metadata().unwrap().ino();
    assert_index(&mut bench, vec![IndexEntry { tag: JUNCTION, mft, sequence: 1 }]);
}

#[test]
fn replace_goes_from_every_kind_of_link_to_every_other_and_back() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    dir_point(bench.at("l"), &symlink("t"));
    let steps: [(&[&str], Vec<u8>, bool); 4] = [
        (&["--kind", "junction", "l", r"C:\t"], hex(GOLDEN_JUNCTION), true),
        (&["l", r"t\f"], symlink(r"t\f"), false),
        (&["--kind", "junction", "l", r"C:\t"], hex(GOLDEN_JUNCTION), true),
        (&["l", "t"], symlink("t"), true),
    ];
    let mut history = vec![(symlink("t"), true)];
    for (args, data, directory) in steps {
        bench.ok([&["create", "--replace"], args].concat());
        assert_eq!(get_reparse(bench.at("l")).as_ref(), Some(&data), "{args:?}");
        assert_eq!(ntfs_attrib(bench.at("l")).unwrap() & 0x10 != 0, directory, "{args:?}");
        assert_eq!(bench.names(), ["l", "t", "t/f"]);
        history.push((data, directory));
    }
    for (data, directory) in history.into_iter().rev().skip(1) {
        bench.ok(["undo"]);
        assert_eq!(get_reparse(bench.at("l")).as_ref(), Some(&data));
        assert_eq!(ntfs_attrib(bench.at("l")).unwrap() & 0x10 != 0, directory);
        assert_eq!(bench.names(), ["l", "t", "t/f"]);
    }
}

#[test]
fn replace_never_takes_a_directory_or_a_file() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "full/f" => file("precious"), "empty" => dir, "file" => file("x") });
    let snapshot = Snapshot::of(bench.root());
    let all = ["full", "empty", "file"];
    for name in all {
        bench
            .run(["create", "--kind", "junction", "--replace", name, r"C:\t"])
            .exits(4)
            .says(&["only links"]);
        bench.run(["create", "--replace", name, r"C:\t"]).exits(4).says(&["only links"]);
    }
    snapshot.assert_unchanged();
}

// Not every reparse point is a link: the data of a compressed file, a cloud file or a
// deduplicated one would be gone.
#[test]
fn replace_never_takes_a_reparse_point_that_holds_its_own_data() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "wof" => file("precious") });
    set_reparse(bench.at("wof"), &other(0x8000_0017, None, &[1; 24]));
    file_point(bench.at("cloud"), &other(0x9000_301a, None, &[2; 24]));
    let app = AppExecLink { version: 3, strings: ["P", "A", r"C:\x.exe", "0"].map(w).to_vec() };
    file_point(bench.at("app.exe"), &ReparseData::from(app).encode().unwrap());
    let before: Vec<_> = ["wof", "cloud", "app.exe"].map(|name| (name, get_reparse(bench.at(name)))).into();
    let codes: Vec<_> =
        before.iter().map(|(name, _)| bench.run(["create", "--replace", name, r"C:\t"]).code).collect();
    for (name, data) in &before {
        assert_eq!(&get_reparse(bench.at(name)), data, "{name}: {codes:?}");
    }
    assert_eq!(codes, [Some(4); 3]);
    remove_reparse(bench.at("wof"));
    assert_eq!(fs::read(bench.at("wof")).unwrap(), b"precious");
}

// -------------------------------------------------------------------------------------------------------- remove

#[test]
fn remove_takes_the_link_and_never_what_it_leads_to() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "out/canary" => file("alive"), "out/deep/x" => file("x") });
    let canary = Snapshot::of(bench.at("out"));
    dir_point(bench.at("j"), &junction(r"C:\out"));
    dir_point(bench.at("d"), &symlink("out"));
    file_point(bench.at("f"), &symlink(r"out\canary"));
    for (name, shown) in
        [("j", "removed junction j"), ("d/", "removed symlink-dir d"), ("f", "removed symlink-file f")]
    {
        let ran = bench.ok(["remove", name]);
        assert!(ran.out.starts_with(shown), "{}", ran.out);
        assert!(bench.at(name.trim_end_matches('/')).symlink_metadata().is_err());
        canary.assert_unchanged();
    }
    assert_eq!(bench.names(), ["out", "out/canary", "out/deep", "out/deep/x"]);
    assert_index(&mut bench, Vec::new());
}

#[test]
fn remove_recursive_takes_links_only_and_undo_brings_each_back_byte_for_byte() {
    let bench = Bench::ntfs();
    tree!(bench.root(), {
        "out/canary" => file("alive"), "out/deep/x" => file("x"), "tree/keep/f" => file("kept"), "tree/sub" => dir,
        "tree/interix" => symlink("../out"),
    });
    let wsl = ReparseData::from(LxSymlink { target: b"../out/canary\xff".to_vec() }).encode().unwrap();
    let volume = raw_junction(&format!(r"\??\Volume{GUID}\"), "");
    let dirs = [
        ("tree/j", junction(r"C:\out")),
        ("tree/powershell", raw_junction(r"\??\C:\out", "")),
        ("tree/sub/up", symlink(r"..\..\out")),
        ("tree/unc", symlink(r"\\s\h")),
        ("tree/mount", volume),
        ("tree/gdir", other(0xa000_0019, None, b"global")),
    ];
    let files = [
        ("tree/f", symlink(r"..\out\canary")),
        ("tree/sub/dead", symlink(r"..\gone")),
        ("tree/wsl", wsl),
        ("tree/swapped", {
            // Names in Windows' other order, with NULs: the encoder would not write it so.
            let mut data = symlink("x");
            data.splice(4..6, [0x14, 0]);
            data.extend([0, 0, 0, 0]);
            data
        }),
    ];
    for (name, data) in &dirs {
        dir_point(bench.at(name), data);
    }
    for (name, data) in &files {
        file_point(bench.at(name), data);
    }
    file_point(bench.at("tree/wof"), &other(0x8000_0017, None, &[1; 24]));
    // They call themselves links, but nobody knows them, and a file of theirs may hold data.
    file_point(bench.at("tree/third"), &other(0x2000_0042, Some([9; 16]), b"third party"));
    file_point(bench.at("tree/tomb"), &other(0xa000_001f, None, b""));
    let app = AppExecLink { version: 3, strings: ["P", "A", r"C:\x.exe", "0"].map(w).to_vec() };
    file_point(bench.at("tree/app.exe"), &ReparseData::from(app).encode().unwrap());
    let all = bench.names();
    let facts = |name: &str| {
        let meta = bench.at(name).symlink_metadata().unwrap();
        let reparse = get_reparse(bench.at(name));
        (reparse, ntfs_attrib(bench.at(name)).unwrap() & 0x410, meta.mtime(), meta.uid())
    };
    let linked: Vec<&str> = dirs.iter().chain(&files).map(|(name, _)| *name).collect();
    let before: Vec<_> = linked.iter().map(|name| facts(name)).collect();
    let (canary, kept) = (Snapshot::of(bench.at("out")), Snapshot::of(bench.at("tree/keep")));
    // Longer than a second: times are kept, or seen not to be.
    std::thread::sleep(std::time::Duration::from_millis(1100));

    bench.run(["remove", "--recursive", "tree"]).exits(4).says(&["--yes"]);
    assert_eq!(bench.names(), all);
    let ran = bench.ok(["remove", "--recursive", "--yes", "tree"]);
    assert!(ran.err.contains("WOF") && ran.err.contains("app-exec"), "what stays is said: {}", ran.err);
    let left = [
        "tree",
        "tree/app.exe",
        "tree/keep",
        "tree/keep/f",
        "tree/sub",
        "tree/third",
        "tree/tomb",
        "tree/wof",
    ];
    let left: Vec<_> = ["out", "out/canary", "out/deep", "out/deep/x"].into_iter().chain(left).collect();
    assert_eq!(bench.names(), left);
    canary.assert_unchanged();
    kept.assert_unchanged();

    bench.ok(["undo"]);
    assert_eq!(bench.names(), all);
    for (name, before) in linked.iter().zip(&before) {
        assert_eq!(&facts(name), before, "{name}");
    }
    assert_eq!(fs::read_link(bench.at("tree/interix")).unwrap(), Path::new("../out"));
    assert!(get_reparse(bench.at("tree/interix")).is_none());
    canary.assert_unchanged();
}

#[test]
fn remove_recursive_of_a_junction_itself_is_refused() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "out/canary" => file("alive") });
    dir_point(bench.at("out/j"), &junction(r"C:\out"));
    dir_point(bench.at("j"), &junction(r"C:\out"));
    for name in ["j", "j/"] {
        let ran = bench.run(["remove", "--recursive", "--yes", name]);
        assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
    }
    assert_eq!(bench.names(), ["j", "out", "out/canary", "out/j"]);
}

#[test]
fn reparse_points_that_hold_their_own_data_are_not_removed() {
    let bench = Bench::ntfs();
    file_point(bench.at("wof"), &other(0x8000_0017, None, &[1; 24]));
    file_point(bench.at("cloud"), &other(0x9000_301a, None, &[2; 24]));
    dir_point(bench.at("third"), &other(0x0000_0042, Some([9; 16]), b"no surrogate"));
    for (name, tag) in [("wof", "WOF"), ("cloud", "CLOUD_3"), ("third", "0x00000042")] {
        refused(&bench, &["remove", name], &["holds its own data", tag]);
    }
}

#[test]
fn a_junction_that_hides_children_is_kept_with_its_children() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "j/hidden" => file("precious") });
    set_reparse(bench.at("j"), &junction(r"C:\t"));
    bench.run(["remove", "j"]).exits(3).says(&["not empty"]);
    assert_eq!(bench.names(), ["j", "t", "t/f"]);
    bench.run(["create", "--kind", "junction", "--replace", "j", r"C:\gone"]).exits(3);
    assert_eq!(bench.names(), ["j", "t", "t/f"]);
    assert_eq!(get_reparse(bench.at("j")), Some(hex(GOLDEN_JUNCTION)));
    remove_reparse(bench.at("j"));
    assert_eq!(fs::read(bench.at("j/hidden")).unwrap(), b"precious");
}

// ------------------------------------------------------------------------------------------- broken data, limits

/// Changes bytes of the reparse data `data` in the image, behind ntfs-3g's back.
fn patch(volume: &mut Volume, data: &[u8], offset: usize, new: &[u8]) {
    volume.unmount();
    let mut image = fs::read(volume.image()).unwrap();
    // The last two bytes of each sector of a file record are kept elsewhere (its update sequence array).
    let kept = |at: usize| at % 512 < 510;
    let is = |at: &usize| data.iter().enumerate().all(|(n, byte)| image[at + n] == *byte || !kept(at + n));
    let found: Vec<_> = (0..image.len() - data.len()).filter(is).collect();
    let [at] = found[..] else { panic!("found {} times", found.len()) };
    assert!((at + offset..at + offset + new.len()).all(kept), "choose other names: the record has to move");
    image[at + offset..at + offset + new.len()].copy_from_slice(new);
    fs::write(volume.image(), image).unwrap();
    volume.mount();
}

#[test]
fn broken_reparse_data_on_disk_is_told_with_its_offset_and_never_followed() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    // The name, where the data is broken, with what, and what is said of it.
    let cases = [
        ("odd", 10, vec![3], "at byte 10"),
        ("beyond", 8, vec![0xff, 0x7f], "at byte 8"),
        ("length", 4, vec![0x99], "at byte 4"),
        ("tag0", 0, vec![0, 0, 0, 0], "at byte 0"),
    ];
    let wsl = ReparseData::from(LxSymlink { target: b"target-of-wsl".to_vec() }).encode().unwrap();
    for (name, ..) in &cases {
        file_point(bench.at(name), &symlink(&format!("target-of-{name}")));
    }
    file_point(bench.at("wsl3"), &wsl);
    dir_point(bench.at("jbad"), &junction(r"C:\target-of-jbad"));
    file_point(bench.at("fine"), &symlink(r"t\f"));
    let mut expected = Vec::new();
    for (name, offset, bytes, said) in &cases {
        patch(&mut bench.volume, &symlink(&format!("target-of-{name}")), *offset, bytes);
        expected.push((*name, *said));
    }
    patch(&mut bench.volume, &wsl, 8, &[3]);
    expected.push(("wsl3", "at byte 8"));
    patch(&mut bench.volume, &junction(r"C:\target-of-jbad"), 12, &[1]);
    expected.push(("jbad", "at byte 12"));

    let listed = bench.list(&[]);
    assert_eq!(listed.len(), 7, "{listed:#?}");
    for (name, said) in expected {
        let record = &listed.iter().find(|(path, _)| path == name).unwrap().1;
        assert_eq!((&record["kind"], &record["target"]), (&json!("other"), &Value::Null), "{name}");
        assert_ne!(record["state"], "ok", "{name}");
        let shown = bench.show(name, &["--raw"]);
        assert_ne!(shown["state"], "ok", "{name}");
        let broken = shown["reparse"]["broken"].as_str().unwrap_or_else(|| panic!("{name}: {shown}"));
        assert!(broken.contains(said), "{name}: {broken}");
        assert_eq!(shown["raw"].as_str().unwrap().len(), 2 * get_reparse(bench.at(name)).unwrap().len());
        let text = bench.ok(["show", name]).out;
        assert!(text.contains("broken") && text.contains(said), "{text}");
    }
    let fine = bench.show("fine", &[]);
    assert_eq!(fine["state"], "ok");
    // They are seen by the filters for broken links, too.
    assert_eq!(bench.list(&["--broken"]).len(), 6);
}

// ntfs-3g refuses to set some data that stands on a disk: it cannot come back.
#[test]
fn a_broken_link_is_removed_only_if_that_loses_nothing() {
    // ntfs-3g sets the odd length again, and none of the others.
    for (offset, bytes) in [(10, vec![3]), (8, vec![0xff, 0x7f]), (4, vec![0x99]), (0, vec![0, 0, 0, 0])] {
        let mut bench = Bench::ntfs();
        let data = symlink("target-of-it");
        file_point(bench.at("l"), &data);
        patch(&mut bench.volume, &data, offset, &bytes);
        let broken = get_reparse(bench.at("l")).unwrap();
        let removed = bench.run(["remove", "l"]);
        if removed.code == Some(0) {
            // Either undo brings the same bytes back, or what removed them has said that it cannot.
            let undone = bench.run(["undo"]);
            let there = bench.at("l").symlink_metadata().is_ok();
            let back = there && get_reparse(bench.at("l")).as_ref() == Some(&broken);
            assert!(back || !there, "half undone: {undone:?}");
            let told = removed.err.contains("undo");
            assert!(undone.code == Some(0) && back || told, "byte {offset}: {removed:?} {undone:?}");
        } else {
            assert_eq!(get_reparse(bench.at("l")), Some(broken));
        }
    }
}

/// A target of so many characters.
fn long_target(characters: usize) -> String {
    let mut target = r"C:".to_owned();
    while target.len() < characters {
        let part = (characters - target.len() - 1).min(200);
        target.push('\\');
        target.push_str(&"x".repeat(part));
        if target.len() + 1 == characters {
            target.push('x');
        }
    }
    target
}

#[test]
fn a_target_of_4089_characters_fits_and_one_of_4090_is_refused_before_anything_is_written() {
    let bench = Bench::ntfs();
    let (fits, beyond) = (long_target(4089), long_target(4090));
    assert_eq!((fits.len(), beyond.len()), (4089, 4090));
    for (name, kind) in [("j", ["--kind", "junction"]), ("s", ["--kind", "symlink"])] {
        let create =
            |target: &str| ["create", kind[0], kind[1], "--drive", "C", name, target].map(str::to_owned);
        let writes = "mkdirat,openat,lsetxattr,setxattr,renameat,renameat2,symlinkat,linkat";
        let trace = testkit::strace::trace(writes, &bench.command(create(&beyond)));
        let writing = |line: &&String| {
            line.contains("lsetxattr") || line.contains("mkdirat") || line.contains("O_CREAT")
        };
        let wrote: Vec<_> = trace.iter().filter(writing).collect();
        assert!(wrote.is_empty(), "{wrote:#?}");
        let ran = bench.run(create(&beyond)).says(&["16384"]);
        assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
        assert!(bench.at(name).symlink_metadata().is_err());
        bench.ok(create(&fits)).says(&["note:", "bytes of reparse data"]);
        let data = get_reparse(bench.at(name)).unwrap();
        assert_eq!(data, if name == "j" { junction(&fits) } else { symlink(&fits) });
        assert_eq!(data.len(), 16384);
        assert_eq!(text(&bench.show(name, &[])["target"]), fits);
        bench.ok(["remove", name]);
        bench.ok(["undo"]);
        assert_eq!(get_reparse(bench.at(name)), Some(data));
        bench.ok(["remove", name]);
    }
    assert!(bench.names().is_empty());
}

#[test]
fn reparse_data_that_leaves_the_file_record_is_warned_of() {
    let bench = Bench::ntfs();
    // 28 bytes and 4 for each character.
    let (near, far) = (long_target(118), long_target(119));
    let ran = bench.ok(["create", "--kind", "junction", "near", &near]);
    assert!(!ran.err.contains("reparse data"), "500 bytes are fine: {}", ran.err);
    bench.ok(["create", "--kind", "junction", "far", &far]).says(&["note:", "504 bytes", "chkdsk"]);
    assert_eq!(get_reparse(bench.at("near")).unwrap().len(), 500);
    assert_eq!(get_reparse(bench.at("far")), Some(junction(&far)));
}

// --------------------------------------------------------------------------------------------------------- names

#[test]
fn hostile_names_on_ntfs_are_listed_escaped_and_removed() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    let names =
        ["new\nline", "\u{1b}[31mred", "bidi\u{202e}txt", "trailing. ", "-dash", "Grüße 🎈", r"back\slash"];
    for name in names {
        let ran = bench.ok(["create", "--kind", "junction", "--", name, r"C:\t"]);
        assert_eq!(get_reparse(bench.at(name)), Some(hex(GOLDEN_JUNCTION)), "{name:?}");
        let raw = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.out.contains(raw) && ran.out.lines().count() == 1, "{:?}", ran.out);
    }
    let mut listed: Vec<_> = bench.list(&[]).into_iter().map(|(path, _)| path).collect();
    let mut expected = names.to_vec();
    listed.sort();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    let table = bench.ok(["list"]).out;
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "{table:?}");
    assert_eq!(table.lines().count(), 1 + names.len(), "{table}");
    for name in names {
        bench.ok(["remove", "--", name]);
    }
    assert_eq!(bench.names(), ["t", "t/f"]);
}

#[test]
fn hostile_targets_in_reparse_data_are_escaped() {
    let bench = Bench::ntfs();
    let target = "a\n\u{1b}]0;title\u{7}\u{202e}b";
    file_point(bench.at("l"), &raw_symlink(target, target, 1));
    assert_eq!(text(&bench.list(&[])[0].1["target"]), target);
    for args in [&["list"][..], &["show", "l"], &["show", "--raw", "l"], &["list", "--format", "csv"]] {
        let out = bench.ok(args).out;
        assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{args:?}: {out:?}");
    }
}

#[test]
fn unpaired_surrogates_are_kept_and_shown_as_bytes() {
    let bench = Bench::ntfs();
    let wide =
        WideString::from_units("a\u{1}b".encode_utf16().map(|u| if u == 1 { 0xd800 } else { u }).collect());
    let link = Symlink { substitute: wide.clone(), print: wide, flags: 1 };
    let data = ReparseData::from(link).encode().unwrap();
    file_point(bench.at("l"), &data);
    let wtf8 = b"a\xed\xa0\x80b";
    let target = json!({ "bytes": base64::engine::general_purpose::STANDARD.encode(wtf8) });
    let listed = bench.list(&[]);
    assert_eq!((&listed[0].1["target"], &listed[0].1["state"]), (&target, &json!("missing")));
    assert_eq!(bench.show("l", &[])["target"], target);
    // `Ran` has checked that what is printed is Unicode.
    bench.ok(["list"]);
    bench.ok(["show", "l"]);
    bench.ok(["remove", "l"]);
    bench.ok(["undo"]);
    assert_eq!(get_reparse(bench.at("l")), Some(data.clone()));
    // Typed as those bytes, the same link is made.
    let args = [OsStr::new("create"), OsStr::new("--file"), OsStr::new("m"), OsStr::from_bytes(wtf8)];
    bench.ok(args);
    assert_eq!(get_reparse(bench.at("m")), Some(data));
    // What is neither UTF-8 nor WTF-8 names nothing on NTFS.
    let args = [OsStr::new("create"), OsStr::new("n"), OsStr::from_bytes(b"x\xff")];
    bench.run(args).exits(4).says(&["not Unicode"]);
    assert!(bench.at("n").symlink_metadata().is_err());
}

#[test]
fn dots_and_spaces_at_the_end_of_a_relative_target_are_stored_as_typed() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "dot." => dir, "space " => dir, "both. " => file("text") });
    for (link, target, directory) in [("d", "dot.", true), ("s", "space ", true), ("b", "both. ", false)] {
        bench.ok(["create", link, target]);
        assert_eq!(get_reparse(bench.at(link)), Some(raw_symlink(target, target, 1)));
        assert_eq!(ntfs_attrib(bench.at(link)).unwrap() & 0x10 != 0, directory);
        let shown = bench.show(link, &[]);
        assert_eq!((text(&shown["target"]), &shown["state"]), (target.to_owned(), &json!("ok")), "{link}");
    }
    // An absolute one goes through Win32, which drops them: so would mklink.
    bench.ok(["create", "--dir", "w", r"C:\dot."]);
    assert_eq!(get_reparse(bench.at("w")), Some(raw_symlink(r"\??\C:\dot", r"C:\dot.", 0)));
    assert_eq!(bench.show("w", &[])["state"], "missing");
}

// -------------------------------------------------------------------------------------------------------- doctor

#[test]
fn doctor_says_where_junctions_can_be_made_and_leaves_nothing() {
    let able = |ran: &Ran, name: &str| {
        let document = ran.json();
        let all = document["capabilities"].as_array().unwrap().clone();
        all.into_iter().find(|c| c["name"] == name).unwrap()
    };
    let mut ntfs = Bench::ntfs();
    tree!(ntfs.root(), { "t/f" => file("text") });
    let ran = ntfs.ok(["doctor", "--json"]);
    assert_eq!(ran.json()["ntfs"], true);
    for name in ["symlink-to-file", "symlink-to-directory", "hard", "junction", "replace"] {
        assert_eq!(able(&ran, name)["able"], true, "{name}: {}", ran.out);
    }
    assert!(
        ntfs.ok(["doctor"]).out.lines().any(|line| line.starts_with("junction") && line.ends_with("yes"))
    );
    assert_eq!(ntfs.names(), ["t", "t/f"]);
    assert_eq!(ntfs.history(), [Value::Null; 0]);

    let ext4 = Bench::on(Volume::new(Fs::Ext4, 0));
    let before = ext4.names();
    let ran = ext4.ok(["doctor", "--json"]);
    assert_eq!((&ran.json()["ntfs"], &ran.json()["filesystem"]), (&json!(false), &json!("ext4")));
    let junction = able(&ran, "junction");
    assert_eq!((&junction["able"], &junction["error"]["kind"]), (&json!(false), &json!("not-supported")));
    assert_eq!(able(&ran, "symlink-to-file")["able"], true);
    let text = ext4.ok(["doctor"]).out;
    assert!(text.lines().any(|line| line.starts_with("junction") && line.contains("no: ")), "{text}");
    assert_eq!(ext4.names(), before);

    ntfs.volume.remount_read_only();
    let ran = ntfs.ok(["doctor", "--json"]);
    assert_eq!(ran.json()["read_only"], true);
    assert_eq!(able(&ran, "junction")["able"], false);
}
