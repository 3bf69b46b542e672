//! Between two file systems the tree is copied, compared, published, and only then removed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::super::entry::must_be;
use super::super::os::{self, tree};
use super::super::{Done, Work};
use super::stage::{self, Stage};
use super::within::{make_link, unable};
use super::{Job, LeftLink, TREE, UNTRACED, changed, crash};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::model::{Lost, Seen, Target, Verify};
use crate::platform::{self, Directory, Inventory, Place, Spot, look};

impl Job<'_> {
    /// Between two file systems. Until the stage is committed, every error leaves the original where it was.
    pub(super) fn across(
        &self,
        (from, to): (&Place, &Place),
        inventory: &Inventory,
        stage: &mut Stage,
        lost: &mut Vec<Lost>,
        work: Work<'_>,
    ) -> Result<Done> {
        let operation = self.direction.operation();
        let fail = |error| Error::io(operation, &from.path, error);
        let failed = |failed: tree::Failed| as_error(operation, &from.path, failed);
        let original = tree::Root { parent: &from.directory, name: from.name() };
        let texts = stage::texts_of(inventory, self.texts, self.direction);
        crash(1);
        let losses = {
            let device =
                tree::open_to_flush(&stage.directory).map_err(|error| Error::io(operation, &to.path, error))?;
            let copy = tree::Root { parent: &stage.directory, name: OsStr::new(TREE) };
            let losses = tree::copy(original, inventory, copy, &texts, work).map_err(failed)?;
            crash(2);
            // Any error of writing shows here, once; it is not asked a second time.
            tree::flush(&device).map_err(|error| Error::io("flush the copy to the disk of", &to.path, error))?;
            crash(3);
            let content = self.verify == Verify::Full;
            tree::compare(original, inventory, copy, &texts, &losses, content, work).map_err(failed)?;
            losses
        };
        *lost = summed_up(self.to, inventory, losses);
        if self.strict
            && let Some(Lost { path, what }) = lost.first()
        {
            let cause = format!("of {}, this could not be kept: {what}", platform::quoted(path));
            return Err(Error::new(ErrorKind::NotSupported, operation, &from.path, cause));
        }
        stage.write_copied(inventory, lost)?;
        crash(4);
        must_be_untouched(operation, from, from.name(), inventory)?;
        let swapped = match self.link {
            LeftLink::New(target) => self.publish_and_swap((from, to), stage, target)?,
            LeftLink::Old(seen) => self.swap_back((from, to), stage, seen)?,
        };
        crash(7);
        const SINCE: &str = "while it was moved";
        let beside = stage.intent.beside();
        let made = Some(to.directory.metadata_nofollow(to.name()).map_err(fail)?.id);
        let waits = swapped == Swapped::NotYet && matches!(self.link, LeftLink::New(_));
        let (name, since) = match swapped {
            // The old tree has its private name now; whoever had it open may still write to it.
            Swapped::Done => (beside.as_os_str(), Some(SINCE)),
            Swapped::NotYet => (from.name(), (!waits).then_some(SINCE)),
        };
        let old = tree::Root { parent: &from.directory, name };
        if waits {
            if let Some(why) = still_needed(old, &from.path, inventory, SINCE)? {
                return Err(changed(operation, &from.path, &why));
            }
            stage::write_committed(&stage.directory).map_err(fail)?;
            stage.committed = true;
        }
        let kept = retire(operation, old, &from.path, inventory, &stage.directory, since, work)?;
        if kept.is_none() {
            if waits {
                os::move_durably(&from.directory, &beside, &from.directory, from.name()).map_err(fail)?;
            }
            stage.end()?;
        }
        Ok(Done { made, kept, ..Done::default() })
    }

    /// The copy gets its name, and the link takes that of the original, where that can be renamed.
    fn publish_and_swap(&self, (from, to): (&Place, &Place), stage: &mut Stage, target: &Target) -> Result<Swapped> {
        let operation = self.direction.operation();
        let fail = |error| Error::io(operation, &from.path, error);
        os::move_durably(&stage.directory, OsStr::new(TREE), &to.directory, to.name())
            .map_err(|error| Error::io(operation, &to.path, error))?;
        crash(5);
        let beside = stage.intent.beside();
        make_link(from, &beside, target)?;
        crash(6);
        let change_places = || os::exchange_trees((&from.directory, &beside), (&from.directory, from.name()), &beside);
        match change_places() {
            Err(error) if is_of_lower_layer(&from.directory, &error) => return Ok(Swapped::NotYet),
            answer => answer.map_err(|error| unable(operation, &from.path, error))?,
        }
        // From here on the copy is what everybody sees: whatever fails now, it stays.
        stage.committed = true;
        let (now, _) = look(&from.directory, &beside).map_err(fail)?;
        if !stage.intent.original.is_same(&now) {
            change_places().map_err(fail)?;
            stage.committed = false;
            return Err(changed(operation, &from.path, UNTRACED));
        }
        tree::flush_names(&from.directory).map_err(fail)?;
        Ok(Swapped::Done)
    }

    /// The copy takes the place of the link, which lies in the stage then; the original gets its private name, where it can
    /// be renamed.
    fn swap_back(&self, (from, to): (&Place, &Place), stage: &mut Stage, seen: &Seen) -> Result<Swapped> {
        let operation = self.direction.operation();
        let fail = |error| Error::io(operation, &to.path, error);
        must_be(to.spot(), seen, operation)?;
        let tree_name = OsStr::new(TREE);
        let change_places = |stage: &Stage| {
            os::exchange_trees((&stage.directory, tree_name), (&to.directory, to.name()), &stage.intent.private)
        };
        change_places(stage).map_err(|error| unable(operation, &to.path, error))?;
        stage.committed = true;
        let link = Spot { directory: &stage.directory, name: tree_name, path: &to.path };
        if let Err(error) = must_be(link, seen, operation) {
            change_places(stage).map_err(fail)?;
            stage.committed = false;
            return Err(error);
        }
        let flush = || {
            tree::give_back_time(&to.directory, to.name(), &stage.intent.original)?;
            tree::flush_names(&to.directory).and_then(|()| tree::flush_names(&stage.directory))
        };
        flush().map_err(fail)?;
        crash(5);
        let swapped = put_aside(&from.directory, from.name(), &stage.intent.beside());
        let swapped = swapped.map_err(|error| Error::io(operation, &from.path, error))?;
        crash(6);
        Ok(swapped)
    }
}

