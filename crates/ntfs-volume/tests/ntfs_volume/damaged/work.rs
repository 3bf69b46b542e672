//! Sound by the letter, and made to cost hours or all memory. Each of these did, or would have: what is asserted is
//! how much was read and made.

use ntfs_volume::End;

use super::image::*;
use super::survey::sound;

fn link_to(target: &str) -> Vec<u8> {
    resident(REPARSE_POINT, "", &symlink(&wide(target)))
}

fn slices(all: &[Vec<u8>]) -> Vec<&[u8]> {
    all.iter().map(Vec::as_slice).collect()
}

#[test]
fn thousands_of_records_with_one_list_of_thousands_of_records() {
    let count = 3000;
    let mut image = Image::new(count);
    let list: Vec<u8> = (0..10_900).flat_map(|number| list_entry(NAME, number % count)).collect();
    let place = image.store(&list);
    let data = [stored(LIST, "", place, list.len()), link_to("target")].concat();
    for number in FREE..count {
        image.unlisted_link(number, ROOT, &wide(&number.to_string()), &data);
    }
    let survey = sound(&image.bytes());
    // One fault for each file, however long its list is.
    assert!(survey.scan.faults.len() < 2 * 3000, "{}", survey.scan.faults.len());
    assert!(survey.bytes < 256 << 20, "{}", survey.bytes);
}

#[test]
fn a_table_in_a_million_pieces() {
    const RUNS: u64 = 420;
    let count = 3000;
    let mut image = Image::new(count);
    let mut table = image.table_attributes();
    let pairs = [run(1, None).repeat(RUNS as usize), vec![0]].concat();
    let mut list = Vec::new();
    for (first, number) in (2 * count..).step_by(RUNS as usize).zip(FREE..count) {
        list.extend(list_entry(DATA, number));
        let piece = outside(DATA, "", Outside { first, clusters: RUNS, pairs: &pairs, ..Outside::default() });
        image.put(number, IN_USE, reference(0), &[&piece]);
    }
    let place = image.store(&list);
    table.insert(0, stored(LIST, "", place, list.len()));
    image.put(0, IN_USE, 0, &slices(&table));
    let survey = sound(&image.bytes());
    assert!(survey.bytes < 64 << 20, "{}", survey.bytes);
}

