//! The bytes of files, and of their other streams: copied, and compared.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::windows::fs::FileExt as _;
use std::os::windows::io::{AsHandle as _, BorrowedHandle, OwnedHandle};

use windows_sys::Wdk::Storage::FileSystem::{FileEndOfFileInformation, FileStreamInformation};
use windows_sys::Win32::Foundation::{ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED};
use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_SPARSE_FILE, FILE_READ_DATA, FILE_WRITE_DATA};
use windows_sys::Win32::System::Ioctl::{FSCTL_QUERY_ALLOCATED_RANGES, FSCTL_SET_SPARSE};

use super::super::super::tree_types::{Buffers, CHANGED, at_end, first};
use crate::platform::{information, is_any, send, set_information, stream, utf16};
use crate::step::Work;

const BUFFER: usize = 1 << 20;
const PAGE: usize = 4096;

/// The part of a buffer that begins with a page, and has `BUFFER` bytes.
fn whole_pages(buffer: &mut Vec<u8>) -> &mut [u8] {
    buffer.resize(BUFFER + PAGE, 0);
    let start = buffer.as_ptr().align_offset(PAGE);
    buffer.get_mut(start..start + BUFFER).unwrap_or_default()
}

/// Copies all that an opened file holds to another one, which is empty.
pub(super) fn copy(
    from: &OwnedHandle,
    to: &OwnedHandle,
    size: u64,
    attributes: u32,
    buffer: &mut Vec<u8>,
    work: Work<'_>,
) -> io::Result<()> {
    let (source, target) = (file(from)?, file(to)?);
    if attributes & FILE_ATTRIBUTE_SPARSE_FILE == 0 {
        copy_range(&source, &target, (0, size), buffer, work)?;
    } else {
        send(to.as_handle(), FSCTL_SET_SPARSE, &[], 0)?;
        set_information(to.as_handle(), FileEndOfFileInformation, &size.to_ne_bytes())?;
        for (start, length) in ranges(from.as_handle(), size)? {
            copy_range(&source, &target, (start, start.saturating_add(length).min(size)), buffer, work)?;
        }
    }
    Ok(())
}

/// Copies the other streams of a file or directory.
pub(super) fn copy_streams(
    from: BorrowedHandle<'_>,
    to: BorrowedHandle<'_>,
    buffer: &mut Vec<u8>,
    work: Work<'_>,
) -> io::Result<()> {
    for (name, size) in streams(from)? {
        let source = File::from(stream(from, &name, FILE_READ_DATA, false)?);
        let target = File::from(stream(to, &name, FILE_WRITE_DATA, true)?);
        copy_range(&source, &target, (0, size), buffer, work)?;
        target.sync_all()?;
    }
    Ok(())
}

/// Compares the other streams of two files or directories; what they hold where there are buffers for it.
pub(super) fn same_streams(
    from: BorrowedHandle<'_>,
    to: BorrowedHandle<'_>,
    buffers: Option<&mut Buffers>,
    work: Work<'_>,
) -> io::Result<()> {
    let (wanted, found) = (streams(from)?, streams(to)?);
    if wanted != found {
        return Err(io::Error::other("it has other streams"));
    }
    let Some(buffers) = buffers else { return Ok(()) };
    for (name, _) in wanted {
        let open = |of| stream(of, &name, FILE_READ_DATA, false).map(File::from);
        same(&open(from)?, &open(to)?, buffers, work)?;
    }
    Ok(())
}

/// An opened object as a file.
pub(super) fn file(of: &OwnedHandle) -> io::Result<File> {
    of.try_clone().map(File::from)
}

fn copy_range(
    mut from: &File,
    mut to: &File,
    (start, end): (u64, u64),
    buffer: &mut Vec<u8>,
    work: Work<'_>,
) -> io::Result<()> {
    from.seek(SeekFrom::Start(start))?;
    to.seek(SeekFrom::Start(start))?;
    let mut at = start;
    while at < end {
        work.must_go_on()?;
        let piece = first(buffer, (BUFFER as u64).min(end - at));
        from.read_exact(piece).map_err(at_end(CHANGED))?;
        to.write_all(piece)?;
        work.add_bytes(piece.len() as u64);
        at += piece.len() as u64;
    }
    Ok(())
}

