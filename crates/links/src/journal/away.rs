//! Which volume the target of a link was on, by the records of moves and of tracked links.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Journal, journal_copy};
use crate::model::{STAND_IN, Sameness, Volume, same_file_system};
use crate::platform::{self, Directory, FileSystems};
use crate::read::away::{Nowhere, VolumesAway};

/// What the journal in this directory knows of volumes that are not mounted. It is opened for the first link that leads
/// nowhere; where it cannot be read, it knows of none.
#[must_use]
pub fn volumes_away(directory: PathBuf) -> VolumesAway {
    let known: Mutex<Option<Known>> = Mutex::new(None);
    VolumesAway::new(move |link| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| Known::read(&directory)).away(link)
    })
}

#[derive(Default)]
struct Known {
    /// Where links are tracked.
    journal: Option<Journal>,
    /// Those to which trees were moved.
    volumes: Vec<Volume>,
    /// Whether the file system of a name is mounted at a place; anywhere, for no place.
    mounted: HashMap<(String, Option<PathBuf>), bool>,
}

impl Known {
    fn read(directory: &Path) -> Self {
        // Who only looks changes nothing, there either.
        let Ok(Some((journal, _))) = journal_copy(directory) else { return Self::default() };
        let mut volumes: Vec<Volume> = Vec::new();
        for relocated in journal.relocations(None).into_iter().flatten().flatten() {
            let tree = relocated.recorded.tree.and_then(|tree| tree.volume);
            for volume in relocated.recorded.step.volume().cloned().into_iter().chain(tree.map(|volume| *volume)) {
                if !volumes.contains(&volume) {
                    volumes.push(volume);
                }
            }
        }
        // What is mounted deepest counts.
        volumes.sort_by_key(|volume| std::cmp::Reverse(volume.mount_point.components().count()));
        let tracks = journal.tracks_anything().unwrap_or(false);
        Self { journal: Some(journal).filter(|_| tracks), volumes, mounted: HashMap::new() }
    }

    fn away(&mut self, link: &Nowhere<'_>) -> Option<Volume> {
        if self.volumes.is_empty() && self.journal.is_none() {
            return None;
        }
        let wanted = link.wanted()?;
        let at = |volume: &&Volume| volume.mount_point.parent().is_some() && wanted.starts_with(&volume.mount_point);
        if let Some(volume) = self.volumes.iter().find(at).cloned() {
            return (!self.is_mounted(&volume.name, Some(&volume.mount_point))).then_some(volume);
        }
        let tracked = self.journal.as_ref()?.tracked_link(&link.link()?, link.target, None, None).ok()??;
        let name = tracked.identity.file_system;
        if name.starts_with(STAND_IN) || self.is_mounted(&name, None) {
            return None;
        }
        let label = self.volumes.iter().find(|volume| volume.name == name).and_then(|volume| volume.label.clone());
        Some(Volume { name, label, mount_point: PathBuf::new() })
    }

    fn is_mounted(&mut self, name: &str, point: Option<&Path>) -> bool {
        let look = || match point {
            Some(point) => Directory::open(point)
                .and_then(|directory| FileSystems::default().name(&directory))
                .is_ok_and(|now| same_file_system(name, &now) != Sameness::Other),
            None => !platform::mounted(name).is_empty(),
        };
        *self.mounted.entry((name.to_owned(), point.map(Path::to_owned))).or_insert_with(look)
    }
}
