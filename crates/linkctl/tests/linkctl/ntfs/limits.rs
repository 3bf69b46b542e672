//! How long a target may be.

use super::*;

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
        let create = |target: &str| ["create", kind[0], kind[1], "--drive", "C", name, target].map(str::to_owned);
        let writes = "mkdirat,openat,lsetxattr,setxattr,renameat,renameat2,symlinkat,linkat";
        let trace = testkit::strace::trace(writes, &bench.command(create(&beyond)));
        let writing =
            |line: &&String| line.contains("lsetxattr") || line.contains("mkdirat") || line.contains("O_CREAT");
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
