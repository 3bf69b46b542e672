//! What a crash left of a move, finished or rolled back. The disk decides; nothing is removed but what the stage says
//! was copied, and only if it is untouched. Killed itself, it is repeated.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::super::make::says;
use super::super::os::{self, tree};
use super::super::private_name::{aside_name, private_name};
use super::super::{Meter, NEVER, Work};
use super::across::{Swapped, put_aside, retire};
use super::leftovers::{Leftover, Moved, What, left_texts};
use super::same_object::{is_volume_away, must_be_on};
use super::stage::{self, Intent};
use super::{Direction, TREE, stat_of, texts};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Recorded;
use crate::model::{Lost, Step, Target, TreeMove};
use crate::platform::{Directory, Inventory, ObjectKind, Place, Stat, if_there, look, quoted};

const RECOVER: &str = "recover the move at";

/// What was made of an interrupted move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// The tree is where it was; what was copied is gone.
    RolledBack {
        /// Where the tree is.
        tree: PathBuf,
    },
    /// The move is finished.
    Finished {
        /// Where the tree is now.
        tree: PathBuf,
        /// What the copy could not keep: where, and what.
        lost: Vec<Lost>,
    },
    /// Nothing of use was left but a private directory, or a link to itself, which is gone.
    Cleared {
        /// Where it was.
        stage: PathBuf,
    },
}

/// Whether the choice may be taken that gives up what was copied, where that may be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It was asked for.
    Given,
    /// It was not: then such a move stays as it is ([`ErrorKind::Undecided`]).
    NotGiven,
}

/// Rewrites the links of such a tree as they have to be where it is.
fn finish_texts(recorded: &Recorded, tree: &Path, direction: Direction) -> Result<Recovered> {
    let (rewritten, moves) = match &recorded.step {
        Step::MoveTree(step) => (&step.rewritten, Direction::Away),
        Step::RestoreTree(step) => (&step.rewritten, Direction::Back),
        _ => return Err(nothing(tree)),
    };
    texts::rewrite(tree, rewritten, direction, OsStr::new(&recorded.private_name), &NEVER)?;
    let tree = tree.to_owned();
    Ok(if moves == direction { Recovered::Finished { tree, lost: Vec::new() } } else { Recovered::RolledBack { tree } })
}

/// Whether a link names itself in full: nobody makes that, and nothing is lost with it.
fn is_link_to_itself(path: &Path) -> bool {
    let Some((name, above)) = path.file_name().zip(path.parent()) else { return false };
    let look = || -> io::Result<bool> {
        let above = Directory::open(above)?;
        let found = look(&above, name)?.0.sort == ObjectKind::Symlink;
        Ok(found && std::fs::read_link(path)? == above.physical_path()?.join(name))
    };
    look().unwrap_or(false)
}

/// Finishes or rolls back the move that left this.
///
/// # Errors
/// It is no stage, its move is still running, or what is on the disk contradicts it: then nothing is touched. Where the
/// old tree was changed since it was copied, it is kept ([`ErrorKind::LeftBehind`]).
pub(crate) fn recover(leftover: &Leftover, moved: Option<Moved<'_>>, consent: Consent) -> Result<Recovered> {
    let path = leftover.path.as_path();
    if let (What::Original, Some(moved)) = (leftover.what, moved) {
        return give_back_original(moved.recorded, path, consent);
    }
    if let Some(Moved { recorded, .. }) = moved
        && let (Step::RestoreTree(step), Some(volume)) = (&recorded.step, recorded.step.volume())
    {
        must_be_on(RECOVER, &step.tree, volume)?;
    }
    if let (What::Texts(direction), Some(moved)) = (leftover.what, moved) {
        return finish_texts(moved.recorded, path, direction);
    }
    let places = moved.and_then(|moved| moved.recorded.step.tree());
    let recovered = recover_one(path, places, leftover.what == What::Link, consent)?;
    // Of one move, all is done in one go.
    match moved.and_then(|moved| Some((moved, left_texts(moved)?))) {
        Some((moved, Leftover { path, what: What::Texts(direction) })) => {
            finish_texts(moved.recorded, &path, direction)
        }
        _ => Ok(recovered),
    }
}

fn nothing(path: &Path) -> Error {
    let cause = format!("no interrupted move has left {}", quoted(path));
    Error::new(ErrorKind::Nothing, RECOVER, path, cause)
}

