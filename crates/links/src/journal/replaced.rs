//! Links that others took the place of: what is recorded of them, and of links that lead to them, goes on to these.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Journal, Outcome, Then, track};
use crate::error::Result;
use crate::model::{CreateLink, FileId, ReplaceLink, Step, Target};
use crate::platform::{Directory, FileSystems};
use crate::read::identity::{self, Content, Identity};

/// A link that another took the place of.
pub(crate) struct Replaced<'s> {
    link: &'s Path,
    old: Old<'s>,
    new: FileId,
}

enum Old<'s> {
    Is(FileId),
    /// It is gone; the record of a link that said this tells.
    Said(&'s Target),
}

/// The links that steps replaced; where these undo others, also those that were gone.
pub(crate) fn of<'s>(steps: &'s [Step], outcomes: &[Outcome], undoes: bool) -> Vec<Replaced<'s>> {
    let replaced = |(step, outcome): (&'s Step, &Outcome)| match (step, outcome) {
        (Step::ReplaceLink(ReplaceLink { link, old, .. }), Outcome::Done(Some(new))) => {
            Some(Replaced { link, old: Old::Is(old.id), new: *new })
        }
        (Step::CreateLink(CreateLink { link, target, .. }), Outcome::Done(Some(new))) if undoes => {
            Some(Replaced { link, old: Old::Said(target), new: *new })
        }
        _ => None,
    };
    steps.iter().zip(outcomes).filter_map(replaced).collect()
}

/// Writes the new objects into the records that have the old ones.
pub(crate) fn follow(journal: &mut Journal, replaced: &[Replaced<'_>]) -> Result<()> {
    let file_systems = FileSystems::default();
    let mut homes: HashMap<&Path, Option<(PathBuf, String)>> = HashMap::new();
    let mut by_number = HashMap::new();
    let mut own = Vec::new();
    for one in replaced {
        let (Some(typed), Some(name)) = (one.link.parent(), one.link.file_name()) else { continue };
        let Some((parent, file_system)) = homes.entry(typed).or_insert_with(|| home_of(one.link, &file_systems)) else {
            continue;
        };
        let link = parent.join(name);
        let old = match one.old {
            Old::Is(old) => old,
            Old::Said(target) => {
                let found = journal.tracked_link(&link, target, None, None)?;
                let Some(found) = found.filter(|found| !found.object.same_file(one.new)) else { continue };
                found.object
            }
        };
        for mut record in journal.tracked_as(old, file_system)? {
            if record.link == link || !is_there(&record.link, old) {
                record.object = one.new;
                own.push(record);
            }
        }
        by_number.insert((old.file, old.born), (link, file_system.clone()));
    }
    journal.track(&own, Then::Stay)?;
    let mut others = Vec::new();
    for mut record in journal.tracked_to_links()? {
        let Identity { id, path, file_system, .. } = &record.identity;
        let same = by_number.get(&(id.file, id.born)).filter(|(_, on)| on == file_system);
        let Some((link, _)) = same else { continue };
        if path != link && is_there(path, *id) {
            continue;
        }
        let now = identity::hold(link).and_then(|held| Identity::of(&held, Content::Small, &file_systems));
        // One that is gone again already keeps its record, which finds nothing.
        if let Ok(now) = now {
            record.identity = now;
            others.push(record);
        }
    }
    journal.track(&others, Then::Stay)
}

/// The directory of a link, without links, and the name of its file system.
fn home_of(link: &Path, file_systems: &FileSystems) -> Option<(PathBuf, String)> {
    let parent = track::full(link).ok()?.parent()?.to_owned();
    let file_system = file_systems.name(&Directory::open_physical(&parent).ok()?).ok()?;
    Some((parent, file_system))
}

/// Whether an object of this number still is where a record has it: then that is a copy's, of a whole volume.
fn is_there(path: &Path, id: FileId) -> bool {
    identity::look(path).is_ok_and(|found| found.id.same_file(id))
}
