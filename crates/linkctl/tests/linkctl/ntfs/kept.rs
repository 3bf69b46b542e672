//! What NTFS keeps of a link, and of a tree, besides its data: attributes, 8.3 name, time of creation, security. And 8.3
//! names, which ntfs-3g counts as names of a file.

use super::*;
use crate::relocate::sys::{SECURITY, set_xattr, xattr};

const KEPT: [&str; 4] = ["system.ntfs_attrib", "system.ntfs_dos_name", "system.ntfs_crtime", "system.ntfs_acl"];

fn kept(path: &Path) -> Vec<Option<Vec<u8>>> {
    KEPT.iter().map(|name| xattr(path, name)).collect()
}

/// Read-only, hidden, system, not indexed, with a short name, made in 1976, and security of its own.
fn mark(path: &Path, short: &str) -> Vec<Option<Vec<u8>>> {
    set_xattr(path, "system.ntfs_dos_name", short.as_bytes());
    set_xattr(path, "system.ntfs_acl", SECURITY);
    set_xattr(path, "system.ntfs_crtime", &118_000_000_000_000_007_u64.to_ne_bytes());
    set_xattr(path, "system.ntfs_attrib", &0x2007_u32.to_ne_bytes());
    let marked = kept(path);
    assert_eq!(marked[1].as_deref(), Some(short.as_bytes()));
    assert_eq!(u32::from_ne_bytes(marked[0].clone().unwrap().try_into().unwrap()) & 0x2027, 0x2007);
    marked
}

#[test]
fn every_change_of_a_link_keeps_what_ntfs_keeps_of_it_and_every_undo_gives_it_back() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "Roaming/f" => file("x"), "Other/f" => file("y"), "deep" => dir });
    dir_point(bench.at("Application Data"), &junction(r"C:\Roaming"));
    dir_point(bench.at("deep/dangling link"), &junction(r"C:\Gone"));
    file_point(bench.at("deep/to a file"), &symlink(r"C:\Roaming\f"));
    symlink_to(bench.at("deep/interix link"));
    let links = ["Application Data", "deep/dangling link", "deep/to a file", "deep/interix link"];
    let shorts = ["APPLIC~1", "DANGLI~1", "TOAFIL~1", "INTERI~1"];
    let marked: Vec<_> = links.iter().zip(shorts).map(|(name, short)| mark(&bench.at(name), short)).collect();
    let look = |what: &str| {
        for (name, marked) in links.iter().zip(&marked) {
            assert_eq!(&kept(&bench.at(name)), marked, "{name} after {what}");
        }
    };
    let changes: [&[&str]; 6] = [
        &["create", "--replace", "--kind", "junction", links[0], r"C:\Other"],
        &["create", "--replace", links[0], r"C:\Other"],
        &["repair", "--map", "Gone=Roaming", "--yes", "."],
        &["repair", "--relative", "--yes", "."],
        &["remove", links[0]],
        &["remove", "--recursive", "--yes", "deep"],
    ];
    for change in changes {
        let ran = bench.run(change);
        assert!(matches!(ran.code, Some(0 | 1)), "{change:?}: {ran:?}");
        if change[0] != "remove" {
            look(&change.join(" "));
        }
        bench.ok(["undo", "--yes"]);
        look(&format!("undo of {}", change.join(" ")));
    }
}

fn symlink_to(path: std::path::PathBuf) {
    std::os::unix::fs::symlink("../Roaming", path).unwrap();
}

#[test]
fn a_short_name_is_no_name_of_a_file_and_survives_a_refused_removal() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "Long file name.txt" => file("x"), "sub/other name" => file("y"), "sub/second one" => hard("sub/other name") });
    set_xattr(&bench.at("Long file name.txt"), "system.ntfs_dos_name", b"LONGFI~1.TXT");
    bench.ok(["mklink", "via", r"C:\longfi~1.txt"]);
    let long = bench.at("Long file name.txt");
    let found = bench.ok(["list", "--hard", "--json"]).json()["links"].to_string();
    assert!(!found.contains("Long file") && found.contains("second one"), "{found}");
    assert!(bench.ok(["show", "Long file name.txt"]).out.contains("names       1\n"));
    for more in [&["--dry-run"][..], &["--yes"]] {
        bench.run([&["remove", "--kind", "hard", "Long file name.txt"], more].concat()).exits(4);
        assert_eq!(xattr(&long, "system.ntfs_dos_name").as_deref(), Some(&b"LONGFI~1.TXT"[..]));
    }
    bench.ok(["check", "."]);
    let ran = bench.ok(["fsutil", "hardlink", "list", "Long file name.txt"]);
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    // With a second name in another directory, and with one in the same, which ntfs-3g does not tell apart.
    for second in ["sub/again", "again"] {
        fs::hard_link(&long, bench.at(second)).unwrap();
        let ran = bench.ok(["fsutil", "hardlink", "list", "Long file name.txt"]);
        assert_eq!(ran.out.lines().count(), 2, "{ran:?}");
        let found = bench.ok(["list", "--hard"]).out;
        assert!(!found.contains(" of "), "{found}");
        let long_too = bench.ok(["remove", "--kind", "hard", "--dry-run", "Long file name.txt"]);
        long_too.says(&["warning: 'Long file name.txt': the short name of the file may go with it"]);
        bench.ok(["remove", "--kind", "hard", "--yes", second]);
        bench.run(["remove", "--kind", "hard", "--yes", "Long file name.txt"]).exits(4);
        assert_eq!(xattr(&long, "system.ntfs_dos_name").as_deref(), Some(&b"LONGFI~1.TXT"[..]), "{second}");
    }
}