/// `places` are those that the journal has for it.
fn recover_one(path: &Path, places: Option<TreeMove<'_>>, is_known_link: bool, consent: Consent) -> Result<Recovered> {
    let fail = |error| Error::io(RECOVER, path, error);
    let refuse = |kind, cause: &str| Err(Error::new(kind, RECOVER, path, cause));
    let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else {
        return refuse(ErrorKind::InvalidPath, "it names no directory of an interrupted move");
    };
    let above = Directory::open(parent).map_err(fail)?;
    if is_known_link || is_link_to_itself(path) {
        os::remove_durably(&above, name).map_err(fail)?;
        return Ok(Recovered::Cleared { stage: path.to_owned() });
    }
    let directory = above.open_child(name).map_err(fail)?;
    // Another process may be at it just now.
    let mut lock = tree::Locks::default();
    lock.whole(&above, name).map_err(fail)?;
    let intent = stage::read_intent(&directory).map_err(fail)?;
    if intent.is_none() && stage::remove_discardable(&directory, &above, name).map_err(fail)? {
        return Ok(Recovered::Cleared { stage: path.to_owned() });
    }
    let (mut intent, trust) = intent.filter(|(intent, _)| intent.private == name).ok_or_else(|| nothing(path))?;
    let open = |place: &Path| {
        let opened = Directory::open_physical(place.parent().unwrap_or(Path::new("/")));
        opened.map_err(|error| Error::io(RECOVER, place, error))
    };
    let (from, to) = (open(&intent.from)?, open(&intent.to)?);
    // A stage always lies beside the new place: one that does not was carried here.
    let beside = || -> io::Result<bool> { Ok(above.metadata()?.id == to.metadata()?.id) };
    if !beside().map_err(fail)? {
        let cause =
            format!("it does not lie beside {}, the new place that it names; nothing was touched", quoted(&intent.to));
        return refuse(ErrorKind::Changed, &cause);
    }
    if trust == tree::Trust::Anybody {
        match places {
            Some(TreeMove { from, to, .. }) if **from != *intent.from || **to != *intent.to => {
                let cause = "what it says is not what the journal says of it: somebody else has written it";
                return refuse(ErrorKind::Changed, cause);
            }
            Some(_) => {}
            // What others may have written is carried out only where they could do it themselves.
            None => {
                let probe = OsString::from(private_name());
                let lawless = |directory: &Directory| tree::ignores_permissions(directory, &probe).map_err(fail);
                if !lawless(&from)? || !lawless(&to)? {
                    let cause = "others than this user may have written what it says, and the journal does not know it";
                    return refuse(ErrorKind::PermissionDenied, cause);
                }
            }
        }
    }
    let mut copied = stage::read_copied(&directory, trust);
    if let Some(copied) = copied.as_ref().filter(|_| trust == tree::Trust::Anybody)
        && let Some(name) = intent.to.file_name()
        && look(&to, name).is_ok_and(|(stat, _)| stat.number == copied.copy.number)
        && !holds_all(&to, name, &copied.inventory).map_err(fail)?
    {
        let cause = "what it says was copied is not in the copy: somebody else has written it; nothing was touched";
        return refuse(ErrorKind::Changed, cause);
    }
    rebase(&mut intent, copied.as_mut(), (&from, &to))?;
    let copied = copied.as_ref();
    Recovery { path, directory: &directory, above: &above, intent: &intent, copied, from: &from, to: &to, consent }
        .run()
}

/// Puts the whole original, at `path`, back in its place: the copy is lost, or on a volume that is away.
fn give_back_original(recorded: &Recorded, path: &Path, consent: Consent) -> Result<Recovered> {
    let (link, id) = match &recorded.step {
        Step::MoveTree(step) => (Some(&step.link), step.id),
        Step::RestoreTree(step) => (None, step.id),
        _ => return Err(nothing(path)),
    };
    let TreeMove { from, to } = recorded.step.tree().ok_or_else(|| nothing(path))?;
    let copy = match recorded.step.volume().map(|volume| (volume, is_volume_away(recorded))) {
        Some((volume, true)) => format!("the copy, {}, was on volume {volume}, not mounted", quoted(to)),
        _ => format!("the copy, {}, is gone", quoted(to)),
    };
    if consent == Consent::NotGiven {
        let cause = format!(
            "the move to {} was interrupted, and {copy}; the whole original is at {} and can be put back",
            quoted(to),
            quoted(path)
        );
        return Err(Error::new(ErrorKind::Undecided, RECOVER, from.to_path_buf(), cause));
    }
    let place = Place::of_entry(RECOVER, from)?;
    let fail = |error| Error::io(RECOVER, from.as_ref(), error);
    let aside = path.file_name().unwrap_or_default();
    let mut lock = tree::Locks::default();
    lock.whole(&place.directory, aside).map_err(fail)?;
    if !place.directory.metadata_nofollow(aside).map_err(fail)?.id.same_file(id) {
        return Err(nothing(path));
    }
    if !give_name_back(&place.directory, aside, place.name(), link).map_err(fail)? {
        let cause = format!(
            "something else has its name now; the original is at {}, and {copy}: nothing was touched",
            quoted(path)
        );
        return Err(Error::new(ErrorKind::Changed, RECOVER, from.to_path_buf(), cause));
    }
    Ok(Recovered::RolledBack { tree: from.to_path_buf() })
}

