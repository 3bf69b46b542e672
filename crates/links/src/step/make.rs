//! A link, made under a name that must be free, and read back.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::os;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Attributes, EntryPath, FileId, FileKind, Finding, LinkKind, Lost, Metadata, NtfsMetadata, Severity, Target,
};
use crate::platform::{self, Directory, Held, Place, Spot};
use crate::read::identity;

/// Makes a symbolic link or junction under a name that must be free.
pub(super) fn make_soft(directory: &Directory, name: &OsStr, target: &Target) -> std::io::Result<()> {
    match target {
        Target::Text(text) => os::make_symlink(directory, name, text),
        Target::Reparse(point) => os::make_reparse_point(directory, name, point),
        Target::File(_) => Err(std::io::ErrorKind::Unsupported.into()),
    }
}

/// Makes one, reads it back and gives its identity; and whether it reads back as it was made.
pub(super) fn make_and_read(directory: &Directory, name: &OsStr, target: &Target) -> std::io::Result<(FileId, bool)> {
    make_soft(directory, name, target)?;
    Ok((directory.metadata_nofollow(name)?.id, says(directory, name, target)?))
}

/// Whether a name is a link that says this.
pub(super) fn says(directory: &Directory, name: &OsStr, target: &Target) -> std::io::Result<bool> {
    Ok(read_back(directory, name, target)?.is_some())
}

/// The identity of a link that says this.
fn read_back(directory: &Directory, name: &OsStr, target: &Target) -> std::io::Result<Option<FileId>> {
    let metadata = directory.metadata_nofollow(name)?;
    // Reparse data is asked for where it was set: the volume need not be recognised again.
    let on_ntfs = matches!(target, Target::Reparse(_));
    let found = platform::read_link(directory, name, &metadata, on_ntfs)?;
    Ok(found.filter(|found| platform::same_target(found, target)).map(|_| metadata.id))
}

pub(super) const READS_OTHERWISE: &str = "what was made reads back otherwise";

/// What a link will not be given of what NTFS kept of it, as far as that can be known before.
pub(super) fn not_given(link: &EntryPath, ntfs: Option<&NtfsMetadata>) -> Vec<Finding> {
    let is_own = |short: &&OsString| link.file_name().is_none_or(|name| short.eq_ignore_ascii_case(name));
    let short = ntfs.and_then(|ntfs| ntfs.short_name.as_ref()).filter(|short| !is_own(short));
    // Few have one: the directory is opened for those alone.
    let Some((short, place)) = short.and_then(|short| Some((short, Place::of_entry("look at", link).ok()?))) else {
        return Vec::new();
    };
    let own = place.directory.metadata_nofollow(place.name()).ok().map(|found| found.id);
    let why = platform::why_no_short_name(&place.directory, short, &[own], "something else has that by now");
    let warn = |why| {
        let text = format!("its short name {} will be lost: {why}", platform::quoted(Path::new(short)));
        Finding::new(Severity::Warning, "short-name", link.shown(), text)
    };
    why.map(warn).into_iter().collect()
}

/// A link to be made.
#[derive(Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) target: &'a Target,
    pub(super) file: Option<FileId>,
    pub(super) attributes: Option<Attributes>,
    /// What NTFS shall keep of it.
    pub(super) ntfs: Option<&'a NtfsMetadata>,
}

