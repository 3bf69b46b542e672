//! The plain walk: one thread, one directory at a time, by descriptor.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Found, HardLinks, ScanItem, ScanOptions};
use crate::chain;
use crate::error::{Error, ErrorKind, Result};
use crate::inspect;
use crate::model::{FileId, FileKind, Link, LinkKind, Metadata, State, join};
use crate::platform::Spot;
use crate::platform::{self, Directory, Entry, Place};

const LIST: &str = "list";

/// A stream of links. See [`super::scan`].
pub struct Scan {
    options: ScanOptions,
    roots: VecDeque<PathBuf>,
    pending: Vec<Pending>,
    current: Option<Current>,
    /// The directory read last.
    last: Option<(PathBuf, Arc<Directory>)>,
    hard: BTreeMap<FileId, HardLinks>,
    /// Names of files met so far: roots that overlap show one twice, by other paths.
    met: HashSet<(FileId, OsString)>,
    any_ntfs: bool,
    groups: Option<std::collections::btree_map::IntoValues<FileId, HardLinks>>,
    entries: u64,
}

/// A directory still to be read.
struct Pending {
    path: PathBuf,
    /// The way to it: names from a directory that is held open. No link is ever followed on it.
    from: Arc<Directory>,
    names: PathBuf,
    root: Arc<Root>,
}

/// Where a walk began.
struct Root {
    directory: Arc<Directory>,
    /// How many leading components of a path are the root's: patterns see what is behind them.
    components: usize,
    /// The volume to stay on.
    volume: u64,
}

/// Directories nearer to their root than this keep their parent open; with deeper ones the number of
/// open files would grow with the tree.
const HELD_LEVELS: usize = 24;

/// The directory being read.
struct Current {
    pending: Pending,
    directory: Arc<Directory>,
    entries: Box<dyn Iterator<Item = io::Result<Entry>> + Send>,
    ntfs: bool,
}

impl Scan {
    pub(super) fn new(options: ScanOptions) -> Self {
        let any_ntfs = platform::is_any_ntfs_mounted();
        let roots = options.roots.iter().cloned().collect();
        let (pending, hard, met) = (Vec::new(), BTreeMap::new(), HashSet::new());
        Self {
            options,
            roots,
            pending,
            current: None,
            last: None,
            hard,
            met,
            any_ntfs,
            groups: None,
            entries: 0,
        }
    }

    /// How many directory entries have been looked at so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Begins with a root. A link is given as itself, a directory is entered.
    fn start(&mut self, root: PathBuf) -> Result<Option<Found>> {
        let fail = |error| Error::io(LIST, &root, error);
        let named = crate::model::file_name_of(&root).is_some();
        let slash = root.as_os_str().as_encoded_bytes().ends_with(b"/");
        let directory = if named && !slash {
            let place = Place::open(LIST, &root)?;
            let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
            if metadata.kind != FileKind::Directory {
                let ntfs = place.ntfs().map_err(fail)?;
                return self.entry(place.spot(), &metadata, ntfs.is_some());
            }
            place.directory.open_child(place.name())
        } else {
            Directory::open(&root)
        };
        let directory = Arc::new(directory.map_err(fail)?);
        let volume = directory.metadata().map_err(fail)?.id.volume;
        // `.` does not stand in the paths below it, see `join`.
        let components = if root == Path::new(".") { 0 } else { root.components().count() };
        let base = Root { directory: Arc::clone(&directory), components, volume };
        self.pending.push(Pending {
            path: root,
            from: directory,
            names: PathBuf::new(),
            root: Arc::new(base),
        });
        Ok(None)
    }

    fn open(&mut self, pending: Pending) -> Result<()> {
        let fail = |error| Error::io("read directory", &pending.path, error);
        // Deep down, the directory read last is mostly the parent.
        let near = self.last.as_ref().filter(|(path, _)| Some(path.as_path()) == pending.path.parent());
        let directory = match (near, pending.path.file_name()) {
            (Some((_, parent)), Some(name)) if !pending.names.as_os_str().is_empty() => {
                parent.open_child(name)
            }
            _ => pending.from.open_below(&pending.names),
        };
        let directory = Arc::new(directory.map_err(fail)?);
        let entries = Box::new(directory.entries().map_err(fail)?);
        let ntfs = platform::ntfs_volume(&directory).map_err(fail)?.is_some();
        self.current = Some(Current { pending, directory, entries, ntfs });
        Ok(())
    }

    /// The next thing the current directory gives. `None`: the entry is of no interest.
    fn step(&mut self, current: &Current, entry: &Entry) -> Result<Option<Found>> {
        self.entries += 1;
        let path = join(&current.pending.path, &entry.name);
        let fail = |error| Error::io(LIST, &path, error);
        let (filter, name) = (&self.options.filter, &entry.name);
        let kind = match entry.kind {
            Some(kind) => kind,
            None => match current.directory.metadata_nofollow(name) {
                Ok(metadata) => metadata.kind,
                Err(error) => return gone(error).map_or(Ok(None), |error| Err(fail(error))),
            },
        };
        // Most entries are plain files that nothing is asked about: only these two need it.
        let relative = || path.components().skip(current.pending.root.components).collect::<PathBuf>();
        if filter.has_excludes() && filter.excludes(&relative(), kind == FileKind::Directory) {
            return Ok(None);
        }
        let wanted = match kind {
            FileKind::Directory => {
                let stay = self.options.one_file_system;
                let root = Arc::clone(&current.pending.root);
                if stay && volume_of(&current.directory, name) != Some(root.volume) {
                    return Ok(None);
                }
                let relative = relative();
                let (from, names) = if relative.components().count() <= HELD_LEVELS {
                    (Arc::clone(&current.directory), PathBuf::from(name))
                } else {
                    (Arc::clone(&root.directory), relative)
                };
                self.pending.push(Pending { path, from, names, root });
                return Ok(None);
            }
            FileKind::Link => filter.wants_links(),
            FileKind::File => filter.wants_hard_links(),
            FileKind::Special => false,
        };
        if !wanted {
            return Ok(None);
        }
        let metadata = match current.directory.metadata_nofollow(name) {
            Ok(metadata) => metadata,
            Err(error) => return gone(error).map_or(Ok(None), |error| Err(fail(error))),
        };
        let spot = Spot { directory: &current.directory, name, path: &path };
        self.entry(spot, &metadata, current.ntfs)
    }

