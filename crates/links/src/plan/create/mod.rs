//! Plans new links: decides the kind, words the target as the link's own system wants it, and
//! refuses what would lie or endanger something.

mod mklink;
mod native;
mod windows;

pub(crate) use windows::linux_words;

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use reparse::WideString;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    CreateLink, EntryPath, FileId, FileKind, Form, KindChoice, LinkSpec, MakeDirectory, Manner, Metadata, OnExisting,
    ReplaceLink, Shape, Step, Target, asks_for_directory, file_name_of,
};
use crate::plan::{Finding, Plan, PlanContext};
use crate::platform::{self, Directory, Filesystem, NtfsVolume, Place};
use crate::read::inspect;

/// Plans one link.
///
/// # Errors
/// The name is taken, the parent is missing, the target cannot be stored in the kind of link asked
/// for, the file system has no such links, or link and target are the same.
pub fn plan(spec: &LinkSpec, _context: &PlanContext<'_>) -> Result<Plan> {
    let mut plan = Plan::default();
    let ground = Ground::find(spec, &mut plan)?;
    let existing = ground.existing(spec)?;
    let mut task = Task::new(spec, &ground);
    let (target, file) = match spec.kind {
        KindChoice::Hard => hard(&task)?,
        _ if spec.manner == Manner::Mklink => (mklink::target(&task, &mut plan)?, None),
        KindChoice::Junction => (windows::junction(&task, &mut plan)?, None),
        KindChoice::Auto if windows::only_a_junction_can_be_made(spec, &ground) => {
            let note = "made as a junction: this user may not make symbolic links";
            plan.note("made-as-junction", &ground.link, note);
            task.operation = JUNCTION;
            (windows::junction(&task, &mut plan)?, None)
        }
        KindChoice::Auto | KindChoice::Symlink if ground.ntfs.is_some() || !platform::TEXT_LINKS => {
            (windows::symlink(&task, &mut plan)?, None)
        }
        KindChoice::Auto | KindChoice::Symlink => (native::symlink(&task, &mut plan)?, None),
    };
    let (link, entry) = (ground.link.clone(), ground.entry.clone());
    let Some(metadata) = existing else {
        plan.steps.push(Step::CreateLink(CreateLink { link: entry, target, file, attributes: None, ntfs: None }));
        return Ok(plan);
    };
    let place = ground.place.as_ref();
    let old = place.map(|place| inspect::see(place.spot(), &metadata)).transpose();
    let old = old.map_err(|error| Error::io(CREATE, &link, error))?.flatten();
    match (spec.on_existing, old) {
        (OnExisting::Refuse, _) => Err(taken(&link, &metadata, false).with(&spec.target)),
        (OnExisting::ReplaceLink, None) if file == Some(metadata.id) => {
            plan.note("unchanged", link, "the name is one of the target's already");
            Ok(plan)
        }
        (OnExisting::ReplaceLink, None) => Err(taken(&link, &metadata, true).with(&spec.target)),
        (OnExisting::ReplaceLink, Some(old)) if !old.target.kind().is_name_surrogate() => {
            let cause = "a file or directory that holds its own data has this name, and only links are replaced";
            Err(Error::new(ErrorKind::NotALink, CREATE, &link, cause).with(&spec.target))
        }
        (OnExisting::ReplaceLink, Some(old)) if platform::same_target(&old.target, &target) => {
            plan.note("unchanged", link, "the link is there already and says the same");
            Ok(plan)
        }
        (OnExisting::ReplaceLink, Some(old)) => {
            let (link, attributes, ntfs) = (entry, None, None);
            plan.steps.push(Step::ReplaceLink(ReplaceLink { link, old, target, file, attributes, ntfs }));
            Ok(plan)
        }
    }
}

/// What a symbolic link or junction would say that takes a name that is taken as yet, and what is to be said of it.
pub(crate) fn target_of(spec: &LinkSpec) -> Result<(Target, Vec<Finding>)> {
    let mut plan = Plan::default();
    let ground = Ground::find(spec, &mut plan)?;
    let task = Task::new(spec, &ground);
    let target = match spec.kind {
        KindChoice::Junction => windows::junction(&task, &mut plan)?,
        _ => windows::symlink(&task, &mut plan)?,
    };
    Ok((target, plan.findings))
}

const CREATE: &str = "create link";
const HARD: &str = "create hard link";
const JUNCTION: &str = "create junction";
const SYMLINK: &str = "create symbolic link";

/// The most names that Windows gives a file on NTFS (`CreateHardLinkW`). ntfs-3g itself has no such limit.
const NTFS_NAMES: u64 = 1_024;

