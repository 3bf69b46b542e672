//! The stage: a private directory beside the new place of a tree, with the copy and what is to become of it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::make::says;
use super::super::os::{self, tree};
use super::super::private_name::PRIVATE;
use super::super::probe;
use super::super::{NEVER, Work};
use super::across::as_error;
use super::{Direction, Job, LeftLink, TREE, changed, stat_of, texts};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lost, Rewritten, Target};
use crate::platform::{Directory, Inventory, ObjectKind, Place, Stat, if_there, look, same_target};

/// What is to be done, written down before anything else.
const INTENT: &str = "intent";
/// Everything that was copied: written when the copy is whole.
const COPIED: &str = "copied";
/// That the old tree is not needed any more.
const COMMITTED: &str = "committed";

/// What a stage is for: enough to go on, or back, with nothing but the disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    /// Of this form; a later one would have another number.
    form: u32,
    pub(super) way: Direction,
    #[serde(with = "crate::model::name")]
    pub(super) from: PathBuf,
    #[serde(with = "crate::model::name")]
    pub(super) to: PathBuf,
    /// The root of the original.
    pub(super) original: Stat,
    /// The link that is left, or that is there.
    pub(super) link: Target,
    /// Whether the tree is renamed, and nothing copied.
    pub(super) is_rename: bool,
    /// Where the tree is renamed: its links that say something else at the other place.
    pub(super) rewritten: Vec<Rewritten>,
    /// The directories of these, as they were.
    pub(super) directories: Vec<Before>,
    /// The private name, of the stage and beside the original.
    #[serde(with = "crate::model::name")]
    pub(super) private: OsString,
}

/// A directory of a tree, as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Before {
    /// Below the root of the tree.
    #[serde(with = "crate::model::name")]
    pub(super) path: PathBuf,
    pub(super) stat: Stat,
}

impl Intent {
    /// The name beside the original that the link has until it takes that one's, and the original from then on. The stage may
    /// lie in the same directory.
    pub(super) fn beside(&self) -> OsString {
        beside(&self.private)
    }
}

/// The name beside the original that goes with a private name.
pub(super) fn beside(private: &OsStr) -> OsString {
    let mut name = private.to_owned();
    name.push("-tree");
    name
}

/// What was copied.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Copied {
    /// The root of the copy.
    pub(super) copy: Stat,
    /// The original, as it was copied.
    pub(super) inventory: Inventory,
    /// What the copy could not keep.
    pub(super) lost: Vec<Lost>,
}

const FORM: u32 = 2;

/// What a stage holds besides the tree, in the order in which it is removed: the intent first, for with it and without the
/// rest the stage would say that the copy was never whole.
const FILES: [&str; 6] = [INTENT, COMMITTED, COPIED, "committed.new", "copied.new", "intent.new"];

/// A stage that this run has made.
pub(super) struct Stage {
    pub(super) directory: Directory,
    /// Where the stage is.
    above: Directory,
    pub(super) intent: Intent,
    /// Whether the copy is what everybody sees.
    pub(super) committed: bool,
    /// Keeps others from recovering what is still in work.
    _lock: tree::Locks,
}

impl Stage {
    pub(super) fn begin(
        job: &Job<'_>,
        from: &Place,
        to: &Place,
        private: &OsStr,
        original: &Stat,
        is_rename: bool,
    ) -> Result<Self> {
        let fail = |error| Error::io("make a directory for the copy beside", &to.path, error);
        let full = |place: &Place| -> io::Result<PathBuf> { Ok(place.directory.physical_path()?.join(place.name())) };
        let intent = Intent {
            form: FORM,
            way: job.direction,
            from: full(from).map_err(fail)?,
            to: full(to).map_err(fail)?,
            original: original.clone(),
            link: match job.link {
                LeftLink::New(target) => target.clone(),
                LeftLink::Old(seen) => seen.target.clone(),
            },
            is_rename,
            rewritten: if is_rename { job.texts.to_vec() } else { Vec::new() },
            directories: if is_rename { texts::directories(from, job.texts).map_err(fail)? } else { Vec::new() },
            private: private.to_owned(),
        };
        let bytes = serde_json::to_vec(&intent).map_err(|error| fail(error.into()))?;
        let above = to.directory.open_child(OsStr::new(".")).map_err(fail)?;
        tree::make_private_directory(&above, private).map_err(fail)?;
        let make = || -> io::Result<_> {
            let directory = above.open_child(private)?;
            // Whoever may write here may have put a directory of his own there.
            let is_ours = tree::is_own(&directory)? || tree::ignores_permissions(&directory, private)?;
            if !is_ours || directory.entries()?.next().is_some() {
                return Err(io::Error::other("another directory has its name already"));
            }
            // As long as this is held, nobody recovers what is not left yet.
            let mut lock = tree::Locks::default();
            lock.whole(&above, private)?;
            os::write_durably(&directory, OsStr::new(INTENT), &bytes)?;
            tree::flush_names(&above)?;
            Ok((directory, lock))
        };
        match make() {
            Ok((directory, lock)) => Ok(Self { directory, above, intent, committed: false, _lock: lock }),
            Err(error) => {
                // Nothing is in it yet but what this call wrote.
                if let Ok(directory) = above.open_child(private) {
                    remove_files(&directory).unwrap_or_default();
                }
                os::remove_directory(&above, private).unwrap_or_default();
                Err(fail(error))
            }
        }
    }

