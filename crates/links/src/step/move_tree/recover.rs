//! What a crash left of a move, finished or rolled back. The disk decides; nothing is removed but what the stage says
//! was copied, and only if it is untouched. Killed itself, it is repeated.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::super::Meter;
use super::super::Work;
use super::super::aside_name;
use super::super::os::{self, tree};
use super::super::private_name;
use super::stage::{self, Intent};
use super::{TREE, Way, kept, texts};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Outcome, Relocated, Status};
use crate::model::FileId;
use crate::model::Step;
use crate::platform::{Directory, Inventory, ObjectKind, Place, Stat, look};

const RECOVER: &str = "recover";

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
        lost: Vec<(PathBuf, String)>,
    },
    /// Nothing of use was left but a private directory, or a link to itself, which is gone.
    Cleared {
        /// Where it was.
        stage: PathBuf,
    },
}

/// The stages of moves that were interrupted, as far as the journal knows them and the disk still holds them.
///
/// # Errors
/// The journal cannot be read.
pub fn unrecovered(journal: &Journal) -> Result<Vec<PathBuf>> {
    unrecovered_of(journal, MOST)
}

/// The same of the newest operations only: for whoever is not asked for it.
///
/// # Errors
/// The journal cannot be read.
pub fn unrecovered_lately(journal: &Journal) -> Result<Vec<PathBuf>> {
    unrecovered_of(journal, LATELY)
}

/// Whether the journal tells of interrupted moves that have left nothing: how they ended is to be seen on the disk.
///
/// # Errors
/// The journal cannot be read.
pub fn are_untold(journal: &Journal) -> Result<bool> {
    Ok(!untold(journal)?.is_empty())
}

fn untold(journal: &Journal) -> Result<Vec<Relocated>> {
    let mut all = journal.relocations(MOST)?;
    all.retain(|relocated| {
        let open = relocated.status == Status::Interrupted && relocated.recorded.outcome == Outcome::Pending;
        open && left_of(relocated).is_empty()
    });
    Ok(all)
}

/// Writes down how such moves ended.
///
/// # Errors
/// The journal cannot be read or written.
pub fn tell_untold(journal: &mut Journal) -> Result<()> {
    for relocated in untold(journal)? {
        for recorded in crate::plan::undo::settled(journal, relocated.operation)? {
            let outcome = match recorded.outcome {
                Outcome::NotReached => Outcome::Failed("interrupted before it was done".to_owned()),
                outcome => outcome,
            };
            if recorded.number == relocated.recorded.number && outcome != Outcome::Pending {
                journal.settle(relocated.operation, recorded.number, outcome)?;
            }
        }
    }
    Ok(())
}

/// What an earlier move of any of these trees, or of what holds them or is in them, has left: the next one would make it
/// impossible to finish.
///
/// # Errors
/// The journal cannot be read.
pub fn unrecovered_of_same(journal: &Journal, steps: &[Step]) -> Result<Option<PathBuf>> {
    // Whatever the journal holds, what takes no tree anywhere is not in its way.
    if !steps.iter().any(Step::is_whole_tree) {
        return Ok(None);
    }
    for relocated in journal.relocations(LATELY)? {
        let Some(theirs) = places(&relocated.recorded.step) else { continue };
        let ours = steps.iter().filter_map(places).flatten();
        let overlap =
            |ours: &Path| theirs.iter().any(|path| path.starts_with(ours) || ours.starts_with(path));
        if ours.into_iter().any(overlap)
            && let Some(left) = left_of(&relocated).into_iter().next()
        {
            return Ok(Some(left));
        }
    }
    Ok(None)
}

/// From where a step takes a tree, and to where.
fn places(step: &Step) -> Option<[&Path; 2]> {
    match step {
        Step::MoveTree { source, destination, .. } => Some([source, destination]),
        Step::RestoreTree { link, tree, .. } => Some([tree, link]),
        _ => None,
    }
}

/// So many of the newest operations are looked at by whoever is not asked for it.
const LATELY: usize = 20;
/// And so many by whoever is.
const MOST: usize = 10_000;

