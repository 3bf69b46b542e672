//! What an NTFS volume says of itself, read from an image, a partition or a disk. Nothing is mounted, and
//! nothing is written.
//!
//! ```text
//! identity.rs  its name and its serial number
//! ```

#![forbid(unsafe_code)]

mod identity;

pub use identity::{Identity, identity};
