//! One path: the link there, where it leads hop by hop, and how it is.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Seen;
use crate::model::{DEFAULT_DRIVE, FileKind, Link, LinkKind, Metadata, State};
use crate::platform::Spot;
use crate::platform::{self, Place};
use crate::read::away::{VolumesAway, wanted};
use crate::read::chain;
pub use crate::read::chain::{Chain, Hop};

const READ: &str = "read";

/// Everything about one path.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The path asked about.
    pub path: PathBuf,
    /// The link. `None` where the path is a directory, or a file with one name.
    pub link: Option<Link>,
    /// The way to the target. `None` for what is not a symbolic link or reparse point.
    pub chain: Option<Chain>,
    /// What the system knows of the object itself, links not followed.
    pub metadata: Metadata,
}

impl Inspection {
    /// Where the link leads nowhere, asks whether its volume is away: then it is [`State::Unreachable`].
    ///
    /// # Errors
    /// Its directory cannot be opened any more.
    pub fn ask_for_volume(&mut self, away: &VolumesAway) -> Result<()> {
        if let (Some(link), Some(chain)) = (&mut self.link, &self.chain)
            && link.state == State::Missing
            && let Some(target) = &link.target
        {
            let place = Place::open(READ, &self.path)?;
            (link.state, link.volume) = away.state(place.spot(), target, &|| wanted(chain));
        }
        Ok(())
    }
}

/// Reads the link at a path. Nothing is followed to find it, except links in its parent.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("link");
/// links::create(&links::LinkSpec::new(&path, "nowhere"))?;
/// let link = links::inspect(&path)?;
/// assert_eq!(link.kind, links::LinkKind::Symlink);
/// assert_eq!(link.state, links::State::Missing);
/// # Ok(()) }
/// ```
///
/// # Errors
/// The path does not exist, cannot be looked at, or is not a link ([`ErrorKind::NotALink`]).
pub fn inspect(path: impl AsRef<Path>) -> Result<Link> {
    let path = path.as_ref();
    inspect_path(path, DEFAULT_DRIVE)?
        .link
        .ok_or_else(|| Error::new(ErrorKind::NotALink, READ, path, "not a link: a directory, or a file with one name"))
}

/// Reads everything about one path. `drive` is the letter that Windows gives the volume it is on.
///
/// # Errors
/// The path does not exist or cannot be looked at.
pub fn inspect_path(path: &Path, drive: char) -> Result<Inspection> {
    // A directory may be asked about by `.` or `/`, which no link can be.
    let operation = READ;
    let place = match Place::open(operation, path) {
        Err(error) if error.kind() == ErrorKind::InvalidPath && !path.as_os_str().is_empty() => {
            let directory = platform::Directory::open(path).map_err(|error| Error::io(operation, path, error))?;
            let metadata = directory.metadata().map_err(|error| Error::io(operation, path, error))?;
            return Ok(Inspection { path: path.to_owned(), link: None, chain: None, metadata });
        }
        place => place?,
    };
    let fail = |error: io::Error| Error::io(operation, path, error);
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let target = see(place.spot(), &metadata).map_err(fail)?.map(|seen| seen.target);
    let path = place.path.clone();
    let Some(target) = target else {
        let several = metadata.kind != FileKind::Directory && metadata.links > 1;
        let link = several.then(|| hard_link(path.clone(), &metadata));
        return Ok(Inspection { path, link, chain: None, metadata });
    };
    let mut chain = chain::follow(place.spot(), drive);
    let state = chain_state(place.spot(), &mut chain);
    let link = Link {
        path: path.clone(),
        kind: target.kind(),
        target: Some(target),
        resolved: chain.resolved.clone(),
        state,
        id: Some(metadata.id),
        attributes: Some(metadata.attributes),
        volume: None,
        several: metadata.links > 1,
    };
    Ok(Inspection { path, link: Some(link), chain: Some(chain), metadata })
}

fn hard_link(path: PathBuf, metadata: &Metadata) -> Link {
    let (id, attributes) = (Some(metadata.id), Some(metadata.attributes));
    Link {
        kind: LinkKind::Hard,
        resolved: None,
        path,
        target: None,
        state: State::Ok,
        id,
        attributes,
        volume: None,
        several: true,
    }
}

/// The identity of what has a path, itself; `None` where that cannot be told.
pub(crate) fn id_of(path: &Path) -> Option<crate::model::FileId> {
    let place = Place::open("look at", path).ok()?;
    place.directory.metadata_nofollow(place.name()).ok().map(|found| found.id)
}

/// The system has the last word on its own links: some (`/proc/PID/exe`) lead where no text says,
/// and its limits count what lies before the link too. Where it does not follow what is well by its data, the chain gets
/// its reason.
pub(crate) fn chain_state(spot: Spot<'_>, chain: &mut Chain) -> State {
    let posix = chain.hops.iter().all(|hop| hop.kind == LinkKind::Symlink);
    if !posix {
        // Windows has policies besides: what it follows is asked only where the data says that all is well.
        let followed = |kind| {
            matches!(kind, LinkKind::SymlinkFile | LinkKind::SymlinkDir | LinkKind::Junction | LinkKind::MountPoint)
        };
        let ask = platform::follows_reparse_points() && chain.state == State::Ok;
        if !ask || !chain.hops.iter().all(|hop| followed(hop.kind)) {
            return chain.state;
        }
        let answer = spot.directory.metadata_follow(spot.name);
        return answer.map_or_else(|error| not_followed(spot, chain, &error), |_| State::Ok);
    }
    match spot.directory.metadata_follow(spot.name) {
        Ok(_) => State::Ok,
        // Too many links, though none of them twice: that something is missing at the end is not the reason.
        Err(error) if platform::error_kind(&error) == ErrorKind::Loop && chain.state != State::Loop => State::TooLong,
        Err(_) if chain.state != State::Ok => chain.state,
        Err(error) => not_followed(spot, chain, &error),
    }
}

/// What the system says of a link that it does not follow, though its data is well.
fn not_followed(spot: Spot<'_>, chain: &mut Chain, error: &io::Error) -> State {
    let number = error.raw_os_error().map(|number| format!(" (error {number})")).unwrap_or_default();
    chain.reason = Some(format!("the system does not follow it: {}{number}", platform::describe(error)));
    chain.failed_at = Some(spot.path.to_owned());
    chain::state_of(error)
}

/// The link at a place as a plan needs to know it. `None` where there is no symbolic link or
/// reparse point.
pub(crate) fn see(spot: Spot<'_>, metadata: &Metadata) -> io::Result<Option<Seen>> {
    let on_ntfs = metadata.kind == FileKind::Link && platform::ntfs_volume(spot.directory)?.is_some();
    let Some(target) = platform::read_link(spot.directory, spot.name, metadata, on_ntfs)? else { return Ok(None) };
    let ntfs = if on_ntfs { platform::ntfs_metadata(spot.directory, spot.name)? } else { None };
    let several = metadata.links > 1;
    Ok(Some(Seen { target, id: metadata.id, attributes: metadata.attributes, several, ntfs }))
}
