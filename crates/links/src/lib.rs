//! Hard links, symbolic links and junctions as values: read them, plan changes, apply and undo them.
//!
//! Two ideas carry the library. *A link is a value*: [`Link`] is what reading gives, [`LinkSpec`] what
//! making takes, whatever the kind and the system. *Every change is a plan*: planners look at the
//! world and return a [`Plan`]; one executor, [`apply()`], carries it out, journals it and can take
//! it back.
//!
//! ```text
//! error.rs      Error: operation, paths, kind, cause
//! workers.rs    work shared out to several threads
//! model/        the values: Link, LinkKind, Target, State, FileId, LinkSpec; step.rs the data of each kind of step
//! platform/     how each system is read
//! read/         one path or many -> values
//! own_files/    files of the library's own: the state directory and what is in it
//! journal/      SQLite: operations, steps, outcomes, tracked targets
//! step/         one kind of step, one file; os/ has the calls that change something
//! plan/         planners: read the world, return a Plan
//! apply/        the executor
//! ```

pub mod apply;
mod error;
pub mod journal;
mod model;
mod own_files;
pub mod plan;
mod platform;
mod read;
mod workers;

pub(crate) use apply::step;
pub use apply::{apply, create};
pub use error::{Aftermath, Error, ErrorKind, Result};
pub use journal::Journal;
pub use journal::track;
pub use model::name::{Name, name_from_bytes};
pub use model::{
    Attributes, DEFAULT_DRIVE, FileId, FileKind, Form, Home, KindChoice, Link, LinkKind, LinkSpec, Manner,
    Metadata, OnExisting, ReparsePoint, Shape, State, Target, User,
};
pub use plan::{Plan, PlanContext, Step};
pub use plan::{create, relocate, remove, repair, undo};
pub use read::inspect::{Chain, Hop, Inspection, inspect, inspect_path};
pub use read::places::physical_path;
pub use read::scan::{
    Details, Filter, Found, HardLinks, KindFilter, Progress, Receiver, Scan, ScanItem, ScanOptions, scan,
    visit,
};
pub use read::typed::native_path;
pub use read::{check, directory_listing as listing, file_names as names, system, volume};
