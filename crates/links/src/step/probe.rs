//! What can be made in a directory, found out by making it there, in a temporary directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reparse::{MountPoint, ReparseData, Symlink};

use super::{make, os, private_name};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{DEFAULT_DRIVE, FileKind, ReparsePoint, Target};
use crate::platform::{self, Directory, Filesystem, NtfsVolume};

/// Something a user may be able to do on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// A symbolic link to a file.
    FileSymlink,
    /// A symbolic link to a directory.
    DirectorySymlink,
    /// A hard link.
    HardLink,
    /// A junction.
    Junction,
    /// Replacing a link in one step.
    Replace,
}

impl Capability {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 5] =
        [Self::FileSymlink, Self::DirectorySymlink, Self::HardLink, Self::Junction, Self::Replace];

    /// The stable name used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FileSymlink => "symlink-to-file",
            Self::DirectorySymlink => "symlink-to-directory",
            Self::HardLink => "hard",
            Self::Junction => "junction",
            Self::Replace => "replace",
        }
    }
}

/// What a probe found out.
#[derive(Debug)]
#[non_exhaustive]
pub struct Probe {
    /// The file system's type, as the system names it.
    pub filesystem: String,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Whether ntfs-3g serves it, so that Windows' own links can be made.
    pub ntfs: bool,
    /// On NTFS, whether other streams of a file than its content can be seen.
    pub streams: bool,
    /// What could be made, and what the failures said.
    pub capabilities: Vec<(Capability, Result<()>)>,
}

/// What an error says where nothing at all could be made.
pub(crate) const MAKE: &str = "make something in";

/// Tries what links this user can make in a directory. Everything is made in a temporary
/// directory of its own there, which is removed again.
///
/// # Errors
/// The directory cannot be looked at. That nothing can be made in it is a finding, not an error.
pub fn probe(directory: &Path) -> Result<Probe> {
    const PROBE: &str = "probe";
    let fail = |error| Error::io(PROBE, directory, error);
    let opened = Directory::open(directory).map_err(fail)?;
    let filesystem = Filesystem::of(&opened).map_err(fail)?;
    let ntfs = platform::ntfs_volume(&opened).map_err(fail)?.is_some();
    let name = private_name();
    let mut capabilities = Vec::new();
    let mut streams = false;
    match os::make_directory(&opened, OsStr::new(&name)) {
        Ok(()) => {
            let path = directory.join(&name);
            let room = opened.open_child(OsStr::new(&name)).map_err(|error| Error::io(MAKE, &path, error))?;
            // Whoever may write here may have put a directory of his own there.
            if room.entries().map(|mut names| names.next().is_some()).map_err(fail)? {
                let cause = "another directory has the name of the trial";
                return Err(Error::new(ErrorKind::Changed, MAKE, &path, cause));
            }
            let tried = Capability::ALL.map(|capability| (capability, attempt(&path, &room, capability)));
            streams = ntfs && os::tree::has_streams(&opened, OsStr::new(&name));
            capabilities.extend(tried);
            let cleared = clear(&room).and_then(|()| os::remove_directory(&opened, OsStr::new(&name)));
            cleared.map_err(|error| Error::io("clear away", &path, error))?;
        }
        Err(error) => {
            let error = Error::io(MAKE, directory, error);
            let again = || Error::new(error.kind(), error.operation(), directory, error.cause());
            capabilities.extend(Capability::ALL.map(|capability| (capability, Err(again()))));
        }
    }
    let Filesystem { kind, mount_point, read_only, .. } = filesystem;
    Ok(Probe { filesystem: kind, mount_point, read_only, ntfs, streams, capabilities })
}

/// The names that attempts use, all in the probe's own directory.
const FILE: &str = "file";
const DIRECTORY: &str = "directory";
pub(super) const NAMES: [&str; 9] =
    [FILE, "symlink-to-file", "symlink-to-directory", "hard", "junction", "replace", OTHER, "other-old", DIRECTORY];

/// What links in it say that do not say where the probe is.
pub(super) const TEXTS: [&str; 3] = [FILE, DIRECTORY, OTHER];
const OTHER: &str = "other";

