//! What belongs to an object besides its content.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, BorrowedHandle, OwnedHandle};
use std::ptr;

use windows_sys::Wdk::Storage::FileSystem::{FileShortNameInformation, NtQueryEaFile, NtSetEaFile};
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
    STATUS_EAS_NOT_SUPPORTED, STATUS_INVALID_DEVICE_REQUEST, STATUS_NO_EAS_ON_FILE, STATUS_NOT_IMPLEMENTED,
    STATUS_NOT_SUPPORTED, STATUS_SUCCESS,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, LABEL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    SetKernelObjectSecurity,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_READ_ATTRIBUTES, FILE_READ_EA, FILE_WRITE_ATTRIBUTES, FILE_WRITE_EA, READ_CONTROL, WRITE_DAC,
    WRITE_OWNER,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Ioctl::{FSCTL_GET_OBJECT_ID, FSCTL_SET_OBJECT_ID};

use super::super::super::tree_types::{IsLost, Losses};
use super::super::entry::set_basic;
use super::content::entries;
use super::{Root, open_at};
use crate::model::NtfsMetadata;
use crate::platform::{
    Directory, Held, Object, SETTABLE, Sort, aligned, alternate_name, enable_privilege, is_any, open, security, send,
    set_information,
};

/// What is needed of an original, and of a copy.
pub(super) const READ: u32 = FILE_READ_ATTRIBUTES | FILE_READ_EA | READ_CONTROL;
pub(super) const WRITE: u32 = READ | FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA | WRITE_DAC | WRITE_OWNER;

const OWNER: u32 = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION;

/// What an administrator may do and has to wake first: read all, write all, give files to others.
pub(in super::super) fn wake() {
    for privilege in ["SeBackupPrivilege", "SeRestorePrivilege"] {
        enable_privilege(privilege);
    }
}

/// Gives an opened copy everything but its content.
pub(super) fn give(from: &OwnedHandle, to: &OwnedHandle, lost: Losses<'_>) -> io::Result<()> {
    let (source, copy) = (from.as_handle(), to.as_handle());
    if let Some(wanted) = extended(source)?
        && set_extended(copy, &wanted).is_err()
    {
        lost("extended attributes".to_owned());
    }
    if let Some(wanted) = object_id(source)?
        && object_id(copy)?.as_ref() != Some(&wanted)
        && send(copy, FSCTL_SET_OBJECT_ID, &wanted, 0).is_err()
    {
        lost("object id".to_owned());
    }
    let short = alternate_name(source)?;
    if !short.is_empty() && alternate_name(copy)? != short && give_short_name(copy, &short).is_err() {
        lost("short name".to_owned());
    }
    for (what, name) in [(OWNER, "owner"), (LABEL_SECURITY_INFORMATION, "integrity label")] {
        let wanted = security(source, what)?;
        if !same_rest(&wanted, &security(copy, what)?) {
            let given = set_security(copy, what, &wanted);
            if given.is_err() || !same_rest(&wanted, &security(copy, what)?) {
                lost(name.to_owned());
            }
        }
    }
    // Also where it is the same already: it may be inherited here from what is not above it there.
    let wanted = security(source, DACL_SECURITY_INFORMATION)?;
    let given = set_security(copy, DACL_SECURITY_INFORMATION, &wanted);
    if given.is_err() || !same_list(&security(copy, DACL_SECURITY_INFORMATION)?, &wanted) {
        lost("access list".to_owned());
    }
    // Last: what was set before changed the times.
    let attributes = Object::of(from).attributes()? & SETTABLE;
    let [created, accessed, written, _] = Object::of(from).times()?;
    // The time of change stays: it tells whether somebody touched the copy since.
    set_basic(to, [created, accessed, written, 0], if attributes == 0 { NORMAL } else { attributes })
}

/// `FILE_ATTRIBUTE_NORMAL`: none; zero would leave them as they are.
const NORMAL: u32 = 0x80;

