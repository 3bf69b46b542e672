//! Damaged volumes: what is damaged is told with its place, and costs itself alone.

use super::*;

const LINK: &str = r"C:\junctions\plain";

/// Where the record with this number is in an image.
fn record(image: &[u8], number: u64) -> usize {
    let is = |at: &usize| {
        let record = &image[*at..];
        let numbers = |at: usize, length: usize| record[at..at + length].to_vec();
        let own = numbers(0x2c, 4) == u32::try_from(number).unwrap().to_le_bytes();
        record.starts_with(b"FILE") && own && record[0x16] & 1 == 1 && numbers(0x20, 8) == [0; 8]
    };
    let found: Vec<usize> = (0..image.len() - 1024).step_by(512).filter(is).collect();
    assert_eq!(found.len(), 1, "record {number}");
    found[0]
}

/// Where the blocks of the index of reparse points are, which hold entries of links.
fn index_blocks(image: &[u8]) -> Vec<usize> {
    let is = |at: &usize| {
        let block = &image[*at..];
        let word = |at: usize| usize::from(u16::from_le_bytes([block[at], block[at + 1]]));
        if !block.starts_with(b"INDX") {
            return false;
        }
        let entry = 0x18 + word(0x18);
        entry + 0x14 < 4096 && word(entry + 0xa) == 12 && block[entry + 0x12] == 0 && block[entry + 0x13] & 0x80 != 0
    };
    (0..image.len() - 4096).step_by(512).filter(is).collect()
}

struct Damaged {
    filled: &'static Filled,
    all: Vec<Value>,
    _dir: TempDir,
    image: PathBuf,
}

impl Damaged {
    /// A volume with its bytes changed. What `change` gives is kept.
    fn new<T>(change: impl FnOnce(&mut Vec<u8>, &Filled) -> T) -> (Damaged, T) {
        let filled = Filled::of(ANY);
        let (dir, image) = filled.copy();
        let mut bytes = filled.bytes();
        let kept = change(&mut bytes, filled);
        fs::write(&image, bytes).unwrap();
        let all = links(&list(filled.source(), &[]));
        (Damaged { filled, all, _dir: dir, image }, kept)
    }

    /// Lists it with an exit code of 3. Gives what is listed, and the causes of the errors.
    #[track_caller]
    fn fails(&self, more: &[&str]) -> (Value, Vec<String>) {
        let ran = run("list", &self.image, ["--json", "--stats"].iter().chain(more)).exits(3);
        let document = ran.json();
        let errors = document["errors"].as_array().unwrap().iter();
        let causes: Vec<String> = errors.map(|error| error["cause"].as_str().unwrap().to_owned()).collect();
        for cause in &causes {
            assert!(ran.err.contains(cause), "{cause:?} is not said:\n{}", ran.err);
        }
        (document, causes)
    }

    fn number_of(&self, path: &str) -> u64 {
        self.filled.expected_link(path).mft
    }

    fn all_but(&self, left_out: &str) -> Vec<String> {
        self.all.iter().map(path).filter(|path| path != left_out).collect()
    }
}

fn way(document: &Value) -> &str {
    document["stats"][0]["way"].as_str().unwrap()
}

#[track_caller]
fn only_error(causes: &[String], number: u64, position: usize) {
    let wanted = format!("file record {number} at byte {position}: ");
    assert!(causes.len() == 1 && causes[0].starts_with(&wanted), "{wanted:?}: {causes:#?}");
}

#[test]
fn with_a_damaged_index_every_link_is_found_by_a_scan() {
    let (damaged, position) = Damaged::new(|bytes, _| {
        let blocks = index_blocks(bytes);
        assert!(blocks.len() >= 3, "{blocks:?}");
        let position = blocks[blocks.len() / 2];
        bytes[position..position + 4].copy_from_slice(b"XDNI");
        position
    });
    let (document, causes) = damaged.fails(&[]);
    assert_eq!(way(&document), "scan");
    assert!(links(&document) == damaged.all);
    let end = format!(" at byte {position}: no index block where one should be");
    assert!(causes.len() == 1 && causes[0].starts_with("file record ") && causes[0].ends_with(&end), "{causes:?}");
    // Who asks for a scan does not need the index.
    let ran = run("list", &damaged.image, ["--json", "--full-scan"]).exits(0);
    assert!(links(&ran.json()) == damaged.all);
}

