//! Everything a command does with a volume, and what must be true of it however it is damaged.

use ntfs_volume::{
    Contents, Detail, Directories, Error, Followed, ReadAt, Reader, Resolver, Steps, Volume, Way, contents,
};

/// So many records are asked for one by one: more than the base volume has.
const RECORDS: u64 = 4096;

pub(crate) fn everything(image: &[u8]) {
    let found = contents(&image);
    if let Ok(Contents::Disk(partitions)) = &found {
        // As many as a command opens at once.
        for partition in partitions.iter().filter(|partition| partition.is_ntfs).take(16) {
            open(Volume::open_between(image, partition.start, Some(partition.length)));
        }
    }
    told(found.as_ref().err());
    open(Volume::open(image));
}

/// An error says something. Where that is may be beyond the end: the volume claims to have something there.
fn told<'e>(errors: impl IntoIterator<Item = &'e Error>) {
    for error in errors {
        assert!(!error.to_string().is_empty());
    }
}

fn open<S: ReadAt>(opened: Result<Volume<S>, Error>) {
    let volume = match &opened {
        Ok(volume) => volume,
        Err(error) => return told([error]),
    };
    told(volume.faults());
    told(volume.free().as_ref().err());
    told(volume.label().as_ref().err());
    for way in [None, Some(Way::Index), Some(Way::Scan)] {
        links(volume, way);
    }
    hard_links(volume);
    one_by_one(volume);
}

fn links<S: ReadAt>(volume: &Volume<S>, way: Option<Way>) {
    let mut reader = Reader::new(volume);
    let found = reader.reparse_points(way);
    let mut directories = Directories::default();
    directories.load(&mut reader, found.points.iter().flat_map(|point| &point.names));
    let all = found.points.iter().map(|point| point.names.len()).sum();
    let mut kept = Vec::new();
    // What a command asks for either way; a second way of finding the same links need not lead anywhere else.
    let detail = match way {
        None => Some(Detail::Everything),
        Some(Way::Scan) => Some(Detail::End),
        Some(Way::Index) => None,
    };
    let mut steps = Steps::for_links(all);
    for point in &found.points {
        for name in &point.names {
            assert!(!name.name.is_empty(), "{point:?}");
            match directories.path(volume, point.reference, name.parent, &name.name) {
                Ok(path) => kept.push(path),
                Err(error) => {
                    told([&error]);
                    continue;
                }
            }
            if let Some(detail) = detail {
                let mut resolver = Resolver::new(&mut reader, &mut directories, Some('C'), detail);
                makes_sense(&resolver.follow(point, name, &mut steps));
            }
        }
    }
    told(&reader.take_faults());
}

fn makes_sense(followed: &Followed) {
    assert!(followed.resolved.is_some() == followed.reached.is_some(), "{followed:?}");
    assert!(followed.resolved.is_some() || followed.reason.is_some(), "{followed:?}");
    assert!(followed.hops.len() <= 257, "{}", followed.hops.len());
}

fn hard_links<S: ReadAt>(volume: &Volume<S>) {
    let mut reader = Reader::new(volume);
    let (found, mut directories) = reader.hard_links();
    let mut kept = Vec::new();
    for file in found.files() {
        assert!(file.links() > 1, "{:?}", file.reference);
        for (parent, name) in file.names() {
            match directories.path(volume, file.reference, parent, name) {
                Ok(path) => kept.push(path),
                Err(error) => told([&error]),
            }
        }
    }
    told(&reader.take_faults());
}

/// Directories listed, names looked up in them, files asked for.
fn one_by_one<S: ReadAt>(volume: &Volume<S>) {
    let mut reader = Reader::new(volume);
    let mut directories = Directories::default();
    for record in (0..volume.records().min(RECORDS)).chain([u64::MAX, u64::MAX >> 16]) {
        match reader.facts(record) {
            Ok(facts) => assert!(!facts.names.is_empty(), "{facts:?}"),
            Err(error) => told([&error]),
        }
        match reader.entries(record) {
            Ok(entries) => {
                for entry in entries.into_iter().flatten().take(16) {
                    told(reader.look_up(record, &entry.name).as_ref().err());
                }
            }
            Err(error) => told([&error]),
        }
    }
    for path in ["", r"real\DEEP\f", r"junctions\plain\deep\f", r"loops\a\x", r"chain\1\..\f", r"..\Real"] {
        let names = path.split('\\').filter(|name| !name.is_empty()).map(|name| name.encode_utf16().collect());
        let mut resolver = Resolver::new(&mut reader, &mut directories, Some('C'), Detail::Everything);
        if let Err(failed) = resolver.find(names) {
            makes_sense(&failed);
        }
    }
    told(&reader.take_faults());
}
