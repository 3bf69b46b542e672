//! A tree taken to another place, with a link left behind; and brought back.
//!
//! On one file system that is one exchange of names, or two renames where the file system knows none. Across, it is copied into a private directory beside its new place,
//! flushed, read back, published by one rename, and only when the link has taken the old tree's name in one exchange,
//! and nobody has written to the old tree since, is that removed. The private directory (the stage) holds the intent, so that
//! whatever a crash leaves is finished or rolled back from the disk alone: see `recover.rs`.
//!
//! ```text
//! mod.rs      the two ways, step by step
//! stage.rs    the private directory, and what is written in it
//! texts.rs    links in the tree that say something else at its other place
//! recover.rs  what a crash left, finished or rolled back
//! ```

mod recover;
mod stage;
mod texts;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

pub(crate) use recover::may_be_stage;
pub use recover::{
    Recovered, are_untold, recover, tell_untold, unrecovered, unrecovered_lately, unrecovered_of_same,
};
use stage::Stage;
pub(in crate::step) use stage::says;

use super::Work;
use super::crash_where;
use super::os::{self, tree};
use super::single::Open;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileId, Target};
use crate::model::{Rewritten, Seen, Verify};
use crate::platform::{self, Directory, Inventory, Place, Spot, look};

const MOVE: &str = "move";
const RESTORE: &str = "restore";

/// A tree's name in its stage.
const TREE: &str = "tree";

/// What came of a move or a restoration.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// The tree at its new place.
    pub(crate) made: Option<FileId>,
    /// What the copy could not keep: where, and what.
    pub(crate) lost: Vec<(PathBuf, String)>,
    /// The old tree, where it was kept, and why.
    pub(crate) kept: Option<Error>,
}

/// Which way a tree goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// To another place, leaving a link.
    Away,
    /// Back to where its link is.
    Back,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Self::Away => MOVE,
            Self::Back => RESTORE,
        }
    }
}

/// What is to be moved, and how.
pub(super) struct Job<'a> {
    pub(super) way: Way,
    /// Where the tree is.
    pub(super) from: &'a Path,
    /// Where it goes. On the way back, the link is there.
    pub(super) to: &'a Path,
    /// The tree's own identity.
    pub(super) id: FileId,
    /// Away: what the link that is left says. Back: the link that is there.
    pub(super) link: Link<'a>,
    pub(super) texts: &'a [Rewritten],
    pub(super) verify: Verify,
}

pub(super) enum Link<'a> {
    New(&'a Target),
    Old(&'a Seen),
}

/// Moves a tree, or brings it back.
pub(super) fn perform(job: &Job<'_>, private: &OsStr, open: Open, work: Work<'_>) -> Result<Moved> {
    let verb = job.way.verb();
    let from = open(verb, job.from)?;
    let to = open(verb, job.to)?;
    let fail = |error| Error::io(verb, &from.path, error);
    let _locks = locks(verb, &from, &to)?;
    let (root, _) = look(&from.directory, from.name()).map_err(fail)?;
    if from.directory.metadata_nofollow(from.name()).map_err(fail)?.id != job.id {
        return Err(changed(verb, &from.path, "it is another object than the one that was looked at"));
    }
    if let Link::Old(seen) = job.link {
        super::single::must_be(to.spot(), seen, verb)?;
    }
    let there = to.directory.metadata().map_err(|error| Error::io(verb, &to.path, error))?;
    let same = there.id.volume() == root.device;
    let exchanges = same && tree::can_exchange(&to.directory).map_err(fail)?;
    if exchanges && job.texts.is_empty() {
        return within(job, &from, &to, &root);
    }
    let inventory =
        if same { None } else { Some(Inventory::take(&from.directory, from.name()).map_err(fail)?) };
    crash(0);
    let mut stage = Stage::begin(job, &from, &to, private, &root, same)?;
    let mut lost = Vec::new();
    let done = match &inventory {
        Some(inventory) => across(job, (&from, &to), inventory, &mut stage, &mut lost, work),
        None => rewriting(job, private, open, work, || match exchanges {
            true => within(job, &from, &to, &root),
            false => within_by_steps(job, (&from, &to), &mut stage),
        }),
    };
    match done {
        // Until here, the stage tells what is still to be rewritten.
        Ok(moved) if inventory.is_none() && moved.kept.is_none() => stage.end().map(|()| moved),
        Ok(moved) => Ok(Moved { lost, ..moved }),
        Err(error) => {
            // Nothing was given up yet: what was made is taken away again.
            if stage.is_committed() {
                // The tree is at its new place, and that is what is written down: it can be taken back.
                let made = to.directory.metadata_nofollow(to.name()).map(|found| found.id).ok();
                return Ok(Moved { made, lost, kept: Some(to_be_finished(&error)) });
            }
            stage.roll_back(&from, &to, work).map_err(|error| to_be_finished(&error))?;
            Err(as_it_was(error))
        }
    }
}

/// Keeps others from moving the same tree, what is in it, and what it is in, for as long as it lives.
fn locks(verb: &'static str, from: &Place, to: &Place) -> Result<tree::Locks> {
    let mut locks = tree::Locks::default();
    let mut take = || {
        locks.whole(&from.directory, from.name())?;
        locks.above(&from.directory)?;
        locks.above(&to.directory)
    };
    match take() {
        Ok(()) => Ok(locks),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            Err(Error::io(verb, &from.path, error).of_kind(ErrorKind::Busy))
        }
        Err(error) => Err(Error::io(verb, &from.path, error)),
    }
}

