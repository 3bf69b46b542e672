//! The calls of `ntdll` that take an opened directory and a name in it, as `openat` does.
//!
//! A name is one component, taken to the letter: nothing is stripped from it, and no link on the way can be put there
//! meanwhile, as there is no way.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::{OsStr, OsString, c_void};
use std::io;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NO_INTERMEDIATE_BUFFERING, FILE_NON_DIRECTORY_FILE, FILE_OPEN,
    FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_IF, FILE_OPEN_REPARSE_POINT, FILE_SYNCHRONOUS_IO_NONALERT, NtCreateFile,
    NtQueryInformationFile, NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_NAME, ERROR_MORE_DATA, NTSTATUS, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, STATUS_BUFFER_OVERFLOW,
    STATUS_DELETE_PENDING, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_INFO_CLASS,
    STATUS_NOT_IMPLEMENTED, STATUS_NOT_SUPPORTED, STATUS_OBJECT_NAME_NOT_FOUND, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, SYNCHRONIZE,
};
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Ioctl::FSCTL_GET_REPARSE_POINT;

/// What is meant by a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Whatever is there; a link itself.
    Any,
    /// A directory; a link to one itself.
    Directory,
    /// Anything else.
    File,
}

/// A string as Windows takes it, without NUL.
pub(crate) fn to_units(text: &OsStr) -> Vec<u16> {
    text.encode_wide().collect()
}

