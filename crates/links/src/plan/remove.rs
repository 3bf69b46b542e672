//! Plans the removal of links: of the link objects and nothing else.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use reparse::Tag;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    ClearReparsePoint, EntryPath, FileId, FileKind, LinkKind, Metadata, RemoveLink, ReparsePoint, Target,
};
use crate::plan::{Finding, Plan, PlanContext, Seen, Severity, Step};
use crate::platform::{self, Directory, Place};
use crate::read::file_names;
use crate::read::inspect;
use crate::read::scan::{Filter, Found, KindFilter, Progress, ScanOptions, sort_by_path, visit};

const REMOVE: &str = "remove";

/// What to remove.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoveSpec {
    /// Links; or with [`RemoveSpec::below`], directories.
    pub paths: Vec<PathBuf>,
    /// Only links of these kinds. One name of a hard-linked file needs [`KindFilter::HARD`]. Default: any link that is no
    /// hard link.
    pub kind: Option<KindFilter>,
    /// Whether the links below `paths` are meant, and which. Nothing is followed. Default: the paths themselves.
    pub below: Option<Below>,
}

/// Which links below a directory are meant.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Below {
    /// What is left out. Default: nothing.
    pub filter: Filter,
    /// Whether to stay on the file systems of the directories. Default: no.
    pub one_file_system: bool,
}

impl RemoveSpec {
    /// These links.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), kind: None, below: None }
    }
}

/// A removal, planned.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Removal {
    /// What will be done. What cannot be removed is in [`Plan::refused`].
    pub plan: Plan,
    /// What could not be read below the directories.
    pub unread: Vec<Error>,
}

/// Plans the removal of links, each once, however often it is named.
///
/// # Errors
/// None of its own: what is no link, is a link of another kind than asked for, or would lose the last name of a file is
/// in [`Plan::refused`].
pub fn plan(spec: &RemoveSpec, context: &PlanContext<'_>) -> Result<Removal> {
    let mut removal = Removal::default();
    for path in &spec.paths {
        let planned = match &spec.below {
            None => one(path, spec.kind, &mut removal.plan),
            Some(below) => links_below(path, below, context, &mut removal),
        };
        removal.plan.refused.extend(planned.err());
    }
    removal.plan.deduplicate();
    drop_same_names(&mut removal.plan);
    if removal.plan.refused.is_empty() {
        removal.plan.refused = last_names(&removal.plan);
    }
    Ok(removal)
}

/// Plans the removal of one link.
fn one(path: &Path, kind: Option<KindFilter>, plan: &mut Plan) -> Result<()> {
    let place = Place::open(REMOVE, path)?;
    let link = place.path.clone();
    let fail = |error| Error::io(REMOVE, &link, error);
    let refuse = |kind, cause: String| Err(Error::new(kind, REMOVE, &link, cause));
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let as_name = kind == Some(KindFilter::HARD) && metadata.links > 1;
    let old = match inspect::see(place.spot(), &metadata).map_err(fail)? {
        Some(seen) if !as_name => {
            note_on(&link, &seen.target, plan);
            let found = seen.target.kind();
            if !is_link(&seen.target) {
                return refuse(ErrorKind::NotALink, holds_data(found));
            }
            if kind.is_some_and(|kind| !kind.matches(found)) {
                return refuse(ErrorKind::NotALink, format!("it is a {found}, not of the kind asked for"));
            }
            seen
        }
        _ => {
            let name = one_name(&place, &metadata, kind)?;
            tell_of_short_name(&place, plan);
            name
        }
    };
    let link = place.entry().map_err(fail)?;
    plan.steps.push(Step::RemoveLink(RemoveLink { link, old }));
    Ok(())
}

/// Plans to take the reparse data off a path; the empty directory or file that carried it stays.
///
/// # Errors
/// The path is no reparse point ([`ErrorKind::NotALink`]), or its tag belongs to a file that needs it to be read
/// (cloud, compressed and deduplicated files): that would lose data ([`ErrorKind::NotSupported`]).
pub fn plan_reparse_point(path: &Path) -> Result<Plan> {
    const DELETE: &str = "delete the reparse point of";
    let place = Place::open(DELETE, path)?;
    let fail = |error| Error::io(DELETE, &place.path, error);
    let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
    let old = inspect::see(place.spot(), &metadata).map_err(fail)?;
    let Some(old @ Seen { target: Target::Reparse(_), .. }) = old else {
        return Err(Error::new(ErrorKind::NotALink, DELETE, &place.path, "it is no reparse point"));
    };
    if !is_link(&old.target) && old.target.kind() != LinkKind::AppExec {
        let cause = holds_data(old.target.kind());
        return Err(Error::new(ErrorKind::NotSupported, DELETE, &place.path, cause));
    }
    let path = place.entry().map_err(fail)?;
    Ok(Plan { steps: vec![Step::ClearReparsePoint(ClearReparsePoint { path, old })], ..Plan::default() })
}

