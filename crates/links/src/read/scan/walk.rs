//! One directory after the other: read whole, then judged.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::crew::{Crew, Frame, Root};
use super::judge::{Judge, Siblings};
use super::roll::{Reader, Roll};
use super::{Details, Found};
use crate::error::{Error, ErrorKind};
use crate::model::{FileKind, Link, LinkKind, Metadata, State, Target, ends_in_separator, file_name_of, join};
use crate::platform::{self, Directory, Place, ReadBuffer, ReparseIndex, Spot};
use crate::read::chain;

const LIST: &str = "list";
const READ: &str = "read directory";

/// What a worker needs to read directories.
pub(super) struct Walker<'c, 'o> {
    crew: &'c Crew<'o>,
    buffer: ReadBuffer,
    siblings: Siblings,
    /// The directory read last: deep down, mostly the parent of the next.
    last: Option<(PathBuf, Arc<Directory>)>,
}

/// The directory being read.
struct Here<'a> {
    path: &'a Path,
    directory: &'a Arc<Directory>,
    root: &'a Arc<Root>,
    /// How deep what is in it lies: 1 in the root.
    level: usize,
}

impl<'a> Here<'a> {
    /// Its way from the root: `.` is the path of what is right in a root of that name.
    fn relative(&self) -> impl Iterator<Item = Component<'a>> {
        let names = self.path.components().skip(self.root.components);
        names.filter(|component| *component != Component::CurDir)
    }
}

/// What is asked once for all links of a directory, and only where one of them needs it.
struct Asked<'a> {
    siblings: &'a mut Siblings,
    exact: Option<bool>,
    ntfs: OnceCell<bool>,
    /// The directory's path without links.
    physical: OnceCell<PathBuf>,
    /// What is to be told of the link looked at last.
    sealed: Option<Error>,
}

/// What is in a directory, as far as it is of interest.
#[derive(Default)]
struct Entries {
    count: u64,
    directories: Vec<u8>,
    links: Vec<u8>,
    failed: Vec<Error>,
    /// All of them, where somebody asks for that.
    roll: Option<Roll>,
}

impl<'c, 'o> Walker<'c, 'o> {
    pub(super) fn new(crew: &'c Crew<'o>) -> Self {
        Self { crew, buffer: ReadBuffer::new(), siblings: Siblings::default(), last: None }
    }

    /// Begins with a root. A link is given as itself, a directory is entered.
    pub(super) fn begin(&mut self, path: &Path, stack: &mut Vec<Frame>, receiver: &mut impl Reader) -> ControlFlow<()> {
        let opened = match self.open_root(path) {
            Ok(opened) => opened,
            Err(error) => return receiver.receive(Err(error)),
        };
        match opened {
            Opened::Directory(directory, root) => {
                let (directory, root) = (Arc::new(directory), Arc::new(root));
                let here = Here { path, directory: &directory, root: &root, level: 1 };
                if let Some(done) = self.by_index(&here, receiver) {
                    return done;
                }
                let below = Arc::from(Path::new(""));
                self.read(&here, (Arc::clone(&directory), below), stack, receiver)
            }
            Opened::Other(place, metadata) => {
                self.siblings.clear();
                self.siblings.leave();
                let directory = Arc::new(place.directory);
                let parent = place.path.parent().unwrap_or(Path::new("")).to_owned();
                let physical = self.physical(&directory, &parent);
                let components = parent.components().count();
                let root = Arc::new(Root { physical, components, volume: 0 });
                let here = Here { path: &parent, directory: &directory, root: &root, level: 1 };
                match metadata.kind {
                    FileKind::Link => {
                        if self.crew.options.filter.wants_hard_links() {
                            self.file(&here, &place.name, &metadata, &OnceCell::new());
                        }
                        let name = [place.name.as_encoded_bytes(), b"\0"].concat();
                        self.links(&here, &name, Some(&place.path), receiver)
                    }
                    kind if kind != FileKind::Directory && self.crew.options.filter.wants_hard_links() => {
                        self.file(&here, &place.name, &metadata, &OnceCell::new());
                        ControlFlow::Continue(())
                    }
                    _ => ControlFlow::Continue(()),
                }
            }
        }
    }

