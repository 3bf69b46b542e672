//! Which paths are one place.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::platform::{self, Directory};

/// A directory's path without links.
///
/// # Errors
/// It is no directory, cannot be looked at, or has no path any more.
pub fn physical_path(directory: &Path) -> Result<PathBuf> {
    let found = Directory::open(directory).and_then(|opened| opened.physical_path());
    found.map_err(|error| Error::io("find", directory, error))
}

/// Drops the steps of a plan on a place that an earlier step is on already, however its path is written.
pub fn deduplicate(plan: &mut Plan) {
    let mut parents: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut met: HashMap<PathBuf, Vec<OsString>> = HashMap::new();
    plan.steps.retain(|step| {
        let path = step.path();
        let typed = path.parent().unwrap_or(Path::new(""));
        let parent = parents.entry(typed.to_owned()).or_insert_with(|| {
            let physical = Directory::open(typed).and_then(|directory| directory.physical_path());
            physical.unwrap_or_else(|_| typed.to_owned())
        });
        let name = path.file_name().unwrap_or_default();
        let same = |known: &OsString| platform::is_same_name(known, name);
        let known: &mut Vec<OsString> = met.entry(parent.clone()).or_default();
        let new = !known.iter().any(same);
        if new {
            known.push(name.to_owned());
        }
        new
    });
}
