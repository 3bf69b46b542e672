//! Plans an operation backwards. What the journal says is only where to look: the disk decides.

mod effect;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub use effect::settled;
use effect::{Spot, is_stub};

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Operation, OperationId, Outcome, Recorded, Status};
use crate::model::{FileId, FileKind, Metadata, Target};
use crate::plan::{Plan, Seen, Step};
use crate::platform::Directory;
use crate::read::file_names;
use crate::step::aside_name;

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
    let mut backwards = Backwards::default();
    let mut changed = Vec::new();
    // An earlier undo of it may have been killed: what that left behind goes first.
    let mut earlier = Vec::new();
    for undo in journal.interrupted_undos(operation.id)? {
        backwards.again = true;
        earlier.extend(settled(journal, undo.id)?);
    }
    let removed = |recorded: &&Recorded| {
        let removes = matches!(recorded.step, Step::RemoveLink { .. } | Step::RemoveEmpty { .. });
        removes && matches!(recorded.outcome, Outcome::Done(_))
    };
    backwards.removed =
        earlier.iter().filter(removed).map(|recorded| recorded.step.path().to_owned()).collect();
    for recorded in &earlier {
        changed.extend(backwards.clear_earlier(recorded).err());
    }
    for recorded in settled(journal, operation.id)?.iter().rev() {
        changed.extend(backwards.step(recorded).err());
    }
    Ok(Undo { operation, plan: backwards.plan, changed })
}

#[derive(Default)]
struct Backwards {
    plan: Plan,
    /// What the plan will have removed: a directory of only these will be empty.
    gone: BTreeSet<PathBuf>,
    /// Whether an earlier undo was killed before its end.
    again: bool,
    /// Names that are free only because a replacement was killed half-way.
    gaps: BTreeSet<PathBuf>,
    /// What earlier undos removed before they were killed.
    removed: BTreeSet<PathBuf>,
}

impl Backwards {
    fn step(&mut self, recorded: &Recorded) -> Result<()> {
        let Some(spot) = self.look(recorded)? else { return Ok(()) };
        match &recorded.step {
            Step::MakeDirectory { path } => self.made_directory(path, recorded, &spot),
            Step::CreateLink { link, target, file, .. } => self.created(link, target, *file, recorded, &spot),
            Step::ReplaceLink { link, old, target, file, .. } => {
                let known = [(target, *file), (&old.target, Some(old.id))];
                if self.note_gap(link, recorded, &spot) {
                    // The name first: what lies beside it goes once the link is back.
                    self.replaced(link, old, (target, *file), recorded, &spot)?;
                    return self.clear(recorded, &spot, &known);
                }
                self.clear(recorded, &spot, &known)?;
                self.replaced(link, old, (target, *file), recorded, &spot)
            }
            Step::RemoveLink { link, old } => self.removed(link, old, recorded, &spot),
            Step::ClearReparsePoint { path, old } => self.cleared(path, old, recorded, &spot),
            Step::SetReparsePoint { path, target, .. } => {
                if let (Some(old), Outcome::Done(_)) = (spot.now(target), &recorded.outcome) {
                    if !spot.holds(target, None) {
                        return Err(changed(path, "its reparse point has been changed since"));
                    }
                    self.plan.steps.push(Step::ClearReparsePoint { path: path.clone(), old });
                }
                Ok(())
            }
            Step::MoveTree { .. } => self.moved(recorded, &spot),
            Step::RestoreTree { .. } => self.restored(recorded, &spot),
            Step::RemoveEmpty { path, directory, .. } => {
                if *directory && spot.metadata.is_none() && matches!(recorded.outcome, Outcome::Done(_)) {
                    self.plan.steps.push(Step::MakeDirectory { path: path.clone() });
                }
                Ok(())
            }
        }
    }

