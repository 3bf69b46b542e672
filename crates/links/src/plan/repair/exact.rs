//! Targets found by what they are: by the kernel's handle, or by their number in one walk of their file system.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use super::catalog::{Catalog, entries_alone};
use crate::platform::{self, ByHandle, Directory, FileSystems};
use crate::read::identity::{self, Identity};
use crate::read::scan::{Progress, Reader, Receiver, Roll, ScanItem, ScanOptions, half, visit_all};
use crate::step::may_be_private;

/// What became of a recorded target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there now.
    At {
        path: PathBuf,
        /// Whether it has no other name.
        is_only: bool,
    },
    /// It has several names.
    Names(Vec<PathBuf>),
    /// It was deleted.
    Gone,
    /// It is there still, but under no name that was found.
    Hidden,
    /// Its file system is not mounted: it is neither there nor gone.
    Away,
    /// It was not found.
    Unfound {
        /// In words.
        why: &'static str,
        /// Whether all of its file system was looked through.
        everywhere: bool,
    },
}

impl Fate {
    /// Whether there is nothing of it any more, as far as can be seen.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Gone | Self::Unfound { everywhere: true, .. })
    }
}

/// A recorded target, and what is known of it by now.
struct Sought {
    identity: Identity,
    /// Names of it.
    names: Vec<PathBuf>,
    lives: bool,
    /// Whether it is worth a walk; else it is found on the way, or not.
    is_needed: bool,
    fate: Option<Fate>,
}

/// Identities, each once: many links may lead to one object.
#[derive(Default)]
pub(super) struct Wanted {
    identities: Vec<Sought>,
    known: HashMap<(Volume, u128, u64), usize>,
    volumes: HashMap<Volume, Vec<usize>>,
    /// A directory on each device that is meant.
    near: HashMap<u64, PathBuf>,
    pub(super) file_systems: FileSystems,
}

/// A file system by its name; and as copies have the same, by the device that is meant, where that is known.
type Volume = (String, Option<u64>);

impl Wanted {
    /// Adds one, and gives the number by which its fate is asked.
    pub(super) fn add(&mut self, identity: Identity, near: Option<PathBuf>, is_needed: bool) -> usize {
        let device = near.as_deref().and_then(device_of);
        let volume = (identity.file_system.clone(), device);
        if let (Some(device), Some(near)) = (device, near) {
            self.near.entry(device).or_insert(near);
        }
        let key = (volume.clone(), identity.id.file, identity.id.born);
        let number = *self.known.entry(key).or_insert_with(|| {
            self.identities.push(Sought { identity, names: Vec::new(), lives: false, is_needed: false, fate: None });
            let number = self.identities.len() - 1;
            self.volumes.entry(volume).or_default().push(number);
            number
        });
        if let Some(sought) = self.identities.get_mut(number) {
            sought.is_needed |= is_needed;
        }
        number
    }

    pub(super) fn get(&self, number: usize) -> Option<(&Identity, &Fate)> {
        let sought = self.identities.get(number)?;
        Some((&sought.identity, sought.fate.as_ref()?))
    }