#[test]
fn a_moved_tree_keeps_its_short_name_there_and_back_and_a_loss_is_said_before() {
    let (bench, other) = (Bench::ntfs(), Volume::new(Fs::Ntfs, 0));
    for (to, away) in [("sub/Program Files", bench.at("sub/Program Files")), ("", other.path().join("Program Files"))] {
        let root = bench.at("Program Files");
        tree!(bench.root(), { "Program Files/f" => file("x"), "sub" => dir });
        let marked = mark(&root, "PROGRA~1");
        // Rewritten on the same volume; its short name makes it no link with several names.
        let inner = if to.is_empty() { "f" } else { r"..\sub\f" };
        file_point(root.join("inner link"), &symlink(inner));
        let inside = mark(&root.join("inner link"), "INNERL~1");
        let to = if to.is_empty() { away.to_str().unwrap() } else { to };
        let args = ["--yes", "--kind", "junction", "Program Files", to];
        let kind = if away.starts_with(bench.root()) { &args[..] } else { &["--yes", "Program Files", to] };
        let ran = bench.ok([&["move"], kind].concat());
        assert!(!ran.err.contains("several names"), "{ran:?}");
        assert_eq!(kept(&away), marked);
        assert_eq!(kept(&away.join("inner link")), inside);
        bench.ok(["restore", "--yes", "Program Files"]);
        assert_eq!(kept(&root), marked);
        assert_eq!(kept(&root.join("inner link")), inside);
        bench.ok(["undo", "--yes"]);
        assert_eq!(kept(&away), marked);
        bench.ok(["restore", "--yes", "Program Files"]);
        fs::remove_dir_all(&root).unwrap();
    }
    tree!(bench.root(), { "Program Files/f" => file("x"), "sub/Progress" => file("y") });
    set_xattr(&bench.at("Program Files"), "system.ntfs_dos_name", b"PROGRA~1");
    set_xattr(&bench.at("sub/Progress"), "system.ntfs_dos_name", b"PROGRA~1");
    let args = ["--yes", "--kind", "junction", "Program Files", "sub/Program Files"];
    bench.run([&["move", "--strict"], &args[..]].concat()).exits(4).says(&["short name", "PROGRA~1"]);
    bench.ok([&["move", "--dry-run"], &args[..]].concat()).says(&["short name", "PROGRA~1"]);
    assert_eq!(xattr(&bench.at("Program Files"), "system.ntfs_dos_name").as_deref(), Some(&b"PROGRA~1"[..]));
}

#[test]
fn names_that_end_in_a_dot_or_a_space_are_to_the_letter() {
    let bench = Bench::ntfs();
    tree!(bench.root(), {
        "app/f" => file("right"), "plain/f" => file("wrong"), "dot./f" => file("d"), "dot/f" => file("w"),
        "space /f" => file("s"), "space/f" => file("w")
    });
    bench.ok(["move", "--kind", "junction", "--yes", "app", "plain."]);
    assert_eq!(fs::read(bench.at("plain./f")).unwrap(), b"right");
    assert_eq!(get_reparse(bench.at("app")), Some(raw_junction(r"\??\C:\plain.", r"C:\plain.")));
    for (link, target, substitute) in
        [("a", r"C:\dot.", r"\??\C:\dot."), ("b", r"C:\space ", r"\??\C:\space "), ("c", "dot.", r"\??\C:\dot.")]
    {
        bench.ok(["create", "--kind", "junction", link, target]);
        assert_eq!(get_reparse(bench.at(link)), Some(raw_junction(substitute, &substitute[4..])), "{target}");
    }
    bench.ok(["create", "--absolute", "d", "dot."]);
    let shown = bench.show("d", &[]);
    assert_eq!(shown["target"], json!({"text": r"C:\dot."}), "{shown}");
    // Rewritten from its relative form.
    dir_point(bench.at("e"), &symlink("dot."));
    bench.ok(["repair", "--absolute", "--yes", "e"]);
    assert_eq!(get_reparse(bench.at("e")), get_reparse(bench.at("d")));
    bench.ok(["check", "."]);
    // Windows' own program takes what is not there as Win32 does, and what is there to the letter.
    bench.ok(["mklink", "/J", "f", r"C:\none."]);
    assert_eq!(get_reparse(bench.at("f")), Some(raw_junction(r"\??\C:\none", r"C:\none")));
    bench.ok(["mklink", "/J", "g", r"C:\dot."]);
    assert_eq!(get_reparse(bench.at("g")), Some(raw_junction(r"\??\C:\dot.", r"C:\dot.")));
}

#[test]
fn the_undo_of_a_restoration_gives_the_link_what_belonged_to_it() {
    let bench = Bench::ntfs();
    tree!(bench.root(), { "Roaming/f" => file("x") });
    dir_point(bench.at("Application Data"), &junction(r"C:\Roaming"));
    let marked = mark(&bench.at("Application Data"), "APPLIC~1");
    bench.ok(["restore", "--yes", "Application Data"]);
    assert_eq!(fs::read(bench.at("Application Data/f")).unwrap(), b"x");
    bench.ok(["undo", "--yes"]);
    assert_eq!(get_reparse(bench.at("Application Data")), Some(raw_junction(r"\??\C:\Roaming", r"C:\Roaming")));
    assert_eq!(kept(&bench.at("Application Data")), marked);
}
