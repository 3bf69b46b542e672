//! Windows: calls relative to opened directories, single names, nothing followed.

mod entry;
mod lock;
mod policy;
mod reparse;
pub(in crate::step) mod tree;

pub(in crate::step) use entry::{
    exchange, exchange_by_steps, make_directory, make_empty_file, make_hard_link, make_symlink,
    remove_directory, remove_file, rename_over, rename_to_new, set_attributes,
};
pub(in crate::step) use lock::lock_file;
pub(in crate::step) use policy::{guard, set_evaluation};
pub(in crate::step) use reparse::{clear_reparse_point, make_reparse_point, set_reparse_point};