    /// Finds all of them: by handle where the system allows that, in what has been read already, and in at most one
    /// walk of each file system. Where roots are given, only they are walked.
    pub(super) fn find(&mut self, catalog: &Catalog, like: &ScanOptions, roots: &[PathBuf], progress: &Progress) {
        // Links on a file system and others that lead to it mean one walk.
        let mut together: BTreeMap<Vec<PathBuf>, Vec<usize>> = BTreeMap::new();
        for ((file_system, device), numbers) in self.volumes.clone() {
            let near = device.and_then(|device| self.near.get(&device));
            let tops = match near.and_then(|near| top_of(Directory::open(near).ok()?).ok()) {
                Some(top) => vec![top],
                None => self.tops(&file_system, &numbers),
            };
            together.entry(tops).or_default().extend(numbers);
        }
        for (tops, numbers) in together {
            let Some(top) = tops.first() else {
                for number in &numbers {
                    let away = |sought: &&mut Sought| !platform::may_be_mounted(&sought.identity.file_system);
                    if let Some(sought) = self.identities.get_mut(*number).filter(away) {
                        sought.fate = Some(Fate::Away);
                    }
                }
                self.settle(&numbers, "its file system was mounted anew, and cannot be told from others", false);
                continue;
            };
            let device = device_of(top);
            self.by_handle(top, &numbers);
            self.in_catalog(catalog, &numbers, device);
            if !numbers.iter().any(|number| self.is_missing(*number)) {
                self.settle(&numbers, "it was not looked for", false);
                continue;
            }
            let roots = if roots.is_empty() { tops.clone() } else { roots.to_vec() };
            let is_all = roots == tops && !like.filter.has_excludes();
            // A whole disk has directories that this user may not read: that is told once, of what was not found.
            match (self.walk(&roots, like, &numbers, progress), is_all) {
                (true, _) => self.settle(&numbers, "it was not found where this user may look", false),
                (false, true) => self.settle(&numbers, "it was not found on its file system", true),
                (false, false) => self.settle(&numbers, "it was not found where it was looked for", false),
            }
        }
    }

    /// Whether it is still to be found.
    fn is_missing(&self, number: usize) -> bool {
        self.identities.get(number).is_some_and(|sought| sought.is_needed && sought.fate.is_none())
    }

    fn settle(&mut self, numbers: &[usize], why: &'static str, everywhere: bool) {
        for number in numbers {
            let Some(sought) = self.identities.get_mut(*number).filter(|sought| sought.fate.is_none()) else {
                continue;
            };
            let mut names = std::mem::take(&mut sought.names);
            names.sort_unstable();
            sought.fate = Some(match names.as_slice() {
                [] if sought.lives => Fate::Hidden,
                [] => Fate::Unfound { why, everywhere },
                [path] => Fate::At { path: path.clone(), is_only: everywhere },
                _ => Fate::Names(names),
            });
        }
    }

    /// The directories from which all of a file system can be walked.
    fn tops(&self, file_system: &str, numbers: &[usize]) -> Vec<PathBuf> {
        let is_it = |directory: &Directory| self.file_systems.name(directory).is_ok_and(|name| name == file_system);
        // Where the targets were is the nearest place to look from, and needs no list of mounts.
        let mut tops: Vec<PathBuf> = Vec::new();
        let mut tried = HashSet::new();
        for number in numbers {
            let Some(Sought { identity, .. }) = self.identities.get(*number) else { continue };
            if tops.iter().any(|top| identity.path.starts_with(top)) {
                continue;
            }
            let there = identity.path.ancestors().find(|path| tried.contains(*path) || path.is_dir());
            let Some(path) = there.filter(|path| tried.insert(path.to_path_buf())) else { continue };
            let Ok(directory) = Directory::open(path) else { continue };
            if is_it(&directory)
                && let Ok(top) = top_of(directory)
                && !tops.contains(&top)
            {
                tops.push(top);
            }
        }
        if tops.is_empty() {
            tops = platform::mounted(file_system);
            // One that lies in another is walked with it, as far as it is the same device.
            tops.truncate(1);
        }
        tops
    }

    fn by_handle(&mut self, top: &Path, numbers: &[usize]) {
        let Ok(on) = Directory::open(top) else { return };
        for number in numbers {
            let Some(sought) = self.identities.get_mut(*number) else { continue };
            let identity = &sought.identity;
            match platform::find(&on, identity.handle.as_deref(), identity.id.file) {
                ByHandle::At(path) => {
                    sought.lives = true;
                    sought.try_at(&path, &self.file_systems);
                }
                ByHandle::Alive => sought.lives = true,
                ByHandle::Gone => sought.fate = Some(Fate::Gone),
                ByHandle::Unknown => {}
            }
        }
    }

