//! Windows names: UTF-16, except that nobody checks it.

use std::fmt::{self, Write};

/// A Windows name or path: any sequence of 16-bit units, usually UTF-16, possibly with unpaired surrogates.
///
/// Order and equality are by unit. Only `Display` loses something: it prints U+FFFD for each unpaired surrogate, so that
/// two names can look the same. It escapes nothing: text for a terminal must be sanitised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WideString(Vec<u16>);

impl WideString {
    /// The empty name.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A name of these units, in native byte order, without a terminating NUL.
    #[must_use]
    pub const fn from_units(units: Vec<u16>) -> Self {
        Self(units)
    }

    /// The units, in native byte order.
    #[must_use]
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// The length in 16-bit units: half the number of bytes it takes in a reparse buffer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no unit at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads WTF-8: UTF-8 in which an *unpaired* surrogate is written as its three bytes. This is how Windows names
    /// that are not Unicode travel through programs that expect bytes.
    ///
    /// None if the bytes are anything else, among them a surrogate pair written as two times three bytes: it would be
    /// a second spelling of one name, and comparing names by bytes would no longer be sound.
    #[must_use]
    pub fn from_wtf8(bytes: &[u8]) -> Option<Self> {
        let mut units = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => {
                    units.extend(text.encode_utf16());
                    return Some(Self(units));
                }
                Err(error) => error,
            };
            let (valid, tail) = rest.split_at_checked(error.valid_up_to())?;
            units.extend(std::str::from_utf8(valid).ok()?.encode_utf16());
            let (&[a, b, c], tail) = tail.split_first_chunk()?;
            if a != 0xED || !(0xA0..=0xBF).contains(&b) || !(0x80..=0xBF).contains(&c) {
                return None;
            }
            let unit = 0xD000 | u16::from(b & 0x3F) << 6 | u16::from(c & 0x3F);
            // Text never ends in a high surrogate, so this one was written by itself too.
            if matches!(unit, 0xDC00..=0xDFFF) && matches!(units.last(), Some(0xD800..=0xDBFF)) {
                return None;
            }
            units.push(unit);
            rest = tail;
        }
    }

    /// Writes WTF-8: see [`from_wtf8`](Self::from_wtf8), which reads it back unchanged. It is UTF-8 if there is no
    /// unpaired surrogate.
    #[must_use]
    pub fn to_wtf8(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len());
        for item in self.chars() {
            match item {
                Ok(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(unit) => {
                    let [high, low] = (unit & 0x0FFF).to_be_bytes();
                    bytes.extend_from_slice(&[0xED, 0x80 | high << 2 | low >> 6, 0x80 | low & 0x3F]);
                }
            }
        }
        bytes
    }

    /// The characters, and by themselves the surrogates that have no partner.
    fn chars(&self) -> impl Iterator<Item = Result<char, u16>> {
        char::decode_utf16(self.0.iter().copied()).map(|item| item.map_err(|e| e.unpaired_surrogate()))
    }
}

impl From<&str> for WideString {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

impl PartialEq<str> for WideString {
    fn eq(&self, other: &str) -> bool {
        self.0.iter().copied().eq(other.encode_utf16())
    }
}

impl PartialEq<&str> for WideString {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for WideString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf16_lossy(&self.0))
    }
}

impl fmt::Debug for WideString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for item in self.chars() {
            match item {
                Ok('\'') => f.write_char('\'')?,
                Ok(c) => write!(f, "{}", c.escape_debug())?,
                Err(unit) => write!(f, "\\u{{{unit:x}}}")?,
            }
        }
        f.write_char('"')
    }
}
