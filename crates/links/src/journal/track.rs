//! Links whose targets are known by more than a path, so that they find them again.
//!
//! Every link that [`mod@crate::apply`] makes with a journal is recorded there; [`track`] records others. Nothing here
//! changes a disk but for the journal.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Journal, Then, Tracked, now};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, LinkKind, State, Target};
use crate::platform::{self, Directory, FileSystems, Place};
use crate::read::identity::{self, Content};
use crate::read::inspect;
use crate::read::scan::{Details, Found, ScanOptions, scan};

const TRACK: &str = "track";

/// What there is to record of links.
#[derive(Debug, Default)]
pub struct Report {
    /// Links, with what they lead to.
    pub tracked: Vec<Tracked>,
    /// Links that lead nowhere, or where it cannot be looked at: they are not recorded.
    pub broken: Vec<PathBuf>,
    /// Records that are forgotten: nobody wants them, or their links are gone, or say something else.
    pub forgotten: Vec<Tracked>,
    /// What could not be read.
    pub errors: Vec<Error>,
}

impl Report {
    /// Writes it down.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn write(&self, journal: &mut Journal) -> Result<()> {
        // New ones last: a link may say again what it said once.
        for old in &self.forgotten {
            journal.untrack_target(&old.link, &old.target)?;
        }
        journal.track(&self.tracked, Then::Commit)
    }
}

/// Looks at every symbolic link and junction below the roots, and at what it leads to. Nothing is written:
/// [`Report::write`] does that.
#[must_use]
pub fn track(options: ScanOptions) -> Report {
    let mut report = Report::default();
    let mut links = Vec::new();
    for root in &options.roots {
        if is_no_link(root) {
            report.errors.push(Error::new(ErrorKind::InvalidPath, TRACK, root, "it is no link"));
        }
    }
    for found in scan(ScanOptions { details: Details::State, ..options }) {
        match found {
            Ok(Found::Link(link)) => links.push(link.path),
            Ok(_) => {}
            Err(error) => report.errors.push(error),
        }
    }
    links.sort();
    let file_systems = FileSystems::default();
    for link in links {
        match now_of(&link, &file_systems) {
            Ok(Some(tracked)) => report.tracked.push(tracked),
            // As the records of the others have it.
            Ok(None) => report.broken.push(full(&link).unwrap_or(link)),
            Err(error) => report.errors.push(error),
        }
    }
    report
}

/// Looks anew at what links below the paths lead to, of those that are recorded already; with no path, at all of them. A link
/// that leads nowhere keeps its record, by which it may be mended. One that is gone, where its directory is there, is
/// to be forgotten, and so is what it said before. Nothing is written: [`Report::write`] does that.
///
/// # Errors
/// Nothing is recorded there ([`ErrorKind::Nothing`]), or the journal cannot be read.
pub fn refresh(journal: &Journal, paths: &[PathBuf]) -> Result<Report> {
    let mut report = Report::default();
    let mut by_link: BTreeMap<PathBuf, Vec<Tracked>> = BTreeMap::new();
    for tracked in recorded(journal, paths)? {
        by_link.entry(tracked.link.clone()).or_default().push(tracked);
    }
    let file_systems = FileSystems::default();
    for (link, records) in by_link {
        match standing(&link) {
            Standing::Gone => report.forgotten.extend(records),
            Standing::Unknown => {}
            Standing::Says(target) => {
                match now_of(&link, &file_systems) {
                    Ok(Some(tracked)) => report.tracked.push(tracked),
                    Ok(None) => report.broken.push(link),
                    Err(error) => report.errors.push(error),
                }
                let says_other = |record: &Tracked| !platform::same_target(&record.target, &target);
                report.forgotten.extend(records.into_iter().filter(says_other));
            }
        }
    }
    Ok(report)
}

/// What is recorded of links at and below the paths, to be forgotten. Nothing is written: [`Report::write`] does that.
///
/// # Errors
/// Nothing is recorded there ([`ErrorKind::Nothing`]), or the journal cannot be read.
pub fn untrack(journal: &Journal, paths: &[PathBuf]) -> Result<Report> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(recorded_at(journal, path, "untrack")?);
    }
    Ok(Report { forgotten: found, ..Report::default() })
}

/// Whether something else is there than a link, or a directory that may hold some.
fn is_no_link(path: &Path) -> bool {
    let found = Place::open(TRACK, path).ok().and_then(|place| place.metadata().ok()?);
    found.is_some_and(|found| matches!(found.kind, FileKind::File | FileKind::Special))
}

/// A record, and how its link is now.
#[derive(Debug)]
pub struct Listed {
    /// The record.
    pub tracked: Tracked,
    /// The state of the link. `None` where it is gone or says something else now.
    pub state: Option<State>,
}

