//! A tree inventoried: every object looked at once, by descriptor.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt as _;

use rustix::fs::{self, AtFlags, FileType, Statx, StatxAttributes, StatxFlags};

use rustix::io::Errno;

use super::Directory;
use super::ntfs_3g::{self, ntfs_volume};
use crate::platform::{Containers, Inventory, Item, Marks, ObjectKind, Stat};

/// Looks at a name and everything below it, following nothing.
pub(crate) fn take_inventory(parent: &Directory, name: &OsStr) -> io::Result<Inventory> {
    let (stat, marks) = look(parent, name)?;
    let on_ntfs = ntfs_volume(parent)?.is_some();
    let (root, _) = item((parent, name), 0, on_ntfs, (stat, marks))?;
    let mut inventory = Inventory { items: vec![root] };
    if inventory.items.first().is_none_or(|root| root.stat.sort != ObjectKind::Directory) {
        return Ok(inventory);
    }
    let mut containers = Containers::of(parent, name);
    let mut pending = vec![0];
    while let Some(number) = pending.pop() {
        let mut read = || -> io::Result<_> {
            let opened = containers.directory(&inventory, number)?;
            let names = opened.entries()?.map(|entry| entry.map(|entry| entry.name));
            names.collect::<io::Result<Vec<OsString>>>()
        };
        let mut names = read().map_err(|error| match error.kind() {
            // Which of them, nobody could guess.
            io::ErrorKind::PermissionDenied if number != 0 => {
                let below = super::quoted(&inventory.path(number));
                io::Error::new(error.kind(), format!("this user may not read {below} in it"))
            }
            _ => error,
        })?;
        names.sort_unstable();
        let directory = containers.directory(&inventory, number)?;
        for name in names {
            let (stat, marks) = match look(directory, &name) {
                Ok(found) => found,
                // What vanishes while the tree is looked at is not there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let (item, enters) = item((directory, &name), number, on_ntfs, (stat, marks))?;
            let child = inventory.items.len();
            if enters {
                pending.push(child);
            }
            inventory.items.push(item);
        }
    }
    Ok(inventory)
}

/// All about one object; and whether what is in it belongs to the tree.
fn item(
    (directory, name): (&Directory, &OsStr),
    parent: usize,
    on_ntfs: bool,
    (stat, marks): (Stat, Marks),
) -> io::Result<(Item, bool)> {
    let mut item = Item {
        parent,
        name: name.to_owned(),
        text: text_of(directory, name, &stat)?,
        point: None,
        attributes: 0,
        has_short_name: false,
        // Of such a number are these alone (BTRFS_FIRST_FREE_OBJECTID).
        is_subvolume: stat.sort == ObjectKind::Directory && stat.number == 256 && is_btrfs(directory)?,
        is_mount_point: marks.is_mount_point,
        is_fixed: marks.is_fixed,
        stat,
    };
    if on_ntfs {
        item.attributes = ntfs_3g::attributes(directory, name)?.unwrap_or(0);
        item.has_short_name = item.stat.names > 1 && ntfs_3g::has_short_name(directory, name);
        if item.stat.sort == ObjectKind::Symlink {
            item.point = ntfs_3g::read_reparse_point(directory, name)?;
            // What ntfs-3g makes of the data, and how long that is, depends on what is around the link.
            if let Some(point) = &item.point {
                (item.text, item.stat.size) = (None, point.raw.len() as u64);
            }
        }
    }
    let enters = item.stat.sort == ObjectKind::Directory && !item.is_mount_point;
    Ok((item, enters))
}

fn is_btrfs(directory: &Directory) -> io::Result<bool> {
    const BTRFS: u32 = 0x9123_683e;
    Ok(directory.magic()? == BTRFS)
}

/// What a name is, and what stands in the way of moving it.
pub(crate) fn look(directory: &Directory, name: &OsStr) -> io::Result<(Stat, Marks)> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let ask = || fs::statx(directory, name, flags, StatxFlags::BASIC_STATS);
    let found = match ask() {
        // ntfs-3g answers so once after a file became a reparse point or stopped being one.
        Err(Errno::IO) => ask()?,
        answer => answer?,
    };
    let stat = stat_of(&found).ok_or_else(|| io::Error::other("an object of a kind that nobody knows"))?;
    let has = |mark| found.stx_attributes.intersects(mark);
    let is_fixed = has(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND);
    Ok((stat, Marks { is_mount_point: has(StatxAttributes::MOUNT_ROOT), is_fixed }))
}

fn text_of(directory: &Directory, name: &OsStr, stat: &Stat) -> io::Result<Option<OsString>> {
    if stat.sort != ObjectKind::Symlink {
        return Ok(None);
    }
    Ok(Some(OsString::from_vec(fs::readlinkat(directory, name, Vec::new())?.into_bytes())))
}

fn stat_of(stat: &Statx) -> Option<Stat> {
    let time = |time: fs::StatxTimestamp| (time.tv_sec, time.tv_nsec);
    Some(Stat {
        sort: match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::RegularFile => ObjectKind::File,
            FileType::Directory => ObjectKind::Directory,
            FileType::Symlink => ObjectKind::Symlink,
            FileType::Fifo => ObjectKind::Fifo,
            FileType::CharacterDevice => ObjectKind::CharDevice,
            FileType::BlockDevice => ObjectKind::BlockDevice,
            FileType::Socket => ObjectKind::Socket,
            FileType::Unknown => return None,
        },
        device: fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
        number: stat.stx_ino.into(),
        mode: u32::from(stat.stx_mode) & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        special: fs::makedev(stat.stx_rdev_major, stat.stx_rdev_minor),
        names: stat.stx_nlink,
        size: stat.stx_size,
        allocated: stat.stx_blocks.saturating_mul(512),
        accessed: time(stat.stx_atime),
        modified: time(stat.stx_mtime),
        changed: time(stat.stx_ctime),
    })
}
