//! NTFS volumes served by ntfs-3g: found by probing, read through its extended attributes.
//!
//! None of these attributes shows in `listxattr`; they are asked for by name. See
//! ntfs-3g's `libntfs-3g/xattrs.c` for the list.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use reparse::WideString;
use reparse::path::to_backslashes;
use rustix::fs::{lgetxattr, lgetxattr_query, llistxattr, llistxattr_query};
use rustix::io::Errno;

use super::directory::without_proc;
use super::{Directory, filesystem, to_wide};
use crate::model::{NtfsMetadata, ReparsePoint};
use crate::platform::{Containers, Inventory, ObjectKind};

/// The whole reparse data of an object, header included.
pub(crate) const REPARSE_DATA: &str = "system.ntfs_reparse_data";
pub(crate) const ATTRIBUTES: &str = "system.ntfs_attrib";
pub(crate) const CREATED: &str = "system.ntfs_crtime";
pub(crate) const SECURITY: &str = "system.ntfs_acl";
pub(crate) const SHORT_NAME: &str = "system.ntfs_dos_name";
/// Read-only, hidden, system, archive, temporary, offline, not indexed: what a user sets. Sparse and the like say how the
/// content is stored.
pub(crate) const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;
const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;
/// `FILE_ATTRIBUTE_COMPRESSED` and `FILE_ATTRIBUTE_ENCRYPTED`.
pub(crate) const COMPRESSED: u32 = 0x800;
pub(crate) const ENCRYPTED: u32 = 0x4000;
/// Whether encrypted files can be read here by whoever may.
pub(crate) const READS_ENCRYPTED: bool = false;

/// An NTFS volume that ntfs-3g serves, as far as it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NtfsVolume {
    /// Where it is mounted.
    pub(crate) mount_point: PathBuf,
    /// Whether all of it is mounted there, and not a folder of it (a bind mount, bindfs).
    pub(crate) is_whole: bool,
}

impl NtfsVolume {
    /// What Windows sees as the root of its drive, where that can be seen.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.is_whole.then_some(self.mount_point.as_path())
    }

    /// The letter of its drive: only whoever asks knows it.
    pub(crate) fn letter(&self, said: char) -> char {
        said
    }

    /// The path by which Windows knows a full path on the volume. `None` for what lies elsewhere.
    pub(crate) fn windows_path(&self, full: &Path, drive: char) -> Option<WideString> {
        let inside = full.strip_prefix(self.root()?).ok()?;
        let inside = to_backslashes(&to_wide(inside.as_os_str())?);
        let units = format!("{drive}:\\").encode_utf16().chain(inside.units().iter().copied()).collect();
        Some(WideString::from_units(units))
    }
}

/// Reparse data longer than this does not stay inside its file record, and ntfs-3g then writes a
/// wrong tag into the directory's index (`libntfs-3g/index.c`, all versions up to 2022.10.3).
pub(crate) const RESIDENT: Option<usize> = Some(500);

/// Why a file system of a kind holds no junctions.
pub(crate) fn refusal(kind: &str) -> &'static str {
    match kind {
        "ntfs3" | "ntfs" => "the kernel's NTFS driver cannot make junctions; mount the volume with ntfs-3g",
        _ => "only NTFS holds junctions, and this is no NTFS volume mounted by ntfs-3g",
    }
}

/// The number of every NTFS volume's root directory in its master file table.
const ROOT_RECORD: u128 = 5;

/// The volume that a directory is on, if ntfs-3g serves it.
///
/// Never assumed: the file system must be FUSE and answer for an attribute that only ntfs-3g keeps.
/// The kernel's ntfs3 driver fails the first test: it would store reparse data as an ordinary
/// attribute.
pub(crate) fn ntfs_volume(directory: &Directory) -> io::Result<Option<NtfsVolume>> {
    if directory.magic()? != filesystem::FUSE || !answers(directory)? {
        return Ok(None);
    }
    let Some(mount) = filesystem::mount_of(directory)? else { return Ok(None) };
    let top = Directory::open(&mount.point)?.metadata()?.id;
    let is_whole = top.file == ROOT_RECORD && top.volume == directory.metadata()?.id.volume;
    Ok(Some(NtfsVolume { mount_point: mount.point, is_whole }))
}