impl New<'_> {
    pub(super) fn operation(&self) -> &'static str {
        match self.target.kind() {
            LinkKind::Hard => "create hard link",
            LinkKind::Junction => "create junction",
            LinkKind::MountPoint => "create mount point",
            _ => "create symbolic link",
        }
    }

    fn error(&self, link: &Path, error: std::io::Error) -> Error {
        if platform::error_kind(&error) == ErrorKind::AlreadyExists {
            return self.refuse(link, ErrorKind::AlreadyExists, "something else has this name by now");
        }
        self.name_target(Error::io(self.operation(), link, error))
    }

    pub(super) fn refuse(&self, link: &Path, kind: ErrorKind, cause: impl Into<String>) -> Error {
        self.name_target(Error::new(kind, self.operation(), link, cause))
    }

    pub(super) fn name_target(&self, error: Error) -> Error {
        match self.target.shown() {
            Some(shown) => error.with(shown),
            None => error,
        }
    }

    /// Makes the link under a name that must be free, and reads it back. On failure it is gone again.
    pub(super) fn make(&self, place: &Place, name: &OsStr) -> Result<FileId> {
        let link = &place.path;
        if let Target::File(path) = self.target {
            return self.make_hard(place, name, path);
        }
        make_soft(&place.directory, name, self.target).map_err(|error| self.error(link, error))?;
        let made = place.spot_of(name);
        if let Target::Text(text) = self.target {
            return self.check_text(made, text);
        }
        let id = made.directory.metadata_nofollow(name).map_err(|error| self.unsure(link, error))?.id;
        let checked = self.read_back(made).and_then(|id| self.give_attributes(made, id).map(|()| id));
        checked.map_err(|error| self.take_back(made, Some(id), error))
    }

    /// Reads a link of text back and gives it what it has to have, as the object that was made, whatever becomes of its
    /// name.
    fn check_text(&self, made: Spot<'_>, text: &OsStr) -> Result<FileId> {
        let fail = |error| self.error(made.path, error);
        let held = made.directory.hold(made.name).map_err(|error| self.take_back(made, None, fail(error)))?;
        let metadata = held.metadata().map_err(|error| self.take_back(made, None, fail(error)))?;
        let check = || {
            if metadata.kind != FileKind::Link || held.text().map_err(fail)? != text {
                return Err(self.refuse(made.path, ErrorKind::NotVerified, READS_OTHERWISE));
            }
            self.give(&held, &metadata.attributes).map_err(fail)
        };
        check().map_err(|error| self.take_back(made, Some(metadata.id), error))?;
        Ok(metadata.id)
    }

    /// Removes what was made, because of this error: what reads as the link just made, or cannot be read but still is
    /// that object. Anything else is not ours.
    fn take_back(&self, made: Spot<'_>, id: Option<FileId>, error: Error) -> Error {
        let ours = match self.read_back(made) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotVerified => false,
            Err(_) => made.directory.metadata_nofollow(made.name).is_ok_and(|now| Some(now.id) == id),
        };
        if ours && os::remove_file(made.directory, made.name).is_ok() {
            return error;
        }
        self.name_target(error.of_kind(ErrorKind::Unsure).after("what is there now is left"))
    }

    pub(super) fn unsure(&self, link: &Path, error: std::io::Error) -> Error {
        let error = Error::io(self.operation(), link, error).of_kind(ErrorKind::Unsure);
        self.name_target(error.before("made, but it cannot be looked at"))
    }

    fn read_back(&self, made: Spot<'_>) -> Result<FileId> {
        let read = read_back(made.directory, made.name, self.target).map_err(|error| self.error(made.path, error))?;
        read.ok_or_else(|| self.refuse(made.path, ErrorKind::NotVerified, READS_OTHERWISE))
    }

    /// Whether the link, made under another name in its directory, leads to what it must.
    pub(super) fn must_lead(&self, made: Spot<'_>, operation: &'static str) -> Result<()> {
        let reached = match (self.file, self.target) {
            (None, _) | (_, Target::File(_)) => return Ok(()),
            // By the text: a directory that all may write to may let nobody follow the link of another.
            (Some(_), Target::Text(text)) => made.directory.metadata_follow(text).map(|found| found.id),
            (Some(_), Target::Reparse(point)) => identity::object_behind(made, point),
        };
        if reached.is_ok_and(|reached| self.file == Some(reached)) {
            return Ok(());
        }
        let cause = "what it was to lead to is not there any more, or something else is";
        Err(self.name_target(Error::new(ErrorKind::Changed, operation, made.path, cause)))
    }

    fn make_hard(&self, place: &Place, name: &OsStr, existing: &Path) -> Result<FileId> {
        let link = &place.path;
        let source = Place::open(self.operation(), existing)?;
        // Linked is what is looked at, by its descriptor, whatever has its name meanwhile.
        let held = source.directory.hold(source.name()).map_err(|error| self.error(link, error))?;
        let metadata = held.metadata().map_err(|error| self.error(link, error))?;
        if self.file.is_some_and(|file| file != metadata.id) || metadata.kind == FileKind::Directory {
            return Err(self.refuse(link, ErrorKind::Changed, "the target is another file than before"));
        }
        os::make_hard_link(&held, &place.directory, name).map_err(|error| self.error(link, error))?;
        let made = place.directory.metadata_nofollow(name);
        let made = made.map_err(|error| self.unsure(link, error))?;
        if made.id != metadata.id && !self.is_linked(&source, &metadata, &made).unwrap_or(false) {
            let cause = "made, but something else has its name already";
            return Err(self.refuse(link, ErrorKind::Unsure, cause));
        }
        Ok(made.id)
    }

    /// Whether a name that was made is one of the file that was to be linked: an overlay gives that another number when it
    /// comes up from a lower layer.
    fn is_linked(&self, source: &Place, before: &Metadata, made: &Metadata) -> std::io::Result<bool> {
        let now = source.directory.metadata_nofollow(source.name())?;
        let of = |file: &Metadata| (file.kind, file.size, file.attributes);
        Ok(platform::is_overlay(&source.directory)? && now.id == made.id && of(before) == of(made))
    }

    /// A link that is brought back gets its owner and time again, as far as the system lets us.
    pub(super) fn give_attributes(&self, made: Spot<'_>, id: FileId) -> Result<()> {
        if self.attributes.is_none() && self.ntfs.is_none() {
            return Ok(());
        }
        let fail = |error| self.error(made.path, error);
        // Given to the object that was made, not to whatever has its name by now.
        let held = made.directory.hold(made.name).map_err(fail)?;
        let metadata = held.metadata().map_err(fail)?;
        if metadata.id != id {
            let cause = "something else has its name already";
            return Err(self.refuse(made.path, ErrorKind::NotVerified, cause));
        }
        self.give(&held, &metadata.attributes).map_err(fail)
    }

    fn give(&self, held: &Held, now: &Attributes) -> std::io::Result<()> {
        if let Some(attributes) = &self.attributes {
            os::set_attributes(held, attributes, now)?;
        }
        // Last: what was given before changed it.
        match self.ntfs {
            Some(ntfs) => os::set_ntfs_metadata(held, ntfs),
            None => Ok(()),
        }
    }

    /// Gives the link what it can have only under its own name: its 8.3 name, once no other in its directory has that.
    /// What it is not given is reported.
    pub(super) fn finish(&self, place: &Place, made: FileId) -> Vec<Lost> {
        let Some(ntfs) = self.ntfs else { return Vec::new() };
        let lost = |what: &str, error: std::io::Error| Lost {
            path: place.path.clone(),
            what: format!("{what} ({})", platform::describe(&error)),
        };
        let mut all = Vec::new();
        if let Some(short) = &ntfs.short_name
            && let Err(error) = os::set_short_name(&place.directory, place.name(), short)
        {
            all.push(lost(&format!("the short name {}", platform::quoted(Path::new(short))), error));
        }
        // ntfs-3g marks what gets a name to be archived.
        let given = place.directory.hold(place.name()).and_then(|held| match held.metadata()?.id == made {
            true => os::set_ntfs_metadata(&held, ntfs),
            false => Ok(()),
        });
        all.extend(given.err().map(|error| lost("the attributes", error)));
        all
    }
}
