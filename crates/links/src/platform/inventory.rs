//! Everything below a directory, as it is at one moment: what a move copies, and is compared with afterwards.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Directory, take_inventory};
use crate::model::{ReparsePoint, Target};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ObjectKind {
    File,
    Directory,
    Symlink,
    Fifo,
    CharDevice,
    BlockDevice,
    Socket,
}

/// What the system tells of an object: enough to see whether it was touched since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stat {
    pub(crate) sort: ObjectKind,
    pub(crate) device: u64,
    pub(crate) number: u128,
    /// Elsewhere than on Windows. There, `FILE_ATTRIBUTE_*`.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Of a device: which one.
    pub(crate) special: u64,
    pub(crate) names: u32,
    pub(crate) size: u64,
    pub(crate) allocated: u64,
    pub(crate) accessed: (i64, u32),
    pub(crate) modified: (i64, u32),
    pub(crate) changed: (i64, u32),
}

impl Stat {
    /// Whether it is the same object, and nobody has written to it or changed anything about it. What reading it
    /// changes does not count, nor what renaming the tree's root does.
    pub(crate) fn is_untouched(&self, now: &Self) -> bool {
        self.is_same(now)
            && (self.mode, self.uid, self.gid, self.size) == (now.mode, now.uid, now.gid, now.size)
            && self.modified == now.modified
            && self.names == now.names
            && (self.changed == now.changed || self.sort == ObjectKind::Directory)
    }

    /// Whether it is the same object.
    pub(crate) fn is_same(&self, now: &Self) -> bool {
        (self.sort, self.device, self.number) == (now.sort, now.device, now.number)
    }
}

/// One object of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The item that holds it; its own number for the root.
    pub(crate) parent: usize,
    #[serde(with = "crate::model::name")]
    pub(crate) name: OsString,
    pub(crate) stat: Stat,
    /// What a symbolic link says.
    #[serde(with = "crate::model::name::if_any")]
    pub(crate) text: Option<OsString>,
    /// On NTFS, the reparse point that it is: its data counts, and not what a system makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) point: Option<ReparsePoint>,
    /// On NTFS, `FILE_ATTRIBUTE_*`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) attributes: u32,
    /// On NTFS, whether it has an 8.3 name besides, which ntfs-3g counts as one of its names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_short_name: bool,
    /// Whether it is the root of a btrfs subvolume.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_subvolume: bool,
    /// Whether another file system is mounted there: what is below is not of this tree.
    pub(crate) is_mount_point: bool,
    /// Whether it is marked so that it cannot be removed (immutable, append-only).
    pub(crate) is_fixed: bool,
}

fn is_zero(attributes: &u32) -> bool {
    *attributes == 0
}

impl Item {
    /// Whether it is no directory, and has other names than this one and its 8.3 name.
    pub(crate) fn has_several_names(&self) -> bool {
        self.stat.sort != ObjectKind::Directory && self.stat.names > 1 + u32::from(self.has_short_name)
    }

    /// What it says, if it is a link.
    pub(crate) fn target(&self) -> Option<Target> {
        let point = self.point.clone().map(Target::Reparse);
        point.or_else(|| self.text.clone().map(Target::Text))
    }
}

/// A tree: its root first, each directory before what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inventory {
    pub(crate) items: Vec<Item>,
}

impl Inventory {
    /// Looks at a name and everything below it, following nothing.
    pub(crate) fn take(parent: &Directory, name: &OsStr) -> io::Result<Self> {
        take_inventory(parent, name)
    }

    /// The path of an item below the root; empty for the root itself.
    pub(crate) fn path(&self, item: usize) -> PathBuf {
        let mut names = Vec::new();
        let mut at = item;
        while let Some(found) = self.items.get(at).filter(|_| at != 0) {
            names.push(found.name.as_os_str());
            at = found.parent;
        }
        names.iter().rev().collect()
    }

    /// The name of an item in its directory.
    pub(crate) fn name_of<'i>(&'i self, root: &'i OsStr, item: usize) -> &'i OsStr {
        match self.items.get(item) {
            Some(found) if item != 0 => &found.name,
            _ => root,
        }
    }

    /// Whether it can be one: each item in a directory before it, and no name that leads anywhere else.
    pub(crate) fn is_sound(&self) -> bool {
        let is_name = |name: &OsStr| {
            let bytes = name.as_encoded_bytes();
            // On Windows these lead elsewhere, too.
            let separators: &[u8] = if std::path::MAIN_SEPARATOR == '\\' { b"/\\:" } else { b"/" };
            let leads = bytes.iter().any(|byte| *byte == 0 || separators.contains(byte));
            !bytes.is_empty() && bytes != b"." && bytes != b".." && !leads
        };
        self.root().is_some_and(|root| root.parent == 0)
            && self.items.iter().enumerate().skip(1).all(|(number, item)| {
                let parent = self.items.get(item.parent).filter(|_| item.parent < number);
                parent.is_some_and(|parent| parent.stat.sort == ObjectKind::Directory) && is_name(&item.name)
            })
    }

    pub(crate) fn root(&self) -> Option<&Item> {
        self.items.first()
    }

    /// The directories with their numbers, each before what is in it.
    pub(crate) fn directories(&self) -> impl DoubleEndedIterator<Item = (usize, &Item)> {
        self.items.iter().enumerate().filter(|(_, item)| item.stat.sort == ObjectKind::Directory)
    }

    /// Bytes of all files, each once.
    pub(crate) fn bytes(&self) -> u64 {
        let files = self.items.iter().filter(|item| item.stat.sort == ObjectKind::File);
        let mut met = std::collections::HashSet::new();
        files
            .filter(|item| item.stat.names < 2 || met.insert(item.stat.number))
            .fold(0u64, |sum, item| sum.saturating_add(item.stat.size))
    }

    /// The first path at which two looks at a tree differ, if any. The root may have another name.
    pub(crate) fn difference(&self, now: &Self) -> Option<PathBuf> {
        use std::collections::HashMap;
        let known: HashMap<PathBuf, &Item> =
            self.items.iter().enumerate().map(|(number, item)| (self.path(number), item)).collect();
        for (number, item) in now.items.iter().enumerate() {
            let path = now.path(number);
            let same = known.get(&path).is_some_and(|before| {
                let root = number == 0;
                let untouched =
                    if root { before.stat.is_same(&item.stat) } else { before.stat.is_untouched(&item.stat) };
                untouched && before.text == item.text && before.point == item.point
            });
            if !same {
                return Some(path);
            }
        }
        if self.items.len() == now.items.len() {
            return None;
        }
        let there: std::collections::HashSet<PathBuf> = (0..now.items.len()).map(|number| now.path(number)).collect();
        known.into_keys().find(|path| !there.contains(path))
    }
}

/// A program that uses something of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// 0 where the system does not tell.
    pub(crate) pid: u32,
    /// What the program is called.
    pub(crate) name: String,
    /// What it uses.
    pub(crate) path: PathBuf,
    /// How, in words.
    pub(crate) what: &'static str,
    /// Whether it is this process.
    pub(crate) is_own: bool,
}

/// What stands in the way of moving an object.
#[derive(Clone, Copy, Debug, Default)]
#[allow(dead_code, reason = "not every system moves trees")]
pub(crate) struct Marks {
    /// Whether another file system is mounted there.
    pub(crate) is_mount_point: bool,
    /// Whether it is marked so that it cannot be removed.
    pub(crate) is_fixed: bool,
}
