//! What is there: `show`, `list`, `check`, `dir`, `doctor`.

use std::fs;

use crate::Linkctl;

#[test]
fn plain_files_and_directories_are_no_links() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "abc");
    fs::create_dir(linkctl.at("d")).unwrap();
    linkctl.ok(["show", "a"]).prints("file");
    linkctl.ok(["show", "d"]).prints("directory");
    linkctl.run(["show", "missing"]).exits(3).says("check the path");
    linkctl.run(["remove", "d"]).exits(4).says("a directory; only links are removed");
    let listed = linkctl.ok(["list", "--json"]).json();
    assert_eq!(listed["links"].as_array().unwrap().len(), 0);
    assert_eq!(linkctl.ok(["list", "--format", "ndjson"]).out, "");
    linkctl.ok(["check"]);
    linkctl.ok(["list", "--summary"]);
    linkctl.run(["list", "missing"]).exits(3).says("check the path");
}

#[test]
fn paths_may_be_written_in_every_way_that_windows_knows() {
    let linkctl = Linkctl::new();
    linkctl.write("a", "abc");
    fs::create_dir(linkctl.at("d")).unwrap();
    linkctl.ok(["create", "--kind", "hard", r"d\b", "a"]);
    let full = linkctl.at("d").to_str().unwrap().to_owned();
    let (drive, rooted) = full.split_at(2);
    for directory in [
        full.clone(),
        full.replace('\\', "/"),
        format!(r"\\?\{full}"),
        format!("{full}\\"),
        "d".to_owned(),
        r".\d\.\".to_owned(),
        r"d\..\d".to_owned(),
        rooted.to_owned(),
        format!("{drive}d"),
        full.to_uppercase(),
    ] {
        let listed = linkctl.ok(["list", "--kind", "hard", "--json", &directory]).json();
        assert_eq!(listed["links"][0]["outside"], 1, "{directory}: {listed}");
        linkctl.ok(["show", &format!(r"{directory}\b")]).prints("2 names");
    }
}

#[test]
fn dir_has_its_columns_and_its_codes() {
    let linkctl = Linkctl::new();
    linkctl.write("file.txt", "abc");
    fs::create_dir(linkctl.at("sub")).unwrap();
    let listed = linkctl.ok(["dir"]);
    let lines: Vec<&str> = listed.out.lines().collect();
    assert!(lines[0].starts_with(" Volume in drive ") && !lines[0].contains(":\\"), "{listed}");
    assert!(lines[1].starts_with(" Volume Serial Number is "), "{listed}");
    let directory = linkctl.work();
    assert!(listed.out.contains(&format!(" Directory of {}\n", directory.display())), "{listed}");
    let row = |name: &str| lines.iter().find(|line| line.ends_with(name)).unwrap();
    assert_eq!(row("file.txt").find("file.txt"), Some(39));
    assert_eq!(row("sub").find("<DIR>          sub"), Some(24));
    assert!(listed.out.contains("               1 File(s)              3 bytes\n"), "{listed}");
    assert!(listed.out.contains("               3 Dir(s)"), "{listed}");
    assert_eq!(
        linkctl.ok(["dir", "/b", "/s", "/a-d"]).out.trim_end(),
        directory.join("file.txt").display().to_string()
    );
    linkctl.run(["dir", "/al", "/s"]).exits(1).says("File Not Found");
    linkctl.run(["dir", "/z"]).exits(1).says("Invalid switch - \"z\".");
    linkctl.run(["dir", "missing"]).exits(1).says("File Not Found");
    linkctl.ok(["dir", "*.TXT"]).prints("file.txt");
}

#[test]
fn doctor_tells_what_the_system_allows() {
    let linkctl = Linkctl::new();
    let told = linkctl.ok(["doctor", "--json"]).json();
    let names: Vec<_> = told["system"].as_array().unwrap().iter().map(|fact| &fact["name"]).collect();
    let expected =
        ["windows build", "elevated", "symlink privilege", "developer mode", "redirection guard", "symlink evaluation"];
    assert_eq!(names, expected);
    assert_eq!(told["capabilities"][2]["name"], "hard");
    assert_eq!(told["capabilities"][2]["able"], true);
    assert!(told["mount_point"]["text"].as_str().unwrap().ends_with(r":\"), "{told}");
    assert!(linkctl.left().is_empty(), "{:?}", linkctl.left());
    linkctl.ok(["doctor"]).prints("elevated");
}

#[test]
fn of_a_whole_volume_it_is_told_how_it_was_read() {
    let linkctl = Linkctl::new();
    let drive = &linkctl.work().to_str().unwrap()[..3].to_owned();
    // By its index as administrator on NTFS; else directory by directory, and why.
    let listed = linkctl.run(["list", "--format", "paths", drive]);
    assert!(listed.err.contains(&format!("note: {drive} is read ")), "{listed}");
    // Where the index was not asked for, nothing is said.
    let plain = linkctl.ok(["list", "--format", "paths"]);
    assert!(!plain.err.contains("is read "), "{plain}");
}
