//! The file system that something was on, as records have it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// With this begins the name of a file system whose own number cannot be read: the type and the source of its mount, and
/// behind an `@` which mount it is.
pub(crate) const STAND_IN: &str = "mount:";

/// A file system, to be known again however it is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Volume {
    /// `uuid:`, `serial:` or `number:` and the digits, or a stand-in: see [`same_file_system`].
    pub(crate) name: String,
    /// Its label, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::name::if_any")]
    pub label: Option<OsString>,
    /// Where it was mounted.
    #[serde(with = "super::name")]
    pub mount_point: PathBuf,
}

impl Volume {
    /// The UUID, or the serial number of NTFS and FAT, as the system's own tools write it. `None` where it could not be
    /// read.
    #[must_use]
    pub fn uuid(&self) -> Option<String> {
        uuid(&self.name)
    }
}

/// The label, the UUID, or both with `/` between; else the type and the source of the mount.
impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.label, self.uuid()) {
            (Some(label), Some(uuid)) => write!(f, "{}/{uuid}", label.to_string_lossy()),
            (Some(label), None) => f.write_str(&label.to_string_lossy()),
            (None, Some(uuid)) => f.write_str(&uuid),
            (None, None) => f.write_str(&described(&self.name)),
        }
    }
}

/// The number in a name of a file system, as the system's own tools write it.
pub(crate) fn uuid(name: &str) -> Option<String> {
    let (sort, digits) = name.split_once(':')?;
    match (sort, digits.len()) {
        ("uuid", 32) => {
            let part = |range| digits.get(range).unwrap_or_default();
            Some([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
        }
        ("uuid", _) => Some(digits.to_owned()),
        ("serial", _) => Some(digits.to_uppercase()),
        _ => None,
    }
}

/// A name of a file system for a person.
pub(crate) fn described(name: &str) -> String {
    if let Some(uuid) = uuid(name) {
        return uuid;
    }
    let Some(mount) = mount_in(name) else { return name.to_owned() };
    match mount.split_once(':') {
        Some((kind, source)) => format!("{source} ({kind})"),
        None => mount.to_owned(),
    }
}

/// The type and source of the mount in a stand-in; not which mount it is.
fn mount_in(name: &str) -> Option<&str> {
    let mount = name.strip_prefix(STAND_IN)?;
    Some(mount.rsplit_once('@').map_or(mount, |(mount, _)| mount))
}

/// Whether two names of file systems are of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sameness {
    /// They are.
    Same,
    /// They are not.
    Other,
    /// Its number cannot be read, and it was mounted anew since: another one may have the same source.
    Unknown,
}

/// Compares a recorded name with one of now.
pub(crate) fn same_file_system(recorded: &str, now: &str) -> Sameness {
    if recorded == now {
        return Sameness::Same;
    }
    match (mount_in(recorded), mount_in(now)) {
        (Some(recorded), Some(now)) if recorded == now => Sameness::Unknown,
        // Records of before hold the number of the device, which is another one after each mount.
        (None, Some(_)) if recorded.starts_with("number:") || recorded.starts_with("device:") => Sameness::Unknown,
        _ => Sameness::Other,
    }
}