    fn entry(&mut self, spot: Spot<'_>, metadata: &Metadata, ntfs: bool) -> Result<Option<Found>> {
        let filter = &self.options.filter;
        let target = platform::read_link(spot.directory, spot.name, metadata, ntfs);
        let target = match target {
            Ok(target) => target,
            // That it is a link is known all the same.
            Err(error) if platform::error_kind(&error) == ErrorKind::PermissionDenied => {
                let (path, kind) = (spot.path.to_owned(), LinkKind::Symlink);
                let state = State::Denied;
                let (id, attributes) = (metadata.id, metadata.attributes);
                let link = Link { path, kind, target: None, resolved: None, state, id, attributes };
                return Ok((filter.wants_kind(kind) && filter.wants(&link)).then_some(Found::Link(link)));
            }
            Err(error) => {
                return gone(error).map_or(Ok(None), |error| Err(Error::io(LIST, spot.path, error)));
            }
        };
        let Some(target) = target else {
            if metadata.kind == FileKind::File && metadata.links > 1 && filter.wants_hard_links() {
                let directory =
                    spot.directory.metadata().map_err(|error| Error::io(LIST, spot.path, error))?;
                if self.met.insert((directory.id, spot.name.to_owned())) {
                    let new = || HardLinks {
                        paths: Vec::new(),
                        links: metadata.links,
                        size: metadata.size,
                        id: metadata.id,
                    };
                    self.hard.entry(metadata.id).or_insert_with(new).paths.push(spot.path.to_owned());
                }
            }
            return Ok(None);
        };
        let kind = target.kind();
        if !filter.wants_kind(kind) || !filter.wants_links() {
            return Ok(None);
        }
        let (state, resolved) = self.state(spot, kind);
        let path = spot.path.to_owned();
        let (id, attributes) = (metadata.id, metadata.attributes);
        let link = Link { path, kind, target: Some(target), resolved, state, id, attributes };
        Ok(self.options.filter.wants(&link).then_some(Found::Link(link)))
    }

    /// The system's own answer where it has one; the chain is followed where that says too little.
    fn state(&self, spot: Spot<'_>, kind: LinkKind) -> (State, Option<PathBuf>) {
        if kind == LinkKind::Symlink && !self.options.resolve && !self.any_ntfs {
            match spot.directory.metadata_follow(spot.name) {
                Ok(_) => return (State::Ok, None),
                Err(error) if chain::state_of(&error) != State::Loop => {
                    return (chain::state_of(&error), None);
                }
                Err(_) => {}
            }
        }
        let chain = chain::follow(spot, self.options.drive);
        (inspect::chain_state(spot, &chain), chain.resolved)
    }
}

impl Iterator for Scan {
    type Item = ScanItem;

    fn next(&mut self) -> Option<ScanItem> {
        loop {
            if let Some(mut current) = self.current.take() {
                let Some(entry) = current.entries.next() else {
                    self.last = Some((current.pending.path, current.directory));
                    continue;
                };
                let found = match entry {
                    Ok(entry) => self.step(&current, &entry),
                    Err(error) => {
                        // The rest of the directory is unknown; the next one may be well.
                        return Some(Err(Error::io("read directory", &current.pending.path, error)));
                    }
                };
                self.current = Some(current);
                match found {
                    Ok(None) => {}
                    Ok(Some(found)) => return Some(Ok(found)),
                    Err(error) => return Some(Err(error)),
                }
            } else if let Some(pending) = self.pending.pop() {
                if let Err(error) = self.open(pending) {
                    let vanished =
                        error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
                    let is_root = vanished && self.options.roots.iter().any(|root| root == error.path());
                    if !vanished || is_root {
                        return Some(Err(error));
                    }
                }
            } else if let Some(root) = self.roots.pop_front() {
                match self.start(root) {
                    Ok(None) => {}
                    Ok(Some(found)) => return Some(Ok(found)),
                    Err(error) => return Some(Err(error)),
                }
            } else {
                let hard = &mut self.hard;
                let groups = self.groups.get_or_insert_with(|| std::mem::take(hard).into_values());
                let mut group = groups.next()?;
                group.paths.sort();
                return Some(Ok(Found::HardLinks(group)));
            }
        }
    }
}

fn volume_of(directory: &Directory, name: &OsStr) -> Option<u64> {
    directory.metadata_nofollow(name).ok().map(|metadata| metadata.id.volume)
}

/// What vanishes while a tree is read is no error.
fn gone(error: io::Error) -> Option<io::Error> {
    (error.kind() != io::ErrorKind::NotFound).then_some(error)
}
