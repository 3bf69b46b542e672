//! One structure that makes no sense: it is told, with its record and its place, and everything else is found.

use ntfs_volume::{End, ErrorKind, Volume, Way};

use super::image::*;
use super::survey::{Found, Survey, sound, survey};

/// The record that is damaged, and where it lies.
const BAD: u64 = FREE;
const AT: u64 = TABLE * CLUSTER as u64 + BAD * 1024;

fn link_to(target: &str) -> Vec<u8> {
    resident(REPARSE_POINT, "", &symlink(&wide(target)))
}

/// A volume on which one link is made as `data` says.
fn with_link(data: &[u8]) -> Image {
    let mut image = Image::new(64);
    image.link(BAD, ROOT, "bad", data);
    image
}

/// Both ways of looking tell this of the damaged record.
#[track_caller]
fn told(survey: &Survey, text: &str) {
    let expected = format!("file record {BAD} at byte {AT}: {text}");
    for found in [&survey.scan, &survey.index] {
        assert!(found.faults.contains(&expected), "{:?}: {expected}: {:?}", found.way, found.faults);
        assert_eq!(found.end(r"\bad"), None);
    }
}

#[test]
fn a_volume_written_by_hand_is_sound() {
    let survey = sound(&with_link(&link_to("target")).bytes());
    for found in [&survey.scan, &survey.index, &survey.usual] {
        assert_eq!((found.links.len(), &found.faults), (3, &vec![]));
    }
    // The names in the root but for `$Extend`, and those in `target` and in `$Extend`.
    assert_eq!((survey.hard, survey.entries), (vec![], 6));
    let unused = |fault: &String| fault.ends_with("not in use") || fault.ends_with("a file without a name");
    assert!(survey.faults.iter().all(unused), "{:?}", survey.faults);
}

#[test]
fn records_that_were_not_written_whole_or_run_over() {
    type Damage = fn(&mut [u8]);
    let first = 0x38;
    assert_eq!(with_link(&link_to("x")).record(BAD)[first..first + 4], 0x30u32.to_le_bytes());
    let damages: [(Damage, &str); 11] = [
        (|record| record[510] = 7, "not written whole (its fixups do not match)"),
        (|record| record[4] = 0x31, "fixups outside their block"),
        (|record| record[4..6].fill(0xfe), "fixups outside their block"),
        (|record| record[6] = 2, "fixups outside their block"),
        (|record| record[..4].copy_from_slice(b"BAAD"), "marked as bad by a driver that could not write it"),
        (|record| record[..4].fill(0), "no file record where one should be"),
        (|record| record[0x3c..0x40].fill(0), "attributes that run out of their record"),
        (|record| record[0x3c..0x40].fill(0xff), "attributes that run out of their record"),
        (|record| record[0x14..0x16].fill(0xff), "attributes that run out of their record"),
        (|record| record[0x18..0x1c].fill(0), "attributes that run out of their record"),
        (|record| record[0x48..0x4c].fill(0xff), "an attribute whose parts lie outside it"),
    ];
    for (damage, text) in damages {
        let mut image = with_link(&link_to("target"));
        damage(image.record(BAD));
        told(&sound(&image.bytes()), text);
    }
}

#[test]
fn names_that_are_none_to_windows_are_given_as_they_are() {
    let names = ["a/b", "..", ".", "a\0b", "a\\b", " ", "C:", "\u{202e}x"].map(wide);
    for name in names.into_iter().chain([vec![0xd800], vec![0xdc00, 0xd800, 0x61], vec![0x78; 255]]) {
        let mut image = Image::new(64);
        image.unlisted_link(BAD, ROOT, &name, &link_to("target"));
        let survey = sound(&image.bytes());
        let path = format!("\\{}", String::from_utf16_lossy(&name));
        for found in [survey.scan, survey.index, survey.usual] {
            assert_eq!((found.end(&path), &found.faults), (Some(End::Ok), &vec![]), "{path:?}");
        }
    }
    let mut image = Image::new(64);
    image.unlisted_link(BAD, ROOT, &[], &link_to("target"));
    told(&sound(&image.bytes()), "a name that runs out of its attribute");
}

