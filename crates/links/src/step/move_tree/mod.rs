//! Takes a tree to another place, leaving a link; and brings it back.
//!
//! On one file system that is one exchange of names, or two renames where the file system knows none. Across, it is copied
//! into a private directory beside its new place, flushed, read back, published by one rename, and only after the link has
//! taken the old tree's name in one exchange, and nothing has written to the old tree since, is that removed. The private
//! directory (the stage) holds the intent, so that whatever a crash leaves is finished or rolled back from the disk alone:
//! see `recover.rs`.
//!
//! ```text
//! mod.rs          the two kinds of step
//! within.rs       on one file system; across.rs between two
//! same_object.rs  whether what is there is what was moved
//! stage.rs        the private directory, and what is written in it
//! texts.rs        links in the tree that say something else at its other place
//! tries.rs        what is tried before the first change
//! leftovers.rs    what a crash left, found; recover.rs finished or rolled back
//! ```

mod across;
mod leftovers;
mod recover;
mod same_object;
mod stage;
mod texts;
mod tries;
mod within;

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entry::{made_changeable, must_be};
use super::make::New;
use super::on_disk::{UNDO, changed as undo_changed};
use super::os::tree;
use super::{Context, Done, Effect, Needs, OnDisk, StepKind, UndoPlan, crash_where};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{
    EntryPath, FileId, FileKind, Finding, Lost, MoveTree, RestoreTree, Rewritten, Seen, Step, Target, Verify,
};
use crate::platform::{Directory, Inventory, Place, Stat, if_there, is_overlay, look, quoted};

pub(crate) use leftovers::{Leftover, Moved, leftovers, may_be_stage};
pub(crate) use recover::recover;
pub use recover::{Consent, Recovered};
pub(crate) use same_object::{is_volume_away, must_be_on, tree_at};
use stage::Stage;
use within::{make_link, remove_link};

/// A tree's name in its stage.
const TREE: &str = "tree";

const UNTRACED: &str = "something else had its name in that instant";

/// Which way a tree goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Direction {
    /// To another place, leaving a link.
    Away,
    /// Back to where its link is.
    Back,
}

impl Direction {
    fn operation(self) -> &'static str {
        match self {
            Self::Away => "move",
            Self::Back => "restore",
        }
    }

    /// What a link of the tree says before the tree goes that way, and what after.
    fn texts(self, link: &Rewritten) -> (&Target, &Target) {
        match self {
            Self::Away => (&link.home, &link.away),
            Self::Back => (&link.away, &link.home),
        }
    }
}

/// What is to be moved, and how.
struct Job<'a> {
    direction: Direction,
    /// Where the tree is.
    from: &'a EntryPath,
    /// Where it goes. On the way back, the link is there.
    to: &'a EntryPath,
    /// The tree's own identity.
    id: FileId,
    /// Away: what the link that is left says. Back: the link that is there.
    link: LeftLink<'a>,
    texts: &'a [Rewritten],
    verify: Verify,
    strict: bool,
}

#[derive(Clone, Copy)]
enum LeftLink<'a> {
    New(&'a Target),
    Old(&'a Seen),
}

impl<'a> From<&'a MoveTree> for Job<'a> {
    fn from(step: &'a MoveTree) -> Self {
        Self {
            direction: Direction::Away,
            from: &step.source,
            to: &step.destination,
            id: step.id,
            link: LeftLink::New(&step.link),
            texts: &step.rewritten,
            verify: step.verify,
            strict: step.strict,
        }
    }
}

impl<'a> From<&'a RestoreTree> for Job<'a> {
    fn from(step: &'a RestoreTree) -> Self {
        Self {
            direction: Direction::Back,
            from: &step.tree,
            to: &step.link,
            id: step.id,
            link: LeftLink::Old(&step.old),
            texts: &step.rewritten,
            verify: step.verify,
            strict: step.strict,
        }
    }
}

const NEEDS: Needs = Needs { durable: true, ends_plan: true, parallel: false };

impl StepKind for MoveTree {
    fn needs(&self) -> Needs {
        NEEDS
    }

