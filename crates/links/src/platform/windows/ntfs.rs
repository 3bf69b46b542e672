//! Volumes that hold reparse points: NTFS, ReFS, and shares of them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::io::{AsHandle as _, BorrowedHandle};
use std::path::{Component, Path, PathBuf, Prefix};

use reparse::WideString;
use windows_sys::Wdk::Storage::FileSystem::FileAlternateNameInformation;
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, LABEL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_READ_ATTRIBUTES, READ_CONTROL};

use super::filesystem::with_reparse_points;
use super::{Directory, Object, SETTABLE, Sort, information, open, security_descriptor, to_wide, utf16};
use crate::model::NtfsMetadata;

/// Longer reparse data is nothing to warn of: the system itself writes it.
pub(crate) const RESIDENT: Option<usize> = None;

/// A volume that holds reparse points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NtfsVolume {
    /// Where it begins: `C:\`, `\\server\share\`.
    pub(crate) mount_point: PathBuf,
    /// Whether all of it is there: always, but for shares.
    pub(crate) is_whole: bool,
}

impl NtfsVolume {
    /// Its root.
    #[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
    pub(crate) fn root(&self) -> Option<&Path> {
        Some(self.mount_point.as_path())
    }

    /// The letter of its drive. The one that was said is for systems which do not know it.
    pub(crate) fn letter(&self, _said: char) -> char {
        // A volume that is mounted in a directory has no letter of its own.
        let in_directory = |component: Component<'_>| matches!(component, Component::Normal(_));
        match self.mount_point.components().next().filter(|_| !self.mount_point.components().any(in_directory)) {
            Some(Component::Prefix(prefix)) => match prefix.kind() {
                Prefix::Disk(letter) | Prefix::VerbatimDisk(letter) => char::from(letter),
                // No letter: none is the volume's own.
                _ => '\0',
            },
            _ => '\0',
        }
    }

    /// The path by which Windows knows a full path: the same.
    pub(crate) fn windows_path(&self, full: &Path, _drive: char) -> Option<WideString> {
        to_wide(full.as_os_str())
    }
}

/// The volume that a directory is on, if it holds reparse points.
pub(crate) fn ntfs_volume(directory: &Directory) -> io::Result<Option<NtfsVolume>> {
    let (filesystem, holds_reparse_points) = with_reparse_points(directory)?;
    let is_whole = !filesystem.network;
    Ok(holds_reparse_points.then_some(NtfsVolume { mount_point: filesystem.mount_point, is_whole }))
}

/// Where another system's links are translated: nowhere.
pub(crate) fn ntfs_mounts() -> Vec<PathBuf> {
    Vec::new()
}

/// Why a volume that holds no reparse points holds no such link.
pub(crate) fn refusal(_kind: &str) -> &'static str {
    "only NTFS and ReFS hold symbolic links and junctions"
}

/// The `FILE_ATTRIBUTE_*` of a name.
pub(crate) fn attributes(directory: &Directory, name: &OsStr) -> io::Result<Option<u32>> {
    Object::of(&directory.hold(name)?).attributes().map(Some)
}

/// The system does not count 8.3 names as names of a file.
pub(crate) fn has_short_name(_directory: &Directory, _name: &OsStr) -> bool {
    false
}

/// The 8.3 name that a name has besides, to be given to it again under another long name.
pub(crate) fn short_name(directory: &Directory, name: &OsStr) -> Option<OsString> {
    let held = directory.hold(name).ok()?;
    let short = alternate_name(held.as_handle()).ok()?;
    (!short.is_empty() && !short.eq_ignore_ascii_case(name)).then_some(short)
}

/// What NTFS keeps of a link besides its data.
pub(crate) fn ntfs_metadata(directory: &Directory, name: &OsStr) -> io::Result<Option<Box<NtfsMetadata>>> {
    const ALL: u32 = OWNER_SECURITY_INFORMATION
        | GROUP_SECURITY_INFORMATION
        | LABEL_SECURITY_INFORMATION
        | DACL_SECURITY_INFORMATION;
    let open = |access| open(directory.as_handle(), name, access, Sort::Any);
    // Who may not read the security may not give it either.
    let opened = open(FILE_READ_ATTRIBUTES | READ_CONTROL).or_else(|_| open(FILE_READ_ATTRIBUTES))?;
    let object = Object::of(&opened);
    let [created, ..] = object.times()?;
    let short = alternate_name(opened.as_handle()).unwrap_or_default();
    Ok(Some(Box::new(NtfsMetadata {
        attributes: object.attributes()? & SETTABLE,
        created,
        short_name: Some(short).filter(|short| !short.is_empty()),
        security: security(opened.as_handle(), ALL).unwrap_or_default(),
    })))
}

/// A security descriptor in one piece.
pub(crate) fn security(of: BorrowedHandle<'_>, what: u32) -> io::Result<Vec<u8>> {
    let (words, length) = security_descriptor(of, what)?;
    Ok(words.iter().flat_map(|word| word.to_ne_bytes()).take(length).collect())
}

/// The name of eight letters and three, if there is one.
pub(crate) fn alternate_name(of: BorrowedHandle<'_>) -> io::Result<OsString> {
    let told = information(of, FileAlternateNameInformation)?.unwrap_or_default();
    Ok(utf16(told.get(4..).unwrap_or_default()))
}

/// `FILE_ATTRIBUTE_COMPRESSED` and `FILE_ATTRIBUTE_ENCRYPTED`.
pub(crate) const COMPRESSED: u32 = 0x800;
pub(crate) const ENCRYPTED: u32 = 0x4000;
/// Whether encrypted files can be read here by whoever may: their keys would not be carried over.
pub(crate) const READS_ENCRYPTED: bool = false;
