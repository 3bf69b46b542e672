//! Files of the library's own, never a user's: the state directory and what is in it, and pages that are written elsewhere.

pub(crate) mod os;
mod pages;

pub use pages::{Written, write_files};