/// Whether the old tree has its private name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swapped {
    Done,
    /// A directory of a lower layer of an overlay keeps its name as long as it is there. It is removed under that, and on the
    /// way away the link waits beside it.
    NotYet,
}

/// Gives an old tree its private name.
pub(super) fn put_aside(directory: &Directory, name: &OsStr, beside: &OsStr) -> io::Result<Swapped> {
    match os::move_durably(directory, name, directory, beside) {
        Err(error) if is_of_lower_layer(directory, &error) => Ok(Swapped::NotYet),
        answer => answer.map(|()| Swapped::Done),
    }
}

/// Whether a rename failed since an overlay renames no directories of its lower layers.
fn is_of_lower_layer(directory: &Directory, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::CrossesDevices && platform::is_overlay(directory).unwrap_or(false)
}

/// What could not be kept, by path; of what many could not keep, how many.
fn summed_up(to: &Path, inventory: &Inventory, lost: Vec<tree::Loss>) -> Vec<Lost> {
    const MANY: usize = 20;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for loss in &lost {
        *counts.entry(loss.what.clone()).or_default() += 1;
    }
    let is_many = |what: &str| counts.get(what).is_some_and(|count| *count > MANY);
    let mut told: Vec<Lost> = lost
        .into_iter()
        .filter(|loss| !is_many(&loss.what))
        .map(|loss| Lost { path: join(to, &inventory.path(loss.item)), what: loss.what })
        .collect();
    let many = counts.iter().filter(|(what, _)| is_many(what));
    told.extend(many.map(|(what, count)| Lost { path: to.to_owned(), what: format!("{what} of {count} objects") }));
    told
}

