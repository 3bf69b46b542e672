//! A walk over a tree with two descriptors open at a time and single components only, so that neither
//! PATH_MAX nor `ulimit -n` stops it. It never follows a link. For fixtures nobody else is changing: it
//! climbs back up through `..`.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;

/// What the walk has come to: the root and every name below it once as `Found`, parents before children,
/// and every directory once more as `Left`, when everything in it has been seen.
pub(crate) enum Event<'a> {
    Found { at: Spot<'a>, relative: &'a [u8], stat: &'a Stat },
    Left { at: Spot<'a> },
}

/// A name in an open directory. For the root of the walk: its absolute path, in the current directory.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) parent: BorrowedFd<'a>,
    pub(crate) name: &'a CStr,
}

pub(crate) fn walk(root: &Path, mut visit: impl FnMut(Event<'_>)) {
    let top = std::path::absolute(root).unwrap();
    let top = CString::new(top.as_os_str().as_bytes()).unwrap();
    let at = Spot { parent: CWD, name: &top };
    let stat = lstat(at);
    visit(Event::Found { at, relative: b"", stat: &stat });
    if !is_directory(&stat) {
        return;
    }

    let mut here = open_directory(at);
    let mut relative = Vec::new();
    let mut unseen = vec![list(&here)];
    let mut above: Vec<CString> = Vec::new();
    while let Some(names) = unseen.last_mut() {
        if let Some(name) = names.pop() {
            let at = Spot { parent: here.as_fd(), name: &name };
            let stat = lstat(at);
            let parent_length = relative.len();
            if !relative.is_empty() {
                relative.push(b'/');
            }
            relative.extend(name.to_bytes());
            visit(Event::Found { at, relative: &relative, stat: &stat });
            if is_directory(&stat) {
                here = open_directory(at);
                unseen.push(list(&here));
                above.push(name);
            } else {
                relative.truncate(parent_length);
            }
        } else {
            unseen.pop();
            let Some(name) = above.pop() else { break };
            here = open_directory(Spot { parent: here.as_fd(), name: c".." });
            relative.truncate(relative.len() - name.to_bytes().len());
            relative.pop_if(|last| *last == b'/');
            visit(Event::Left { at: Spot { parent: here.as_fd(), name: &name } });
        }
    }
    visit(Event::Left { at });
}

/// Removes a tree of any depth. `std::fs::remove_dir_all` keeps a descriptor open for each level.
pub(crate) fn remove_tree(root: &Path) {
    walk(root, |event| {
        let (at, flags) = match event {
            Event::Found { at, stat, .. } if !is_directory(stat) => (at, AtFlags::empty()),
            Event::Found { .. } => return,
            Event::Left { at } => (at, AtFlags::REMOVEDIR),
        };
        unlinkat(at.parent, at.name, flags).unwrap_or_else(|e| panic!("cannot remove {:?}: {e}", at.name));
    });
}

/// `lstat` that absorbs the one EIO ntfs-3g gives after the type of a file has changed below the cache.
pub(crate) fn lstat(at: Spot<'_>) -> Stat {
    let ask = || statat(at.parent, at.name, AtFlags::SYMLINK_NOFOLLOW);
    match ask() {
        Err(Errno::IO) => ask(),
        answer => answer,
    }
    .unwrap_or_else(|e| panic!("cannot lstat {:?}: {e}", at.name))
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

fn open_directory(at: Spot<'_>) -> std::os::fd::OwnedFd {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    openat(at.parent, at.name, flags, Mode::empty())
        .unwrap_or_else(|e| panic!("cannot open the directory {:?}: {e}", OsStr::from_bytes(at.name.to_bytes())))
}

fn list(directory: impl AsFd) -> Vec<CString> {
    let entries = Dir::read_from(directory).unwrap().map(|entry| entry.unwrap().file_name().to_owned());
    entries.filter(|name| name.to_bytes() != b"." && name.to_bytes() != b"..").collect()
}
