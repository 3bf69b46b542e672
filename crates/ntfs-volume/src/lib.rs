//! An NTFS volume that nobody has mounted, read from an image, a partition or a disk: its links, and what they lead to.
//!
//! Nothing is written, and nothing that is read is believed: each part that makes no sense is an [`Error`] with the
//! number of its file record and its place in the source, and costs that part alone. Memory and time are bounded by
//! what the source holds, not by what it claims.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Mutex;
//! use ntfs_volume::{Directories, Reader, Volume};
//!
//! let volume = Volume::open(Mutex::new(std::fs::File::open("disk.img")?))?;
//! let mut reader = Reader::new(&volume);
//! let found = reader.reparse_points(None);
//! let mut directories = Directories::default();
//! directories.load(&mut reader, found.points.iter().flat_map(|point| &point.names));
//! for point in &found.points {
//!     for name in &point.names {
//!         let path = directories.path(&volume, point.reference, name.parent, &name.name)?;
//!         println!("{}", String::from_utf16_lossy(&path));
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! ```text
//! source.rs       reads at positions, counted
//! partition.rs    where on a disk volumes begin; format.rs: what else a source may hold
//! geometry.rs     the boot sector
//! volume.rs       Volume: the master file table, and records fetched from it, many at once
//! record.rs       a record and its attributes; file_record.rs: one that is kept; runs.rs: data outside it
//! index.rs        B-trees: directories, $R
//! reader.rs       Reader: what was read and may be needed again; upcase.rs: letter case
//! points.rs       reparse points by the volume's own index of them; paths from their names
//! scan.rs         every record in one pass; hard.rs: hard links by that
//! look.rs         names looked up, directories read whole, one file's facts
//! resolve.rs      a link followed hop by hop, as Windows would
//! identity.rs     label and serial number
//! ```

#![forbid(unsafe_code)]

mod bytes;
mod error;
mod file_record;
mod format;
mod geometry;
mod hard;
mod identity;
mod index;
mod look;
mod partition;
mod points;
mod reader;
mod record;
mod resolve;
mod runs;
mod scan;
mod source;
mod upcase;
mod volume;

use file_record::FileRecord;

pub use error::{Error, ErrorKind};
pub use format::{Format, format};
pub use hard::{HardLinked, HardLinks};
pub use identity::{Identity, identity};
pub use look::{FileFacts, Listed};
pub use partition::{Contents, Partition, contents};
pub use points::{Directories, NameIn, Points, ReparsePoint, Way};
pub use reader::Reader;
pub use record::Reference;
pub use resolve::{Detail, End, Followed, Hop, Resolver, Steps};
pub use source::{ReadAt, Reads};
pub use volume::Volume;
