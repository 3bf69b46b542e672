//! Takes the reparse data off a file or directory, and gives it back.

use super::entry::must_be;
use super::on_disk::changed;
use super::{Context, Done, Effect, OnDisk, StepKind, UndoPlan, os};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{ClearReparsePoint, FileKind, SetReparsePoint, Step, Target};

impl StepKind for ClearReparsePoint {
    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        const OPERATION: &str = "delete the reparse point of";
        context.with_place(OPERATION, &self.path, |place| {
            let fail = |error| Error::io(OPERATION, &place.path, error);
            // What is held is what is looked at, whatever has its name meanwhile.
            let held = place.directory.hold(place.name()).map_err(fail)?;
            must_be(place.spot(), &self.old, OPERATION)?;
            if held.metadata().map_err(fail)?.id != self.old.id {
                let cause = "it is another object than before";
                return Err(Error::new(ErrorKind::Changed, OPERATION, &place.path, cause));
            }
            os::clear_reparse_point(&held, &place.directory, place.name()).map_err(fail)?;
            Ok(place.directory.metadata_nofollow(place.name()).map_err(fail)?.id.into())
        })
    }

    fn effect(&self, found: &OnDisk, _recorded: &Recorded) -> Effect {
        match &found.metadata {
            Some(metadata) if found.is_bare(&self.old.target, self.old.id) => Effect::Made(Some(metadata.id)),
            _ => Effect::NotMade,
        }
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let failed = matches!(recorded.outcome, Outcome::Failed(_));
        if failed || found.holds(&self.old.target, None) {
            return Ok(());
        }
        match found.metadata {
            Some(metadata) if found.is_bare(&self.old.target, self.old.id) => {
                let (path, target) = (self.path.clone(), self.old.target.clone());
                plan.push(Step::SetReparsePoint(SetReparsePoint { path, id: metadata.id, target }));
                Ok(())
            }
            Some(_) => Err(changed(&self.path, "something else has its name now")),
            None => Err(changed(&self.path, "what carried the reparse point is gone")),
        }
    }
}

impl StepKind for SetReparsePoint {
    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        const OPERATION: &str = "set the reparse point of";
        context.with_place(OPERATION, &self.path, |place| {
            let fail = |error| Error::io(OPERATION, &place.path, error);
            let refuse = |kind, cause: &str| Err(Error::new(kind, OPERATION, &place.path, cause));
            let Target::Reparse(point) = &self.target else {
                return refuse(ErrorKind::InvalidTarget, "the target is no reparse data");
            };
            let held = place.directory.hold(place.name()).map_err(fail)?;
            let metadata = held.metadata().map_err(fail)?;
            let empty = match metadata.kind {
                FileKind::Directory if point.directory => {
                    let directory = place.directory.open_child(place.name()).map_err(fail)?;
                    directory.entries().map_err(fail)?.next().is_none()
                }
                FileKind::File if !point.directory => metadata.size == 0,
                _ => false,
            };
            if !metadata.id.same_file(self.id) || !empty {
                return refuse(ErrorKind::Changed, "it is another object than before, or no longer empty");
            }
            os::set_reparse_point(&held, &place.directory, place.name(), point).map_err(fail)?;
            Ok(place.directory.metadata_nofollow(place.name()).map_err(fail)?.id.into())
        })
    }

    fn effect(&self, found: &OnDisk, _recorded: &Recorded) -> Effect {
        match &found.metadata {
            Some(metadata) if found.holds(&self.target, None) => Effect::Made(Some(metadata.id)),
            _ => Effect::NotMade,
        }
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let (Some(old), Outcome::Done(_)) = (found.now(&self.target), &recorded.outcome) else {
            return Ok(());
        };
        if !found.holds(&self.target, None) {
            return Err(changed(&self.path, "its reparse point has been changed since"));
        }
        plan.push(Step::ClearReparsePoint(ClearReparsePoint { path: self.path.clone(), old }));
        Ok(())
    }
}