#[test]
fn an_index_block_that_was_not_written_whole_is_damaged() {
    let (damaged, position) = Damaged::new(|bytes, _| {
        let position = index_blocks(bytes)[0];
        bytes[position + 1022] ^= 0x55;
        position
    });
    let (document, causes) = damaged.fails(&[]);
    assert!(links(&document) == damaged.all && way(&document) == "scan");
    assert!(causes.len() == 1 && causes[0].contains(&format!(" at byte {position}: not written whole")), "{causes:?}");
}

#[test]
fn a_damaged_link_is_told_and_the_others_are_listed() {
    let (damaged, position) = Damaged::new(|bytes, filled| {
        let position = record(bytes, filled.expected_link(LINK).mft);
        bytes[position..position + 4].copy_from_slice(b"ELIF");
        position
    });
    for (more, by) in [(&[][..], "index"), (&["--full-scan"], "scan")] {
        let (document, causes) = damaged.fails(more);
        only_error(&causes, damaged.number_of(LINK), position);
        assert_eq!((way(&document), &document["stats"][0]["stale"]), (by, &0.into()));
        assert_same(by, paths(&links(&document)), damaged.all_but(LINK));
    }
    let ran = run("check", &damaged.image, ["--json"]).exits(3);
    let found = ran.json()["findings"].as_array().unwrap().iter().map(path).collect::<Vec<_>>();
    assert!(found.contains(&r"C:\loops\a".to_owned()), "{found:?}");
    let ran = run("show", &damaged.image, [LINK]).exits(3);
    assert!(ran.err.contains(&format!("at byte {position}")), "{ran}");
    let ran = run("dir", &damaged.image, ["/s", "/al", "/b"]).exits(1).says(&format!("at byte {position}"));
    assert_eq!(ran.out.lines().count(), damaged.all.len() - 1);
    let ran = run("dir", &damaged.image, ["/b", r"C:\junctions"]).exits(1).says(&format!("at byte {position}"));
    assert!(ran.out.lines().any(|name| name == "dangling"), "{ran}");
}

#[test]
fn what_leads_through_a_damaged_link_is_neither_missing_nor_ok() {
    let (damaged, ()) = Damaged::new(|bytes, filled| {
        let position = record(bytes, filled.expected_link(LINK).mft);
        bytes[position..position + 4].copy_from_slice(b"ELIF");
    });
    for more in [&[][..], &["--full-scan"]] {
        let found = links(&damaged.fails(more).0);
        let of = |path: &str| state(link(&found, path));
        let through = [r"C:\symlinks\through a junction", r"C:\junctions\to a junction", r"C:\junctions\other case"];
        assert_eq!(through.map(of), ["unreachable", "unreachable", "ok"]);
    }
    let ran = run("show", &damaged.image, [r"C:\junctions\plain\deep"]).exits(3);
    assert!(!ran.err.contains("no such file"), "{ran}");
}

#[test]
fn a_record_that_was_not_written_whole_is_damaged() {
    let (damaged, position) = Damaged::new(|bytes, filled| {
        let position = record(bytes, filled.expected_link(LINK).mft);
        bytes[position + 510] ^= 0x55;
        position
    });
    for more in [&[][..], &["--full-scan"]] {
        let (document, causes) = damaged.fails(more);
        only_error(&causes, damaged.number_of(LINK), position);
        assert_same("the others", paths(&links(&document)), damaged.all_but(LINK));
    }
}

#[test]
fn on_a_partition_places_count_from_the_beginning_of_the_disk() {
    let filled = Filled::of(ANY);
    let mut bytes = filled.bytes();
    let position = record(&bytes, filled.expected_link(LINK).mft);
    bytes[position..position + 4].copy_from_slice(b"ELIF");
    let mut disk = disk::Disk::new();
    let count = disk.fill(2048, &bytes);
    disk.mbr(0, 0, 7, 2048, count);
    run("list", disk.write(), [""; 0]).exits(3).says(&format!("at byte {}: ", position + 2048 * disk::SECTOR));
}