/// Refuses where a move of the same tree, of what is in it or of what it is in is running.
pub(crate) fn must_not_be_moving(verb: &'static str, from: &Place, to: &Place) -> Result<()> {
    locks(verb, from, to).map(drop)
}

/// Nothing was done in the end, which is told.
fn as_it_was(error: Error) -> Error {
    if matches!(error.kind(), ErrorKind::Stopped | ErrorKind::Changed) {
        return error;
    }
    let cause = format!("{}; everything is as it was", error.cause());
    Error::new(error.kind(), error.operation(), error.path(), cause)
}

/// Something is left: what finishes it is told.
fn to_be_finished(error: &Error) -> Error {
    let cause = format!("{} (nothing is lost; 'linkctl recover' finishes it)", error.cause());
    Error::new(error.kind(), error.operation(), error.path(), cause)
}

/// What goes to another name as it is has its links rewritten at home: before it goes, which most say rightly at both places,
/// and after it is back.
fn rewriting(
    job: &Job<'_>,
    private: &OsStr,
    open: Open,
    work: Work<'_>,
    go: impl FnOnce() -> Result<Moved>,
) -> Result<Moved> {
    let never = AtomicBool::new(false);
    if job.way == Way::Away {
        let rewritten = texts::rewrite(job.from, job.texts, Way::Away, private, open, work.stop);
        let gone = rewritten.and_then(|()| {
            crash(10);
            go()
        });
        if gone.is_err() {
            texts::rewrite(job.from, job.texts, Way::Back, private, open, &never)
                .map_err(|error| to_be_finished(&error))?;
        }
        return gone;
    }
    let mut back = go()?;
    crash(10);
    if let Err(error) = texts::rewrite(job.to, job.texts, Way::Back, private, open, &never) {
        back.kept = back.kept.or_else(|| Some(to_be_finished(&error)));
    }
    Ok(back)
}

/// On one file system the tree and its link change places in one call.
fn within(job: &Job<'_>, from: &Place, to: &Place, root: &platform::Stat) -> Result<Moved> {
    let verb = job.way.verb();
    let fail = |error| Error::io(verb, &from.path, error);
    let exchange = || tree::exchange_between(&from.directory, from.name(), &to.directory, to.name());
    if let Link::New(target) = job.link {
        let made = make_link(to, to.name(), target)?;
        crash(1);
        if let Err(error) = exchange() {
            remove_link(to, made)?;
            return Err(unable(verb, &from.path, error));
        }
    } else {
        exchange().map_err(|error| unable(verb, &from.path, error))?;
    }
    crash(2);
    // What changed places is looked at: another program may have been faster.
    let moved = to.directory.metadata_nofollow(to.name()).map_err(fail)?;
    if moved.id != job.id {
        exchange().map_err(fail)?;
        return Err(changed(verb, &from.path, "something else had its name in that instant"));
    }
    tree::give_back_time(&to.directory, to.name(), root).map_err(fail)?;
    if let Link::Old(seen) = job.link {
        // The link lies where the tree was.
        super::single::must_be(from.spot(), seen, verb)?;
        os::remove_file(&from.directory, from.name()).map_err(fail)?;
    }
    tree::flush_names(&from.directory).and_then(|()| tree::flush_names(&to.directory)).map_err(fail)?;
    Ok(Moved { made: Some(moved.id), ..Moved::default() })
}