#[test]
fn links_of_16_kib_that_lead_through_each_other() {
    // `1\1\1...`, and each of them `2\2\2...`: all come back to their directory, in the end.
    let mut image = Image::new(600);
    image.directory(500, ROOT, "d");
    for n in 0..12 {
        let text = if n == 11 { wide(r"..\d") } else { wide(&format!(r"{}\", n + 1)).repeat(2000) };
        let data = symlink(&text);
        let place = image.store(&data);
        image.link(FREE + n, 500, &n.to_string(), &stored(REPARSE_POINT, "", place, data.len()));
    }
    image.block_directory(500);
    let survey = sound(&image.bytes());
    assert_eq!(survey.scan.end(r"\d\0"), Some(End::TooLong));
    assert_eq!(survey.scan.end(r"\d\11"), Some(End::Ok));
    assert!(survey.scan.hops + survey.usual.hops < 12 * 2 * 260, "{}", survey.scan.hops);
}

#[test]
fn hundreds_of_links_into_a_chain_whose_texts_are_long() {
    // What is behind the first name is never come to, and has to be kept all the same.
    let mut image = Image::new(600);
    image.directory(500, ROOT, "d");
    let place_of = |image: &mut Image, next: u64| {
        let data = symlink(&[wide(&next.to_string()), wide(r"\x").repeat(4000)].concat());
        (image.store(&data), data.len())
    };
    for n in 0..25 {
        let (place, size) = place_of(&mut image, n + 1);
        image.link(FREE + n, 500, &n.to_string(), &stored(REPARSE_POINT, "", place, size));
    }
    image.block_directory(500);
    let (place, size) = place_of(&mut image, 0);
    for number in 100..480 {
        let name = wide(&format!("l{number}"));
        image.unlisted_link(number, 500, &name, &stored(REPARSE_POINT, "", place, size));
    }
    let survey = sound(&image.bytes());
    assert!(survey.scan.hops < 3000, "{}", survey.scan.hops);
}

#[test]
fn one_piece_of_reparse_data_for_thousands_of_links_and_names() {
    let count = 3000;
    let data = symlink(&[wide(r"target\..\").repeat(800), wide("target")].concat());
    let mut image = Image::new(count);
    let place = image.store(&data);
    for number in FREE..count {
        let attribute = stored(REPARSE_POINT, "", place, data.len());
        image.unlisted_link(number, ROOT, &wide(&format!("l{number}")), &attribute);
    }
    let survey = sound(&image.bytes());
    assert!(survey.scan.links.len() * data.len() <= 64 << 20, "{}", survey.scan.links.len());

    // And one link with 20,000 names: each is given with all of its data.
    let mut image = Image::new(count);
    let place = image.store(&data);
    let mut list = Vec::new();
    for number in 100..count {
        let name = |n| resident(NAME, "", &file_name(ROOT, &wide(&format!("{number}.{n}")), 0));
        image.put(number, IN_USE, reference(FREE), &slices(&(0..7).map(name).collect::<Vec<_>>()));
        list.extend(list_entry(NAME, number));
    }
    let list_place = image.store(&list);
    let attributes = [stored(LIST, "", list_place, list.len()), stored(REPARSE_POINT, "", place, data.len())].concat();
    image.unlisted_link(FREE, ROOT, &wide("l"), &attributes);
    let survey = sound(&image.bytes());
    assert_eq!(survey.scan.links.len(), 2);
    assert!(survey.scan.faults.iter().any(|fault| fault.ends_with("more reparse data than the volume has room for")));
}

#[test]
fn a_directory_that_has_every_name_looked_for_in_a_cycle() {
    let count = 2000;
    let mut image = Image::new(count);
    let names = entry(0, &[1], None).repeat(160);
    let block = index_block(0, &[names, entry(0, &[], Some(0))].concat(), true);
    let place = image.store(&block);
    let own = resident(NAME, "", &file_name(ROOT, &wide("d"), 0));
    let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], Some(0)), true));
    let blocks = stored(INDEX_ALLOCATION, "$I30", place, block.len());
    image.put(39, IN_USE | DIRECTORY, 0, &[&own, &root, &blocks]);
    for number in FREE..count {
        let name = |n| resident(NAME, "", &file_name(39, &wide(&format!("{number}.{n}")), 0));
        let all: Vec<Vec<u8>> = (0..6).map(name).chain([link_to("x")]).collect();
        image.put(number, IN_USE | DIRECTORY, 0, &slices(&all));
        image.indexed(number);
    }
    let survey = sound(&image.bytes());
    assert_eq!(survey.scan.links.len(), 2 + 6 * 1960);
    assert_eq!(survey.scan.end(r"\d\40.0"), Some(End::Unreadable));
}

#[test]
fn directories_that_share_all_their_blocks() {
    const BLOCKS: u64 = 400;
    let count = 2000;
    let mut image = Image::new(count);
    let unit = u64::try_from(BLOCK / CLUSTER).unwrap();
    let name = |text: String| file_name(5000, &wide(&text), 0);
    let leaf = |number: u64| {
        let names = (0..30).flat_map(|n| entry(reference(33), &name(format!("{number:03}.{n}")), None));
        index_block(number * unit, &names.chain(entry(0, &[], None)).collect::<Vec<_>>(), false)
    };
    let mut blocks: Vec<u8> = (0..BLOCKS).flat_map(leaf).collect();
    for top in 0..10 {
        let names = (0..40).flat_map(|n| entry(0, &name(format!("{top}{n:02}")), Some((top * 40 + n) * unit)));
        let next = (top < 9).then_some((BLOCKS + top + 1) * unit);
        let entries: Vec<u8> = names.chain(entry(0, &[], next)).collect();
        blocks.extend(index_block((BLOCKS + top) * unit, &entries, true));
    }
    let place = image.store(&blocks);
    for number in FREE..count {
        let own = resident(NAME, "", &file_name(ROOT, &wide(&number.to_string()), 0));
        let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], Some(BLOCKS * unit)), true));
        let allocation = stored(INDEX_ALLOCATION, "$I30", place, blocks.len());
        image.put(number, IN_USE | DIRECTORY, 0, &[&own, &root, &allocation]);
    }
    let survey = sound(&image.bytes());
    assert!(survey.entries < 100 && survey.bytes < 128 << 20, "{} {}", survey.entries, survey.bytes);
}

#[test]
fn thousands_of_directories_in_each_other_with_a_link_in_each() {
    let count = 4000;
    let mut image = Image::new(count);
    for (depth, number) in (FREE..count / 2).enumerate() {
        let parent = if depth == 0 { ROOT } else { number - 1 };
        let own = resident(NAME, "", &file_name(parent, &wide("d"), 0));
        let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], None), false));
        image.put(number, IN_USE | DIRECTORY, 0, &[&own, &root]);
        image.unlisted_link(number + count / 2 - FREE, number, &wide("l"), &link_to("x"));
    }
    let survey = sound(&image.bytes());
    assert_eq!((survey.scan.links.len(), survey.scan.faults.len()), (1962, 0));
}

