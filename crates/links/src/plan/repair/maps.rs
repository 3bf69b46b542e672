//! Places that somebody says went elsewhere.

use std::collections::{BTreeSet, HashMap};
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
        let refuse = |cause: &str| Error::new(ErrorKind::InvalidOption, "read the mapping", Path::new(text), cause);
        let (mut sides, mut bytes) = (vec![Vec::new()], text.as_encoded_bytes().iter().peekable());
        while let Some(byte) = bytes.next() {
            if *byte == b'=' && bytes.next_if_eq(&&b'=').is_none() {
                sides.push(Vec::new());
            } else if let Some(side) = sides.last_mut() {
                side.push(*byte);
            }
        }
        let [old, new] = <[Vec<u8>; 2]>::try_from(sides)
            .map_err(|_| refuse("it has the form OLD=NEW; a name that holds '=' is written with two: '=='"))?;
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

/// Where links would lead by their maps if anything were there, by the numbers of the links.
pub(super) type Misled = HashMap<usize, PathBuf>;

/// Finds targets by the map whose old place is the longest. Returns the links for which nothing is where that leads, and the
/// maps that fit nothing.
pub(super) fn apply(maps: &[Map], lost: &[Lost], finds: &mut [Option<Find>]) -> Result<(Misled, Vec<usize>)> {
    // By the old places, as far as these are there without links.
    let mut by_old: HashMap<PathBuf, Vec<usize>> = HashMap::new();
    for (index, map) in maps.iter().enumerate() {
        let same = by_old.entry(physical(&map.old)).or_default();
        let first = same.first().and_then(|first| maps.get(*first));
        if let Some(other) = first.filter(|other| other.new != map.new) {
            let (one, two) = (platform::quoted(&other.new), platform::quoted(&map.new));
            let cause = format!("one map leads it to {one}, another to {two}");
            return Err(Error::new(ErrorKind::InvalidOption, "map", &map.old, cause));
        }
        same.push(index);
    }
    let mut missing = HashMap::new();
    let mut idle: BTreeSet<usize> = (0..maps.len()).collect();
    for (number, (lost, find)) in lost.iter().zip(finds).enumerate().filter(|_| !maps.is_empty()) {
        let Some(way) = lost.way() else { continue };
        let mut longest = None;
        for old in way.wanted.ancestors() {
            let Some(indices) = by_old.get(old) else { continue };
            for index in indices {
                idle.remove(index);
            }
            longest = longest.or(indices.last().map(|index| (old, *index)));
        }
        let Some((old, index)) = longest else { continue };
        let (Some(map), Ok(rest)) = (maps.get(index), way.wanted.strip_prefix(old)) else { continue };
        let to = below(&map.new, rest);
        if to.symlink_metadata().is_ok() {
            *find = Some(Find::At(to, Why::Map(index), Confidence::Exact));
        } else {
            missing.insert(number, to);
        }
    }
    Ok((missing, idle.into_iter().collect()))
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
