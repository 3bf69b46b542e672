//! What the system allows: told by `doctor`, and asked for before links are made.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::{CStr, OsStr, c_void};
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::LUID;
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, GetTokenInformation, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_ELEVATION, TOKEN_INFORMATION_CLASS, TOKEN_PRIVILEGES, TOKEN_QUERY, TokenElevation,
    TokenPrivileges,
};
use windows_sys::Win32::System::LibraryLoader::{
    GetModuleHandleW, GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcessToken, PROCESS_MITIGATION_POLICY, ProcessRedirectionTrustPolicy,
};

use super::nt::terminated;
use super::registry::{MACHINE, dword, text};

/// A function of the system, before its type is known.
pub(crate) type Procedure = unsafe extern "system" fn() -> isize;

/// A function that not every Windows has. `None` where this one has not.
pub(crate) fn procedure(library: &str, name: &CStr) -> Option<Procedure> {
    let library = terminated(OsStr::new(library));
    // SAFETY: both names end in NUL. The libraries asked for are loaded with every program, and never unloaded.
    unsafe { GetProcAddress(GetModuleHandleW(library.as_ptr()), name.as_ptr().cast()) }
}

/// A function of a library of the system that is loaded for it; `None` where the system has none such.
pub(super) fn procedure_of(library: &str, name: &CStr) -> Option<Procedure> {
    let library = terminated(OsStr::new(library));
    // SAFETY: both names end in NUL. The library is searched for where the system's own are, and never unloaded.
    unsafe {
        let loaded = LoadLibraryExW(library.as_ptr(), ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32);
        if loaded.is_null() { None } else { GetProcAddress(loaded, name.as_ptr().cast()) }
    }
}

