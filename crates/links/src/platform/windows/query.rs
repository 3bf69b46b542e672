//! What the system knows of an opened object.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle};

use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO,
    FILE_BASIC_INFO, FILE_ID_INFO, FILE_INFO_BY_HANDLE_CLASS, FILE_STANDARD_INFO, FileAttributeTagInfo, FileBasicInfo,
    FileIdInfo, FileStandardInfo, GetFileInformationByHandle, GetFileInformationByHandleEx,
};

use super::stand_in;
use crate::model::{Attributes, FileId, FileKind, Metadata};
use crate::platform::{ObjectKind, Stat};
use reparse::Tag;

/// An opened object's information, asked for piece by piece.
#[derive(Clone, Copy)]
pub(crate) struct Object<'h>(pub(crate) BorrowedHandle<'h>);

/// A structure that the system fills.
///
/// # Safety
/// Plain numbers: every pattern of bits is a value, and the class is the one whose answer has this form.
unsafe trait Answer: Default {
    const CLASS: FILE_INFO_BY_HANDLE_CLASS;
}

// SAFETY: plain numbers, with the class that the name of the structure says (MS-FSCC 2.4).
unsafe impl Answer for FILE_BASIC_INFO {
    const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileBasicInfo;
}
// SAFETY: as above.
unsafe impl Answer for FILE_ATTRIBUTE_TAG_INFO {
    const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileAttributeTagInfo;
}
// SAFETY: as above.
unsafe impl Answer for FILE_ID_INFO {
    const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileIdInfo;
}

/// `FILE_STANDARD_INFO` without its two truth values, which are bytes of any pattern to the system.
#[derive(Default)]
#[repr(C)]
struct Standard {
    allocated: i64,
    size: i64,
    links: u32,
    flags: [u8; 4],
}

const _: () = assert!(size_of::<Standard>() == size_of::<FILE_STANDARD_INFO>());

// SAFETY: plain numbers, laid out as FILE_STANDARD_INFO.
unsafe impl Answer for Standard {
    const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileStandardInfo;
}

impl<'h> Object<'h> {
    pub(crate) fn of(handle: &'h impl AsHandle) -> Self {
        Self(handle.as_handle())
    }

    fn ask<A: Answer>(self) -> io::Result<A> {
        let mut answer = A::default();
        let length = u32::try_from(size_of::<A>()).unwrap_or_default();
        // SAFETY: the system writes at most `length` bytes to `answer`, which has as many, and `Answer` says that
        // whatever it writes is a value.
        let done = unsafe {
            let answer = (&raw mut answer).cast::<c_void>();
            GetFileInformationByHandleEx(self.0.as_raw_handle(), A::CLASS, answer, length)
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
    }

    fn basic(self) -> io::Result<FILE_BASIC_INFO> {
        let mut found = self.ask::<FILE_BASIC_INFO>()?;
        found.FileAttributes = stand_in::attributes(self, found.FileAttributes);
        Ok(found)
    }

    /// `FILE_ATTRIBUTE_*`.
    pub(crate) fn attributes(self) -> io::Result<u32> {
        Ok(self.basic()?.FileAttributes)
    }

    /// The tag of the reparse point that it is, if it is one.
    pub(crate) fn tag(self) -> io::Result<Option<Tag>> {
        if let Some(&[a, b, c, d]) = stand_in::data(self).as_deref().and_then(|data| data.first_chunk()) {
            return Ok(Some(Tag(u32::from_le_bytes([a, b, c, d]))));
        }
        let found = match self.ask::<FILE_ATTRIBUTE_TAG_INFO>() {
            Ok(found) => found,
            // Not every file system can tell; what is no reparse point has no tag.
            Err(error) => {
                let plain = self.attributes()? & FILE_ATTRIBUTE_REPARSE_POINT == 0;
                return if plain { Ok(None) } else { Err(error) };
            }
        };
        Ok((found.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT != 0).then_some(Tag(found.ReparseTag)))
    }

    /// The identity: of 128 bits where the system has such (Windows 8), else of 64.
    pub(crate) fn id(self) -> io::Result<FileId> {
        if let Ok(id) = self.ask::<FILE_ID_INFO>() {
            let file = u128::from_le_bytes(id.FileId.Identifier);
            return Ok(FileId { volume: id.VolumeSerialNumber, file, born: 0 });
        }
        let found = self.by_handle()?;
        let file = u128::from(found.nFileIndexHigh) << 32 | u128::from(found.nFileIndexLow);
        Ok(FileId { volume: found.dwVolumeSerialNumber.into(), file, born: 0 })
    }

    fn by_handle(self) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
        let mut found = BY_HANDLE_FILE_INFORMATION::default();
        // SAFETY: the system fills the structure, which is plain numbers.
        let done = unsafe { GetFileInformationByHandle(self.0.as_raw_handle(), &raw mut found) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(found) }
    }

