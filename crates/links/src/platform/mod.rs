//! How each system is read. One switch; below it, files of the same names and signatures.
//!
//! Nothing here changes a disk: what does is private to `step/os`.

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;

#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

#[cfg(not(any(target_os = "linux", windows)))]
compile_error!("links reads Linux and Windows; another system needs platform/, step/os/ and own_files/os/ of its own");

mod containers;
mod file_systems;
mod inventory;
mod link;
mod place;
mod process;
mod spot;
mod volume;

/// A name in a directory, with its kind where the directory itself tells.
pub(crate) struct Entry {
    pub(crate) name: std::ffi::OsString,
    pub(crate) kind: Option<crate::model::FileKind>,
    /// The object's number, where [`Directory::knows_numbers`]; on Linux, that of a mount point is what it hides.
    pub(crate) number: u128,
}

/// What came of asking a volume for its own list of reparse points.
#[allow(dead_code, reason = "not every system has such a list")]
pub(crate) enum ReparseIndex {
    /// No whole volume was asked for, or it has no such list that could be read here.
    None,
    /// The full paths of all of them.
    Read(Vec<std::path::PathBuf>),
    /// This user may not read it, or it tells not enough.
    Refused(std::io::Error),
}

/// What came of looking for an object by the number or handle that its file system gave it.
pub(crate) enum ByHandle {
    /// It is there; this is its path without links.
    At(std::path::PathBuf),
    /// It lives, but the system does not know by which name.
    #[allow(dead_code, reason = "not every system leaves a file's name open")]
    Alive,
    /// It is gone.
    Gone,
    /// The system cannot be asked, or not by this user.
    Unknown,
}

/// Where a link leads whose text is no path.
pub(crate) struct Jump {
    /// What it leads to, if that is a directory.
    pub(crate) directory: Option<Directory>,
    /// The path of that without links. `None` where it has none: a pipe, a namespace, a deleted file.
    pub(crate) path: Option<std::path::PathBuf>,
}

pub(crate) use containers::Containers;
pub(crate) use file_systems::FileSystems;
pub(crate) use inventory::{Inventory, Item, Marks, ObjectKind, Stat, Use};
pub(crate) use link::read_link;
pub(crate) use place::{Place, ends_in_slash, physical_path};
pub(crate) use process::Process;
pub(crate) use spot::Spot;
#[cfg(target_os = "linux")]
pub(crate) use system::{
    ATTRIBUTES, CREATED, REPARSE_DATA, SECURITY, SHORT_NAME, by_descriptor, is_fuse, is_locked_by_own,
};
pub(crate) use system::{
    COMPRESSED, Directory, ENCRYPTED, Held, MAX_HOPS, NUMBERS_LAST, NtfsVolume, READS_ENCRYPTED, RESIDENT, ReadBuffer,
    SETTABLE, TEXT_LINKS, VolumeFile, as_name, by_one_mount, collation_key, content, current_user, default_state_dir,
    describe, drive_relative, error_kind, evaluation, facts, file_names, file_system_name, find,
    follows_reparse_points, forbidden, from_bytes, from_wide, handle, has_short_name, identity_key, is_of_others,
    is_one_mount, is_overlay, is_same_name, is_within, look, made, may_be_mounted, may_make_symlinks,
    may_set_short_names, may_write, mounted, mounted_at, native_path, ntfs_attributes, ntfs_metadata, ntfs_mounts,
    ntfs_volume, object_number, open_files, other_mount_points, quoted, read_target, refusal, remarks, reparse_index,
    room, same_target, sees_processes, short_name, state_dir_in, take_inventory, to_bytes, to_wide, unreadable_streams,
    users_below, volume_letter, volume_root, workers,
};
#[cfg(windows)]
pub(crate) use system::{
    EVALUATION, Object, Procedure, SYMBOLIC_LINK, Sort, aligned, alternate_name, control, create_new, enable_privilege,
    full, information, is_any, is_elevated, is_trusted, number, open, open_guarded, open_uncached, procedure, security,
    send, set_dword, set_information, stand_in, stream, succeeded, terminated, ticks, utf16, verbatim, within,
};
pub(crate) use volume::{Filesystem, VolumeIdentity};

/// What is left of a file, where that is no more than so many bytes. Nothing of a longer one is kept; a file of /proc has
/// the size 0 and may have no end.
pub(crate) fn read_at_most(file: std::fs::File, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length <= most)))
}

/// What was asked of a name, or `None` where nothing has it.
pub(crate) fn if_there<T>(answer: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match answer {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

/// Why a name in a directory cannot be given this 8.3 name, as far as that can be known before: `taken` where it belongs to
/// anything but these objects.
pub(crate) fn why_no_short_name(
    directory: &Directory,
    short: &std::ffi::OsStr,
    own: &[Option<crate::model::FileId>],
    taken: &'static str,
) -> Option<&'static str> {
    if directory.metadata_nofollow(short).is_ok_and(|found| !own.contains(&Some(found.id))) {
        return Some(taken);
    }
    (!may_set_short_names()).then_some("this user may give none")
}

/// A number that differs at each call and in each process.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    // The hasher's keys come from the system's random numbers.
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
