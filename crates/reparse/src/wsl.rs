//! Symbolic links made under WSL, tag `LX_SYMLINK` (MS-FSCC §2.1.2.7).

use crate::DecodeError;
use crate::data::HEADER;
use crate::names::Reader;

/// The data of a symbolic link that Linux made: a Linux path, which Windows does not follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LxSymlink {
    /// The target's bytes, usually UTF-8, without a NUL at the end.
    pub target: Vec<u8>,
}

impl LxSymlink {
    /// The only type there is: a target in UTF-8.
    const TYPE: u32 = 2;

    pub(crate) fn decode(buf: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(buf, HEADER);
        let kind = reader.u32("LxSymlinkType")?;
        if kind != Self::TYPE {
            let expected = Self::TYPE.to_string();
            return Err(DecodeError::new(HEADER, "LxSymlinkType", expected, kind.to_string()));
        }
        Ok(Self { target: reader.rest().to_vec() })
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        [&Self::TYPE.to_le_bytes()[..], &self.target].concat()
    }
}
