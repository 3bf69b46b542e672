//! Follows a link hop by hop, as the system would, and says where it ends and at which hop it fails.
//!
//! Windows links on NTFS volumes are followed as Windows follows them, from their own data:
//! `readlink` on ntfs-3g shows a translation that is often wrong.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use reparse::ReparseData;
use reparse::path::{TargetClass, classify, nt_to_win32};
use reparse::way::{Part, Way, way};

use crate::error::ErrorKind;
use crate::model::{DEFAULT_DRIVE, FileId, FileKind, LinkKind, ReparsePoint, State, Target};
use crate::platform::{self, Directory, MAX_HOPS, NtfsVolume, Spot};

/// Windows follows at most 63 reparse points in one path.
const MAX_HOPS_WINDOWS: usize = 63;

/// Where nobody follows any more; bounds the work for links that multiply ("billion laughs").
const GIVE_UP: usize = 1_000;

/// One link on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// The link's physical path.
    pub link: PathBuf,
    /// Its kind.
    pub kind: LinkKind,
    /// What it says, as its own system shows it.
    pub target: Option<OsString>,
}

/// A link followed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chain {
    /// The links in the order in which they were followed, the first being the one asked about.
    pub hops: Vec<Hop>,
    /// How it ended.
    pub state: State,
    /// The physical path reached, if the chain leads somewhere (also to the wrong kind).
    pub resolved: Option<PathBuf>,
    /// Where the chain failed: the physical path that is missing, denied, looped to ...
    pub failed_at: Option<PathBuf>,
    /// Why it failed there, in words.
    pub reason: Option<String>,
    /// The directories gone through behind the first link, also those left again by `..`.
    pub(crate) passed: Vec<PathBuf>,
    /// Of a chain that failed: which hop's own text fails.
    pub(crate) failed_hop: usize,
    /// Where that text would lead to the end, were all of it there.
    pub(crate) wanted: Option<PathBuf>,
    /// The names still to come behind it, where there are names and `..` alone.
    pub(crate) behind: Option<PathBuf>,
}

impl Chain {
    /// What the first link itself names: the next link, or where it leads.
    pub(crate) fn next_place(self) -> Option<PathBuf> {
        self.hops.into_iter().nth(1).map(|hop| hop.link).or(self.resolved)
    }
}

/// One thing still to do on the way.
enum Todo {
    Name(OsString),
    Up,
    Root,
    /// The path asks for a directory here, by ending in `/` or `/.`.
    Directory,
    /// Up, but not out of this NTFS volume: to Windows there is nothing above its root.
    UpWithin(NtfsVolume),
    /// Go to the root of an NTFS volume (what Windows calls its drive).
    VolumeRoot(PathBuf),
    /// Go to the root of another volume, which may be away.
    OtherRoot(PathBuf),
    /// The text of this link, the hop of this number, has been resolved to the end.
    Done(FileId, usize),
}

struct Walk {
    directory: Directory,
    path: PathBuf,
    todo: Vec<Todo>,
    /// Links whose text is not resolved to the end yet: meeting one again is a loop.
    open: HashMap<FileId, usize>,
    hops: Vec<Hop>,
    windows_hops: usize,
    drive: char,
    /// The kind of thing found last.
    kind: FileKind,
    /// Whether it has a path: a pipe that /proc leads to has none.
    has_path: bool,
    /// The directories gone through.
    passed: Vec<PathBuf>,
}

