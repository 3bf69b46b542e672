//! The place of a recorded step, as it is on the disk now.

use std::ffi::OsStr;
use std::path::Path;

use super::Effect;
use super::private_name::aside_name;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{Action, FileId, FileKind, Metadata, Sameness, Seen, Target};
use crate::platform::{self, FileSystems, Place, Spot};
use crate::read::inspect;

/// The place of a recorded step, and what is there.
pub(crate) struct OnDisk {
    pub(crate) metadata: Option<Metadata>,
    seen: Option<Seen>,
    /// What is there under the step's private name, where a killed run may have left something.
    left: Option<Box<OnDisk>>,
    /// What is there under the name of the old link while two names are exchanged by way of a third.
    aside: Option<Box<OnDisk>>,
}

impl OnDisk {
    /// Looks at the place of a step, and at the private names beside it.
    pub(crate) fn look(recorded: &Recorded, file_systems: &FileSystems) -> Result<Self> {
        let path = recorded.step.path();
        let elsewhere = |cause| Err(changed(path, cause));
        let place = match Place::open_physical(UNDO, path) {
            Ok(place) => place,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::ParentMissing => elsewhere("its directory is not there now; is its volume mounted?"),
                    ErrorKind::NotADirectory | ErrorKind::Loop => {
                        elsewhere("a link has taken the place of a directory on its path")
                    }
                    _ => Err(error),
                };
            }
        };
        let here = place.directory.home(file_systems).map_err(|error| Error::io(UNDO, path.as_ref(), error))?;
        match recorded.home.as_ref().map(|home| home.is_same(&here)) {
            None | Some(Sameness::Same) => {}
            Some(Sameness::Other) => {
                return elsewhere("its path leads to another directory, or another volume is mounted there");
            }
            Some(Sameness::Unknown) => {
                return elsewhere(
                    "whether its directory is the one of then is unknown: its file system was mounted anew since, has no UUID \
                     that can be read, and keeps no time of birth",
                );
            }
        }
        let at = |name: &OsStr| -> Result<_> {
            let found = Self::at(place.spot_of(name))?;
            Ok(found.metadata.is_some().then(|| Box::new(found)))
        };
        let private = OsStr::new(&recorded.private_name);
        let mut found = Self::at(place.spot())?;
        found.left = at(private)?;
        if recorded.step.action() == Action::Replace {
            found.aside = at(&aside_name(private))?;
        }
        Ok(found)
    }

    /// Looks at a path that has no record.
    pub(crate) fn look_at(path: &Path) -> Result<Self> {
        Self::at(Place::open(UNDO, path)?.spot())
    }

    fn at(spot: Spot<'_>) -> Result<Self> {
        let fail = |error| Error::io(UNDO, spot.path, error);
        let metadata = platform::if_there(spot.directory.metadata_nofollow(spot.name)).map_err(fail)?;
        let seen = metadata.map(|metadata| inspect::see(spot, &metadata)).transpose().map_err(fail)?.flatten();
        Ok(Self { metadata, seen, left: None, aside: None })
    }

    /// Whether this is the link with this target; a hard link, whether it is a name of this file.
    pub(crate) fn holds(&self, target: &Target, file: Option<FileId>) -> bool {
        match (target, self.metadata, file) {
            (Target::File(_), Some(metadata), Some(file)) => {
                // A symbolic link can have several names, too.
                (self.seen.is_none() || metadata.links > 1)
                    && metadata.kind != FileKind::Directory
                    && metadata.id.same_file(file)
            }
            (Target::File(_), ..) => false,
            (target, ..) => self.seen.as_ref().is_some_and(|seen| platform::same_target(&seen.target, target)),
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
                several: false,
                ntfs: None,
            }),
            _ => self.seen.clone(),
        }
    }

    /// What a step that was killed left under its private name; a step that ended well left nothing.
    pub(super) fn waiting(&self, recorded: &Recorded) -> Option<&Self> {
        self.left.as_deref().filter(|_| recorded.outcome != Outcome::NotReached)
    }

    /// The same under the name of the old link.
    pub(super) fn aside(&self, recorded: &Recorded) -> Option<&Self> {
        self.aside.as_deref().filter(|_| recorded.outcome != Outcome::NotReached)
    }

    /// Whether anything is under a private name.
    fn has_left(&self) -> bool {
        self.left.is_some() || self.aside.is_some()
    }

    /// How a step that makes a link stands.
    pub(super) fn effect_of_making(
        &self,
        target: &Target,
        file: Option<FileId>,
        is_given_time: bool,
        recorded: &Recorded,
    ) -> Effect {
        match &self.metadata {
            _ if self.has_left() => Effect::Left,
            Some(found) if self.holds(target, file) => {
                // The file of a hard link is older than its name.
                let ours = matches!(target, Target::File(_)) || is_of_its_time(found, is_given_time, recorded);
                if ours { Effect::Made(Some(found.id)) } else { Effect::NotMade }
            }
            _ => Effect::NotMade,
        }
    }

    /// Whether this is what a link of two system calls is made of, and as old as the step.
    pub(super) fn is_stub_of(&self, target: &Target, is_given_time: bool, recorded: &Recorded) -> bool {
        self.metadata
            .as_ref()
            .is_some_and(|found| is_stub(target, found) && is_of_its_time(found, is_given_time, recorded))
    }

    /// How a step that removes an entry stands.
    pub(super) fn effect_of_removal(&self) -> Effect {
        match (self.has_left(), self.metadata) {
            (true, _) => Effect::Left,
            (false, None) => Effect::Made(None),
            (false, Some(_)) => Effect::NotMade,
        }
    }
}

impl Recorded {
    /// Whether an object may have been made by the step: one that was there before was not. The clocks of file systems lag
    /// behind by a tick.
    pub(super) fn may_have_made(&self, id: FileId) -> bool {
        const TICK: u64 = 20;
        let born = id.born / 1_000_000;
        born == 0 || born + TICK >= u64::try_from(self.began).unwrap_or(0)
    }
}

/// Whether an empty file or directory is as old as the step: one made later by something else, under a name that was
/// never taken, is not ours. Volumes without a time of birth are asked for the time of change.
fn is_of_its_time(found: &Metadata, is_given_time: bool, recorded: &Recorded) -> bool {
    /// As long as a chunk of steps may take, in milliseconds.
    const LONGEST: i64 = 30_000;
    let since = |milliseconds: i64| (-20..LONGEST).contains(&milliseconds.saturating_sub(recorded.began));
    let (seconds, nanoseconds) = found.attributes.modified;
    match i64::try_from(found.id.born / 1_000_000) {
        Ok(born) if born != 0 => since(born),
        // The step itself gave it another time.
        _ if is_given_time => true,
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

/// The operation in errors about an undo.
pub(super) const UNDO: &str = "undo the change to";

/// Refuses to undo what was changed since.
pub(super) fn changed(path: &Path, cause: &str) -> Error {
    Error::new(ErrorKind::Changed, UNDO, path, cause)
}
