//! A volume's name and serial number.

use std::fs::File;
use std::sync::Mutex;

use crate::{Error, Volume};

/// By what people know a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The label, as UTF-16. `None` where the volume has none.
    pub label: Option<Vec<u16>>,
    /// The serial number of the boot sector. Windows shows its lower half.
    pub serial: u64,
}

/// Reads the label and the serial number of the volume that a file or device holds from its first byte. It may be
/// mounted, and written to, meanwhile.
///
/// # Errors
/// It is no NTFS volume, ends too early, or cannot be read.
pub fn identity(source: File) -> Result<Identity, Error> {
    let volume = Volume::open(Mutex::new(source))?;
    Ok(Identity { label: volume.label()?, serial: volume.serial() })
}
