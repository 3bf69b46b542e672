//! Reparse data as Windows writes it, to be put on NTFS volumes.

use std::fs;
use std::path::Path;

use reparse::{MountPoint, ReparseData, Symlink, WideString};
use testkit::ntfs::set_reparse;

fn wide(text: &str) -> WideString {
    WideString::from(text)
}

/// What `mklink` writes.
pub(crate) fn symlink(target: &str) -> Vec<u8> {
    ReparseData::from(Symlink::new(&wide(target)).unwrap()).encode().unwrap()
}

/// A symbolic link with any names and flags.
pub(crate) fn raw_symlink(substitute: &str, print: &str, flags: u32) -> Vec<u8> {
    let link = Symlink { substitute: wide(substitute), print: wide(print), flags };
    ReparseData::from(link).encode().unwrap()
}

/// What `mklink /j` writes.
pub(crate) fn junction(target: &str) -> Vec<u8> {
    ReparseData::from(MountPoint::junction(&wide(target)).unwrap()).encode().unwrap()
}

/// Makes a directory that is this reparse point.
pub(crate) fn dir_point(path: impl AsRef<Path>, data: &[u8]) {
    fs::create_dir(&path).unwrap();
    set_reparse(path, data);
}

/// Makes a file that is this reparse point.
pub(crate) fn file_point(path: impl AsRef<Path>, data: &[u8]) {
    fs::File::create_new(&path).unwrap();
    set_reparse(path, data);
}
