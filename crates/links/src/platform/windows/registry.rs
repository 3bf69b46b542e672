//! Values of the registry.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsStr;
use std::io;
use std::ptr;

use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, REG_DWORD, RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegGetValueW, RegSetKeyValueW,
};

use super::nt::{code, terminated, until_nul};

/// The part of the registry that is the machine's.
pub(super) const MACHINE: HKEY = HKEY_LOCAL_MACHINE;

fn units(text: &str) -> Vec<u16> {
    terminated(OsStr::new(text))
}

pub(super) fn text(root: HKEY, key: &str, value: &str) -> Option<String> {
    let (key, value) = (units(key), units(value));
    let mut room = [0_u16; 256];
    let mut length = u32::try_from(size_of_val(&room)).ok()?;
    // SAFETY: both names end in NUL; the system writes at most `length` bytes to `room`, which has as many, with a NUL
    // at the end, and the length.
    let answer = unsafe {
        let (key, value) = (key.as_ptr(), value.as_ptr());
        let room = room.as_mut_ptr().cast();
        RegGetValueW(root, key, value, RRF_RT_REG_SZ, ptr::null_mut(), room, &raw mut length)
    };
    (answer == 0).then(|| String::from_utf16_lossy(until_nul(&room)))
}

pub(super) fn dword(root: HKEY, key: &str, value: &str) -> Option<u32> {
    let (key, value) = (units(key), units(value));
    let (mut number, mut length) = (0_u32, 4_u32);
    // SAFETY: both names end in NUL; the system writes at most 4 bytes to `number`, and the length.
    let answer = unsafe {
        let (key, value) = (key.as_ptr(), value.as_ptr());
        let number = (&raw mut number).cast();
        RegGetValueW(root, key, value, RRF_RT_REG_DWORD, ptr::null_mut(), number, &raw mut length)
    };
    (answer == 0).then_some(number)
}

/// Sets a number of the machine's part.
pub(crate) fn set_dword(key: &str, value: &str, number: u32) -> io::Result<()> {
    let (key, value) = (units(key), units(value));
    // SAFETY: both names end in NUL; the system reads 4 bytes of `number`.
    let answer = unsafe {
        let (key, value) = (key.as_ptr(), value.as_ptr());
        RegSetKeyValueW(MACHINE, key, value, REG_DWORD, (&raw const number).cast(), 4)
    };
    if answer == 0 { Ok(()) } else { Err(code(answer)) }
}
