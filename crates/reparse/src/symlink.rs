//! Symbolic links, tag `SYMLINK` (MS-FSCC §2.1.2.4).

use crate::data::HEADER;
use crate::names::{self, NameField, Reader};
use crate::path::{self, TargetClass};
use crate::{DecodeError, EncodeError, TargetError, WideString};

/// The data of a Windows symbolic link. Whether it is one to a file or to a directory is an attribute of the link
/// itself and not in here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Symlink {
    /// What the kernel follows: an NT path (`\??\C:\x`), or if [relative](Self::is_relative) the path from the link's
    /// directory or from the root of its volume.
    pub substitute: WideString,
    /// What `dir` shows. May be empty, and need not agree with the substitute name.
    pub print: WideString,
    /// 0, or [`Symlink::RELATIVE`]. Other bits are kept as they are.
    pub flags: u32,
}

impl Symlink {
    /// The flag of a link whose substitute name is relative.
    pub const RELATIVE: u32 = 1;

    /// Four numbers and the flags.
    const FIXED: usize = 12;

    /// The link that `mklink` makes of a target as typed.
    ///
    /// - Relative (`..\x`) and rooted (`\x`): both names are the text as it is.
    /// - `C:\x`, `\\server\share\x`: the print name is the text, the substitute name its NT path: `/` made `\`, `.`
    ///   and `..` resolved, as Win32 does.
    /// - `\\?\...` and `\\.\...`: mapped to the NT path; nothing is resolved in the former.
    ///
    /// A trailing backslash is kept, as Windows keeps it: it asks for a directory. Whether the data fits is seen when it is
    /// encoded: an absolute target of 4,089 units does.
    ///
    /// # Errors
    ///
    /// [`TargetError`]: empty; a NUL inside; `C:x`; `\??\...`; `/` in a target that is stored as typed; `\\` alone.
    pub fn new(target: &WideString) -> Result<Self, TargetError> {
        path::check_text(target)?;
        if matches!(path::classify(target), TargetClass::Relative | TargetClass::Rooted) {
            path::check_slashes(target)?;
            return Ok(Self { substitute: target.clone(), print: target.clone(), flags: Self::RELATIVE });
        }
        Ok(Self { substitute: path::checked_nt(target)?, print: target.clone(), flags: 0 })
    }

    /// The link that `mklink` makes, whose print name is the target to the letter, as `dir` shows it.
    ///
    /// As [`new`](Self::new), but a `/` in a relative or rooted target is no error: Windows would store it as typed
    /// and then fail to follow it (error 123), so the substitute name has `\` in its place.
    ///
    /// # Errors
    ///
    /// [`TargetError`]: empty; a NUL inside; `C:x`; `\??\...`; `/` in a `\\?\` path; `\\` alone.
    pub fn as_typed(target: &WideString) -> Result<Self, TargetError> {
        path::check_text(target)?;
        let print = target.clone();
        if matches!(path::classify(target), TargetClass::Relative | TargetClass::Rooted) {
            return Ok(Self { substitute: path::to_backslashes(target), print, flags: Self::RELATIVE });
        }
        Ok(Self { substitute: path::checked_nt(target)?, print, flags: 0 })
    }

    /// Whether the substitute name is relative to the link's directory, or to the root of its volume.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.flags & Self::RELATIVE != 0
    }

    /// Where Windows goes: the substitute name, in Win32 form if it is absolute (see
    /// [`nt_to_win32`](path::nt_to_win32)).
    #[must_use]
    pub fn destination(&self) -> WideString {
        if self.is_relative() { self.substitute.clone() } else { path::nt_to_win32(&self.substitute) }
    }

    /// The target to show: the print name, or where that is empty or says something else, the [destination](Self::destination).
    #[must_use]
    pub fn target(&self) -> WideString {
        path::shown(&self.print, self.destination())
    }

    pub(crate) fn decode(buf: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(buf, HEADER);
        let (substitute, print) = NameField::read_pair(&mut reader)?;
        let flags = reader.u32("Flags")?;
        let path_buffer = reader.rest();
        Ok(Self { substitute: substitute.name(path_buffer)?, print: print.name(path_buffer)?, flags })
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, EncodeError> {
        names::payload(&self.print, &self.substitute, false, Self::FIXED, |print, substitute| {
            let mut out = names::places(substitute, print);
            out.extend(self.flags.to_le_bytes());
            out
        })
    }
}
