//! Volumes that are damaged, or made to do harm: what is sound on them is still found, and what is not costs neither a
//! panic nor much work. Work is counted in what is read and made, not in seconds.
//!
//! ```text
//! image.rs       volumes written byte by byte
//! survey.rs      everything that commands ask of a volume
//! structures.rs  one structure that makes no sense
//! work.rs        sound by the letter, and made to cost hours or all memory
//! disk.rs        partition tables
//! real.rs        a real volume, cut off
//! ```

mod disk;
mod image;
mod real;
mod structures;
mod survey;
mod work;
