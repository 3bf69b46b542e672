//! What the targets that read volumes share.
//!
//! ```text
//! base.rs     a real volume, and where its structures are
//! patch.rs    the fuzzer's bytes as patches of those structures
//! use_it.rs   everything a command does with a volume
//! limits.rs   memory and time, measured
//! ```

mod base;
mod limits;
mod patch;
mod use_it;

pub use base::Kind;

/// Patches structures of these kinds of the base volume as the bytes say, and does everything with what comes out.
pub fn volume(kinds: &[Kind], bytes: &[u8]) {
    patch::with(kinds, bytes, |image| limits::within(|| use_it::everything(image)));
}

/// Patches two disks with partition tables as the bytes say, and reads the tables.
pub fn partitions(bytes: &[u8]) {
    patch::disk(bytes, |image| limits::within(|| use_it::everything(image)));
}
