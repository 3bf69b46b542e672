//! The library, asked on temporary trees.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests make what they look at"
)]

mod chain;
mod create;
mod points;
mod remove;
mod repair;
mod scan;
mod support;
mod two_mounts;
mod undo;
