//! `list` and `show` tell the truth where readlink cannot.

use super::*;

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
        let resolved = case.resolved.map(|path| name(&bench.at(path).components().collect::<std::path::PathBuf>()));
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
            // To Windows there is nothing above the root of a volume: it refuses more dots than there are names.
            case("sub/above", "symlink-dir", symlink(r"..\..\..\t"), r"..\..\..\t", "missing", None),
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
    let app = AppExecLink { version: 3, strings: ["Pkg", "Pkg!App", r"C:\Apps\app.exe", "0"].map(w).to_vec() };
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
        case("app.exe", "app-exec", ReparseData::from(app).encode().unwrap(), r"C:\Apps\app.exe", "elsewhere", None),
        case("mount", "mount-point", raw_junction(&volume, ""), &shown_volume, "elsewhere", None),
        // What PowerShell and libuv make.
        case("powershell", "junction", raw_junction(r"\??\C:\t", ""), r"C:\t", "ok", Some("t")),
        case("libuv", "junction", raw_junction(r"\??\C:\t\", r"C:\t"), r"C:\t", "ok", Some("t")),
        wof,
        global,
        third,
    ];
    check_cases(&bench, &cases, &[]);
    let tags =
        [("wof", "0x80000017", "WOF"), ("global", "0xa0000019", "GLOBAL_REPARSE"), ("wsl", "0xa000001d", "LX_SYMLINK")];
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
            case("good", "junction", raw_junction(r"\??\C:\t", r"C:\gone"), r"C:\t", "ok", Some("t")),
            case("bad", "junction", raw_junction(r"\??\C:\gone", r"C:\t"), r"C:\gone", "missing", None),
            case("rel", "symlink-dir", raw_symlink("gone", "t", 1), "gone", "missing", None),
        ],
        &[],
    );
    // And show tells both.
    let shown = bench.show("bad", &[]);
    assert_eq!(text(&shown["reparse"]["substitute"]), r"\??\C:\gone");
    assert_eq!(text(&shown["reparse"]["print"]), r"C:\t");
    // The filter, the column and the record of a listing are of what is followed.
    let list = |target: &str| bench.list(&["--target", target]).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!((list("C:*gone"), list("C:*t")), (vec!["bad".to_owned()], vec!["good".to_owned()]));
    let table = bench.ok(["list", "."]).out;
    assert!(table.contains(r"bad -> C:\gone (print name: C:\t)"), "{table}");
    let records = bench.list(&[]);
    let csv = bench.ok(["list", "--format", "csv"]).out;
    assert!(csv.lines().any(|line| line.starts_with("good,") && line.ends_with(r",C:\gone")), "{csv}");
    let printed: Vec<_> = records.iter().map(|(path, record)| (path.as_str(), text(&record["print"]))).collect();
    assert!(printed.contains(&("good", r"C:\gone".to_owned())), "{printed:?}");
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

#[test]
fn names_with_nul_and_without_unicode_are_told_alike_mounted_and_not() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text") });
    dir_point(bench.at("nul"), &raw_junction("\\??\\C:\\t\0x", "C:\\t"));
    dir_point(bench.at("end"), &raw_junction("\\??\\C:\\t\0", "C:\\t"));
    dir_point(bench.at("sym"), &raw_symlink("t\0", "t", 1));
    let half = WideString::from_units(r"\??\C:\".encode_utf16().chain([0xd800]).collect());
    let data = reparse::MountPoint { substitute: half.clone(), print: half };
    dir_point(bench.at("half"), &ReparseData::from(data).encode().unwrap());
    let states = |bench: &Bench, more: &[&str]| -> Vec<(String, Value)> {
        let listed = bench.list(more).into_iter();
        listed.map(|(path, record)| (path.replace(r"C:\", ""), record["state"].clone())).collect()
    };
    let mounted = states(&bench, &[]);
    assert!(mounted.len() == 4 && mounted.iter().all(|(_, state)| state == "missing"), "{mounted:?}");
    let shown = bench.show("half", &[])["reparse"].clone();
    for name in ["print", "substitute"] {
        assert!(shown[name]["bytes"].is_string(), "{shown}");
    }
    bench.volume.unmount();
    let image = bench.volume.image();
    let list = bench.ok(["list", "--json", "--volume", image.to_str().unwrap()]).json();
    let links = list["links"].as_array().unwrap();
    assert!(links.len() == 4 && links.iter().all(|link| link["state"] == "missing"), "{links:#?}");
    bench.volume.mount();
}
