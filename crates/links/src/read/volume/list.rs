//! Every link of a volume, filtered as a scan of directories filters.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ntfs_volume::{Detail, Directories, Followed, Reader, Reference, Resolver, Steps};
use reparse::WideString;

use super::{Volume, state};
use crate::error::{Error, Result};
use crate::model::{Attributes, Link, ReparsePoint, State, Target};
use crate::platform::{VolumeFile, from_wide};
use crate::read::chain::Chain;
use crate::read::scan::{Details, Filter, Found, HardLinks};

/// What to look for on a volume.
#[derive(Clone, Debug, Default)]
pub struct VolumeScan {
    /// Which links to give. Default: all reparse points.
    pub filter: Filter,
    /// Directories to which the search is confined. Default: none, the whole volume.
    pub roots: Vec<PathBuf>,
    /// Gives only links that lead to this path on the volume, or below it, at any hop.
    pub points_to: Option<PathBuf>,
    /// How many directories deep to look: 1 is what is in the root itself. Default: no limit.
    pub max_depth: Option<usize>,
    /// What to find out about each link. Default: all but [`Link::resolved`].
    pub details: Details,
    /// Reads every file record, instead of trusting the volume's own index of links. Default: no.
    pub full: bool,
}

/// How a volume was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// By `$Extend\$Reparse`, the volume's own index of reparse points.
    Index,
    /// By every file record.
    Scan,
}

impl Way {
    /// The stable name used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Scan => "scan",
        }
    }
}

/// What reading a volume took.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VolumeStats {
    /// How links were found.
    pub way: Way,
    /// Bytes read from the source.
    pub bytes: u64,
    /// Reads from the source.
    pub reads: u64,
    /// File records looked at.
    pub records: u64,
    /// Entries of the index that mean nothing any more.
    pub stale: u64,
    /// The size of the index in bytes.
    pub index_bytes: u64,
    /// Records of links.
    pub link_records: u64,
    /// Records of the directories above them.
    pub parent_records: u64,
    /// The size of a file record in bytes.
    pub record_size: u64,
    /// The size of the master file table in bytes.
    pub mft_bytes: u64,
    /// The time it took.
    pub time: Duration,
}

/// What was found on a volume.
#[non_exhaustive]
pub struct VolumeList {
    /// The links, by their paths.
    pub found: Vec<Found>,
    /// What could not be read; the rest is listed all the same.
    pub errors: Vec<Error>,
    /// What it took.
    pub stats: VolumeStats,
    /// The way of each link that is in [`Self::found`], in the same order. Empty unless chains were asked for.
    pub chains: Vec<Chain>,
}

/// The directories, by their paths from the volume's root, that what is wanted is confined to.
struct Bounds {
    roots: Vec<Vec<u16>>,
    points_to: Option<Vec<u16>>,
    max_depth: Option<usize>,
}

impl Bounds {
    fn include(&self, path: &[u16]) -> bool {
        if self.roots.is_empty() && self.max_depth.is_none() {
            return true;
        }
        let inside = self.roots.iter().filter_map(|root| depth_below(path, root));
        let level = if self.roots.is_empty() { depth_below(path, &[BACKSLASH]) } else { inside.min() };
        level.is_some_and(|level| self.max_depth.is_none_or(|most| level <= most))
    }
}

impl Volume {
    /// Every link of the volume, in time that grows with the number of links, not of files.
    ///
    /// # Errors
    /// A path to which the search is confined is not on the volume. What is damaged costs itself alone: see
    /// [`VolumeList::errors`].
    pub fn list(&self, scan: &VolumeScan) -> Result<VolumeList> {
        self.list_with(scan, false)
    }

    /// As [`Volume::list`], and the way of each link hop by hop. Hard links, which lead nowhere, are not given.
    ///
    /// # Errors
    /// As [`Volume::list`].
    pub fn list_chains(&self, scan: &VolumeScan) -> Result<VolumeList> {
        self.list_with(scan, true)
    }

