//! A tree inventoried: every object looked at once, by handle.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

use super::directory::{Directory, Held};
use super::path::verbatim;
use super::read_target;
use crate::model::{LinkKind, Target};
use crate::platform::{Containers, Inventory, Item, Marks, ObjectKind, Stat};

/// Looks at a name and everything below it, following nothing.
pub(crate) fn take_inventory(parent: &Directory, name: &OsStr) -> io::Result<Inventory> {
    let mut inventory = Inventory { items: vec![item(parent, name, 0)?] };
    let mut containers = Containers::of(parent, name);
    let mut pending = vec![0];
    while let Some(number) = pending.pop() {
        if !inventory.items.get(number).is_some_and(is_entered) {
            continue;
        }
        let directory = containers.directory(&inventory, number)?;
        let mut names: Vec<OsString> =
            directory.entries()?.map(|entry| entry.map(|entry| entry.name)).collect::<io::Result<_>>()?;
        names.sort_unstable();
        for name in names {
            match item(directory, &name, number) {
                Ok(item) => {
                    pending.push(inventory.items.len());
                    inventory.items.push(item);
                }
                // What vanishes while the tree is looked at is not there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(inventory)
}

fn is_entered(item: &Item) -> bool {
    item.stat.sort == ObjectKind::Directory
}

fn item(directory: &Directory, name: &OsStr, parent: usize) -> io::Result<Item> {
    let held = directory.hold(name)?;
    let stat = held.stat()?;
    let point = match stat.sort {
        ObjectKind::Symlink => match read_target(directory, name, true)? {
            Target::Reparse(point) => Some(point),
            _ => None,
        },
        _ => None,
    };
    let is_mount_point = point.as_ref().is_some_and(|point| point.kind() == LinkKind::MountPoint);
    Ok(Item {
        parent,
        name: name.to_owned(),
        text: None,
        point,
        attributes: held.attributes()?,
        has_short_name: false,
        is_subvolume: false,
        is_mount_point,
        is_fixed: false,
        stat,
    })
}

/// What a name is, and what stands in the way of moving it.
pub(crate) fn look(directory: &Directory, name: &OsStr) -> io::Result<(Stat, Marks)> {
    let held: Held = directory.hold(name)?;
    Ok((held.stat()?, Marks::default()))
}

/// Streams are read as files are, of any length: there is none that cannot be.
pub(crate) fn unreadable_streams(
    _parent: &Directory,
    _root: &OsStr,
    _inventory: &Inventory,
) -> io::Result<Vec<(PathBuf, OsString)>> {
    Ok(Vec::new())
}

/// Whether names go from one directory to the other by renaming, as far as volumes let them.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn is_one_mount(_one: &Directory, _other: &Directory) -> io::Result<bool> {
    Ok(true)
}

/// Names are linked from one directory of a volume to every other.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn by_one_mount(_one: &Directory, _other: &Directory) -> io::Result<Option<(Directory, Directory)>> {
    Ok(None)
}

/// By whatever folder a volume is reached, all of it is.
pub(crate) fn other_mount_points(_directory: &Directory) -> Vec<PathBuf> {
    Vec::new()
}

/// Whether this user may make names in a directory: tried where it matters.
pub(crate) fn may_write(_directory: &Directory) -> bool {
    true
}

/// Whether others could have laid out what is in a directory: not asked here.
pub(crate) fn is_of_others(_directory: &Path, _users: [u32; 2]) -> bool {
    false
}

/// What of a tree this user may not read or remove: here, the copy tells.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn forbidden(
    _parent: &Directory,
    _root: &OsStr,
    _inventory: &Inventory,
    _same: bool,
) -> io::Result<Vec<(PathBuf, &'static str)>> {
    Ok(Vec::new())
}

/// How many bytes this user may still write. Objects are not counted here.
pub(crate) fn room(directory: &Directory) -> io::Result<(u64, Option<u64>)> {
    let path = verbatim(&directory.physical_path()?)?;
    let mut bytes = 0_u64;
    let nothing = std::ptr::null_mut();
    // SAFETY: the path ends in NUL and outlives the call; the system writes one number, and no others are asked for.
    let done = unsafe { GetDiskFreeSpaceExW(path.as_ptr(), &raw mut bytes, nothing, nothing) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok((bytes, None)) }
}

pub(crate) fn current_user() -> u32 {
    0
}
