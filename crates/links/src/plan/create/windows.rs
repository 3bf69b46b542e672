//! Windows links on an NTFS volume: symbolic links and junctions as Windows itself stores them.

use std::path::{Component, Path, PathBuf};

use reparse::path::{TargetClass, classify, to_backslashes};
use reparse::{MAX_TOTAL, MountPoint, ReparseData, Symlink, WideString};

use super::native::without_dots;
use super::{Ground, SYMLINK, Task, full_path};
use crate::error::{ErrorKind, Result};
use crate::model::{FileKind, Form, LinkSpec, ReparsePoint, Shape, Target};
use crate::plan::Plan;
use crate::platform::{self, Directory, NtfsVolume, RESIDENT};
use crate::read::chain;
use crate::read::places::relative_path;

/// A symbolic link with the target as Windows words it.
pub(super) fn symlink(task: &Task<'_>, plan: &mut Plan) -> Result<Target> {
    let Task { spec, ground, .. } = task;
    let volume = task.volume()?;
    task.must_lead_elsewhere(&volume)?;
    let (text, found) = match task.typed()? {
        Typed::Windows(text) if spec.form == Form::Relative => {
            let path = match classify(&text) {
                TargetClass::Relative => task.full(&linux_words(&text))?,
                _ => task.on_volume(&text, &volume)?,
            };
            (task.relative(&path)?, None)
        }
        Typed::Windows(text) if spec.form == Form::Absolute && classify(&text) == TargetClass::Relative => {
            (task.drive_path(&task.full(&linux_words(&text))?, &volume)?, None)
        }
        Typed::Windows(text) => (text, None),
        Typed::Linux(path) => match (spec.form, path.is_absolute()) {
            (Form::AsTyped, false) => (task.wide(&path)?, None),
            (Form::Relative, _) => {
                let full = task.full(&path)?;
                task.inside(&full, &volume)?;
                (task.relative(&full)?, Some(path))
            }
            (Form::AsTyped | Form::Absolute, _) => {
                let full = task.full(&path)?;
                (task.drive_path(&full, &volume)?, Some(path))
            }
        },
    };
    let link = Symlink::new(&text).map_err(|error| task.refuse(ErrorKind::InvalidTarget, error.to_string()))?;
    let data = ReparseData::Symlink(link);
    let target = found.and_then(|path| kind_at(&path)).or_else(|| task.kind_on_volume(&data, &volume));
    let ends_as_directory = spec.target.as_encoded_bytes().last().is_some_and(|byte| matches!(byte, b'/' | b'\\'));
    if task.leaves_volume(&volume) {
        let cause = "the relative target leaves the volume, and Windows goes no higher than its root";
        return Err(task.refuse(ErrorKind::CrossesVolumes, cause));
    }
    let directory = match (spec.shape, target) {
        (Some(shape), _) => shape == Shape::Directory,
        (None, Some(kind)) => kind == FileKind::Directory,
        (None, None) => ends_as_directory,
    };
    match target {
        None if spec.shape.is_none() => {
            let made = if directory { "directory" } else { "file" };
            let note = format!("the target was not found: made as a {made} link");
            plan.note("shape-guessed", &ground.link, note);
        }
        Some(kind) if (kind == FileKind::Directory) != directory => {
            plan.note("wrong-kind", &ground.link, "the target is of the other kind: Windows will not follow this link");
        }
        _ => {}
    }
    task.finish(&data, directory, plan)
}

/// A junction: a directory link by absolute path on the same computer.
pub(super) fn junction(task: &Task<'_>, plan: &mut Plan) -> Result<Target> {
    let Task { spec, ground, .. } = task;
    let volume = task.volume()?;
    task.must_lead_elsewhere(&volume)?;
    if spec.form == Form::Relative {
        return Err(task.refuse(ErrorKind::InvalidTarget, "a junction stores an absolute path"));
    }
    if spec.shape == Some(Shape::File) {
        return Err(task.refuse(ErrorKind::InvalidTarget, "a junction leads to a directory, never to a file"));
    }
    let text = match task.typed()? {
        Typed::Windows(text) => match classify(&text) {
            // `\t` and `..\t` are read like `/t` and `../t` would be: from the volume, from here.
            TargetClass::Rooted => task.drive_path(&task.on_volume(&text, &volume)?, &volume)?,
            TargetClass::Relative => task.drive_path(&task.full(&linux_words(&text))?, &volume)?,
            TargetClass::Unc => {
                let cause = "the target is on the network, and a junction stays on its computer";
                return Err(task.refuse(ErrorKind::CrossesVolumes, cause));
            }
            _ => text,
        },
        Typed::Linux(path) => task.drive_path(&task.full(&path)?, &volume)?,
    };
    let point =
        MountPoint::junction(&text).map_err(|error| task.refuse(ErrorKind::InvalidTarget, error.to_string()))?;
    let data = ReparseData::MountPoint(point);
    match task.kind_on_volume(&data, &volume) {
        Some(FileKind::Directory) => {}
        Some(_) => {
            let cause = "the target is a file, and a junction leads to a directory";
            return Err(task.refuse(ErrorKind::InvalidTarget, cause));
        }
        // Of what is known to be a directory, whoever asks makes it later.
        None if spec.shape.is_none() && task.is_of_drive(&text, &volume) => {
            plan.note("target-missing", &ground.link, "the target does not exist on this volume");
        }
        None => {}
    }
    task.finish(&data, true, plan)
}