/// Removes the old tree, if nobody has touched it `since` it was copied; `None` where that was found, and removing it begun,
/// before. Gives why it is kept.
pub(super) fn retire(
    operation: &'static str,
    old: tree::Root<'_>,
    path: &Path,
    inventory: &Inventory,
    stage: &Directory,
    since: Option<&str>,
    work: Work<'_>,
) -> Result<Option<Error>> {
    let left = path.with_file_name(old.name);
    let kept = |why| {
        let cause = format!("done, but the old tree is kept as {}: {why}", platform::quoted(&left));
        Error::new(ErrorKind::LeftBehind, operation, path, cause)
    };
    if let Some(since) = since {
        if let Some(why) = still_needed(old, &left, inventory, since)? {
            return Ok(Some(kept(why)));
        }
        stage::write_committed(stage).map_err(|error| Error::io("write down the end of the move of", path, error))?;
    }
    crash(8);
    // Whoever stops now stops the removal of what is not needed any more; `recover` goes on with it.
    let why = erase(old, &left, inventory, work)?;
    crash(9);
    Ok(why.map(kept))
}

/// Why an old tree cannot go yet: it was touched since it was copied, or somebody could still write to it.
fn still_needed(old: tree::Root<'_>, left: &Path, inventory: &Inventory, since: &str) -> Result<Option<String>> {
    let fail = |error| Error::io("look once more at the old tree", left, error);
    let now = Inventory::take(old.parent, old.name).map_err(fail)?;
    if let Some(touched) = touched(inventory, &now) {
        return Ok(Some(format!("{} was changed {since}", platform::quoted(&join(left, &touched)))));
    }
    in_use(old, left, inventory).map_err(fail)
}

/// Removes what of an old tree is as it was copied. Gives why there is something left of it.
fn erase(old: tree::Root<'_>, left: &Path, inventory: &Inventory, work: Work<'_>) -> Result<Option<String>> {
    let spared = tree::erase(old, inventory, work).map_err(|failed| as_error("remove the old tree", left, failed))?;
    tree::flush_names(old.parent).map_err(|error| Error::io("look once more at the old tree", left, error))?;
    Ok(tell_spared(left, inventory, &spared))
}

/// Who could still write to an old tree, in words: whoever has a file of it open for that, and whoever has a way into it
/// that needs no path.
fn in_use(old: tree::Root<'_>, left: &Path, inventory: &Inventory) -> io::Result<Option<String>> {
    if let Some((open, why)) = tree::writer(old, inventory)? {
        return Ok(Some(format!("{}: {why}", platform::quoted(&join(left, &open)))));
    }
    let inside = old.parent.physical_path()?.join(old.name);
    let ways_in = platform::users_below(&inside)
        .into_iter()
        .find(|user| user.pid != std::process::id() && user.path.symlink_metadata().is_ok_and(|found| found.is_dir()));
    Ok(ways_in
        .map(|user| format!("process {} ({}) {}: {}", user.pid, user.name, user.what, platform::quoted(&user.path))))
}

/// What of an old tree was not removed, in words.
fn tell_spared(left: &Path, inventory: &Inventory, spared: &[tree::Loss]) -> Option<String> {
    let first = spared.first()?;
    let path = platform::quoted(&join(left, &inventory.path(first.item)));
    let more = if spared.len() > 1 { format!("; and {} more", spared.len() - 1) } else { String::new() };
    Some(format!("of it, what nobody touched is gone; {path}: {}{more}", first.what))
}

fn must_be_untouched(operation: &'static str, place: &Place, name: &OsStr, inventory: &Inventory) -> Result<()> {
    let now = Inventory::take(&place.directory, name).map_err(|error| Error::io(operation, &place.path, error))?;
    match touched(inventory, &now) {
        None => Ok(()),
        Some(path) => Err(changed(operation, &join(&place.path, &path), "it was changed while it was copied")),
    }
}

/// What was touched between two looks at a tree. Of its root, a new name changes the time of change, and nothing else.
fn touched(before: &Inventory, now: &Inventory) -> Option<PathBuf> {
    let facts = |stat: &platform::Stat| (stat.mode, stat.uid, stat.gid, stat.size, stat.modified, stat.names);
    let root = |inventory: &Inventory| inventory.root().map(|root| facts(&root.stat));
    before.difference(now).or_else(|| (root(before) != root(now)).then(PathBuf::new))
}

pub(super) fn join(place: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { place.to_owned() } else { place.join(below) }
}

/// The error of the work on a tree.
pub(super) fn as_error(operation: &'static str, place: &Path, failed: tree::Failed) -> Error {
    let error = Error::io(failed.doing, join(place, &failed.path), failed.error);
    match error.kind() {
        ErrorKind::Stopped => Error::stopped(operation, place).leaving(Aftermath::Unchanged),
        _ => error,
    }
}
