//! Whether what is at a place is the tree that was moved there, on the volume that it was moved to.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{FileKind, Metadata, Sameness, Step, Volume, described, same_file_system, uuid};
use crate::platform::{self, Directory, FileSystems, quoted};
use crate::read::identity::{Told, hold};

/// The tree that a step left at a path, if all that is recorded of it is true of what is there now.
pub(crate) fn tree_at(operation: &'static str, path: &Path, recorded: &Recorded) -> Result<Metadata> {
    let refuse = |cause: String| Err(Error::new(ErrorKind::Changed, operation, path, cause));
    let file_systems = FileSystems::default();
    let known = recorded.tree.as_deref();
    let at_far_end = recorded.step.tree().is_some_and(|tree| **tree.to == *path && tree.to != recorded.step.path());
    let far = recorded.step.volume().filter(|_| at_far_end);
    let volume = known.and_then(|tree| tree.volume.as_deref()).or(far);
    if let Some(volume) = volume {
        must_be_on(operation, path, volume)?;
    }
    let held = match hold(path) {
        Ok(held) => held,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return refuse("what was moved there is gone".to_owned());
        }
        Err(error) => return Err(Error::io(operation, path, error)),
    };
    let fail = |error| Error::io(operation, path, error);
    let metadata = held.metadata().map_err(fail)?;
    let there = match metadata.kind {
        FileKind::File => "a file",
        FileKind::Directory => "a directory",
        FileKind::Link => "a link",
        FileKind::Special => "a device, pipe or socket",
    };
    let Some(known) = known else {
        let made = match (&recorded.outcome, recorded.step.tree_id()) {
            // All that rows of before have of it.
            (Outcome::Done(Some(made)), _) => *made,
            // Its end was not recorded. On its file system it was renamed; which number a copy got, nobody knows.
            (_, Some(id)) if id.volume() == metadata.id.volume() => id,
            _ => return Ok(metadata),
        };
        if made.same_file(metadata.id) && metadata.kind != FileKind::Link {
            return Ok(metadata);
        }
        return refuse(format!("it is not what was moved there: {there} with another file number has this name now"));
    };
    let expected = if known.kind == FileKind::File { "the file" } else { "the directory" };
    match known.tell(&held, &file_systems).map_err(fail)? {
        Told::Same => Ok(metadata),
        Told::Other(how) => {
            refuse(format!("it is not {expected} that was moved there: {there} {how} has this name now"))
        }
        Told::OtherVolume(now) => {
            let volume = volume.map_or_else(|| described(&known.file_system), ToString::to_string);
            refuse(format!("it is on volume {now}, and what was moved there is on volume {volume}"))
        }
        Told::Unknown => refuse(format!(
            "whether it is {expected} that was moved there is unknown: its file system, {}, was mounted anew since, has no \
             UUID that can be read, and keeps no time of birth",
            described(&known.file_system)
        )),
    }
}

/// Refuses where the place of an entry is not on the volume that it was on.
pub(crate) fn must_be_on(operation: &'static str, path: &Path, volume: &Volume) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    let file_systems = FileSystems::default();
    let now = match Directory::open_physical(parent) {
        Ok(directory) => Some(file_systems.name(&directory).map_err(|error| Error::io(operation, parent, error))?),
        Err(_) => None,
    };
    if now.as_deref().is_some_and(|now| same_file_system(&volume.name, now) != Sameness::Other) {
        return Ok(());
    }
    let mut cause = format!("it was on volume {volume}, ");
    match platform::mounted(&volume.name).first() {
        Some(point) => cause.push_str(&format!("which is mounted at {} now", quoted(point))),
        None => cause.push_str("not mounted"),
    }
    match now.as_deref().map(uuid) {
        Some(Some(now)) => cause.push_str(&format!("; {} is on volume {now} now", quoted(parent))),
        Some(None) => cause.push_str(&format!("; {} is on another file system now", quoted(parent))),
        None => {}
    }
    Err(Error::new(ErrorKind::VolumeAway, operation, path, cause))
}

/// Whether the volume to which a recorded move went is not where it was: nothing tells then how the move ended.
pub(crate) fn is_volume_away(recorded: &Recorded) -> bool {
    let far = match &recorded.step {
        Step::MoveTree(step) => &step.destination,
        Step::RestoreTree(step) => &step.tree,
        _ => return false,
    };
    recorded.step.volume().is_some_and(|volume| must_be_on("look at", far, volume).is_err())
}
