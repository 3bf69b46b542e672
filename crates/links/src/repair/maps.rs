//! Places that somebody says went elsewhere.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::lost::Lost;
use super::{Confidence, Find, Why};
use crate::error::{Error, ErrorKind, Result};
use crate::model::below;
use crate::platform::{self, Directory};

/// A place that went elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Where it was, in full.
    pub old: PathBuf,
    /// Where it is, in full.
    pub new: PathBuf,
}

impl Map {
    /// Reads `OLD=NEW`. A name that holds `=` is written with two of them. Relative paths are read from the current
    /// directory.
    ///
    /// # Errors
    /// There is no `=`, or nothing on one side of it.
    pub fn parse(text: &OsStr) -> Result<Self> {
        let refuse =
            |cause: &str| Error::new(ErrorKind::InvalidOption, "read the mapping", Path::new(text), cause);
        let (mut sides, mut bytes) = (vec![Vec::new()], text.as_encoded_bytes().iter().peekable());
        while let Some(byte) = bytes.next() {
            if *byte == b'=' && bytes.next_if_eq(&&b'=').is_none() {
                sides.push(Vec::new());
            } else if let Some(side) = sides.last_mut() {
                side.push(*byte);
            }
        }
        let [old, new] = <[Vec<u8>; 2]>::try_from(sides).map_err(|_| {
            refuse("it has the form OLD=NEW; a name that holds '=' is written with two: '=='")
        })?;
        let full = |bytes: Vec<u8>| {
            let path = PathBuf::from(platform::from_bytes(bytes));
            if path.as_os_str().is_empty() {
                return Err(refuse("one side of it is empty"));
            }
            let full = std::path::absolute(&path).map_err(|error| Error::io("find", &path, error))?;
            Ok(full.components().collect())
        };
        Ok(Self { old: full(old)?, new: without_dots(full(new)?) })
    }
}

/// The maps of a repair.
pub(super) struct Maps<'a> {
    /// Each with its old place as far as it is there without links.
    maps: Vec<(PathBuf, &'a Map)>,
}

impl<'a> Maps<'a> {
    pub(super) fn of(maps: &'a [Map]) -> Self {
        Self { maps: maps.iter().map(|map| (physical(&map.old), map)).collect() }
    }

    /// Finds targets by the map whose old place is the longest. Gives, by the number of the link, the places that would
    /// have to be there and are not.
    pub(super) fn apply(&self, lost: &[Lost], finds: &mut [Option<Find>]) -> Vec<(usize, PathBuf)> {
        let mut missing = Vec::new();
        for (number, (lost, find)) in lost.iter().zip(finds).enumerate() {
            let Some(way) = lost.way() else { continue };
            let fits = |(index, (old, map)): (usize, &(PathBuf, &Map))| {
                let rest = way.wanted.strip_prefix(old).ok()?;
                Some((old.components().count(), index, below(&map.new, rest)))
            };
            let Some((_, index, to)) =
                self.maps.iter().enumerate().filter_map(fits).max_by_key(|(length, ..)| *length)
            else {
                continue;
            };
            if to.symlink_metadata().is_ok() {
                *find = Some(Find::At(to, Why::Map(index), Confidence::Exact));
            } else {
                missing.push((number, to));
            }
        }
        missing
    }
}

/// A path without `..`, which no text needs.
fn without_dots(path: PathBuf) -> PathBuf {
    let dots = path.components().any(|component| component == std::path::Component::ParentDir);
    if dots { physical(&path) } else { path }
}

/// A full path, what is there of it without links.
fn physical(path: &Path) -> PathBuf {
    for above in path.ancestors() {
        if let Ok(found) = Directory::open(above).and_then(|directory| directory.physical_path()) {
            let rest = path.strip_prefix(above).unwrap_or(Path::new(""));
            return below(&found, rest);
        }
    }
    path.to_owned()
}