#[test]
fn a_damaged_directory_costs_the_paths_below_it() {
    let (damaged, (number, position)) = Damaged::new(|bytes, filled| {
        let link = record(bytes, filled.expected_link(r"C:\history\changed").mft);
        // The parent, in the first FILE_NAME.
        let mut at = link + usize::from(u16::from_le_bytes([bytes[link + 0x14], bytes[link + 0x15]]));
        while bytes[at] != 0x30 {
            at += u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        }
        let value = at + usize::from(u16::from_le_bytes([bytes[at + 0x14], bytes[at + 0x15]]));
        let number = u64::from_le_bytes(bytes[value..value + 8].try_into().unwrap()) & 0xffff_ffff_ffff;
        let position = record(bytes, number);
        bytes[position..position + 4].copy_from_slice(b"ELIF");
        (number, position)
    });
    for more in [&[][..], &["--full-scan"]] {
        let (document, causes) = damaged.fails(more);
        let below = |path: &String| path.starts_with(r"C:\history\");
        let expected = damaged.all.iter().map(path).filter(|path| !below(path)).collect();
        assert_same("the others", paths(&links(&document)), expected);
        let wanted = format!("file record {number} at byte {position}: ");
        assert!(causes.iter().any(|cause| cause.starts_with(&wanted)), "{wanted}: {causes:#?}");
        // Each link that cannot be listed is told by its own record.
        let lost = damaged.filled.expected.links.iter().filter(|link| below(&link.path));
        for link in lost {
            let start = format!("file record {} at byte ", link.mft);
            assert!(causes.iter().any(|cause| cause.starts_with(&start)), "{}: {causes:#?}", link.path);
        }
    }
}

#[test]
fn without_the_first_record_its_copy_is_read() {
    let (damaged, position) = Damaged::new(|bytes, _| {
        let boot = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        let position = boot(0x30) * 4096;
        assert!(bytes[position..].starts_with(b"FILE"));
        bytes[position..position + 4].copy_from_slice(b"ELIF");
        position
    });
    let (document, causes) = damaged.fails(&[]);
    assert!(links(&document) == damaged.all);
    only_error(&causes, 0, position);
}

#[test]
fn stale_entries_of_the_index_are_counted_and_harm_nothing() {
    // A record that was given to another file, and one that is not in use.
    let changes: [fn(&mut [u8]); 2] = [|record| record[0x10] ^= 1, |record| record[0x16] &= !1];
    for (number, change) in changes.into_iter().enumerate() {
        let (damaged, ()) = Damaged::new(|bytes, filled| {
            let position = record(bytes, filled.expected_link(LINK).mft);
            change(&mut bytes[position..]);
        });
        let ran = run("list", &damaged.image, ["--json", "--stats"]).exits(0);
        assert_eq!(ran.err, "");
        let document = ran.json();
        assert_eq!((way(&document), &document["stats"][0]["stale"]), ("index", &1.into()));
        assert_same("the others", paths(&links(&document)), damaged.all_but(LINK));
        let ran = run("list", &damaged.image, ["--stats", "-0"]).exits(0).says("1 stale entries");
        assert_eq!(ran.out.matches('\0').count(), damaged.all_but(LINK).len());
        let scan = links(&list(&damaged.image, &["--full-scan"]));
        // By its own record, the first is there all the same.
        assert_eq!(paths(&scan).iter().any(|path| path == LINK), number == 0);
    }
}

/// Links lead through `C:\Real`: that its names cannot be read makes none of them broken.
#[test]
fn a_damaged_directory_makes_no_link_through_it_missing() {
    for torn in [true, false] {
        let (damaged, position) = Damaged::new(|bytes, filled| {
            let real = fs::symlink_metadata(filled.mounted().path().join("Real")).unwrap();
            let position = record(bytes, std::os::unix::fs::MetadataExt::ino(&real));
            // Not written whole; or with an index that does not add up.
            bytes[position + if torn { 1022 } else { 0x18 }] ^= 0x55;
            position
        });
        let (document, causes) = damaged.fails(&[]);
        assert!(causes.iter().any(|cause| cause.contains(&format!("at byte {position}"))), "{causes:?}");
        let (before, now) = (&damaged.all, links(&document));
        let leads = |old: &&Value| !old["resolved"].is_null() && text(&old["resolved"]).starts_with(r"C:\Real\");
        let through = before.iter().filter(leads);
        let through: Vec<String> = through.map(path).collect();
        assert!(through.len() > 10, "{through:?}");
        for link in now.iter().filter(|link| through.contains(&path(link))) {
            assert_eq!(state(link), "unreachable", "{link}");
        }
        let broken = |links: &[Value]| links.iter().filter(|link| is_broken(link)).map(path).collect::<BTreeSet<_>>();
        assert!(broken(&now).is_subset(&broken(before)), "a good link was called broken");
    }
}
