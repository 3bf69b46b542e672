//! The list of its reparse points that every NTFS volume keeps: nothing here serves it.

use super::Directory;
use crate::platform::ReparseIndex;

/// The paths of all reparse points of a volume, where its file system tells them.
pub(crate) fn reparse_index(_directory: &Directory) -> ReparseIndex {
    ReparseIndex::None
}
