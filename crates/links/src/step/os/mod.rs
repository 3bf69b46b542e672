//! How each system changes a disk: the only files that may. Private to `step`, so no planner and
//! no reader can name them.
//!
//! ```text
//! linux/ windows/   the calls, and what is done to one object of a tree
//! copying.rs        a tree copied and compared; erasure.rs removed; portions.rs shared out to threads
//! replace.rs        one entry in the place of another; durably.rs changes that are flushed
//! ```

#![allow(clippy::disallowed_methods, reason = "this is the room they are kept in")]

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;

#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

mod copying;
mod durably;
mod erasure;
mod portions;
mod replace;
mod tree_types;

use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

pub(super) use durably::{move_durably, remove_durably, write_durably};
pub(super) use replace::{Replaced, exchange_back, exchange_trees, replace};
pub(super) use system::{
    bring_up, clear_reparse_point, exchange, lock_file, make_directory, make_empty_file, make_hard_link,
    make_reparse_point, make_symlink, remove_directory, remove_file, rename_to_new, set_attributes, set_ntfs_metadata,
    set_reparse_point, set_short_name, tree,
};

/// From here on, an elevated process on Windows follows no junction that an ordinary user made (Redirection Guard).
/// For programs that change something and read nothing else; it cannot be taken back. Nothing happens on other systems.
pub fn raise_guard() {
    system::guard();
}

/// Sets which symbolic links Windows follows; what is `None` stays: local to local, local to remote, remote to local,
/// remote to remote.
///
/// # Errors
/// The user is no administrator, or there is no such policy (Linux).
pub fn set_symlink_evaluation(values: [Option<bool>; 4]) -> Result<()> {
    const SET: &str = "set the evaluation of symbolic links on";
    system::set_evaluation(values).map_err(|error| Error::io(SET, "this system", error))
}

/// Tries until that is over, or for so long, with a pause between; then its last answer counts.
fn retry<T>(patience: Duration, pause: Duration, mut attempt: impl FnMut() -> T, is_over: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    loop {
        let answer = attempt();
        if is_over(&answer) || began.elapsed() >= patience {
            return answer;
        }
        thread::sleep(pause);
    }
}