#[test]
fn directories_in_themselves() {
    // In itself; in each other; in a file; in a record that is not there; in one that was another directory.
    for (parents, gone) in [([41, 42], 41), ([42, 41], 42), ([33, 41], 33), ([9999, 41], 9999)] {
        let mut image = Image::new(64);
        for (number, parent) in [41, 42].into_iter().zip(parents) {
            let name = resident(NAME, "", &file_name(parent, &wide("d"), 0));
            let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], None), false));
            image.put(number, IN_USE | DIRECTORY, 0, &[&name, &root]);
        }
        image.unlisted_link(BAD, 41, &wide("bad"), &link_to("target"));
        let survey = sound(&image.bytes());
        told(&survey, "the directory of its name is not there");
        assert!(survey.scan.links.len() == 2, "{gone}: {:?}", survey.scan.links);
    }
    let mut image = Image::new(64);
    image.unlisted_link(BAD, 32 | 7 << 48, &wide("bad"), &link_to("target"));
    told(&sound(&image.bytes()), "the directory of its name is not there");
}

/// Reparse data outside its record, in two clusters and a bit.
fn outside_data(change: impl FnOnce(&mut Outside<'_>)) -> Image {
    let mut image = Image::new(64);
    let data = symlink(&[wide("target"), wide(r"\.").repeat(300)].concat());
    let (place, clusters) = image.store(&data);
    let pairs = [run(clusters, Some(i64::try_from(place).unwrap())), vec![0]].concat();
    let size = u64::try_from(data.len()).unwrap();
    let mut of = Outside { clusters, size, pairs: &pairs, ..Outside::default() };
    change(&mut of);
    image.link(BAD, ROOT, "bad", &outside(REPARSE_POINT, "", of));
    image
}

#[test]
fn runs_that_lead_nowhere() {
    let sound_one = sound(&outside_data(|_| {}).bytes());
    assert_eq!(sound_one.scan.end(r"\bad"), Some(End::Ok), "{:?}", sound_one.scan.faults);
    type Change = fn(&mut Outside<'_>);
    let changes: [(Change, &str); 12] = [
        (|of| of.pairs = &[0x11, 3, 9, 0x11, 1, 5, 0x11, 1], "runs that do not end"),
        (|of| of.pairs = &[0x10, 3, 0], "a run without a length"),
        (|of| of.pairs = &[0x11, 0x80, 9, 0], "a run without a length"),
        (|of| of.pairs = &[0x11, 3, 0x80, 0], "a run outside the volume"),
        (|of| of.pairs = &[0x31, 3, 0xff, 0xff, 0x7f, 0], "a run outside the volume"),
        (|of| of.pairs = &[0x14, 0xff, 0xff, 0xff, 0x7f, 1, 0], "a run outside the volume"),
        (|of| of.pairs = &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0], "runs longer than any volume"),
        (|of| of.clusters += 1, "runs of another length than their attribute"),
        (|of| of.first = 5, "an attribute without its beginning"),
        (|of| of.flags = 1, "compressed or encrypted where nothing is"),
        (|of| of.flags = 0x4000, "compressed or encrypted where nothing is"),
        (|of| of.size = 1 << 60, "an attribute that is too long"),
    ];
    for (change, text) in changes {
        told(&sound(&outside_data(change).bytes()), text);
    }
    // Three clusters said to be all of 16 KiB; a hole of them, which holds nothing.
    for hole in [false, true] {
        let image = outside_data(|of| {
            (of.size, of.flags) = (16 << 10, 0x8000);
            if hole {
                of.pairs = &[1, 3, 0];
            }
        });
        told(&sound(&image.bytes()), "an attribute longer than its clusters");
    }
    // Data that ends in its first bytes is a link, and a broken one.
    let survey = sound(&outside_data(|of| of.size = 9).bytes());
    assert_eq!(survey.scan.end(r"\bad"), Some(End::Missing), "{:?}", survey.scan.faults);
}

#[test]
fn attribute_lists() {
    let with_list = |list: &[u8], records: &[u64]| {
        let mut image = Image::new(64);
        image.link(BAD, ROOT, "bad", &[resident(LIST, "", list), link_to("target")].concat());
        for record in records {
            image.put(*record, IN_USE, reference(BAD), &[&resident(DATA, "", b"x")]);
        }
        image.bytes()
    };
    let entries = |numbers: &[u64]| numbers.iter().flat_map(|n| list_entry(DATA, *n)).collect::<Vec<u8>>();
    // Itself, again and again; and one that is its own.
    let survey = sound(&with_list(&entries(&[BAD, BAD, 50, BAD, 50]), &[50]));
    assert_eq!((survey.scan.end(r"\bad"), &survey.scan.faults), (Some(End::Ok), &vec![]));
    // Records of others, unused ones, none: the rest of the link is there.
    for (record, text) in [
        (33, "no extension of the record that names it"),
        (60, "no extension of the record that names it"),
        (BAD + 1, "no extension of the record that names it"),
        (1 << 40, "an extension record that cannot be read"),
    ] {
        let survey = sound(&with_list(&entries(&[50, record, 50]), &[50]));
        assert_eq!(survey.scan.end(r"\bad"), Some(End::Ok), "{:?}", survey.scan.faults);
        let start = format!("file record {record} at byte ");
        assert!(survey.scan.faults.iter().any(|fault| fault.starts_with(&start) && fault.ends_with(text)));
    }
    for list in [vec![0x30], [entries(&[50]), vec![0; 0x18]].concat(), [0x30, 0, 0, 0, 0x17].repeat(9)] {
        told(&sound(&with_list(&list, &[])), "a list of attributes that runs out");
    }
    // One byte more than Windows takes.
    let mut image = Image::new(64);
    let list = vec![0; (256 << 10) + 1];
    let place = image.store(&list);
    image.link(BAD, ROOT, "bad", &[stored(LIST, "", place, list.len()), link_to("target")].concat());
    told(&sound(&image.bytes()), "a list of attributes that is too long");
}

/// `$R` with these entries in its root and in its blocks, whose numbers are multiples of 8.
fn reparse_index(root: &[u8], blocks: &[Vec<u8>]) -> Survey {
    let mut image = with_link(&link_to("target"));
    let place = image.store(&blocks.concat());
    let allocation = stored(INDEX_ALLOCATION, "$R", place, blocks.concat().len());
    let name = resident(NAME, "", &file_name(11, &wide("$Reparse"), 0));
    image.put(REPARSE, IN_USE, 0, &[&name, &resident(INDEX_ROOT, "$R", &index_root(root, true)), &allocation]);
    survey(&image.bytes()).unwrap()
}

#[test]
fn indexes_that_come_back_to_themselves() {
    let key = |record| point_key(record);
    let end = |child| entry(0, &[], child);
    let leaf = |number, record| index_block(number, &[entry(0, &key(record), None), end(None)].concat(), false);
    let inner = |number, child| index_block(number, &[entry(0, &key(34), Some(child)), end(None)].concat(), true);
    let comes_back = "an index that comes back to one of its blocks";
    let cases = [
        // To itself, and to each other.
        (end(Some(0)), vec![inner(0, 0)], comes_back),
        (end(Some(0)), vec![inner(0, 8), inner(8, 0)], comes_back),
        // One block by two ways.
        ([entry(0, &key(34), Some(0)), end(Some(0))].concat(), vec![leaf(0, 35)], comes_back),
        // Blocks that are not there, or others.
        ([entry(0, &key(34), Some(8)), end(None)].concat(), vec![leaf(0, 35)], "a block outside its index"),
        (end(Some(u64::MAX)), vec![leaf(0, 35)], "a block outside its index"),
        (end(Some(0)), vec![leaf(8, 34)], "an index block in the place of another"),
        (end(Some(0)), vec![vec![0; BLOCK]], "no index block where one should be"),
        (end(Some(0)), vec![index_block(0, &[], true)], "an index with an entry that runs out of it"),
        (vec![0; 64], vec![leaf(0, 35)], "an index with an entry that runs out of it"),
        (entry(0, &[1, 2], None), vec![leaf(0, 35)], "an index with an entry that runs out of it"),
    ];
    for (root, blocks, text) in cases {
        let survey = reparse_index(&root, &blocks);
        let told = |found: &Found| found.faults.iter().any(|fault| fault.ends_with(text));
        assert!(told(&survey.index) && told(&survey.usual), "{text}: {:?}", survey.index.faults);
        // Where the index is damaged, every record is read.
        assert_eq!((survey.usual.way, survey.usual.links.len()), (Way::Scan, 3), "{text}");
        assert_eq!(survey.scan.links, survey.usual.links);
    }
}

#[test]
fn directories_whose_blocks_come_back_or_are_those_of_others() {
    for (block, text) in [
        (index_block(0, &entry(0, &[], Some(0)), true), "an index that comes back to one of its blocks"),
        (
            index_block(0, &[entry(0, &file_name(32, &wide("f"), 0), None), entry(0, &[], None)].concat(), false),
            "an index with a name of another directory",
        ),
    ] {
        let mut image = Image::new(64);
        let place = image.store(&block);
        let name = resident(NAME, "", &file_name(ROOT, &wide("d"), 0));
        let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], Some(0)), true));
        let blocks = stored(INDEX_ALLOCATION, "$I30", place, BLOCK);
        image.put(41, IN_USE | DIRECTORY, 0, &[&name, &root, &blocks]);
        image.name_in(ROOT, "d", 41, 0x1000_0000);
        image.link(BAD, ROOT, "bad", &link_to(r"d\f"));
        let survey = sound(&image.bytes());
        assert_eq!(survey.scan.end(r"\bad"), Some(End::Unreadable), "{text}");
        let told = |fault: &String| fault.starts_with("file record 41 at byte ") && fault.ends_with(text);
        assert!(survey.faults.iter().filter(|fault| told(fault)).count() >= 2, "{text}: {:?}", survey.faults);
    }
}

