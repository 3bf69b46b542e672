//! What can be made in a directory, found out by making it there, in a temporary directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{make, os, private_name};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Step;
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

/// What an error says where nothing at all could be made.
pub(crate) const MAKE: &str = "make something in";

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
    Ok(Finding { filesystem: kind, mount_point, read_only, ntfs, streams, capabilities })
}

/// The names that attempts use, all in the probe's own directory.
const FILE: &str = "file";
const DIRECTORY: &str = "directory";
pub(super) const NAMES: [&str; 9] =
    [FILE, "symlink-to-file", "symlink-to-directory", "hard", "junction", "replace", OTHER, ASIDE, DIRECTORY];

/// What links in it say that do not say where the probe is.
pub(super) const TEXTS: [&str; 3] = [FILE, DIRECTORY, OTHER];
const OTHER: &str = "other";
const ASIDE: &str = "aside";

/// Planned by its path, and made in what was opened: whatever has the name of the room by then, nothing is made elsewhere.
fn attempt(room: &Path, opened: &Directory, capability: Capability) -> Result<()> {
    let fail = |error| Error::io("prepare a trial in", room, error);
    let link = room.join(capability.as_str());
    let spec = |target: PathBuf, kind, shape| {
        let mut spec = LinkSpec::new(&link, target);
        (spec.kind, spec.shape) = (kind, shape);
        spec
    };
    let name = OsStr::new(capability.as_str());
    let symlink = |target: &str, shape| spec(target.into(), KindChoice::Symlink, Some(shape));
    match capability {
        Capability::FileSymlink => make(opened, name, &symlink(FILE, Shape::File)),
        Capability::DirectorySymlink => make(opened, name, &symlink(DIRECTORY, Shape::Directory)),
        Capability::HardLink => {
            os::make_empty_file(opened, OsStr::new(FILE)).map_err(fail)?;
            let make = || os::make_hard_link(&opened.hold(OsStr::new(FILE))?, opened, name);
            make().map_err(|error| Error::io("create hard link", &link, error))
        }
        Capability::Junction => {
            // Without NTFS the planner refuses, and says so better than a full disk would.
            if crate::platform::ntfs_volume(opened).map_err(fail)?.is_some() {
                os::make_directory(opened, OsStr::new(DIRECTORY)).map_err(fail)?;
            }
            make(opened, name, &spec(room.join(DIRECTORY), KindChoice::Junction, None))
        }
        Capability::Replace => {
            make(opened, name, &symlink(FILE, Shape::File))?;
            let other = OsStr::new(OTHER);
            let mut again = symlink(FILE, Shape::File);
            again.link = room.join(other);
            make(opened, other, &again)?;
            let replace = || match os::exchange(opened, other, name) {
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                    match os::rename_over(opened, other, name) {
                        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                            os::exchange_by_steps(opened, other, name, OsStr::new(ASIDE))
                        }
                        answer => answer,
                    }
                }
                answer => answer,
            };
            replace().map_err(|error| Error::io("replace link", &link, error))
        }
    }
}

/// Makes a link as it is planned, and reads it back.
fn make(opened: &Directory, name: &OsStr, spec: &LinkSpec) -> Result<()> {
    let plan = crate::plan::create::plan(spec)?;
    let (operation, path) = ("create link", &spec.link);
    let fail = |error| Error::io(operation, path, error);
    for step in &plan.steps {
        let Step::CreateLink { target, .. } = step else { continue };
        make::make_soft(opened, name, target).map_err(fail)?;
        if !super::move_tree::says(opened, name, target).map_err(fail)? {
            let cause = "what was made reads back otherwise";
            return Err(Error::new(ErrorKind::NotVerified, operation, path, cause));
        }
    }
    Ok(())
}

/// Removes what the attempts made, by name, and nothing else.
fn clear(room: &Directory) -> std::io::Result<()> {
    for name in NAMES {
        let name = OsStr::new(name);
        let removed = match room.metadata_nofollow(name) {
            Ok(found) if found.kind == crate::model::FileKind::Directory => os::remove_directory(room, name),
            Ok(_) => os::remove_file(room, name),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl Finding {
    /// Whether something could be made.
    #[must_use]
    pub fn can(&self, wanted: Capability) -> bool {
        self.capabilities.iter().any(|(capability, result)| *capability == wanted && result.is_ok())
    }
}