    /// What is to be compared later: enough to see whether it was touched since.
    pub(crate) fn stat(self) -> io::Result<Stat> {
        let metadata = self.metadata()?;
        let basic = self.basic()?;
        Ok(Stat {
            sort: match metadata.kind {
                FileKind::Directory => ObjectKind::Directory,
                FileKind::Link => ObjectKind::Symlink,
                _ => ObjectKind::File,
            },
            device: metadata.id.volume(),
            number: metadata.id.file,
            mode: basic.FileAttributes & SETTABLE,
            uid: 0,
            gid: 0,
            special: 0,
            names: u32::try_from(metadata.links).unwrap_or(u32::MAX),
            size: if metadata.kind == FileKind::Directory { 0 } else { metadata.size },
            allocated: metadata.allocated,
            accessed: since_1970(basic.LastAccessTime),
            modified: since_1970(basic.LastWriteTime),
            changed: since_1970(basic.ChangeTime),
        })
    }

    /// When it was made, last read, last written and last changed, in ticks.
    pub(crate) fn times(self) -> io::Result<[i64; 4]> {
        let basic = self.basic()?;
        Ok([basic.CreationTime, basic.LastAccessTime, basic.LastWriteTime, basic.ChangeTime])
    }

    pub(crate) fn metadata(self) -> io::Result<Metadata> {
        let (basic, standard) = (self.basic()?, self.ask::<Standard>()?);
        let tag = if basic.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 { None } else { self.tag()? };
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        Ok(Metadata {
            id: self.id()?,
            kind: kind_of(basic.FileAttributes, tag),
            // The system does not count 8.3 names.
            links: standard.links.into(),
            size: number(standard.size),
            allocated: number(standard.allocated),
            attributes: Attributes { uid: 0, gid: 0, modified: since_1970(basic.LastWriteTime) },
        })
    }
}

/// Read-only, hidden, system, archive, temporary, offline, not indexed: attributes that a user sets. The others say what
/// an object is and how its content is stored.
pub(crate) const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;

/// Whether a directory with this tag is entered like any other: one of a cloud and the like, which is no link. Tags 0 and
/// 1 are nobody's: Wine shows links of its host so.
pub(super) fn holds_entries(tag: Option<Tag>) -> bool {
    tag.is_none_or(|tag| tag.0 > 1 && !tag.is_name_surrogate())
}

/// Every reparse point is a link until its data has been looked at: the kinds are told apart there.
pub(super) fn kind_of(attributes: u32, tag: Option<Tag>) -> FileKind {
    if tag.is_some() {
        FileKind::Link
    } else if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        FileKind::Directory
    } else {
        FileKind::File
    }
}

/// From 1601 to 1970, in seconds.
const EPOCH: i64 = 11_644_473_600;
/// Windows counts in tenths of a microsecond.
const TICKS: i64 = 10_000_000;

fn since_1970(ticks: i64) -> (i64, u32) {
    let nanoseconds = u32::try_from(ticks.rem_euclid(TICKS) * 100).unwrap_or(0);
    (ticks.div_euclid(TICKS) - EPOCH, nanoseconds)
}

/// The opposite: ticks since 1601.
pub(crate) fn ticks((seconds, nanoseconds): (i64, u32)) -> i64 {
    seconds.saturating_add(EPOCH).saturating_mul(TICKS).saturating_add(i64::from(nanoseconds / 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_same_both_ways_also_before_1970() {
        for time in [(0, 0), (1_700_000_000, 123_456_700), (-1, 999_999_900), (-EPOCH, 0)] {
            assert_eq!(since_1970(ticks(time)), time);
        }
        assert_eq!(ticks((0, 0)), 116_444_736_000_000_000);
    }
}
