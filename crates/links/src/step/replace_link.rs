//! Puts a new link in the place of another: there is always one of the two.

use std::ffi::OsStr;

use super::entry::{
    Swapped, exchange_back, left_behind, made_changeable, must_be, must_hold_nothing, must_still_be, swap_in,
};
use super::make::{New, Preserve};
use super::on_disk::changed;
use super::{Context, Done, Effect, Needs, OnDisk, StepKind, UndoPlan, os};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{CreateLink, FileId, ReplaceLink, Seen, Step, Target};
use crate::platform::{self, Place};

const REPLACE: &str = "replace link";

impl StepKind for ReplaceLink {
    fn needs(&self) -> Needs {
        let soft = |target: &Target| !matches!(target, Target::File(_));
        Needs { parallel: soft(&self.target) && soft(&self.old.target), ..Needs::default() }
    }

    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        let new =
            New { target: &self.target, file: self.file, attributes: self.attributes, preserve: Preserve::Attributes };
        context
            .with_place(REPLACE, &self.link, |place| replace(place, &self.old, &new, context.private()).map(Done::from))
    }

    fn effect(&self, found: &OnDisk, recorded: &Recorded) -> Effect {
        found.effect_of_making(&self.target, self.file, self.attributes.is_some(), recorded)
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        if self.is_gap(found, recorded, plan) {
            // The name first: what lies beside it goes once the link is back.
            self.give_back(found, recorded, plan)?;
            return plan.clear(&self.link, found, recorded, &self.known());
        }
        plan.clear(&self.link, found, recorded, &self.known())?;
        self.give_back(found, recorded, plan)
    }

    fn clear(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        self.is_gap(found, recorded, plan);
        plan.clear(&self.link, found, recorded, &self.known())
    }
}

impl ReplaceLink {
    /// What may be left under a private name.
    fn known(&self) -> [(&Target, Option<FileId>); 2] {
        [(&self.target, self.file), (&self.old.target, Some(self.old.id))]
    }

    /// Whether the step was killed while two names were exchanged by way of a third: then its name may be free for no
    /// other reason.
    fn is_gap(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> bool {
        let begun = recorded.outcome != Outcome::NotReached;
        let is_gap = begun && found.has_old_aside() && found.metadata.is_none();
        if is_gap {
            plan.gap(&self.link);
        }
        is_gap
    }

    fn give_back(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let failed = matches!(recorded.outcome, Outcome::Failed(_));
        if failed || found.holds(&self.old.target, Some(self.old.id)) {
            return Ok(());
        }
        if found.metadata.is_none() && plan.is_gap(&self.link) {
            let (link, target) = (self.link.clone(), self.old.target.clone());
            let attributes = Some(self.old.attributes);
            plan.push_once(Step::CreateLink(CreateLink { link, target, file: None, attributes }));
            return Ok(());
        }
        // A link is a value: made anew by another undo, or by hand, it still is what the step made.
        if !found.holds(&self.target, self.file) {
            let cause = if found.metadata.is_none() { "it is gone" } else { "it has been changed since" };
            return Err(changed(&self.link, cause));
        }
        if let Some(now) = found.now(&self.target) {
            plan.put_back(&self.link, now, &self.old);
        }
        Ok(())
    }
}

/// Makes the new link beside the old one and exchanges them.
pub(super) fn replace(place: &Place, old: &Seen, new: &New<'_>, private: &OsStr) -> Result<FileId> {
    let old = &made_changeable(place.spot(), old, REPLACE)?;
    let fail = |error| Error::io(REPLACE, &place.path, error);
    let before = match new.preserve {
        Preserve::Everything => Some(platform::look(&place.directory, OsStr::new(".")).map_err(fail)?.0),
        Preserve::Attributes => None,
    };
    let made = new.make(place, private)?;
    let give = || match before {
        Some(_) => os::tree::give_link(&place.directory, place.name(), private).map_err(fail),
        None => Ok(()),
    };
    let swapped =
        give().and_then(|()| new.must_lead(place.spot_of(private), REPLACE)).and_then(|()| swap(place, old, private));
    let give_back_time = || match &before {
        Some(before) => os::tree::give_back_time(&place.directory, OsStr::new("."), before).map_err(fail),
        None => Ok(()),
    };
    if let Err(error) = swapped {
        if error.kind() == ErrorKind::Unsure {
            return Err(error);
        }
        // Whatever happened, only the new link may be removed under the private name.
        let ours = place.directory.metadata_nofollow(private).is_ok_and(|left| left.id == made);
        if ours && os::remove_file(&place.directory, private).is_ok() {
            return Err(give_back_time().err().unwrap_or(error));
        }
        return Err(left_behind(error, place, private));
    }
    let now = place.directory.metadata_nofollow(place.name());
    if now.map_err(|error| new.unsure(&place.path, error))?.id != made {
        let cause = "replaced, but something else has its name already";
        return Err(new.refuse(&place.path, ErrorKind::Unsure, cause));
    }
    give_back_time()?;
    Ok(made)
}

/// Puts the link under its private name in the place of the old one, which is gone then.
fn swap(place: &Place, old: &Seen, private: &OsStr) -> Result<()> {
    let fail = |error| Error::io(REPLACE, &place.path, error);
    let directory = &place.directory;
    must_hold_nothing(place.spot(), old, REPLACE)?;
    let check = || must_be(place.spot(), old, REPLACE);
    match swap_in(directory, private, place.name(), check, fail)? {
        // Once it is where nothing else looks, the old link can be put back, whatever it is.
        swapped @ (Swapped::Exchanged | Swapped::ByThirdName) => {
            let checked = must_still_be(place.spot_of(private), old, REPLACE)
                .and_then(|()| os::remove_file(directory, private).map_err(fail));
            let Err(error) = checked else { return Ok(()) };
            match exchange_back(directory, private, place.name(), swapped) {
                Ok(()) => Err(error),
                Err(_) => Err(left_behind(error, place, private)),
            }
        }
        // Renaming one name of a file onto another of the same file does nothing and reports nothing.
        Swapped::Replaced => match directory.metadata_nofollow(private) {
            Ok(_) => os::remove_file(directory, private).map_err(fail),
            Err(_) => Ok(()),
        },
    }
}
