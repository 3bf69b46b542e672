//! Errors in Windows' words: the texts of its system errors, by what went wrong here.

use links::{Error, ErrorKind};

use crate::failure::{lacks_privilege, message};

pub(super) const ACCESS_DENIED: &str = "Access is denied.";
pub(super) const FILE_NOT_FOUND: &str = "The system cannot find the file specified.";
pub(super) const PATH_NOT_FOUND: &str = "The system cannot find the path specified.";
pub(super) const SYNTAX: &str = "The syntax of the command is incorrect.";

/// The text for an error. Where Windows has none, linkctl's own.
pub(super) fn of(error: &Error) -> String {
    let hard = error.operation() == "create hard link";
    let junction = error.operation() == "create junction";
    let text = match error.kind() {
        // Windows has words of its own for it in this place.
        ErrorKind::PermissionDenied if lacks_privilege(error) => {
            "You do not have sufficient privilege to perform this operation."
        }
        // `ERROR_INVALID_REPARSE_DATA`.
        _ if error.io_error().and_then(std::io::Error::raw_os_error) == Some(4392) => {
            "The data present in the reparse point buffer is invalid."
        }
        ErrorKind::AlreadyExists => "Cannot create a file when that file already exists.",
        ErrorKind::NotFound => FILE_NOT_FOUND,
        ErrorKind::ParentMissing | ErrorKind::NotADirectory => PATH_NOT_FOUND,
        // A hard link to a directory is denied, whoever asks.
        ErrorKind::PermissionDenied | ErrorKind::IsDirectory => ACCESS_DENIED,
        ErrorKind::CrossesVolumes if hard => "The system cannot move the file to a different disk drive.",
        ErrorKind::CrossesVolumes if junction => "Local volumes are required to complete the operation.",
        ErrorKind::NotSupported if junction => "Local NTFS volumes are required to complete the operation.",
        ErrorKind::ReadOnly => "The media is write protected.",
        ErrorKind::Full => "There is not enough space on the disk.",
        ErrorKind::TooLong => "The filename or extension is too long.",
        ErrorKind::TooManyLinks => "An attempt was made to create more links on a file than the file system supports.",
        ErrorKind::InvalidPath | ErrorKind::InvalidTarget => {
            "The filename, directory name, or volume label syntax is incorrect."
        }
        ErrorKind::NotALink => "The file or directory is not a reparse point.",
        ErrorKind::Loop => "The name of the file cannot be resolved by the system.",
        _ => return message(error),
    };
    text.to_owned()
}
