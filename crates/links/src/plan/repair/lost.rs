//! Broken links, and where each would lead if all of its way were there.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::Reason;
use crate::error::{Error, ErrorKind};
use crate::model::{Link, State, Target, file_name_of};
use crate::plan::Seen;
use crate::platform::{self, Directory, Spot};
use crate::read::chain::{self, state_of};

/// A broken link.
#[derive(Debug)]
pub(super) struct Lost {
    /// The link's full path, its parent without links.
    pub(super) link: PathBuf,
    pub(super) seen: Seen,
    /// What is wrong with it.
    pub(super) fault: Fault,
}

/// Why a link leads nowhere.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Names on its own way are missing.
    Missing(Way),
    /// Another link on its way is broken. With the names behind that one, where these are known.
    By(PathBuf, Option<PathBuf>),
    /// Something that no other target mends.
    Other(Reason),
}

/// A way of which the end is missing.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Where it would lead, in full; what is there of it without links.
    pub(super) wanted: PathBuf,
    /// How many leading components of it are there.
    pub(super) there: usize,
    /// What is there, as the link says it, where that is another path.
    pub(super) said: Option<PathBuf>,
}

impl Way {
    /// The deepest directory on it that is there.
    pub(super) fn ground(&self) -> &Path {
        self.wanted.ancestors().nth(self.missing().count()).unwrap_or(&self.wanted)
    }

    /// The names that are missing.
    pub(super) fn missing(&self) -> impl Iterator<Item = &OsStr> {
        self.wanted.components().skip(self.there).map(Component::as_os_str)
    }
}

impl Fault {
    fn other(reason: impl Into<String>) -> Self {
        Self::Other(Reason::Other(reason.into()))
    }

    fn io(error: &io::Error) -> Self {
        Self::other(platform::describe(error))
    }

    /// A name is missing in a directory, which a link names as `said`.
    fn missing(directory: &Path, name: &OsStr, said: &Path) -> Self {
        let said = (directory != said).then(|| said.to_owned());
        Self::Missing(Way { wanted: directory.join(name), there: directory.components().count(), said })
    }

    /// That of a name in a directory that has this one.
    fn of_child(&self, name: &OsStr) -> Self {
        match self {
            Self::Missing(way) => Self::Missing(Way { wanted: way.wanted.join(name), ..way.clone() }),
            Self::By(link, rest) => Self::By(link.clone(), rest.as_ref().map(|rest| rest.join(name))),
            Self::Other(reason) => Self::Other(reason.clone()),
        }
    }
}

/// Looks at broken links one by one; what many have in common is looked at once.
pub(super) struct Looker {
    /// The letter that Windows gives the links' volume.
    drive: char,
    /// The directories that texts name: without links, or what is wrong with them.
    heads: HashMap<PathBuf, Rc<Result<PathBuf, Fault>>>,
    parent: Option<(PathBuf, Directory)>,
}

impl Looker {
    pub(super) fn new(drive: char) -> Self {
        Self { drive, heads: HashMap::new(), parent: None }
    }

    /// What is wrong with a link that the scan found broken.
    pub(super) fn look(&mut self, link: Link) -> Result<Lost, Error> {
        let several = link.several;
        let (Some(target), Some(id), Some(attributes)) = (link.target, link.id, link.attributes) else {
            let cause = "what it says cannot be read";
            return Err(Error::new(ErrorKind::PermissionDenied, "look at", link.path, cause));
        };
        let seen = Seen { target, id, attributes, several, ntfs: None };
        let fault = match (link.state, &seen.target) {
            (State::Missing, Target::Text(text)) => {
                let parent = link.path.parent().unwrap_or(Path::new("/"));
                match said(parent, Path::new(text)) {
                    Some(said) => self.by_text(&said),
                    None => self.by_chain(&link.path),
                }
            }
            (State::Loop, _) => Fault::other("it leads in a loop"),
            (State::WrongKind, _) => Fault::Other(Reason::WrongKind(link.kind)),
            _ => self.by_chain(&link.path),
        };
        Ok(Lost { link: link.path, seen, fault })
    }

