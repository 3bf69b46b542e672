//! The system's error codes, sorted and put into words.

use std::io;

use rustix::io::Errno;

use crate::error::ErrorKind;

pub(crate) fn error_kind(error: &io::Error) -> ErrorKind {
    match Errno::from_io_error(error) {
        Some(Errno::EXIST) => ErrorKind::AlreadyExists,
        Some(Errno::NOENT | Errno::STALE) => ErrorKind::NotFound,
        Some(Errno::ACCESS | Errno::PERM) => ErrorKind::PermissionDenied,
        Some(Errno::ROFS) => ErrorKind::ReadOnly,
        Some(Errno::NOSPC | Errno::DQUOT) => ErrorKind::Full,
        Some(Errno::XDEV) => ErrorKind::CrossesVolumes,
        Some(Errno::ISDIR) => ErrorKind::IsDirectory,
        Some(Errno::NOTDIR) => ErrorKind::NotADirectory,
        Some(Errno::NOTEMPTY) => ErrorKind::NotEmpty,
        Some(Errno::NAMETOOLONG) => ErrorKind::TooLong,
        Some(Errno::MLINK) => ErrorKind::TooManyLinks,
        Some(Errno::LOOP) => ErrorKind::Loop,
        // A name that the file system cannot have, such as bytes that are not Unicode on NTFS.
        Some(Errno::ILSEQ) => ErrorKind::InvalidPath,
        Some(_) => ErrorKind::Io,
        // Errors of the standard library's and our own making carry no code.
        None => match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            _ => ErrorKind::Io,
        },
    }
}

/// The system's words, without Rust's "(os error N)".
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => {
            let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text);
            let mut chars = text.chars();
            chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
        }
        None => text,
    }
}