/// Compares all that two files hold.
pub(super) fn same(from: &File, to: &File, (a, b): &mut Buffers, work: Work<'_>) -> io::Result<()> {
    // What is not read from memory goes to whole pages.
    let (a, b) = (whole_pages(a), whole_pages(b));
    let fill = |file: &File, buffer: &mut [u8], at: u64| -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.seek_read(rest, at + done as u64)? {
                0 => break,
                count => done += count,
            }
            // Only the end is read in part.
            if done % PAGE != 0 {
                break;
            }
        }
        Ok(done)
    };
    let mut at = 0;
    loop {
        work.must_go_on()?;
        let (one, two) = (fill(from, a, at)?, fill(to, b, at)?);
        if one != two || a.get(..one) != b.get(..two) {
            return Err(io::Error::other("its content is not that of the original"));
        }
        work.add_checked(one as u64);
        if one < BUFFER {
            return Ok(());
        }
        at += one as u64;
    }
}

/// The streams of an opened object besides its content, with their sizes (`FILE_STREAM_INFORMATION`).
fn streams(of: BorrowedHandle<'_>) -> io::Result<Vec<(OsString, u64)>> {
    let Some(told) = information(of, FileStreamInformation)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries(&told) {
        let length = usize::try_from(field(entry, 4)).unwrap_or(0);
        let size = u64::from(field(entry, 8)) | u64::from(field(entry, 12)) << 32;
        let name = utf16(entry.get(24..24 + length).unwrap_or_default());
        if !name.is_empty() && name != OsStr::new("::$DATA") {
            found.push((name, size));
        }
    }
    found.sort();
    Ok(found)
}

/// The entries of a list that the system passed: each begins with the way to the next, which is zero in the last.
pub(super) fn entries(list: &[u8]) -> Vec<&[u8]> {
    let (mut all, mut rest) = (Vec::new(), list);
    loop {
        let next = usize::try_from(field(rest, 0)).unwrap_or(0);
        match rest.split_at_checked(next).filter(|_| next > 0) {
            Some((entry, more)) => {
                all.push(entry);
                rest = more;
            }
            None => {
                all.push(rest);
                return all;
            }
        }
    }
}

/// A number in a structure; zero where that ends before.
fn field(of: &[u8], at: usize) -> u32 {
    of.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Where a sparse file has data, as offset and length (`FILE_ALLOCATED_RANGE_BUFFER`).
fn ranges(of: BorrowedHandle<'_>, size: u64) -> io::Result<Vec<(u64, u64)>> {
    /// As many as are asked for at a time.
    const MOST: usize = 4096;
    let mut all = Vec::new();
    let mut at = 0_u64;
    while at < size {
        let asked: Vec<u8> = [at, size - at].iter().flat_map(|number| number.to_ne_bytes()).collect();
        // More of them than have room are asked for again, from behind the last.
        let told = match send(of, FSCTL_QUERY_ALLOCATED_RANGES, &asked, 16 * MOST) {
            // Who cannot tell has data everywhere.
            Err(error) if all.is_empty() && is_any(&error, &[ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED]) => {
                return Ok(vec![(0, size)]);
            }
            told => told?,
        };
        let count = told.len() / 16;
        let (ranges, _) = told.as_chunks::<8>();
        let ranges = ranges.chunks_exact(2);
        all.extend(ranges.map(|range| (u64::from_ne_bytes(range[0]), u64::from_ne_bytes(range[1]))));
        match all.last() {
            Some(&(start, length)) if count == MOST => at = start.saturating_add(length),
            _ => break,
        }
    }
    Ok(all)
}
