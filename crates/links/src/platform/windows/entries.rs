//! The entries of a directory, with attributes, number and reparse tag, many in one call.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};

use reparse::Tag;
use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_FILE_NOT_FOUND, ERROR_INVALID_FUNCTION, ERROR_INVALID_LEVEL,
    ERROR_INVALID_PARAMETER, ERROR_NO_MORE_FILES, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FileIdBothDirectoryInfo, FileIdBothDirectoryRestartInfo,
    FileIdExtdDirectoryInfo, FileIdExtdDirectoryRestartInfo, GetFileInformationByHandleEx,
};

use super::nt::number;
use super::query::{holds_entries, kind_of};
use crate::model::FileKind;

/// Memory for [`super::Directory::read`], to be used again and again. Words, as the system insists on alignment.
pub(crate) struct ReadBuffer(Vec<u64>);

impl ReadBuffer {
    pub(crate) fn new() -> Self {
        // 64 KiB is the most that a network passes in one piece.
        Self(vec![0; 8 * 1024])
    }

    /// What stands in for one that is lent: nothing can be read with it.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: words are bytes without padding; length and lifetime are those of the words.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<u8>(), self.0.len() * 8) }
    }
}

/// How the system lays out what it tells of an entry (MS-FSCC 2.4.17, 2.4.18).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `FILE_ID_EXTD_DIR_INFO`, since Windows 8: numbers of 128 bits, the tag in a field of its own.
    Extended,
    /// `FILE_ID_BOTH_DIR_INFO`: numbers of 64 bits, the tag in place of the size of extended attributes.
    Both,
}

pub(super) struct Found {
    pub(super) name: OsString,
    pub(super) kind: FileKind,
    /// Whether it is a directory that is read like any other, although it may be a reparse point.
    pub(super) is_entered: bool,
    pub(super) number: u128,
}

/// Reads a directory from its beginning.
pub(super) struct Reader<'a> {
    handle: BorrowedHandle<'a>,
    buffer: &'a mut ReadBuffer,
    layout: Layout,
    begun: bool,
    /// Where the next entry in the buffer begins.
    at: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(handle: BorrowedHandle<'a>, buffer: &'a mut ReadBuffer) -> Self {
        Self { handle, buffer, layout: Layout::Extended, begun: false, at: None }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            let Some(at) = self.at else {
                if !self.fill()? {
                    return Ok(None);
                }
                self.at = Some(0);
                continue;
            };
            let broken = || io::Error::other("the system told of an entry beyond its own answer");
            let entry = self.buffer.bytes().get(at..).ok_or_else(broken)?;
            let next = number_at(entry, 0, 4).ok_or_else(broken)?;
            let next = usize::try_from(next).map_err(|_| broken())?;
            self.at = if next == 0 { None } else { Some(at + next) };
            let found = decode(entry, self.layout).ok_or_else(broken)?;
            if found.name != "." && found.name != ".." {
                return Ok(Some(found));
            }
        }
    }

    /// Asks for the next entries. False at the end.
    fn fill(&mut self) -> io::Result<bool> {
        loop {
            let class = match (self.layout, self.begun) {
                (Layout::Extended, false) => FileIdExtdDirectoryRestartInfo,
                (Layout::Extended, true) => FileIdExtdDirectoryInfo,
                (Layout::Both, false) => FileIdBothDirectoryRestartInfo,
                (Layout::Both, true) => FileIdBothDirectoryInfo,
            };
            let length = u32::try_from(self.buffer.0.len() * 8).unwrap_or(0);
            // SAFETY: the system writes at most `length` bytes to the buffer, which has as many, aligned to 8.
            let done = unsafe {
                let room = self.buffer.0.as_mut_ptr().cast();
                GetFileInformationByHandleEx(self.handle.as_raw_handle(), class, room, length)
            };
            if done != 0 {
                self.begun = true;
                return Ok(true);
            }
            let error = io::Error::last_os_error();
            match number(&error) {
                Some(ERROR_NO_MORE_FILES) => return Ok(false),
                // The root of an empty volume.
                Some(ERROR_FILE_NOT_FOUND) if !self.begun => return Ok(false),
                // An older system, or a file system that has only the older form.
                Some(
                    ERROR_INVALID_PARAMETER
                    | ERROR_NOT_SUPPORTED
                    | ERROR_INVALID_FUNCTION
                    | ERROR_INVALID_LEVEL
                    | ERROR_CALL_NOT_IMPLEMENTED,
                ) if self.layout == Layout::Extended && !self.begun => self.layout = Layout::Both,
                _ => return Err(error),
            }
        }
    }
}

