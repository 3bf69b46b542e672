//! Plans an operation backwards. What the journal says is only where to look: the disk decides.

mod effect;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use effect::{Effect, effect};
use effect::{Spot, is_stub};

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Operation, OperationId, Outcome, Recorded, Status};
use crate::model::{FileId, FileKind, Metadata, Target};
use crate::names;
use crate::plan::{Plan, Seen, Step};
use crate::platform::Directory;

const UNDO: &str = "undo";

/// An undo, planned.
#[derive(Debug)]
pub struct Undo {
    /// The operation to be undone.
    pub operation: Operation,
    /// What will be done.
    pub plan: Plan,
    /// What cannot be undone, because it was changed since.
    pub changed: Vec<Error>,
}

/// Plans to undo an operation; without a number the newest one not undone yet.
///
/// # Errors
/// There is no such operation, it was undone already, or it still runs.
pub fn plan(journal: &Journal, id: Option<OperationId>) -> Result<Undo> {
    let operation = match id {
        Some(id) => journal.operation(id)?,
        None => journal.last_undoable()?,
    };
    let refuse = |cause: String| Err(Error::new(ErrorKind::Nothing, UNDO, journal.directory(), cause));
    if let Some(by) = operation.undone_by {
        return refuse(format!("operation {} was undone already, by {by}", operation.id));
    }
    if operation.status == Status::Running {
        return refuse(format!("operation {} is still running", operation.id));
    }
    let steps = journal.steps(operation.id)?;
    let mut backwards = Backwards { plan: Plan::default(), gone: BTreeSet::new() };
    let mut changed = Vec::new();
    // An earlier undo of it may have been killed: what that left behind goes first.
    for earlier in journal.interrupted_undos(operation.id)? {
        for recorded in journal.steps(earlier.id)? {
            if let Err(error) = backwards.clear(&recorded) {
                changed.push(error);
            }
        }
    }
    for recorded in steps.iter().rev() {
        if let Err(error) = backwards.step(recorded) {
            changed.push(error);
        }
    }
    Ok(Undo { operation, plan: backwards.plan, changed })
}

struct Backwards {
    plan: Plan,
    /// What the plan will have removed: a directory of only these will be empty.
    gone: BTreeSet<PathBuf>,
}

impl Backwards {
    fn step(&mut self, recorded: &Recorded) -> Result<()> {
        if recorded.outcome == Outcome::NotReached {
            return Ok(());
        }
        let path = recorded.step.path();
        let spot = match Spot::look(path) {
            Ok(spot) => spot,
            Err(error) if error.kind() == ErrorKind::ParentMissing => {
                return Err(changed(path, "its directory is not there now; is its volume mounted?"));
            }
            Err(error) => return Err(error),
        };
        if matches!(recorded.step, Step::ReplaceLink { .. }) {
            self.clear(recorded)?;
        }
        match &recorded.step {
            Step::MakeDirectory { path } => self.made_directory(path, recorded, &spot),
            Step::CreateLink { link, target, file, .. } => self.created(link, target, *file, recorded, &spot),
            Step::ReplaceLink { link, old, target, file, .. } => {
                self.replaced(link, old, target, *file, &spot)
            }
            Step::RemoveLink { link, old } => self.removed(link, old, recorded, &spot),
            Step::RemoveEmpty { path, directory, .. } => {
                if *directory && spot.metadata.is_none() && !matches!(recorded.outcome, Outcome::Failed(_)) {
                    self.plan.steps.push(Step::MakeDirectory { path: path.clone() });
                }
                Ok(())
            }
        }
    }

    /// Removes what a killed step left under its private name: the new link of a replacement, the old
    /// one, or one about to be removed; and a Windows link half made under its own name.
    fn clear(&mut self, recorded: &Recorded) -> Result<()> {
        if matches!(recorded.outcome, Outcome::Done(_) | Outcome::NotReached) {
            return Ok(());
        }
        let link = recorded.step.path();
        let candidates = match &recorded.step {
            Step::CreateLink { target, .. } => {
                let spot = Spot::look(link)?;
                if let Some(stub) = spot.metadata.filter(|found| is_stub(target, found)) {
                    self.remove_stub(link.to_owned(), &stub);
                }
                return Ok(());
            }
            Step::ReplaceLink { target, file, old, .. } => vec![(target, *file), (&old.target, Some(old.id))],
            Step::RemoveLink { old, .. } => vec![(&old.target, Some(old.id))],
            Step::MakeDirectory { .. } | Step::RemoveEmpty { .. } => return Ok(()),
        };
        let private = link.with_file_name(&recorded.private_name);
        let left = Spot::look(&private)?;
        let Some(metadata) = left.metadata else { return Ok(()) };
        let which = candidates.iter().find(|(target, file)| left.holds(target, *file));
        let new = recorded.step.target();
        if let Some(old) = which.and_then(|(target, _)| left.now(target)) {
            self.plan.steps.push(Step::RemoveLink { link: private, old });
        } else if new.is_some_and(|target| is_stub(target, &metadata)) {
            self.remove_stub(private, &metadata);
        }
        Ok(())
    }

