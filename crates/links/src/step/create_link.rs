//! Makes a link where nothing is.

use super::make::{New, not_given};
use super::on_disk::{changed, is_stub};
use super::{Context, Done, Effect, OnDisk, StepKind, UndoPlan};
use crate::error::Result;
use crate::journal::{Outcome, Recorded};
use crate::model::{CreateLink, Finding, RemoveLink, Step, Target};

impl StepKind for CreateLink {
    fn untried(&self) -> Vec<Finding> {
        not_given(&self.link, self.ntfs.as_deref())
    }

    fn preflight(&self) -> Result<Vec<Finding>> {
        Ok(self.untried())
    }

    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        let new =
            New { target: &self.target, file: self.file, attributes: self.attributes, ntfs: self.ntfs.as_deref() };
        let made = context.with_place(new.operation(), &self.link, |place| {
            let made = new.make(place, place.name())?;
            Ok(Done { lost: new.finish(place, made), ..made.into() })
        });
        made.map_err(|error| new.name_target(error))
    }

    fn effect(&self, found: &OnDisk, recorded: &Recorded) -> Effect {
        match found.effect_of_making(&self.target, self.file, self.attributes.is_some(), recorded) {
            Effect::NotMade if found.is_stub_of(&self.target, self.attributes.is_some(), recorded) => Effect::Stub,
            effect => effect,
        }
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let metadata = match (found.metadata, &recorded.outcome) {
            // It failed: whatever is there is not ours.
            (_, Outcome::Failed(_)) => return Ok(()),
            (None, Outcome::Done(_)) => {
                plan.note(&self.link, "gone-already", "it is gone already");
                return Ok(());
            }
            (None, _) => return Ok(()),
            (Some(metadata), _) => metadata,
        };
        // An overlay gave the file another number when it was linked.
        let file = recorded.outcome.made().or(self.file);
        if !found.holds(&self.target, file) {
            return match recorded.outcome {
                Outcome::Pending | Outcome::Unsure(_) if is_stub(&self.target, &metadata) => {
                    plan.remove_stub(&self.link, &metadata);
                    Ok(())
                }
                Outcome::Done(_) => Err(changed(&self.link, "what was made there has been changed since")),
                _ => Ok(()),
            };
        }
        if matches!(self.target, Target::File(_)) && metadata.links < 2 {
            return Err(changed(&self.link, "it is the last name of its file now"));
        }
        if let Some(old) = found.now(&self.target) {
            plan.gone.insert(self.link.to_path_buf());
            plan.push(Step::RemoveLink(RemoveLink { link: self.link.clone(), old }));
        }
        Ok(())
    }

    fn clear(&self, found: &OnDisk, _recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        if let Some(stub) = found.metadata.filter(|metadata| is_stub(&self.target, metadata)) {
            plan.remove_stub(&self.link, &stub);
        }
        Ok(())
    }
}
