//! Everything that commands do with a volume, and what came of it.

use ntfs_volume::{
    Detail, Directories, End, Error, NameIn, ReadAt, Reader, ReparsePoint, Resolver, Steps, Volume, Way,
};

/// What one way of looking for links finds.
pub(crate) struct Found {
    /// The paths of the links, in order, each with how it ends.
    pub(crate) links: Vec<(String, End)>,
    /// How many links were passed on the way, all in all.
    pub(crate) hops: usize,
    /// How long the paths are that came of following them, in units.
    pub(crate) units: usize,
    /// What is wrong, as people read it.
    pub(crate) faults: Vec<String>,
    pub(crate) way: Way,
}

impl Found {
    /// How a link ends. `None` for one that was not found.
    pub(crate) fn end(&self, path: &str) -> Option<End> {
        self.links.iter().find(|(found, _)| found == path).map(|(_, end)| *end)
    }
}

/// What commands find on a volume.
pub(crate) struct Survey {
    pub(crate) scan: Found,
    pub(crate) index: Found,
    /// What is found where nobody says how to look.
    pub(crate) usual: Found,
    /// Files with several names: their records, and how many of their names have paths.
    pub(crate) hard: Vec<(u64, usize)>,
    /// What is wrong with records and directories that are asked for one by one.
    pub(crate) faults: Vec<String>,
    /// Names in all directories.
    pub(crate) entries: usize,
    /// Bytes read of the image, for all of it.
    pub(crate) bytes: u64,
}

/// Asks for everything.
pub(crate) fn survey(image: &[u8]) -> Result<Survey, Error> {
    let volume = Volume::open(image)?;
    let scan = links(&volume, Some(Way::Scan), Detail::End);
    let index = links(&volume, Some(Way::Index), Detail::End);
    let usual = links(&volume, None, Detail::Everything);
    let mut faults: Vec<String> = volume.faults().iter().map(Error::to_string).collect();
    faults.extend(volume.free().err().map(|error| error.to_string()));
    faults.extend(volume.label().err().map(|error| error.to_string()));
    let hard = hard_links(&volume, &mut faults);
    let mut reader = Reader::new(&volume);
    let mut entries = 0;
    // More than any of the volumes has.
    for record in 0..volume.records().min(20_000) {
        faults.extend(reader.facts(record).err().map(|error| error.to_string()));
        match reader.entries(record) {
            Ok(found) => entries += found.map_or(0, |found| found.len()),
            Err(error) => faults.push(error.to_string()),
        }
        reader.look_up(record, &[0x66]).err().into_iter().for_each(|error| faults.push(error.to_string()));
    }
    faults.extend(reader.take_faults().iter().map(Error::to_string));
    Ok(Survey { scan, index, usual, hard, faults, entries, bytes: volume.reads().bytes })
}

fn links<S: ReadAt>(volume: &Volume<S>, way: Option<Way>, detail: Detail) -> Found {
    let mut reader = Reader::new(volume);
    let points = reader.reparse_points(way);
    let mut directories = Directories::default();
    directories.load(&mut reader, points.points.iter().flat_map(|point| &point.names));
    let names = |point: &ReparsePoint| point.names.len();
    let mut steps = Steps::for_links(points.points.iter().map(names).sum());
    let mut found = Found { links: Vec::new(), hops: 0, units: 0, faults: Vec::new(), way: points.way };
    for point in &points.points {
        for name @ NameIn { parent, name: text } in &point.names {
            match directories.path(volume, point.reference, *parent, text) {
                Ok(path) => {
                    let mut resolver = Resolver::new(&mut reader, &mut directories, Some('C'), detail);
                    let followed = resolver.follow(point, name, &mut steps);
                    found.hops += followed.hops.len();
                    let paths = followed.hops.iter().map(|hop| &hop.path).chain(&followed.passed);
                    found.units += paths.chain(&followed.resolved).map(Vec::len).sum::<usize>();
                    found.links.push((String::from_utf16_lossy(&path), followed.end));
                }
                Err(error) => found.faults.push(error.to_string()),
            }
        }
    }
    found.links.sort_by(|a, b| a.0.cmp(&b.0));
    found.faults.extend(reader.take_faults().iter().map(Error::to_string));
    found
}

fn hard_links<S: ReadAt>(volume: &Volume<S>, faults: &mut Vec<String>) -> Vec<(u64, usize)> {
    let mut reader = Reader::new(volume);
    let (found, mut directories) = reader.hard_links();
    let mut groups = Vec::new();
    for file in found.files() {
        let mut paths = 0;
        for (parent, name) in file.names() {
            match directories.path(volume, file.reference, parent, name) {
                Ok(_) => paths += 1,
                Err(error) => faults.push(error.to_string()),
            }
        }
        groups.push((file.reference.record(), paths));
    }
    faults.extend(reader.take_faults().iter().map(Error::to_string));
    groups
}

/// The links that are on every volume are found, whatever else is on it.
#[track_caller]
pub(crate) fn sound(image: &[u8]) -> Survey {
    let survey = survey(image).unwrap();
    for found in [&survey.scan, &survey.index, &survey.usual] {
        assert_eq!(found.end(r"\good"), Some(End::Ok), "{:?} {:?}", found.way, found.faults);
        assert_eq!(found.end(r"\link"), Some(End::Ok), "{:?} {:?}", found.way, found.faults);
    }
    survey
}