/// Made in what was opened: whatever has the name of the room by then, nothing is made elsewhere.
fn attempt(room: &Path, opened: &Directory, capability: Capability) -> Result<()> {
    let fail = |error| Error::io("prepare a trial in", room, error);
    let link = room.join(capability.as_str());
    let name = OsStr::new(capability.as_str());
    match capability {
        Capability::FileSymlink => make(opened, name, &link, &symlink(opened, &link, FILE, false)?),
        Capability::DirectorySymlink => make(opened, name, &link, &symlink(opened, &link, DIRECTORY, true)?),
        Capability::HardLink => {
            os::make_empty_file(opened, OsStr::new(FILE)).map_err(fail)?;
            let make = || os::make_hard_link(&opened.hold(OsStr::new(FILE))?, opened, name);
            make().map_err(|error| Error::io("create hard link", &link, error))
        }
        Capability::Junction => {
            let target = junction(opened, &link)?;
            os::make_directory(opened, OsStr::new(DIRECTORY)).map_err(fail)?;
            make(opened, name, &link, &target)
        }
        Capability::Replace => {
            let target = symlink(opened, &link, FILE, false)?;
            make(opened, name, &link, &target)?;
            let other = OsStr::new(OTHER);
            make(opened, other, &room.join(other), &target)?;
            let failed = |error| Error::io("replace link", &link, error);
            os::replace(opened, other, name, || Ok(()), failed).map(drop)
        }
    }
}

/// What a symbolic link to a name beside it says on this file system.
fn symlink(opened: &Directory, link: &Path, name: &str, directory: bool) -> Result<Target> {
    let fail = |error| Error::io(CREATE, link, error);
    if platform::TEXT_LINKS && platform::ntfs_volume(opened).map_err(fail)?.is_none() {
        return Ok(Target::Text(name.into()));
    }
    volume_of(opened, link)?;
    let link = Symlink::new(&name.into()).map_err(|error| invalid(link, &error))?;
    encode(&ReparseData::Symlink(link), directory)
}

/// What a junction to the directory beside it says.
fn junction(opened: &Directory, link: &Path) -> Result<Target> {
    let volume = volume_of(opened, link)?;
    let room = opened.physical_path().map_err(|error| Error::io(CREATE, link, error))?;
    let path = volume.windows_path(&room.join(DIRECTORY), DEFAULT_DRIVE).ok_or_else(|| {
        let cause = "only a folder of the NTFS volume is mounted here, so the target's full path is not known";
        Error::new(ErrorKind::CrossesVolumes, CREATE, link, cause)
    })?;
    let point = MountPoint::junction(&path).map_err(|error| invalid(link, &error))?;
    encode(&ReparseData::MountPoint(point), true)
}

fn volume_of(opened: &Directory, link: &Path) -> Result<NtfsVolume> {
    let fail = |error| Error::io(CREATE, link, error);
    if let Some(volume) = platform::ntfs_volume(opened).map_err(fail)? {
        return Ok(volume);
    }
    let kind = Filesystem::of(opened).map_err(fail)?.kind;
    let cause = format!("{} (it is {kind})", platform::refusal(&kind));
    Err(Error::new(ErrorKind::NotSupported, CREATE, link, cause))
}

fn invalid(link: &Path, error: &reparse::TargetError) -> Error {
    Error::new(ErrorKind::InvalidTarget, CREATE, link, error.to_string())
}

fn encode(data: &ReparseData, directory: bool) -> Result<Target> {
    let raw = data
        .encode()
        .map_err(|error| Error::new(ErrorKind::TooLong, CREATE, Path::new(DIRECTORY), error.to_string()))?;
    Ok(Target::Reparse(ReparsePoint { raw, directory }))
}

const CREATE: &str = "create link";

/// Makes a link, and reads it back.
fn make(opened: &Directory, name: &OsStr, link: &Path, target: &Target) -> Result<()> {
    match make::make_and_read(opened, name, target).map_err(|error| Error::io(CREATE, link, error))? {
        (_, true) => Ok(()),
        (_, false) => Err(Error::new(ErrorKind::NotVerified, CREATE, link, make::READS_OTHERWISE)),
    }
}

/// Removes what the attempts made, by name, and nothing else.
fn clear(room: &Directory) -> std::io::Result<()> {
    for name in NAMES {
        let name = OsStr::new(name);
        let removed = room.metadata_nofollow(name).and_then(|found| match found.kind {
            FileKind::Directory => os::remove_directory(room, name),
            _ => os::remove_file(room, name),
        });
        platform::if_there(removed)?;
    }
    Ok(())
}

impl Probe {
    /// Whether something could be made.
    #[must_use]
    pub fn can(&self, wanted: Capability) -> bool {
        self.capabilities.iter().any(|(capability, result)| *capability == wanted && result.is_ok())
    }
}