    fn in_catalog(&mut self, catalog: &Catalog, numbers: &[usize], device: Option<u64>) {
        let by_number = self.by_number(numbers);
        for (number, spot) in catalog.numbers(&by_number.keys().copied().collect()) {
            let path = catalog.path_of(spot);
            if path.parent().and_then(device_of) != device {
                continue;
            }
            for candidate in by_number.get(&number).into_iter().flatten() {
                if let Some(sought) = self.identities.get_mut(*candidate) {
                    sought.try_at(&path, &self.file_systems);
                }
            }
        }
    }

    fn by_number(&self, numbers: &[usize]) -> HashMap<u64, Vec<usize>> {
        let mut by_number: HashMap<u64, Vec<usize>> = HashMap::new();
        for number in numbers {
            if let Some(Sought { identity, fate: None, .. }) = self.identities.get(*number) {
                by_number.entry(half(identity.id.file)).or_default().push(*number);
            }
        }
        by_number
    }

    /// One walk, in which nothing is asked but the directories' own numbers; it ends as soon as all are found.
    /// Gives whether some of them could not be read.
    fn walk(&mut self, roots: &[PathBuf], like: &ScanOptions, numbers: &[usize], progress: &Progress) -> bool {
        let by_number = self.by_number(numbers);
        let missing = numbers.iter().filter(|number| self.is_missing(**number)).count();
        let options = entries_alone(like, roots.to_vec());
        let shared = Mutex::new((self, missing));
        let seekers =
            visit_all(&options, progress, || Seeker { by_number: &by_number, shared: &shared, unread: false });
        seekers.into_iter().any(|seeker| seeker.unread)
    }
}

impl Sought {
    /// Whether it is at this path, and that settles it: of a file with several names the others are looked for.
    fn try_at(&mut self, path: &Path, file_systems: &FileSystems) -> bool {
        if self.fate.is_some()
            || path.file_name().is_some_and(may_be_private)
            || self.names.iter().any(|name| name == path)
        {
            return false;
        }
        let Some(names) = is_at(&self.identity, path, file_systems) else { return false };
        if names > 1 {
            self.names.push(path.to_owned());
            return false;
        }
        self.fate = Some(Fate::At { path: path.to_owned(), is_only: true });
        true
    }
}

/// Whether an object of a record is at a path now, and how many names it has.
pub(super) fn is_at(identity: &Identity, path: &Path, file_systems: &FileSystems) -> Option<u64> {
    let held = identity::hold(path).ok()?;
    if !identity.is(&held, file_systems).ok()? {
        return None;
    }
    Some(identity::names(&held.metadata().ok()?, path))
}

pub(super) fn device_of(directory: &Path) -> Option<u64> {
    let found = Directory::open(directory).and_then(|opened| opened.metadata()).ok()?;
    Some(found.id.volume())
}

/// The topmost directory of the same device.
fn top_of(mut directory: Directory) -> std::io::Result<PathBuf> {
    loop {
        let (here, above) = (directory.metadata()?.id, directory.open_parent()?);
        let found = above.metadata()?.id;
        if found == here || found.volume() != here.volume() {
            return directory.physical_path();
        }
        directory = above;
    }
}

struct Seeker<'a, 'w> {
    by_number: &'a HashMap<u64, Vec<usize>>,
    shared: &'a Mutex<(&'w mut Wanted, usize)>,
    unread: bool,
}

impl Receiver for Seeker<'_, '_> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        self.unread |= item.is_err();
        ControlFlow::Continue(())
    }
}

impl Reader for Seeker<'_, '_> {
    const ROLLS: bool = true;

    fn roll(&mut self, path: &Path, roll: Roll) -> ControlFlow<()> {
        for (name, _, number) in roll.iter() {
            let Some(candidates) = self.by_number.get(&number) else { continue };
            let path = path.join(platform::from_bytes(name.to_vec()));
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let (wanted, missing) = &mut *shared;
            for candidate in candidates {
                let sought = wanted.identities.get_mut(*candidate);
                let found = sought.is_some_and(|sought| sought.try_at(&path, &wanted.file_systems) && sought.is_needed);
                *missing -= usize::from(found);
            }
            if *missing == 0 {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}
