//! Which programs use what is below a directory.

#![allow(unsafe_code, reason = "calls of the system")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::AsHandle as _;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::ERROR_SHARING_VIOLATION;
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_READ_DATA, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
};

use super::nt::{Sort, number, open_guarded, terminated, until_nul};
use super::policy::{Procedure, procedure_of};
use super::{Directory, is_within};
use crate::platform::{Containers, Inventory, ObjectKind, Use};

/// More than this nobody reads.
const MOST: usize = 50;

/// Programs that have something open below a path so that it could not be moved, as far as the system tells; and this one,
/// where it works there or runs from there.
pub(crate) fn users_below(path: &Path) -> Vec<Use> {
    let mut found = Vec::new();
    let me = std::process::id();
    for (own, what) in [(std::env::current_exe(), "runs from here"), (std::env::current_dir(), "works here")] {
        if let Ok(own) = own
            && is_within(&own, path)
        {
            found.push(Use { pid: me, name: "linkctl".to_owned(), path: own, what, is_own: true });
        }
    }
    let (Some(name), Some(above)) = (path.file_name(), path.parent()) else { return found };
    let Ok(above) = Directory::open(above) else { return found };
    let Ok(inventory) = Inventory::take(&above, name) else { return found };
    for (item, below) in in_use(&above, name, &inventory) {
        let used = if below.as_os_str().is_empty() { path.to_owned() } else { path.join(below) };
        let is_directory = inventory.items.get(item).is_some_and(|item| item.stat.sort == ObjectKind::Directory);
        let holders = if is_directory { BTreeMap::new() } else { holders(&used) };
        if holders.is_empty() {
            let what = "has this open";
            found.push(Use { pid: 0, name: "not told by the system".to_owned(), path: used, what, is_own: false });
            continue;
        }
        for (pid, name) in holders {
            let what = "has this open";
            found.push(Use { pid, name, path: used.clone(), what, is_own: pid == me });
        }
    }
    found.truncate(MOST);
    found
}

/// What of a tree somebody has open in a way that keeps it from being moved.
fn in_use(above: &Directory, name: &OsStr, inventory: &Inventory) -> Vec<(usize, PathBuf)> {
    let mut found = Vec::new();
    let mut containers = Containers::of(above, name);
    for (number_of, item) in inventory.items.iter().enumerate() {
        let Ok(container) = containers.container(inventory, number_of) else { continue };
        // Whoever has a file open in any way shows by what this asks not to be shared; of directories, who would keep
        // them from being renamed.
        let (access, share) = match item.stat.sort {
            ObjectKind::Directory => (DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE),
            _ => (FILE_READ_DATA, 0),
        };
        let at = inventory.name_of(name, number_of);
        let opened = open_guarded(container.as_handle(), at, access, Sort::Any, share);
        if opened.is_err_and(|error| number(&error) == Some(ERROR_SHARING_VIOLATION)) {
            found.push((number_of, inventory.path(number_of)));
            if found.len() > MOST {
                break;
            }
        }
    }
    found
}

/// `RM_PROCESS_INFO` of restartmanager.h.
#[repr(C)]
#[derive(Clone, Copy)]
struct ProcessInfo {
    pid: u32,
    started: [u32; 2],
    name: [u16; 256],
    service: [u16; 64],
    kind: u32,
    status: u32,
    session: u32,
    restartable: i32,
}

type Start = unsafe extern "system" fn(*mut u32, u32, *mut u16) -> u32;
type Register = unsafe extern "system" fn(u32, u32, *const *const u16, u32, *const u8, u32, *const *const u16) -> u32;
type List = unsafe extern "system" fn(u32, *mut u32, *mut u32, *mut ProcessInfo, *mut u32) -> u32;
type End = unsafe extern "system" fn(u32) -> u32;

/// Who has a file open, by the Restart Manager (Windows Vista): number and name.
fn holders(path: &Path) -> BTreeMap<u32, String> {
    const DLL: &str = "rstrtmgr.dll";
    let mut found = BTreeMap::new();
    let (Some(start), Some(register), Some(list), Some(end)) = (
        procedure_of(DLL, c"RmStartSession"),
        procedure_of(DLL, c"RmRegisterResources"),
        procedure_of(DLL, c"RmGetList"),
        procedure_of(DLL, c"RmEndSession"),
    ) else {
        return found;
    };
    // SAFETY: these are the functions of those names, whose parameters the types give (restartmanager.h).
    let (start, register, list, end) = unsafe {
        (
            std::mem::transmute::<Procedure, Start>(start),
            std::mem::transmute::<Procedure, Register>(register),
            std::mem::transmute::<Procedure, List>(list),
            std::mem::transmute::<Procedure, End>(end),
        )
    };
    let path = terminated(path.as_os_str());
    let (mut session, mut key) = (0, [0_u16; 33]);
    // SAFETY: the key has room for 32 characters and NUL, as the call wants.
    if unsafe { start(&raw mut session, 0, key.as_mut_ptr()) } != 0 {
        return found;
    }
    let nothing = ProcessInfo {
        pid: 0,
        started: [0; 2],
        name: [0; 256],
        service: [0; 64],
        kind: 0,
        status: 0,
        session: 0,
        restartable: 0,
    };
    let mut all = vec![nothing; 16];
    let (mut needed, mut count, mut reasons) = (0_u32, 16_u32, 0_u32);
    let file = path.as_ptr();
    // SAFETY: one path that ends in NUL is passed, and no programs or services; the list has room for as many as are said.
    let told = unsafe {
        register(session, 1, &raw const file, 0, std::ptr::null(), 0, std::ptr::null()) == 0
            && list(session, &raw mut needed, &raw mut count, all.as_mut_ptr(), &raw mut reasons) == 0
    };
    if told {
        for one in all.iter().take(usize::try_from(count).unwrap_or(0)) {
            let name = OsString::from_wide(until_nul(&one.name)).to_string_lossy().into_owned();
            found.insert(one.pid, name);
        }
    }
    // SAFETY: the session was started above.
    unsafe { end(session) };
    found
}