/// Follows the link at `spot`. `drive` is the letter Windows gives the volume that the link is on.
pub(crate) fn follow(spot: Spot<'_>, drive: char) -> Chain {
    let directory = match spot.directory.open_child(OsStr::new(".")) {
        Ok(directory) => directory,
        Err(error) => return failed(Vec::new(), &error, spot.path.to_owned()),
    };
    // The kernel does not name what is deeper than it takes paths: then as it was reached.
    let parent = spot.path.parent().unwrap_or(Path::new(""));
    let path = directory.physical_path().unwrap_or_else(|_| parent.to_owned());
    let mut walk = Walk::new(directory, path, drive);
    walk.todo.push(Todo::Name(spot.name.to_owned()));
    match walk.run() {
        Ok(()) => {
            let directory = walk.kind == FileKind::Directory;
            let fits = match walk.hops.first().map(|hop| hop.kind) {
                Some(LinkKind::SymlinkFile) => !directory,
                Some(LinkKind::SymlinkDir | LinkKind::Junction) => directory,
                _ => true,
            };
            let reason = (!fits).then(|| {
                if directory {
                    "a link for files leads to a directory".to_owned()
                } else {
                    "a link for directories leads to a file".to_owned()
                }
            });
            Chain {
                state: if fits { State::Ok } else { State::WrongKind },
                failed_at: (!fits).then(|| walk.path.clone()),
                reason,
                resolved: walk.has_path.then_some(walk.path),
                hops: walk.hops,
                passed: walk.passed,
                failed_hop: 0,
                wanted: None,
                behind: None,
            }
        }
        Err(Stop { state, at, reason }) => Chain {
            failed_hop: walk.failed_hop(),
            wanted: walk.wanted(&at),
            behind: walk.behind(),
            hops: walk.hops,
            state,
            resolved: None,
            failed_at: Some(at),
            reason: Some(reason),
            passed: walk.passed,
        },
    }
}

/// The letter that a Windows link says, which is then that of its volume.
pub(crate) fn drive_of(data: &ReparseData) -> Option<char> {
    let name = match data {
        ReparseData::Symlink(link) => &link.substitute,
        ReparseData::MountPoint(point) => &point.substitute,
        _ => return None,
    };
    match classify(&nt_to_win32(name)) {
        TargetClass::DriveAbsolute { letter } => Some(letter),
        _ => None,
    }
}

/// Where a Windows link in `directory` with this data would lead to on its own volume, and what is there.
pub(crate) fn reach(
    directory: Directory,
    path: PathBuf,
    data: &ReparseData,
    volume: &NtfsVolume,
    drive: char,
) -> Option<(PathBuf, FileKind)> {
    let mut walk = Walk::new(directory, path, drive);
    let at = walk.path.clone();
    walk.push_windows(&at, data, volume).ok()?;
    walk.run().ok()?;
    Some((walk.path, walk.kind))
}

/// A path from the current directory in the letters of its names, where it leads through a volume of NTFS: to Windows
/// upper and lower case are one, also where a mount tells them apart. What has the last name is not followed, and need not
/// be there. `None` where its directory is not.
pub(crate) fn spelled(path: &Path) -> Option<PathBuf> {
    let here = Directory::open(Path::new(".")).ok()?;
    let start = here.physical_path().ok()?;
    let mut walk = Walk::new(here, start, DEFAULT_DRIVE);
    walk.push(path.parent()?);
    walk.run().ok()?;
    let name = path.file_name()?;
    let found = walk.look_up(name).map_or_else(|_| name.to_owned(), |(found, _)| found);
    Some(walk.path.join(found))
}

/// Whether a reparse point holds data of its own, and the system that is asked here serves it.
fn is_served(point: &ReparsePoint) -> bool {
    let kind = point.kind();
    platform::follows_reparse_points() && matches!(kind, LinkKind::Other(_)) && !kind.is_name_surrogate()
}

/// What is to be told of a directory that holds more than this system shows: only the driver of its tag can look into it.
/// `None` of everything else.
pub(crate) fn sealed(target: &Target, path: &Path) -> Option<crate::error::Error> {
    let Target::Reparse(point) = target else { return None };
    let kind = point.kind();
    if platform::follows_reparse_points()
        || !point.directory
        || !matches!(kind, LinkKind::Other(_))
        || kind.is_name_surrogate()
    {
        return None;
    }
    let (tag, name) = (point.tag(), point.tag().name());
    let named = name.map_or_else(|| tag.to_string(), |name| format!("{tag} {name}"));
    let cause = format!("only Windows can look into a directory with this tag, {named}");
    Some(crate::error::Error::new(ErrorKind::Blocked, "enter directory", path, cause))
}

/// The state that an error of the system amounts to.
pub(crate) fn state_of(error: &io::Error) -> State {
    match platform::error_kind(error) {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidPath => State::Missing,
        ErrorKind::Blocked => State::Blocked,
        ErrorKind::Loop => State::Loop,
        ErrorKind::TooLong => State::TooLong,
        ErrorKind::PermissionDenied => State::Denied,
        _ => State::Unreachable,
    }
}

