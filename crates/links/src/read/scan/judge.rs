//! Where a link leads, for as few calls to the system as it takes: none where its target is a plain name in the
//! directory just read, else one. Loops are told from other failures only for links that fail.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::model::{FileKind, State, Target, child};
use crate::platform::{Directory, Spot};
use crate::read::chain;
use crate::read::inspect;

/// The names of the directory being read, with their kinds.
#[derive(Default)]
pub(super) struct Siblings {
    names: Vec<u8>,
    /// Where each name ends, and what it is.
    ends: Vec<(u32, Option<FileKind>)>,
    /// The names in order, once they have been asked for more often than is worth a search.
    sorted: Vec<u32>,
    asked: usize,
    /// Whether all names are there: those of a directory that is too long are not kept.
    whole: bool,
}

/// A longer directory than this, in bytes of its names, is not kept.
const LONGEST: usize = 4 << 20;

/// So many comparisons of names may be made before they are put in order.
const WORTH_SORTING: usize = 1 << 14;

impl Siblings {
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.ends.clear();
        self.sorted.clear();
        (self.asked, self.whole) = (0, true);
    }

    /// Forgets that all names are there.
    pub(super) fn leave(&mut self) {
        self.whole = false;
    }

    pub(super) fn add(&mut self, name: &OsStr, kind: Option<FileKind>) {
        let name = name.as_encoded_bytes();
        if !self.whole || self.names.len() + name.len() > LONGEST {
            self.whole = false;
            return;
        }
        self.names.extend(name);
        match u32::try_from(self.names.len()) {
            Ok(end) => self.ends.push((end, kind)),
            Err(_) => self.whole = false,
        }
    }

    fn name(&self, index: usize) -> &[u8] {
        let end = |index: usize| self.ends.get(index).map_or(0, |(end, _)| *end as usize);
        let start = if index == 0 { 0 } else { end(index - 1) };
        self.names.get(start..end(index)).unwrap_or_default()
    }

    /// What a name is; `Missing` only where the whole directory was read.
    fn find(&mut self, wanted: &[u8]) -> Sibling {
        if !self.whole {
            return Sibling::Unknown;
        }
        self.asked += self.ends.len();
        let index = if self.asked < WORTH_SORTING {
            let mut start = 0;
            self.ends.iter().position(|&(end, _)| {
                let name = self.names.get(start..end as usize).unwrap_or_default();
                start = end as usize;
                // Names of the same length mostly differ in their last byte.
                name.len() == wanted.len() && name.last() == wanted.last() && name == wanted
            })
        } else {
            if self.sorted.is_empty() {
                // As many as fit into a u32: their ends do.
                let mut sorted: Vec<u32> = (0u32..).take(self.ends.len()).collect();
                sorted.sort_unstable_by(|a, b| self.name(*a as usize).cmp(self.name(*b as usize)));
                self.sorted = sorted;
            }
            let place = self.sorted.binary_search_by(|index| self.name(*index as usize).cmp(wanted));
            place.ok().and_then(|place| self.sorted.get(place)).map(|index| *index as usize)
        };
        match index.and_then(|index| self.ends.get(index)) {
            None => Sibling::Missing,
            Some((_, Some(FileKind::File | FileKind::Directory | FileKind::Special))) => Sibling::There,
            Some((_, Some(FileKind::Link) | None)) => Sibling::Unknown,
        }
    }
}

enum Sibling {
    There,
    Missing,
    /// A link, whose own way counts, or what the directory does not tell.
    Unknown,
}

/// What a link is judged by.
pub(super) struct Judge<'a> {
    pub(super) siblings: &'a mut Siblings,
    /// Whether a name that no sibling has is missing. Worked out for the first link that needs it.
    pub(super) exact: &'a mut Option<bool>,
    /// The directory's path without links; `None` where [`crate::Link::resolved`] is not asked for.
    pub(super) physical: Option<&'a Path>,
    /// Where the system's own answer can be built on a translation of ntfs-3g.
    pub(super) ntfs: &'a [PathBuf],
    pub(super) drive: char,
}

