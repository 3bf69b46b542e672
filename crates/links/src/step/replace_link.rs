//! Puts a new link in the place of another: there is always one of the two.

use std::ffi::OsStr;

use super::entry::{left_behind, made_changeable, must_be, must_hold_nothing, must_still_be};
use super::make::{New, not_given};
use super::on_disk::changed;
use super::os::Replaced;
use super::{Context, Done, Effect, Needs, OnDisk, StepKind, UndoPlan, os};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{CreateLink, FileId, Finding, ReplaceLink, Seen, Step, Target};
use crate::platform::{self, Place};

const REPLACE: &str = "replace link";

impl StepKind for ReplaceLink {
    fn needs(&self) -> Needs {
        let soft = |target: &Target| !matches!(target, Target::File(_));
        Needs { parallel: soft(&self.target) && soft(&self.old.target), ..Needs::default() }
    }

    fn untried(&self) -> Vec<Finding> {
        not_given(&self.link, self.ntfs.as_deref().or(self.old.ntfs.as_deref()))
    }

    fn preflight(&self) -> Result<Vec<Finding>> {
        Ok(self.untried())
    }

    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        let new =
            New { target: &self.target, file: self.file, attributes: self.attributes, ntfs: self.ntfs.as_deref() };
        context.with_place(REPLACE, &self.link, |place| {
            replace(place, &self.old, &new, context.private(), Preserve::Attributes)
        })
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
        let is_gap = found.aside(recorded).is_some() && found.metadata.is_none();
        if is_gap {
            plan.gaps.insert(self.link.to_path_buf());
        }
        is_gap
    }

    fn give_back(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let failed = matches!(recorded.outcome, Outcome::Failed(_));
        if failed || found.holds(&self.old.target, Some(self.old.id)) {
            return Ok(());
        }
        if found.metadata.is_none() && plan.gaps.contains(&*self.link) {
            let (link, target) = (self.link.clone(), self.old.target.clone());
            let attributes = Some(self.old.attributes);
            let ntfs = found.aside(recorded).and_then(|aside| aside.now(&target)).and_then(|old| old.ntfs);
            plan.push_once(Step::CreateLink(CreateLink { link, target, file: None, attributes, ntfs }));
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

/// What a replacement gets of the link that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preserve {
    /// The attributes that are given.
    Attributes,
    /// All that belongs to it; and its directory keeps its time.
    Everything,
}

/// Makes the new link beside the old one and exchanges them.
pub(super) fn replace(place: &Place, old: &Seen, new: &New<'_>, private: &OsStr, preserve: Preserve) -> Result<Done> {
    let old = &made_changeable(place.spot(), old, REPLACE)?;
    let fail = |error| Error::io(REPLACE, &place.path, error);
    let here = OsStr::new(".");
    let is_soft = |target: &Target| !matches!(target, Target::File(_));
    let now = if new.ntfs.is_none() && is_soft(&old.target) && is_soft(new.target) {
        platform::ntfs_metadata(&place.directory, place.name()).map_err(fail)?
    } else {
        None
    };
    let new = New { ntfs: new.ntfs.or(now.as_deref()), ..*new };
    let before = match preserve {
        Preserve::Everything => Some(platform::look(&place.directory, here).map_err(fail)?.0),
        Preserve::Attributes => None,
    };
    let made = new.make(place, private)?;
    let give_back_time = || match &before {
        Some(before) => os::tree::give_back_time(&place.directory, here, before).map_err(fail),
        None => Ok(()),
    };
    let swap = || {
        if before.is_some() {
            os::tree::give_link(&place.directory, place.name(), private).map_err(fail)?;
        }
        new.must_lead(place.spot_of(private), REPLACE)?;
        swap(place, old, private)
    };
    if let Err(error) = swap() {
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
    let lost = new.finish(place, made);
    give_back_time()?;
    Ok(Done { lost, ..made.into() })
}

/// Puts the link under its private name in the place of the old one, which is gone then.
fn swap(place: &Place, old: &Seen, private: &OsStr) -> Result<()> {
    let fail = |error| Error::io(REPLACE, &place.path, error);
    let directory = &place.directory;
    must_hold_nothing(place.spot(), old, REPLACE)?;
    let check = || must_be(place.spot(), old, REPLACE);
    match os::replace(directory, private, place.name(), check, fail)? {
        // Once it is where nothing else looks, the old link can be put back, whatever it is.
        Replaced::Exchanged => {
            let checked = must_still_be(place.spot_of(private), old, REPLACE)
                .and_then(|()| os::remove_file(directory, private).map_err(fail));
            let Err(error) = checked else { return Ok(()) };
            match os::exchange_back(directory, private, place.name()) {
                Ok(()) => Err(error),
                Err(_) => Err(left_behind(error, place, private)),
            }
        }
        // Renaming one name of a file onto another of the same file does nothing and reports nothing.
        Replaced::Gone => match directory.metadata_nofollow(private) {
            Ok(_) => os::remove_file(directory, private).map_err(fail),
            Err(_) => Ok(()),
        },
    }
}