    fn untried(&self) -> Vec<Finding> {
        tries::untried(&self.source, &self.link)
    }

    fn preflight(&self) -> Result<Vec<Finding>> {
        tries::run(&self.source, &self.link, &self.source, &self.destination)
    }

    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        let mut done = Job::from(self).perform(context)?;
        if let Some(like) = self.like.as_deref().filter(|_| done.kept.is_none()) {
            done.lost.extend(self.make_like(like));
        }
        Ok(done)
    }

    /// The tree is recognised by its own place; what a crash left of it is what recovery is for.
    fn effect(&self, found: &OnDisk, _recorded: &Recorded) -> Effect {
        match &found.metadata {
            Some(metadata) if metadata.id.same_file(self.id) => Effect::NotMade,
            // The link alone tells nothing of the copy, which may be lost or on a volume that is away.
            Some(_) if found.holds(&self.link, None) && self.destination.symlink_metadata().is_ok() => {
                Effect::Made(None)
            }
            _ => Effect::Unknown,
        }
    }

    /// The tree comes back.
    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        if !matches!(recorded.outcome, Outcome::Done(_)) {
            return Ok(());
        }
        let is_gone = found.metadata.is_none();
        let old = match found.now(&self.link).filter(|_| found.holds(&self.link, None)) {
            Some(old) => old,
            None if is_gone => Seen::gone(&self.link),
            None => {
                let cause = "the link that was left there has been changed since; what was moved is at";
                return Err(undo_changed(&self.source, &format!("{cause} {}", quoted(&self.destination))));
            }
        };
        // What is in it may have been changed as its user likes, and is brought back as it is.
        let tree = tree_at(UNDO, &self.destination, recorded)?;
        plan.tell_of_older(recorded, &self.destination);
        if is_gone {
            plan.warn(&self.source, LINK_GONE, &link_is_gone(&self.destination));
        }
        plan.push(Step::RestoreTree(RestoreTree {
            link: self.source.clone(),
            old,
            tree: self.destination.clone(),
            id: tree.id,
            rewritten: self.rewritten.clone(),
            verify: self.verify,
            strict: false,
            volume: self.volume.clone(),
            link_is_gone: is_gone,
        }));
        Ok(())
    }
}

impl MoveTree {
    /// Gives the link what belonged to the one that was there before. What it cannot be given is reported.
    fn make_like(&self, like: &Seen) -> Vec<Lost> {
        let (attributes, ntfs) = (Some(like.attributes), like.ntfs.as_deref());
        let new = New { target: &self.link, file: None, attributes, ntfs };
        let give = || {
            let place = Place::of_entry(Direction::Away.operation(), &self.source)?;
            let fail = |error| Error::io("look at the link", &place.path, error);
            let id = place.directory.metadata_nofollow(place.name()).map_err(fail)?.id;
            new.give_attributes(place.spot(), id)?;
            Ok(new.finish(&place, id))
        };
        let lost = |error: Error| Lost {
            path: self.source.to_path_buf(),
            what: format!("owner and time of the link ({})", error.cause()),
        };
        give().unwrap_or_else(|error| vec![lost(error)])
    }
}

/// The code of the finding that the link of a moved tree is gone.
pub(crate) const LINK_GONE: &str = "link-gone";

/// What is said then.
pub(crate) fn link_is_gone(tree: &Path) -> String {
    format!("the link that was left here is gone; what was moved is at {} and comes back from there", quoted(tree))
}

impl StepKind for RestoreTree {
    fn needs(&self) -> Needs {
        NEEDS
    }

    fn untried(&self) -> Vec<Finding> {
        tries::untried(&self.link, &self.old.target)
    }