/// What a copy has that is another than its original's, if anything; what was told to be lost is not asked for.
pub(super) fn differs(from: &OwnedHandle, to: &OwnedHandle, is_lost: IsLost<'_>) -> io::Result<Option<&'static str>> {
    let (source, copy) = (from.as_handle(), to.as_handle());
    let same = |what, same: fn(&[u8], &[u8]) -> bool| Ok(same(&security(source, what)?, &security(copy, what)?));
    let created = |of: &OwnedHandle| Object::of(of).times().map(|[created, ..]| created);
    let parts: [(&str, &dyn Fn() -> io::Result<bool>); 6] = [
        ("extended attributes", &|| Ok(extended(source)? == extended(copy)?)),
        ("object id", &|| Ok(object_id(source)? == object_id(copy)?)),
        ("owner", &|| same(OWNER, same_rest)),
        ("integrity label", &|| same(LABEL_SECURITY_INFORMATION, same_rest)),
        ("access list", &|| same(DACL_SECURITY_INFORMATION, same_list)),
        ("time of creation", &|| Ok(created(from)? == created(to)?)),
    ];
    for (name, is_same) in parts {
        if !is_lost(name) && !is_same()? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Gives a held link what NTFS kept of another, but for its short name: what this user may.
pub(crate) fn set_ntfs_metadata(held: &Held, wanted: &NtfsMetadata) -> io::Result<()> {
    wake();
    let open = |access| open(held.as_handle(), OsStr::new(""), access, Sort::Any);
    let full = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | READ_CONTROL | WRITE_DAC | WRITE_OWNER;
    let opened = open(full).or_else(|_| open(full & !WRITE_OWNER));
    let opened = opened.or_else(|_| open(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES))?;
    let mut denied = None;
    if !wanted.security.is_empty() {
        for what in [OWNER, LABEL_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION] {
            let now = security(opened.as_handle(), what).unwrap_or_default();
            let given = set_security(opened.as_handle(), what, &wanted.security);
            // What it has already need not be given.
            let kept = what != DACL_SECURITY_INFORMATION || same_list(&now, &wanted.security);
            denied = denied.or(given.err().filter(|_| !kept));
        }
    }
    let attributes = if wanted.attributes == 0 { NORMAL } else { wanted.attributes };
    set_basic(&opened, [wanted.created, 0, 0, 0], attributes)?;
    denied.map_or(Ok(()), Err)
}

/// Gives a name its 8.3 name, unless the system gave it that.
pub(crate) fn set_short_name(directory: &Directory, name: &OsStr, short: &OsStr) -> io::Result<()> {
    wake();
    let opened = open(directory.as_handle(), name, DELETE | FILE_READ_ATTRIBUTES, Sort::Any)?;
    keep_short_name(opened.as_handle(), short)
}

/// The same for an opened object.
pub(in super::super) fn keep_short_name(opened: BorrowedHandle<'_>, short: &OsStr) -> io::Result<()> {
    if alternate_name(opened)? == short { Ok(()) } else { give_short_name(opened, short) }
}

/// Gives a link what belongs to another one beside it, as far as this user may.
pub(crate) fn give_link(directory: &Directory, from: &OsStr, to: &OsStr) -> io::Result<()> {
    wake();
    let root = |name| Root { parent: directory, name };
    let source = open_at(root(from), READ, Sort::Any)?;
    let copy = match open_at(root(to), WRITE | DELETE, Sort::Any) {
        // Whoever may change what is here need not be who may give it other rights.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_at(root(to), READ | FILE_WRITE_ATTRIBUTES, Sort::Any)?
        }
        opened => opened?,
    };
    give(&source, &copy, &mut |_| {})
}

/// Lets nobody but owner, system and administrators into an opened directory.
pub(super) fn make_private(directory: BorrowedHandle<'_>) -> io::Result<()> {
    // A self-relative descriptor (MS-DTYP 2.4.6) with a protected list of three entries, which what is made in the directory
    // inherits.
    const PARTS: [&[u8]; 5] = [
        // Revision; self-relative, with a protected list; no owner, group or audit; the list is at 20.
        &[1, 0, 0x04, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0],
        // The list: revision, 72 bytes, three entries.
        &[2, 0, 72, 0, 3, 0, 0, 0],
        // Allowed; inherited by objects and containers; 20 bytes; all rights (0x001f01ff); OWNER RIGHTS (S-1-3-4).
        &[0, 3, 20, 0, 0xff, 0x01, 0x1f, 0, 1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0],
        // The same for SYSTEM (S-1-5-18) and for Administrators (S-1-5-32-544).
        &[0, 3, 20, 0, 0xff, 0x01, 0x1f, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0],
        &[0, 3, 24, 0, 0xff, 0x01, 0x1f, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0],
    ];
    set_security(directory, DACL_SECURITY_INFORMATION, &PARTS.concat())
}

fn set_security(of: BorrowedHandle<'_>, what: u32, descriptor: &[u8]) -> io::Result<()> {
    let mut bytes = descriptor.to_vec();
    // No descriptor is shorter than its header, nor one that says nothing.
    bytes.resize(bytes.len().max(20), 0);
    // That the list was inherited (SE_DACL_AUTO_INHERITED) is kept only if that is asked for (SE_DACL_AUTO_INHERIT_REQ): 0x0400
    // and 0x0100 of the two bytes behind the first two.
    if let Some(control) = bytes.get_mut(3).filter(|control| **control & 0x04 != 0) {
        *control |= 0x01;
    }
    let mut words = aligned(&bytes);
    // SAFETY: the descriptor is whole, as the system gave it or as it was made here, aligned, and outlives the call.
    let done = unsafe { SetKernelObjectSecurity(of.as_raw_handle(), what, words.as_mut_ptr().cast()) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether two descriptors hold the same access list: the entries, and whether what is above takes part.
fn same_list(one: &[u8], other: &[u8]) -> bool {
    let parts = |descriptor: &[u8]| -> Option<(u16, Vec<u8>)> {
        let control = u16::from_le_bytes(descriptor.get(2..4)?.try_into().ok()?);
        let at = u32::from_le_bytes(descriptor.get(16..20)?.try_into().ok()?);
        // SE_DACL_PRESENT, SE_DACL_AUTO_INHERITED, SE_DACL_PROTECTED.
        let control = control & (0x0004 | 0x0400 | 0x1000);
        let list = if at == 0 { &[] } else { descriptor.get(usize::try_from(at).ok()?..)? };
        let size =
            list.get(2..4).map_or(0, |size| size.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
        Some((control, list.get(..size)?.to_vec()))
    };
    parts(one) == parts(other)
}

/// Whether two descriptors say the same, but for how they came to say it.
fn same_rest(one: &[u8], other: &[u8]) -> bool {
    one.get(4..) == other.get(4..)
}

/// The extended attributes of an opened object, as the system passes them, without those that it keeps for itself.
fn extended(of: BorrowedHandle<'_>) -> io::Result<Option<Vec<u8>>> {
    // All of them have room in 64 KiB (MS-FSCC 2.4.15).
    let mut words = vec![0_u32; 16 << 10];
    let mut status = IO_STATUS_BLOCK::default();
    let length = u32::try_from(words.len() * 4).unwrap_or(0);
    // SAFETY: the system writes at most `length` bytes to `words`, which has as many, and to `status`. No list of names is
    // passed: all are asked for, from the first.
    let answer = unsafe {
        NtQueryEaFile(
            of.as_raw_handle(),
            &raw mut status,
            words.as_mut_ptr().cast(),
            length,
            false,
            ptr::null(),
            0,
            ptr::null(),
            true,
        )
    };
    match answer {
        STATUS_SUCCESS => {}
        STATUS_NO_EAS_ON_FILE
        | STATUS_EAS_NOT_SUPPORTED
        | STATUS_NOT_SUPPORTED
        | STATUS_NOT_IMPLEMENTED
        | STATUS_INVALID_DEVICE_REQUEST => return Ok(None),
        answer => crate::platform::succeeded(answer)?,
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).take(status.Information).collect();
    let kept = without_kernels(&bytes);
    Ok((!kept.is_empty()).then_some(kept))
}

/// What is left of a list (`FILE_FULL_EA_INFORMATION`) without what the kernel keeps for itself, which it lets nobody set and
/// which is of no use on another volume.
fn without_kernels(list: &[u8]) -> Vec<u8> {
    let mut entries = entries(list);
    entries.retain(|entry| {
        let length = usize::from(entry.get(5).copied().unwrap_or(0));
        let name: &[u8] = entry.get(8..8 + length).unwrap_or_default();
        !name.is_empty() && !name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"$KERNEL."))
    });
    let mut entries: Vec<Vec<u8>> = entries.into_iter().map(<[u8]>::to_vec).collect();
    let last = entries.len().saturating_sub(1);
    for (index, entry) in entries.iter_mut().enumerate() {
        entry.resize(entry.len().next_multiple_of(4), 0);
        let next = if index == last { 0 } else { u32::try_from(entry.len()).unwrap_or(0) };
        entry.splice(..4, next.to_le_bytes());
    }
    entries.concat()
}

fn set_extended(of: BorrowedHandle<'_>, data: &[u8]) -> io::Result<()> {
    let words = aligned(data);
    let mut status = IO_STATUS_BLOCK::default();
    let length = u32::try_from(data.len()).unwrap_or(0);
    // SAFETY: the system reads `length` bytes of `words`, which has no fewer, and writes to `status`.
    let answer = unsafe { NtSetEaFile(of.as_raw_handle(), &raw mut status, words.as_ptr().cast(), length) };
    crate::platform::succeeded(answer)
}

/// The identity that programs give a file to find it again, with what it was born with.
fn object_id(of: BorrowedHandle<'_>) -> io::Result<Option<Vec<u8>>> {
    // There is none, or no file system for them.
    const NONE: [u32; 4] = [ERROR_FILE_NOT_FOUND, ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED];
    match send(of, FSCTL_GET_OBJECT_ID, &[], 64) {
        Ok(told) => Ok(told.iter().any(|byte| *byte != 0).then_some(told)),
        Err(error) if is_any(&error, &NONE) => Ok(None),
        Err(error) => Err(error),
    }
}

fn give_short_name(of: BorrowedHandle<'_>, name: &OsStr) -> io::Result<()> {
    use std::os::windows::ffi::OsStrExt as _;
    let units: Vec<u8> = name.encode_wide().flat_map(u16::to_ne_bytes).collect();
    let mut data = u32::try_from(units.len()).unwrap_or(0).to_ne_bytes().to_vec();
    data.extend(units);
    set_information(of, FileShortNameInformation, &data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(next: u32, name: &[u8], value: &[u8]) -> Vec<u8> {
        let mut bytes = next.to_le_bytes().to_vec();
        bytes.extend([0, u8::try_from(name.len()).unwrap_or(0)]);
        bytes.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(name);
        bytes.push(0);
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn extended_attributes_of_the_kernel_are_left_out_and_the_rest_stays_a_list() {
        let (own, other, last) = (b"OWN", b"$Kernel.Purge.ESBCache", b"LAST");
        let length = |name: &[u8]| u32::try_from(entry(0, name, b"v").len()).unwrap_or(0);
        let list = [entry(length(own), own, b"v"), entry(length(other), other, b"v"), entry(0, last, b"v")].concat();
        assert_eq!(without_kernels(&list), [entry(length(own), own, b"v"), entry(0, last, b"v")].concat());
        assert_eq!(without_kernels(&entry(0, other, b"v")), b"");
        assert_eq!(without_kernels(b""), b"");
        let end = [entry(length(own), own, b"v"), entry(0, other, b"v")].concat();
        assert_eq!(without_kernels(&end), entry(0, own, b"v"));
    }
}
