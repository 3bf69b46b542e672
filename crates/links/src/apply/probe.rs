//! What can be made in a directory, found out by making it there, in a temporary directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{os, step};
use crate::error::{Error, Result};
use crate::model::{KindChoice, LinkSpec, Shape};
use crate::platform::{Directory, Filesystem};

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
pub struct Finding {
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

/// Tries what links this user can make in a directory. Everything is made in a temporary
/// directory of its own there, which is removed again.
///
/// # Errors
/// The directory cannot be looked at. That nothing can be made in it is a finding, not an error.
pub fn probe(directory: &Path) -> Result<Finding> {
    const PROBE: &str = "probe";
    let fail = |error| Error::io(PROBE, directory, error);
    let opened = Directory::open(directory).map_err(fail)?;
    let filesystem = Filesystem::of(&opened).map_err(fail)?;
    let ntfs = crate::platform::ntfs_volume(&opened).map_err(fail)?.is_some();
    let name = step::private_name();
    let mut capabilities = Vec::new();
    let mut streams = false;
    match os::make_directory(&opened, OsStr::new(&name)) {
        Ok(()) => {
            let room = directory.join(&name);
            streams = ntfs && os::tree::has_streams(&opened, OsStr::new(&name));
            let tried = Capability::ALL.map(|capability| (capability, attempt(&room, capability)));
            capabilities.extend(tried);
            clear(&opened, &name).map_err(|error| Error::io("clear away", &room, error))?;
        }
        Err(error) => {
            let error = Error::io("make something in", directory, error);
            let again = || Error::new(error.kind(), error.operation(), directory, error.cause());
            capabilities.extend(Capability::ALL.map(|capability| (capability, Err(again()))));
        }
    }
    let Filesystem { kind, mount_point, read_only, .. } = filesystem;
    Ok(Finding { filesystem: kind, mount_point, read_only, ntfs, streams, capabilities })
}

/// The names that attempts use, all in the probe's own directory.
const FILE: &str = "file";
const DIRECTORY: &str = "directory";
pub(super) const NAMES: [&str; 7] =
    [FILE, "symlink-to-file", "symlink-to-directory", "hard", "junction", "replace", DIRECTORY];

/// What links in it say that do not say where the probe is.
pub(super) const TEXTS: [&str; 3] = [FILE, DIRECTORY, OTHER];
const OTHER: &str = "other";

fn attempt(room: &Path, capability: Capability) -> Result<()> {
    let fail = |error| Error::io("prepare a trial in", room, error);
    let opened = Directory::open(room).map_err(fail)?;
    let link = room.join(capability.as_str());
    let spec = |target: PathBuf, kind, shape| {
        let mut spec = LinkSpec::new(&link, target);
        (spec.kind, spec.shape) = (kind, shape);
        spec
    };
    match capability {
        Capability::FileSymlink => super::create(&spec(FILE.into(), KindChoice::Symlink, Some(Shape::File))),
        Capability::DirectorySymlink => {
            super::create(&spec(DIRECTORY.into(), KindChoice::Symlink, Some(Shape::Directory)))
        }
        Capability::HardLink => {
            os::make_empty_file(&opened, OsStr::new(FILE)).map_err(fail)?;
            super::create(&spec(room.join(FILE), KindChoice::Hard, None))
        }
        Capability::Junction => {
            // Without NTFS the planner refuses, and says so better than a full disk would.
            if crate::platform::ntfs_volume(&opened).map_err(fail)?.is_some() {
                os::make_directory(&opened, OsStr::new(DIRECTORY)).map_err(fail)?;
            }
            super::create(&spec(room.join(DIRECTORY), KindChoice::Junction, None))
        }
        Capability::Replace => {
            super::create(&spec(FILE.into(), KindChoice::Symlink, Some(Shape::File)))?;
            let mut again = spec(OTHER.into(), KindChoice::Symlink, Some(Shape::File));
            again.on_existing = crate::model::OnExisting::ReplaceLink;
            super::create(&again)
        }
    }
    .map(drop)
}

/// Removes what the attempts made, by name, and nothing else.
fn clear(parent: &Directory, name: &str) -> std::io::Result<()> {
    let room = parent.open_child(OsStr::new(name))?;
    for name in NAMES {
        let name = OsStr::new(name);
        let removed = match room.metadata_nofollow(name) {
            Ok(found) if found.kind == crate::model::FileKind::Directory => os::remove_directory(&room, name),
            Ok(_) => os::remove_file(&room, name),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    drop(room);
    os::remove_directory(parent, OsStr::new(name))
}

impl Finding {
    /// Whether something could be made.
    #[must_use]
    pub fn can(&self, wanted: Capability) -> bool {
        self.capabilities.iter().any(|(capability, result)| *capability == wanted && result.is_ok())
    }
}