/// On one file system that cannot let two names change places: by two renames, between which the old name is free. What
/// that leaves if it ends there, `recover` finds in the stage.
fn within_by_steps(job: &Job<'_>, (from, to): (&Place, &Place), stage: &mut Stage) -> Result<Moved> {
    let verb = job.way.verb();
    let fail = |error| Error::io(verb, &from.path, error);
    let go = || tree::move_to_new(&from.directory, from.name(), &to.directory, to.name());
    let go_back = || tree::move_to_new(&to.directory, to.name(), &from.directory, from.name());
    let beside = stage.beside();
    // The link's own way: to the tree's old name, or out of the way into the stage.
    let (link, place) = match job.link {
        Link::New(target) => {
            make_link(from, &beside, target)?;
            ((&from.directory, beside.as_os_str()), (&from.directory, from.name()))
        }
        Link::Old(seen) => {
            let aside = OsStr::new(TREE);
            tree::move_to_new(&to.directory, to.name(), stage.directory(), aside).map_err(fail)?;
            let moved = Spot { directory: stage.directory(), name: aside, path: &to.path };
            if let Err(error) = super::single::must_be(moved, seen, verb) {
                tree::move_to_new(stage.directory(), aside, &to.directory, to.name()).map_err(fail)?;
                return Err(error);
            }
            ((&to.directory, to.name()), (stage.directory(), aside))
        }
    };
    crash(1);
    let away = matches!(job.link, Link::New(_));
    if let Err(error) = go() {
        if !away {
            tree::move_to_new(place.0, place.1, link.0, link.1).map_err(fail)?;
        }
        return Err(fail(error));
    }
    crash(2);
    let moved = to.directory.metadata_nofollow(to.name()).map_err(fail)?;
    if moved.id != job.id {
        go_back().map_err(fail)?;
        return Err(changed(verb, &from.path, "something else had its name in that instant"));
    }
    if away && let Err(error) = tree::move_to_new(link.0, link.1, place.0, place.1) {
        go_back().map_err(fail)?;
        return Err(fail(error));
    }
    stage.commit(true);
    crash(3);
    tree::flush_names(&from.directory).and_then(|()| tree::flush_names(&to.directory)).map_err(fail)?;
    Ok(Moved { made: Some(moved.id), ..Moved::default() })
}

/// Makes the link that is left, under a name that must be free, and reads it back.
fn make_link(place: &Place, name: &OsStr, target: &Target) -> Result<FileId> {
    let path = place.path.with_file_name(name);
    let fail = |error| Error::io("make the link", &path, error);
    super::make::make_soft(&place.directory, name, target).map_err(fail)?;
    let made = place.directory.metadata_nofollow(name).map_err(fail)?.id;
    if says(&place.directory, name, target).map_err(fail)? {
        return Ok(made);
    }
    remove_link(place, made)?;
    Err(Error::new(ErrorKind::NotVerified, "make the link", &path, "what was made reads back otherwise"))
}

