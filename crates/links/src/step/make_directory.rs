//! Makes a directory.

use super::{Context, Done, Effect, OnDisk, StepKind, UndoPlan, os};
use crate::error::{Error, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{FileKind, MakeDirectory};
use crate::platform::Directory;

const OPERATION: &str = "make directory";

impl StepKind for MakeDirectory {
    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        context.with_place(OPERATION, &self.path, |place| {
            let fail = |error| Error::io(OPERATION, &place.path, error);
            os::make_directory(&place.directory, place.name()).map_err(fail)?;
            Ok(place.directory.metadata_nofollow(place.name()).map_err(fail)?.id.into())
        })
    }

    fn effect(&self, found: &OnDisk, recorded: &Recorded) -> Effect {
        match &found.metadata {
            Some(metadata) if metadata.kind == FileKind::Directory && recorded.may_have_made(metadata.id) => {
                Effect::Made(Some(metadata.id))
            }
            _ => Effect::NotMade,
        }
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let (Some(metadata), Outcome::Done(made)) = (found.metadata, &recorded.outcome) else {
            return Ok(());
        };
        let ours = made.is_none_or(|made| metadata.id.same_file(made));
        if !ours || metadata.kind != FileKind::Directory {
            return Ok(());
        }
        let fail = |error| Error::io(super::on_disk::UNDO, &*self.path, error);
        let entries = Directory::open_physical(&self.path).and_then(|directory| directory.entries());
        for entry in entries.map_err(fail)? {
            if !plan.gone.contains(&self.path.join(entry.map_err(fail)?.name)) {
                plan.note(&self.path, "directory-kept", "the directory stays: it holds more than was made in it");
                return Ok(());
            }
        }
        plan.remove_stub(&self.path, &metadata);
        Ok(())
    }
}
