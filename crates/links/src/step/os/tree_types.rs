//! What is said of whole trees, whatever the system.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use crate::model::Target;
use crate::platform::{Directory, Inventory, Item};

/// Where a tree hangs, or one of its objects: a name in an opened directory.
#[derive(Clone, Copy)]
pub(crate) struct Root<'a> {
    pub(crate) parent: &'a Directory,
    pub(crate) name: &'a OsStr,
}

impl<'a> Root<'a> {
    /// An item of the tree in its directory, which is opened.
    pub(super) fn item(self, inventory: &'a Inventory, item: usize, container: &'a Directory) -> Self {
        Self { parent: container, name: inventory.name_of(self.name, item) }
    }

    /// The directory that an item stands in.
    pub(super) fn container(&self, inventory: &Inventory, item: usize) -> io::Result<Directory> {
        inventory.container(self.parent, self.name, item)
    }
}

/// What went wrong, where, and while what was done.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Below the root of the tree.
    pub(crate) path: PathBuf,
    pub(crate) doing: &'static str,
    pub(crate) error: io::Error,
}

impl Failed {
    pub(super) fn at(inventory: &Inventory, item: usize, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = inventory.path(item);
        move |error| Self { path, doing, error }
    }
}

/// Who may have written what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// This user alone.
    Own,
    /// Others, too: what it says is carried out only where they could do the same themselves, or where the journal says
    /// that it was this user.
    Anybody,
}

/// Something that a copy could not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) item: usize,
    pub(crate) what: String,
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

/// What is passed each thing that a copy cannot have.
pub(super) type Losses<'l> = &'l mut dyn FnMut(String);

/// Two buffers, to be used again and again.
pub(super) type Buffers = (Vec<u8>, Vec<u8>);

/// What links say in the copy instead of their own targets, by their items.
pub(crate) type Texts = BTreeMap<usize, Target>;