    /// By what the text says, where that is the way the system goes.
    fn by_text(&mut self, said: &Path) -> Fault {
        let (Some(parent), Some(name)) = (said.parent(), file_name_of(said)) else {
            return Fault::other("it names no entry");
        };
        match &*self.head(parent) {
            Ok(directory) => {
                let wanted = directory.join(name);
                // A link at the end is broken itself, or this one would lead somewhere.
                match wanted.symlink_metadata() {
                    Ok(found) if found.is_symlink() => Fault::By(wanted, Some(PathBuf::new())),
                    Ok(_) => Fault::other("its text asks for a directory, and a file is there"),
                    Err(error) if state_of(&error) == State::Missing => Fault::missing(directory, name, parent),
                    Err(error) => Fault::io(&error),
                }
            }
            Err(fault) => fault.of_child(name),
        }
    }

    fn head(&mut self, path: &Path) -> Rc<Result<PathBuf, Fault>> {
        if let Some(known) = self.heads.get(path) {
            return Rc::clone(known);
        }
        let head = Rc::new(self.find_head(path));
        self.heads.insert(path.to_owned(), Rc::clone(&head));
        head
    }

    fn find_head(&mut self, path: &Path) -> Result<PathBuf, Fault> {
        let error = match Directory::open(path) {
            Ok(directory) => return directory.physical_path().map_err(|error| Fault::io(&error)),
            Err(error) => error,
        };
        let Some(parent) = path.parent() else { return Err(Fault::io(&error)) };
        let name = path.file_name().unwrap_or_default();
        Err(match &*self.head(parent) {
            Ok(directory) => {
                let here = directory.join(name);
                match here.symlink_metadata() {
                    Ok(found) if found.is_symlink() => Fault::By(here, Some(PathBuf::new())),
                    Err(error) if state_of(&error) == State::Missing => Fault::missing(directory, name, parent),
                    // A file stands where a directory was: what was below it went elsewhere.
                    Ok(found) if !found.is_dir() => Fault::missing(directory, name, parent),
                    _ => Fault::io(&error),
                }
            }
            Err(fault) => fault.of_child(name),
        })
    }

    /// By following the link hop by hop, as its own system would.
    fn by_chain(&mut self, link: &Path) -> Fault {
        let (Some(parent), Some(name)) = (link.parent(), link.file_name()) else {
            return Fault::other("it names no entry");
        };
        if self.parent.as_ref().is_none_or(|(path, _)| path != parent) {
            match Directory::open_physical(parent) {
                Ok(directory) => self.parent = Some((parent.to_owned(), directory)),
                Err(error) => return Fault::io(&error),
            }
        }
        let Some((_, directory)) = &self.parent else { return Fault::other("it is gone") };
        let chain = chain::follow(Spot { directory, name, path: link }, self.drive);
        if let (1.., Some(hop)) = (chain.failed_hop, chain.hops.get(chain.failed_hop)) {
            return Fault::By(hop.link.clone(), chain.behind);
        }
        match (chain.state, chain.wanted, chain.failed_at) {
            (State::Missing, Some(wanted), Some(at)) if at.parent().is_some() => {
                let there = at.components().count().saturating_sub(1);
                Fault::Missing(Way { wanted, there, said: None })
            }
            (state, ..) => Fault::other(chain.reason.unwrap_or_else(|| state.to_string())),
        }
    }
}

/// The full path that a text names, by the text alone. `None` where that may be another than the system's: `..` behind
/// a name, which may be a link.
pub(super) fn said(parent: &Path, text: &Path) -> Option<PathBuf> {
    let mut path = PathBuf::with_capacity(parent.as_os_str().len() + text.as_os_str().len() + 1);
    path.push(if text.is_absolute() { Path::new("/") } else { parent });
    let mut named = text.is_absolute();
    for component in text.components() {
        match component {
            Component::Normal(name) => {
                path.push(name);
                named = true;
            }
            Component::ParentDir if named => return None,
            Component::ParentDir => drop(path.pop()),
            Component::CurDir | Component::RootDir => {}
            Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

impl Lost {
    pub(super) fn way(&self) -> Option<&Way> {
        match &self.fault {
            Fault::Missing(way) => Some(way),
            _ => None,
        }
    }
}
