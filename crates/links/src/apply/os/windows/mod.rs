//! Windows: calls relative to opened directories, single names, nothing followed.

mod entry;
mod lock;
mod policy;
mod reparse;
mod state_dir;
pub(in crate::apply) mod tree;

pub(in crate::apply) use entry::{
    exchange, exchange_by_steps, make_directory, make_empty_file, make_hard_link, make_symlink,
    remove_directory, remove_file, rename_over, rename_to_new, set_attributes,
};
pub(in crate::apply) use lock::lock_file;
pub(in crate::apply) use policy::{guard, set_evaluation};
pub(in crate::apply) use reparse::{clear_reparse_point, make_reparse_point, set_reparse_point};
pub(in crate::apply) use state_dir::{append, drain, lock_directory, make_state_directory, write_new};
