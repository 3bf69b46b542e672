//! NTFS volumes written byte by byte, so that every byte of them can be a lie. What is left alone is sound.

use std::collections::BTreeMap;

/// The sizes of a cluster and of an index block, in bytes.
pub(crate) const CLUSTER: usize = 512;
pub(crate) const BLOCK: usize = 4096;
/// The cluster that the master file table begins with.
pub(crate) const TABLE: u64 = 16;

pub(crate) const LIST: u32 = 0x20;
pub(crate) const NAME: u32 = 0x30;
pub(crate) const DATA: u32 = 0x80;
pub(crate) const INDEX_ROOT: u32 = 0x90;
pub(crate) const INDEX_ALLOCATION: u32 = 0xa0;
pub(crate) const BITMAP: u32 = 0xb0;
pub(crate) const REPARSE_POINT: u32 = 0xc0;

pub(crate) const ROOT: u64 = 5;
const EXTEND: u64 = 11;
pub(crate) const REPARSE: u64 = 26;
/// The first record that is free for tests.
pub(crate) const FREE: u64 = 40;

/// Flags of records and of names.
pub(crate) const IN_USE: u16 = 1;
pub(crate) const DIRECTORY: u16 = 2;
const IS_DIRECTORY: u32 = 0x1000_0000;
const IS_POINT: u32 = 0x400;

/// A record in its first use.
pub(crate) fn reference(record: u64) -> u64 {
    1 << 48 | record
}

pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn bytes_of(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

pub(crate) fn file_name(parent: u64, name: &[u16], flags: u32) -> Vec<u8> {
    let mut value = vec![0; 0x42];
    // A parent in another use than the first is written as it is.
    let parent = if parent >> 48 == 0 { reference(parent) } else { parent };
    set(&mut value, 0, &parent.to_le_bytes());
    set(&mut value, 0x38, &flags.to_le_bytes());
    value[0x40] = u8::try_from(name.len()).unwrap();
    [value, bytes_of(name)].concat()
}

/// An entry of an attribute list; a record in another use than its first is written as it is.
pub(crate) fn list_entry(kind: u32, record: u64) -> Vec<u8> {
    let mut all = vec![0; 0x18];
    set(&mut all, 0, &kind.to_le_bytes());
    all[4] = 0x18;
    let record = if record >> 48 == 0 { reference(record) } else { record };
    set(&mut all, 0x10, &record.to_le_bytes());
    all
}

/// The key of a link in `$R`.
pub(crate) fn point_key(record: u64) -> Vec<u8> {
    [&0xa000_0003_u32.to_le_bytes()[..], &reference(record).to_le_bytes()].concat()
}

fn attribute(kind: u32, name: &str, head: usize, body: &[u8]) -> Vec<u8> {
    let name = bytes_of(&wide(name));
    let body_at = (head + name.len()).next_multiple_of(8);
    let length = (body_at + body.len()).next_multiple_of(8);
    let mut all = vec![0; length];
    set(&mut all, 0, &kind.to_le_bytes());
    set(&mut all, 4, &u32::try_from(length).unwrap().to_le_bytes());
    all[9] = u8::try_from(name.len() / 2).unwrap();
    set(&mut all, 0xa, &u16::try_from(head).unwrap().to_le_bytes());
    set(&mut all, head, &name);
    set(&mut all, body_at, body);
    let place = if head == 0x18 { 0x14 } else { 0x20 };
    set(&mut all, place, &u16::try_from(body_at).unwrap().to_le_bytes());
    all
}

/// An attribute in its record.
pub(crate) fn resident(kind: u32, name: &str, value: &[u8]) -> Vec<u8> {
    let mut all = attribute(kind, name, 0x18, value);
    set(&mut all, 0x10, &u32::try_from(value.len()).unwrap().to_le_bytes());
    all
}

/// An attribute outside its record, or a piece of one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Outside<'a> {
    pub(crate) first: u64,
    pub(crate) clusters: u64,
    pub(crate) size: u64,
    pub(crate) flags: u16,
    pub(crate) pairs: &'a [u8],
}

