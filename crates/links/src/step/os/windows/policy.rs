//! What changes the system's own behaviour: of this process, or of the machine.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::c_void;
use std::io;

use windows_sys::Win32::System::Threading::{PROCESS_MITIGATION_POLICY, ProcessRedirectionTrustPolicy};

use crate::platform::{EVALUATION, Procedure, is_elevated, procedure, set_dword};

type SetPolicy = unsafe extern "system" fn(PROCESS_MITIGATION_POLICY, *const c_void, usize) -> i32;

/// From here on, an elevated process follows no junction that an ordinary user made (Redirection Guard, Windows 10
/// 22H2). Where the system knows no such thing, or the process is not elevated, nothing changes.
pub(crate) fn guard() {
    if !is_elevated() {
        return;
    }
    let Some(set) = procedure("kernel32.dll", c"SetProcessMitigationPolicy") else { return };
    // SAFETY: this is the function of that name, whose parameters the type gives (processthreadsapi.h).
    let set = unsafe { std::mem::transmute::<Procedure, SetPolicy>(set) };
    // `EnforceRedirectionTrust` of `PROCESS_MITIGATION_REDIRECTION_TRUST_POLICY`.
    let enforce = 1_u32;
    // SAFETY: the policy is a structure of one number of 32 bits, which the system reads. An older system refuses it,
    // which leaves all as it was.
    unsafe { set(ProcessRedirectionTrustPolicy, (&raw const enforce).cast(), 4) };
}

/// Sets which symbolic links the system follows; what is `None` stays.
pub(crate) fn set_evaluation(values: [Option<bool>; 4]) -> io::Result<()> {
    const KEY: &str = r"SYSTEM\CurrentControlSet\Control\FileSystem";
    for (name, value) in EVALUATION.into_iter().zip(values) {
        if let Some(value) = value {
            set_dword(KEY, name, value.into())?;
        }
    }
    Ok(())
}
