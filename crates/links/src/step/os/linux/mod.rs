//! Linux: `*at` calls on opened directories, single names, nothing followed.

mod entry;
mod ntfs_3g;
pub(crate) mod tree;

pub(crate) use entry::{
    bring_up, exchange, lock_file, make_directory, make_empty_file, make_hard_link, make_symlink, remove_directory,
    remove_file, rename_over, rename_to_new, set_attributes,
};
pub(crate) use ntfs_3g::{
    clear_reparse_point, make_reparse_point, set_ntfs_metadata, set_reparse_point, set_short_name,
};

/// There is no guard to be raised: every look-up is by descriptor.
pub(crate) fn guard() {}

/// There is no policy to be set.
pub(crate) fn set_evaluation(_values: [Option<bool>; 4]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
