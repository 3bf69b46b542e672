//! Owners of files.

#![allow(unsafe_code, reason = "calls of the system")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};

use windows_sys::Win32::Foundation::ERROR_INSUFFICIENT_BUFFER;
use windows_sys::Win32::Security::{
    GetKernelObjectSecurity, GetLengthSid, GetSecurityDescriptorOwner, IsWellKnownSid, OWNER_SECURITY_INFORMATION,
    PSID, TokenUser, WinBuiltinAdministratorsSid, WinLocalSystemSid, WinWorldSid,
};

use super::nt::{code, number};
use super::policy::token_information;

/// A security identifier, as bytes. In words, as the system reads it so.
pub(super) struct Sid(Vec<u32>);

impl Sid {
    /// # Safety
    /// `sid` is a valid identifier for the time of the call.
    unsafe fn copy(sid: PSID) -> Self {
        // SAFETY: by the contract of this function; the length is told by the identifier itself.
        let length = unsafe { GetLengthSid(sid) } as usize;
        let mut words = vec![0_u32; length.div_ceil(4)];
        // SAFETY: `length` bytes are readable at `sid`, and `words` has no fewer; the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(sid.cast::<u8>(), words.as_mut_ptr().cast::<u8>(), length) };
        Self(words)
    }

    fn pointer(&self) -> PSID {
        self.0.as_ptr().cast_mut().cast()
    }
}

/// What is asked of the security descriptor of an opened object, in words, and its length in bytes.
pub(crate) fn security_descriptor(object: BorrowedHandle<'_>, what: u32) -> io::Result<(Vec<u32>, usize)> {
    let mut words = vec![0_u32; 256];
    loop {
        let length = u32::try_from(words.len() * 4).map_err(|_| code(ERROR_INSUFFICIENT_BUFFER))?;
        let mut needed = 0;
        // SAFETY: the system writes at most `length` bytes to `words`, which has as many, and the length needed.
        let done = unsafe {
            let (handle, room) = (object.as_raw_handle(), words.as_mut_ptr().cast());
            GetKernelObjectSecurity(handle, what, room, length, &raw mut needed)
        };
        let needed = usize::try_from(needed).unwrap_or(0);
        if done != 0 {
            return Ok((words, needed));
        }
        let error = io::Error::last_os_error();
        if number(&error) != Some(ERROR_INSUFFICIENT_BUFFER) || needed <= words.len() * 4 {
            return Err(error);
        }
        words.resize(needed.div_ceil(4), 0);
    }
}

/// Who owns an opened object. `None` where nobody is named.
pub(super) fn owner(object: BorrowedHandle<'_>) -> io::Result<Option<Sid>> {
    let (mut words, _) = security_descriptor(object, OWNER_SECURITY_INFORMATION)?;
    let (mut owner, mut defaulted) = (std::ptr::null_mut(), 0);
    // SAFETY: `words` holds the descriptor that the system wrote; the call gives a pointer into it.
    let done = unsafe { GetSecurityDescriptorOwner(words.as_mut_ptr().cast(), &raw mut owner, &raw mut defaulted) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: not null, it points to the owner's identifier in `words`, which is still there.
    Ok((!owner.is_null()).then(|| unsafe { Sid::copy(owner) }))
}

/// Whether it is the user of this process.
pub(super) fn is_self(sid: &Sid) -> bool {
    let Some(words) = token_information(TokenUser) else { return false };
    // The structure holds a pointer to the identifier, which lies behind it: two words, attributes, padding.
    let header = 2 * size_of::<usize>() / 4;
    let own = words.get(header..).unwrap_or_default();
    !sid.0.is_empty() && own.get(..sid.0.len()) == Some(sid.0.as_slice())
}

/// Whether it is the system itself, its administrators, or everybody.
pub(super) fn is_known(sid: &Sid) -> bool {
    [WinBuiltinAdministratorsSid, WinLocalSystemSid, WinWorldSid].into_iter().any(|known| {
        // SAFETY: the identifier is whole and outlives the call.
        unsafe { IsWellKnownSid(sid.pointer(), known) != 0 }
    })
}

/// Whether an opened object belongs to this user or to the machine's administrators. Where a file system knows no owners,
/// the system names everybody.
pub(crate) fn is_trusted(object: BorrowedHandle<'_>) -> io::Result<bool> {
    Ok(owner(object)?.is_none_or(|owner| is_self(&owner) || is_known(&owner)))
}