fn unrecovered_of(journal: &Journal, most: usize) -> Result<Vec<PathBuf>> {
    let all = journal.relocations(most)?;
    Ok(all.iter().flat_map(left_of).collect())
}

/// What a move that is over has left.
fn left_of(relocated: &Relocated) -> Vec<PathBuf> {
    let Relocated { status, recorded, .. } = relocated;
    let to = match &recorded.step {
        Step::MoveTree { destination, .. } => destination,
        Step::RestoreTree { link, .. } => link,
        _ => return Vec::new(),
    };
    if *status == Status::Running {
        return Vec::new();
    }
    let mut found: Vec<PathBuf> = left_link(relocated).into_iter().collect();
    let stage = to.with_file_name(&recorded.private_name);
    if is_stage(&stage) {
        found.push(stage);
    }
    // With either of them, that is done, too.
    if found.is_empty() {
        found.extend(left_texts(relocated).map(|(tree, _)| tree));
    }
    found
}

/// The link that, on one file system, lies at one place before or after it changed places with the tree at the other.
fn left_link(relocated: &Relocated) -> Option<PathBuf> {
    let Relocated { status, recorded, .. } = relocated;
    if *status != Status::Interrupted {
        return None;
    }
    let (link, tree, target, id) = match &recorded.step {
        Step::MoveTree { source, destination, link, id, .. } => (destination, source, link, id),
        Step::RestoreTree { link, tree, old, id, .. } => (tree, link, &old.target, id),
        _ => return None,
    };
    let look = |path: &Path| -> io::Result<(Directory, FileId)> {
        let (name, above) = path.file_name().zip(path.parent()).ok_or(io::ErrorKind::InvalidInput)?;
        let above = Directory::open_physical(above)?;
        let id = above.metadata_nofollow(name)?.id;
        Ok((above, id))
    };
    // The tree is where the link is not, and the link says what was to be left.
    let is_left = || -> io::Result<bool> {
        let (above, _) = look(link)?;
        let name = link.file_name().unwrap_or_default();
        Ok(look(tree)?.1.same_file(*id) && stage::says(&above, name, target)?)
    };
    is_left().unwrap_or(false).then(|| link.clone())
}

/// On one file system, the tree whose links were being rewritten, and which way they have to be.
fn left_texts(relocated: &Relocated) -> Option<(PathBuf, Way)> {
    let Relocated { status, recorded, .. } = relocated;
    if *status != Status::Interrupted || recorded.outcome != Outcome::Pending {
        return None;
    }
    let (home, away, id, rewritten) = match &recorded.step {
        Step::MoveTree { source, destination, id, rewritten, .. } => (source, destination, id, rewritten),
        Step::RestoreTree { link, tree, id, rewritten, .. } => (link, tree, id, rewritten),
        _ => return None,
    };
    let is = |path: &Path| crate::read::inspect::id_of(path).is_some_and(|found| found.same_file(*id));
    let (tree, way) = if is(home) {
        (home, Way::Back)
    } else if is(away) {
        (away, Way::Away)
    } else {
        return None;
    };
    let private = OsStr::new(&recorded.private_name);
    texts::is_unfinished(tree, rewritten, way, private).then(|| (tree.clone(), way))
}

/// Lets the links of such a tree say what they have to where it is.
fn finish_texts(relocated: &Relocated, tree: &Path, way: Way) -> Result<Recovered> {
    let recorded = &relocated.recorded;
    let (Step::MoveTree { rewritten, .. } | Step::RestoreTree { rewritten, .. }) = &recorded.step else {
        return Err(nothing(tree));
    };
    let moves = matches!(recorded.step, Step::MoveTree { .. });
    texts::rewrite(tree, rewritten, way, OsStr::new(&recorded.private_name), Place::open_physical, &NEVER)?;
    let tree = tree.to_owned();
    Ok(if moves == (way == Way::Away) {
        Recovered::Finished { tree, lost: Vec::new() }
    } else {
        Recovered::RolledBack { tree }
    })
}