#[test]
fn a_long_way_down_with_long_names() {
    // Every directory is in itself once more, as `a`: each of 4,000 steps of each link has a path of its own.
    let (count, top) = (400, 100);
    let mut image = Image::new(count);
    for number in top..top + 250 {
        let parent = if number == top { ROOT } else { number - 1 };
        let own = resident(NAME, "", &file_name(parent, &[0x78; 120], 0));
        let again = entry(reference(number), &file_name(number, &wide("a"), 0x1000_0000), None);
        let root = resident(INDEX_ROOT, "$I30", &index_root(&[again, entry(0, &[], None)].concat(), false));
        image.put(number, IN_USE | DIRECTORY, 0, &[&own, &root]);
    }
    let data = symlink(&wide(r"a\").repeat(4000));
    let place = image.store(&data);
    for n in 0..50 {
        let attribute = stored(REPARSE_POINT, "", place, data.len());
        image.unlisted_link(FREE + n, top + n * 5, &wide("l"), &attribute);
    }
    let survey = sound(&image.bytes());
    assert_eq!((survey.scan.links.len(), survey.scan.faults.len()), (52, 0));
    assert!(survey.usual.units < 8 << 20, "{}", survey.usual.units);
}

#[test]
fn a_directory_in_itself_whose_short_name_becomes_a_long_one() {
    let (count, own) = (2000, 100);
    let mut image = Image::new(count);
    let mut short = file_name(own, &wide("d"), 0x1000_0000);
    // An 8.3 name beside a longer one.
    short[0x41] = 2;
    let entries = [
        entry(reference(own), &short, None),
        entry(reference(own + 1), &file_name(own, &wide("e"), 0x400), None),
        entry(0, &[], None),
    ];
    let long = resident(NAME, "", &file_name(own, &[0x78; 200], 0));
    let root = resident(INDEX_ROOT, "$I30", &index_root(&entries.concat(), false));
    image.put(own, IN_USE | DIRECTORY, 0, &[&long, &resident(NAME, "", &short), &root]);
    image.name_in(ROOT, "d", own, 0x1000_0000);
    let data = symlink(&wide(r"d\").repeat(4000));
    let place = image.store(&data);
    image.unlisted_link(own + 1, own, &wide("e"), &stored(REPARSE_POINT, "", place, data.len()));
    for number in own + 2..count {
        image.unlisted_link(number, ROOT, &wide(&format!("l{number}")), &link_to(&[r"d"; 30].join(r"\")));
    }
    let survey = sound(&image.bytes());
    assert_eq!(survey.scan.end(r"\l102"), Some(End::Ok));
    assert!(survey.scan.units + survey.usual.units < 64 << 20, "{}", survey.scan.units);
}

#[test]
fn hard_links_with_paths_that_are_longer_than_memory() {
    let (count, top) = (3000, 100);
    let mut image = Image::new(count);
    for number in top..top + 120 {
        let own = resident(NAME, "", &file_name(if number == top { ROOT } else { number - 1 }, &[0x78; 255], 0));
        let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], None), false));
        image.put(number, IN_USE | DIRECTORY, 0, &[&own, &root]);
    }
    for number in top + 120..count {
        let name = |n| resident(NAME, "", &file_name(top + 119, &wide(&format!("{number}.{n}")), 0));
        image.put(number, IN_USE, 0, &slices(&(0..8).map(name).collect::<Vec<_>>()));
    }
    let survey = sound(&image.bytes());
    assert_eq!(survey.hard.len(), 2780);
    // 22,240 paths of 30,000 units would be more than a gigabyte.
    let paths: usize = survey.hard.iter().map(|(_, paths)| paths).sum();
    assert!((1000..5000).contains(&paths), "{paths}");
    let text = "the paths of this volume are too long to be listed";
    assert!(survey.faults.iter().any(|fault| fault.ends_with(text)));
}

#[test]
fn a_file_with_thousands_of_names_met_thousands_of_times() {
    // By its 8.3 name, whose long one is looked for among all of them.
    let (count, own) = (3000, 100);
    let mut image = Image::new(count);
    let mut list = Vec::new();
    for number in own + 1..2000 {
        let name = |n| resident(NAME, "", &file_name(999, &wide(&format!("{number}.{n}")), 0));
        image.put(number, IN_USE, reference(own), &slices(&(0..8).map(name).collect::<Vec<_>>()));
        list.extend(list_entry(NAME, number));
    }
    let place = image.store(&list);
    let mut short = file_name(36, &wide("s"), 0);
    short[0x41] = 2;
    let attributes = [stored(LIST, "", place, list.len()), resident(NAME, "", &short)];
    image.put(own, IN_USE, 0, &slices(&attributes));
    let entries = [entry(reference(own), &short, None), entry(0, &[], None)].concat();
    let name = resident(NAME, "", &file_name(ROOT, &wide("d"), 0));
    let root = resident(INDEX_ROOT, "$I30", &index_root(&entries, false));
    image.put(36, IN_USE | DIRECTORY, 0, &[&name, &root]);
    for number in 2000..count {
        let name = |n| resident(NAME, "", &file_name(36, &wide(&format!("{number}.{n}")), 0));
        let all: Vec<Vec<u8>> = (0..6).map(name).chain([link_to("s")]).collect();
        image.put(number, IN_USE | DIRECTORY, 0, &slices(&all));
        image.indexed(number);
    }
    let survey = sound(&image.bytes());
    assert_eq!(survey.scan.links.len(), 2 + 6 * 1000);
    // Most of them are not followed any more.
    let followed = survey.scan.links.iter().filter(|(_, end)| *end != End::TooLong).count();
    assert!(followed < 1000, "{followed}");
}