pub(crate) fn outside(kind: u32, name: &str, of: Outside<'_>) -> Vec<u8> {
    let mut all = attribute(kind, name, 0x48, of.pairs);
    all[8] = 1;
    set(&mut all, 0xc, &of.flags.to_le_bytes());
    let last = of.first.wrapping_add(of.clusters).wrapping_sub(1);
    for (at, value) in [(0x10, of.first), (0x18, last), (0x28, of.size), (0x30, of.size), (0x38, of.size)] {
        set(&mut all, at, &value.to_le_bytes());
    }
    all
}

/// One run: so many clusters, so far behind the last run; without a place, a hole.
pub(crate) fn run(count: u64, offset: Option<i64>) -> Vec<u8> {
    fn short(value: i64) -> Vec<u8> {
        let bytes = value.to_le_bytes();
        let fits = |length: &usize| value << (64 - 8 * length) >> (64 - 8 * length) == value;
        bytes[..(1..=8).find(fits).unwrap()].to_vec()
    }
    let (count, offset) = (short(i64::try_from(count).unwrap()), offset.map_or(Vec::new(), short));
    [vec![u8::try_from(offset.len() << 4 | count.len()).unwrap()], count, offset].concat()
}

/// An attribute whose value lies in these clusters, one after the other.
pub(crate) fn stored(kind: u32, name: &str, place: (u64, u64), size: usize) -> Vec<u8> {
    let pairs = [run(place.1, Some(i64::try_from(place.0).unwrap())), vec![0]].concat();
    let size = u64::try_from(size).unwrap();
    outside(kind, name, Outside { clusters: place.1, size, pairs: &pairs, ..Outside::default() })
}

/// An entry of an index; the last of a node has no key.
pub(crate) fn entry(reference: u64, key: &[u8], child: Option<u64>) -> Vec<u8> {
    let key_end = (0x10 + key.len()).next_multiple_of(8);
    let mut all = vec![0; key_end];
    set(&mut all, 0, &reference.to_le_bytes());
    set(&mut all, 0x10, key);
    all.extend(child.map(u64::to_le_bytes).into_iter().flatten());
    let length = u16::try_from(all.len()).unwrap();
    set(&mut all, 8, &length.to_le_bytes());
    set(&mut all, 0xa, &u16::try_from(key.len()).unwrap().to_le_bytes());
    all[0xc] = u8::from(child.is_some()) | if key.is_empty() { 2 } else { 0 };
    all
}

fn node(entries: &[u8], first: usize, has_children: bool) -> Vec<u8> {
    let (first, end) = (u32::try_from(first).unwrap(), u32::try_from(first + entries.len()).unwrap());
    [first, end, end, u32::from(has_children)].into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The value of an index root.
pub(crate) fn index_root(entries: &[u8], has_children: bool) -> Vec<u8> {
    let head = [NAME, 1, u32::try_from(BLOCK).unwrap(), 8].into_iter().flat_map(u32::to_le_bytes);
    [head.collect(), node(entries, 0x10, has_children), entries.to_vec()].concat()
}

/// An index block.
pub(crate) fn index_block(number: u64, entries: &[u8], has_children: bool) -> Vec<u8> {
    let mut all = vec![0; BLOCK];
    set(&mut all, 0, b"INDX");
    set(&mut all, 4, &[0x28, 0]);
    set(&mut all, 0x10, &number.to_le_bytes());
    set(&mut all, 0x18, &node(entries, 0x28, has_children));
    set(&mut all, 0x40, entries);
    protect(&mut all);
    all
}

/// Exchanges the ends of sectors for a number.
fn protect(block: &mut [u8]) {
    let (array, sectors) = (usize::from(block[4]), block.len() / 512);
    set(block, 6, &u16::try_from(sectors + 1).unwrap().to_le_bytes());
    set(block, array, &[1, 0]);
    for sector in 1..=sectors {
        block.copy_within(sector * 512 - 2..sector * 512, array + 2 * sector);
        set(block, sector * 512 - 2, &[1, 0]);
    }
}

/// Reparse data of a symbolic link.
pub(crate) fn symlink(target: &[u16]) -> Vec<u8> {
    let length = u16::try_from(2 * target.len()).unwrap();
    let fields: Vec<u8> = [0, length, 0, length, 1, 0].into_iter().flat_map(u16::to_le_bytes).collect();
    point(0xa000_000c, &[fields, bytes_of(target)].concat())
}

/// Reparse data of a junction.
pub(crate) fn junction(target: &str) -> Vec<u8> {
    let text = bytes_of(&wide(&format!(r"\??\{target}")));
    let length = u16::try_from(text.len()).unwrap();
    let fields: Vec<u8> = [0, length, length + 2, 0].into_iter().flat_map(u16::to_le_bytes).collect();
    point(0xa000_0003, &[fields, text, vec![0; 4]].concat())
}

pub(crate) fn point(tag: u32, data: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &u16::try_from(data.len()).unwrap().to_le_bytes(), &[0, 0], data].concat()
}