/// Whether the system lets this user make no symbolic link, and a junction would lead to the same place: the target
/// is a directory, by a path in full.
pub(super) fn only_a_junction_can_be_made(spec: &LinkSpec, ground: &Ground) -> bool {
    let target = Path::new(&spec.target);
    ground.ntfs.is_some()
        && !platform::may_make_symlinks()
        && spec.shape != Some(Shape::File)
        && spec.form != Form::Relative
        && (spec.form == Form::Absolute || target.is_absolute())
        && kind_at(target) == Some(FileKind::Directory)
}

/// A target as it was typed.
pub(super) enum Typed {
    /// In Windows' words, with backslashes.
    Windows(WideString),
    /// In Linux' words.
    Linux(PathBuf),
}

impl Task<'_> {
    pub(super) fn volume(&self) -> Result<NtfsVolume> {
        self.ground.ntfs.clone().ok_or_else(|| {
            let kind = &self.ground.filesystem.kind;
            let cause = format!("{} (it is {kind})", platform::refusal(kind));
            self.refuse(ErrorKind::NotSupported, cause)
        })
    }

    fn wide(&self, path: &Path) -> Result<WideString> {
        Ok(to_backslashes(&self.as_typed(path.as_os_str())?))
    }

    pub(super) fn typed(&self) -> Result<Typed> {
        let target = &self.spec.target;
        self.must_have_target()?;
        let bytes = target.as_encoded_bytes();
        let drive = matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic());
        // On Windows `//server/share` begins with a prefix as `C:` does.
        let prefix = matches!(Path::new(target).components().next(), Some(Component::Prefix(_)));
        if prefix || bytes.first() != Some(&b'/') && (drive || bytes.contains(&b'\\')) {
            let text = self.wide(Path::new(target))?;
            // Only Windows knows where each drive was left.
            let full = match classify(&text) {
                TargetClass::DriveRelative { .. } => platform::drive_relative(&text),
                _ => None,
            };
            return Ok(Typed::Windows(full.unwrap_or(text)));
        }
        Ok(Typed::Linux(target.into()))
    }

    /// Refuses a target that names the link itself.
    fn must_lead_elsewhere(&self, volume: &NtfsVolume) -> Result<()> {
        let path = match self.typed()? {
            Typed::Linux(path) => path,
            Typed::Windows(text) => match classify(&text) {
                TargetClass::Relative => linux_words(&text),
                // On another volume it is no link of this one.
                _ => self.on_volume(&text, volume).unwrap_or_default(),
            },
        };
        // A junction's target, and one to be rewritten, is read from the current directory.
        let stored = self.operation == SYMLINK && self.spec.form == Form::AsTyped;
        let path = if stored { self.ground.parent.join(path) } else { path };
        if self.ground.leads_back(&path, self.spec.manner) {
            return Err(self.refuse(ErrorKind::SameFile, "the link would lead to itself"));
        }
        Ok(())
    }

    /// Whether a relative target as typed in Linux' words climbs out of the volume: Windows goes no
    /// higher than its root, so there it would lead elsewhere than here.
    fn leaves_volume(&self, volume: &NtfsVolume) -> bool {
        let typed = Path::new(&self.spec.target);
        let linux = matches!(self.typed(), Ok(Typed::Linux(_)));
        let (true, Some(root)) = (linux && self.spec.form == Form::AsTyped, volume.root()) else {
            return false;
        };
        let mut path = self.ground.parent.clone();
        for component in typed.components() {
            match component {
                Component::ParentDir if path == root => return true,
                Component::ParentDir => drop(path.pop()),
                Component::Normal(name) => path.push(name),
                _ => {}
            }
        }
        false
    }

    pub(super) fn full(&self, path: &Path) -> Result<PathBuf> {
        full_path(path).map_err(|error| self.io(error))
    }

    /// Whether a path in full is on the link's own drive.
    fn is_of_drive(&self, text: &WideString, volume: &NtfsVolume) -> bool {
        drive_of(text).is_some_and(|letter| letter.eq_ignore_ascii_case(&volume.letter(self.spec.drive)))
    }

    /// The part of a full path behind the volume's root.
    fn inside<'p>(&self, full: &'p Path, volume: &NtfsVolume) -> Result<&'p Path> {
        let root = self.root(volume)?;
        full.strip_prefix(root).map_err(|_| {
            let root = platform::quoted(root);
            let cause = format!("the target is not on the link's volume {root}, so Windows cannot find it");
            self.refuse(ErrorKind::CrossesVolumes, cause)
        })
    }

    fn root<'v>(&self, volume: &'v NtfsVolume) -> Result<&'v Path> {
        volume.root().ok_or_else(|| {
            let cause = "only a folder of the NTFS volume is mounted here, so the target's full path is not known";
            self.refuse(ErrorKind::CrossesVolumes, cause)
        })
    }

    /// `/mnt/disk/a/b` as `C:\a\b`.
    pub(super) fn drive_path(&self, full: &Path, volume: &NtfsVolume) -> Result<WideString> {
        if let Some(path) = volume.windows_path(full, self.spec.drive) {
            return Ok(path);
        }
        // Outside of the volume, or not Unicode: whichever it is, is said.
        self.wide(self.inside(full, volume)?)
    }

    /// `C:\a\b` or `\a\b` as `/mnt/disk/a/b`.
    pub(super) fn on_volume(&self, text: &WideString, volume: &NtfsVolume) -> Result<PathBuf> {
        let units = text.units();
        let rest = match classify(text) {
            TargetClass::Rooted => units,
            TargetClass::DriveAbsolute { letter } if letter.eq_ignore_ascii_case(&volume.letter(self.spec.drive)) => {
                units.get(2..).unwrap_or_default()
            }
            _ => {
                let drive = volume.letter(self.spec.drive);
                let cause = format!("the target is not on the link's volume (drive {drive}:)");
                return Err(self.refuse(ErrorKind::CrossesVolumes, cause));
            }
        };
        Ok(self.root(volume)?.join(linux_words(&WideString::from_units(rest.to_vec()))))
    }

    fn relative(&self, full: &Path) -> Result<WideString> {
        self.wide(&relative_path(&self.ground.parent, full))
    }

    /// What the finished data leads to, as Windows would follow it.
    pub(super) fn kind_on_volume(&self, data: &ReparseData, volume: &NtfsVolume) -> Option<FileKind> {
        // From a directory that is still to be made, `..` can only be taken by its text.
        if self.ground.place.is_none()
            && let ReparseData::Symlink(link) = data
            && classify(&link.substitute) == TargetClass::Relative
        {
            return kind_at(&without_dots(&self.ground.parent.join(linux_words(&link.substitute))));
        }
        let start = self.ground.directory.open_child(".".as_ref()).ok()?;
        chain::reach(start, self.ground.parent.clone(), data, volume, self.spec.drive).map(|(_, kind)| kind)
    }

    pub(super) fn finish(&self, data: &ReparseData, directory: bool, plan: &mut Plan) -> Result<Target> {
        if self.ground.link.file_name().is_some_and(|name| !opens_on_windows(name.as_encoded_bytes())) {
            plan.note("unopenable-name", &self.ground.link, "Windows programs cannot open a link of this name");
        }
        let too_long = |error| format!("{error}; a reparse point holds {MAX_TOTAL} bytes in all");
        let raw = data.encode().map_err(|error| self.refuse(ErrorKind::TooLong, too_long(error)))?;
        if let Some(most) = RESIDENT.filter(|most| raw.len() > *most) {
            let note = format!(
                "{} bytes of reparse data: beyond about {most}, ntfs-3g writes a wrong tag into the \
                 directory's index, and Windows' listings may not show the link; chkdsk mends it",
                raw.len()
            );
            plan.note("not-resident", &self.ground.link, note);
        }
        Ok(Target::Reparse(ReparsePoint { raw, directory }))
    }
}

