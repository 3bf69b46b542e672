//! A volume's name and serial number.

use crate::{Error, ReadAt, Volume};

/// By what people know a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The label, as UTF-16. `None` where the volume has none.
    pub label: Option<Vec<u16>>,
    /// The serial number of the boot sector. Windows shows its lower half.
    pub serial: u64,
}

/// Reads the label and the serial number of the volume that begins where its source begins. It may be mounted, and
/// written to, meanwhile.
///
/// # Errors
/// It is no NTFS volume, ends too early, or cannot be read.
pub fn identity<S: ReadAt>(source: S) -> Result<Identity, Error> {
    let volume = Volume::open(source)?;
    Ok(Identity { label: volume.label()?, serial: volume.serial() })
}
