//! Directories that a cloud keeps the same elsewhere.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::c_void;
use std::path::Path;

use super::is_within;
use super::nt::terminated;
use super::policy::{Procedure, is_elevated, procedure_of};

type Ask = unsafe extern "system" fn(*const u16, i32, *mut c_void, u32, *mut u32) -> i32;

/// What a user should know who puts a link there: whether it is something that will not be as it was, and the words.
pub(crate) fn remarks(path: &Path, is_junction: bool) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    if is_synchronised(path) {
        let text = "it is in a directory that a cloud keeps (OneDrive and the like): these do not follow links, and keep \
                    nothing of what is behind them";
        found.push((true, text.to_owned()));
    }
    if is_junction && !is_elevated() {
        let text = "made without an administrator's rights, the junction is not followed by programs under Redirection \
                    Guard, as some installers are: they fail with error 448";
        found.push((false, text.to_owned()));
    }
    found
}

/// Whether a path is in a sync root, asked of the system (Windows 10 1709) and, for OneDrive, of the environment.
fn is_synchronised(path: &Path) -> bool {
    let roots = ["OneDrive", "OneDriveConsumer", "OneDriveCommercial"].into_iter().filter_map(std::env::var_os);
    if roots.into_iter().any(|root| !root.is_empty() && is_within(path, Path::new(&root))) {
        return true;
    }
    let Some(ask) = procedure_of("cldapi.dll", c"CfGetSyncRootInfoByPath") else { return false };
    // SAFETY: this is the function of that name, whose parameters the type gives (cfapi.h).
    let ask = unsafe { std::mem::transmute::<Procedure, Ask>(ask) };
    let (path, mut room, mut length) = (terminated(path.as_os_str()), [0_u64; 64], 0);
    // CF_SYNC_ROOT_INFO_BASIC is 0 and asks for one number of 64 bits.
    // SAFETY: the path ends in NUL; the system writes at most 512 bytes to the room, which has as many, and a length.
    unsafe { ask(path.as_ptr(), 0, room.as_mut_ptr().cast(), 512, &raw mut length) >= 0 }
}