/// A link to be made.
struct Task<'a> {
    /// What errors call it.
    operation: &'static str,
    spec: &'a LinkSpec,
    ground: &'a Ground,
}

impl<'a> Task<'a> {
    fn new(spec: &'a LinkSpec, ground: &'a Ground) -> Self {
        let operation = match spec.kind {
            KindChoice::Hard => HARD,
            KindChoice::Junction => JUNCTION,
            KindChoice::Auto | KindChoice::Symlink => SYMLINK,
        };
        Self { operation, spec, ground }
    }

    fn refuse(&self, kind: ErrorKind, cause: impl Into<String>) -> Error {
        Error::new(kind, self.operation, &self.ground.link, cause).with(&self.spec.target)
    }

    fn io(&self, error: io::Error) -> Error {
        Error::io(self.operation, &self.ground.link, error).with(&self.spec.target)
    }

    fn must_have_target(&self) -> Result<()> {
        let is_empty = self.spec.target.is_empty();
        if is_empty { Err(self.refuse(ErrorKind::InvalidTarget, "the target is empty")) } else { Ok(()) }
    }

    /// Refuses a text that is longer than the file system takes.
    fn fits(&self, text: &OsStr) -> Result<()> {
        let Filesystem { longest_target: longest, kind, .. } = &self.ground.filesystem;
        if text.len() > *longest {
            let cause = format!("the target has {} bytes; {kind} takes {longest}", text.len());
            return Err(self.refuse(ErrorKind::TooLong, cause));
        }
        Ok(())
    }

    /// A name letter by letter.
    fn as_typed(&self, text: &OsStr) -> Result<WideString> {
        let cause = "the target is not Unicode, as every name on NTFS is";
        platform::to_wide(text).ok_or_else(|| self.refuse(ErrorKind::InvalidTarget, cause))
    }
}

/// Where the link will be, as far as it exists already.
struct Ground {
    /// The link's path as it was given, without trailing slashes.
    link: PathBuf,
    /// The same for a step.
    entry: EntryPath,
    /// The link's place, unless its parent is still to be made.
    place: Option<Place>,
    /// The nearest directory that exists.
    directory: Directory,
    /// The physical path of the link's parent.
    parent: PathBuf,
    filesystem: Filesystem,
    ntfs: Option<NtfsVolume>,
}

impl Ground {
    fn find(spec: &LinkSpec, plan: &mut Plan) -> Result<Self> {
        let fail = |error: io::Error| Error::io(CREATE, &spec.link, error).with(&spec.target);
        let (place, missing) = match Place::open(CREATE, &spec.link) {
            Ok(place) => (Some(place), Vec::new()),
            Err(error) if error.kind() == ErrorKind::ParentMissing && root_is_away(&spec.link) => {
                let cause = "the drive or share is not there";
                return Err(Error::new(ErrorKind::NotFound, CREATE, &spec.link, cause).with(&spec.target));
            }
            Err(error) if error.kind() == ErrorKind::ParentMissing && spec.parents => {
                let missing = missing_parents(&spec.link);
                if missing.iter().any(|path| file_name_of(path).is_none()) {
                    let cause = "'..' stands behind a directory that is still to be made";
                    return Err(Error::new(ErrorKind::InvalidPath, CREATE, &spec.link, cause).with(&spec.target));
                }
                (None, missing)
            }
            Err(error) => return Err(error.with(&spec.target)),
        };
        let link = match &place {
            Some(place) => place.path.clone(),
            None => spec.link.components().collect(),
        };
        let nearest = missing.first().map_or(&link, |path| path).parent().unwrap_or(Path::new(""));
        let directory = Directory::open(nearest).map_err(fail)?;
        let nearest = platform::physical_path(&directory, nearest).map_err(fail)?;
        let parent = make_all(&missing, nearest, plan);
        let entry = EntryPath::shown_as(parent.join(file_name_of(&link).unwrap_or_default()), &link);
        let filesystem = Filesystem::of(&directory).map_err(fail)?;
        let ntfs = platform::ntfs_volume(&directory).map_err(fail)?;
        // Windows makes what is a directory itself under such a name.
        let is_directory = spec.kind == KindChoice::Junction || spec.shape == Some(Shape::Directory);
        let as_windows = spec.manner == Manner::Mklink && spec.kind != KindChoice::Hard && ntfs.is_some();
        if !(as_windows && is_directory) {
            let named = match &place {
                Some(place) => place.must_be_named(CREATE, &spec.link),
                None if asks_for_directory(&spec.link) => Err(platform::ends_in_slash(CREATE, &spec.link)),
                None => Ok(()),
            };
            named.map_err(|error| error.with(&spec.target))?;
        }
        Ok(Self { link, entry, place, directory, parent, filesystem, ntfs })
    }

