//! Every entry of a directory, for whoever looks for more than links.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::Path;

use super::{Receiver, ScanItem};
use crate::model::FileKind;

/// The entries of a directory as it was read, without those that are left out: names, kinds, numbers.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    names: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where the name ends.
    end: u32,
    kind: FileKind,
    /// The lower half of the number, as the directory tells it; that of a mount point is what it hides.
    number: u64,
}

/// What a roll keeps of a number: enough to look for it, not to be sure.
pub(crate) fn half(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}

impl Roll {
    pub(super) fn add(&mut self, name: &OsStr, kind: FileKind, number: u128) {
        self.names.extend(name.as_encoded_bytes());
        // More than 4 GiB of names no directory has.
        if let Ok(end) = u32::try_from(self.names.len()) {
            self.entries.push(Entry { end, kind, number: half(number) });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The name and kind of an entry.
    pub(crate) fn get(&self, index: usize) -> Option<(&[u8], FileKind)> {
        let entry = self.entries.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.entries.get(before)).map_or(0, |last| last.end);
        Some((self.names.get(start as usize..entry.end as usize)?, entry.kind))
    }

    /// All entries: name, kind, number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], FileKind, u64)> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let name = self.names.get(start as usize..entry.end as usize).unwrap_or_default();
            start = entry.end;
            (name, entry.kind, entry.number)
        })
    }
}

/// Takes the finds of one worker, and every entry of the directories it reads.
pub(crate) trait Reader: Receiver {
    /// Whether it does so.
    const ROLLS: bool;

    /// Takes a directory that was read.
    fn roll(&mut self, path: &Path, roll: Roll) -> ControlFlow<()>;
}

/// Takes finds alone.
pub(super) struct Finds<R>(pub(super) R);

impl<R: Receiver> Receiver for Finds<R> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        self.0.receive(item)
    }
}

impl<R: Receiver> Reader for Finds<R> {
    const ROLLS: bool = false;

    fn roll(&mut self, _path: &Path, _roll: Roll) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
