//! On one file system the tree itself is renamed.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::super::entry::must_be;
use super::super::make::{READS_OTHERWISE, make_and_read};
use super::super::os::{self, tree};
use super::super::{Done, NEVER, Work};
use super::stage::Stage;
use super::{Direction, Job, LeftLink, TREE, UNTRACED, changed, crash, texts};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::model::{FileId, Target};
use crate::platform::{self, Place, Spot};

impl Job<'_> {
    /// A rename keeps the tree's bytes, so links are rewritten in place: before the tree leaves, and after it returns.
    pub(super) fn rewriting(&self, private: &OsStr, work: Work<'_>, go: impl FnOnce() -> Result<Done>) -> Result<Done> {
        if self.direction == Direction::Away {
            let rewritten = texts::rewrite(self.from, self.texts, Direction::Away, private, work.stop);
            let gone = rewritten.and_then(|()| {
                crash(10);
                go()
            });
            if gone.is_err() {
                texts::rewrite(self.from, self.texts, Direction::Back, private, &NEVER)
                    .map_err(|error| error.leaving(Aftermath::Unfinished))?;
            }
            return gone;
        }
        let mut back = go()?;
        crash(10);
        if let Err(error) = texts::rewrite(self.to, self.texts, Direction::Back, private, &NEVER) {
            back.kept = back.kept.or_else(|| Some(error.leaving(Aftermath::Unfinished)));
        }
        Ok(back)
    }

    /// On one file system the tree and its link change places in one call.
    pub(super) fn within(&self, from: &Place, to: &Place, root: &platform::Stat) -> Result<Done> {
        let operation = self.direction.operation();
        let fail = |error| Error::io(operation, &from.path, error);
        let exchange = || os::exchange(&from.directory, from.name(), &to.directory, to.name());
        if let LeftLink::New(target) = self.link {
            let made = make_link(to, to.name(), target)?;
            crash(1);
            if let Err(error) = exchange() {
                remove_link(to, made)?;
                return Err(unable(operation, &from.path, error));
            }
        } else {
            exchange().map_err(|error| unable(operation, &from.path, error))?;
        }
        crash(2);
        // What changed places is looked at: another program may have been faster.
        let moved = to.directory.metadata_nofollow(to.name()).map_err(fail)?;
        if moved.id != self.id {
            exchange().map_err(fail)?;
            return Err(changed(operation, &from.path, UNTRACED));
        }
        tree::give_back_time(&to.directory, to.name(), root).map_err(fail)?;
        if let LeftLink::Old(seen) = self.link {
            // The link lies where the tree was.
            must_be(from.spot(), seen, operation)?;
            os::remove_file(&from.directory, from.name()).map_err(fail)?;
        }
        tree::flush_names(&from.directory).and_then(|()| tree::flush_names(&to.directory)).map_err(fail)?;
        Ok(Done { made: Some(moved.id), ..Done::default() })
    }

    /// On one file system that cannot let two names change places: by two renames, between which the old name is free. What
    /// that leaves if it ends there, `recover` finds in the stage.
    pub(super) fn within_by_steps(&self, (from, to): (&Place, &Place), stage: &mut Stage) -> Result<Done> {
        let operation = self.direction.operation();
        let fail = |error| Error::io(operation, &from.path, error);
        let go = || tree::move_to_new(&from.directory, from.name(), &to.directory, to.name());
        let go_back = || tree::move_to_new(&to.directory, to.name(), &from.directory, from.name());
        let beside = stage.intent.beside();
        // The link's own way: to the tree's old name, or out of the way into the stage.
        let (link, place) = match self.link {
            LeftLink::New(target) => {
                make_link(from, &beside, target)?;
                ((&from.directory, beside.as_os_str()), (&from.directory, from.name()))
            }
            LeftLink::Old(seen) => {
                let aside = OsStr::new(TREE);
                tree::move_to_new(&to.directory, to.name(), &stage.directory, aside).map_err(fail)?;
                let moved = Spot { directory: &stage.directory, name: aside, path: &to.path };
                if let Err(error) = must_be(moved, seen, operation) {
                    tree::move_to_new(&stage.directory, aside, &to.directory, to.name()).map_err(fail)?;
                    return Err(error);
                }
                ((&to.directory, to.name()), (&stage.directory, aside))
            }
        };
        crash(1);
        let away = matches!(self.link, LeftLink::New(_));
        if let Err(error) = go() {
            if !away {
                tree::move_to_new(place.0, place.1, link.0, link.1).map_err(fail)?;
            }
            return Err(fail(error));
        }
        crash(2);
        let moved = to.directory.metadata_nofollow(to.name()).map_err(fail)?;
        if moved.id != self.id {
            go_back().map_err(fail)?;
            return Err(changed(operation, &from.path, UNTRACED));
        }
        if away && let Err(error) = tree::move_to_new(link.0, link.1, place.0, place.1) {
            go_back().map_err(fail)?;
            return Err(fail(error));
        }
        stage.committed = true;
        crash(3);
        tree::flush_names(&from.directory).and_then(|()| tree::flush_names(&to.directory)).map_err(fail)?;
        Ok(Done { made: Some(moved.id), ..Done::default() })
    }
}

/// Makes the link that is left, under a name that must be free, and reads it back.
pub(super) fn make_link(place: &Place, name: &OsStr, target: &Target) -> Result<FileId> {
    let path = place.path.with_file_name(name);
    let fail = |error| Error::io("make the link", &path, error);
    let (made, is_right) = make_and_read(&place.directory, name, target).map_err(fail)?;
    if is_right {
        return Ok(made);
    }
    remove_link(place, made)?;
    Err(Error::new(ErrorKind::NotVerified, "make the link", &path, READS_OTHERWISE))
}

pub(super) fn unable(operation: &'static str, path: &Path, error: io::Error) -> Error {
    if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) {
        let cause = "the file system cannot exchange two names in one step";
        return Error::new(ErrorKind::NotSupported, operation, path, cause);
    }
    Error::io(operation, path, error)
}

pub(super) fn remove_link(place: &Place, id: FileId) -> Result<()> {
    let fail = |error| Error::io("take back the link", &place.path, error);
    if place.directory.metadata_nofollow(place.name()).map_err(fail)?.id == id {
        os::remove_file(&place.directory, place.name()).map_err(fail)?;
    }
    Ok(())
}
