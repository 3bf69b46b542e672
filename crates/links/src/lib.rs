//! Hard links, symbolic links and junctions as values: read them, plan changes, apply and undo them.
//!
//! Two ideas carry the library. *A link is a value*: [`Link`] is what reading gives, [`LinkSpec`] what
//! making takes, whatever the kind and the system. *Every change is a plan*: planners look at the
//! world and return a [`Plan`]; one executor, [`apply()`], carries it out, journals it and can take
//! it back.
//!
//! ```text
//! model/        Link, LinkKind, Target, State: the values; file.rs (FileId, Metadata) spec.rs (LinkSpec)
//! name.rs       names in JSON, whatever their bytes
//! error.rs      Error: operation, paths, kind, cause
//! inspect.rs    one path -> Link
//! chain.rs      a link followed hop by hop, as its own system would
//! check.rs      what may be wrong with a link, by rules
//! names.rs      the other names of a hard-linked file
//! scan/         many paths -> a stream of Link: crew.rs walk.rs judge.rs hard.rs filter.rs
//! volume/       an NTFS volume that nobody has mounted: open.rs list.rs inspect.rs listing.rs paths.rs
//! listing.rs    a directory name by name, links or not, as `dir` shows it
//! plan.rs       Plan, Step: data
//! places.rs     which paths are one place
//! create/       planner: native.rs (POSIX text) windows.rs (reparse data on NTFS) mklink.rs (as typed)
//! typed.rs      paths typed in Windows' words
//! remove.rs     planner
//! repair/       planner: broken links find their targets again
//! track.rs      what links lead to, written down
//! identity.rs   what is known of a file or directory again wherever it goes
//! system.rs     what the system allows
//! undo/         planner: an operation backwards, from the journal and the disk; effect.rs
//! journal/      SQLite: open.rs schema.rs rows.rs queue.rs
//! apply/        the executor: step.rs log.rs queue.rs probe.rs state.rs; os/ is what changes a disk
//! platform/     how each system is read
//! ```

pub mod apply;
mod chain;
pub mod check;
pub mod create;
mod error;
mod identity;
mod inspect;
pub mod journal;
pub mod listing;
mod model;
mod name;
pub mod names;
mod places;
pub mod plan;
mod platform;
pub mod relocate;
pub mod remove;
pub mod repair;
mod scan;
pub mod system;
pub mod track;
mod typed;
pub mod undo;
pub mod volume;

pub use apply::{apply, create};
pub use error::{Error, ErrorKind, Result};
pub use inspect::{Chain, Hop, Inspection, inspect, inspect_path};
pub use journal::Journal;
pub use model::{
    Attributes, DEFAULT_DRIVE, FileId, FileKind, Form, Home, KindChoice, Link, LinkKind, LinkSpec, Manner,
    Metadata, OnExisting, ReparsePoint, Shape, State, Target, User,
};
pub use name::{Name, name_from_bytes};
pub use places::{deduplicate, physical_path};
pub use plan::{Plan, Step};
pub use scan::{
    Details, Filter, Found, HardLinks, KindFilter, Progress, Receiver, Scan, ScanItem, ScanOptions, scan,
    visit,
};
pub use typed::native_path;
