//! The steps: how each kind is checked and performed, what an interrupted one may have left, and what takes it back.

mod crash;
pub(crate) mod make;
pub(crate) mod move_tree;
mod os;
mod private_name;
pub(crate) mod probe;
pub(crate) mod single;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) use crash::crash_where;
pub(crate) use private_name::{aside_name, may_be_private, private_name};

use crate::error::{Error, Result};

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

/// Work on a tree: how far it is, and whether it shall stop.
#[derive(Clone, Copy)]
pub(crate) struct Work<'w> {
    pub(crate) meter: &'w Meter,
    pub(crate) stop: &'w AtomicBool,
    /// How many threads work.
    pub(crate) workers: usize,
    /// Whether nothing may be lost, not even what is told.
    pub(crate) strict: bool,
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
        // Not `Interrupted`, which calls of the system are repeated for.
        if self.stop.load(Ordering::Relaxed) { Err(io::Error::other(os::tree::STOPPED)) } else { Ok(()) }
    }
}

/// From here on, an elevated process on Windows follows no junction that an ordinary user made (Redirection Guard).
/// For programs that change something and read nothing else; it cannot be taken back. Nothing happens on other systems.
pub fn raise_guard() {
    os::guard();
}

/// Sets which symbolic links Windows follows; what is `None` stays: local to local, local to remote, remote to local,
/// remote to remote.
///
/// # Errors
/// The user is no administrator, or there is no such policy (Linux).
pub fn set_symlink_evaluation(values: [Option<bool>; 4]) -> Result<()> {
    const SET: &str = "set the evaluation of symbolic links on";
    os::set_evaluation(values).map_err(|error| Error::io(SET, "this system", error))
}