/// Lets two names change places: in one call, or by way of a third name beside the second one where the file system
/// cannot. What that leaves if it ends there, `recover` knows.
fn swap(a: (&Directory, &OsStr), b: (&Directory, &OsStr), private: &OsStr) -> io::Result<()> {
    match tree::exchange_between(a.0, a.1, b.0, b.1) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        answer => return answer,
    }
    let aside = super::aside_name(private);
    let third = (b.0, aside.as_os_str());
    let rename =
        |from: (&Directory, &OsStr), to: (&Directory, &OsStr)| tree::move_to_new(from.0, from.1, to.0, to.1);
    rename(b, third)?;
    crash(20);
    if let Err(error) = rename(a, b) {
        rename(third, b)?;
        return Err(error);
    }
    crash(21);
    if let Err(error) = rename(third, a) {
        rename(b, a).and_then(|()| rename(third, b))?;
        return Err(error);
    }
    Ok(())
}

fn unable(verb: &'static str, path: &Path, error: io::Error) -> Error {
    if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) {
        let cause = "the file system cannot let two names change places in one step";
        return Error::new(ErrorKind::NotSupported, verb, path, cause);
    }
    Error::io(verb, path, error)
}

fn remove_link(place: &Place, id: FileId) -> Result<()> {
    let fail = |error| Error::io("take back the link", &place.path, error);
    if place.directory.metadata_nofollow(place.name()).map_err(fail)?.id == id {
        os::remove_file(&place.directory, place.name()).map_err(fail)?;
    }
    Ok(())
}

/// Between two file systems. Until the stage is committed, every error leaves the original where it was.
fn across(
    job: &Job<'_>,
    (from, to): (&Place, &Place),
    inventory: &Inventory,
    stage: &mut Stage,
    told: &mut Vec<(PathBuf, String)>,
    work: Work<'_>,
) -> Result<Moved> {
    let verb = job.way.verb();
    let fail = |error| Error::io(verb, &from.path, error);
    let failed = |failed: tree::Failed| as_error(verb, &from.path, failed);
    let original = tree::Root { parent: &from.directory, name: from.name() };
    let texts = stage::texts_of(inventory, job.texts, job.way);
    crash(1);
    let lost = {
        let device =
            tree::open_to_flush(stage.directory()).map_err(|error| Error::io(verb, &to.path, error))?;
        let copy = tree::Root { parent: stage.directory(), name: OsStr::new(TREE) };
        let lost = tree::copy(original, inventory, copy, &texts, work).map_err(failed)?;
        crash(2);
        // Any error of writing shows here, once; it is not asked a second time.
        tree::flush(&device).map_err(|error| Error::io("flush the copy to the disk of", &to.path, error))?;
        crash(3);
        let content = job.verify == Verify::Full;
        tree::compare(original, inventory, copy, &texts, &lost, content, work).map_err(failed)?;
        lost
    };
    *told = summed_up(job.to, inventory, lost);
    if work.strict
        && let Some((path, what)) = told.first()
    {
        let cause = format!("of {}, this could not be kept: {what}", platform::quoted(path));
        return Err(Error::new(ErrorKind::NotSupported, verb, &from.path, cause));
    }
    stage.write_copied(inventory, told)?;
    crash(4);
    must_be_untouched(verb, from, from.name(), inventory)?;
    match job.link {
        Link::New(target) => publish_and_swap(job, (from, to), stage, target)?,
        Link::Old(seen) => swap_back(job, (from, to), stage, seen)?,
    }
    crash(7);
    // The old tree has its private name now; whoever had it open may still write to it.
    let beside = stage.beside();
    let old = tree::Root { parent: &from.directory, name: &beside };
    let made = Some(to.directory.metadata_nofollow(to.name()).map_err(fail)?.id);
    let kept = retire(verb, old, &from.path, inventory, stage, work)?;
    Ok(Moved { made, lost: Vec::new(), kept })
}

/// What could not be kept, by path; of what many could not keep, how many.
fn summed_up(to: &Path, inventory: &Inventory, lost: Vec<tree::Loss>) -> Vec<(PathBuf, String)> {
    const MANY: usize = 20;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for loss in &lost {
        *counts.entry(loss.what.clone()).or_default() += 1;
    }
    let is_many = |what: &str| counts.get(what).is_some_and(|count| *count > MANY);
    let mut told: Vec<(PathBuf, String)> = lost
        .into_iter()
        .filter(|loss| !is_many(&loss.what))
        .map(|loss| (join(to, &inventory.path(loss.item)), loss.what))
        .collect();
    let many = counts.iter().filter(|(what, _)| is_many(what));
    told.extend(many.map(|(what, count)| (to.to_owned(), format!("{what} of {count} objects"))));
    told
}

