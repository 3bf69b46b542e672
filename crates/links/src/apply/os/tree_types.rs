//! What is said of whole trees, whatever the system.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::apply::Meter;
use crate::model::Target;
use crate::platform::{Directory, Inventory, Item};

/// Where a tree hangs: a name in an opened directory.
#[derive(Clone, Copy)]
pub(in crate::apply) struct Root<'a> {
    pub(in crate::apply) parent: &'a Directory,
    pub(in crate::apply) name: &'a OsStr,
}

impl Root<'_> {
    /// The directory that an item stands in.
    pub(super) fn container(&self, inventory: &Inventory, item: usize) -> io::Result<Directory> {
        inventory.container(self.parent, self.name, item)
    }

    /// Its name there.
    pub(super) fn name_of<'i>(&'i self, inventory: &'i Inventory, item: usize) -> &'i OsStr {
        inventory.name_of(self.name, item)
    }
}

/// What went wrong, where, and while what was done.
#[derive(Debug)]
pub(in crate::apply) struct Failed {
    /// Below the root of the tree.
    pub(in crate::apply) path: PathBuf,
    pub(in crate::apply) doing: &'static str,
    pub(in crate::apply) error: io::Error,
}

impl Failed {
    pub(super) fn at(
        inventory: &Inventory,
        item: usize,
        doing: &'static str,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = inventory.path(item);
        move |error| Self { path, doing, error }
    }
}

/// Who may have written what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::apply) enum Trust {
    /// This user alone.
    Own,
    /// Others, too: what it says is carried out only where they could do the same themselves, or where the journal says
    /// that it was this user.
    Anybody,
}

/// Something that a copy could not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apply) struct Loss {
    pub(in crate::apply) item: usize,
    pub(in crate::apply) what: String,
}

/// What a copy could not keep, by the file itself: what one of its names lost, all have lost.
pub(super) struct Lossy(HashMap<(u64, u128), String>);

impl Lossy {
    pub(super) fn of(inventory: &Inventory, losses: &[Loss]) -> Self {
        let mut all: HashMap<(u64, u128), String> = HashMap::new();
        for loss in losses {
            let Some(item) = inventory.items.get(loss.item) else { continue };
            *all.entry((item.stat.device, item.stat.number)).or_default() += &loss.what;
        }
        Self(all)
    }

    /// Everything that was told to be lost of an object.
    pub(super) fn told_of(&self, item: &Item) -> Option<&str> {
        self.0.get(&(item.stat.device, item.stat.number)).map(String::as_str)
    }

    /// Whether this was told to be lost of an object.
    pub(super) fn has(&self, item: &Item, what: &str) -> bool {
        self.told_of(item).is_some_and(|all| all.contains(what))
    }
}

/// Work on a tree: how far it is, and whether it shall stop.
#[derive(Clone, Copy)]
pub(in crate::apply) struct Work<'w> {
    pub(in crate::apply) meter: &'w Meter,
    pub(in crate::apply) stop: &'w AtomicBool,
    /// How many threads work.
    pub(in crate::apply) workers: usize,
    /// Whether nothing may be lost, not even what is told.
    pub(in crate::apply) strict: bool,
}

impl Work<'_> {
    pub(super) fn add_file(&self) {
        self.meter.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.meter.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of the copy that were read back.
    pub(super) fn add_checked(&self, bytes: u64) {
        self.meter.checked.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn must_go_on(&self) -> io::Result<()> {
        // Not `Interrupted`, which calls of the system are repeated for.
        if self.stop.load(Ordering::Relaxed) { Err(io::Error::other(STOPPED)) } else { Ok(()) }
    }
}

/// What the error says of work that was stopped by the user.
pub(in crate::apply) const STOPPED: &str = "stopped";

/// What links say in the copy instead of their own targets, by their items.
pub(in crate::apply) type Texts = BTreeMap<usize, Target>;