fn token(access: u32) -> Option<OwnedHandle> {
    let mut token = ptr::null_mut();
    // SAFETY: the pseudo handle of this process is always valid; the system writes one handle.
    if unsafe { OpenProcessToken(GetCurrentProcess(), access, &raw mut token) } == 0 {
        return None;
    }
    // SAFETY: the call succeeded, so the handle is open and nobody else's.
    Some(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// Information of the token, in words, as its structures begin with numbers of 32 bits.
pub(super) fn token_information(class: TOKEN_INFORMATION_CLASS) -> Option<Vec<u32>> {
    let token = token(TOKEN_QUERY)?;
    let mut words = vec![0_u32; 1024];
    let length = u32::try_from(words.len() * 4).ok()?;
    let mut written = 0;
    // SAFETY: the system writes at most `length` bytes to `words`, which has as many, and the length.
    let done = unsafe {
        let room = words.as_mut_ptr().cast();
        GetTokenInformation(token.as_raw_handle(), class, room, length, &raw mut written)
    };
    words.truncate(usize::try_from(written).ok()?.div_ceil(4));
    (done != 0).then_some(words)
}

/// Whether this process has an administrator's rights.
pub(crate) fn is_elevated() -> bool {
    const _: () = assert!(size_of::<TOKEN_ELEVATION>() == 4);
    token_information(TokenElevation).is_some_and(|words| words.first().is_some_and(|word| *word != 0))
}

/// Whether this user may make symbolic links at all.
pub(crate) fn may_make_symlinks() -> bool {
    holds_privilege(SYMBOLIC_LINK) || developer_mode()
}

/// Whether this user may give 8.3 names.
pub(crate) fn may_set_short_names() -> bool {
    holds_privilege(RESTORE)
}

/// Whether this process has a right, in use or not.
fn holds_privilege(name: &str) -> bool {
    let name = terminated(OsStr::new(name));
    let mut wanted = LUID::default();
    // SAFETY: the name ends in NUL; the system writes one structure of numbers.
    if unsafe { LookupPrivilegeValueW(ptr::null(), name.as_ptr(), &raw mut wanted) } == 0 {
        return false;
    }
    const _: () = assert!(size_of::<LUID_AND_ATTRIBUTES>() == 12);
    let Some(words) = token_information(TokenPrivileges) else { return false };
    let held = words.get(1..).unwrap_or_default().chunks_exact(3);
    held.take(words.first().copied().unwrap_or(0) as usize)
        .any(|luid| luid[0] == wanted.LowPart && luid[1] == wanted.HighPart.cast_unsigned())
}

/// To read everything, as a backup must.
pub(super) const BACKUP: &str = "SeBackupPrivilege";
/// To write everything, as who restores a backup must.
const RESTORE: &str = "SeRestorePrivilege";
/// To make symbolic links.
pub(crate) const SYMBOLIC_LINK: &str = "SeCreateSymbolicLinkPrivilege";

/// Wakes a privilege, where this process has it: an administrator's are asleep until they are asked for.
pub(crate) fn enable_privilege(name: &str) {
    let name = terminated(OsStr::new(name));
    let mut wanted = TOKEN_PRIVILEGES { PrivilegeCount: 1, ..TOKEN_PRIVILEGES::default() };
    let [only] = &mut wanted.Privileges;
    only.Attributes = SE_PRIVILEGE_ENABLED;
    let Some(token) = token(TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES) else { return };
    // SAFETY: the name ends in NUL; the system writes one structure of numbers, and reads `wanted`, which holds one
    // privilege as it says. What was before is not asked for.
    unsafe {
        if LookupPrivilegeValueW(ptr::null(), name.as_ptr(), &raw mut only.Luid) != 0 {
            let (none, no_length) = (ptr::null_mut(), ptr::null_mut());
            AdjustTokenPrivileges(token.as_raw_handle(), 0, &raw const wanted, 0, none, no_length);
        }
    }
}

/// Windows lets everybody make symbolic links while this is on (since Windows 10 1703).
fn developer_mode() -> bool {
    const KEY: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\AppModelUnlock";
    dword(MACHINE, KEY, "AllowDevelopmentWithoutDevLicense").is_some_and(|on| on != 0)
}

/// Which symbolic links the system follows, by where the link is and where it leads.
pub(crate) const EVALUATION: [&str; 4] = [
    "SymlinkLocalToLocalEvaluation",
    "SymlinkLocalToRemoteEvaluation",
    "SymlinkRemoteToLocalEvaluation",
    "SymlinkRemoteToRemoteEvaluation",
];

/// Whether links are followed: local to local, local to remote, remote to local, remote to remote; and whether a group
/// policy decides.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every system")]
pub(crate) fn evaluation() -> Option<([bool; 4], bool)> {
    const POLICY: &str = r"SOFTWARE\Policies\Microsoft\Windows\Filesystems\NTFS";
    const SYSTEM: &str = r"SYSTEM\CurrentControlSet\Control\FileSystem";
    const DEFAULTS: [bool; 4] = [true, true, false, false];
    let is_policy = dword(MACHINE, POLICY, "SymLinkState").is_some_and(|state| state != 0);
    let mut found = DEFAULTS;
    for (value, name) in found.iter_mut().zip(EVALUATION) {
        let short = name.strip_suffix("Evaluation").unwrap_or(name);
        let told = if is_policy {
            dword(MACHINE, POLICY, name).or_else(|| dword(MACHINE, POLICY, short))
        } else {
            dword(MACHINE, SYSTEM, name)
        };
        *value = told.map_or(*value, |told| told != 0);
    }
    Some((found, is_policy))
}

type GetPolicy = unsafe extern "system" fn(*mut c_void, PROCESS_MITIGATION_POLICY, *mut c_void, usize) -> i32;

/// Whether this process follows only junctions that administrators made. `None` where the system knows no such thing.
fn redirection_guard() -> Option<bool> {
    let ask = procedure("kernel32.dll", c"GetProcessMitigationPolicy")?;
    // SAFETY: this is the function of that name, whose parameters the type gives (processthreadsapi.h).
    let ask = unsafe { std::mem::transmute::<Procedure, GetPolicy>(ask) };
    let mut flags = 0_u32;
    // SAFETY: the policy is a structure of one number of 32 bits, which the system writes.
    let known = unsafe { ask(GetCurrentProcess(), ProcessRedirectionTrustPolicy, (&raw mut flags).cast(), 4) != 0 };
    known.then_some(flags & 1 != 0)
}

/// The system itself knows who has what open.
pub(crate) fn sees_processes() -> bool {
    true
}

/// What the system allows this user, in words: name, value.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let build = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    let version = text(MACHINE, build, "CurrentBuild").unwrap_or_else(|| "unknown".to_owned());
    let guard = match redirection_guard() {
        None => "not known to this Windows".to_owned(),
        // Verbs that change something opt in when elevated; doctor only looks.
        Some(_) => "used by changing verbs when elevated".to_owned(),
    };
    let mut facts = vec![
        ("windows build", version),
        ("elevated", yes(is_elevated())),
        ("symlink privilege", yes(holds_privilege(SYMBOLIC_LINK))),
        ("developer mode", yes(developer_mode())),
        ("redirection guard", guard),
    ];
    if let Some((followed, is_policy)) = evaluation() {
        let names = ["L2L", "L2R", "R2L", "R2R"];
        let told: Vec<String> =
            names.iter().zip(followed).map(|(name, on)| format!("{name}:{}", if on { "1" } else { "0" })).collect();
        let policy = if is_policy { " (by group policy)" } else { "" };
        facts.push(("symlink evaluation", told.join(" ") + policy));
    }
    facts
}