/// Where ntfs-3g serves volumes here: only there can the kernel's own answer about a link be built on one of
/// ntfs-3g's translations.
pub(crate) fn ntfs_mounts() -> Vec<PathBuf> {
    let mut points = filesystem::mount_points(|kind| kind == "fuse" || kind == "fuseblk" || kind.contains("ntfs"));
    points.retain(|point| {
        let volume = Directory::open(point).and_then(|directory| ntfs_volume(&directory));
        volume.is_ok_and(|found| found.is_some())
    });
    points
}

/// The reparse point of a name. `None` where there is none.
pub(crate) fn read_reparse_point(directory: &Directory, name: &OsStr) -> io::Result<Option<ReparsePoint>> {
    let Some(raw) = get(directory, name, REPARSE_DATA)? else { return Ok(None) };
    let attributes = attributes(directory, name)?.unwrap_or(0);
    Ok(Some(ReparsePoint { raw, directory: attributes & FILE_ATTRIBUTE_DIRECTORY != 0 }))
}

/// The `FILE_ATTRIBUTE_*` of a name. `None` where ntfs-3g does not serve it.
pub(crate) fn attributes(directory: &Directory, name: &OsStr) -> io::Result<Option<u32>> {
    let Some(bytes) = get(directory, name, ATTRIBUTES)? else { return Ok(None) };
    Ok(<[u8; 4]>::try_from(bytes).ok().map(u32::from_ne_bytes))
}

/// Whether a directory's file system keeps the attributes that only ntfs-3g keeps.
fn answers(directory: &Directory) -> io::Result<bool> {
    match lgetxattr_query(by_descriptor(directory, OsStr::new(".")), ATTRIBUTES) {
        Ok(_) => Ok(true),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(without_proc(error)),
    }
}

/// Whether a name has an 8.3 name besides, which ntfs-3g counts as one more name of a file. A file has one at most.
/// Elsewhere than on NTFS, never.
pub(crate) fn has_short_name(directory: &Directory, name: &OsStr) -> bool {
    match stored_short_name(directory, name) {
        // The long name can be of 8.3 letters itself; then there is no other. Or the short one was asked about, which is
        // in no listing.
        Ok(Stored::Is(short)) if short.eq_ignore_ascii_case(name) => {
            let entries = directory
                .entries()
                .map(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| entry.name.eq_ignore_ascii_case(name))));
            entries.is_ok_and(|is_listed| !is_listed)
        }
        Ok(Stored::Is(_)) => true,
        Ok(Stored::OfOne) => has_one_among(directory, name).unwrap_or(false),
        Ok(Stored::None) | Err(_) => false,
    }
}

/// Whether the 8.3 name that a file has in a directory is another than those that are listed.
fn has_one_among(directory: &Directory, name: &OsStr) -> io::Result<bool> {
    let file = directory.metadata_nofollow_as_counted(name)?.id;
    let names: Vec<OsString> = directory
        .entries()?
        .filter_map(|entry| entry.ok().filter(|entry| entry.number == file.file).map(|entry| entry.name))
        .collect();
    let is_file =
        |name: String| directory.metadata_nofollow_as_counted(OsStr::new(&name)).is_ok_and(|found| found.id == file);
    // Where one of the names is of 8.3 letters, it may be its own: then the other would be as Windows makes them.
    Ok(!names.iter().any(|name| is_of_8_3(name)) || names.iter().flat_map(|name| made_of(name)).any(is_file))
}

/// The first 8.3 names that Windows makes of a long one.
fn made_of(name: &OsStr) -> impl Iterator<Item = String> + use<> {
    let name = name.to_string_lossy().to_uppercase().replace(' ', "");
    let (base, extension) = name.trim_start_matches('.').rsplit_once('.').unwrap_or((&name, ""));
    let part = |part: &str, most| -> String {
        let kept = part.chars().filter(|letter| *letter != '.').take(most);
        kept.map(|letter| if "+,;=[]".contains(letter) { '_' } else { letter }).collect()
    };
    let (base, extension) = (part(base, 6), part(extension, 3));
    let dot = if extension.is_empty() { "" } else { "." };
    (1..=9).map(move |number| format!("{base}~{number}{dot}{extension}"))
}

/// Whether a name can be its own 8.3 name.
fn is_of_8_3(name: &OsStr) -> bool {
    let mut parts = name.as_bytes().splitn(2, |byte| *byte == b'.');
    let (base, extension) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let plain = |part: &[u8]| part.iter().all(|byte| !b" .+,;=[]".contains(byte));
    (1..=8).contains(&base.len()) && extension.len() <= 3 && plain(base) && plain(extension)
}

