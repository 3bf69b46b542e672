//! Aliases of Store apps, tag `APPEXECLINK`. Not in MS-FSCC; the layout is known from what Windows writes.

use crate::data::HEADER;
use crate::names::{self, Reader};
use crate::{DecodeError, EncodeError, WideString};

/// The data of an app execution alias, such as `WindowsApps\python.exe`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppExecLink {
    /// The version of the layout; 3 on Windows 10 and 11.
    pub version: u32,
    /// The strings: package, application, program, and in newer versions the kind of application.
    pub strings: Vec<WideString>,
}

impl AppExecLink {
    /// The program that the alias starts, if there is one: the third string.
    #[must_use]
    pub fn target(&self) -> Option<&WideString> {
        self.strings.get(2).filter(|program| !program.is_empty())
    }

    pub(crate) fn decode(buf: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(buf, HEADER);
        let version = reader.u32("Version")?;
        let bytes = reader.rest();
        let len = bytes.len();
        if !len.is_multiple_of(2) {
            let actual = names::byte_count(len);
            return Err(DecodeError::new(HEADER + 4, "StringList", "an even number of bytes", actual));
        }
        let all = names::from_bytes(bytes);
        // NUL ends a string, so what follows the last one is a string only if something is there.
        let mut strings: Vec<_> =
            all.units().split(|unit| *unit == 0).map(|units| WideString::from_units(units.to_vec())).collect();
        if strings.last().is_some_and(WideString::is_empty) {
            strings.pop();
        }
        Ok(Self { version, strings })
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = self.version.to_le_bytes().to_vec();
        for (index, string) in self.strings.iter().enumerate() {
            if string.units().contains(&0) {
                return Err(EncodeError::NulInString { index });
            }
            names::push_units(&mut out, string.units());
            names::push_units(&mut out, &[0]);
        }
        Ok(out)
    }
}
