//! Broken reparse data on disk: told, never followed, and removed only if that can be undone.

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
