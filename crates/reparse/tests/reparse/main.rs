//! Reparse data as the rest of the project meets it: bytes, targets, tags, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod golden;
mod properties;
mod refusals;
mod tags_and_names;
mod targets;
mod way;
