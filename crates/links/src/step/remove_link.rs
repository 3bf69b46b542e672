//! Removes a link object, or one name of several.

use std::path::PathBuf;

use super::entry::{made_changeable, must_be, must_hold_nothing, put_back};
use super::on_disk::changed;
use super::undoing::{private_path, unknown};
use super::{Context, Done, Effect, OnDisk, StepKind, UndoPlan, os};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{CreateLink, EntryPath, FileId, FileKind, LinkKind, RemoveLink, Seen, Step, Target};
use crate::platform::{self, Place};

const REMOVE: &str = "remove the link";

impl RemoveLink {
    /// No system removes "this object, if it has this name": the link is renamed to a private name, looked at there, and
    /// only then removed.
    fn remove(&self, place: &Place, context: &Context<'_>) -> Result<()> {
        let (directory, name, private) = (&place.directory, place.name(), context.private());
        let fail = |error| Error::io(REMOVE, &place.path, error);
        let old = &made_changeable(place.spot(), &self.old, REMOVE)?;
        must_hold_nothing(place.spot(), old, REMOVE)?;
        // Two that remove the last two names of a file at the same time must not both see the other's.
        let kind = directory.metadata_nofollow(name).map_err(fail)?.kind;
        let _lock = match self.old.target {
            // What is none has no content to lose, and to open a device is to use it.
            Target::File(_) if kind == FileKind::File => os::lock_file(directory, name).map_err(fail)?,
            _ => None,
        };
        // The system's list of mount points knows it by its own name only.
        let is_volume = matches!(&self.old.target, Target::Reparse(point) if point.kind() == LinkKind::MountPoint);
        if is_volume && platform::follows_reparse_points() {
            return os::remove_file(directory, name).map_err(fail);
        }
        match os::rename_to_new(directory, name, directory, private) {
            Ok(()) => {}
            // A full disk may have no room for another name, and must not keep the link from going.
            Err(error) if platform::error_kind(&error) == ErrorKind::Full => {
                return os::remove_file(directory, name).map_err(fail);
            }
            Err(error) => return Err(fail(error)),
        }
        must_be(place.spot_of(private), old, REMOVE)
            .and_then(|()| os::remove_file(directory, private).map_err(fail))
            .map_err(|error| put_back(error, place, private))
    }
}

/// Another name of a symbolic link that had several, to give it back the one that was removed. Where none is found, the
/// link is made anew.
fn other_name(old: &Seen, link: &EntryPath, plan: &mut UndoPlan) -> Option<(PathBuf, FileId)> {
    if !old.several {
        return None;
    }
    let name = plan.other_name(link, old).ok()?;
    let id = OnDisk::look_at(&name).ok()?.metadata?.id;
    Some((name, id))
}

impl StepKind for RemoveLink {
    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        context.with_place(REMOVE, &self.link, |place| self.remove(place, context))?;
        Ok(Done::default())
    }

    fn effect(&self, found: &OnDisk, _recorded: &Recorded) -> Effect {
        found.effect_of_removal()
    }

    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        let (link, old) = (&self.link, &self.old);
        let waits = found.waiting(recorded);
        let ours = waits.filter(|left| left.holds(&old.target, Some(old.id)));
        if waits.is_some() && ours.is_none() {
            return Err(unknown(&private_path(recorded)));
        }
        // A removal that failed removed nothing, unless the link still waits where it was put.
        if matches!(recorded.outcome, Outcome::Failed(_)) && ours.is_none() {
            return Ok(());
        }
        if found.metadata.is_some() && !plan.gone.contains(&**link) {
            if !found.holds(&old.target, Some(old.id)) {
                return Err(changed(link, "the name is taken by something else now"));
            }
            // An undo killed at the very end may not have given it its owner and time.
            let now = found.now(&old.target).filter(|now| now.attributes != old.attributes);
            if let Some(now) = now
                && plan.is_repeated()
                && !matches!(old.target, Target::File(_))
            {
                plan.put_back(link, now, old);
            }
            return Ok(());
        }
        let (target, file, attributes, ntfs) = match &old.target {
            Target::File(_) => {
                let name = plan.other_name(link, old)?;
                let metadata = OnDisk::look_at(&name)?.metadata;
                (Target::File(name), metadata.map(|metadata| metadata.id), None, None)
            }
            target => match other_name(old, link, plan) {
                Some((name, id)) => (Target::File(name), Some(id), None, None),
                None => (target.clone(), None, Some(old.attributes), old.ntfs.clone()),
            },
        };
        plan.push(Step::CreateLink(CreateLink { link: link.clone(), target, file, attributes, ntfs }));
        // Killed between renaming and removing: the old object still waits under its private name.
        if let Some(now) = ours.and_then(|left| left.now(&old.target)) {
            let link = private_path(recorded).into();
            plan.push_once(Step::RemoveLink(Self { link, old: now }));
        }
        Ok(())
    }

    fn clear(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        plan.clear(&self.link, found, recorded, &[(&self.old.target, Some(self.old.id))])
    }
}
