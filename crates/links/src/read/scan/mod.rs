//! Many paths: a stream of links. Directories are never entered through a link.
//!
//! ```text
//! crew.rs    the workers: who reads which directory, and what is held open meanwhile
//! walk.rs    one directory: its entries, and which of them are wanted
//! judge.rs   where a link leads, for as few calls as it takes
//! hard.rs    names of one file, put together
//! roll.rs    every entry of a directory, for whoever looks for more than links
//! filter.rs  which links are wanted
//! order.rs   what was found, in the order of paths
//! ```

mod crew;
mod filter;
mod hard;
mod judge;
mod order;
mod roll;
mod walk;

use std::ops::ControlFlow;
use std::path::PathBuf;

pub use crew::{Progress, Scan};
pub use filter::{Filter, KindFilter};
pub use hard::HardLinks;
pub use order::sort_by_path;
pub(crate) use roll::{Reader, Roll, half};

use crate::error::Result;
use crate::model::{DEFAULT_DRIVE, Link};
use crate::read::away::VolumesAway;

/// What to look through, and for what.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Where to begin. A path that is itself a link gives that link; ending in a slash, what is
    /// below the directory it leads to.
    pub roots: Vec<PathBuf>,
    /// Which links to give. Default: all symbolic links and reparse points.
    pub filter: Filter,
    /// Whether to stay on the file systems of the roots. Default: no.
    pub one_file_system: bool,
    /// How many directories deep to look: 1 is what is in the roots themselves. Default: no limit.
    pub max_depth: Option<usize>,
    /// What to find out about each link. Default: all but [`Link::resolved`].
    pub details: Details,
    /// The letter that Windows gives an NTFS volume. Default: `C`.
    pub drive: char,
    /// How many threads read. Default: as many as there are cores, up to 8, and at most 2 on a disk that rotates.
    pub workers: Option<usize>,
    /// What is known of volumes that are not mounted: a link to one of them is [`crate::State::Unreachable`]. Default:
    /// nothing is asked.
    pub volumes_away: Option<VolumesAway>,
    /// Directories that are not entered: they were read before.
    pub(crate) known: Vec<PathBuf>,
    /// Whether [`Link::state`] is found out where no filter asks for it; else it stands as [`crate::State::Ok`].
    pub(crate) judges: bool,
}

/// What to find out about each link: each costs calls to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Details {
    /// That there is a link: [`Found::Path`]. What a filter needs to know is found out all the same.
    Path,
    /// Kind, target and state.
    State,
    /// Also [`Link::resolved`].
    Resolved,
    /// Kind, target, state, and the identity and attributes of the link itself.
    #[default]
    Identity,
}

impl ScanOptions {
    /// Everything below the given roots.
    pub fn new(roots: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            roots: roots.into_iter().map(Into::into).collect(),
            filter: Filter::default(),
            one_file_system: false,
            max_depth: None,
            details: Details::Identity,
            drive: DEFAULT_DRIVE,
            workers: None,
            volumes_away: None,
            known: Vec::new(),
            judges: true,
        }
    }
}

/// What a scan finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A link of which no more was asked than where it is.
    Path(PathBuf),
    /// A symbolic link or reparse point.
    Link(Link),
    /// The names of one file, given after everything else.
    HardLinks(HardLinks),
}

/// Looks through trees for links. Errors of single directories are items of the stream; the scan
/// goes on behind them.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # links::create(&links::LinkSpec::new(dir.path().join("link"), "nowhere"))?;
/// for found in links::scan(links::ScanOptions::new([dir.path()])) {
///     if let links::Found::Link(link) = found? {
///         println!("{:?} is {}", link.path, link.state);
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # Platform behavior
/// Several threads read; names come in no order.
pub fn scan(options: ScanOptions) -> Scan {
    Scan::new(options)
}

/// Looks through trees as [`scan`] does, and hands each worker's finds to a receiver of its own, in its own thread:
/// what is done with them is done in parallel. Once a receiver breaks off, all do.
///
/// What the receivers come to is returned in no order.
pub fn visit<R: Receiver + Send>(
    options: &ScanOptions,
    progress: &Progress,
    receiver: impl Fn() -> R + Sync,
) -> Vec<R> {
    let receivers = crew::visit(options, progress, || roll::Finds(receiver()));
    receivers.into_iter().map(|finds| finds.0).collect()
}

/// [`visit`] for whoever is told every entry of every directory, too.
pub(crate) fn visit_all<R: Reader + Send>(
    options: &ScanOptions,
    progress: &Progress,
    receiver: impl Fn() -> R + Sync,
) -> Vec<R> {
    crew::visit(options, progress, receiver)
}

/// Takes the finds of one worker.
pub trait Receiver {
    /// Takes one. Breaks the scan off by [`ControlFlow::Break`].
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()>;
}

/// Keeps everything.
impl Receiver for Vec<ScanItem> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        self.push(item);
        ControlFlow::Continue(())
    }
}

/// An item of a scan.
pub type ScanItem = Result<Found>;
