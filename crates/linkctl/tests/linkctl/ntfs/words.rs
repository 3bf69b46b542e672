//! Targets in Linux' words, and what is refused.

use super::*;

#[test]
fn a_linux_path_on_the_volume_is_stored_as_windows_words_it() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "a/b/f" => file("text"), "sub" => dir, "cwd/here" => dir });
    let full = |path: &str| bench.at(path).to_str().unwrap().to_owned();
    let made = |name: &str, expected: Vec<u8>| assert_eq!(get_reparse(bench.at(name)), Some(expected), "{name}");
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
#[test]
fn a_target_outside_the_volume_is_refused() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "sub" => dir });
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let why = ["not on the link's volume", out];
    refused(&bench, &["create", "--kind", "junction", "j", out], &[&why[..], &["junction: directories only"]].concat());
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
