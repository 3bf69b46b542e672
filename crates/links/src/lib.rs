//! Hard links, symbolic links and junctions as values: read them, plan changes, apply and undo them.
//!
//! Read one link: what it is, what it says, and where it leads, hop by hop.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("current");
//! # links::create(&links::LinkSpec::new(&path, "release-3"))?;
//! let found = links::inspect_path(&path, links::DEFAULT_DRIVE)?;
//! if let Some(link) = found.link {
//!     println!("{} is a {}, {}", link.path.display(), link.kind, link.state);
//!     # assert_eq!(link.state, links::State::Missing);
//! }
//! for hop in found.chain.iter().flat_map(|chain| &chain.hops) {
//!     println!("{} -> {:?}", hop.link.display(), hop.target);
//! }
//! # Ok(()) }
//! ```
//!
//! List the broken links of a tree. Several threads read it; a directory that cannot be read is an error in the stream, and
//! the scan goes on.
//!
//! ```
//! use links::{Filter, Found, ScanOptions, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (tree, mut broken) = (dir.path(), 0);
//! # links::create(&links::LinkSpec::new(tree.join("current"), "release-3"))?;
//! let mut options = ScanOptions::new([tree]);
//! options.filter = Filter::new([], [State::Missing, State::Loop]);
//! for found in links::scan(options) {
//!     match found {
//!         Ok(Found::Link(link)) => println!("{}: {}", link.path.display(), link.state),
//!         Ok(_) => {}
//!         Err(error) => eprintln!("{error}"),
//!     }
//!     # broken += 1;
//! }
//! # assert_eq!(broken, 1);
//! # Ok(()) }
//! ```
//!
//! Make a link, then replace it by one to another target. The replacement is one rename: a program that opens the path
//! meanwhile finds either the old link or the new one.
//!
//! ```
//! use links::{LinkSpec, OnExisting};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("current");
//! links::create(&LinkSpec::new(&path, "release-3"))?;
//!
//! let mut spec = LinkSpec::new(&path, "release-4");
//! spec.on_existing = OnExisting::ReplaceLink;
//! let link = links::create(&spec)?;
//! assert_eq!(link.kind, links::LinkKind::Symlink);
//! # assert_eq!(std::fs::read_link(&path)?, std::path::Path::new("release-4"));
//! # Ok(()) }
//! ```
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
    Attributes, DEFAULT_DRIVE, FileId, FileKind, Form, Home, KindChoice, Link, LinkKind, LinkSpec, Manner, Metadata,
    NtfsMetadata, OnExisting, ReparsePoint, Shape, State, Target, User, Volume,
};
#[doc(hidden)]
pub use own_files::{Written, write_files};
pub use plan::{Plan, PlanContext, Step};
pub use plan::{create, relocate, remove, repair, undo};
pub use read::away::{Nowhere, VolumesAway};
pub use read::inspect::{Chain, Hop, Inspection, inspect, inspect_path};
pub use read::places::physical_path;
pub use read::scan::{
    Details, Filter, Found, HardLinks, KindFilter, Progress, Receiver, Scan, ScanItem, ScanOptions, scan, sort_by_path,
    visit,
};
pub use read::typed::native_path;
pub use read::{check, directory_listing as listing, file_names as names, system, volume};

// The public types can be used by several threads. Checked here, so that no private field takes it away unnoticed.
const _: () = {
    const fn is_send<T: Send>() {}
    const fn is_shared<T: Send + Sync + 'static>() {}
    is_send::<Scan>();
    is_send::<Journal>();
    is_shared::<Error>();
    is_shared::<Link>();
    is_shared::<LinkSpec>();
    is_shared::<Inspection>();
    is_shared::<Filter>();
    is_shared::<ScanOptions>();
    is_shared::<Found>();
    is_shared::<Progress>();
    is_shared::<Plan>();
    is_shared::<check::Rules>();
    is_shared::<volume::Volume>();
};