/// A volume whose table is said to lie in these clusters, and that is said to have so many.
fn with_table(pairs: &[u8], clusters: u64, size: u64, volume: u64) -> Vec<u8> {
    let mut image = with_link(&link_to("target"));
    let bitmap = image.table_attributes().pop().unwrap();
    let table = outside(DATA, "", Outside { clusters, size, pairs, ..Outside::default() });
    image.put(0, IN_USE, 0, &[&table, &bitmap]);
    let mut image = image.bytes();
    image[0x28..0x30].copy_from_slice(&volume.to_le_bytes());
    image
}

#[test]
fn a_table_that_is_said_to_be_longer_than_the_image() {
    const ROOM: u64 = 128;
    const HUGE: u64 = 1 << 40;
    let first = run(ROOM, Some(16));
    for (rest, more) in [
        (run(HUGE, Some(200)), HUGE),
        (run(HUGE, Some(-16)), HUGE),
        (run(HUGE, None), HUGE),
        // The same clusters again and again.
        (run(ROOM, Some(0)).repeat(200), ROOM * 200),
    ] {
        let pairs = [first.as_slice(), &rest, &[0]].concat();
        let image = with_table(&pairs, ROOM + more, (ROOM + more) * 512, 1 << 44);
        let survey = sound(&image);
        assert_eq!(survey.scan.end(r"\bad"), Some(End::Ok), "{rest:x?}");
        assert!(survey.bytes < 64 << 20, "{rest:x?}: {} bytes read", survey.bytes);
        let text = "file record 0 at byte 8192: a part of the master file table cannot be found";
        assert!(survey.faults.iter().any(|fault| fault == text), "{:?}", survey.faults);
    }
    // No record of it is there.
    for (pairs, clusters) in [(run(ROOM, None), ROOM), (run(ROOM, Some(1 << 30)), ROOM), (vec![], 0)] {
        let pairs = [pairs.as_slice(), &[0]].concat();
        let error = survey(&with_table(&pairs, clusters, clusters * 512, 1 << 44)).err().unwrap();
        assert_eq!(error.to_string(), "file record 0 at byte 8192: no master file table");
        assert_eq!((error.kind(), error.record(), error.position()), (ErrorKind::Damaged, Some(0), 8192));
    }
}

