//! Windows 7 to 11: handles, calls relative to an opened directory, reparse points by their own data.
//!
//! What newer systems only have is asked for while running, with a fallback.

mod directory;
mod entries;
mod errors;
mod filesystem;
mod identity;
mod inventory;
mod link;
mod names;
mod nt;
mod ntfs;
mod path;
mod policy;
mod power;
pub(super) mod process;
mod query;
mod registry;
mod reparse_index;
mod security;
mod stand_in;
mod state_dir;
mod sync;
mod user;
mod users;
mod volume;
mod volume_file;

pub(crate) use directory::{Directory, Held, ReadBuffer};
pub(crate) use errors::{describe, error_kind};
pub(super) use filesystem::filesystem_of;
pub(crate) use filesystem::is_overlay;
pub(crate) use identity::{content, file_system_name, find, handle, made, may_be_mounted, mounted, object_number};
pub(crate) use inventory::{
    by_one_mount, current_user, forbidden, is_of_others, is_one_mount, look, may_write, other_mount_points, room,
    take_inventory, unreadable_streams,
};
pub(crate) use link::{MAX_HOPS, file_names, follows_reparse_points, read_target, same_target};
pub(crate) use names::{
    as_name, collation_key, from_bytes, from_wide, identity_key, is_same_name, is_within, quoted, to_bytes, to_wide,
};
pub(crate) use nt::{
    Sort, aligned, control, create_new, full, information, is_any, number, open, open_guarded, open_uncached, send,
    set_information, stream, succeeded, terminated, utf16, within,
};
pub(crate) use ntfs::{
    COMPRESSED, ENCRYPTED, NtfsVolume, READS_ENCRYPTED, RESIDENT, alternate_name, attributes as ntfs_attributes,
    has_short_name, ntfs_metadata, ntfs_mounts, ntfs_volume, refusal, security, short_name,
};
pub(crate) use path::{drive_relative, native_path, verbatim, volume_root};
pub(crate) use policy::{
    EVALUATION, Procedure, SYMBOLIC_LINK, enable_privilege, evaluation, facts, is_elevated, may_make_symlinks,
    may_set_short_names, procedure, sees_processes,
};
pub(crate) use power::{open_files, workers};
pub(crate) use query::{Object, SETTABLE, ticks};
pub(crate) use registry::set_dword;
pub(crate) use reparse_index::reparse_index;
pub(crate) use security::is_trusted;
use security::security_descriptor;
pub(crate) use stand_in::place as stand_in;
pub(crate) use state_dir::{default_state_dir, state_dir_in};
pub(crate) use sync::remarks;
pub(crate) use users::users_below;
pub(super) use volume::volume_identity;
pub(crate) use volume_file::{VolumeFile, mounted_at, volume_letter};

/// Whether a file's number is never given to another file: NTFS and ReFS count every use of it.
pub(crate) const NUMBERS_LAST: bool = true;
/// Whether links are made as text, where the volume holds no reparse points: no file system here has such.
pub(crate) const TEXT_LINKS: bool = false;