/// The copy gets its name, and the link takes that of the original.
fn publish_and_swap(
    job: &Job<'_>,
    (from, to): (&Place, &Place),
    stage: &mut Stage,
    target: &Target,
) -> Result<()> {
    let verb = job.way.verb();
    let fail = |error| Error::io(verb, &from.path, error);
    let publish = || {
        tree::move_to_new(stage.directory(), OsStr::new(TREE), &to.directory, to.name())?;
        tree::flush_names(&to.directory)?;
        tree::flush_names(stage.directory())
    };
    publish().map_err(|error| Error::io(verb, &to.path, error))?;
    crash(5);
    let beside = stage.beside();
    make_link(from, &beside, target)?;
    crash(6);
    let change_places = || swap((&from.directory, &beside), (&from.directory, from.name()), &beside);
    change_places().map_err(|error| unable(verb, &from.path, error))?;
    // From here on the copy is what everybody sees: whatever fails now, it stays.
    stage.commit(true);
    let (now, _) = look(&from.directory, &beside).map_err(fail)?;
    if !stage.original().is_same(&now) {
        change_places().map_err(fail)?;
        stage.commit(false);
        return Err(changed(verb, &from.path, "something else had its name in that instant"));
    }
    tree::flush_names(&from.directory).map_err(fail)
}

/// The copy takes the place of the link, which lies in the stage then; the original gets its private name.
fn swap_back(job: &Job<'_>, (from, to): (&Place, &Place), stage: &mut Stage, seen: &Seen) -> Result<()> {
    let verb = job.way.verb();
    let fail = |error| Error::io(verb, &to.path, error);
    super::single::must_be(to.spot(), seen, verb)?;
    let tree_name = OsStr::new(TREE);
    let change_places =
        |stage: &Stage| swap((stage.directory(), tree_name), (&to.directory, to.name()), stage.private());
    change_places(stage).map_err(|error| unable(verb, &to.path, error))?;
    stage.commit(true);
    let link = Spot { directory: stage.directory(), name: tree_name, path: &to.path };
    if let Err(error) = super::single::must_be(link, seen, verb) {
        change_places(stage).map_err(fail)?;
        stage.commit(false);
        return Err(error);
    }
    let flush = || {
        tree::give_back_time(&to.directory, to.name(), stage.original())?;
        tree::flush_names(&to.directory).and_then(|()| tree::flush_names(stage.directory()))
    };
    flush().map_err(fail)?;
    crash(5);
    let fail = |error| Error::io(verb, &from.path, error);
    tree::move_to_new(&from.directory, from.name(), &from.directory, &stage.beside()).map_err(fail)?;
    tree::flush_names(&from.directory).map_err(fail)?;
    crash(6);
    Ok(())
}

/// Removes the old tree, if nobody has touched it since it was copied. Gives why it is kept.
fn retire(
    verb: &'static str,
    old: tree::Root<'_>,
    path: &Path,
    inventory: &Inventory,
    stage: &Stage,
    work: Work<'_>,
) -> Result<Option<Error>> {
    let left = path.with_file_name(old.name);
    if let Some(why) = still_needed(old, path, inventory, "while it was moved")? {
        return Ok(Some(kept(verb, path, &left, &why)));
    }
    stage::write_committed(stage.directory())
        .map_err(|error| Error::io("write down the end of the move of", path, error))?;
    crash(8);
    // Whoever stops now stops the removal of what is not needed any more; `recover` goes on with it.
    if let Some(why) = erase(old, &left, inventory, work)? {
        return Ok(Some(kept(verb, path, &left, &why)));
    }
    crash(9);
    stage.end()?;
    Ok(None)
}

