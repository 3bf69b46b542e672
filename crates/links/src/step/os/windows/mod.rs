//! Windows: calls relative to opened directories, single names, nothing followed.

#![allow(clippy::unnecessary_wraps, reason = "the signatures are those of every system")]

mod entry;
mod lock;
mod policy;
mod reparse;
pub(crate) mod tree;

pub(crate) use entry::{
    bring_up, exchange, make_directory, make_empty_file, make_hard_link, make_symlink, remove_directory, remove_file,
    rename_over, rename_to_new, set_attributes,
};
pub(crate) use lock::lock_file;
pub(crate) use policy::{guard, set_evaluation};
pub(crate) use reparse::{clear_reparse_point, make_reparse_point, set_reparse_point};
pub(crate) use tree::{set_ntfs_metadata, set_short_name};