    fn list_with(&self, scan: &VolumeScan, with_chains: bool) -> Result<VolumeList> {
        let (start, before) = (Instant::now(), self.volume.reads());
        let mut reader = Reader::new(&self.volume);
        let bounds = self.bounds(scan, &mut reader)?;
        let mut pass = Pass { volume: self, scan, bounds, faults: Vec::new() };
        let mut stats = VolumeStats {
            way: Way::Scan,
            bytes: 0,
            reads: 0,
            records: 0,
            stale: 0,
            index_bytes: 0,
            link_records: 0,
            parent_records: 0,
            record_size: self.volume.record_size(),
            mft_bytes: self.volume.table_size(),
            time: Duration::ZERO,
        };
        let (mut found, mut chains) = (Vec::new(), Vec::new());
        if scan.filter.wants_links() {
            found = pass.links(&mut reader, with_chains.then_some(&mut chains), &mut stats);
        }
        let hard = scan.filter.wants_hard_links() || scan.points_to.is_some() && scan.filter.kinds.is_empty();
        if hard && !with_chains {
            let mut groups = pass.hard_links(&mut reader);
            groups.sort_unstable_by(|a, b| in_order(first(a), first(b)));
            stats.records = stats.records.saturating_add(self.volume.records());
            found.extend(groups.into_iter().map(Found::HardLinks));
        }
        if !chains.is_empty() {
            let mut pairs: Vec<(Found, Chain)> = found.into_iter().zip(chains).collect();
            pairs.sort_by(|a, b| in_order(first_path(&a.0), first_path(&b.0)));
            (found, chains) = pairs.into_iter().unzip();
        } else if scan.filter.wants_links() {
            found.sort_by(|a, b| in_order(first_path(a), first_path(b)));
        }
        let mut faults = reader.take_faults();
        faults.extend(pass.faults);
        let mut errors: Vec<Error> = self.volume.faults().iter().map(|fault| self.error(fault)).collect();
        errors.extend(self.errors(faults));
        let reads = self.volume.reads();
        // What opening it took counts for whoever asks first.
        let before = if before.reads > OPENING { before } else { ntfs_volume::Reads::default() };
        stats.bytes = reads.bytes - before.bytes;
        stats.reads = reads.reads - before.reads;
        stats.time = start.elapsed();
        Ok(VolumeList { found, errors, stats, chains })
    }

    fn bounds(&self, scan: &VolumeScan, reader: &mut Reader<'_, VolumeFile>) -> Result<Bounds> {
        let mut roots = Vec::new();
        for root in &scan.roots {
            let (path, _) = self.find(reader, root)?;
            roots.push(path);
        }
        let points_to = match &scan.points_to {
            Some(path) => Some(self.nearest(reader, path)?),
            None => None,
        };
        Ok(Bounds { roots, points_to, max_depth: scan.max_depth })
    }

    /// A path on the volume that need not exist: as it is where it does, and behind that as typed.
    fn nearest(&self, reader: &mut Reader<'_, VolumeFile>, path: &Path) -> Result<Vec<u16>> {
        let names = self.names(path)?;
        let mut directories = Directories::default();
        for there in (0..=names.len()).rev() {
            let (known, rest) = names.split_at_checked(there).unwrap_or((&names, &[]));
            let mut resolver = Resolver::new(reader, &mut directories, self.drive, Detail::End);
            if let Ok((mut path, _)) = resolver.find(known.iter().cloned()) {
                for name in rest {
                    if path != [BACKSLASH] {
                        path.push(BACKSLASH);
                    }
                    path.extend(name);
                }
                return Ok(path);
            }
        }
        Ok(vec![BACKSLASH])
    }
}

/// So many reads opening a volume takes at most, on a whole one.
const OPENING: u64 = 16;
const BACKSLASH: u16 = b'\\' as u16;

fn first_path(found: &Found) -> &Path {
    match found {
        Found::Path(path) => path,
        Found::Link(link) => &link.path,
        Found::HardLinks(group) => first(group),
    }
}

fn first(group: &HardLinks) -> &Path {
    group.paths.first().map_or(Path::new(""), |path| path)
}

/// By the names in paths, what is in a directory together.
fn in_order(a: &Path, b: &Path) -> Ordering {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    // What parts names comes before all that is in them.
    let key = |byte: u8| if byte == b'\\' { 0 } else { byte };
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => key(*a).cmp(&key(*b)),
        None => a.len().cmp(&b.len()),
    }
}

/// One run through a volume.
struct Pass<'a> {
    volume: &'a Volume,
    scan: &'a VolumeScan,
    bounds: Bounds,
    faults: Vec<ntfs_volume::Error>,
}

