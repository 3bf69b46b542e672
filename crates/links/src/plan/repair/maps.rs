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

/// The maps of a repair.
pub(super) struct Maps<'a> {
    /// Each with its old place as far as it is there without links.
    maps: Vec<(PathBuf, &'a Map)>,
}

impl<'a> Maps<'a> {
    pub(super) fn of(maps: &'a [Map]) -> Result<Self> {
        let mut known: HashMap<PathBuf, &Map> = HashMap::new();
        let mut of = Vec::with_capacity(maps.len());
        for map in maps {
            let old = physical(&map.old);
            let other = known.insert(old.clone(), map).filter(|other| other.new != map.new);
            if let Some(other) = other {
                let (one, two) = (platform::quoted(&other.new), platform::quoted(&map.new));
                let cause = format!("one map leads it to {one}, another to {two}");
                return Err(Error::new(ErrorKind::InvalidOption, "map", &map.old, cause));
            }
            of.push((old, map));
        }
        Ok(Self { maps: of })
    }

    /// Finds targets by the map whose old place is the longest. Gives, by the number of the link, the places that would
    /// have to be there and are not; and the maps that fit nothing.
    pub(super) fn apply(&self, lost: &[Lost], finds: &mut [Option<Find>]) -> (Vec<(usize, PathBuf)>, Vec<usize>) {
        let mut missing = Vec::new();
        let mut idle: BTreeSet<usize> = (0..self.maps.len()).collect();
        if self.maps.is_empty() {
            return (missing, Vec::new());
        }
        for (number, (lost, find)) in lost.iter().zip(finds).enumerate() {
            let Some(way) = lost.way() else { continue };
            let mut longest: Option<(usize, usize, PathBuf)> = None;
            for (index, (old, map)) in self.maps.iter().enumerate() {
                let Ok(rest) = way.wanted.strip_prefix(old) else { continue };
                idle.remove(&index);
                let length = old.components().count();
                if longest.as_ref().is_none_or(|(most, ..)| *most <= length) {
                    longest = Some((length, index, below(&map.new, rest)));
                }
            }
            let Some((_, index, to)) = longest else { continue };
            if to.symlink_metadata().is_ok() {
                *find = Some(Find::At(to, Why::Map(index), Confidence::Exact));
            } else {
                missing.push((number, to));
            }
        }
        (missing, idle.into_iter().collect())
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
