//! One path of a volume.

use std::path::Path;

use ntfs_volume::{Detail, Directories, FileFacts, NameIn, Reader, Reference, Resolver, Steps};

use super::{LOOK_UP, Volume, state};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Attributes, FileKind, Link, LinkKind, Metadata, ReparsePoint, State, Target};
use crate::platform::VolumeFile;
use crate::read::file_names::Names;
use crate::read::inspect::Inspection;

impl Volume {
    /// Everything about one path of the volume, and all names of a file that has several. Links in the middle of the path
    /// are followed, one at its end is shown itself.
    ///
    /// # Errors
    /// There is no such path ([`ErrorKind::NotFound`]), or its record is damaged.
    pub fn inspect(&self, path: &Path) -> Result<(Inspection, Option<Names>)> {
        let mut reader = Reader::new(&self.volume);
        let (found, reference) = self.find(&mut reader, path)?;
        let facts = reader.facts(reference.record()).map_err(|error| self.error(&error))?;
        let mut directories = Directories::default();
        directories.load(&mut reader, facts.names.iter());
        let shown = self.shown(&found);
        let (link, chain) = match &facts.reparse_point {
            Some(point) => {
                let name = own_name(&facts, &found);
                let mut resolver = Resolver::new(&mut reader, &mut directories, self.drive, Detail::Everything);
                let followed = resolver.follow(point, &name, &mut Steps::for_links(1));
                let stored = ReparsePoint { raw: point.raw.clone(), directory: point.is_directory };
                let link = Link {
                    path: shown.clone(),
                    kind: stored.kind(),
                    target: Some(Target::Reparse(stored)),
                    resolved: followed.resolved.as_ref().map(|path| self.shown(path)),
                    state: state(followed.end),
                    id: Some(self.id(facts.reference)),
                    attributes: Some(attributes(&facts)),
                    volume: None,
                    several: facts.names.len() > 1,
                };
                (Some(link), Some(self.chain(&followed)))
            }
            None if facts.names.len() > 1 && !facts.is_directory => {
                let link = Link {
                    path: shown.clone(),
                    kind: LinkKind::Hard,
                    target: None,
                    resolved: None,
                    state: State::Ok,
                    id: Some(self.id(facts.reference)),
                    attributes: Some(attributes(&facts)),
                    volume: None,
                    several: facts.names.len() > 1,
                };
                (Some(link), None)
            }
            None => (None, None),
        };
        let several = facts.names.len() > 1 && !facts.is_directory;
        let names = several.then(|| self.all_names(&facts, &mut directories)).transpose()?;
        let metadata = self.metadata(&facts);
        Ok((Inspection { path: shown, link, chain, metadata }, names))
    }

    /// Where a typed path leads: the path as it is, and the record there.
    pub(super) fn find(&self, reader: &mut Reader<'_, VolumeFile>, typed: &Path) -> Result<(Vec<u16>, Reference)> {
        let names = self.names(typed)?;
        let mut directories = Directories::default();
        let mut resolver = Resolver::new(reader, &mut directories, self.drive, Detail::Everything);
        let found = resolver.find(names).map_err(|failed| {
            let at = failed.failed_at.as_ref().map(|at| self.shown(at)).unwrap_or_default();
            let reason = failed.reason.clone().unwrap_or_default();
            let kind = match state(failed.end) {
                State::Missing => ErrorKind::NotFound,
                State::Loop => ErrorKind::Loop,
                State::TooLong => ErrorKind::TooLong,
                _ => ErrorKind::Damaged,
            };
            let text = if at == typed || at.as_os_str().is_empty() {
                reason
            } else {
                format!("{reason} at {}", super::quoted(&at))
            };
            Error::new(kind, LOOK_UP, typed, text)
        })?;
        let asks_for_directory = matches!(typed.as_os_str().as_encoded_bytes().last(), Some(b'/' | b'\\'));
        if asks_for_directory && !reader.facts(found.1.record()).map_err(|error| self.error(&error))?.is_directory {
            let cause = "it ends in a slash, which asks for a directory, and it is none";
            return Err(Error::new(ErrorKind::NotADirectory, LOOK_UP, typed, cause));
        }
        Ok(found)
    }

    fn all_names(&self, facts: &FileFacts, directories: &mut Directories) -> Result<Names> {
        let path = |name: &NameIn| directories.path(&self.volume, facts.reference, name.parent, &name.name);
        let paths: std::result::Result<Vec<_>, _> = facts.names.iter().map(path).collect();
        let paths = paths.map_err(|error| self.error(&error))?;
        let mut paths: Vec<_> = paths.iter().map(|path| self.shown(path)).collect();
        paths.sort_unstable();
        let links = u64::try_from(facts.names.len()).unwrap_or(u64::MAX);
        Ok(Names { paths, links, searched: vec![self.shown(&[u16::from(b'\\')])] })
    }

    pub(super) fn metadata(&self, facts: &FileFacts) -> Metadata {
        let kind = match (&facts.reparse_point, facts.is_directory) {
            (Some(_), _) => FileKind::Link,
            (None, true) => FileKind::Directory,
            (None, false) => FileKind::File,
        };
        Metadata {
            id: self.id(facts.reference),
            kind,
            links: u64::try_from(facts.names.len()).unwrap_or(u64::MAX),
            size: facts.size,
            allocated: facts.allocated,
            attributes: attributes(facts),
        }
    }
}

fn attributes(facts: &FileFacts) -> Attributes {
    Attributes { uid: 0, gid: 0, modified: (facts.modified, 0) }
}

/// The name by which a file was found: of several, the one that the path ends in.
pub(super) fn own_name(facts: &FileFacts, path: &[u16]) -> NameIn {
    let last = path.rsplit(|unit| *unit == u16::from(b'\\')).next().unwrap_or_default();
    let own = facts.names.iter().find(|name| name.name == last).or(facts.names.first());
    own.cloned().unwrap_or(NameIn { parent: Reference(0), name: last.to_vec() })
}