/// `a\b` as `a/b`; without a leading separator.
pub(crate) fn linux_words(text: &WideString) -> PathBuf {
    let parts = text.units().split(|&unit| unit == u16::from(b'\\'));
    let names = parts.map(|part| platform::from_wide(&WideString::from_units(part.to_vec())));
    names.filter(|name| !name.is_empty()).collect()
}

/// Whether Win32 leaves a file name as it is ("Naming Files, Paths, and Namespaces").
pub(super) fn opens_on_windows(name: &[u8]) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let stem = name.split(|&byte| byte == b'.').next().unwrap_or_default().to_ascii_uppercase();
    let port = matches!(stem.as_slice(), [b'C', b'O', b'M', b'1'..=b'9'] | [b'L', b'P', b'T', b'1'..=b'9']);
    let device = port || DEVICES.iter().any(|device| device.as_bytes() == stem);
    let odd = name.iter().any(|byte| *byte < 0x20 || b"<>:\"|?*\\".contains(byte));
    !device && !odd && !name.ends_with(b".") && !name.ends_with(b" ")
}

fn kind_at(path: &Path) -> Option<FileKind> {
    let here = Directory::open(Path::new(".")).ok()?;
    here.metadata_follow(path.as_os_str()).ok().map(|metadata| metadata.kind)
}

fn drive_of(text: &WideString) -> Option<char> {
    match classify(text) {
        TargetClass::DriveAbsolute { letter } => Some(letter),
        _ => None,
    }
}
