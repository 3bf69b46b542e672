//! What a link has to say to lead to another place, in the form it has: relative or in full, of the same kind.

use std::path::{Path, PathBuf};

use reparse::path::{TargetClass, classify, nt_to_win32, to_backslashes};
use reparse::{LxSymlink, MountPoint, ReparseData, Symlink, WideString};

use super::REPAIR;
use crate::error::ErrorKind;
use crate::model::{DEFAULT_DRIVE, FileId, FileKind, Form, ReparsePoint, Target};
use crate::platform::{self, Filesystem, NtfsVolume, Place};
use crate::read::chain;
use crate::read::identity;
use crate::read::places::relative_path;

const NO_NAME: &str = "the new target is not Unicode, as every name on NTFS is";

/// Why a link cannot say it, in words.
pub(super) type Refusal = String;

/// The directory of a link, opened.
pub(super) struct Home {
    pub(super) place: Place,
    /// Its path without links.
    pub(super) parent: PathBuf,
    volume: Option<NtfsVolume>,
    /// Asked once for all links of a directory.
    writable: bool,
}

impl Home {
    /// The directory of a link: the one that is kept, if it is that.
    pub(super) fn of_link<'h>(kept: &'h mut Option<Self>, link: &Path) -> Result<&'h Self, Refusal> {
        let parent = link.parent().unwrap_or(Path::new("/"));
        match kept.take() {
            Some(home) if home.parent == parent => Ok(kept.insert(home)),
            _ => {
                let place = Place::open_physical(REPAIR, link).map_err(|error| error.cause())?;
                Ok(kept.insert(Self::of(place, parent.to_owned())?))
            }
        }
    }

    pub(super) fn of(place: Place, parent: PathBuf) -> Result<Self, Refusal> {
        let volume = place.ntfs().map_err(|error| platform::describe(&error))?;
        let writable = platform::may_write(&place.directory);
        Ok(Self { place, parent, volume, writable })
    }

    /// Whether this user may change links there.
    pub(super) fn may_change(&self) -> Result<(), Refusal> {
        if self.writable {
            return Ok(());
        }
        let read_only = Filesystem::of(&self.place.directory).is_ok_and(|found| found.read_only);
        Err(if read_only {
            "its file system is mounted read-only".to_owned()
        } else {
            "this user may not change its directory".to_owned()
        })
    }

    /// What a link there that says `old` has to say to lead to `to`, a full path. As typed is in the form that it has.
    pub(super) fn say(&self, old: &Target, to: &Path, form: Form) -> Result<Target, Refusal> {
        match old {
            Target::Text(text) => {
                let relative = match form {
                    Form::AsTyped => !Path::new(text).is_absolute(),
                    form => form == Form::Relative,
                };
                let path = if relative { relative_path(&self.parent, to) } else { to.to_owned() };
                let mut new = path.into_os_string();
                // A slash at the end asks for a directory, and still does.
                if text.as_encoded_bytes().ends_with(b"/") && !new.as_encoded_bytes().ends_with(b"/") {
                    new.push("/");
                }
                Ok(Target::Text(new))
            }
            Target::Reparse(point) => self.say_reparse(point, to, form).map(Target::Reparse),
            Target::File(_) => Err("a hard link has no target".to_owned()),
        }
    }

    fn say_reparse(&self, point: &ReparsePoint, to: &Path, form: Form) -> Result<ReparsePoint, Refusal> {
        let data = point.decode().map_err(|error| format!("its reparse data is broken: {error}"))?;
        let new = match &data {
            ReparseData::Symlink(link) => {
                let old = nt_to_win32(&link.substitute);
                let class = classify(&old);
                let relative = match form {
                    Form::AsTyped => class == TargetClass::Relative,
                    form => form == Form::Relative,
                };
                let text = match form {
                    // From the root of its volume is not in full.
                    Form::Absolute => self.by_drive(to, DEFAULT_DRIVE)?,
                    _ if relative => self.relative(to)?,
                    _ => self.in_full(&class, to)?,
                };
                ReparseData::Symlink(Symlink::new(&text).map_err(|error| error.to_string())?)
            }
            ReparseData::MountPoint(_) if form == Form::Relative => {
                return Err("a junction stores an absolute path".to_owned());
            }
            ReparseData::MountPoint(junction) if !junction.is_volume() => {
                let class = classify(&nt_to_win32(&junction.substitute));
                let text = self.in_full(&class, to)?;
                ReparseData::MountPoint(MountPoint::junction(&text).map_err(|error| error.to_string())?)
            }
            ReparseData::LxSymlink(link) => {
                let absolute = link.target.starts_with(b"/");
                if form == Form::Absolute || absolute && form == Form::AsTyped {
                    return Err("only WSL knows where its root is".to_owned());
                }
                let path = relative_path(&self.parent, to);
                let target = platform::to_bytes(path.as_os_str()).into_owned();
                ReparseData::LxSymlink(LxSymlink { target })
            }
            _ => return Err("it is no link of a kind that leads to a path".to_owned()),
        };
        let raw = new.encode().map_err(|error| error.to_string())?;
        Ok(ReparsePoint { raw, directory: point.directory })
    }

    fn volume(&self) -> Result<&NtfsVolume, Refusal> {
        self.volume.as_ref().ok_or_else(|| "its volume is no NTFS volume any more".to_owned())
    }

    fn relative(&self, to: &Path) -> Result<WideString, Refusal> {
        // Windows goes no higher than the root of the volume.
        if platform::TEXT_LINKS {
            self.inside(to)?;
        }
        let path = relative_path(&self.parent, to);
        let wide = platform::to_wide(path.as_os_str());
        Ok(to_backslashes(&wide.ok_or(NO_NAME)?))
    }

    fn inside<'p>(&self, to: &'p Path) -> Result<&'p Path, Refusal> {
        let root = self.volume()?.root().ok_or("only a folder of its volume is mounted here")?;
        to.strip_prefix(root)
            .map_err(|_| format!("{} is not on the link's volume, so Windows cannot find it", platform::quoted(to)))
    }

    /// A full path in Windows' words, by the same drive or volume name as before.
    fn in_full(&self, class: &TargetClass, to: &Path) -> Result<WideString, Refusal> {
        let prefix = match class {
            TargetClass::Volume(guid) => format!("\\\\?\\Volume{{{guid}}}\\"),
            TargetClass::Rooted => "\\".to_owned(),
            TargetClass::DriveAbsolute { letter } => return self.by_drive(to, *letter),
            _ => return self.by_drive(to, DEFAULT_DRIVE),
        };
        let Ok(inside) = self.inside(to) else { return self.by_drive(to, DEFAULT_DRIVE) };
        let inside = to_backslashes(&platform::to_wide(inside.as_os_str()).ok_or(NO_NAME)?);
        Ok(WideString::from_units(prefix.encode_utf16().chain(inside.units().iter().copied()).collect()))
    }

    fn by_drive(&self, to: &Path, letter: char) -> Result<WideString, Refusal> {
        let volume = self.volume()?;
        volume.windows_path(to, letter).ok_or_else(|| match self.inside(to) {
            Err(refusal) => refusal,
            Ok(_) => NO_NAME.to_owned(),
        })
    }

    /// What a link there that says this would reach, if that is of its kind.
    pub(super) fn reaches(&self, target: &Target) -> Result<FileId, Refusal> {
        match target {
            Target::Text(text) => match self.place.directory.metadata_follow(text) {
                Ok(found) => Ok(found.id),
                Err(error) if platform::error_kind(&error) == ErrorKind::PermissionDenied => {
                    Err("this user may not reach it there".to_owned())
                }
                Err(error) => Err(platform::describe(&error)),
            },
            Target::Reparse(point) => {
                let (path, found) = self.behind(point)?;
                let data = point.decode().map_err(|error| error.to_string())?;
                let directory = found == FileKind::Directory;
                if !matches!(data, ReparseData::LxSymlink(_)) && directory != point.directory {
                    let (found, wanted) = if directory { ("a directory", "files") } else { ("a file", "directories") };
                    return Err(format!("it is {found}, and the link is one for {wanted}"));
                }
                object_at(&path)
            }
            Target::File(_) => Err("a hard link has no target".to_owned()),
        }
    }

    /// Where a Windows link there that holds this leads to, and what is there.
    pub(super) fn behind(&self, point: &ReparsePoint) -> Result<(PathBuf, FileKind), Refusal> {
        let data = point.decode().map_err(|error| error.to_string())?;
        let start = self.place.directory.open_child(".".as_ref());
        let start = start.map_err(|error| platform::describe(&error))?;
        let drive = chain::drive_of(&data).unwrap_or(DEFAULT_DRIVE);
        let found = chain::reach(start, self.parent.clone(), &data, self.volume()?, drive);
        found.ok_or_else(|| "it does not lead there".to_owned())
    }
}

/// What is at a full path without links.
pub(super) fn object_at(path: &Path) -> Result<FileId, Refusal> {
    identity::look(path).map(|found| found.id).map_err(|error| platform::describe(&error))
}