/// A volume in the making.
pub(crate) struct Image {
    record: usize,
    /// How many records the table has room for.
    count: u64,
    records: BTreeMap<u64, Vec<u8>>,
    /// What is in each directory: names, with their files and flags.
    directories: BTreeMap<u64, Vec<(Vec<u16>, u64, u32)>>,
    /// Where each directory stands, and by which name.
    places: BTreeMap<u64, (u64, Vec<u16>)>,
    /// Those with a block of their own for them.
    in_blocks: Vec<u64>,
    /// The keys of `$R`.
    points: Vec<Vec<u8>>,
    content: Vec<(u64, Vec<u8>)>,
    next: u64,
}

impl Image {
    /// A volume with room for so many records, and on it `\target`, with a file in it, and two sound links: `\good`, a
    /// junction, and `\link`.
    pub(crate) fn new(count: u64) -> Self {
        Self::with_records(1024, count)
    }

    /// The same with records of another size.
    pub(crate) fn with_records(record: usize, count: u64) -> Self {
        let next = TABLE + count * u64::try_from(record / CLUSTER).unwrap();
        let mut image = Self {
            record,
            count,
            records: BTreeMap::new(),
            directories: BTreeMap::new(),
            places: BTreeMap::new(),
            in_blocks: Vec::new(),
            points: Vec::new(),
            content: Vec::new(),
            next,
        };
        image.directory(ROOT, ROOT, ".");
        image.directory(EXTEND, ROOT, "$Extend");
        image.name_in(EXTEND, "$Reparse", REPARSE, 0);
        image.directory(32, ROOT, "target");
        image.file(33, 32, "f", &[]);
        image.link(34, ROOT, "good", &resident(REPARSE_POINT, "", &junction(r"C:\target")));
        image.link(35, ROOT, "link", &resident(REPARSE_POINT, "", &symlink(&wide("target"))));
        image
    }

    /// Writes a record as it is said to be, in the place of any other.
    pub(crate) fn put(&mut self, number: u64, flags: u16, base: u64, attributes: &[&[u8]]) {
        let mut all = vec![0; self.record];
        let mut at = 0x30 + (self.record / 512 * 2 + 2).next_multiple_of(8);
        set(&mut all, 0, b"FILE");
        set(&mut all, 4, &[0x30, 0]);
        set(&mut all, 0x10, &[1, 0]);
        set(&mut all, 0x14, &u16::try_from(at).unwrap().to_le_bytes());
        set(&mut all, 0x16, &flags.to_le_bytes());
        set(&mut all, 0x20, &base.to_le_bytes());
        for attribute in attributes {
            set(&mut all, at, attribute);
            at += attribute.len();
        }
        set(&mut all, at, &u32::MAX.to_le_bytes());
        set(&mut all, 0x18, &u32::try_from(at + 8).unwrap().to_le_bytes());
        protect(&mut all);
        self.records.insert(number, all);
    }