/// A name may be reached by two paths: through two mounts of one file system, or in other letters.
fn drop_same_names(plan: &mut Plan) {
    let mut counts: HashMap<FileId, usize> = HashMap::new();
    for step in &plan.steps {
        if let Step::RemoveLink(RemoveLink { old, .. }) = step {
            *counts.entry(old.id).or_default() += 1;
        }
    }
    let mut names = Names::default();
    plan.steps.retain(|step| match step {
        Step::RemoveLink(RemoveLink { link, old }) if counts.get(&old.id).is_some_and(|count| *count > 1) => {
            names.is_new(old.id, link).unwrap_or(true)
        }
        _ => true,
    });
}

/// Names of objects that were met, by the directories that they are in.
#[derive(Default)]
struct Names {
    met: HashMap<(FileId, FileId), Met>,
    /// A directory lists each of its names once, in the letters it was made in.
    listed: HashMap<FileId, HashSet<OsString>>,
}

/// Names of one object in one directory, and whether any of them is not listed there.
#[derive(Default)]
struct Met(HashSet<OsString>, bool);

impl Names {
    fn is_new(&mut self, object: FileId, link: &EntryPath) -> Result<bool> {
        let place = Place::of_entry(REMOVE, link)?;
        let fail = |error| Error::io(REMOVE, &place.path, error);
        let directory = place.directory.metadata().map_err(fail)?.id;
        let listed = match self.listed.entry(directory) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let entries = place.directory.entries().map_err(fail)?;
                unknown.insert(entries.filter_map(|entry| Some(entry.ok()?.name)).collect())
            }
        };
        // What is not listed is another spelling of a name that is.
        let is_unlisted = !listed.contains(place.name());
        let Met(names, any_unlisted) = self.met.entry((object, directory)).or_default();
        *any_unlisted |= is_unlisted;
        let is_new = names.is_empty() || !*any_unlisted;
        Ok(names.insert(place.name().to_owned()) && is_new)
    }
}

/// Refusals for files that would lose all their names by a plan.
fn last_names(plan: &Plan) -> Vec<Error> {
    let mut planned: BTreeMap<FileId, u64> = BTreeMap::new();
    let hard = plan.steps.iter().filter_map(|step| match step {
        Step::RemoveLink(RemoveLink { link, old }) if matches!(old.target, Target::File(_)) => Some((link, old.id)),
        _ => None,
    });
    let mut refused = Vec::new();
    for (link, id) in hard {
        let count = planned.entry(id).or_insert(0);
        *count += 1;
        let names = Place::of_entry(REMOVE, link).ok().and_then(|place| place.metadata().ok().flatten());
        if names.is_none_or(|metadata| metadata.links <= *count) {
            let cause = "with the others named here, it is the last name of its file";
            refused.push(Error::new(ErrorKind::LastName, REMOVE, link.shown(), cause));
        }
    }
    refused
}

/// Plans the removal of the symbolic links and junctions below a directory.
fn links_below(directory: &Path, below: &Below, context: &PlanContext<'_>, removal: &mut Removal) -> Result<()> {
    let clean: PathBuf = directory.components().collect();
    let fail = |error| Error::io(REMOVE, directory, error);
    let refuse = |kind, cause: &str| Err(Error::new(kind, REMOVE, directory, cause));
    match Place::open(REMOVE, &clean) {
        Ok(place) => match place.directory.metadata_nofollow(place.name()).map_err(fail)?.kind {
            FileKind::Directory => {}
            FileKind::Link => {
                return refuse(ErrorKind::TargetIsLink, "it is itself a link, which is not followed");
            }
            _ => return refuse(ErrorKind::NotADirectory, "not a directory"),
        },
        // `.`, `..` and `/` are directories by their name.
        Err(error) if error.kind() == ErrorKind::InvalidPath && !directory.as_os_str().is_empty() => {}
        Err(error) => return Err(error),
    }
    let opened = Directory::open(&clean).map_err(fail)?;
    let physical = platform::physical_path(&opened, &clean).map_err(fail)?;
    let mut options = ScanOptions::new([clean.clone()]);
    options.filter = below.filter.clone();
    options.one_file_system = below.one_file_system;
    options.judges = false;
    // What is to be removed is put in order first: a second thread would gain little.
    options.workers = Some(1);
    let unseen = Progress::default();
    let found = visit(&options, context.progress.unwrap_or(&unseen), Vec::new);
    let Removal { mut plan, mut unread } = Removal::default();
    for found in found.into_iter().flatten() {
        let link = match found {
            Ok(Found::Link(link)) => link,
            Ok(Found::HardLinks(_) | Found::Path(_)) => continue,
            Err(error) => {
                unread.push(error);
                continue;
            }
        };
        let several = link.several;
        let (Some(target), Some(id), Some(attributes)) = (link.target, link.id, link.attributes) else {
            let cause = "it is a link, but what it says may not be read, so it could not be brought back";
            unread.push(Error::new(ErrorKind::PermissionDenied, REMOVE, link.path, cause));
            continue;
        };
        if !is_link(&target) {
            plan.note("holds-data", link.path, holds_data(link.kind));
            continue;
        }
        note_on(&link.path, &target, &mut plan);
        // From what the walk saw by descriptor: looked up again by its path, it may be another.
        let old = Seen { target, id, attributes, several, ntfs: None };
        let rest = link.path.strip_prefix(&clean).unwrap_or(&link.path);
        let link = EntryPath::shown_as(physical.join(rest), &link.path);
        plan.steps.push(Step::RemoveLink(RemoveLink { link, old }));
    }
    sort_by_path(&mut plan.steps, |step| step.path().shown());
    look_closer(&mut plan.steps);
    sort_by_path(&mut plan.findings, |finding| &finding.path);
    sort_by_path(&mut unread, Error::path);
    removal.plan.append(plan);
    removal.unread.extend(unread);
    Ok(())
}

