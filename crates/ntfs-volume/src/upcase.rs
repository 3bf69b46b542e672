//! Letter case as a volume has it: `$UpCase`, one upper case for each 16-bit unit.

use std::cmp::Ordering;

/// A table of upper cases.
pub(crate) struct Upcase(Vec<u16>);

impl Upcase {
    /// The size of `$UpCase` in bytes.
    pub(crate) const SIZE: u64 = 2 << 16;

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let whole = u64::try_from(bytes.len()) == Ok(Self::SIZE);
        whole.then(|| Self(crate::bytes::units(bytes)))
    }

    /// As Unicode has it: for volumes whose own table cannot be read.
    pub(crate) fn of_unicode() -> Self {
        let upper = |unit: u16| {
            let mut upper = char::from_u32(u32::from(unit)).into_iter().flat_map(char::to_uppercase);
            match (upper.next(), upper.next()) {
                (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
                _ => unit,
            }
        };
        Self((0..=u16::MAX).map(upper).collect())
    }

    pub(crate) fn of(&self, unit: u16) -> u16 {
        self.0.get(usize::from(unit)).copied().unwrap_or(unit)
    }

    /// The order of names in a directory, letter case apart.
    pub(crate) fn compare(&self, a: impl Iterator<Item = u16>, b: impl Iterator<Item = u16>) -> Ordering {
        a.map(|unit| self.of(unit)).cmp(b.map(|unit| self.of(unit)))
    }

    /// Whether two names are one to Windows.
    pub(crate) fn same(&self, a: &[u16], b: &[u16]) -> bool {
        a.len() == b.len() && self.compare(a.iter().copied(), b.iter().copied()) == Ordering::Equal
    }
}