/// The 8.3 name that a name has besides, to be given to it again under another long name.
pub(crate) fn short_name(directory: &Directory, name: &OsStr) -> Option<OsString> {
    match stored_short_name(directory, name) {
        Ok(Stored::Is(short)) if !short.eq_ignore_ascii_case(name) => Some(short),
        _ => None,
    }
}

/// What NTFS has for an 8.3 name.
enum Stored {
    None,
    /// This, which may be the long name.
    Is(OsString),
    /// One of the names that the file has in the directory has one: of a file with several names, ntfs-3g does not tell
    /// more.
    OfOne,
}

fn stored_short_name(directory: &Directory, name: &OsStr) -> io::Result<Stored> {
    if directory.magic()? != filesystem::FUSE {
        return Ok(Stored::None);
    }
    match get(directory, name, SHORT_NAME) {
        Err(error) if error.raw_os_error() == Some(Errno::MLINK.raw_os_error()) => Ok(Stored::OfOne),
        answer => Ok(match answer? {
            Some(short) if !short.is_empty() => Stored::Is(OsString::from_vec(short)),
            _ => Stored::None,
        }),
    }
}

/// What NTFS keeps of a link besides its data. `None` elsewhere than on ntfs-3g.
pub(crate) fn ntfs_metadata(directory: &Directory, name: &OsStr) -> io::Result<Option<Box<NtfsMetadata>>> {
    if directory.magic()? != filesystem::FUSE {
        return Ok(None);
    }
    let Some(attributes) = attributes(directory, name)? else { return Ok(None) };
    let created = get(directory, name, CREATED)?.and_then(|ticks| Some(i64::from_ne_bytes(ticks.try_into().ok()?)));
    Ok(Some(Box::new(NtfsMetadata {
        attributes: attributes & SETTABLE,
        created: created.unwrap_or(0),
        short_name: match stored_short_name(directory, name)? {
            Stored::Is(short) => Some(short),
            Stored::OfOne | Stored::None => None,
        },
        // Who may not read it may not set it either.
        security: get(directory, name, SECURITY).ok().flatten().unwrap_or_default(),
    })))
}

/// Streams of a tree that cannot be read: the kernel takes attributes of 64 KiB at most. Each with its path below the root.
pub(crate) fn unreadable_streams(
    parent: &Directory,
    root: &OsStr,
    inventory: &Inventory,
) -> io::Result<Vec<(PathBuf, OsString)>> {
    /// `XATTR_SIZE_MAX` of linux/limits.h.
    const MOST: usize = 64 << 10;
    let mut found = Vec::new();
    let mut containers = Containers::of(parent, root);
    for (number, item) in inventory.items.iter().enumerate() {
        if item.stat.sort == ObjectKind::Symlink {
            continue;
        }
        let container = containers.container(inventory, number)?;
        let path = by_descriptor(container, inventory.name_of(root, number));
        let length = match llistxattr_query(&path) {
            // Mounted so that it shows no streams, ntfs-3g answers with the error of a call before.
            Err(Errno::NODATA) => continue,
            length => length?,
        };
        let mut names = vec![0_u8; length];
        let length = llistxattr(&path, &mut names[..])?;
        for name in names.get(..length).unwrap_or_default().split(|byte| *byte == 0) {
            let name = OsStr::from_bytes(name);
            // The length is told as no longer than that.
            if name.is_empty() || lgetxattr_query(&path, name)? < MOST {
                continue;
            }
            if lgetxattr(&path, name, &mut vec![0; MOST][..]).is_err() {
                found.push((inventory.path(number), name.to_owned()));
            }
        }
    }
    Ok(found)
}

fn get(directory: &Directory, name: &OsStr, attribute: &str) -> io::Result<Option<Vec<u8>>> {
    let path = by_descriptor(directory, name);
    let absent = |error| matches!(error, Errno::NODATA | Errno::NOTSUP);
    // ntfs-3g answers EIO, not ERANGE, when the buffer is too small: the size is asked for first.
    let mut value = match lgetxattr_query(&path, attribute) {
        Ok(size) => vec![0; size],
        Err(error) if absent(error) => return Ok(None),
        Err(error) => return Err(without_proc(error)),
    };
    match lgetxattr(&path, attribute, &mut value[..]) {
        Ok(size) => {
            value.truncate(size);
            Ok(Some(value))
        }
        Err(error) if absent(error) => Ok(None),
        Err(error) => Err(without_proc(error)),
    }
}

/// A path to a name in an opened directory, for calls that take no descriptor.
pub(crate) fn by_descriptor(directory: &Directory, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd()));
    path.push(name);
    path
}