/// Whether a directory is the stage of a move that this user can recover.
fn is_stage(path: &Path) -> bool {
    look_at_stage(path).unwrap_or(false)
}

/// Whether it is one, or one that this user may not believe: then recovering it says why.
pub(crate) fn may_be_stage(path: &Path) -> bool {
    match look_at_stage(path) {
        Ok(is_stage) => is_stage,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

fn look_at_stage(path: &Path) -> io::Result<bool> {
    let Some((name, above)) = path.file_name().zip(path.parent()) else { return Ok(false) };
    let directory = Directory::open(above)?.open_child(name)?;
    match stage::read_intent(&directory)? {
        Some((_, trust)) if trust == tree::Trust::Anybody && tree::can_exchange(&directory)? => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        Some(_) => Ok(true),
        None => Ok(stage::is_barren(&directory, name)),
    }
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

/// Finishes or rolls back the move whose stage this is.
///
/// # Errors
/// It is no stage, its move is still running, or what is on the disk contradicts it: then nothing is touched. Where the
/// old tree was changed since it was copied, it is kept ([`ErrorKind::LeftBehind`]). The journal, where there is one, is
/// told what came of it; that it cannot be written is an error, too.
pub fn recover(path: &Path, journal: Option<&mut Journal>) -> Result<Recovered> {
    let known = match &journal {
        Some(journal) => journal
            .relocations(MOST)?
            .into_iter()
            .find(|relocated| left_of(relocated).iter().any(|left| left == path)),
        None => None,
    };
    let texts = known.as_ref().and_then(|known| left_texts(known).map(|(tree, way)| (known, tree, way)));
    let recovered = match texts {
        Some((known, tree, way)) if tree == path => finish_texts(known, &tree, way)?,
        _ => {
            let said = known.as_ref().and_then(|known| places(&known.recorded.step));
            let is_link = known.as_ref().and_then(left_link).is_some_and(|link| link == path);
            let recovered = recover_one(path, said, is_link)?;
            // Of one move, all is done in one go.
            match known.as_ref().and_then(|known| left_texts(known).map(|(tree, way)| (known, tree, way))) {
                Some((known, tree, way)) => finish_texts(known, &tree, way)?,
                None => recovered,
            }
        }
    };
    if let (Some(journal), Some(known)) = (journal, known)
        && known.recorded.outcome == Outcome::Pending
    {
        let outcome = match &recovered {
            Recovered::Finished { tree, .. } => Outcome::Done(crate::read::inspect::id_of(tree)),
            _ => Outcome::Failed("interrupted, and taken back by recover".to_owned()),
        };
        journal.settle(known.operation, known.recorded.number, outcome)?;
    }
    Ok(recovered)
}

fn nothing(path: &Path) -> Error {
    let cause = format!("no interrupted move has left {}", crate::platform::quoted(path));
    Error::new(ErrorKind::Nothing, RECOVER, path, cause)
}

/// `said` is what the journal says of it: from where, and to where.
fn recover_one(path: &Path, said: Option<[&Path; 2]>, is_known_link: bool) -> Result<Recovered> {
    let fail = |error| Error::io(RECOVER, path, error);
    let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else {
        return Err(Error::new(
            ErrorKind::InvalidPath,
            RECOVER,
            path,
            "it names no directory of an interrupted move",
        ));
    };
    let above = Directory::open(parent).map_err(fail)?;
    if is_known_link || is_link_to_itself(path) {
        os::remove_file(&above, name).and_then(|()| tree::flush_names(&above)).map_err(fail)?;
        return Ok(Recovered::Cleared { stage: path.to_owned() });
    }
    let directory = above.open_child(name).map_err(fail)?;
    // Another process may be at it just now.
    let mut lock = tree::Locks::default();
    lock.whole(&above, name).map_err(fail)?;
    let intent = stage::read_intent(&directory).map_err(fail)?;
    if intent.is_none() && stage::remove_barren(&directory, &above, name).map_err(fail)? {
        return Ok(Recovered::Cleared { stage: path.to_owned() });
    }
    let (mut intent, trust) =
        intent.filter(|(intent, _)| intent.private == name).ok_or_else(|| nothing(path))?;
    let from = Directory::open_physical(intent.from.parent().unwrap_or(Path::new("/")));
    let from = from.map_err(|error| Error::io(RECOVER, &intent.from, error))?;
    let to = Directory::open_physical(intent.to.parent().unwrap_or(Path::new("/")));
    let to = to.map_err(|error| Error::io(RECOVER, &intent.to, error))?;
    // A stage always lies beside the new place: one that does not was carried here.
    let beside = || -> io::Result<bool> { Ok(above.metadata()?.id == to.metadata()?.id) };
    if !beside().map_err(fail)? {
        let cause = format!(
            "it does not lie beside {}, the new place that it names; nothing was touched",
            crate::platform::quoted(&intent.to)
        );
        return Err(Error::new(ErrorKind::Changed, RECOVER, path, cause));
    }
    if trust == tree::Trust::Anybody {
        let forged = |cause: &str| Err(Error::new(ErrorKind::Changed, RECOVER, path, cause));
        match said {
            Some(said) if said != [intent.from.as_path(), intent.to.as_path()] => {
                return forged(
                    "what it says is not what the journal says of it: somebody else has written it",
                );
            }
            Some(_) => {}
            // What others may have written is carried out only where they could do it themselves.
            None => {
                let probe = OsString::from(private_name());
                let lawless = |directory: &Directory| tree::is_everybodys(directory, &probe).map_err(fail);
                if !lawless(&from)? || !lawless(&to)? {
                    let cause = "others than this user may have written what it says, and the journal does not know it";
                    return Err(Error::new(ErrorKind::PermissionDenied, RECOVER, path, cause));
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
        let cause =
            "what it says was copied is not in the copy: somebody else has written it; nothing was touched";
        return Err(Error::new(ErrorKind::Changed, RECOVER, path, cause));
    }
    rebase(&mut intent, copied.as_mut(), (&from, &to))?;
    let copied = copied.as_ref();
    Recovery { path, directory: &directory, above: &above, intent: &intent, copied, from: &from, to: &to }
        .run()
}

/// Whether a copy has all that was copied, each of its size.
fn holds_all(to: &Directory, name: &OsStr, inventory: &Inventory) -> io::Result<bool> {
    let found = Inventory::take(to, name)?;
    let facts = |stat: &Stat| (stat.sort, if stat.sort == ObjectKind::File { stat.size } else { 0 });
    let there: std::collections::HashMap<PathBuf, _> = found
        .items
        .iter()
        .enumerate()
        .map(|(number, item)| (found.path(number), facts(&item.stat)))
        .collect();
    Ok(inventory
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.stat.sort != ObjectKind::Socket)
        .all(|(number, item)| there.get(&inventory.path(number)) == Some(&facts(&item.stat))))
}

/// The number that a file system has while it is mounted is another one the next time.
fn rebase(
    intent: &mut Intent,
    copied: Option<&mut stage::Copied>,
    (from, to): (&Directory, &Directory),
) -> Result<()> {
    let device = |directory: &Directory, path: &Path| {
        let found = look(directory, OsStr::new(".")).map_err(|error| Error::io(RECOVER, path, error))?;
        Ok::<_, Error>(found.0.device)
    };
    let (before, here, there) =
        (intent.original.device, device(from, &intent.from)?, device(to, &intent.to)?);
    intent.original.device = here;
    if let Some(copied) = copied {
        copied.copy.device = there;
        for item in copied.inventory.items.iter_mut().filter(|item| item.stat.device == before) {
            item.stat.device = here;
        }
    }
    Ok(())
}

/// What recovers is not stopped.
static NEVER: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

struct Recovery<'a> {
    path: &'a Path,
    directory: &'a Directory,
    above: &'a Directory,
    intent: &'a Intent,
    copied: Option<&'a stage::Copied>,
    from: &'a Directory,
    to: &'a Directory,
}

impl Recovery<'_> {
    fn run(&self) -> Result<Recovered> {
        let (intent, meter, stop) =
            (self.intent, Meter::default(), std::sync::atomic::AtomicBool::new(false));
        let work = Work { meter: &meter, stop: &stop, workers: 1, strict: false };
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
        let copy = |stat: &Option<Stat>| matches!((stat, copied), (Some(stat), Some(copied)) if copied.copy.is_same(stat));
        let swapped = match intent.way {
            // The link has the original's name, and leads to the copy.
            Way::Away => original(&aside) && copy(&there),
            // The copy has the link's name.
            Way::Back => copy(&there),
        };
        if swapped {
            // The exchange took its time of it, and what was to give that back did not run.
            let timeless = there.as_ref().is_some_and(|stat| stat.modified == stat.changed);
            if intent.way == Way::Back && timeless {
                tree::give_back_time(self.to, to, &intent.original)
                    .map_err(|error| Error::io(RECOVER, &intent.to, error))?;
            }
            if !original(&aside) && original(&here) {
                // Nothing half removed is ever seen under a public name.
                tree::move_to_new(self.from, from, self.from, &intent.beside())
                    .and_then(|()| tree::flush_names(self.from))
                    .map_err(|error| Error::io(RECOVER, &intent.from, error))?;
            }
            let beside = intent.beside();
            let old = (original(&aside) || original(&here)).then_some(beside.as_os_str());
            return self.finish(old, copied.map(|copied| &copied.inventory), work);
        }
        // Everything of the old tree is gone, perhaps removed by its owner who was told of it, and only the stage is left.
        let is_gone = here.as_ref().is_none_or(|stat| stat.sort == ObjectKind::Symlink) && aside.is_none();
        if is_gone && copy(&there) {
            return self.finish(None, None, work);
        }
        if !original(&here) {
            return Err(self.contradiction("the original is neither in its place nor beside it"));
        }
        // The original was never touched.
        if let (Way::Away, Some(copied)) = (intent.way, copied) {
            stage::take_back(self.to, to, &intent.to, self.directory, copied)?;
        }
        stage::remove_link(self.from, intent)?;
        // The link waited at the new place to change places with the tree.
        if intent.is_rename
            && intent.way == Way::Away
            && there.as_ref().is_some_and(|stat| stat.sort == ObjectKind::Symlink)
            && stage::says(self.to, to, &intent.link).unwrap_or(false)
        {
            os::remove_file(self.to, to)
                .and_then(|()| tree::flush_names(self.to))
                .map_err(|error| Error::io(RECOVER, &intent.to, error))?;
        }
        stage::give_back_link(self.directory, self.to, intent)?;
        self.rewrite(&intent.from)?;
        stage::remove_tree(self.directory, OsStr::new(TREE), &intent.to, work)?;
        stage::end(self.directory, self.above, intent)?;
        Ok(Recovered::RolledBack { tree: intent.from.clone() })
    }

    /// Where two names changed places by way of a third, that one is given up: forward if the second rename was done, back
    /// if not.
    fn finish_third_rename(&self, from: &OsStr, to: &OsStr) -> Result<()> {
        let intent = self.intent;
        let beside = intent.beside();
        let third = match intent.way {
            Way::Away => aside_name(&beside),
            Way::Back => aside_name(&intent.private),
        };
        let (directory, name, path, forward) = match intent.way {
            Way::Away => (self.from, from, &intent.from, (self.from, beside.as_os_str())),
            Way::Back => (self.to, to, &intent.to, (self.directory, OsStr::new(TREE))),
        };
        let ours = |stat: &Stat| match intent.way {
            Way::Away => intent.original.is_same(stat),
            Way::Back => stat.sort == ObjectKind::Symlink,
        };
        if !self.see(directory, &third)?.as_ref().is_some_and(ours) {
            return Ok(());
        }
        let end = if self.see(directory, name)?.is_none() { (directory, name) } else { forward };
        tree::move_to_new(directory, &third, end.0, end.1)
            .and_then(|()| tree::flush_names(directory))
            .map_err(|error| Error::io(RECOVER, path, error))
    }

    /// On one file system the tree has its new name: its link gets the old one, or has made room for it.
    fn finish_renames(&self, from: &OsStr, here: Option<&Stat>) -> Result<Recovered> {
        let intent = self.intent;
        let fail = |error| Error::io(RECOVER, &intent.from, error);
        let is_link = match here {
            Some(_) => stage::says(self.from, from, &intent.link).map_err(fail)?,
            None => false,
        };
        match (intent.way, here) {
            (Way::Away, None) => tree::move_to_new(self.from, &intent.beside(), self.from, from)
                .and_then(|()| tree::flush_names(self.from))
                .map_err(fail)?,
            // The link changed places with the tree, and is not needed any more.
            (Way::Back, Some(_)) if is_link => {
                os::remove_file(self.from, from).and_then(|()| tree::flush_names(self.from)).map_err(fail)?;
            }
            (Way::Away, Some(_)) if !is_link => {
                return Err(
                    self.contradiction("the tree is at its new place, and something else at the old one")
                );
            }
            _ => {}
        }
        tree::give_back_time(self.to, intent.to.file_name().unwrap_or_default(), &intent.original)
            .map_err(fail)?;
        self.rewrite(&intent.to)?;
        stage::end(self.directory, self.above, intent)?;
        Ok(Recovered::Finished { tree: intent.to.clone(), lost: Vec::new() })
    }

    /// Where a tree was renamed, its links say what they have to where it is now.
    fn rewrite(&self, tree: &Path) -> Result<()> {
        let intent = self.intent;
        let home = (intent.way == Way::Away) == (tree == intent.from);
        let way = if home { Way::Back } else { Way::Away };
        texts::rewrite(tree, &intent.rewritten, way, &intent.private, Place::open_physical, &NEVER)?;
        texts::give_back_times(tree, &intent.directories)
    }

    /// Removes the old tree, or what is left of it.
    fn finish(
        &self,
        old: Option<&OsStr>,
        inventory: Option<&Inventory>,
        work: Work<'_>,
    ) -> Result<Recovered> {
        let intent = self.intent;
        if let (Some(name), Some(inventory)) = (old, inventory) {
            let left = intent.from.with_file_name(name);
            let old = tree::Root { parent: self.from, name };
            if !stage::is_committed(self.directory) {
                if let Some(why) = super::still_needed(old, &intent.from, inventory, "since it was copied")? {
                    return Err(kept(RECOVER, &intent.from, &left, &why));
                }
                stage::write_committed(self.directory)
                    .map_err(|error| Error::io(RECOVER, self.path, error))?;
            }
            if let Some(why) = super::erase(old, &left, inventory, work)? {
                return Err(kept(RECOVER, &intent.from, &left, &why));
            }
        }
        stage::end(self.directory, self.above, intent)?;
        let lost = self.copied.map(|copied| copied.lost.iter()).into_iter().flatten();
        let lost = lost.map(|lost| (lost.path.clone(), lost.what.clone())).collect();
        Ok(Recovered::Finished { tree: intent.to.clone(), lost })
    }

    fn see(&self, directory: &Directory, name: &OsStr) -> Result<Option<Stat>> {
        match look(directory, name) {
            Ok((stat, _)) => Ok(Some(stat)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(RECOVER, &self.intent.from, error)),
        }
    }

    fn contradiction(&self, what: &str) -> Error {
        let intent = self.intent;
        let cause = format!(
            "{what}: nothing was touched. The move was from {} to {}; what is left of it is in {} and {}, and may be removed once \
             nothing of it is needed",
            crate::platform::quoted(&intent.from),
            crate::platform::quoted(&intent.to),
            crate::platform::quoted(self.path),
            crate::platform::quoted(&intent.from.with_file_name(intent.beside()))
        );
        Error::new(ErrorKind::Changed, RECOVER, &intent.from, cause)
    }
}