#[test]
fn bitmaps_that_are_said_to_be_endless() {
    let mut image = with_link(&link_to("target"));
    let mut table = image.table_attributes();
    let size = 1 << 60;
    let pairs = [run(1 << 50, None), vec![0]].concat();
    let endless = Outside { clusters: 1 << 50, size, flags: 0x8000, pairs: &pairs, ..Outside::default() };
    table[1] = outside(BITMAP, "", endless);
    image.put(0, IN_USE, 0, &[&table[0], &table[1]]);
    image.put(6, IN_USE, 0, &[&outside(DATA, "", endless)]);
    let survey = sound(&image.bytes());
    for (record, at) in [(0, 8192), (6, 8192 + 6 * 1024)] {
        let told = format!("file record {record} at byte {at}: an attribute longer than its clusters");
        assert!(survey.faults.contains(&told), "{told}: {:?}", survey.faults);
    }
}

#[test]
fn any_byte_of_the_boot_sector() {
    let image = with_link(&link_to("target")).bytes();
    let mut opened = 0;
    for at in 0x0b..0x50 {
        for value in [0, 1, 0x7f, 0x80, 0xf8] {
            let mut bad = image.clone();
            bad[at] = value;
            match survey(&bad) {
                Ok(survey) => {
                    opened += 1;
                    assert!(survey.bytes < 16 << 20, "{at} {value}");
                }
                Err(error) => assert!(error.position() <= 1 << 60, "{at} {value}: {error}"),
            }
        }
    }
    assert!(opened > 150, "{opened}");
    assert_eq!(Volume::open(&image[..100]).err().unwrap().kind(), ErrorKind::Damaged);
}

#[test]
fn extension_records_whose_use_numbers_rise_otherwise_than_their_numbers_are_found() {
    // As on a volume that was full once: neighbours, so that they are read together.
    for uses in [[9, 1, 5], [1, 2, 3], [300, 200, 100]] {
        let mut image = Image::new(64);
        let list: Vec<u8> = (41u64..)
            .zip(uses)
            .flat_map(|(number, times)| {
                list_entry(if number == 42 { REPARSE_POINT } else { DATA }, times << 48 | number)
            })
            .collect();
        image.link(BAD, ROOT, "bad", &resident(LIST, "", &list));
        for (number, times) in (41u64..).zip(uses) {
            let held = if number == 42 { link_to("target") } else { resident(DATA, "x", &[0; 8]) };
            image.put(number, IN_USE, reference(BAD), &[&held]);
            image.record(number)[0x10..0x12].copy_from_slice(&u16::try_from(times).unwrap().to_le_bytes());
        }
        let survey = sound(&image.bytes());
        for found in [&survey.scan, &survey.index, &survey.usual] {
            assert_eq!((found.end(r"\bad"), &found.faults), (Some(End::Ok), &vec![]), "{uses:?} {:?}", found.way);
        }
    }
}
