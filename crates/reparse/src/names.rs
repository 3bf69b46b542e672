//! The part that symbolic links and mount points share: two names in a path buffer, each with offset and length
//! (MS-FSCC §2.1.2.4, §2.1.2.5). Also the reader of fixed fields.

use crate::data::HEADER;
use crate::{DecodeError, EncodeError, WideString};

/// Reads fixed fields one after the other; a buffer that ends too soon is an error that names the field.
pub(crate) struct Reader<'a> {
    buf: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    /// Starts at byte `pos` of the whole reparse buffer, so that errors carry true offsets.
    pub(crate) fn new(buf: &'a [u8], pos: usize) -> Self {
        Self { buf, pos }
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = self.rest();
        let Some(bytes) = rest.first_chunk::<N>() else {
            return Err(DecodeError::new(self.pos, field, byte_count(N), byte_count(rest.len())));
        };
        self.pos += N;
        Ok(*bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.buf.get(self.pos..).unwrap_or_default()
    }
}

/// A number of bytes in words.
pub(crate) fn byte_count(n: usize) -> String {
    if n == 1 { "1 byte".to_owned() } else { format!("{n} bytes") }
}

/// Where a name is said to be, and where in the buffer that is said.
pub(crate) struct NameField {
    at: usize,
    names: (&'static str, &'static str),
    offset: usize,
    len: usize,
}

impl NameField {
    fn read(reader: &mut Reader<'_>, names: (&'static str, &'static str)) -> Result<Self, DecodeError> {
        let at = reader.pos;
        let offset = usize::from(reader.u16(names.0)?);
        let len = usize::from(reader.u16(names.1)?);
        Ok(Self { at, names, offset, len })
    }

    /// The four numbers at the start of both payloads: substitute name, then print name.
    pub(crate) fn read_pair(reader: &mut Reader<'_>) -> Result<(Self, Self), DecodeError> {
        let substitute = Self::read(reader, ("SubstituteNameOffset", "SubstituteNameLength"))?;
        let print = Self::read(reader, ("PrintNameOffset", "PrintNameLength"))?;
        Ok((substitute, print))
    }

    /// Takes the name from the path buffer. Order, gaps, NULs and overlap are the writer's business; only a name that
    /// is not wholly inside, or not made of whole units, is wrong.
    pub(crate) fn name(&self, path_buffer: &[u8]) -> Result<WideString, DecodeError> {
        let Self { at, names, offset, len } = *self;
        for (at, field, value) in [(at, names.0, offset), (at + 2, names.1, len)] {
            if value % 2 != 0 {
                return Err(DecodeError::new(at, field, "an even number", value.to_string()));
            }
        }
        let size = path_buffer.len();
        let Some(rest) = path_buffer.get(offset..) else {
            return Err(DecodeError::new(at, names.0, format!("at most {size}"), offset.to_string()));
        };
        let Some(bytes) = rest.get(..len) else {
            let left = rest.len();
            return Err(DecodeError::new(at + 2, names.1, format!("at most {left}"), len.to_string()));
        };
        Ok(from_bytes(bytes))
    }
}

/// Whole little-endian units; a byte left over is dropped (callers have checked).
pub(crate) fn from_bytes(bytes: &[u8]) -> WideString {
    let (pairs, _) = bytes.as_chunks::<2>();
    WideString::from_units(pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
}

pub(crate) fn push_units(out: &mut Vec<u8>, units: &[u16]) {
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// The payload of a symbolic link or mount point in the layout that Windows writes: `first` and `second` in the path
/// buffer in this order, each followed by a NUL if `nul`. `fields` turns the two places into the fixed fields.
///
/// # Errors
///
/// [`EncodeError::TooLong`] if a number does not fit in its field; the whole buffer's size is its caller's to check.
pub(crate) fn payload(
    first: &WideString,
    second: &WideString,
    nul: bool,
    fixed_len: usize,
    fields: impl FnOnce(Place, Place) -> Vec<u8>,
) -> Result<Vec<u8>, EncodeError> {
    let gap = if nul { 2 } else { 0 };
    let lens = [first.len(), second.len()].map(|units| units.saturating_mul(2));
    let len = lens.iter().fold(HEADER + fixed_len + 2 * gap, |sum, len| sum.saturating_add(*len));
    let [Ok(first_len), Ok(second_len), Ok(second_at)] = [lens[0], lens[1], lens[0] + gap].map(u16::try_from) else {
        return Err(EncodeError::TooLong { len });
    };
    let mut out = fields([0, first_len], [second_at, second_len]);
    for name in [first, second] {
        push_units(&mut out, name.units());
        if nul {
            push_units(&mut out, &[0]);
        }
    }
    Ok(out)
}

/// A name's place in the path buffer: offset and length, in bytes.
type Place = [u16; 2];

/// The four numbers at the start of both payloads, as bytes.
pub(crate) fn places(substitute: Place, print: Place) -> Vec<u8> {
    [substitute, print].as_flattened().iter().flat_map(|n| n.to_le_bytes()).collect()
}