    /// What has the link's name now. Link and target being one is said first: it is the likelier slip.
    fn existing(&self, spec: &LinkSpec) -> Result<Option<Metadata>> {
        let Some(place) = &self.place else { return Ok(None) };
        let existing = place.metadata();
        let existing = existing.map_err(|error| Error::io(CREATE, &self.link, error).with(&spec.target))?;
        // What is stored as typed is read from the link's directory, and judged by its planner.
        let from_here = spec.form != Form::AsTyped || matches!(spec.kind, KindChoice::Hard | KindChoice::Junction);
        if spec.manner == Manner::Careful && from_here && self.leads_back(Path::new(&spec.target), spec.manner) {
            let cause = "link and target are the same name: the link would lead to itself";
            return Err(Error::new(ErrorKind::SameFile, CREATE, &self.link, cause).with(&spec.target));
        }
        Ok(existing)
    }

    /// Whether a path, from the current directory, names the link's own place, or a careful user's goes through it: then it
    /// would be a loop.
    fn leads_back(&self, path: &Path, manner: Manner) -> bool {
        // A directory that has the name is refused for that.
        let there = self.place.as_ref().and_then(|place| place.metadata().ok().flatten());
        let is_directory = there.is_some_and(|there| there.kind == FileKind::Directory);
        let ways = if manner == Manner::Careful && !is_directory { usize::MAX } else { 1 };
        path.ancestors().take(ways).any(|path| self.is_link_itself(path))
    }

