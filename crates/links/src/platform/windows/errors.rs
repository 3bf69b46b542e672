//! The system's error codes, sorted and put into words.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_BAD_PATHNAME, ERROR_BUFFER_OVERFLOW, ERROR_CANT_RESOLVE_FILENAME,
    ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY, ERROR_DIRECTORY_NOT_SUPPORTED, ERROR_DISK_FULL, ERROR_FILE_EXISTS,
    ERROR_FILE_NOT_FOUND, ERROR_FILENAME_EXCED_RANGE, ERROR_HANDLE_DISK_FULL, ERROR_INVALID_FUNCTION,
    ERROR_INVALID_NAME, ERROR_INVALID_REPARSE_DATA, ERROR_NOT_A_REPARSE_POINT, ERROR_NOT_SAME_DEVICE,
    ERROR_NOT_SUPPORTED, ERROR_PATH_NOT_FOUND, ERROR_PRIVILEGE_NOT_HELD, ERROR_SYMLINK_CLASS_DISABLED,
    ERROR_TOO_MANY_LINKS, ERROR_UNTRUSTED_MOUNT_POINT, ERROR_WRITE_PROTECT,
};

use super::nt::number;
use crate::error::ErrorKind;

pub(crate) fn error_kind(error: &io::Error) -> ErrorKind {
    match number(error) {
        Some(ERROR_ALREADY_EXISTS | ERROR_FILE_EXISTS) => ErrorKind::AlreadyExists,
        Some(ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND) => ErrorKind::NotFound,
        Some(ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD) => ErrorKind::PermissionDenied,
        Some(ERROR_WRITE_PROTECT) => ErrorKind::ReadOnly,
        Some(ERROR_DISK_FULL | ERROR_HANDLE_DISK_FULL) => ErrorKind::Full,
        Some(ERROR_NOT_SAME_DEVICE) => ErrorKind::CrossesVolumes,
        Some(ERROR_DIRECTORY_NOT_SUPPORTED) => ErrorKind::IsDirectory,
        Some(ERROR_DIRECTORY) => ErrorKind::NotADirectory,
        Some(ERROR_DIR_NOT_EMPTY) => ErrorKind::NotEmpty,
        Some(ERROR_FILENAME_EXCED_RANGE | ERROR_BUFFER_OVERFLOW) => ErrorKind::TooLong,
        Some(ERROR_TOO_MANY_LINKS) => ErrorKind::TooManyLinks,
        Some(ERROR_CANT_RESOLVE_FILENAME) => ErrorKind::Loop,
        Some(ERROR_SYMLINK_CLASS_DISABLED | ERROR_UNTRUSTED_MOUNT_POINT) => ErrorKind::Blocked,
        Some(ERROR_INVALID_NAME | ERROR_BAD_PATHNAME) => ErrorKind::InvalidPath,
        Some(ERROR_NOT_A_REPARSE_POINT) => ErrorKind::NotALink,
        Some(ERROR_INVALID_REPARSE_DATA) => ErrorKind::InvalidTarget,
        // Where the file system has no such thing.
        Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED) => ErrorKind::NotSupported,
        Some(_) => ErrorKind::Io,
        // Errors of the standard library's and our own making carry no code.
        None => match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            io::ErrorKind::Unsupported => ErrorKind::NotSupported,
            io::ErrorKind::NotADirectory => ErrorKind::NotADirectory,
            _ => ErrorKind::Io,
        },
    }
}

/// The system's words, without Rust's "(os error N)", without the full stop; the number stands behind those that
/// people look up.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let Some(code) = error.raw_os_error() else { return text };
    if code.cast_unsigned() == ERROR_INVALID_NAME {
        return r#"it holds one of \ / : * ? " < > |, which no name may"#.to_owned();
    }
    if code.cast_unsigned() == ERROR_INVALID_REPARSE_DATA {
        return format!("the system takes no such data for a link (error {code})");
    }
    let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text).trim_end();
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut chars = text.chars();
    let text: String = chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default();
    // A system that knows no words for it.
    let wordless = text.is_empty() || text.contains("FormatMessageW");
    if wordless { format!("system error {code}") } else { text }
}
