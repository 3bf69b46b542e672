//! What the tests of the other crates stand on. Linux only, never published.
//!
//! ```text
//! tree.rs          tree!: a fixture written down and built
//! trees.rs         named trees: basic links loops dangling escape weirdnames deep
//! canary.rs        Snapshot: everything there is to know about a tree, and a check that none of it changed
//! volume.rs        Volume: a real NTFS, ext4, xfs, btrfs or tmpfs, made, mounted, filled, remounted, unmounted
//! bind.rs          Bind: a FUSE mount that is not ntfs-3g
//! ntfs.rs          reparse points through ntfs-3g, and the $Reparse index of an unmounted image
//! ntfs_volumes.rs  NTFS volumes of many shapes with everything on them, and what a listing of their links must be
//! require.rs       require!: a machine that lacks something fails the run; nothing is skipped in silence
//! report.rs        ran_on: which filesystems the run really touched
//! user.rs          as_user: a command as an ordinary user
//! strace.rs        which system calls a command makes, and what it does when one of them fails
//! mount.rs         (private) one mount and the FUSE process behind it
//! walk.rs          (private) a walk that paths longer than PATH_MAX do not stop
//! ```
//!
//! A helper that cannot do its work panics and says why: there is nobody to return an error to.
//!
//! ```
//! use testkit::{Snapshot, tree};
//!
//! let dir = tempfile::tempdir().unwrap();
//! tree!(dir, { "outside/canary" => file("alive"), "link" => symlink("outside") });
//! let canary = Snapshot::of(dir.path().join("outside"));
//! std::fs::remove_file(dir.path().join("link")).unwrap(); // what is being tested
//! canary.assert_unchanged();
//! ```
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test helper changes disks by design, and a panic is how it fails the test"
)]

pub mod bind;
pub mod canary;
mod mount;
pub mod ntfs;
pub mod ntfs_volumes;
pub mod report;
pub mod require;
pub mod strace;
pub mod tree;
pub mod trees;
pub mod user;
pub mod volume;
mod walk;

pub use bind::Bind;
pub use canary::Snapshot;
pub use report::ran_on;
pub use user::as_user;
pub use volume::{Fs, Volume};