/// Gives the original its own name back, in the place of the link that took it. Whether it has it: not where something else
/// does.
fn give_name_back(directory: &Directory, aside: &OsStr, name: &OsStr, link: Option<&Target>) -> io::Result<bool> {
    if if_there(look(directory, name))?.is_none() {
        os::move_durably(directory, aside, directory, name)?;
        return Ok(true);
    }
    let Some(link) = link else { return Ok(false) };
    if !says(directory, name, link)? {
        return Ok(false);
    }
    os::exchange_trees((directory, aside), (directory, name), aside)?;
    if says(directory, aside, link)? {
        os::remove_file(directory, aside)?;
    }
    tree::flush_names(directory)?;
    Ok(true)
}

/// Whether a copy has all that was copied, each of its size.
fn holds_all(to: &Directory, name: &OsStr, inventory: &Inventory) -> io::Result<bool> {
    let found = Inventory::take(to, name)?;
    let facts = |stat: &Stat| (stat.sort, if stat.sort == ObjectKind::File { stat.size } else { 0 });
    let all = |of: &Inventory| -> HashSet<_> {
        let items = of.items.iter().enumerate().filter(|(_, item)| item.stat.sort != ObjectKind::Socket);
        items.map(|(number, item)| (of.path(number), facts(&item.stat))).collect()
    };
    Ok(all(inventory).is_subset(&all(&found)))
}

/// The number that a file system has while it is mounted is another one the next time.
fn rebase(intent: &mut Intent, copied: Option<&mut stage::Copied>, (from, to): (&Directory, &Directory)) -> Result<()> {
    let device = |directory: &Directory, path: &Path| {
        let found = look(directory, OsStr::new(".")).map_err(|error| Error::io(RECOVER, path, error))?;
        Ok::<_, Error>(found.0.device)
    };
    let (before, here, there) = (intent.original.device, device(from, &intent.from)?, device(to, &intent.to)?);
    intent.original.device = here;
    if let Some(copied) = copied {
        copied.copy.device = there;
        for item in copied.inventory.items.iter_mut().filter(|item| item.stat.device == before) {
            item.stat.device = here;
        }
    }
    Ok(())
}

struct Recovery<'a> {
    path: &'a Path,
    directory: &'a Directory,
    above: &'a Directory,
    intent: &'a Intent,
    copied: Option<&'a stage::Copied>,
    from: &'a Directory,
    to: &'a Directory,
    consent: Consent,
}

