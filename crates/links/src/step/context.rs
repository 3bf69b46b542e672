//! What the executor hands to a step.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::model::EntryPath;
use crate::platform::Place;

/// How far the work on whole trees is.
#[derive(Debug, Default)]
pub struct Meter {
    /// Files and other objects that were copied, or removed.
    pub files: AtomicU64,
    /// Bytes that were copied.
    pub bytes: AtomicU64,
    /// Bytes of the copy that were read back and compared.
    pub checked: AtomicU64,
}

/// The flag of what is not stopped.
pub(super) static NEVER: AtomicBool = AtomicBool::new(false);

/// How work on a tree is done, measured and stopped.
#[derive(Clone, Copy)]
pub(crate) struct Work<'w> {
    pub(crate) meter: &'w Meter,
    pub(crate) stop: &'w AtomicBool,
    /// How many threads work.
    pub(crate) workers: usize,
}

impl Work<'_> {
    pub(crate) fn add_file(&self) {
        self.meter.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.meter.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of the copy that were read back.
    pub(crate) fn add_checked(&self, bytes: u64) {
        self.meter.checked.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn must_go_on(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(Error::stopped_io()) } else { Ok(()) }
    }
}

/// The directory of the entry that a thread changed last, kept open for the next; with its physical path.
#[derive(Default)]
pub(crate) struct KeptDirectory(RefCell<Option<(PathBuf, Place)>>);

/// What a step needs to be performed. The executor alone can make one, so that whatever else holds a step cannot perform
/// it.
pub(crate) struct Context<'a> {
    private: &'a OsStr,
    work: Work<'a>,
    kept: Option<&'a KeptDirectory>,
}

impl<'a> Context<'a> {
    pub(in crate::apply) fn new(private: &'a OsStr, work: Work<'a>) -> Self {
        Self { private, work, kept: None }
    }

    /// The same for one of many steps in few directories that no step of them changes.
    pub(in crate::apply) fn keeping(private: &'a OsStr, work: Work<'a>, kept: &'a KeptDirectory) -> Self {
        Self { private, work, kept: Some(kept) }
    }

    /// The name that only this step uses, in the directory of its entry.
    pub(super) fn private(&self) -> &'a OsStr {
        self.private
    }

    pub(super) fn work(&self) -> Work<'a> {
        self.work
    }

    /// Opens the directory of an entry; a link on the way to it, put there since, is refused.
    pub(super) fn with_place<T>(
        &self,
        operation: &'static str,
        path: &EntryPath,
        act: impl FnOnce(&Place) -> Result<T>,
    ) -> Result<T> {
        let Some(KeptDirectory(kept)) = self.kept else { return act(&Place::of_entry(operation, path)?) };
        let mut kept = kept.borrow_mut();
        let parent = path.parent().unwrap_or(path);
        let (_, place) = match kept.take() {
            Some((known, mut place)) if known == parent => {
                path.shown().clone_into(&mut place.path);
                path.file_name().unwrap_or_default().clone_into(&mut place.name);
                kept.insert((known, place))
            }
            _ => kept.insert((parent.to_owned(), Place::of_entry(operation, path)?)),
        };
        act(place)
    }
}