    pub(super) fn write_copied(&self, inventory: &Inventory, lost: &[Lost]) -> Result<()> {
        let fail = |error| Error::io("write down what was copied for", &self.intent.to, error);
        let write = || -> io::Result<()> {
            let (copy, _) = look(&self.directory, OsStr::new(TREE))?;
            let copied = Copied { copy, inventory: inventory.clone(), lost: lost.to_vec() };
            os::write_durably(&self.directory, OsStr::new(COPIED), &serde_json::to_vec(&copied)?)
        };
        write().map_err(fail)
    }

    /// Takes away what was made so far; the original was never touched.
    pub(super) fn roll_back(&self, from: &Place, to: &Place, work: Work<'_>) -> Result<()> {
        let work = Work { stop: &NEVER, ..work };
        // What this very run has written.
        let copied = read_copied(&self.directory, tree::Trust::Anybody);
        // What was copied is given up only where it was copied from is seen to be there.
        let fail = |error| Error::io("look once more at", &from.path, error);
        if !self.intent.original.is_same(&look(&from.directory, from.name()).map_err(fail)?.0) {
            let cause = "it is not in its place any more; the copy, or a part of it, stays";
            return Err(changed(self.intent.way.operation(), &from.path, cause));
        }
        // The copy may have its name already.
        if let (Direction::Away, Some(copied)) = (self.intent.way, &copied) {
            take_back(&to.directory, to.name(), &to.path, &self.directory, copied)?;
        }
        remove_link(&from.directory, &self.intent)?;
        give_back_link(&self.directory, &to.directory, &self.intent)?;
        remove_tree(&self.directory, OsStr::new(TREE), &to.path, work)?;
        self.end()
    }

    /// Removes the stage, which holds nothing any more that anybody needs.
    pub(super) fn end(&self) -> Result<()> {
        end(&self.directory, &self.above, &self.intent)
    }
}

/// Removes a stage with its files; on the way back, the link that lies in it.
pub(super) fn end(directory: &Directory, above: &Directory, intent: &Intent) -> Result<()> {
    let fail = |error| Error::io("remove the directory for the copy beside", &intent.to, error);
    let remove = || -> io::Result<()> {
        match stat_of(directory, OsStr::new(TREE))?.map(|stat| stat.sort) {
            None => {}
            Some(ObjectKind::Symlink) => os::remove_file(directory, OsStr::new(TREE))?,
            Some(_) => return Err(io::Error::other("a tree is still in it")),
        }
        remove_files(directory)?;
        os::remove_directory(above, &intent.private)?;
        tree::flush_names(above)
    };
    remove().map_err(fail)
}

/// Removes what a stage holds besides the tree.
fn remove_files(directory: &Directory) -> io::Result<()> {
    FILES.iter().try_for_each(|name| if_there(os::remove_file(directory, OsStr::new(name))).map(drop))
}

/// Whether a private directory holds nothing that anybody could miss: it was made, and no intent written; or it was about
/// to be removed; or it was made to see whether links can be.
pub(super) fn is_discardable(directory: &Directory, name: &OsStr) -> bool {
    discardable_names(directory, name).is_ok_and(|names| names.is_some())
}

