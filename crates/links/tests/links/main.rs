//! The library, asked on temporary trees.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test makes what it looks at")]

mod chain;
