//! Removes an empty directory or file.

use std::ffi::OsStr;

use super::entry::put_back;
use super::{Context, Done, Effect, OnDisk, StepKind, UndoPlan, os};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{FileKind, MakeDirectory, RemoveEmpty, Step};
use crate::platform::Place;

const OPERATION: &str = "remove empty";

impl RemoveEmpty {
    fn must_be_empty(&self, place: &Place, name: &OsStr) -> Result<()> {
        let metadata = place.directory.metadata_nofollow(name);
        let metadata = metadata.map_err(|error| Error::io(OPERATION, &place.path, error))?;
        let is_right = match self.directory {
            true => metadata.kind == FileKind::Directory,
            false => metadata.kind == FileKind::File && metadata.size == 0 && metadata.links == 1,
        };
        if is_right && metadata.id.same_file(self.id) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Changed, OPERATION, &place.path, "it is not what it was"))
    }
}

impl StepKind for RemoveEmpty {
    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        context.with_place(OPERATION, &self.path, |place| {
            let (directory, private) = (&place.directory, context.private());
            let fail = |error| Error::io(OPERATION, &place.path, error);
            self.must_be_empty(place, place.name())?;
            if self.directory {
                // The system itself refuses a directory that is not empty.
                os::remove_directory(directory, place.name()).map_err(fail)?;
                return Ok(Done::default());
            }
            os::rename_to_new(directory, place.name(), directory, private).map_err(fail)?;
            self.must_be_empty(place, private)
                .and_then(|()| os::remove_file(directory, private).map_err(fail))
                .map_err(|error| put_back(error, place, private))?;
            Ok(Done::default())
        })
    }

    fn effect(&self, found: &OnDisk, _recorded: &Recorded) -> Effect {
        found.effect_of_removal()
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        if self.directory && found.metadata.is_none() && matches!(recorded.outcome, Outcome::Done(_)) {
            plan.push(Step::MakeDirectory(MakeDirectory { path: self.path.clone() }));
        }
        Ok(())
    }
}