    /// Reads the links of a whole volume from its own index. `None` where the directories have to be read.
    fn by_index<R: Reader>(&mut self, root: &Here<'_>, receiver: &mut R) -> Option<ControlFlow<()>> {
        let options = self.crew.options;
        if R::ROLLS {
            return None;
        }
        // Of files and of depth the index knows nothing.
        if options.filter.wants_hard_links() || options.max_depth.is_some() {
            return None;
        }
        let shown = root.path.display();
        let paths = match platform::reparse_index(root.directory) {
            ReparseIndex::None => return None,
            ReparseIndex::Read(paths) => paths,
            ReparseIndex::Refused(error) => {
                let why = platform::describe(&error);
                self.crew.progress.remark(format!(
                    "{shown} is read directory by directory: the volume's own index of links was not to be read ({why})"
                ));
                return None;
            }
        };
        self.crew.progress.remark(format!("{shown} is read by the volume's own index of links"));
        self.crew.progress.add(u64::try_from(paths.len()).unwrap_or(u64::MAX), 0);
        let physical = root.directory.physical_path().ok()?;
        let mut last: Option<(PathBuf, Arc<Directory>)> = None;
        for path in paths {
            let (Ok(inside), Some(name)) = (path.strip_prefix(&physical), path.file_name()) else { continue };
            let excluded = inside
                .ancestors()
                .filter(|path| !path.as_os_str().is_empty())
                .any(|path| options.filter.excludes(path, path != inside));
            if excluded {
                continue;
            }
            let parent = path.parent().unwrap_or(&physical);
            let directory = match last.as_ref().filter(|(path, _)| path == parent) {
                Some((_, directory)) => Arc::clone(directory),
                None => match Directory::open_physical(parent) {
                    Ok(directory) => Arc::new(directory),
                    Err(error) if has_changed(&error) => continue,
                    Err(error) => {
                        if receiver.receive(Err(Error::io(READ, parent, error))).is_break() {
                            return Some(ControlFlow::Break(()));
                        }
                        continue;
                    }
                },
            };
            last = Some((parent.to_owned(), Arc::clone(&directory)));
            let below = inside.parent().unwrap_or(Path::new(""));
            let shown = if below.as_os_str().is_empty() { root.path.to_owned() } else { root.path.join(below) };
            let here = Here { path: &shown, directory: &directory, root: root.root, level: 1 };
            self.siblings.clear();
            self.siblings.leave();
            let name = [name.as_encoded_bytes(), b"\0"].concat();
            if self.links(&here, &name, None, receiver).is_break() {
                return Some(ControlFlow::Break(()));
            }
        }
        Some(ControlFlow::Continue(()))
    }

    fn open_root(&self, path: &Path) -> Result<Opened, Error> {
        let fail = |error: io::Error| Error::io(LIST, path, error);
        let slash = ends_in_separator(path.as_os_str().as_encoded_bytes());
        let directory = if file_name_of(path).is_some() && !slash {
            let place = Place::open(LIST, path)?;
            let metadata = place.directory.metadata_nofollow(place.name()).map_err(fail)?;
            if metadata.kind != FileKind::Directory {
                return Ok(Opened::Other(place, metadata));
            }
            // Readable is enough to be listed; what is in it is another matter.
            place.directory.open_child_to_read(place.name())
        } else {
            Directory::open(path).and_then(|directory| directory.open_child_to_read(OsStr::new(".")))
        };
        let directory = directory.map_err(|error| Error::io(READ, path, error))?;
        let physical = self.physical(&directory, path);
        let volume = directory.metadata().map_err(fail)?.id.volume;
        // `.` does not stand in the paths below it, see `join`.
        let components = if path == Path::new(".") { 0 } else { path.components().count() };
        let root = Root { physical, components, volume };
        Ok(Opened::Directory(directory, root))
    }

    /// A root's path without links, where it is asked for.
    fn physical(&self, directory: &Directory, path: &Path) -> PathBuf {
        match self.crew.options.details {
            Details::Resolved => directory.physical_path().unwrap_or_else(|_| path.to_owned()),
            _ => PathBuf::new(),
        }
    }

