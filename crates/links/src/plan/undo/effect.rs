//! How a recorded step stands on the disk.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::UNDO;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, OperationId, Outcome, Recorded};
use crate::model::{FileId, FileKind, Metadata, Target};
use crate::plan::{Seen, Step};
use crate::platform::{self, Place};
use crate::read::inspect;
use crate::step::aside_name;

/// The steps of an operation, those without a recorded end settled by what the disk tells: done, or not
/// reached. One that stays [`Outcome::Pending`] is half done, or cannot be looked at now.
///
/// # Errors
/// The journal cannot be read.
pub fn settled(journal: &Journal, id: OperationId) -> Result<Vec<Recorded>> {
    let mut steps = journal.steps(id)?;
    let pending = |recorded: &Recorded| recorded.outcome == Outcome::Pending;
    if !steps.iter().any(pending) {
        return Ok(steps);
    }
    // What a later operation made or removed there is its doing.
    let later = journal.paths_done_after(id)?;
    // Links are made in order: of those only the last one begun can be half made. What lies under a private name, which
    // is a step's alone, is that step's in any order: links are replaced several at a time.
    let mut last = true;
    for recorded in steps.iter_mut().rev().filter(|recorded| pending(recorded)) {
        let own = effect(recorded);
        let effect = match own {
            own if !later.contains(recorded.step.path()) => own,
            // What is left under a private name is still this step's, once all that came later is undone.
            Effect::Left if says_as_before(&recorded.step) => Effect::Left,
            _ => Effect::NotMade,
        };
        recorded.outcome = match effect {
            Effect::Made(made) => Outcome::Done(made),
            Effect::Left => Outcome::Pending,
            Effect::Stub if last => Outcome::Pending,
            Effect::NotMade | Effect::Stub => Outcome::NotReached,
            Effect::Unknown => continue,
        };
        last &= recorded.outcome == Outcome::NotReached;
    }
    Ok(steps)
}

/// Whether the link that a step was to replace says what it said before.
fn says_as_before(step: &Step) -> bool {
    let Step::ReplaceLink { link, old, .. } = step else { return false };
    Spot::look_at(link).is_ok_and(|spot| spot.holds(&old.target, Some(old.id)))
}

/// How a step stands on the disk.
enum Effect {
    /// Done; this is what was made.
    Made(Option<FileId>),
    /// Not done.
    NotMade,
    /// Begun; something is left under its private name.
    Left,
    /// Perhaps begun: what a link is made of has its name.
    Stub,
    /// The place cannot be looked at now.
    Unknown,
}

fn effect(recorded: &Recorded) -> Effect {
    let Ok(spot) = Spot::look(recorded) else { return Effect::Unknown };
    let left = [&spot.left, &spot.aside].into_iter().flatten().any(|left| left.metadata.is_some());
    match &recorded.step {
        Step::MakeDirectory { .. } => match spot.metadata {
            Some(found) if found.kind == FileKind::Directory && is_younger(&found, recorded) => {
                Effect::Made(Some(found.id))
            }
            _ => Effect::NotMade,
        },
        Step::CreateLink { target, file, .. } | Step::ReplaceLink { target, file, .. } => {
            let new = matches!(recorded.step, Step::CreateLink { .. });
            match &spot.metadata {
                _ if left => Effect::Left,
                Some(found) if spot.holds(target, *file) => {
                    // The file of a hard link is older than its name.
                    let ours = matches!(target, Target::File(_)) || is_of_its_time(found, recorded);
                    if ours { Effect::Made(Some(found.id)) } else { Effect::NotMade }
                }
                Some(found) if new && is_stub(target, found) && is_of_its_time(found, recorded) => {
                    Effect::Stub
                }
                _ => Effect::NotMade,
            }
        }
        Step::ClearReparsePoint { old, .. } => match &spot.metadata {
            Some(found) if spot.is_bare(&old.target, old.id) => Effect::Made(Some(found.id)),
            _ => Effect::NotMade,
        },
        Step::SetReparsePoint { target, .. } => match &spot.metadata {
            Some(found) if spot.holds(target, None) => Effect::Made(Some(found.id)),
            _ => Effect::NotMade,
        },
        // The tree is recognised by its own place; what a crash left of it is what `recover` is for.
        Step::MoveTree { id, link, .. } => match &spot.metadata {
            Some(found) if found.id.same_file(*id) => Effect::NotMade,
            Some(_) if spot.holds(link, None) => Effect::Made(None),
            _ => Effect::Unknown,
        },
        Step::RestoreTree { old, .. } => match &spot.metadata {
            Some(_) if spot.holds(&old.target, None) => Effect::NotMade,
            Some(found) if found.kind != FileKind::Link => Effect::Made(Some(found.id)),
            _ => Effect::Unknown,
        },
        Step::RemoveLink { .. } | Step::RemoveEmpty { .. } => match (left, spot.metadata) {
            (true, _) => Effect::Left,
            (false, None) => Effect::Made(None),
            (false, Some(_)) => Effect::NotMade,
        },
    }
}

/// Whether an object may have been made by the step: one that was there before was not. The clocks of
/// file systems lag behind by a tick.
fn is_younger(found: &Metadata, recorded: &Recorded) -> bool {
    const TICK: u64 = 20;
    let born = found.id.born / 1_000_000;
    born == 0 || born + TICK >= u64::try_from(recorded.began).unwrap_or(0)
}

