//! Targets as `mklink` stores them: as typed, and nothing is asked of them.

use std::path::Path;

use reparse::path::{TargetClass, classify, normalise};
use reparse::{MountPoint, ReparseData, Symlink, WideString};

use super::Task;
use super::windows::{Typed, opens_on_windows};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{KindChoice, Shape, Target};
use crate::plan::Plan;
use crate::platform::{self, NtfsVolume};

/// What a symbolic link or junction stores.
pub(super) fn target(task: &Task<'_>, plan: &mut Plan) -> Result<Target> {
    let Task { spec, ground, .. } = task;
    let is_junction = spec.kind == KindChoice::Junction;
    if !is_junction && ground.ntfs.is_none() && platform::TEXT_LINKS {
        task.must_have_target()?;
        task.fits(&spec.target)?;
        return Ok(Target::Text(spec.target.clone()));
    }
    let volume = task.volume()?;
    if !ground.link.file_name().is_some_and(|name| opens_on_windows(name.as_encoded_bytes())) {
        return Err(task.refuse(ErrorKind::InvalidPath, "Windows has no such names"));
    }
    if is_junction {
        let data = ReparseData::MountPoint(junction(task, &volume)?);
        return task.finish(&data, true, plan);
    }
    let data = ReparseData::Symlink(symlink(task, &volume)?);
    task.finish(&data, spec.shape == Some(Shape::Directory), plan)
}

fn symlink(task: &Task<'_>, volume: &NtfsVolume) -> Result<Symlink> {
    let text = match typed(task)? {
        Typed::Windows(text) => match classify(&text) {
            TargetClass::DriveRelative { letter } => drive_relative(task, &text, letter, volume)?,
            _ => text,
        },
        // Only Linux knows this path: Windows needs its own for the same place.
        Typed::Linux(path) if path.is_absolute() => task.drive_path(&task.full(&path)?, volume)?,
        Typed::Linux(path) => task.as_typed(path.as_os_str())?,
    };
    let exact = Symlink::as_typed(&text).map_err(|error| invalid(task, &error))?;
    if exact.is_relative() || task.kind_on_volume(&ReparseData::Symlink(exact.clone()), volume).is_some() {
        return Ok(exact);
    }
    let win32 = normalise(&text).and_then(|full| Symlink::as_typed(&full).ok());
    Ok(win32.map_or_else(|| exact.clone(), |win32| Symlink { substitute: win32.substitute, ..exact.clone() }))
}

fn junction(task: &Task<'_>, volume: &NtfsVolume) -> Result<MountPoint> {
    let text = match typed(task)? {
        Typed::Windows(text) => match classify(&text) {
            TargetClass::DriveRelative { letter } => drive_relative(task, &text, letter, volume)?,
            TargetClass::Rooted => wide(&format!("{}:", volume.letter(task.spec.drive)), &text),
            TargetClass::Relative => from_here(task, &text, volume)?,
            TargetClass::Unc => {
                let cause = "the target is on the network, and a junction stays on its computer";
                return Err(task.refuse(ErrorKind::CrossesVolumes, cause));
            }
            TargetClass::Volume(_) => {
                let root = MountPoint::volume(&text);
                return root.or_else(|_| MountPoint::junction(&text)).map_err(|error| invalid(task, &error));
            }
            _ => text,
        },
        Typed::Linux(path) if path.is_absolute() => task.drive_path(&task.full(&path)?, volume)?,
        Typed::Linux(path) => from_here(task, &task.as_typed(path.as_os_str())?, volume)?,
    };
    match MountPoint::junction(&text) {
        Err(reparse::TargetError::Network | reparse::TargetError::NotLocal) => {
            let cause = "the target is on no volume of this computer";
            Err(task.refuse(ErrorKind::CrossesVolumes, cause))
        }
        made => {
            let exact = made.map_err(|error| invalid(task, &error))?;
            if task.kind_on_volume(&ReparseData::MountPoint(exact.clone()), volume).is_some() {
                return Ok(exact);
            }
            Ok(normalise(&text).and_then(|full| MountPoint::junction(&full).ok()).unwrap_or(exact))
        }
    }
}

/// The target with the letters it was typed in; `//server/share` is one on the network, as in Windows.
fn typed(task: &Task<'_>) -> Result<Typed> {
    let target = &task.spec.target;
    match target.as_encoded_bytes() {
        [b'/', b'/', third, ..] if *third != b'/' => Ok(Typed::Windows(task.as_typed(target)?)),
        _ => match task.typed()? {
            Typed::Windows(_) => Ok(Typed::Windows(task.as_typed(target)?)),
            linux @ Typed::Linux(_) => Ok(linux),
        },
    }
}

/// `C:x` in full: from the current directory where that is on the link's volume, else, as in a Windows that has
/// never been to the drive, from the drive's root.
fn drive_relative(task: &Task<'_>, text: &WideString, letter: char, volume: &NtfsVolume) -> Result<WideString> {
    if let Some(full) = platform::drive_relative(text) {
        return Ok(full);
    }
    let rest = WideString::from_units(text.units().get(2..).unwrap_or_default().to_vec());
    if letter.eq_ignore_ascii_case(&task.spec.drive)
        && let Ok(absolute) = from_here(task, &rest, volume)
    {
        return Ok(normalise(&absolute).unwrap_or(absolute));
    }
    Ok(wide(&format!("{letter}:\\"), &rest))
}

/// A relative path behind the current directory's, which must be on the volume: `..` is for Windows to take, by its
/// text, whatever is there.
fn from_here(task: &Task<'_>, text: &WideString, volume: &NtfsVolume) -> Result<WideString> {
    let here = task.drive_path(&task.full(Path::new("."))?, volume)?;
    let units = here.units().iter().copied().chain([u16::from(b'\\')]).chain(text.units().iter().copied());
    Ok(WideString::from_units(units.collect()))
}

fn wide(start: &str, rest: &WideString) -> WideString {
    WideString::from_units(start.encode_utf16().chain(rest.units().iter().copied()).collect())
}

fn invalid(task: &Task<'_>, error: &reparse::TargetError) -> Error {
    task.refuse(ErrorKind::InvalidTarget, error.to_string())
}