/// Adds what the walk does not ask for: what NTFS keeps of a link.
fn look_closer(steps: &mut [Step]) {
    let mut last: Option<(PathBuf, Option<Directory>)> = None;
    for step in steps {
        let Step::RemoveLink(RemoveLink { link, old }) = step else { continue };
        let (Some(parent), Some(name)) = (link.parent(), link.file_name()) else { continue };
        if last.as_ref().is_none_or(|(path, _)| path != parent) {
            let on_ntfs = |directory: &Directory| platform::ntfs_volume(directory).is_ok_and(|found| found.is_some());
            last = Some((parent.to_owned(), Directory::open_physical(parent).ok().filter(on_ntfs)));
        }
        // Whatever has its name by now is not what the step is for.
        if let Some((_, Some(directory))) = &last
            && directory.metadata_nofollow(name).is_ok_and(|found| found.id == old.id)
        {
            old.ntfs = platform::ntfs_metadata(directory, name).ok().flatten();
        }
    }
}

/// Whether removing the object loses nothing. A file with a tag that nobody knows may hold data of its
/// own; a directory is removed only if nothing is in it.
fn is_link(target: &Target) -> bool {
    match target {
        Target::Reparse(point) => match point.kind() {
            LinkKind::Other(tag) => tag.is_name_surrogate() && (point.directory || is_broken_link(point)),
            kind => kind.is_name_surrogate(),
        },
        Target::Text(_) | Target::File(_) => true,
    }
}

/// Data of a symbolic link that does not decode: a link all the same.
fn is_broken_link(point: &ReparsePoint) -> bool {
    matches!(point.tag(), Tag::SYMLINK | Tag::MOUNT_POINT | Tag::LX_SYMLINK) && point.decode().is_err()
}

fn note_on(link: &Path, target: &Target, plan: &mut Plan) {
    if let Target::Reparse(point) = target
        && let Err(error) = point.decode()
    {
        plan.note("broken-data", link, format!("its data is broken ({error}): undo may not be able to write it again"));
    }
}

/// One name of a file, or of anything else that is no directory.
fn one_name(place: &Place, metadata: &Metadata, kind: Option<KindFilter>) -> Result<Seen> {
    let refuse = |kind, cause: &str| Err(Error::new(kind, REMOVE, &place.path, cause));
    match metadata.kind {
        FileKind::Directory => return refuse(ErrorKind::IsDirectory, "a directory; only links are removed"),
        FileKind::Special if metadata.links < 2 => {
            return refuse(ErrorKind::NotALink, "a device, pipe or socket; only links are removed");
        }
        FileKind::File | FileKind::Link | FileKind::Special => {}
    }
    if metadata.links < 2 {
        return refuse(ErrorKind::LastName, "a file with this one name; only links are removed");
    }
    match kind {
        Some(kind) if kind == KindFilter::HARD => {}
        Some(_) => {
            return refuse(ErrorKind::NotALink, "a file with several names, not of the kind asked for");
        }
        None => {
            return refuse(ErrorKind::KindNeeded, "a file with several names");
        }
    }
    // Another name is what brings this one back; those elsewhere are looked for when it is needed.
    let parent = place.directory.physical_path().ok();
    let names = parent.map(|parent| file_names::find(metadata, &parent, &[])).transpose()?;
    let others = names.map(|names| names.paths).unwrap_or_default();
    let other = others.into_iter().find(|path| path.file_name() != Some(place.name()));
    let target = Target::File(other.unwrap_or_default());
    Ok(Seen { target, id: metadata.id, attributes: metadata.attributes, several: false, ntfs: None })
}

/// An 8.3 name goes with the name that has it, and a file with several names is given none again.
fn tell_of_short_name(place: &Place, plan: &mut Plan) {
    let (directory, name) = (&place.directory, place.name());
    let text = match platform::short_name(directory, name) {
        Some(short) => format!("its short name {} goes with it", platform::quoted(Path::new(&short))),
        None if platform::has_short_name(directory, name) => "the short name of the file may go with it".to_owned(),
        None => return,
    };
    let text = format!("{text}, and `undo` does not bring that back");
    plan.findings.push(Finding::new(Severity::Warning, "short-name", &place.path, text));
}

fn holds_data(kind: LinkKind) -> String {
    let what = match kind {
        LinkKind::Other(tag) => tag.name().map_or_else(|| tag.to_string(), std::borrow::Cow::into_owned),
        kind => kind.to_string(),
    };
    format!("a reparse point ({what}) that holds its own data or service, not a link; only links are removed")
}