    /// Reads all directories of a stack, and those below them.
    pub(super) fn go(&mut self, stack: &mut Vec<Frame>, receiver: &mut impl Reader) -> ControlFlow<()> {
        loop {
            if self.crew.is_stopped() {
                return ControlFlow::Break(());
            }
            if self.crew.is_anybody_idle() {
                self.crew.give(stack);
            }
            let Some(frame) = stack.last_mut() else { return ControlFlow::Continue(()) };
            match frame.pop() {
                Some(name) => {
                    let name = platform::from_bytes(name);
                    let (root, from, below) =
                        (Arc::clone(&frame.root), Arc::clone(&frame.from), Arc::clone(&frame.below));
                    let (path, level) = (join(&frame.path, &name), frame.level);
                    if self.crew.options.known.contains(&path) {
                        if frame.names.is_empty() {
                            stack.pop();
                        }
                        continue;
                    }
                    let opened = self.open(frame, &name);
                    if frame.names.is_empty() {
                        stack.pop();
                    }
                    let directory = match opened {
                        Ok(directory) => Arc::new(directory),
                        // What vanishes while a tree is read is no error.
                        Err(error) if has_changed(&error) => continue,
                        Err(error) => {
                            receiver.receive(Err(Error::io(READ, &path, error)))?;
                            continue;
                        }
                    };
                    let here = Here { path: &path, directory: &directory, root: &root, level: level + 1 };
                    let way = if level < self.crew.held_levels {
                        (Arc::clone(&directory), Arc::from(Path::new("")))
                    } else {
                        (from, Arc::from(below.join(&name)))
                    };
                    self.read(&here, way, stack, receiver)?;
                }
                None => drop(stack.pop()),
            }
        }
    }

    fn open(&self, frame: &Frame, name: &OsStr) -> io::Result<Directory> {
        let near = self.last.as_ref().filter(|(path, _)| **path == *frame.path);
        match near {
            _ if frame.below.as_os_str().is_empty() => frame.from.open_child_to_read(name),
            Some((_, parent)) => parent.open_child_to_read(name),
            None => frame.from.open_below(&frame.below)?.open_child_to_read(name),
        }
    }

    /// Reads a directory, hands over what is wanted of it, and puts the directories in it on the stack.
    fn read<R: Reader>(
        &mut self,
        here: &Here<'_>,
        (from, below): (Arc<Directory>, Arc<Path>),
        stack: &mut Vec<Frame>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let options = self.crew.options;
        let deep = here.level > 1;
        if options.one_file_system && deep {
            match here.directory.metadata() {
                Ok(metadata) if metadata.id.volume != here.root.volume => return ControlFlow::Continue(()),
                Ok(_) => {}
                Err(error) => return receiver.receive(Err(Error::io(READ, here.path, error))),
            }
        }
        let mut entries = self.entries(here, R::ROLLS);
        if let Some(roll) = entries.roll.take() {
            receiver.roll(here.path, roll)?;
        }
        for error in entries.failed {
            receiver.receive(Err(error))?;
        }
        self.crew.progress.add(entries.count, 0);
        self.links(here, &entries.links, None, receiver)?;
        let goes_on = self.goes_on(here);
        if goes_on && !entries.directories.is_empty() {
            stack.push(Frame {
                root: Arc::clone(here.root),
                path: Arc::from(here.path),
                from,
                below,
                level: here.level,
                names: entries.directories,
            });
        }
        if here.level > self.crew.held_levels {
            self.last = Some((here.path.to_owned(), Arc::clone(here.directory)));
        }
        ControlFlow::Continue(())
    }

    /// Whether the directories in it are read, too.
    fn goes_on(&self, here: &Here<'_>) -> bool {
        self.crew.options.max_depth.is_none_or(|most| here.level < most)
    }