    fn remove_stub(&mut self, path: PathBuf, metadata: &Metadata) {
        self.gone.insert(path.clone());
        let directory = metadata.kind == FileKind::Directory;
        self.plan.steps.push(Step::RemoveEmpty { path, id: metadata.id, directory });
    }

    fn made_directory(&mut self, path: &Path, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let Some(metadata) = spot.metadata else { return Ok(()) };
        let ours = match recorded.outcome {
            Outcome::Done(Some(made)) => metadata.id.same_file(made),
            // Settled by an earlier undo, from the disk.
            Outcome::Done(None) => true,
            Outcome::NotReached => false,
            // Made by the killed run, or by another at the same time: only an empty one is taken.
            Outcome::Pending | Outcome::Unsure(_) => true,
            Outcome::Failed(_) => false,
        };
        if !ours || metadata.kind != FileKind::Directory {
            return Ok(());
        }
        let entries = Directory::open(path).and_then(|directory| directory.entries());
        let mut entries = entries.map_err(|error| Error::io(UNDO, path, error))?;
        let others =
            entries.any(|entry| entry.map_or(true, |entry| !self.gone.contains(&path.join(entry.name))));
        if others {
            self.plan.note(path, "the directory stays: it holds more than was made in it");
            return Ok(());
        }
        self.remove_stub(path.to_owned(), &metadata);
        Ok(())
    }

    fn created(
        &mut self,
        link: &Path,
        target: &Target,
        file: Option<FileId>,
        recorded: &Recorded,
        spot: &Spot,
    ) -> Result<()> {
        let Some(metadata) = spot.metadata else {
            return match recorded.outcome {
                Outcome::Done(Some(made)) => self.already_gone(link, made, spot),
                _ => Ok(()),
            };
        };
        if spot.holds(target, file) {
            if matches!(recorded.outcome, Outcome::Failed(_)) {
                // It failed because this was there already: not ours.
                return Ok(());
            }
            if matches!(target, Target::File(_)) && metadata.links < 2 {
                return Err(changed(link, "it is the last name of its file now"));
            }
            if let Some(old) = spot.now(target) {
                self.gone.insert(link.to_owned());
                self.plan.steps.push(Step::RemoveLink { link: link.to_owned(), old });
            }
            return Ok(());
        }
        match recorded.outcome {
            Outcome::Pending | Outcome::Unsure(_) if is_stub(target, &metadata) => {
                self.remove_stub(link.to_owned(), &metadata);
                Ok(())
            }
            Outcome::Done(_) => Err(changed(link, "what was made there has been changed since")),
            _ => Ok(()),
        }
    }

    /// Somebody else removed it: nothing is left to do, if this is still the place where it was.
    fn already_gone(&mut self, link: &Path, made: FileId, spot: &Spot) -> Result<()> {
        let here = spot.place.directory.metadata().map_err(|error| Error::io(UNDO, link, error))?;
        if here.id.volume != made.volume {
            return Err(changed(link, "it is not there, and another volume is mounted there than before"));
        }
        self.plan.note(link, "it is gone already");
        Ok(())
    }

    fn replaced(
        &mut self,
        link: &Path,
        old: &Seen,
        target: &Target,
        file: Option<FileId>,
        spot: &Spot,
    ) -> Result<()> {
        if spot.holds(&old.target, Some(old.id)) {
            return Ok(());
        }
        if !spot.holds(target, file) {
            let cause = if spot.metadata.is_none() { "it is gone" } else { "it has been changed since" };
            return Err(changed(link, cause));
        }
        if let Some(now) = spot.now(target) {
            self.plan.steps.push(Step::ReplaceLink {
                link: link.to_owned(),
                old: now,
                target: old.target.clone(),
                file: None,
                attributes: Some(old.attributes),
            });
        }
        Ok(())
    }

    fn removed(&mut self, link: &Path, old: &Seen, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let private = spot.place.path.with_file_name(&recorded.private_name);
        let left = Spot::look(&private)?;
        let waiting = left.metadata.is_some_and(|metadata| metadata.id.same_file(old.id));
        if spot.metadata.is_some() && !self.gone.contains(link) {
            if spot.holds(&old.target, Some(old.id)) {
                return Ok(());
            }
            return Err(changed(link, "the name is taken by something else now"));
        }
        let (target, file, attributes) = match &old.target {
            Target::File(_) => {
                let near = link.parent().filter(|parent| !parent.as_os_str().is_empty());
                let name = names::find_any(old.id, near.unwrap_or(Path::new(".")));
                let name = name.ok_or_else(|| changed(link, "no other name of its file was found"))?;
                let metadata = Spot::look(&name)?.metadata;
                (Target::File(name), metadata.map(|metadata| metadata.id), None)
            }
            target => (target.clone(), None, Some(old.attributes)),
        };
        self.plan.steps.push(Step::CreateLink { link: link.to_owned(), target, file, attributes });
        // Killed between renaming and removing: the old object still waits under its private name.
        if waiting && let Some(now) = left.now(&old.target) {
            self.plan.steps.push(Step::RemoveLink { link: private, old: now });
        }
        Ok(())
    }
}

fn changed(path: &Path, cause: &str) -> Error {
    Error::new(ErrorKind::Changed, UNDO, path, cause)
}