/// What is recorded at and below the paths, and how each link is; with no path, everything. Nothing is written.
///
/// # Errors
/// Nothing is recorded there ([`ErrorKind::Nothing`]), or the journal cannot be read.
pub fn list(journal: &Journal, paths: &[PathBuf]) -> Result<Vec<Listed>> {
    let state = |tracked: &Tracked| {
        let link = inspect::inspect_path(&tracked.link, crate::model::DEFAULT_DRIVE).ok()?.link?;
        let same = link.target.as_ref().is_some_and(|now| platform::same_target(now, &tracked.target));
        same.then_some(link.state)
    };
    let all = recorded(journal, paths)?.into_iter();
    Ok(all.map(|tracked| Listed { state: state(&tracked), tracked }).collect())
}

fn recorded(journal: &Journal, paths: &[PathBuf]) -> Result<Vec<Tracked>> {
    if paths.is_empty() {
        return journal.tracked(None);
    }
    let mut all = Vec::new();
    for path in paths {
        all.extend(recorded_at(journal, path, TRACK)?);
    }
    all.sort_by(|a, b| (&a.link, a.seen).cmp(&(&b.link, b.seen)));
    all.dedup();
    Ok(all)
}

/// What is recorded at and below a path, which is not nothing.
fn recorded_at(journal: &Journal, path: &Path, operation: &'static str) -> Result<Vec<Tracked>> {
    let full = full(path).map_err(|error| Error::io(operation, path, error))?;
    let records = journal.tracked(Some(&full))?;
    if records.is_empty() {
        let cause = match is_no_link(path) {
            true => "it is no link".to_owned(),
            false => format!("nothing is tracked at or below {}", platform::quoted(path)),
        };
        return Err(Error::new(ErrorKind::Nothing, operation, path, cause));
    }
    Ok(records)
}

/// A path in full, as records have it: without links in its parent. What is not there any more is taken by its text.
pub(crate) fn full(path: &Path) -> io::Result<PathBuf> {
    let name = crate::model::file_name_of(path);
    let parent = if name.is_some() { path.parent().unwrap_or(Path::new("")) } else { path };
    let mut full = match Directory::open(parent) {
        Ok(directory) => directory.physical_path()?,
        Err(_) => std::path::absolute(parent)?,
    };
    full.extend(name);
    Ok(full)
}

/// How a recorded link stands.
enum Standing {
    Says(Target),
    Gone,
    /// Its directory is not there, or cannot be looked into: it may be on a volume that is away.
    Unknown,
}

fn standing(link: &Path) -> Standing {
    let Ok(place) = Place::open_physical(TRACK, link) else { return Standing::Unknown };
    match place.metadata() {
        Ok(None) => Standing::Gone,
        Ok(Some(metadata)) => match inspect::see(place.spot(), &metadata) {
            Ok(Some(seen)) => Standing::Says(seen.target),
            Ok(None) => Standing::Gone,
            Err(_) => Standing::Unknown,
        },
        Err(_) => Standing::Unknown,
    }
}

/// What there is to record of a link as it is now. `None` where it leads nowhere.
fn now_of(link: &Path, file_systems: &FileSystems) -> Result<Option<Tracked>> {
    let place = Place::open(TRACK, link)?;
    let fail = |error| Error::io(TRACK, link, error);
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let Some(seen) = inspect::see(place.spot(), &metadata).map_err(fail)? else { return Ok(None) };
    let found = record(&place, &seen.target, Content::Small, file_systems).map_err(fail)?;
    // What is there and has no path here (/proc is not mounted) leads somewhere all the same.
    if found.is_none()
        && let Err(error) = identity::named(place.spot(), &seen.target).and_then(|held| held.path())
        && error.kind() == io::ErrorKind::Other
    {
        return Err(fail(error));
    }
    Ok(found)
}

/// What there is to record of a link that says this.
pub(crate) fn look(
    link: &Path,
    target: &Target,
    content: Content,
    file_systems: &FileSystems,
) -> Result<Option<Tracked>> {
    let place = Place::open(TRACK, link)?;
    record(&place, target, content, file_systems).map_err(|error| Error::io(TRACK, link, error))
}

fn record(place: &Place, target: &Target, content: Content, file_systems: &FileSystems) -> io::Result<Option<Tracked>> {
    let known = matches!(
        target.kind(),
        LinkKind::Symlink | LinkKind::SymlinkFile | LinkKind::SymlinkDir | LinkKind::Junction | LinkKind::Wsl
    );
    if !known {
        return Ok(None);
    }
    let metadata = place.directory.metadata_nofollow(place.name())?;
    if metadata.kind != FileKind::Link {
        return Ok(None);
    }
    let Some(identity) = identity::of_target(place, target, content, file_systems) else { return Ok(None) };
    Ok(Some(Tracked {
        link: place.directory.physical_path()?.join(place.name()),
        target: target.clone(),
        identity,
        seen: now(),
        object: metadata.id,
        file_system: file_systems.name(&place.directory)?,
    }))
}