    /// The hot loop: most entries are plain files that nothing is asked about.
    fn entries(&mut self, here: &Here<'_>, rolls: bool) -> Entries {
        let filter = &self.crew.options.filter;
        let (links, files) = (filter.wants_links(), filter.wants_hard_links());
        // Some of them are directories that cannot be entered.
        let links_too = links || !self.crew.ntfs.is_empty();
        let looks = self.crew.options.details > Details::Path || filter.looks_at_links();
        let judged = links && looks && self.judges();
        let mut entries = Entries { roll: rolls.then(Roll::default), ..Entries::default() };
        // Taken out, as the buffer is lent meanwhile.
        let mut siblings = std::mem::take(&mut self.siblings);
        let mut buffer = std::mem::replace(&mut self.buffer, ReadBuffer::none());
        siblings.clear();
        // The path that patterns see, of one entry after the other: its memory is used again.
        let excludes = filter.has_excludes();
        let mut relative = if excludes { here.relative().collect() } else { PathBuf::new() };
        let id = OnceCell::new();
        let read = here.directory.read(&mut buffer, |name, kind, number| {
            entries.count += 1;
            if judged {
                siblings.add(name, kind);
            }
            let (kind, metadata) = match kind {
                Some(FileKind::File) if !files && !rolls => return,
                Some(FileKind::File) if !files => (FileKind::File, None),
                Some(kind) if !files || kind == FileKind::Directory => (kind, None),
                _ => match here.directory.metadata_nofollow(name) {
                    Ok(metadata) => (metadata.kind, Some(metadata)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                    Err(error) => return entries.failed.push(Error::io(LIST, join(here.path, name), error)),
                },
            };
            if excludes {
                relative.push(name);
                let excluded = filter.excludes(&relative, kind == FileKind::Directory);
                relative.pop();
                if excluded {
                    return;
                }
            }
            if let Some(roll) = &mut entries.roll {
                roll.add(name, kind, number);
            }
            match (kind, metadata) {
                (FileKind::Directory, _) => push(&mut entries.directories, name),
                (kind, metadata) => {
                    if let Some(metadata) = metadata.filter(|_| files) {
                        self.file(here, name, &metadata, &id);
                    }
                    if links_too && kind == FileKind::Link {
                        push(&mut entries.links, name);
                    }
                }
            }
        });
        (self.siblings, self.buffer) = (siblings, buffer);
        if let Err(error) = read
            && !(here.level > 1 && error.kind() == io::ErrorKind::NotFound)
        {
            // The rest of the directory is unknown; the next one may be well.
            self.siblings.leave();
            entries.failed.push(Error::io(READ, here.path, error));
        }
        entries
    }

    /// What is no directory: one name of several, or of no interest.
    fn file(&self, here: &Here<'_>, name: &OsStr, metadata: &Metadata, id: &OnceCell<Option<crate::model::FileId>>) {
        let filter = &self.crew.options.filter;
        if metadata.links < 2
            || metadata.kind == FileKind::Directory
            || !filter.wants_name(name)
            || !filter.wants_file(metadata.id)
        {
            return;
        }
        // Roots that overlap, and two mounts of one file system, show a name twice.
        let directory = *id.get_or_init(|| here.directory.metadata().ok().map(|metadata| metadata.id));
        self.crew.groups().add(metadata, join(here.path, name), directory);
    }

    /// Hands over the links of a directory that are wanted. `path` is the path of the only one, as it was typed.
    fn links(
        &mut self,
        here: &Here<'_>,
        names: &[u8],
        path: Option<&Path>,
        receiver: &mut impl Reader,
    ) -> ControlFlow<()> {
        let options = self.crew.options;
        let plain = options.details == Details::Path && !options.filter.looks_at_links();
        let links = options.filter.wants_links();
        let goes_on = path.is_some() || self.goes_on(here);
        // The names of the directory are lent to the judge.
        let mut siblings = std::mem::take(&mut self.siblings);
        let mut asked = Asked {
            siblings: &mut siblings,
            exact: None,
            ntfs: OnceCell::new(),
            physical: OnceCell::new(),
            sealed: None,
        };
        let mut done = ControlFlow::Continue(());
        for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            let name = platform::as_name(name);
            let path = || path.map_or_else(|| join(here.path, &name), Path::to_owned);
            let wanted = links && options.filter.wants_name(&name);
            if (plain || !wanted) && self.is_on_ntfs(here, &asked) {
                let target = platform::read_target(here.directory, &name, true).ok();
                asked.sealed = target.and_then(|target| chain::sealed(&target, &path()));
            }
            let found = match wanted {
                false => Ok(None),
                true if plain => Ok(Some(Found::Path(path()))),
                true => self.link(here, &name, path(), &mut asked),
            };
            if let Some(error) = asked.sealed.take().filter(|_| goes_on) {
                done = receiver.receive(Err(error));
                if done.is_break() {
                    break;
                }
            }
            let found = match found {
                Ok(None) => continue,
                Ok(Some(found)) => {
                    self.crew.progress.add(0, 1);
                    Ok(found)
                }
                Err(error) => Err(error),
            };
            done = receiver.receive(found);
            if done.is_break() {
                break;
            }
        }
        self.siblings = siblings;
        done
    }