/// Why an old tree cannot go yet: it was touched since it was copied, or somebody could still write to it.
fn still_needed(
    old: tree::Root<'_>,
    path: &Path,
    inventory: &Inventory,
    since: &str,
) -> Result<Option<String>> {
    let left = path.with_file_name(old.name);
    let fail = |error| Error::io("look once more at the old tree", &left, error);
    let now = Inventory::take(old.parent, old.name).map_err(fail)?;
    if let Some(touched) = touched(inventory, &now) {
        return Ok(Some(format!("{} was changed {since}", platform::quoted(&join(&left, &touched)))));
    }
    in_use(old, &left, inventory).map_err(fail)
}

/// Removes what of an old tree is as it was copied. Gives why there is something left of it.
fn erase(old: tree::Root<'_>, left: &Path, inventory: &Inventory, work: Work<'_>) -> Result<Option<String>> {
    let spared =
        tree::erase(old, inventory, work).map_err(|failed| as_error("remove the old tree", left, failed))?;
    tree::flush_names(old.parent)
        .map_err(|error| Error::io("look once more at the old tree", left, error))?;
    Ok(tell_spared(left, inventory, &spared))
}

/// Who could still write to an old tree, in words: whoever has a file of it open for that, and whoever has a way into it
/// that needs no path.
fn in_use(old: tree::Root<'_>, left: &Path, inventory: &Inventory) -> io::Result<Option<String>> {
    if let Some((open, why)) = tree::writer(old, inventory)? {
        return Ok(Some(format!("{}: {why}", platform::quoted(&join(left, &open)))));
    }
    let inside = old.parent.physical_path()?.join(old.name);
    let ways_in = platform::users_below(&inside).into_iter().find(|user| {
        user.pid != std::process::id() && user.path.symlink_metadata().is_ok_and(|found| found.is_dir())
    });
    Ok(ways_in.map(|user| {
        format!("process {} ({}) {}: {}", user.pid, user.name, user.what, platform::quoted(&user.path))
    }))
}

/// What of an old tree was not removed, in words.
fn tell_spared(left: &Path, inventory: &Inventory, spared: &[tree::Loss]) -> Option<String> {
    let first = spared.first()?;
    let path = platform::quoted(&join(left, &inventory.path(first.item)));
    let more = match spared.len() - 1 {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Some(format!("of it, what nobody touched is gone; {path}: {}{more}", first.what))
}

fn kept(verb: &'static str, path: &Path, left: &Path, why: &str) -> Error {
    let cause = format!("done, but the old tree is kept as {}: {why}", platform::quoted(left));
    Error::new(ErrorKind::LeftBehind, verb, path, cause)
}

fn must_be_untouched(verb: &'static str, place: &Place, name: &OsStr, inventory: &Inventory) -> Result<()> {
    let now = Inventory::take(&place.directory, name).map_err(|error| Error::io(verb, &place.path, error))?;
    match touched(inventory, &now) {
        None => Ok(()),
        Some(path) => Err(changed(verb, &join(&place.path, &path), "it was changed while it was copied")),
    }
}

/// What was touched between two looks at a tree. Of its root, a new name changes the time of change, and nothing else.
fn touched(before: &Inventory, now: &Inventory) -> Option<PathBuf> {
    let facts = |stat: &platform::Stat| (stat.mode, stat.uid, stat.gid, stat.size, stat.modified, stat.names);
    let root = |inventory: &Inventory| inventory.root().map(|root| facts(&root.stat));
    before.difference(now).or_else(|| (root(before) != root(now)).then(PathBuf::new))
}

fn join(place: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { place.to_owned() } else { place.join(below) }
}

fn as_error(verb: &'static str, place: &Path, failed: tree::Failed) -> Error {
    let path = join(place, &failed.path);
    if failed.error.to_string() == tree::STOPPED {
        return Error::new(ErrorKind::Stopped, verb, place, "stopped; everything is as it was");
    }
    Error::io(failed.doing, path, failed.error)
}

fn changed(verb: &'static str, path: &Path, cause: &str) -> Error {
    Error::new(ErrorKind::Changed, verb, path, cause)
}

/// Tests end the program here, as a crash would: `LINKCTL_CRASH_AT_PHASE=N`.
fn crash(phase: usize) {
    crash_where("LINKCTL_CRASH_AT_PHASE", phase);
}
