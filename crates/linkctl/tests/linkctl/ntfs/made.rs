//! Windows links have the bytes that Windows writes.

use super::*;

#[test]
fn links_to_a_directory_have_the_bytes_windows_writes_and_work_at_once() {
    let mut bench = Bench::ntfs();
    tree!(bench.root(), { "t/f" => file("text"), "sub" => dir });
    let (b, mut index) = (&bench, Vec::new());
    let junction = ["create", "--kind", "junction", "j", r"C:\t"];
    index.push(make_golden(b, "j", &junction, GOLDEN_JUNCTION, true, Some("j/f")));
    index.push(make_golden(b, "sub/rel", &["create", "sub/rel", r"..\t"], GOLDEN_RELATIVE, true, Some("sub/rel/f")));
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
    index.push(IndexEntry { tag: SYMLINK, mft: b.at("guessed").symlink_metadata().unwrap().ino(), sequence: 1 });
    assert_index(&mut bench, index);
}

#[test]
fn a_target_that_ends_in_a_dot_or_a_space_is_found_or_told_to_be_missing() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "dot./f" => file(""), "space /f" => file("") });
    let root = bench.root();
    let mut number = 0;
    for target in [r"C:\dot.", r"C:\space ", r"C:\dot.\f"] {
        let linux = format!("{}/{}", root.display(), target[3..].replace('\\', "/"));
        let shape = if target.ends_with('f') { "--file" } else { "--dir" };
        for target in [target, &linux] {
            for more in
                [&[][..], &[shape], &["--absolute", shape], &["--kind", "junction"], &["--kind", "junction", "--dir"]]
            {
                if target.ends_with('f') && more.contains(&"junction") {
                    continue;
                }
                number += 1;
                let name = format!("l{number}");
                let ran = bench.ok([&["create"], more, &[&name, target]].concat());
                let state = bench.show(&name, &[])["state"].clone();
                let noted = ran.err.contains("does not exist") || ran.err.contains("not found");
                assert_eq!(state == "ok", !noted, "{target} {more:?}: {state}: {ran:?}");
            }
        }
    }
}