/// Whether an empty file or directory is as old as the step: one that somebody made later, under a name that was
/// never taken, is theirs. Volumes without a time of birth are asked for the time of change.
fn is_of_its_time(found: &Metadata, recorded: &Recorded) -> bool {
    /// As long as a chunk of steps may take, in milliseconds.
    const LONGEST: i64 = 30_000;
    let since = |milliseconds: i64| (-20..LONGEST).contains(&milliseconds.saturating_sub(recorded.began));
    let (seconds, nanoseconds) = found.attributes.modified;
    let given = matches!(
        &recorded.step,
        Step::CreateLink { attributes: Some(_), .. } | Step::ReplaceLink { attributes: Some(_), .. }
    );
    match i64::try_from(found.id.born / 1_000_000) {
        Ok(born) if born != 0 => since(born),
        // The step itself gave it another time.
        _ if given => true,
        _ => since(seconds.saturating_mul(1_000).saturating_add(i64::from(nanoseconds / 1_000_000))),
    }
}

/// A Windows link takes two calls: killed between them, an empty file or directory is there.
pub(super) fn is_stub(target: &Target, found: &Metadata) -> bool {
    match (target, found.kind) {
        (Target::Reparse(point), FileKind::Directory) => point.directory,
        (Target::Reparse(point), FileKind::File) => !point.directory && found.size == 0 && found.links == 1,
        _ => false,
    }
}

/// The place of a recorded step, and what is there.
pub(super) struct Spot {
    pub(super) metadata: Option<Metadata>,
    seen: Option<Seen>,
    /// What is there under the step's private name, where a killed run may have left something.
    pub(super) left: Option<Box<Spot>>,
    /// What is there under the name beside it, where the old link lies while two names change places by a third.
    pub(super) aside: Option<Box<Spot>>,
}

impl Spot {
    /// Looks at the place of a step, and at the private name beside it.
    pub(super) fn look(recorded: &Recorded) -> Result<Self> {
        let path = recorded.step.path();
        let elsewhere = |cause| Err(super::changed(path, cause));
        let place = match Place::open_physical(UNDO, path) {
            Ok(place) => place,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::ParentMissing => {
                        elsewhere("its directory is not there now; is its volume mounted?")
                    }
                    ErrorKind::NotADirectory | ErrorKind::Loop => {
                        elsewhere("a link has taken the place of a directory on its path")
                    }
                    _ => Err(error),
                };
            }
        };
        let here = place.directory.home().map_err(|error| Error::io(UNDO, path, error))?;
        if recorded.home.is_some_and(|home| !home.is_same(here)) {
            return elsewhere("its path leads to another directory, or another volume is mounted there");
        }
        let mut spot = Self::at(place.spot())?;
        let private = Self::at(place.spot_of(OsStr::new(&recorded.private_name)))?;
        spot.left = Some(Box::new(private));
        if matches!(recorded.step, Step::ReplaceLink { .. }) {
            let aside = aside_name(OsStr::new(&recorded.private_name));
            spot.aside = Some(Box::new(Self::at(place.spot_of(&aside))?));
        }
        Ok(spot)
    }

    /// Looks at a path that no record speaks of.
    pub(super) fn look_at(path: &Path) -> Result<Self> {
        Self::at(Place::open(UNDO, path)?.spot())
    }

    fn at(spot: platform::Spot<'_>) -> Result<Self> {
        let fail = |error| Error::io(UNDO, spot.path, error);
        let metadata = match spot.directory.metadata_nofollow(spot.name) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        let seen =
            metadata.map(|metadata| inspect::see(spot, &metadata)).transpose().map_err(fail)?.flatten();
        Ok(Self { metadata, seen, left: None, aside: None })
    }

    /// Whether this is the link with this target; a hard link, whether it is a name of this file.
    pub(super) fn holds(&self, target: &Target, file: Option<FileId>) -> bool {
        match (target, self.metadata, file) {
            (Target::File(_), Some(metadata), Some(file)) => {
                // A symbolic link can have several names, too.
                (self.seen.is_none() || metadata.links > 1)
                    && metadata.kind != FileKind::Directory
                    && metadata.id.same_file(file)
            }
            (Target::File(_), ..) => false,
            (target, ..) => {
                self.seen.as_ref().is_some_and(|seen| platform::same_target(&seen.target, target))
            }
        }
    }

    /// Whether this is the file or directory that once carried this reparse data, without it.
    pub(super) fn is_bare(&self, target: &Target, id: FileId) -> bool {
        let Target::Reparse(point) = target else { return false };
        let kind = if point.directory { FileKind::Directory } else { FileKind::File };
        self.metadata.is_some_and(|found| found.kind == kind && found.id.same_file(id))
    }

    /// What is there now, as a step must find it.
    pub(super) fn now(&self, target: &Target) -> Option<Seen> {
        match target {
            Target::File(_) => self.metadata.map(|metadata| Seen {
                target: target.clone(),
                id: metadata.id,
                attributes: metadata.attributes,
            }),
            _ => self.seen.clone(),
        }
    }
}
