//! Which programs use what is below a directory, and how much room there is for more.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, StatxAttributes, StatxFlags, accessat, fstatvfs, statx};
use rustix::io::Errno;

use super::{Directory, filesystem, look};
use crate::platform::{Containers, Inventory, ObjectKind, Use};

/// More than this nobody reads.
const MOST: usize = 50;

/// Whether the processes of the system can be looked at.
pub(crate) fn sees_processes() -> bool {
    super::directory::has_proc()
}

/// Programs that have something open below a path, work there, or run from there, as far as this user may see.
pub(crate) fn users_below(path: &Path) -> Vec<Use> {
    let mut found = Vec::new();
    let Ok(processes) = fs::read_dir("/proc") else { return found };
    let me = std::process::id();
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let home = process.path();
        let name = fs::read_to_string(home.join("comm")).unwrap_or_default().trim_end().to_owned();
        let mut add = |link: &Path, what| {
            let Ok(target) = fs::read_link(link) else { return };
            if target.starts_with(path) {
                found.push(Use { pid, name: name.clone(), path: target, what, is_own: pid == me });
            }
        };
        add(&home.join("exe"), "runs from here");
        add(&home.join("cwd"), "works here");
        // This program has the tree open itself.
        if pid != me {
            for descriptor in fs::read_dir(home.join("fd")).into_iter().flatten().flatten() {
                add(&descriptor.path(), "has this open");
            }
        }
        if found.len() > MOST {
            break;
        }
    }
    found.truncate(MOST);
    found
}

/// Whether names go from one directory to the other by renaming: mounts of one file system do not let them.
pub(crate) fn is_one_mount(one: &Directory, other: &Directory) -> io::Result<bool> {
    let mount = |directory: &Directory| {
        statx(directory, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).map(|found| found.stx_mnt_id)
    };
    Ok(mount(one)? == mount(other)?)
}

/// Whether this user may make and remove names in a directory.
pub(crate) fn may_write(directory: &Directory) -> bool {
    // One that can only be added to keeps what is made in it for good.
    let only_grows = || {
        let found = statx(directory, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE);
        found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::APPEND))
    };
    accessat(directory, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok() && !only_grows()
}

/// Whether anybody but root, this user and those given can make names in a directory, as its owner or as everybody.
/// FUSE shows rights that are not what counts.
pub(crate) fn is_of_others(directory: &Path, users: [u32; 2]) -> bool {
    let Ok(opened) = Directory::open(directory) else { return true };
    let Ok(found) = statx(&opened, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS) else { return true };
    let is_known = found.stx_uid == 0 || found.stx_uid == current_user() || users.contains(&found.stx_uid);
    let is_open = found.stx_mode & 0o002 != 0;
    (is_open || !is_known) && !filesystem::magic_of(&opened).is_ok_and(|magic| magic == filesystem::FUSE)
}

/// What of a tree this user may not read, or not remove, with the words for it; on the same file system, whether he may rename
/// it. More than a few are not told.
pub(crate) fn forbidden(
    parent: &Directory,
    root: &OsStr,
    inventory: &Inventory,
    same: bool,
) -> io::Result<Vec<(PathBuf, &'static str)>> {
    let mut found = Vec::new();
    let me = current_user();
    // What root may not do on a local file system, nobody may; it is told when it is tried.
    if me == 0 {
        return Ok(found);
    }
    let (above, _) = look(parent, OsStr::new("."))?;
    if let Some(item) = inventory.root() {
        // Of others, what is in a directory with this mark may not be renamed (`S_ISVTX`).
        if above.mode & 0o1000 != 0 && above.uid != me && item.stat.uid != me {
            found.push((PathBuf::new(), "it is another user's, in a directory where only he may rename it"));
        }
        // A directory that gets another parent is written to.
        let writes = item.stat.sort != ObjectKind::Directory
            || accessat(parent, root, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
        if !writes {
            found.push((PathBuf::new(), "this user may not write to it, and so not rename it to another directory"));
        }
    }
    if same {
        return Ok(found);
    }
    let mut containers = Containers::of(parent, root);
    for (number, item) in inventory.items.iter().enumerate() {
        let (access, what) = match item.stat.sort {
            ObjectKind::File => (Access::READ_OK, "this user may not read it"),
            ObjectKind::Directory => (
                Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
                "this user may not read it, or may not remove what is in it",
            ),
            _ => continue,
        };
        let container = containers.container(inventory, number)?;
        match accessat(container, inventory.name_of(root, number), access, AtFlags::EACCESS) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => found.push((inventory.path(number), what)),
            Err(error) => return Err(error.into()),
        }
        if found.len() > MOST {
            break;
        }
    }
    Ok(found)
}

/// How many bytes, and how many objects, this user may still make. `None` where objects are not counted.
pub(crate) fn room(directory: &Directory) -> io::Result<(u64, Option<u64>)> {
    let space = fstatvfs(directory)?;
    let objects = (space.f_files > 0).then_some(space.f_favail);
    Ok((space.f_bavail.saturating_mul(space.f_frsize), objects))
}

/// What a user should know who puts a link there: nothing here.
pub(crate) fn remarks(_path: &Path, _is_junction: bool) -> Vec<(bool, String)> {
    Vec::new()
}

pub(crate) fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}