impl Judge<'_> {
    /// Whether a link reaches what it names, and where that is.
    pub(super) fn judge(&mut self, spot: Spot<'_>, target: &Target) -> (State, Option<PathBuf>) {
        let Target::Text(text) = target else { return self.follow(spot) };
        if let Some(answer) = self.by_siblings(spot.directory, text) {
            return answer;
        }
        // Where no link is on the way, nothing of it is a translation, and the text tells where it leads.
        let may_be_by_text = match self.physical {
            Some(physical) => tells_where(physical, text),
            None => !self.ntfs.is_empty(),
        } && !spot.directory.has_jumps();
        if may_be_by_text {
            match spot.directory.leads_without_links(text) {
                Ok(true) => {
                    return (State::Ok, self.physical.map(|physical| by_text(physical, Path::new(text))));
                }
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(error) => return (chain::state_of(&error), None),
            }
        }
        // Opened by its path alone: nothing of the file is touched, and the system tells where it is.
        let reached = if self.physical.is_some() || !self.ntfs.is_empty() {
            match spot.directory.reach(spot.name) {
                Ok(Some(path)) if !self.ntfs.iter().any(|mount| path.starts_with(mount)) => Ok(Some(path)),
                Ok(_) => return self.follow(spot),
                Err(error) => Err(error),
            }
        } else {
            spot.directory.metadata_follow(spot.name).map(|_| None)
        };
        match reached {
            Ok(resolved) => (State::Ok, resolved),
            // What fails on such a volume may be well in Windows' eyes.
            Err(error) if chain::state_of(&error) == State::Loop || !self.ntfs.is_empty() => self.follow(spot),
            Err(error) => (chain::state_of(&error), None),
        }
    }

    /// A target that is a plain name needs no look, where the names just read tell.
    fn by_siblings(&mut self, directory: &Directory, text: &OsStr) -> Option<(State, Option<PathBuf>)> {
        let name = text.as_encoded_bytes();
        // A longer name no directory has, and the system says so in words of its own.
        const LONGEST_NAME: usize = 255;
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(&b'/') || name == b"." || name == b".." {
            return None;
        }
        let found = self.siblings.find(name);
        // In /proc and the like, what looks like a name is none.
        if matches!(found, Sibling::Unknown) || !*self.exact.get_or_insert_with(|| directory.names_are_exact()) {
            return None;
        }
        match found {
            Sibling::There => Some((State::Ok, self.physical.map(|directory| child(directory, text)))),
            Sibling::Missing => Some((State::Missing, None)),
            Sibling::Unknown => None,
        }
    }

    fn follow(&self, spot: Spot<'_>) -> (State, Option<PathBuf>) {
        let mut chain = chain::follow(spot, self.drive);
        (inspect::chain_state(spot, &mut chain), chain.resolved)
    }
}

/// Whether the text of a target alone may tell where it leads, from a directory without links. Not where the text asks
/// for a directory at its end, which a file there would not be.
fn tells_where(directory: &Path, target: &OsStr) -> bool {
    let text = target.as_encoded_bytes();
    !(directory.as_os_str().is_empty() || text.ends_with(b"/") || text.ends_with(b"."))
}

/// Where a target leads by its text, from a directory without links.
fn by_text(directory: &Path, target: &Path) -> PathBuf {
    let mut path = PathBuf::with_capacity(directory.as_os_str().len() + 1 + target.as_os_str().len());
    path.push(directory);
    for component in target.components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => drop(path.pop()),
            Component::RootDir => path = PathBuf::from("/"),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_before_and_after_they_are_sorted_and_not_where_some_are_left_out() {
        let mut siblings = Siblings::default();
        siblings.clear();
        let names: Vec<String> = (0..5_000).map(|n| format!("name-{}", n * 7 % 5_000)).collect();
        for name in &names {
            siblings.add(OsStr::new(name), Some(FileKind::File));
        }
        siblings.add(OsStr::new("link"), Some(FileKind::Link));
        siblings.add(OsStr::new("unknown"), None);
        for _ in 0..10 {
            for name in ["name-0", "name-4999", "name-17"] {
                assert!(matches!(siblings.find(name.as_bytes()), Sibling::There), "{name}");
            }
            for name in ["name-5000", "name", "", "name-00"] {
                assert!(matches!(siblings.find(name.as_bytes()), Sibling::Missing), "{name}");
            }
            for name in ["link", "unknown"] {
                assert!(matches!(siblings.find(name.as_bytes()), Sibling::Unknown), "{name}");
            }
        }
        assert!(!siblings.sorted.is_empty(), "both ways were taken");
        siblings.add(OsStr::new(&"x".repeat(LONGEST)), None);
        assert!(matches!(siblings.find(b"nothing"), Sibling::Unknown));
    }
}