fn decode(entry: &[u8], layout: Layout) -> Option<Found> {
    let (tag_at, number_at_, width, name_at): (usize, usize, usize, usize) = match layout {
        Layout::Extended => (68, 72, 16, 88),
        Layout::Both => (64, 96, 8, 104),
    };
    let attributes = u32::try_from(number_at(entry, 56, 4)?).ok()?;
    let length = usize::try_from(number_at(entry, 60, 4)?).ok()?;
    let tag = u32::try_from(number_at(entry, tag_at, 4)?).ok()?;
    let tag = (attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0).then_some(Tag(tag));
    let name = entry.get(name_at..name_at.checked_add(length)?)?;
    let units: Vec<u16> = name.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
    Some(Found {
        name: OsString::from_wide(&units),
        kind: kind_of(attributes, tag),
        is_entered: attributes & FILE_ATTRIBUTE_DIRECTORY != 0 && holds_entries(tag),
        number: number_at(entry, number_at_, width)?,
    })
}

/// A little-endian number of some bytes.
fn number_at(entry: &[u8], at: usize, width: usize) -> Option<u128> {
    let mut whole = [0; 16];
    let bytes = entry.get(at..at + width)?;
    whole.get_mut(..width)?.copy_from_slice(bytes);
    Some(u128::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry(layout: Layout, attributes: u32, tag: u32, number: u128, name: &str) -> Vec<u8> {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_ne_bytes).collect();
        let mut bytes = vec![0; if layout == Layout::Extended { 88 } else { 104 }];
        bytes[56..60].copy_from_slice(&attributes.to_le_bytes());
        bytes[60..64].copy_from_slice(&u32::try_from(units.len()).unwrap().to_le_bytes());
        let (tag_at, number_at, width) = if layout == Layout::Extended { (68, 72, 16) } else { (64, 96, 8) };
        bytes[tag_at..tag_at + 4].copy_from_slice(&tag.to_le_bytes());
        bytes[number_at..number_at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        bytes.extend(units);
        bytes
    }

    #[test]
    fn links_are_told_from_directories_by_what_the_directory_says_in_both_layouts() {
        const CLOUD: u32 = 0x9000_001a;
        for layout in [Layout::Extended, Layout::Both] {
            for (attributes, tag, kind, is_entered) in [
                (0x20, 0, FileKind::File, false),
                (0x10, 0, FileKind::Directory, true),
                // Without the attribute the field holds the size of extended attributes.
                (0x10, 0xa000_0003, FileKind::Directory, true),
                (0x410, 0xa000_0003, FileKind::Link, false),
                (0x400, 0xa000_000c, FileKind::Link, false),
                (0x410, CLOUD, FileKind::Link, true),
                (0x400, CLOUD, FileKind::Link, false),
                (0x410, 0, FileKind::Link, false),
            ] {
                let found = decode(&entry(layout, attributes, tag, 77, "näme"), layout).unwrap();
                let got = (found.kind, found.is_entered, found.number, found.name.to_str());
                assert_eq!(got, (kind, is_entered, 77, Some("näme")), "{attributes:x} {tag:x}");
            }
            let short = entry(layout, 0x10, 0, 1, "abc");
            assert!(decode(&short[..short.len() - 1], layout).is_none());
        }
    }
}
