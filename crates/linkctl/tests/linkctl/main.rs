//! The command on Linux, in one program: what it prints, what it does to real file systems, and what it leaves there.
//!
//! All tests are threads of one process and run side by side. So none of them changes what the process has one of (its
//! environment, its current directory, its umask), each has its own work directory, journal and volumes, and what counts
//! processes or mounts counts those of its own alone.
//!
//! The tests of the Windows program are a second binary, `tests/windows/`: these here mount volumes and trace system
//! calls, and neither compiles there.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

mod batch;
mod common;
mod crash;
mod create;
mod drop_ins;
mod dry_run;
mod endless;
mod faults;
mod interface;
mod journal;
mod json_schema;
mod killed_is_recorded;
mod ntfs;
mod ntfs_faults;
mod older_journals;
mod other_verbs;
mod overlay;
mod races;
mod records;
mod relocate;
mod remove_undo;
mod repair;
mod scan;
mod show_list;
mod volume;