impl Pass<'_> {
    fn links(
        &mut self,
        reader: &mut Reader<'_, VolumeFile>,
        mut chains: Option<&mut Vec<Chain>>,
        stats: &mut VolumeStats,
    ) -> Vec<Found> {
        let (volume, scan) = (self.volume, self.scan);
        let points = reader.reparse_points(scan.full.then_some(ntfs_volume::Way::Scan));
        let mut directories = Directories::default();
        directories.load(reader, points.points.iter().flat_map(|point| &point.names));
        stats.way = match points.way {
            ntfs_volume::Way::Index => Way::Index,
            ntfs_volume::Way::Scan => Way::Scan,
        };
        stats.stale = points.stale;
        stats.index_bytes = points.index_size;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        stats.link_records = count(points.points.len());
        stats.parent_records = count(directories.count());
        let whole = if points.way == ntfs_volume::Way::Scan { volume.volume.records() } else { 0 };
        let with_chains = chains.is_some();
        let follows = with_chains
            || scan.details > Details::Path
            || !scan.filter.states.is_empty()
            || self.bounds.points_to.is_some();
        let detail = if with_chains || self.bounds.points_to.is_some() { Detail::Everything } else { Detail::End };
        let all = points.points.iter().map(|point| point.names.len()).sum();
        // Names in the order of their directories: what is near each other is looked up together.
        let mut all_found = Vec::with_capacity(all);
        let mut steps = Steps::for_links(all);
        for point in points.points {
            let stored = ReparsePoint { raw: point.raw.clone(), directory: point.is_directory };
            let (kind, target) = (stored.kind(), Target::Reparse(stored));
            if !scan.filter.wants_kind(kind) || !scan.filter.wants_target(Some(&target)) {
                continue;
            }
            for name in &point.names {
                let Some(path) = self.path(&mut directories, point.reference, name.parent, &name.name) else {
                    continue;
                };
                let followed = follows.then(|| {
                    let mut resolver = Resolver::new(reader, &mut directories, volume.drive, detail);
                    resolver.follow(&point, name, &mut steps)
                });
                let end = followed.as_ref().map_or(State::Ok, |followed| state(followed.end));
                if !scan.filter.wants_state(end) || !self.leads_there(reader, followed.as_ref()) {
                    continue;
                }
                let shown = volume.shown(&path);
                let found = if scan.details == Details::Path {
                    Found::Path(shown)
                } else {
                    let resolved = followed.as_ref().and_then(|followed| followed.resolved.as_ref());
                    Found::Link(Link {
                        path: shown,
                        kind,
                        target: Some(target.clone()),
                        resolved: resolved.map(|path| volume.shown(path)),
                        state: end,
                        id: Some(volume.id(point.reference)),
                        attributes: Some(Attributes { uid: 0, gid: 0, modified: (point.modified, 0) }),
                        volume: None,
                        several: false,
                    })
                };
                if let (Some(chains), Some(followed)) = (&mut chains, &followed) {
                    chains.push(volume.chain(followed));
                }
                all_found.push(found);
            }
        }
        stats.records = whole.saturating_add(reader.fetched());
        all_found
    }

    fn hard_links(&mut self, reader: &mut Reader<'_, VolumeFile>) -> Vec<HardLinks> {
        let (found, mut directories) = reader.hard_links();
        let mut groups = Vec::with_capacity(found.most());
        for file in found.files() {
            let mut paths = Vec::with_capacity(file.links());
            let mut leads = self.bounds.points_to.is_none();
            for (parent, name) in file.names() {
                let Some(path) = self.path(&mut directories, file.reference, parent, name) else { continue };
                let there = self.bounds.points_to.as_ref();
                leads |= there.is_some_and(|there| reader.is_within(&path, there));
                paths.push(self.volume.shown(&path));
            }
            if paths.is_empty() || !leads {
                continue;
            }
            paths.sort_unstable_by(|a, b| in_order(a, b));
            groups.push(HardLinks {
                paths,
                links: u64::try_from(file.links()).unwrap_or(u64::MAX),
                size: file.size,
                allocated: file.allocated,
                id: self.volume.id(file.reference),
            });
        }
        groups
    }

    /// The path of a name, if it is wanted.
    fn path(
        &mut self,
        directories: &mut Directories,
        file: Reference,
        parent: Reference,
        name: &[u16],
    ) -> Option<Vec<u16>> {
        let filter = &self.scan.filter;
        let wanted = || filter.wants_name(&from_wide(&WideString::from_units(name.to_vec())));
        if filter.has_name() && !wanted() {
            return None;
        }
        let path = directories.path(&self.volume.volume, file, parent, name);
        let path = path.map_err(|error| self.faults.push(error)).ok()?;
        if !self.bounds.include(&path) || filter.has_excludes() && self.excluded(&path) {
            return None;
        }
        Some(path)
    }

    /// Whether a path or a directory above it is left out.
    fn excluded(&self, path: &[u16]) -> bool {
        let names = path.split(|unit| *unit == BACKSLASH).filter(|name| !name.is_empty());
        let mut relative = PathBuf::new();
        let mut names = names.peekable();
        while let Some(name) = names.next() {
            relative.push(from_wide(&WideString::from_units(name.to_vec())));
            if self.scan.filter.excludes(&relative, names.peek().is_some()) {
                return true;
            }
        }
        false
    }

    fn leads_there(&self, reader: &mut Reader<'_, VolumeFile>, followed: Option<&Followed>) -> bool {
        let Some(there) = &self.bounds.points_to else { return true };
        let Some(followed) = followed else { return false };
        let on_the_way = followed.hops.iter().skip(1).map(|hop| &hop.path);
        let mut reached = on_the_way.chain(&followed.passed).chain(&followed.resolved).chain(&followed.failed_at);
        reached.any(|path| reader.is_within(path, there))
    }
}

/// How many directories deep a path lies below a root; 0 for the root itself. `None` for what is not below it.
fn depth_below(path: &[u16], root: &[u16]) -> Option<usize> {
    let rest = if root == [BACKSLASH] { path } else { path.strip_prefix(root)? };
    match rest.first() {
        None => Some(0),
        Some(&BACKSLASH) => Some(rest.iter().filter(|unit| **unit == BACKSLASH).count()),
        Some(_) => None,
    }
}
