//! Paths on a volume, as people type and read them.

use std::path::Path;

use super::{LOOK_UP, Volume};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::to_wide;

const BACKSLASH: u16 = b'\\' as u16;
const SLASH: u16 = b'/' as u16;
const DOT: u16 = b'.' as u16;

impl Volume {
    /// Whether a typed path says that it is on this volume, by what it begins with.
    #[must_use]
    pub fn names_itself(&self, typed: &Path) -> bool {
        let Some(wide) = to_wide(typed.as_os_str()) else { return false };
        let first = wide.units().split(|unit| matches!(*unit, BACKSLASH | SLASH)).next();
        first.is_some_and(|first| self.is_root(first))
    }

    fn is_root(&self, name: &[u16]) -> bool {
        let root: Vec<u16> = self.root.encode_utf16().collect();
        name.len() == root.len() && name.iter().zip(root).all(|(a, b)| folded(*a) == folded(b))
    }

    /// The names in a typed path, from the volume's root: `C:\a\b`, `\a\b`, `a/b`. `/` parts names, too, since none can
    /// hold it.
    pub(super) fn names(&self, typed: &Path) -> Result<Vec<Vec<u16>>> {
        let fail = |text: &str| Error::new(ErrorKind::NotFound, LOOK_UP, typed, text);
        let wide = to_wide(typed.as_os_str()).ok_or_else(|| fail("no name on NTFS: its bytes are not Unicode"))?;
        let mut names = wide.units().split(|unit| matches!(*unit, BACKSLASH | SLASH)).peekable();
        if let Some(first) = names.peek() {
            let letter = matches!(first, [letter, colon] if *colon == u16::from(b':') && u8::try_from(*letter).is_ok_and(|letter| letter.is_ascii_alphabetic()));
            if self.is_root(first) {
                names.next();
            } else if letter {
                return Err(fail(&format!("paths on this volume begin with {}", self.root)));
            }
        }
        Ok(names.filter(|name| !matches!(*name, [] | [DOT])).map(<[u16]>::to_vec).collect())
    }
}

/// Upper case, as far as ASCII goes.
fn folded(unit: u16) -> u16 {
    u8::try_from(unit).map_or(unit, |byte| u16::from(byte.to_ascii_uppercase()))
}
