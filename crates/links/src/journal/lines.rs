//! Many values in one: a line of JSON for each. Few are text; many are compressed, with what tells whether they are whole.

use std::borrow::Cow;

use lz4_flex::block;
use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};
use serde::Serialize;

use super::rows::broken;
use super::to_sql;

/// Lines of no more bytes stay text, to be read by anybody.
const FEW: usize = 4096;

/// And so do those of more: nothing that a damaged length asks for is made room for.
const MANY: usize = 1 << 26;

/// How many bytes of a hash stand before a block.
const CHECK: usize = 8;

/// A line for each, as it is stored.
pub(super) fn store<T: Serialize>(items: impl Iterator<Item = T>) -> rusqlite::Result<Value> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, &item).map_err(to_sql)?;
        lines.push(b'\n');
    }
    pack(lines)
}

/// Lines as they are stored.
pub(super) fn pack(lines: Vec<u8>) -> rusqlite::Result<Value> {
    if lines.len() > FEW && lines.len() <= MANY {
        let mut stored = check(&lines).to_vec();
        stored.extend(block::compress_prepend_size(&lines));
        return Ok(Value::Blob(stored));
    }
    String::from_utf8(lines).map(Value::Text).map_err(|error| to_sql(serde::ser::Error::custom(error)))
}

/// Lines as they were before they were stored.
pub(super) fn unpack<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Cow<'r, str>> {
    let stored = match row.get_ref(column)? {
        ValueRef::Blob(stored) => stored,
        other => return other.as_str().map(Cow::Borrowed).map_err(|error| broken(column, error)),
    };
    let not_whole = || broken(column, "compressed lines are not whole");
    let (told, packed) = stored.split_at_checked(CHECK).ok_or_else(not_whole)?;
    let length = block::uncompressed_size(packed).map_or(usize::MAX, |(length, _)| length);
    if length > MANY {
        return Err(not_whole());
    }
    let lines = block::decompress_size_prepended(packed).map_err(|_| not_whole())?;
    if told != check(&lines) {
        return Err(not_whole());
    }
    String::from_utf8(lines).map(Cow::Owned).map_err(|_| not_whole())
}

fn check(lines: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new().update(lines).finalize_xof().fill(&mut check);
    check
}
