//! Junctions and volume mount points, tag `MOUNT_POINT` (MS-FSCC §2.1.2.5).

use crate::data::HEADER;
use crate::names::{self, NameField, Reader};
use crate::path::{self, NtRoot, TargetClass};
use crate::{DecodeError, EncodeError, TargetError, WideString};

/// The data of a mount point: a junction if it leads to a directory, a volume mount point if it leads to the root of a
/// volume. Only a directory can have it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MountPoint {
    /// What the kernel follows: an NT path, `\??\C:\x` or `\??\Volume{GUID}\`.
    pub substitute: WideString,
    /// What `dir` shows. Empty for volume mount points and for junctions made by PowerShell.
    pub print: WideString,
}

impl MountPoint {
    /// Four numbers.
    const FIXED: usize = 8;

    /// The junction that `mklink /j` makes of an absolute target: the substitute name is the NT path, the print name
    /// the Win32 path, both with `/` made `\`, `.` and `..` resolved and no trailing backslash (but for `C:\`).
    ///
    /// Whether the data fits is seen when it is encoded: a target of 4,089 units does.
    ///
    /// # Errors
    ///
    /// [`TargetError`]: what is not absolute, not on this computer, not on a drive or volume, or the root of a volume
    /// by GUID (use [`volume`](Self::volume)); a NUL inside; `/`, `.` or `..` in a `\\?\` path.
    pub fn junction(target: &WideString) -> Result<Self, TargetError> {
        path::check_text(target)?;
        if matches!(path::classify(target), TargetClass::Relative | TargetClass::Rooted) {
            return Err(TargetError::NotAbsolute);
        }
        let substitute = path::stored_nt(target)?;
        match path::nt_root(&substitute) {
            NtRoot::Drive | NtRoot::Volume { is_root: false } => {}
            NtRoot::Volume { is_root: true } => return Err(TargetError::VolumeRoot),
            NtRoot::Unc => return Err(TargetError::Network),
            NtRoot::Other => return Err(TargetError::NotLocal),
        }
        if path::has_dot_component(&substitute) {
            return Err(TargetError::DotComponent);
        }
        let print = path::nt_to_win32(&substitute);
        Ok(Self { substitute, print })
    }

    /// The mount point of a volume, given as `\\?\Volume{GUID}\` (the last backslash may be missing). Windows stores
    /// no print name.
    ///
    /// # Errors
    ///
    /// [`TargetError::NotVolume`] if it is anything else.
    pub fn volume(guid_path: &WideString) -> Result<Self, TargetError> {
        let nt = path::win32_to_nt(guid_path).ok_or(TargetError::NotVolume)?;
        if !matches!(path::nt_root(&nt), NtRoot::Volume { is_root: true }) {
            return Err(TargetError::NotVolume);
        }
        let mut units = path::strip_separators(&nt, 1).units().to_vec();
        units.push(path::BACKSLASH);
        Ok(Self { substitute: WideString::from_units(units), print: WideString::new() })
    }

    /// Whether it leads to the root of a volume by its GUID: a volume mount point and not a junction.
    #[must_use]
    pub fn is_volume(&self) -> bool {
        matches!(path::nt_root(&self.substitute), NtRoot::Volume { is_root: true })
    }

    /// Where Windows goes: the substitute name in Win32 form (see [`nt_to_win32`](path::nt_to_win32)).
    #[must_use]
    pub fn destination(&self) -> WideString {
        path::nt_to_win32(&self.substitute)
    }

    /// The target to show: the print name, or where that is empty or says something else, the [destination](Self::destination).
    #[must_use]
    pub fn target(&self) -> WideString {
        path::shown(&self.print, self.destination())
    }

    pub(crate) fn decode(buf: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(buf, HEADER);
        let (substitute, print) = NameField::read_pair(&mut reader)?;
        let path_buffer = reader.rest();
        Ok(Self { substitute: substitute.name(path_buffer)?, print: print.name(path_buffer)? })
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, EncodeError> {
        names::payload(&self.substitute, &self.print, true, Self::FIXED, names::places)
    }
}
