//! How a recorded step stands on the disk.

use std::path::Path;

use super::UNDO;
use crate::error::{Error, Result};
use crate::inspect;
use crate::journal::{Outcome, Recorded};
use crate::model::{FileId, FileKind, Metadata, Target};
use crate::plan::{Seen, Step};
use crate::platform::Place;

/// How a step that the journal has no end of stands on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was done.
    Made,
    /// It was not done.
    NotMade,
    /// It was begun; a leftover is there.
    Half,
    /// The disk cannot be asked, or tells something else.
    Unknown,
}

/// Looks on the disk whether a step was done.
#[must_use]
pub fn effect(recorded: &Recorded) -> Effect {
    match &recorded.outcome {
        Outcome::Done(_) => return Effect::Made,
        Outcome::NotReached => return Effect::NotMade,
        Outcome::Pending | Outcome::Failed(_) | Outcome::Unsure(_) => {}
    }
    let Ok(spot) = Spot::look(recorded.step.path()) else { return Effect::Unknown };
    let private = spot.place.path.with_file_name(&recorded.private_name);
    let left = Spot::look(&private).is_ok_and(|left| left.metadata.is_some());
    let made = match &recorded.step {
        Step::MakeDirectory { .. } => spot.is(FileKind::Directory).then_some(true),
        Step::CreateLink { target, file, .. } | Step::ReplaceLink { target, file, .. } => {
            let is = spot.holds(target, *file);
            let new = matches!(recorded.step, Step::CreateLink { .. });
            match (is, &spot.metadata) {
                (true, _) => Some(true),
                (false, None) => Some(false),
                (false, Some(found)) if new && is_stub(target, found) => return Effect::Half,
                (false, Some(_)) => {
                    if new {
                        None
                    } else {
                        Some(false)
                    }
                }
            }
        }
        Step::RemoveLink { .. } | Step::RemoveEmpty { .. } => Some(spot.metadata.is_none()),
    };
    match (left, made) {
        // The old link waits under the private name; the new one has its place.
        (true, Some(true)) if matches!(recorded.step, Step::ReplaceLink { .. }) => Effect::Made,
        (true, _) => Effect::Half,
        (false, Some(true)) => Effect::Made,
        (false, Some(false)) => Effect::NotMade,
        (false, None) => Effect::Unknown,
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

/// A path, and what is there.
pub(super) struct Spot {
    pub(super) place: Place,
    pub(super) metadata: Option<Metadata>,
    seen: Option<Seen>,
}

impl Spot {
    pub(super) fn look(path: &Path) -> Result<Self> {
        let place = Place::open(UNDO, path)?;
        let fail = |error| Error::io(UNDO, path, error);
        let metadata = place.metadata().map_err(fail)?;
        let seen = match &metadata {
            Some(metadata) => inspect::see(place.spot(), metadata).map_err(fail)?,
            None => None,
        };
        Ok(Self { place, metadata, seen })
    }

    fn is(&self, kind: FileKind) -> bool {
        self.metadata.is_some_and(|metadata| metadata.kind == kind)
    }

    /// Whether this is the link with this target; a hard link, whether it is a name of this file.
    pub(super) fn holds(&self, target: &Target, file: Option<FileId>) -> bool {
        match (target, self.metadata, file) {
            (Target::File(_), Some(metadata), Some(file)) => {
                self.seen.is_none() && metadata.kind != FileKind::Directory && metadata.id.same_file(file)
            }
            (Target::File(_), ..) => false,
            (target, ..) => self.seen.as_ref().is_some_and(|seen| seen.target == *target),
        }
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