    fn preflight(&self) -> Result<Vec<Finding>> {
        tries::run(&self.link, &self.old.target, &self.tree, &self.link)
    }

    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        if !self.link_is_gone {
            return Job::from(self).perform(context);
        }
        let place = Place::of_entry(Direction::Back.operation(), &self.link)?;
        let id = make_link(&place, place.name(), &self.old.target)?;
        let old = Seen { id, ..self.old.clone() };
        let restored = Job::from(&Self { old, link_is_gone: false, ..self.clone() }).perform(context);
        if restored.is_err() {
            remove_link(&place, id)?;
        }
        restored
    }

    fn effect(&self, found: &OnDisk, _recorded: &Recorded) -> Effect {
        match &found.metadata {
            None if self.link_is_gone => Effect::NotMade,
            Some(_) if found.holds(&self.old.target, None) => Effect::NotMade,
            Some(metadata) if metadata.kind != FileKind::Link => {
                // On its file system it was renamed: something else that has the name is not what was made.
                let is_its = metadata.id.same_file(self.id) || metadata.id.volume() != self.id.volume();
                Effect::Made(is_its.then_some(metadata.id))
            }
            _ => Effect::Unknown,
        }
    }

    /// The tree goes away again.
    fn undo(&self, found: &OnDisk, recorded: &Recorded, plan: &mut UndoPlan) -> Result<()> {
        if !matches!(recorded.outcome, Outcome::Done(_)) {
            return Ok(());
        }
        if found.metadata.is_none_or(|metadata| metadata.kind == FileKind::Link) {
            return Err(undo_changed(&self.link, "what was brought back there is gone"));
        }
        let tree = tree_at(UNDO, &self.link, recorded)?;
        plan.tell_of_older(recorded, &self.link);
        match self.volume.as_deref() {
            Some(volume) => must_be_on(UNDO, &self.tree, volume)?,
            None => self.must_be_as_far_apart(recorded)?,
        }
        if OnDisk::look_at(&self.tree)?.metadata.is_some() {
            return Err(undo_changed(&self.tree, "something else has its name now"));
        }
        plan.push(Step::MoveTree(MoveTree {
            source: self.link.clone(),
            destination: self.tree.clone(),
            id: tree.id,
            link: self.old.target.clone(),
            rewritten: self.rewritten.clone(),
            verify: self.verify,
            strict: false,
            volume: self.volume.clone(),
            like: (!self.link_is_gone).then(|| Box::new(self.old.clone())),
        }));
        Ok(())
    }
}

impl RestoreTree {
    /// Rows of before do not name the volume of the tree. They tell whether it was that of the link: if it is now and was
    /// not then, the tree's volume is not mounted.
    fn must_be_as_far_apart(&self, recorded: &Recorded) -> Result<()> {
        let (Some(parent), Some(home)) = (self.tree.parent(), &recorded.home) else { return Ok(()) };
        let fail = |path: &Path, error| Error::io(UNDO, path, error);
        let number = |path: &Path| {
            let directory = Directory::open_physical(path).map_err(|error| fail(path, error))?;
            Ok::<_, Error>(directory.metadata().map_err(|error| fail(path, error))?.id.volume())
        };
        let together = number(parent)? == number(self.link.parent().unwrap_or(&self.link))?;
        if together && self.id.volume() != home.directory.volume() {
            return Err(undo_changed(&self.tree, "it was on another volume, which is not mounted there now"));
        }
        Ok(())
    }
}

