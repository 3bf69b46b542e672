//! What is said of whole trees, whatever the system.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use crate::model::Target;
use crate::platform::{Containers, Directory, Inventory, Item};

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

    /// The directories that its items stand in.
    pub(super) fn containers(self) -> Containers<'a> {
        Containers::of(self.parent, self.name)
    }
}

/// An object of a tree and its copy, in their opened directories.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(super) from: Root<'a>,
    pub(super) to: Root<'a>,
    pub(super) item: &'a Item,
}

impl<'a> Pair<'a> {
    pub(super) fn of(
        inventory: &'a Inventory,
        number: usize,
        (from, source): (Root<'a>, &'a Directory),
        (to, copy): (Root<'a>, &'a Directory),
    ) -> Self {
        let (from, to) = (from.item(inventory, number, source), to.item(inventory, number, copy));
        Self { from, to, item: &inventory.items[number] }
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
        move |error| Self { path: inventory.path(item), doing, error }
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

impl Trust {
    /// No more bytes of a file are read.
    pub(crate) fn longest(self) -> u64 {
        match self {
            Self::Own => 4 << 30,
            Self::Anybody => 512 << 20,
        }
    }
}

/// Something that a copy could not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) item: usize,
    pub(crate) what: String,
}

/// What is passed each thing that a copy cannot have.
pub(super) type Losses<'l> = &'l mut dyn FnMut(String);

/// Whether something was told to be lost of an object.
pub(super) type IsLost<'l> = &'l dyn Fn(&str) -> bool;

/// Two buffers, to be used again and again.
pub(super) type Buffers = (Vec<u8>, Vec<u8>);

/// What links say in the copy instead of their own targets, by their items.
pub(crate) type Texts = BTreeMap<usize, Target>;

/// What is said of an object that is not what was inventoried.
pub(super) const CHANGED: &str = "it was changed while it was copied";

/// The first bytes of a buffer, which grows to have so many.
pub(super) fn first(buffer: &mut Vec<u8>, length: u64) -> &mut [u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    buffer.get_mut(..length).unwrap_or_default()
}

/// A file that ends before what is read of it is not what it was.
pub(super) fn at_end(cause: &'static str) -> impl Fn(io::Error) -> io::Error {
    move |error| if error.kind() == io::ErrorKind::UnexpectedEof { io::Error::other(cause) } else { error }
}
