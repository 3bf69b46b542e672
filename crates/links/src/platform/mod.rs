//! How each system is read. One switch; below it, files of the same names and signatures.
//!
//! Nothing here changes a disk: what does is private to [`mod@crate::apply`].

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;

#[cfg(not(target_os = "linux"))]
compile_error!("links reads Linux only so far; Windows needs platform/windows/ and apply/os/windows/");

mod spot;

pub(crate) use spot::Spot;
pub(crate) use system::{
    Directory, Filesystem, Held, MAX_HOPS, NtfsVolume, Place, Process, ReadBuffer, VolumeIdentity,
    collation_key, default_state_dir, describe, error_kind, from_bytes, from_wide, has_short_name,
    ntfs_attributes, ntfs_mounts, ntfs_volume, open_files, read_link, read_target, state_dir_in, to_bytes,
    to_wide, workers,
};
#[cfg(target_os = "linux")]
pub(crate) use system::{REPARSE_DATA, by_descriptor};
