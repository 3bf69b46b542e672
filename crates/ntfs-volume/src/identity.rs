//! A volume's name and serial number.

use std::io::{self, Read, Seek};

use ntfs::{Ntfs, NtfsError};

/// By what people know a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The label, as UTF-16. `None` where the volume has none.
    pub label: Option<Vec<u16>>,
    /// The serial number of the boot sector. Windows shows its lower half.
    pub serial: u64,
}

/// Reads the label from `$Volume` and the serial number from the boot sector.
///
/// `source` begins where the volume begins. It may be mounted, and written to, meanwhile.
///
/// # Errors
/// It is no NTFS volume ([`io::ErrorKind::InvalidData`]), or cannot be read.
pub fn identity<S: Read + Seek>(source: &mut S) -> io::Result<Identity> {
    let volume = Ntfs::new(source).map_err(to_io)?;
    let label = volume.volume_name(source).transpose().map_err(to_io)?;
    let label = label.map(|name| {
        let units = name.name().0.chunks_exact(2);
        units.map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect::<Vec<_>>()
    });
    Ok(Identity { label: label.filter(|units| !units.is_empty()), serial: volume.serial_number() })
}

fn to_io(error: NtfsError) -> io::Error {
    match error {
        NtfsError::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ntfs_volume_is_refused_and_not_read_as_one() {
        for bytes in [vec![], vec![0; 512], vec![0xff; 70_000]] {
            assert!(identity(&mut io::Cursor::new(bytes)).is_err());
        }
    }
}