impl Recovery<'_> {
    fn run(&self) -> Result<Recovered> {
        let (intent, meter) = (self.intent, Meter::default());
        // What recovers is not stopped.
        let work = Work { meter: &meter, stop: &NEVER, workers: 1 };
        let (Some(from), Some(to)) = (intent.from.file_name(), intent.to.file_name()) else {
            return Err(self.contradiction("the intent names no places"));
        };
        self.finish_third_rename(from, to)?;
        let (here, aside, there) =
            (self.see(self.from, from)?, self.see(self.from, &intent.beside())?, self.see(self.to, to)?);
        let copied = self.copied;
        let original = |stat: &Option<Stat>| stat.as_ref().is_some_and(|stat| intent.original.is_same(stat));
        if copied.is_none() && original(&there) {
            return self.finish_renames(from, here.as_ref());
        }
        let copy =
            |stat: &Option<Stat>| matches!((stat, copied), (Some(stat), Some(copied)) if copied.copy.is_same(stat));
        let swapped = match intent.way {
            // The link has the original's name, and leads to the copy.
            Direction::Away => original(&aside) && copy(&there),
            // The copy has the link's name.
            Direction::Back => copy(&there),
        };
        if swapped {
            // The exchange took its time of it, and what was to give that back did not run.
            let timeless = there.as_ref().is_some_and(|stat| stat.modified == stat.changed);
            if intent.way == Direction::Back && timeless {
                tree::give_back_time(self.to, to, &intent.original)
                    .map_err(|error| Error::io(RECOVER, &intent.to, error))?;
            }
            let beside = intent.beside();
            let mut old = (original(&aside) || original(&here)).then_some(beside.as_os_str());
            if !original(&aside) && original(&here) {
                // Nothing half removed is seen under a public name, where it can be renamed.
                let aside = put_aside(self.from, from, &beside);
                if aside.map_err(|error| Error::io(RECOVER, &intent.from, error))? == Swapped::NotYet {
                    old = Some(from);
                }
            }
            return self.finish(old, work);
        }
        if copy(&there) && self.link_waits(aside.as_ref())? {
            return self.finish_in_place(from, here.as_ref(), work);
        }
        // Everything of the old tree is gone, perhaps removed by its owner who was told of it, and only the stage is left.
        let is_gone = here.as_ref().is_none_or(|stat| stat.sort == ObjectKind::Symlink) && aside.is_none();
        if is_gone && copy(&there) {
            return self.finish(None, work);
        }
        if original(&aside) && there.is_none() {
            self.put_original_back(from)?;
        } else if original(&aside) {
            let cause = format!(
                "something else has the name of the copy, {}; the whole original is at {}, and may be the only copy: nothing was \
                 touched",
                quoted(&intent.to),
                quoted(&intent.from.with_file_name(intent.beside()))
            );
            return Err(Error::new(ErrorKind::Changed, RECOVER, &intent.from, cause));
        } else if !original(&here) {
            return Err(self.contradiction("the original is neither in its place nor beside it"));
        }
        // The original was never touched.
        if let (Direction::Away, Some(copied)) = (intent.way, copied) {
            stage::take_back(self.to, to, &intent.to, self.directory, copied)?;
        }
        stage::remove_link(self.from, intent)?;
        // The link waited at the new place to change places with the tree.
        if intent.is_rename
            && intent.way == Direction::Away
            && there.as_ref().is_some_and(|stat| stat.sort == ObjectKind::Symlink)
            && says(self.to, to, &intent.link).unwrap_or(false)
        {
            os::remove_durably(self.to, to).map_err(|error| Error::io(RECOVER, &intent.to, error))?;
        }
        stage::give_back_link(self.directory, self.to, intent)?;
        self.rewrite(&intent.from)?;
        stage::remove_tree(self.directory, OsStr::new(TREE), &intent.to, work)?;
        stage::end(self.directory, self.above, intent)?;
        Ok(Recovered::RolledBack { tree: intent.from.clone() })
    }

    /// Whether the original was given up under its own name, and the link waits beside it.
    fn link_waits(&self, aside: Option<&Stat>) -> Result<bool> {
        let intent = self.intent;
        if intent.way != Direction::Away || aside.is_none() || !stage::is_committed(self.directory) {
            return Ok(false);
        }
        says(self.from, &intent.beside(), &intent.link).map_err(|error| Error::io(RECOVER, &intent.from, error))
    }

    /// Removes what is left of the original under its own name, which the link takes then.
    fn finish_in_place(&self, from: &OsStr, here: Option<&Stat>, work: Work<'_>) -> Result<Recovered> {
        let fail = |error| Error::io(RECOVER, &self.intent.from, error);
        if let (Some(_), Some(copied)) = (here, self.copied) {
            let old = tree::Root { parent: self.from, name: from };
            if let Some(kept) = retire(RECOVER, old, &self.intent.from, &copied.inventory, self.directory, None, work)?
            {
                return Err(kept);
            }
        }
        os::move_durably(self.from, &self.intent.beside(), self.from, from).map_err(fail)?;
        self.finish(None, work)
    }

    /// The copy is gone, and the original has its private name: it gets its own back, in the place of the link.
    fn put_original_back(&self, from: &OsStr) -> Result<()> {
        let intent = self.intent;
        let beside = intent.beside();
        if self.consent == Consent::NotGiven {
            let cause = format!(
                "the move to {} was interrupted, and the copy there is gone; the whole original is at {} and can be put back",
                quoted(&intent.to),
                quoted(&intent.from.with_file_name(&beside))
            );
            return Err(Error::new(ErrorKind::Undecided, RECOVER, &intent.from, cause));
        }
        let given = give_name_back(self.from, &beside, from, Some(&intent.link));
        match given.map_err(|error| Error::io(RECOVER, &intent.from, error))? {
            true => Ok(()),
            false => Err(self.contradiction("the copy is gone, and something else has the original's name")),
        }
    }

    /// Where two names changed places by way of a third, that one is given up: forward if the second rename was done, back
    /// if not.
    fn finish_third_rename(&self, from: &OsStr, to: &OsStr) -> Result<()> {
        let intent = self.intent;
        let beside = intent.beside();
        let third = match intent.way {
            Direction::Away => aside_name(&beside),
            Direction::Back => aside_name(&intent.private),
        };
        let (directory, name, path, forward) = match intent.way {
            Direction::Away => (self.from, from, &intent.from, (self.from, beside.as_os_str())),
            Direction::Back => (self.to, to, &intent.to, (self.directory, OsStr::new(TREE))),
        };
        let ours = |stat: &Stat| match intent.way {
            Direction::Away => intent.original.is_same(stat),
            Direction::Back => stat.sort == ObjectKind::Symlink,
        };
        if !self.see(directory, &third)?.as_ref().is_some_and(ours) {
            return Ok(());
        }
        let end = if self.see(directory, name)?.is_none() { (directory, name) } else { forward };
        os::move_durably(directory, &third, end.0, end.1).map_err(|error| Error::io(RECOVER, path, error))
    }

    /// On one file system the tree has its new name: its link gets the old one, or has made room for it.
    fn finish_renames(&self, from: &OsStr, here: Option<&Stat>) -> Result<Recovered> {
        let intent = self.intent;
        let fail = |error| Error::io(RECOVER, &intent.from, error);
        let is_link = match here {
            Some(_) => says(self.from, from, &intent.link).map_err(fail)?,
            None => false,
        };
        match (intent.way, here) {
            (Direction::Away, None) => {
                os::move_durably(self.from, &intent.beside(), self.from, from).map_err(fail)?;
            }
            // The link changed places with the tree, and is not needed any more.
            (Direction::Back, Some(_)) if is_link => {
                os::remove_durably(self.from, from).map_err(fail)?;
            }
            (Direction::Away, Some(_)) if !is_link => {
                return Err(self.contradiction("the tree is at its new place, and something else at the old one"));
            }
            _ => {}
        }
        tree::give_back_time(self.to, intent.to.file_name().unwrap_or_default(), &intent.original).map_err(fail)?;
        self.rewrite(&intent.to)?;
        stage::end(self.directory, self.above, intent)?;
        Ok(Recovered::Finished { tree: intent.to.clone(), lost: Vec::new() })
    }

    /// Where a tree was renamed, its links say what they have to where it is now.
    fn rewrite(&self, tree: &Path) -> Result<()> {
        let intent = self.intent;
        let home = (intent.way == Direction::Away) == (tree == intent.from);
        let way = if home { Direction::Back } else { Direction::Away };
        texts::rewrite(tree, &intent.rewritten, way, &intent.private, &NEVER)?;
        texts::give_back_times(tree, &intent.directories)
    }

    /// Removes the old tree, or what is left of it.
    fn finish(&self, old: Option<&OsStr>, work: Work<'_>) -> Result<Recovered> {
        let intent = self.intent;
        if let (Some(name), Some(copied)) = (old, self.copied) {
            let old = tree::Root { parent: self.from, name };
            let since = (!stage::is_committed(self.directory)).then_some("since it was copied");
            if let Some(kept) = retire(RECOVER, old, &intent.from, &copied.inventory, self.directory, since, work)? {
                return Err(kept);
            }
        }
        stage::end(self.directory, self.above, intent)?;
        let lost = self.copied.map(|copied| copied.lost.clone()).unwrap_or_default();
        Ok(Recovered::Finished { tree: intent.to.clone(), lost })
    }

    fn see(&self, directory: &Directory, name: &OsStr) -> Result<Option<Stat>> {
        stat_of(directory, name).map_err(|error| Error::io(RECOVER, &self.intent.from, error))
    }

    fn contradiction(&self, what: &str) -> Error {
        let intent = self.intent;
        let cause = format!(
            "{what}: nothing was touched. The move was from {} to {}; what is left of it is in {} and {}: one of them may be the \
             only copy",
            quoted(&intent.from),
            quoted(&intent.to),
            quoted(self.path),
            quoted(&intent.from.with_file_name(intent.beside()))
        );
        Error::new(ErrorKind::Changed, RECOVER, &intent.from, cause)
    }
}
