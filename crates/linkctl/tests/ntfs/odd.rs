//! Broken data, limits, hostile names, and what doctor says of it all.

use super::*;

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
