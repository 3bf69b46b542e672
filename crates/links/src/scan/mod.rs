//! Many paths: a stream of links. Directories are never entered through a link.

mod filter;
mod walk;

use std::path::PathBuf;

pub use filter::{Filter, KindFilter};
pub use walk::Scan;

use crate::error::Result;
use crate::model::{DEFAULT_DRIVE, FileId, Link};

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
    /// Whether to work out [`Link::resolved`] for links that are `ok`. Default: no, it costs time.
    pub resolve: bool,
    /// The letter that Windows gives an NTFS volume. Default: `C`.
    pub drive: char,
}

impl ScanOptions {
    /// Everything below the given roots.
    pub fn new(roots: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            roots: roots.into_iter().map(Into::into).collect(),
            filter: Filter::default(),
            one_file_system: false,
            resolve: false,
            drive: DEFAULT_DRIVE,
        }
    }
}

/// What a scan finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A symbolic link or reparse point.
    Link(Link),
    /// The names of one file, given after everything else.
    HardLinks(HardLinks),
}

/// The names of one file that a scan has met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardLinks {
    /// The names found, in order.
    pub paths: Vec<PathBuf>,
    /// The number of names the file has, found or not.
    pub links: u64,
    /// The size in bytes.
    pub size: u64,
    /// The file's identity.
    pub id: FileId,
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
/// Names come in the order in which the file system keeps them.
pub fn scan(options: ScanOptions) -> Scan {
    Scan::new(options)
}

/// An item of a scan.
pub type ScanItem = Result<Found>;