fn discardable_names(directory: &Directory, name: &OsStr) -> io::Result<Option<Vec<OsString>>> {
    if !is_private(name) {
        return Ok(None);
    }
    // An old tree may have such a name, too: of what is in it, nothing is taken for what it is not.
    let is_stage = tree::is_own(directory)? || !tree::can_exchange(directory)?;
    let mut names = Vec::new();
    for entry in directory.entries()? {
        let name = entry?.name;
        let (stat, _) = look(directory, &name)?;
        let of_probe = probe::NAMES.iter().any(|known| name == **known) || is_private(&name);
        let harmless = match stat.sort {
            ObjectKind::File if stat.size == 0 => of_probe || FILES.iter().any(|known| name == **known),
            ObjectKind::File => is_stage && begins_as_written(directory, &name)?,
            ObjectKind::Symlink => of_probe && is_of_probe(directory, &name)?,
            // A trial directory, or what was to become a link on NTFS.
            ObjectKind::Directory => of_probe && directory.open_child(&name)?.entries()?.next().is_none(),
            _ => false,
        };
        if !harmless {
            return Ok(None);
        }
        names.push(name);
    }
    Ok(Some(names))
}

/// Whether a link says what one says that was made to see whether it can be.
fn is_of_probe(directory: &Directory, name: &OsStr) -> io::Result<bool> {
    let found = Inventory::take(directory, name)?;
    let Some(target) = found.root().and_then(crate::platform::Item::target) else { return Ok(false) };
    let shown = target.shown().unwrap_or_default();
    let last = match target {
        // A junction names its target in full.
        Target::Reparse(_) => {
            shown.as_encoded_bytes().rsplit(|byte| *byte == b'\\').next().unwrap_or_default().to_vec()
        }
        _ => shown.into_encoded_bytes(),
    };
    Ok(probe::TEXTS.iter().any(|known| last == known.as_bytes()))
}

/// Whether a file says what this program writes into such a file, be it broken off.
fn begins_as_written(directory: &Directory, name: &OsStr) -> io::Result<bool> {
    let begins: &[u8] = match name.to_str() {
        Some("intent.new") => b"{\"form\":",
        Some("copied" | "copied.new") => b"{\"copy\":{\"sort\":",
        _ => return Ok(false),
    };
    let mut found = Vec::new();
    let most = u64::try_from(begins.len()).unwrap_or(u64::MAX);
    tree::open_own(directory, name, tree::Trust::Anybody)?.take(most).read_to_end(&mut found)?;
    Ok(found == begins)
}

