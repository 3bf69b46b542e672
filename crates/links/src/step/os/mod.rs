//! How each system changes a disk: the only files that may. Private to `step`, so no planner and
//! no reader can name them.

#![allow(clippy::disallowed_methods, reason = "this is the room they are kept in")]

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;

#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

mod copying;
mod erasure;
mod portions;
mod tree_types;

pub(super) use system::{
    clear_reparse_point, exchange, guard, lock_file, make_directory, make_empty_file, make_hard_link,
    make_reparse_point, make_symlink, remove_directory, remove_file, rename_over, rename_to_new, set_attributes,
    set_evaluation, set_reparse_point, tree,
};