    /// Whether ntfs-3g serves the directory.
    fn is_on_ntfs(&self, here: &Here<'_>, asked: &Asked<'_>) -> bool {
        let is = || platform::ntfs_volume(here.directory).is_ok_and(|volume| volume.is_some());
        !self.crew.ntfs.is_empty() && *asked.ntfs.get_or_init(is)
    }

    /// Whether the states of links are wanted.
    fn judges(&self) -> bool {
        self.crew.options.judges || self.crew.options.filter.asks_for_state()
    }

    fn link(
        &self,
        here: &Here<'_>,
        name: &OsStr,
        path: PathBuf,
        asked: &mut Asked<'_>,
    ) -> Result<Option<Found>, Error> {
        let options = self.crew.options;
        let filter = &options.filter;
        let spot = Spot { directory: here.directory, name, path: &path };
        let fail = |error| gone(error).map_or(Ok(None), |error| Err(Error::io(LIST, &path, error)));
        let ntfs = self.is_on_ntfs(here, asked);
        let target = match platform::read_target(here.directory, name, ntfs) {
            Ok(target) => Some(target),
            // That it is a link is known all the same.
            Err(error) if platform::error_kind(&error) == ErrorKind::PermissionDenied => None,
            Err(error) => return fail(error),
        };
        asked.sealed = target.as_ref().and_then(|target| chain::sealed(target, &path));
        let kind = target.as_ref().map_or(LinkKind::Symlink, Target::kind);
        if !filter.wants_kind(kind) || !filter.wants_target(target.as_ref()) {
            return Ok(None);
        }
        let (state, resolved) = match &target {
            Some(_) if !self.judges() => (State::Ok, None),
            Some(target) => {
                let physical = || here.root.physical.join(here.relative().collect::<PathBuf>());
                let wanted = options.details == Details::Resolved;
                let physical = if wanted { Some(asked.physical.get_or_init(physical).as_path()) } else { None };
                let (siblings, exact) = (&mut *asked.siblings, &mut asked.exact);
                let (ntfs, drive) = (self.crew.ntfs.as_slice(), options.drive);
                Judge { siblings, exact, physical, ntfs, drive }.judge(spot, target)
            }
            None => (State::Denied, None),
        };
        let (state, volume) = match (state, &target, &options.volumes_away) {
            (State::Missing, Some(target), Some(away)) => away.follow(spot, target, options.drive),
            _ => (state, None),
        };
        if !filter.wants_state(state) || !filter.wants_chain(|| chain::follow(spot, options.drive)) {
            return Ok(None);
        }
        if options.details == Details::Path {
            return Ok(Some(Found::Path(path)));
        }
        let (mut id, mut attributes, mut several) = (None, None, false);
        if options.details == Details::Identity {
            match here.directory.metadata_nofollow(name) {
                Ok(metadata) => {
                    (id, attributes) = (Some(metadata.id), Some(metadata.attributes));
                    several = metadata.links > 1;
                }
                // That it is a link is known all the same.
                Err(error) if platform::error_kind(&error) == ErrorKind::PermissionDenied => {}
                Err(error) => return fail(error),
            }
        }
        Ok(Some(Found::Link(Link { path, kind, target, resolved, state, id, attributes, volume, several })))
    }
}

/// Whether a directory vanished, or something else took its name, while the tree is read.
fn has_changed(error: &io::Error) -> bool {
    use ErrorKind::{Loop, NotADirectory, NotFound};
    matches!(platform::error_kind(error), NotFound | NotADirectory | Loop)
}

/// What a root turned out to be.
enum Opened {
    Directory(Directory, Root),
    Other(Place, Metadata),
}

fn push(names: &mut Vec<u8>, name: &OsStr) {
    names.extend(name.as_encoded_bytes());
    names.push(0);
}

/// What vanishes, or is no link any more, while a tree is read is no error.
fn gone(error: io::Error) -> Option<io::Error> {
    let changed = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput);
    (!changed).then_some(error)
}
