//! One path or many -> values. Nothing here knows of a journal, and nothing changes a disk.
//!
//! ```text
//! inspect.rs            one path -> Link
//! away.rs               links to volumes that are not mounted
//! chain.rs              a link followed hop by hop, as its own system would
//! check.rs              links checked against rules
//! identity.rs           what identifies a file or directory wherever it goes
//! file_names.rs         the other names of a hard-linked file
//! directory_listing.rs  a directory name by name, links or not, as `dir` shows it
//! scan/                 live trees -> a stream of links
//! volume/               an NTFS volume that is not mounted
//! places.rs typed.rs    paths without links, and paths as typed
//! system.rs             what the system allows
//! ```

pub(crate) mod away;
pub(crate) mod chain;
pub mod check;
pub mod directory_listing;
pub mod file_names;
pub(crate) mod identity;
pub(crate) mod inspect;
pub(crate) mod places;
pub(crate) mod scan;
pub mod system;
pub(crate) mod typed;
pub mod volume;
