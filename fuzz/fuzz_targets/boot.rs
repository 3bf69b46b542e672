//! The boot sector.
#![no_main]
#![allow(clippy::disallowed_methods)] // the macro, on request, writes what it made of the input to a file

use libfuzzer_sys::fuzz_target;
use linkctl_fuzz::Kind;

fuzz_target!(|bytes: &[u8]| linkctl_fuzz::volume(&[Kind::Boot], bytes));
