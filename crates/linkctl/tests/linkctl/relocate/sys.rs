//! The calls that neither the standard library nor the testkit has.

use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A security descriptor that no object gets by default: everyone may read, administrators everything.
pub(crate) const SECURITY: &[u8] = &[
    1, 0, 4, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0,
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0, 2, 0, 28, 0, 1, 0, 0, 0, 0, 3, 20, 0, 0xa9, 0, 18, 0, 1, 1, 0, 0,
    0, 0, 0, 1, 0, 0, 0, 0,
];

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn llistxattr(path: *const c_char, list: *mut c_char, size: usize) -> isize;
    fn lgetxattr(path: *const c_char, name: *const c_char, value: *mut c_void, size: usize) -> isize;
    fn lsetxattr(path: *const c_char, name: *const c_char, value: *const c_void, size: usize, flags: c_int) -> c_int;
    fn mknod(path: *const c_char, mode: u32, device: u64) -> c_int;
    fn utimensat(at: c_int, path: *const c_char, times: *const TimeSpec, flags: c_int) -> c_int;
}

fn c(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

pub(crate) fn xattrs(path: &Path) -> Vec<(String, Vec<u8>)> {
    let path = c(path);
    let mut list = vec![0u8; 65536];
    // SAFETY: the buffers are as long as is said.
    let length = unsafe { llistxattr(path.as_ptr(), list.as_mut_ptr().cast(), list.len()) };
    list.truncate(usize::try_from(length).unwrap_or(0));
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut all: Vec<_> = names
        .map(|name| {
            let (c_name, mut value) = (CString::new(name).unwrap(), vec![0u8; 65536]);
            // SAFETY: as above.
            let length = unsafe { lgetxattr(path.as_ptr(), c_name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
            value.truncate(usize::try_from(length).unwrap());
            (String::from_utf8_lossy(name).into_owned(), value)
        })
        .collect();
    // XFS shows its access lists a second time.
    all.retain(|(name, _)| !name.starts_with("trusted.SGI_ACL_"));
    all.sort();
    all
}

/// One attribute, listed or not.
pub(crate) fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let (path, name) = (c(path), CString::new(name).unwrap());
    let mut value = vec![0u8; 65536];
    // SAFETY: as above.
    let length = unsafe { lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    value.truncate(usize::try_from(length).ok()?);
    Some(value)
}

/// Whether it could be set.
pub(crate) fn try_set_xattr(path: &Path, name: &str, value: &[u8]) -> bool {
    let (path, name) = (c(path), CString::new(name).unwrap());
    // SAFETY: as above.
    unsafe { lsetxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) == 0 }
}

#[track_caller]
pub(crate) fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    assert!(try_set_xattr(path, name, value), "{}: {}", path.display(), std::io::Error::last_os_error());
}

/// A character device like /dev/null.
pub(crate) fn device(path: &Path, major: u64, minor: u64) {
    let path = c(path);
    // SAFETY: a string and numbers.
    assert_eq!(unsafe { mknod(path.as_ptr(), 0o020_640, major << 8 | minor) }, 0);
}

pub(crate) fn set_times(path: &Path, seconds: i64, nanoseconds: i64) {
    let path = c(path);
    let times = [TimeSpec { seconds, nanoseconds: 1 }, TimeSpec { seconds, nanoseconds }];
    // SAFETY: two times, as it takes. -100 is the working directory, 0x100 not to follow.
    assert_eq!(unsafe { utimensat(-100, path.as_ptr(), times.as_ptr(), 0x100) }, 0);
}
