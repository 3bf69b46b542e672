//! Where a step acts.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The physical path of an entry: no symbolic link or junction is in its parent, so that it means the same place from any
/// directory and after a restart. With it goes the path by which a user named the entry, for messages alone.
///
/// Two are equal if their physical paths are. In JSON it is the physical path.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryPath {
    #[serde(with = "crate::model::name")]
    physical: PathBuf,
    /// `None` where it is the physical path.
    #[serde(skip)]
    shown: Option<Box<Path>>,
}

impl EntryPath {
    /// A physical path, to be shown as another one.
    pub(crate) fn shown_as(physical: PathBuf, shown: &Path) -> Self {
        // Byte for byte: `Path` takes a slash too many for the same.
        let shown = (physical.as_os_str() != shown.as_os_str()).then(|| shown.into());
        Self { physical, shown }
    }

    /// The path as the user named it.
    #[must_use]
    pub fn shown(&self) -> &Path {
        self.shown.as_deref().unwrap_or(&self.physical)
    }
}

impl From<PathBuf> for EntryPath {
    /// A physical path that is shown as it is.
    fn from(physical: PathBuf) -> Self {
        Self { physical, shown: None }
    }
}

impl From<&str> for EntryPath {
    fn from(physical: &str) -> Self {
        Self::from(PathBuf::from(physical))
    }
}

impl Deref for EntryPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.physical
    }
}

impl AsRef<Path> for EntryPath {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl PartialEq for EntryPath {
    fn eq(&self, other: &Self) -> bool {
        self.physical == other.physical
    }
}

impl Eq for EntryPath {}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.physical.fmt(f)
    }
}
