//! NTFS volumes that `mkntfs` made, and volumes written byte by byte to do harm.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod damaged;
mod identity;
