//! Linux: descriptors, `*at` calls, and the extended attributes of ntfs-3g.

mod directory;
mod errors;
mod filesystem;
mod identity;
mod inventory;
mod link;
mod names;
mod ntfs_3g;
mod path;
mod policy;
mod power;
pub(super) mod process;
mod reparse_index;
mod state_dir;
mod user;
mod users;
mod volume;
mod volume_file;

pub(crate) use directory::{Directory, Held, ReadBuffer};
pub(crate) use errors::{describe, error_kind};
pub(super) use filesystem::filesystem_of;
pub(crate) use filesystem::{by_one_mount, is_fuse, is_overlay, other_mount_points};
pub(crate) use identity::{content, file_system_name, find, handle, made, may_be_mounted, mounted, object_number};
pub(crate) use inventory::{look, take_inventory};
pub(crate) use link::{MAX_HOPS, file_names, follows_reparse_points, read_target, same_target};
pub(crate) use names::{
    as_name, collation_key, from_bytes, from_wide, identity_key, is_same_name, is_within, quoted, to_bytes, to_wide,
};
pub(crate) use ntfs_3g::{
    ATTRIBUTES, COMPRESSED, CREATED, ENCRYPTED, NtfsVolume, READS_ENCRYPTED, REPARSE_DATA, RESIDENT, SECURITY,
    SETTABLE, SHORT_NAME, attributes as ntfs_attributes, by_descriptor, has_short_name, ntfs_metadata, ntfs_mounts,
    ntfs_volume, refusal, short_name, unreadable_streams,
};
pub(crate) use path::{drive_relative, native_path, volume_root};
pub(crate) use policy::{evaluation, facts, may_make_symlinks, may_set_short_names};
pub(crate) use power::{open_files, workers};
pub(crate) use process::is_locked_by_own;
pub(crate) use reparse_index::reparse_index;
pub(crate) use state_dir::{default_state_dir, state_dir_in};
pub(crate) use users::{
    current_user, forbidden, is_of_others, is_one_mount, may_write, remarks, room, sees_processes, users_below,
};
pub(super) use volume::volume_identity;
pub(crate) use volume_file::{VolumeFile, mounted_at, volume_letter};

/// Whether a file's number is never given to another file: most file systems use it again.
pub(crate) const NUMBERS_LAST: bool = false;
/// Whether links are made as text, where the volume holds no reparse points.
pub(crate) const TEXT_LINKS: bool = true;
