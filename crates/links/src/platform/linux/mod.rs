//! Linux: descriptors, `*at` calls, and the extended attributes of ntfs-3g.

mod directory;
mod errors;
mod filesystem;
mod link;
mod names;
mod ntfs_3g;
mod place;
mod power;
mod process;
mod state_dir;
mod user;
mod volume;

pub(crate) use directory::{Directory, Held, ReadBuffer};
pub(crate) use errors::{describe, error_kind};
pub(crate) use filesystem::Filesystem;
pub(crate) use link::{MAX_HOPS, read_link, read_target};
pub(crate) use names::{collation_key, from_bytes, from_wide, to_bytes, to_wide};
pub(crate) use ntfs_3g::{
    NtfsVolume, REPARSE_DATA, attributes as ntfs_attributes, by_descriptor, has_short_name, ntfs_mounts,
    ntfs_volume,
};
pub(crate) use place::Place;
pub(crate) use power::{open_files, workers};
pub(crate) use process::Process;
pub(crate) use state_dir::{default_state_dir, state_dir_in};
pub(crate) use volume::VolumeIdentity;