    fn is_link_itself(&self, path: &Path) -> bool {
        let Some(name) = file_name_of(path) else { return false };
        let Some(mine) = &self.place else {
            // What is still to be made has no links in it.
            return native::without_dots(path) == *self.entry;
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        let same = |other: Directory| Some(other.metadata().ok()?.id == mine.directory.metadata().ok()?.id);
        // To Windows, upper and lower case are one name.
        let one = name == mine.name()
            || (self.ntfs.is_some() || mine.directory.folds_case())
                && platform::collation_key(name) == platform::collation_key(mine.name());
        one && Directory::open(parent).ok().and_then(same) == Some(true)
    }
}

/// Whether not even the root of a path is there: on Windows a drive or share may be away.
fn root_is_away(path: &Path) -> bool {
    let root: PathBuf = path
        .components()
        .take_while(|component| matches!(component, Component::Prefix(_) | Component::RootDir))
        .collect();
    !root.as_os_str().is_empty() && Directory::open(&root).is_err()
}

/// Plans all of these links, or none: with a refusal the plan has no steps.
#[must_use]
pub fn plan_all(specs: &[LinkSpec], context: &PlanContext<'_>) -> Plan {
    let mut all = Plan::default();
    for spec in specs {
        match plan(spec, context) {
            Ok(one) => all.append(one),
            Err(error) => all.refused.push(error),
        }
    }
    if !all.refused.is_empty() {
        all.steps.clear();
    }
    // Several links may want the same missing directory.
    all.deduplicate();
    all
}

/// Plans a directory, with whatever is missing above it.
///
/// # Errors
/// The nearest directory that exists cannot be looked at.
pub fn plan_directory(path: &Path) -> Result<Plan> {
    let mut plan = Plan::default();
    let missing = missing_parents(&path.join("x"));
    let Some(first) = missing.first() else { return Ok(plan) };
    let nearest = first.parent().unwrap_or(Path::new(""));
    let fail = |error| Error::io("make directory", path, error);
    let opened = Directory::open(nearest).and_then(|directory| platform::physical_path(&directory, nearest));
    make_all(&missing, opened.map_err(fail)?, &mut plan);
    Ok(plan)
}

/// Plans directories, each in the one before it and the first in one that exists. Returns the physical path of the last.
fn make_all(missing: &[PathBuf], mut physical: PathBuf, plan: &mut Plan) -> PathBuf {
    for path in missing {
        physical.extend(file_name_of(path));
        let path = EntryPath::shown_as(physical.clone(), path);
        plan.steps.push(Step::MakeDirectory(MakeDirectory { path }));
    }
    physical
}

/// The directories to be made before the link can be, the outermost first.
fn missing_parents(link: &Path) -> Vec<PathBuf> {
    let clean: PathBuf = link.components().collect();
    let is_missing = |parent: &&Path| !parent.as_os_str().is_empty() && Directory::open(parent).is_err();
    let mut missing: Vec<_> = clean.ancestors().skip(1).take_while(is_missing).map(Path::to_owned).collect();
    missing.reverse();
    missing
}

fn taken(link: &Path, metadata: &Metadata, replace: bool) -> Error {
    let (what, only) = match metadata.kind {
        FileKind::Link => ("link", ""),
        FileKind::Directory => ("directory", ", and only links are replaced"),
        FileKind::File | FileKind::Special => ("file", ", and only links are replaced"),
    };
    let (kind, only) = if replace { (ErrorKind::NotALink, only) } else { (ErrorKind::AlreadyExists, "") };
    Error::new(kind, CREATE, link, format!("a {what} has this name{only}"))
}

/// A hard link: one more name of a file that exists, on the same volume.
fn hard(task: &Task<'_>) -> Result<(Target, Option<FileId>)> {
    let Task { spec, ground, .. } = task;
    let refuse = |kind, cause: String| Err(task.refuse(kind, cause));
    let fail = |error| task.io(error);
    task.must_have_target()?;
    let typed = Path::new(&spec.target);
    let existing = match Place::open(HARD, typed) {
        Ok(place) => place,
        Err(error) if error.kind() == ErrorKind::InvalidPath && !asks_for_directory(typed) => {
            return refuse(ErrorKind::IsDirectory, "the target is a directory".into());
        }
        Err(error) => {
            let kind = if error.kind() == ErrorKind::ParentMissing { ErrorKind::NotFound } else { error.kind() };
            return refuse(kind, error.cause());
        }
    };
    let metadata = existing.directory.metadata_nofollow(existing.name());
    if platform::TEXT_LINKS && metadata.is_err() && spec.target.as_encoded_bytes().contains(&b'\\') {
        let cause = "no such file; the target of a hard link is a path of this system, not a Windows one";
        return refuse(ErrorKind::NotFound, cause.into());
    }
    let metadata = metadata.map_err(fail)?;
    match metadata.kind {
        FileKind::Directory => return refuse(ErrorKind::IsDirectory, "the target is a directory".into()),
        FileKind::Link if spec.manner == Manner::Careful => {
            let cause = "the target is itself a symbolic link or junction; name the file it leads to";
            return refuse(ErrorKind::TargetIsLink, cause.into());
        }
        FileKind::Link | FileKind::File | FileKind::Special => {}
    }
    if ground.ntfs.is_some() && metadata.links >= NTFS_NAMES {
        let cause = format!("the file has {} names, and Windows takes {NTFS_NAMES}", metadata.links);
        return refuse(ErrorKind::TooManyLinks, cause);
    }
    let here = ground.directory.metadata().map_err(fail)?;
    if here.id.volume != metadata.id.volume {
        return refuse(ErrorKind::CrossesVolumes, "link and target are on different volumes".into());
    }
    let is_joint = || platform::by_one_mount(&ground.directory, &existing.directory).map(|ways| ways.is_some());
    if !platform::is_one_mount(&ground.directory, &existing.directory).map_err(fail)? && !is_joint().map_err(fail)? {
        let cause = "link and target are on one file system that is mounted twice, and no mount of it shows both";
        return refuse(ErrorKind::CrossesVolumes, cause.into());
    }
    let mut path = existing.directory.physical_path().map_err(fail)?;
    path.push(existing.name());
    Ok((Target::File(path), Some(metadata.id)))
}

/// A path from the current directory, in full: its parent without links, its last name as it is.
/// What does not exist is taken by its text.
fn full_path(path: &Path) -> io::Result<PathBuf> {
    // `a/` and `a/.` mean the directory that `a` leads to.
    if asks_for_directory(path)
        && let Ok(directory) = Directory::open(path)
    {
        return directory.physical_path();
    }
    let mut rest = Vec::new();
    let mut head = path;
    loop {
        // `..` may lie behind a link: only an existing directory can say where it leads.
        let is_name = file_name_of(head).is_some();
        if !is_name || !rest.is_empty() {
            match Directory::open(head) {
                Ok(directory) => {
                    let mut full = directory.physical_path()?;
                    full.extend(rest.iter().rev());
                    return Ok(full);
                }
                Err(error) if !is_name => return Err(error),
                Err(_) => {}
            }
        }
        let Some(name) = head.file_name() else { return Err(io::ErrorKind::InvalidInput.into()) };
        rest.push(name);
        head = head.parent().unwrap_or(Path::new(""));
        if head.as_os_str().is_empty() {
            head = Path::new(".");
        }
    }
}