    /// The bytes of a record, to be damaged.
    pub(crate) fn record(&mut self, number: u64) -> &mut Vec<u8> {
        self.records.get_mut(&number).unwrap()
    }

    pub(crate) fn name_in(&mut self, directory: u64, name: &str, file: u64, flags: u32) {
        self.directories.entry(directory).or_default().push((wide(name), file, flags));
    }

    pub(crate) fn directory(&mut self, number: u64, parent: u64, name: &str) {
        self.directories.entry(number).or_default();
        self.places.insert(number, (parent, wide(name)));
        if number != ROOT {
            self.name_in(parent, name, number, IS_DIRECTORY);
        }
    }

    /// Has a directory keep its names in one block, which holds some thirty.
    pub(crate) fn block_directory(&mut self, number: u64) {
        self.in_blocks.push(number);
    }

    pub(crate) fn file(&mut self, number: u64, parent: u64, name: &str, attributes: &[&[u8]]) {
        self.name_in(parent, name, number, 0);
        let own = resident(NAME, "", &file_name(parent, &wide(name), 0));
        self.put(number, IN_USE, 0, &[&[own.as_slice()], attributes].concat());
    }

    /// A link that is a directory, and so may lead to either in tests.
    pub(crate) fn link(&mut self, number: u64, parent: u64, name: &str, data: &[u8]) {
        self.name_in(parent, name, number, IS_DIRECTORY | IS_POINT);
        self.unlisted_link(number, parent, &wide(name), data);
    }

    /// One that its directory does not know.
    pub(crate) fn unlisted_link(&mut self, number: u64, parent: u64, name: &[u16], data: &[u8]) {
        let own = resident(NAME, "", &file_name(parent, name, IS_POINT));
        self.put(number, IN_USE | DIRECTORY, 0, &[&own, data]);
        self.indexed(number);
    }

    /// Has the volume's index of links name a record.
    pub(crate) fn indexed(&mut self, number: u64) {
        self.points.push(point_key(number));
    }

