//! Which programs use what is below a directory, and how much room there is for more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::fstatvfs;

use super::Directory;

/// A program that uses something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) pid: u32,
    /// What the program is called.
    pub(crate) name: String,
    /// What it uses.
    pub(crate) path: PathBuf,
    /// How, in words.
    pub(crate) what: &'static str,
    /// Whether it is this process, or it works or runs from there.
    pub(crate) is_own: bool,
}

/// More than this nobody reads.
const MOST: usize = 50;

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