impl Job<'_> {
    fn perform(&self, context: &Context<'_>) -> Result<Done> {
        let operation = self.direction.operation();
        let (from, to) = (Place::of_entry(operation, self.from)?, Place::of_entry(operation, self.to)?);
        let on_overlay =
            |place: &Place| is_overlay(&place.directory).map_err(|error| Error::io(operation, &place.path, error));
        let layered = on_overlay(&from)?;
        match self.link {
            LeftLink::Old(seen) if on_overlay(&to)? => {
                let seen = made_changeable(to.spot(), seen, operation)?;
                Job { link: LeftLink::Old(&seen), ..*self }.go((&from, &to), context, layered)
            }
            _ => self.go((&from, &to), context, layered),
        }
    }

    /// An overlay (`layered`) renames no directory of a lower layer, as if it were on another file system; and gives it
    /// another number once something in it is changed.
    fn go(&self, places: (&Place, &Place), context: &Context<'_>, layered: bool) -> Result<Done> {
        if layered && !self.texts.is_empty() {
            return self.attempt(places, context, true);
        }
        match self.attempt(places, context, false) {
            Err(error) if layered && error.kind() == ErrorKind::NotSupported => self.attempt(places, context, true),
            answer => answer,
        }
    }

    fn attempt(&self, (from, to): (&Place, &Place), context: &Context<'_>, copies: bool) -> Result<Done> {
        let (operation, private, work) = (self.direction.operation(), context.private(), context.work());
        let fail = |error| Error::io(operation, &from.path, error);
        let _locks = locks(operation, from, to)?;
        let (root, _) = look(&from.directory, from.name()).map_err(fail)?;
        if from.directory.metadata_nofollow(from.name()).map_err(fail)?.id != self.id {
            return Err(changed(operation, &from.path, "it is another object than the one that was looked at"));
        }
        if let LeftLink::Old(seen) = self.link {
            must_be(to.spot(), seen, operation)?;
        }
        let there = to.directory.metadata().map_err(|error| Error::io(operation, &to.path, error))?;
        let same = there.id.volume() == root.device && !copies;
        let exchanges = same && tree::can_exchange(&to.directory).map_err(fail)?;
        if exchanges && self.texts.is_empty() {
            return self.within(from, to, &root);
        }
        let inventory = if same { None } else { Some(Inventory::take(&from.directory, from.name()).map_err(fail)?) };
        crash(0);
        let mut stage = Stage::begin(self, from, to, private, &root, same)?;
        let mut lost = Vec::new();
        let done = match &inventory {
            Some(inventory) => self.across((from, to), inventory, &mut stage, &mut lost, work),
            None => self.rewriting(private, work, || match exchanges {
                true => self.within(from, to, &root),
                false => self.within_by_steps((from, to), &mut stage),
            }),
        };
        match done {
            // Until here, the stage tells what is still to be rewritten.
            Ok(done) if inventory.is_none() && done.kept.is_none() => stage.end().map(|()| done),
            Ok(done) => Ok(Done { lost, ..done }),
            Err(error) => {
                // Nothing was given up yet: what was made is taken away again.
                if stage.committed {
                    // The tree is at its new place, and that is what is recorded: it can be taken back.
                    let made = to.directory.metadata_nofollow(to.name()).map(|found| found.id).ok();
                    return Ok(Done { made, lost, kept: Some(error.leaving(Aftermath::Unfinished)) });
                }
                stage.roll_back(from, to, work).map_err(|error| error.leaving(Aftermath::Unfinished))?;
                Err(as_it_was(error))
            }
        }
    }
}

/// Keeps others from moving the same tree, what is in it, and what it is in, for as long as it lives.
fn locks(operation: &'static str, from: &Place, to: &Place) -> Result<tree::Locks> {
    let mut locks = tree::Locks::default();
    let mut take = || {
        locks.whole(&from.directory, from.name())?;
        locks.above(&from.directory)?;
        locks.above(&to.directory)
    };
    match take() {
        Ok(()) => Ok(locks),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            Err(Error::io(operation, &from.path, error).of_kind(ErrorKind::Busy))
        }
        Err(error) => Err(Error::io(operation, &from.path, error)),
    }
}

/// Refuses where a move of the same tree, of what is in it or of what it is in is running.
pub(crate) fn must_not_be_moving(operation: &'static str, from: &Place, to: &Place) -> Result<()> {
    locks(operation, from, to).map(drop)
}

/// Adds that nothing was changed in the end, unless the error says enough of that.
fn as_it_was(error: Error) -> Error {
    if matches!(error.kind(), ErrorKind::Stopped | ErrorKind::Changed) {
        return error;
    }
    error.leaving(Aftermath::Unchanged)
}

/// What the system tells of a name, if anything has it.
fn stat_of(directory: &Directory, name: &OsStr) -> io::Result<Option<Stat>> {
    Ok(if_there(look(directory, name))?.map(|(stat, _)| stat))
}

fn changed(operation: &'static str, path: &Path, cause: &str) -> Error {
    Error::new(ErrorKind::Changed, operation, path, cause)
}

/// Tests end the program here, as a crash would: `LINKCTL_CRASH_AT_PHASE=N`.
fn crash(phase: usize) {
    crash_where("LINKCTL_CRASH_AT_PHASE", phase);
}