    /// The place of a step, if there is anything to be looked for.
    fn look(&self, recorded: &Recorded) -> Result<Option<Spot>> {
        if recorded.outcome == Outcome::NotReached {
            return Ok(None);
        }
        // With a directory that an earlier undo removed went all that was in it.
        let above = recorded.step.path().ancestors().skip(1);
        match Spot::look(recorded) {
            Ok(spot) => Ok(Some(spot)),
            Err(_) if above.into_iter().any(|path| self.removed.contains(path)) => Ok(None),
            // What failed for want of its directory left nothing there.
            Err(_) if matches!(recorded.outcome, Outcome::Failed(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what a step of a killed undo left: under its private name, or half made under its own.
    fn clear_earlier(&mut self, recorded: &Recorded) -> Result<()> {
        let Some(spot) = self.look(recorded)? else { return Ok(()) };
        match &recorded.step {
            Step::CreateLink { link, target, .. } => {
                if let Some(stub) = spot.metadata.filter(|found| is_stub(target, found)) {
                    self.remove_stub(link.clone(), &stub);
                }
                Ok(())
            }
            Step::ReplaceLink { link, target, file, old, .. } => {
                self.note_gap(link, recorded, &spot);
                self.clear(recorded, &spot, &[(target, *file), (&old.target, Some(old.id))])
            }
            Step::RemoveLink { old, .. } => self.clear(recorded, &spot, &[(&old.target, Some(old.id))]),
            // They use no private name and are done in one call.
            Step::MakeDirectory { .. }
            | Step::RemoveEmpty { .. }
            | Step::ClearReparsePoint { .. }
            | Step::SetReparsePoint { .. }
            // What an interrupted one left, `recover` clears.
            | Step::MoveTree { .. }
            | Step::RestoreTree { .. } => Ok(()),
        }
    }

    /// Whether the step was killed while two names changed places by a third: then its name may be free for no other
    /// reason.
    fn note_gap(&mut self, link: &Path, recorded: &Recorded, spot: &Spot) -> bool {
        let begun = recorded.outcome != Outcome::NotReached;
        let aside = spot.aside.as_ref().is_some_and(|aside| aside.metadata.is_some());
        let is_gap = begun && aside && spot.metadata.is_none();
        if is_gap {
            self.gaps.insert(link.to_owned());
        }
        is_gap
    }

    /// Removes what waits under a step's private names, if it is one of these.
    fn clear(&mut self, recorded: &Recorded, spot: &Spot, known: &[(&Target, Option<FileId>)]) -> Result<()> {
        let aside = aside_name(OsStr::new(&recorded.private_name));
        let places =
            [(&spot.left, private_path(recorded)), (&spot.aside, recorded.step.path().with_file_name(aside))];
        for (left, path) in places {
            if let Some((left, metadata)) = waiting(recorded, left.as_deref()) {
                self.clear_one(recorded, (left, metadata), path, known)?;
            }
        }
        Ok(())
    }

    fn clear_one(
        &mut self,
        recorded: &Recorded,
        (left, metadata): (&Spot, Metadata),
        private: PathBuf,
        known: &[(&Target, Option<FileId>)],
    ) -> Result<()> {
        let which = known.iter().find(|(target, file)| left.holds(target, *file));
        if let Some(old) = which.and_then(|(target, _)| left.now(target)) {
            self.gone.insert(private.clone());
            self.push_once(Step::RemoveLink { link: private, old });
        } else if recorded.step.target().is_some_and(|target| is_stub(target, &metadata)) {
            self.remove_stub(private, &metadata);
        } else {
            return Err(unknown(&private));
        }
        Ok(())
    }

    /// Two undos that were killed may have left word of the same thing.
    fn push_once(&mut self, step: Step) {
        let known = |other: &Step| other.path() == step.path() && other.action() == step.action();
        if !self.again || !self.plan.steps.iter().any(known) {
            self.plan.steps.push(step);
        }
    }

    fn remove_stub(&mut self, path: PathBuf, metadata: &Metadata) {
        self.gone.insert(path.clone());
        let directory = metadata.kind == FileKind::Directory;
        self.push_once(Step::RemoveEmpty { path, id: metadata.id, directory });
    }

    fn made_directory(&mut self, path: &Path, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let (Some(metadata), Outcome::Done(made)) = (spot.metadata, &recorded.outcome) else { return Ok(()) };
        let ours = made.is_none_or(|made| metadata.id.same_file(made));
        if !ours || metadata.kind != FileKind::Directory {
            return Ok(());
        }
        let fail = |error| Error::io(UNDO, path, error);
        for entry in Directory::open_physical(path).and_then(|directory| directory.entries()).map_err(fail)? {
            if !self.gone.contains(&path.join(entry.map_err(fail)?.name)) {
                self.plan.note(path, "the directory stays: it holds more than was made in it");
                return Ok(());
            }
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
        let metadata = match (spot.metadata, &recorded.outcome) {
            // It failed: whatever is there is not ours.
            (_, Outcome::Failed(_)) => return Ok(()),
            (None, Outcome::Done(_)) => {
                self.plan.note(link, "it is gone already");
                return Ok(());
            }
            (None, _) => return Ok(()),
            (Some(metadata), _) => metadata,
        };
        if !spot.holds(target, file) {
            return match recorded.outcome {
                Outcome::Pending | Outcome::Unsure(_) if is_stub(target, &metadata) => {
                    self.remove_stub(link.to_owned(), &metadata);
                    Ok(())
                }
                Outcome::Done(_) => Err(changed(link, "what was made there has been changed since")),
                _ => Ok(()),
            };
        }
        if matches!(target, Target::File(_)) && metadata.links < 2 {
            return Err(changed(link, "it is the last name of its file now"));
        }
        if let Some(old) = spot.now(target) {
            self.gone.insert(link.to_owned());
            self.plan.steps.push(Step::RemoveLink { link: link.to_owned(), old });
        }
        Ok(())
    }

    fn replaced(
        &mut self,
        link: &Path,
        old: &Seen,
        (target, file): (&Target, Option<FileId>),
        recorded: &Recorded,
        spot: &Spot,
    ) -> Result<()> {
        let failed = matches!(recorded.outcome, Outcome::Failed(_));
        if failed || spot.holds(&old.target, Some(old.id)) {
            return Ok(());
        }
        if spot.metadata.is_none() && self.gaps.contains(link) {
            let (link, target, attributes) = (link.to_owned(), old.target.clone(), Some(old.attributes));
            self.push_once(Step::CreateLink { link, target, file: None, attributes });
            return Ok(());
        }
        // A link is a value: made anew by another undo, or by hand, it still is what the step made.
        if !spot.holds(target, file) {
            let cause = if spot.metadata.is_none() { "it is gone" } else { "it has been changed since" };
            return Err(changed(link, cause));
        }
        if let Some(now) = spot.now(target) {
            self.put_back(link, now, old);
        }
        Ok(())
    }

    fn put_back(&mut self, link: &Path, now: Seen, old: &Seen) {
        self.plan.steps.push(Step::ReplaceLink {
            link: link.to_owned(),
            old: now,
            target: old.target.clone(),
            file: None,
            attributes: Some(old.attributes),
        });
    }

    fn cleared(&mut self, path: &Path, old: &Seen, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let failed = matches!(recorded.outcome, Outcome::Failed(_));
        if failed || spot.holds(&old.target, None) {
            return Ok(());
        }
        match spot.metadata {
            Some(found) if spot.is_bare(&old.target, old.id) => {
                let (path, target) = (path.to_owned(), old.target.clone());
                self.plan.steps.push(Step::SetReparsePoint { path, id: found.id, target });
                Ok(())
            }
            Some(_) => Err(changed(path, "something else has its name now")),
            None => Err(changed(path, "what carried the reparse point is gone")),
        }
    }

    fn removed(&mut self, link: &Path, old: &Seen, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let waits = waiting(recorded, spot.left.as_deref());
        let ours = waits.filter(|(left, _)| left.holds(&old.target, Some(old.id)));
        if waits.is_some() && ours.is_none() {
            return Err(unknown(&private_path(recorded)));
        }
        // A removal that failed removed nothing, unless the link still waits where it was put.
        if matches!(recorded.outcome, Outcome::Failed(_)) && ours.is_none() {
            return Ok(());
        }
        if spot.metadata.is_some() && !self.gone.contains(link) {
            if !spot.holds(&old.target, Some(old.id)) {
                return Err(changed(link, "the name is taken by something else now"));
            }
            // An undo killed at the very end may not have given it its owner and time.
            let now = spot.now(&old.target).filter(|now| now.attributes != old.attributes);
            if let (Some(now), true, false) = (now, self.again, matches!(old.target, Target::File(_))) {
                self.put_back(link, now, old);
            }
            return Ok(());
        }
        let (target, file, attributes) = match &old.target {
            Target::File(_) => {
                let name = file_names::find_any(old, link.parent().unwrap_or(Path::new("/")));
                let name = name.ok_or_else(|| changed(link, "no other name of its file was found"))?;
                let metadata = Spot::look_at(&name)?.metadata;
                (Target::File(name), metadata.map(|metadata| metadata.id), None)
            }
            target => (target.clone(), None, Some(old.attributes)),
        };
        self.plan.steps.push(Step::CreateLink { link: link.to_owned(), target, file, attributes });
        // Killed between renaming and removing: the old object still waits under its private name.
        if let Some(now) = ours.and_then(|(left, _)| left.now(&old.target)) {
            self.push_once(Step::RemoveLink { link: private_path(recorded), old: now });
        }
        Ok(())
    }
}

impl Backwards {
    /// A tree that was moved comes back.
    fn moved(&mut self, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let Step::MoveTree { source, destination, rewritten, verify, .. } = &recorded.step else {
            return Ok(());
        };
        if !matches!(recorded.outcome, Outcome::Done(_)) {
            return Ok(());
        }
        let link =
            recorded.step.target().and_then(|target| spot.now(target).filter(|_| spot.holds(target, None)));
        let Some(old) = link else {
            return Err(changed(source, "the link that was left there has been changed since"));
        };
        // What is in it may have been changed as its user likes, and is brought back as it is.
        let tree = Spot::look_at(destination)?.metadata;
        let Some(tree) = tree else { return Err(changed(destination, "what was moved there is gone")) };
        self.plan.steps.push(Step::RestoreTree {
            link: source.clone(),
            old,
            tree: destination.clone(),
            id: tree.id,
            rewritten: rewritten.clone(),
            verify: *verify,
        });
        Ok(())
    }

    /// A tree that was brought back goes away again.
    fn restored(&mut self, recorded: &Recorded, spot: &Spot) -> Result<()> {
        let Step::RestoreTree { link, old, tree, rewritten, verify, .. } = &recorded.step else {
            return Ok(());
        };
        if !matches!(recorded.outcome, Outcome::Done(_)) {
            return Ok(());
        }
        let Some(found) = spot.metadata.filter(|found| found.kind != FileKind::Link) else {
            return Err(changed(link, "what was brought back there is gone"));
        };
        if Spot::look_at(tree)?.metadata.is_some() {
            return Err(changed(tree, "something else has its name now"));
        }
        self.plan.steps.push(Step::MoveTree {
            source: link.clone(),
            destination: tree.clone(),
            id: found.id,
            link: old.target.clone(),
            rewritten: rewritten.clone(),
            verify: *verify,
        });
        Ok(())
    }
}

/// What a step that was killed left under a private name; a step that ended well left nothing.
fn waiting<'a>(recorded: &Recorded, left: Option<&'a Spot>) -> Option<(&'a Spot, Metadata)> {
    let begun = recorded.outcome != Outcome::NotReached;
    let left = left.filter(|_| begun)?;
    Some((left, left.metadata?))
}

fn private_path(recorded: &Recorded) -> PathBuf {
    recorded.step.path().with_file_name(&recorded.private_name)
}

fn unknown(path: &Path) -> Error {
    changed(path, "a killed run left something else here; look at it, and move it where it belongs")
}

fn changed(path: &Path, cause: &str) -> Error {
    Error::new(ErrorKind::Changed, UNDO, path, cause)
}