    /// Puts bytes into clusters of their own, and says which and how many.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> (u64, u64) {
        let count = u64::try_from(bytes.len().div_ceil(CLUSTER)).unwrap();
        self.content.push((self.next, bytes.to_vec()));
        self.next += count;
        (self.next - count, count)
    }

    /// The size of the volume in clusters.
    pub(crate) fn clusters(&self) -> u64 {
        self.next + 600
    }

    fn used(&self) -> Vec<u8> {
        let mut bits = vec![0u8; usize::try_from(self.count.div_ceil(64) * 8).unwrap()];
        for number in self.records.keys().filter(|number| **number < self.count) {
            bits[usize::try_from(number / 8).unwrap()] |= 1 << (number % 8);
        }
        bits
    }

    fn finish(&mut self) {
        for (number, mut names) in std::mem::take(&mut self.directories) {
            names.sort_by_key(|(name, ..)| String::from_utf16_lossy(name).to_ascii_uppercase());
            let entries =
                names.iter().map(|(name, file, flags)| entry(reference(*file), &file_name(number, name, *flags), None));
            let entries: Vec<u8> = entries.flatten().chain(entry(0, &[], None)).collect();
            let (parent, name) = self.places[&number].clone();
            let own = resident(NAME, "", &file_name(parent, &name, IS_DIRECTORY));
            if self.in_blocks.contains(&number) {
                let place = self.store(&index_block(0, &entries, false));
                let root = resident(INDEX_ROOT, "$I30", &index_root(&entry(0, &[], Some(0)), true));
                let block = stored(INDEX_ALLOCATION, "$I30", place, BLOCK);
                self.put(number, IN_USE | DIRECTORY, 0, &[&own, &root, &block]);
            } else if !self.records.contains_key(&number) {
                let root = resident(INDEX_ROOT, "$I30", &index_root(&entries, false));
                self.put(number, IN_USE | DIRECTORY, 0, &[&own, &root]);
            }
        }
        if !self.records.contains_key(&REPARSE) {
            self.reparse_index();
        }
        let label = resident(0x60, "", &bytes_of(&wide("label")));
        self.put(3, IN_USE, 0, &[&label]);
        if !self.records.contains_key(&6) {
            let free = vec![0x55; usize::try_from(self.clusters().div_ceil(8)).unwrap()];
            let place = self.store(&free);
            self.put(6, IN_USE, 0, &[&stored(DATA, "", place, free.len())]);
        }
        if !self.records.contains_key(&0) {
            // Its own record is in use, too.
            self.put(0, IN_USE, 0, &[]);
            let table = self.table_attributes();
            let table: Vec<&[u8]> = table.iter().map(Vec::as_slice).collect();
            self.put(0, IN_USE, 0, &table);
        }
    }

    /// What the first record says of the table and of its bitmap.
    pub(crate) fn table_attributes(&mut self) -> Vec<Vec<u8>> {
        let size = usize::try_from(self.count).unwrap() * self.record;
        let bits = self.used();
        let place = self.store(&bits);
        vec![
            stored(DATA, "", (TABLE, u64::try_from(size / CLUSTER).unwrap()), size),
            stored(BITMAP, "", place, bits.len()),
        ]
    }

    /// `$R`, with a block for every hundred links: the last of each stands in the root.
    fn reparse_index(&mut self) {
        let keys = std::mem::take(&mut self.points);
        let (mut root, mut blocks) = (Vec::new(), Vec::new());
        for (number, keys) in (0u64..).zip(keys.chunks(100)) {
            let (last, keys) = keys.split_last().unwrap();
            let number = number * u64::try_from(BLOCK / CLUSTER).unwrap();
            let entries = keys.iter().map(|key| entry(0, key, None)).chain([entry(0, &[], None)]);
            blocks.extend(index_block(number, &entries.collect::<Vec<_>>().concat(), false));
            root.extend(entry(0, last, Some(number)));
        }
        root.extend(entry(0, &[], None));
        if root.len() > 400 {
            let number = u64::try_from(blocks.len() / CLUSTER).unwrap();
            blocks.extend(index_block(number, &root, true));
            root = entry(0, &[], Some(number));
        }
        let place = self.store(&blocks);
        let allocation = stored(INDEX_ALLOCATION, "$R", place, blocks.len());
        let name = resident(NAME, "", &file_name(EXTEND, &wide("$Reparse"), 0));
        let root = resident(INDEX_ROOT, "$R", &index_root(&root, true));
        self.put(REPARSE, IN_USE, 0, &[&name, &root, &allocation]);
    }

    /// The volume as it is stored.
    pub(crate) fn bytes(mut self) -> Vec<u8> {
        self.finish();
        let mut all = vec![0; usize::try_from(self.clusters()).unwrap() * CLUSTER];
        set(&mut all, 3, b"NTFS    ");
        set(&mut all, 0x0b, &512u16.to_le_bytes());
        all[0x0d] = 1;
        set(&mut all, 0x28, &self.clusters().to_le_bytes());
        set(&mut all, 0x30, &TABLE.to_le_bytes());
        all[0x40] = u8::try_from(self.record / CLUSTER).unwrap();
        let place = |cluster: u64| usize::try_from(cluster).unwrap() * CLUSTER;
        for number in 0..self.count {
            let at = place(TABLE) + usize::try_from(number).unwrap() * self.record;
            // What was never used is marked as a record, too.
            set(&mut all, at, self.records.get(&number).map_or(b"FILE", Vec::as_slice));
        }
        for (cluster, content) in &self.content {
            set(&mut all, place(*cluster), content);
        }
        all
    }
}