/// Whether a name is one that this program gives: `.linkctl-` and sixteen digits.
fn is_private(name: &OsStr) -> bool {
    let digits = name.as_encoded_bytes().strip_prefix(PRIVATE.as_bytes());
    digits.is_some_and(|digits| digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Removes such a directory. Whether it was one.
pub(super) fn remove_discardable(directory: &Directory, above: &Directory, name: &OsStr) -> io::Result<bool> {
    let Some(names) = discardable_names(directory, name)? else { return Ok(false) };
    for name in names {
        match look(directory, &name)?.0.sort {
            ObjectKind::Directory => os::remove_directory(directory, &name)?,
            _ => os::remove_file(directory, &name)?,
        }
    }
    os::remove_directory(above, name)?;
    tree::flush_names(above)?;
    Ok(true)
}

/// The intent of a stage, and who may have written it. `None` for a directory that is none.
pub(super) fn read_intent(directory: &Directory) -> io::Result<Option<(Intent, tree::Trust)>> {
    if stat_of(directory, OsStr::new(INTENT))?.is_none() {
        return Ok(None);
    }
    let trust = if tree::is_own(directory)? { tree::Trust::Own } else { tree::Trust::Anybody };
    // Piece by piece: what is no intent costs no memory, however long it is.
    let intent: Intent =
        serde_json::from_reader(BufReader::new(tree::open_own(directory, OsStr::new(INTENT), trust)?))?;
    if intent.form != FORM {
        let cause = "written by another version of linkctl, which alone can go on with it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, cause));
    }
    Ok(Some((intent, trust)))
}

pub(super) fn read_copied(directory: &Directory, trust: tree::Trust) -> Option<Copied> {
    let file = tree::open_own(directory, OsStr::new(COPIED), trust).ok()?;
    serde_json::from_reader(BufReader::new(file)).ok().filter(|copied: &Copied| copied.inventory.is_sound())
}

pub(super) fn is_committed(directory: &Directory) -> bool {
    look(directory, OsStr::new(COMMITTED)).is_ok()
}

pub(super) fn write_committed(directory: &Directory) -> io::Result<()> {
    os::write_durably(directory, OsStr::new(COMMITTED), b"")
}

/// Takes a published copy back into its stage, in one step: only the very tree that was made, and only if it still is as
/// it was made.
pub(super) fn take_back(
    directory: &Directory,
    name: &OsStr,
    path: &Path,
    stage: &Directory,
    copied: &Copied,
) -> Result<()> {
    const REMOVE: &str = "take back the copy";
    let fail = |error| Error::io(REMOVE, path, error);
    if !stat_of(directory, name).map_err(fail)?.is_some_and(|now| copied.copy.is_same(&now)) {
        return Ok(());
    }
    let inventory = Inventory::take(directory, name).map_err(fail)?;
    let (found, then) = (&inventory.items, &copied.copy);
    let was_copied = copied.inventory.items.iter().filter(|item| item.stat.sort != ObjectKind::Socket);
    let is_older = |stat: &Stat| stat.changed <= then.changed || stat.sort == ObjectKind::Directory;
    if found.first().is_none_or(|now| (now.stat.size, now.stat.modified) != (then.size, then.modified))
        || found.len() != was_copied.count()
        || !found.iter().skip(1).all(|item| is_older(&item.stat))
    {
        let cause = "the copy was changed since it was made; it stays, and so does the original";
        return Err(Error::new(ErrorKind::Changed, REMOVE, path, cause));
    }
    os::move_durably(directory, name, stage, OsStr::new(TREE)).map_err(fail)
}

/// Removes the link under its private name beside the original, if it got that far.
pub(super) fn remove_link(directory: &Directory, intent: &Intent) -> Result<()> {
    let (name, target) = (&intent.beside(), &intent.link);
    let remove = || -> io::Result<()> {
        let Some(stat) = stat_of(directory, name)? else { return Ok(()) };
        // What becomes a link on NTFS is an empty file or directory first.
        let may_be_stub = matches!(target, Target::Reparse(_));
        match stat.sort {
            ObjectKind::Symlink if says(directory, name, target)? => os::remove_file(directory, name),
            ObjectKind::Directory if may_be_stub => os::remove_directory(directory, name),
            ObjectKind::File if may_be_stub && stat.size == 0 => os::remove_file(directory, name),
            _ => Ok(()),
        }
    };
    if intent.way == Direction::Back {
        return Ok(());
    }
    remove().map_err(|error| Error::io("take back the link beside", &intent.from, error))
}

/// Puts the link that lay in the stage, to make room for the tree, back in its place.
pub(super) fn give_back_link(stage: &Directory, to: &Directory, intent: &Intent) -> Result<()> {
    let fail = |error| Error::io("put back the link", &intent.to, error);
    let (Direction::Back, Some(name)) = (intent.way, intent.to.file_name()) else { return Ok(()) };
    match stat_of(stage, OsStr::new(TREE)).map_err(fail)? {
        Some(stat) if stat.sort == ObjectKind::Symlink => {
            os::move_durably(stage, OsStr::new(TREE), to, name).map_err(fail)
        }
        _ => Ok(()),
    }
}

/// Removes a tree in a stage, whatever of it is there.
pub(super) fn remove_tree(directory: &Directory, name: &OsStr, path: &Path, work: Work<'_>) -> Result<()> {
    const REMOVE: &str = "remove the unfinished copy beside";
    let inventory = if_there(Inventory::take(directory, name)).map_err(|error| Error::io(REMOVE, path, error))?;
    let Some(inventory) = inventory else { return Ok(()) };
    let root = tree::Root { parent: directory, name };
    let spared = tree::erase(root, &inventory, work).map_err(|failed| as_error(REMOVE, path, failed))?;
    let Some(first) = spared.first() else { return Ok(()) };
    let cause = format!("{}: {}", crate::platform::quoted(&inventory.path(first.item)), first.what);
    Err(Error::new(ErrorKind::Changed, REMOVE, path, cause))
}

/// What links in the tree shall say at the new place, by their items.
pub(super) fn texts_of(inventory: &Inventory, rewritten: &[Rewritten], way: Direction) -> tree::Texts {
    let mut texts = tree::Texts::new();
    if rewritten.is_empty() {
        return texts;
    }
    let by_path: HashMap<&Path, &Rewritten> = rewritten.iter().map(|known| (known.path.as_path(), known)).collect();
    for (number, item) in inventory.items.iter().enumerate() {
        let Some(target) = item.target() else { continue };
        let Some(known) = by_path.get(inventory.path(number).as_path()) else { continue };
        let (now, new) = way.texts(known);
        // What was changed since says what its user wants.
        if same_target(&target, now) {
            texts.insert(number, new.clone());
        }
    }
    texts
}