fn failed(hops: Vec<Hop>, error: &io::Error, at: PathBuf) -> Chain {
    let reason = Some(platform::describe(error));
    let state = state_of(error);
    let (passed, wanted, behind) = (Vec::new(), None, None);
    Chain { hops, state, resolved: None, failed_at: Some(at), reason, passed, failed_hop: 0, wanted, behind }
}

struct Stop {
    state: State,
    at: PathBuf,
    reason: String,
}

impl Stop {
    fn io(error: &io::Error, at: &Path) -> Self {
        Self { state: state_of(error), at: at.to_owned(), reason: platform::describe(error) }
    }

    fn new(state: State, at: &Path, reason: impl Into<String>) -> Self {
        Self { state, at: at.to_owned(), reason: reason.into() }
    }
}

impl Walk {
    fn new(directory: Directory, path: PathBuf, drive: char) -> Self {
        let (todo, open, hops) = (Vec::new(), HashMap::new(), Vec::new());
        Self {
            directory,
            path,
            todo,
            open,
            hops,
            windows_hops: 0,
            drive,
            kind: FileKind::Directory,
            has_path: true,
            passed: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Stop> {
        while let Some(todo) = self.todo.pop() {
            match todo {
                Todo::Done(id, _) => {
                    if let Some(count) = self.open.get_mut(&id) {
                        *count = count.saturating_sub(1);
                    }
                }
                Todo::Root => self.go(Path::new("/"))?,
                Todo::Directory => self.must_be_directory()?,
                Todo::VolumeRoot(root) => self.go(&root)?,
                Todo::OtherRoot(root) => self.go(&root).map_err(|stop| match stop.state {
                    // A drive or share that is not there now may be there tomorrow.
                    State::Missing => Stop { state: State::Unreachable, ..stop },
                    _ => stop,
                })?,
                Todo::UpWithin(volume) if self.path == volume.mount_point => {
                    self.must_be_directory()?;
                    if !volume.is_whole {
                        let reason = "only a folder of the volume is mounted here";
                        return Err(Stop::new(State::Elsewhere, &self.path, reason));
                    }
                    let reason = "the target leads above the root of its volume";
                    return Err(Stop::new(State::Missing, &self.path, reason));
                }
                Todo::Up | Todo::UpWithin(_) => {
                    self.must_be_directory()?;
                    let parent = self.directory.open_parent();
                    self.directory = parent.map_err(|error| Stop::io(&error, &self.path))?;
                    self.path.pop();
                    if !self.has_path {
                        // What is above it is asked for anew.
                        let path = self.directory.physical_path();
                        self.has_path = path.is_ok();
                        self.path = path.unwrap_or_else(|_| self.path.clone());
                    }
                }
                Todo::Name(name) => self.enter(&name)?,
            }
        }
        // Where the system would not have followed all the way, the link is no use.
        let native = self.hops.len() - self.windows_hops;
        if native > MAX_HOPS || self.windows_hops > MAX_HOPS_WINDOWS {
            let most = if native > MAX_HOPS { MAX_HOPS } else { MAX_HOPS_WINDOWS };
            let at = self.hops.get(most).map_or_else(|| self.path.clone(), |hop| hop.link.clone());
            let reason = format!("{} hops; the system follows {most}", self.hops.len());
            return Err(Stop::new(State::TooLong, &at, reason));
        }
        Ok(())
    }

    /// The innermost link whose text was not resolved to the end.
    fn failed_hop(&self) -> usize {
        let done = |todo: &Todo| match todo {
            Todo::Done(_, hop) => Some(*hop),
            _ => None,
        };
        self.todo.iter().rev().find_map(done).unwrap_or(0)
    }

    /// Where the text that failed at a path would lead to the end.
    fn wanted(&self, at: &Path) -> Option<PathBuf> {
        let mut path = at.to_owned();
        for todo in self.todo.iter().rev() {
            match todo {
                Todo::Name(name) => path.push(name),
                Todo::Up | Todo::UpWithin(_) => drop(path.pop()),
                Todo::Directory => {}
                Todo::Root | Todo::VolumeRoot(_) | Todo::OtherRoot(_) => return None,
                Todo::Done(..) => break,
            }
        }
        Some(path)
    }

    /// The names behind the text that failed, and `..`.
    fn behind(&self) -> Option<PathBuf> {
        let inner = self.todo.iter().rposition(|todo| matches!(todo, Todo::Done(..)))?;
        let mut path = PathBuf::new();
        for todo in self.todo.get(..inner)?.iter().rev() {
            match todo {
                Todo::Name(name) => path.push(name),
                Todo::Up => path.push(".."),
                Todo::Done(..) | Todo::Directory => {}
                _ => return None,
            }
        }
        Some(path)
    }

    fn go(&mut self, path: &Path) -> Result<(), Stop> {
        self.directory = Directory::open(path).map_err(|error| Stop::io(&error, path))?;
        path.clone_into(&mut self.path);
        self.has_path = true;
        self.kind = FileKind::Directory;
        Ok(())
    }

    /// A file may only stand at the end of a path.
    fn must_be_directory(&self) -> Result<(), Stop> {
        if self.kind == FileKind::Directory {
            return Ok(());
        }
        Err(Stop::new(State::Missing, &self.path, "not a directory"))
    }

    fn enter(&mut self, name: &OsStr) -> Result<(), Stop> {
        self.must_be_directory()?;
        let (name, metadata) = self.look_up(name)?;
        let at = self.path.join(&name);
        let ntfs = match metadata.kind {
            FileKind::Link => platform::ntfs_volume(&self.directory).map_err(|error| Stop::io(&error, &at))?,
            _ => None,
        };
        let target = platform::read_link(&self.directory, &name, &metadata, ntfs.is_some());
        let mut kind = metadata.kind;
        match target.map_err(|error| Stop::io(&error, &at))? {
            Some(target) if self.jump(&name, &at, &target)? => return Ok(()),
            // Files of a cloud and the like are what they look like, where their own system serves them.
            Some(Target::Reparse(point)) if is_served(&point) => {
                if self.hops.is_empty() {
                    let target = Target::Reparse(point.clone());
                    self.hops.push(Hop { link: at.clone(), kind: point.kind(), target: target.shown() });
                }
                kind = if point.directory { FileKind::Directory } else { FileKind::File };
            }
            Some(target) => return self.hop(&at, metadata.id, &target, ntfs),
            None => {}
        }
        if kind == FileKind::Directory {
            self.directory = self.directory.open_child(&name).map_err(|error| Stop::io(&error, &at))?;
        }
        self.kind = kind;
        self.path = at;
        if self.kind == FileKind::Directory {
            self.passed.push(self.path.clone());
        }
        Ok(())
    }

    /// Goes where the system goes by a link whose text is no path. Whether it is one.
    fn jump(&mut self, name: &OsStr, at: &Path, target: &Target) -> Result<bool, Stop> {
        let jump = self.directory.jump(name);
        if !matches!(jump, Ok(None)) {
            self.hops.push(Hop { link: at.to_owned(), kind: target.kind(), target: target.shown() });
        }
        let Some(jump) = jump.map_err(|error| Stop::io(&error, at))? else { return Ok(false) };
        self.kind = if jump.directory.is_some() { FileKind::Directory } else { FileKind::File };
        self.has_path = jump.path.is_some();
        self.path = jump.path.unwrap_or_else(|| at.to_owned());
        if let Some(directory) = jump.directory {
            self.directory = directory;
            self.passed.push(self.path.clone());
        }
        Ok(true)
    }

    /// Finds a name; on NTFS as Windows does, whatever its case.
    fn look_up(&self, name: &OsStr) -> Result<(OsString, crate::model::Metadata), Stop> {
        let error = match self.directory.metadata_nofollow(name) {
            Ok(metadata) => return Ok((name.to_owned(), metadata)),
            Err(error) => error,
        };
        let missing = error.kind() == io::ErrorKind::NotFound;
        if missing && platform::ntfs_volume(&self.directory).ok().flatten().is_some() {
            let key = platform::collation_key(name);
            for entry in self.directory.entries().map_err(|error| Stop::io(&error, &self.path))? {
                let entry = entry.map_err(|error| Stop::io(&error, &self.path))?;
                if platform::collation_key(&entry.name) == key
                    && let Ok(metadata) = self.directory.metadata_nofollow(&entry.name)
                {
                    return Ok((entry.name, metadata));
                }
            }
            // ntfs-3g lists no 8.3 names, and knows them in upper case.
            let short = OsString::from(name.to_string_lossy().to_uppercase());
            if let Ok(metadata) = self.directory.metadata_nofollow(&short) {
                return Ok((short, metadata));
            }
        }
        Err(Stop::io(&error, &self.path.join(name)))
    }

    fn hop(&mut self, at: &Path, id: FileId, target: &Target, ntfs: Option<NtfsVolume>) -> Result<(), Stop> {
        self.hops.push(Hop { link: at.to_owned(), kind: target.kind(), target: target.shown() });
        if self.hops.len() > GIVE_UP {
            return Err(Stop::new(State::TooLong, at, format!("more than {GIVE_UP} hops")));
        }
        let open = self.open.entry(id).or_insert(0);
        if *open > 0 {
            return Err(Stop::new(State::Loop, at, "the chain comes back to this link"));
        }
        *open += 1;
        self.todo.push(Todo::Done(id, self.hops.len() - 1));
        match target {
            Target::Text(text) => self.push(Path::new(text)),
            Target::Reparse(point) => {
                self.windows_hops += 1;
                let data = point
                    .decode()
                    .map_err(|error| Stop::new(State::Missing, at, format!("the reparse data is broken: {error}")))?;
                let Some(volume) = ntfs else { return Ok(()) };
                self.push_windows(at, &data, &volume)?;
            }
            Target::File(_) => {}
        }
        Ok(())
    }

    /// Puts the components of a POSIX target in front of what is to do, so that the first is next.
    fn push(&mut self, target: &Path) {
        // `a/` and `a/.` ask for a directory, which `Path::components` would forget.
        let bytes = target.as_os_str().as_encoded_bytes();
        if bytes.ends_with(b"/") || bytes.ends_with(b"/.") {
            self.todo.push(Todo::Directory);
        }
        for component in target.components().rev() {
            match component {
                Component::Normal(name) => self.todo.push(Todo::Name(name.to_owned())),
                Component::ParentDir => self.todo.push(Todo::Up),
                Component::RootDir | Component::Prefix(_) => self.todo.push(Todo::Root),
                Component::CurDir => {}
            }
        }
    }

    /// Puts the way of a Windows link in front of what is to do.
    fn push_windows(&mut self, at: &Path, data: &ReparseData, volume: &NtfsVolume) -> Result<(), Stop> {
        let (parts, from_root) = match way(data, Some(volume.letter(self.drive))) {
            Way::FromLink(parts) => (parts, false),
            Way::FromRoot(parts) => (parts, true),
            Way::FromOther { root, parts, reason } => {
                let Some(root) = platform::volume_root(&root) else {
                    return Err(Stop::new(State::Elsewhere, at, reason));
                };
                let todo = |part| match part {
                    Part::Name(name) => Todo::Name(platform::from_wide(&name)),
                    Part::Up => Todo::Up,
                    Part::Directory => Todo::Directory,
                };
                self.todo.extend(parts.into_iter().rev().map(todo));
                self.todo.push(Todo::OtherRoot(root));
                return Ok(());
            }
            Way::Posix(text) => {
                self.push(Path::new(&platform::from_bytes(text)));
                return Ok(());
            }
            Way::Elsewhere(reason) => return Err(Stop::new(State::Elsewhere, at, reason)),
            Way::Nowhere(reason) => return Err(Stop::new(State::Missing, at, reason)),
        };
        for part in parts.into_iter().rev() {
            self.todo.push(match part {
                Part::Name(name) => Todo::Name(platform::from_wide(&name)),
                Part::Up => Todo::UpWithin(volume.clone()),
                Part::Directory => Todo::Directory,
            });
        }
        if from_root {
            let Some(root) = volume.root() else {
                return Err(Stop::new(State::Elsewhere, at, "only a folder of the volume is mounted here"));
            };
            self.todo.push(Todo::VolumeRoot(root.to_owned()));
        }
        Ok(())
    }
}
