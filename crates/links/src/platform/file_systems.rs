//! The names of file systems, which they keep on every machine and however they are mounted.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::{Directory, VolumeIdentity, file_system_name};
use crate::model::{STAND_IN, Volume};

/// Asks for the name of each file system once: to read it from an NTFS volume takes longer than all else that is read
/// of an object. It lives as long as one operation, because a device's number goes to another file system when the
/// first is unmounted.
#[derive(Debug, Default)]
pub(crate) struct FileSystems {
    by_device: Mutex<HashMap<u64, String>>,
}

impl FileSystems {
    /// The name of a directory's file system; of one that has no number of its own, that of its mount.
    pub(crate) fn name(&self, directory: &Directory) -> io::Result<String> {
        let device = directory.metadata()?.id.volume();
        let mut known = self.by_device.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = known.get(&device) {
            return Ok(name.clone());
        }
        let name = file_system_name(directory, device)?;
        // One device may be mounted in several places, and a stand-in is of one mount.
        if !name.starts_with(STAND_IN) {
            known.insert(device, name.clone());
        }
        Ok(name)
    }

    /// The file system of a directory, as records have it.
    pub(crate) fn volume(&self, directory: &Directory) -> io::Result<Volume> {
        let name = self.name(directory)?;
        let identity = VolumeIdentity::of(directory)?;
        Ok(Volume { name, label: identity.label, mount_point: identity.mount_point })
    }
}