/// A string as Windows takes it, with its NUL.
pub(crate) fn terminated(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// What stands before the NUL.
pub(super) fn until_nul(units: &[u16]) -> &[u16] {
    units.split(|unit| *unit == 0).next().unwrap_or_default()
}

/// One name of a directory. A colon would mean a stream of the file, a separator another directory.
fn component(name: &OsStr) -> io::Result<Vec<u16>> {
    let name = to_units(name);
    if name.iter().any(|unit| [0, b'\\'.into(), b'/'.into(), b':'.into()].contains(unit)) {
        return Err(code(ERROR_INVALID_NAME));
    }
    Ok(name)
}

/// Opens one name in a directory; the empty name is the directory itself. Links are not followed.
pub(crate) fn open(directory: BorrowedHandle<'_>, name: &OsStr, access: u32, sort: Sort) -> io::Result<OwnedHandle> {
    open_or_make(directory, name, access, FILE_OPEN, sort)
}

/// Makes an empty file or directory under a name that must be free.
pub(crate) fn create_new(
    directory: BorrowedHandle<'_>,
    name: &OsStr,
    access: u32,
    sort: Sort,
) -> io::Result<OwnedHandle> {
    open_or_make(directory, name, access, FILE_CREATE, sort)
}

/// Opens one name in a directory so that nobody may have it open to write, or to remove it, at the same time.
pub(crate) fn open_guarded(
    directory: BorrowedHandle<'_>,
    name: &OsStr,
    access: u32,
    sort: Sort,
    share: u32,
) -> io::Result<OwnedHandle> {
    request(directory, component(name)?, access, share, FILE_OPEN, sort, 0)
}

/// Opens a file so that what is read comes from the disk, and not from the system's memory: in whole pages, at whole pages.
pub(crate) fn open_uncached(directory: BorrowedHandle<'_>, name: &OsStr, access: u32) -> io::Result<OwnedHandle> {
    let options = FILE_NO_INTERMEDIATE_BUFFERING;
    request(directory, component(name)?, access, SHARE, FILE_OPEN, Sort::File, options)
}

/// Opens, or makes, a stream of an opened file or directory: `:name:$DATA`.
pub(crate) fn stream(of: BorrowedHandle<'_>, name: &OsStr, access: u32, make: bool) -> io::Result<OwnedHandle> {
    request(of, to_units(name), access, SHARE, if make { FILE_OPEN_IF } else { FILE_OPEN }, Sort::File, 0)
}

fn open_or_make(
    directory: BorrowedHandle<'_>,
    name: &OsStr,
    access: u32,
    disposition: u32,
    sort: Sort,
) -> io::Result<OwnedHandle> {
    request(directory, component(name)?, access, SHARE, disposition, sort, 0)
}

/// With whom what is opened is shared: with everybody.
const SHARE: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

fn request(
    directory: BorrowedHandle<'_>,
    mut name: Vec<u16>,
    access: u32,
    share: u32,
    disposition: u32,
    sort: Sort,
    more: u32,
) -> io::Result<OwnedHandle> {
    let bytes = u16::try_from(name.len() * 2).map_err(|_| code(ERROR_INVALID_NAME))?;
    let text = UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: name.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        // The size of a structure of a few words.
        Length: size_of::<OBJECT_ATTRIBUTES>().try_into().unwrap_or_default(),
        RootDirectory: directory.as_raw_handle(),
        ObjectName: &raw const text,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: ptr::null(),
        SecurityQualityOfService: ptr::null(),
    };
    let kind = match sort {
        Sort::Any => 0,
        Sort::Directory => FILE_DIRECTORY_FILE,
        Sort::File => FILE_NON_DIRECTORY_FILE,
    };
    let options = more | kind | FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT | FILE_SYNCHRONOUS_IO_NONALERT;
    let (mut handle, mut status) = (ptr::null_mut(), IO_STATUS_BLOCK::default());
    // SAFETY: `attributes` points to `text`, and that to `name`; all three, and the two results, outlive the call.
    // The root is borrowed, so it is open. No extended attributes are passed.
    let answer = unsafe {
        NtCreateFile(
            &raw mut handle,
            access | SYNCHRONIZE,
            &raw const attributes,
            &raw mut status,
            ptr::null(),
            FILE_ATTRIBUTE_NORMAL,
            share,
            disposition,
            options,
            ptr::null(),
            0,
        )
    };
    succeeded(answer)?;
    // SAFETY: the call succeeded, so the handle is open and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A name, as structures of the system have it.
pub(crate) fn utf16(bytes: &[u8]) -> OsString {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
    OsString::from_wide(&units)
}

/// Information of a class, however long that is. `None` where the system, or the file system, knows none.
pub(crate) fn information(handle: BorrowedHandle<'_>, class: i32) -> io::Result<Option<Vec<u8>>> {
    let mut room = 1024_usize;
    loop {
        let mut words = vec![0_u64; room / 8];
        let mut status = IO_STATUS_BLOCK::default();
        let length = u32::try_from(room).map_err(|_| code(ERROR_INVALID_NAME))?;
        // SAFETY: the system writes at most `length` bytes to `words`, which has as many, and to `status`.
        let answer = unsafe {
            NtQueryInformationFile(handle.as_raw_handle(), &raw mut status, words.as_mut_ptr().cast(), length, class)
        };
        match answer {
            STATUS_BUFFER_OVERFLOW | STATUS_INFO_LENGTH_MISMATCH if room < 1 << 24 => room *= 4,
            STATUS_INVALID_INFO_CLASS
            | STATUS_NOT_IMPLEMENTED
            | STATUS_NOT_SUPPORTED
            | STATUS_INVALID_DEVICE_REQUEST
            | STATUS_OBJECT_NAME_NOT_FOUND => return Ok(None),
            answer => {
                succeeded(answer)?;
                let bytes = words.iter().flat_map(|word| word.to_ne_bytes());
                return Ok(Some(bytes.take(status.Information).collect()));
            }
        }
    }
}

/// Bytes in words of 64 bits, as structures begin that the system reads and insists on the alignment of.
pub(crate) fn aligned(data: &[u8]) -> Vec<u64> {
    let word = |bytes: &[u8]| {
        let mut whole = [0; 8];
        whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        u64::from_ne_bytes(whole)
    };
    data.chunks(8).map(word).collect()
}

/// Sets information of a class on an opened object.
pub(crate) fn set_information(handle: BorrowedHandle<'_>, class: i32, data: &[u8]) -> io::Result<()> {
    let mut status = IO_STATUS_BLOCK::default();
    let length = u32::try_from(data.len()).map_err(|_| code(ERROR_INVALID_NAME))?;
    let words = aligned(data);
    // SAFETY: the system reads `length` bytes of `words`, which has no fewer, and writes to `status`; both outlive
    // the call. What the bytes mean is the system's to check.
    let answer = unsafe {
        let status = &raw mut status;
        NtSetInformationFile(handle.as_raw_handle(), status, words.as_ptr().cast(), length, class)
    };
    succeeded(answer)
}

/// Data for renaming or linking (`FILE_RENAME_INFORMATION`, `FILE_LINK_INFORMATION`): flags, directory, name.
pub(crate) fn within(directory: BorrowedHandle<'_>, name: &OsStr, flags: u32) -> io::Result<Vec<u8>> {
    renaming(directory.as_raw_handle() as usize, name, flags)
}

/// Data for renaming to a full path, where no directory can be named by its handle.
pub(crate) fn full(path: &std::path::Path) -> io::Result<Vec<u8>> {
    let mut units = super::path::verbatim(path)?;
    units.pop();
    // `\\?\` of Win32 is `\??\` of the kernel.
    if let Some(second) = units.get_mut(1) {
        *second = b'?'.into();
    }
    Ok(renaming_to(0, &units, 0))
}

fn renaming(directory: usize, name: &OsStr, flags: u32) -> io::Result<Vec<u8>> {
    let name = component(name)?;
    if name.is_empty() {
        return Err(code(ERROR_INVALID_NAME));
    }
    Ok(renaming_to(directory, &name, flags))
}

fn renaming_to(directory: usize, name: &[u16], flags: u32) -> Vec<u8> {
    // Paths have 32,767 units at most.
    let length = u32::try_from(name.len() * 2).unwrap_or(u32::MAX);
    // The handle is aligned to its own size behind the flags.
    let mut data = Vec::with_capacity(2 * size_of::<usize>() + 4 + name.len() * 2);
    data.extend(flags.to_ne_bytes());
    data.resize(size_of::<usize>(), 0);
    data.extend(directory.to_ne_bytes());
    data.extend(length.to_ne_bytes());
    data.extend(name.iter().flat_map(|unit| unit.to_ne_bytes()));
    // The structure ends in one unit of the name and padding: shorter data is refused.
    let least = (2 * size_of::<usize>() + 6).next_multiple_of(size_of::<usize>());
    if data.len() < least {
        data.resize(least, 0);
    }
    data
}

/// The reparse data of an opened object, header included.
pub(super) fn reparse_data(handle: BorrowedHandle<'_>) -> io::Result<Vec<u8>> {
    if let Some(data) = super::stand_in::data(super::Object(handle)) {
        return Ok(data);
    }
    send(handle, FSCTL_GET_REPARSE_POINT, &[], reparse::MAX_TOTAL)
}

/// Sends a control code that changes something.
pub(crate) fn control(handle: BorrowedHandle<'_>, request: u32, input: &[u8]) -> io::Result<()> {
    send(handle, request, input, 0).map(drop)
}

/// Sends a control code with `input`, and gives what came back.
pub(crate) fn send(handle: BorrowedHandle<'_>, request: u32, input: &[u8], room: usize) -> io::Result<Vec<u8>> {
    let mut output = vec![0_u8; room];
    let lengths = (u32::try_from(input.len()), u32::try_from(room));
    let (Ok(input_length), Ok(room)) = lengths else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut written = 0_u32;
    // SAFETY: the system reads at most `input_length` bytes of `input` and writes at most `room` bytes to `output`,
    // which are as long, and outlive the call: it is synchronous, as the handle was opened so.
    let done = unsafe {
        DeviceIoControl(
            handle.as_raw_handle(),
            request,
            if input.is_empty() { ptr::null() } else { input.as_ptr().cast::<c_void>() },
            input_length,
            if room == 0 { ptr::null_mut() } else { output.as_mut_ptr().cast::<c_void>() },
            room,
            &raw mut written,
            ptr::null_mut(),
        )
    };
    if done == 0 {
        let error = io::Error::last_os_error();
        // What had room is there, and whoever asks for a list asks for the rest behind it.
        if number(&error) != Some(ERROR_MORE_DATA) || written == 0 {
            return Err(error);
        }
    }
    output.truncate(written.try_into().unwrap_or(usize::MAX));
    Ok(output)
}

pub(crate) fn succeeded(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // Deleted already, and kept by somebody who has it open: to everybody else, it is gone.
    if status == STATUS_DELETE_PENDING {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it is being deleted"));
    }
    // SAFETY: the call reads nothing but its number.
    Err(code(unsafe { RtlNtStatusToDosError(status) }))
}

/// The system's number of an error.
pub(crate) fn number(error: &io::Error) -> Option<u32> {
    error.raw_os_error().map(i32::cast_unsigned)
}

/// Whether an error of the system has one of these numbers.
pub(crate) fn is_any(error: &io::Error, numbers: &[u32]) -> bool {
    number(error).is_some_and(|number| numbers.contains(&number))
}

/// An error of the system by its number.
pub(super) fn code(number: u32) -> io::Error {
    io::Error::from_raw_os_error(i32::from_ne_bytes(number.to_ne_bytes()))
}
