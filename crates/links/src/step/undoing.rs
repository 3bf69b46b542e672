//! What an undo has planned so far.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::OnDisk;
use super::on_disk::{changed, is_stub};
use super::private_name::aside_name;
use crate::error::{Error, Result};
use crate::journal::{Outcome, Recorded};
use crate::model::{
    Action, EntryPath, FileId, FileKind, Finding, Metadata, RemoveEmpty, RemoveLink, ReplaceLink, Seen, Severity, Step,
    Target,
};
use crate::platform::{self, Directory, FileSystems};
use crate::read::file_names::{self, AnyName};

/// The steps that take an operation back, and what they are to be told with.
#[derive(Default)]
pub(crate) struct UndoPlan {
    steps: Vec<Step>,
    findings: Vec<Finding>,
    /// What the steps will have removed: a directory of only these will be empty.
    pub(super) gone: BTreeSet<PathBuf>,
    /// Where an earlier undo was killed before its end: what is planned already, by place and action.
    planned: Option<HashSet<(PathBuf, &'static str)>>,
    /// Names that are free only because a replacement was killed half-way.
    pub(super) gaps: BTreeSet<PathBuf>,
    /// What earlier undos removed before they were killed.
    removed: BTreeSet<PathBuf>,
    file_systems: FileSystems,
    /// When whole file systems are searched no longer.
    search_ends: Option<Instant>,
}

/// For so long whole file systems are searched for other names of files, for all steps together.
const SEARCH: Duration = Duration::from_secs(20);

impl UndoPlan {
    /// A plan for an operation; where its undo was begun before and killed, by these steps.
    pub(crate) fn new(earlier: &[Recorded], is_repeated: bool) -> Self {
        let removes = |action| matches!(action, Action::Remove | Action::RemoveEmpty);
        let removed = earlier
            .iter()
            .filter(|recorded| removes(recorded.step.action()) && matches!(recorded.outcome, Outcome::Done(_)))
            .map(|recorded| recorded.step.path().to_path_buf())
            .collect();
        let planned = is_repeated.then(HashSet::new);
        Self { removed, planned, ..Self::default() }
    }

    /// Looks at the place of a step, if there is anything to be looked for.
    pub(crate) fn look(&self, recorded: &Recorded) -> Result<Option<OnDisk>> {
        if recorded.outcome == Outcome::NotReached {
            return Ok(None);
        }
        match OnDisk::look(recorded, &self.file_systems) {
            Ok(found) => Ok(Some(found)),
            // With a directory that an earlier undo removed went all that was in it.
            Err(_) if recorded.step.path().ancestors().skip(1).any(|above| self.removed.contains(above)) => Ok(None),
            // What failed for want of its directory left nothing there.
            Err(_) if matches!(recorded.outcome, Outcome::Failed(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The steps, and what there is to be said of them.
    pub(crate) fn into_parts(self) -> (Vec<Step>, Vec<Finding>) {
        (self.steps, self.findings)
    }

    pub(super) fn note(&mut self, path: &EntryPath, code: &'static str, text: &str) {
        self.findings.push(Finding::new(Severity::Note, code, path.to_path_buf(), text));
    }

    pub(super) fn warn(&mut self, path: &EntryPath, code: &'static str, text: &str) {
        self.findings.push(Finding::new(Severity::Warning, code, path.to_path_buf(), text));
    }

    /// Says of a tree that a version of before moved, or whose end was not recorded, that not all of it is known.
    pub(super) fn tell_of_older(&mut self, recorded: &Recorded, path: &EntryPath) {
        if recorded.tree.is_some() {
            return;
        }
        let (code, text) = match recorded.outcome {
            Outcome::Done(Some(_)) => {
                ("older-record", "recorded by an older version: known by its file number alone, not by its volume")
            }
            _ => ("end-not-recorded", "its end was not recorded, nor all by which it is known again"),
        };
        self.note(path, code, text);
    }

    pub(super) fn push(&mut self, step: Step) {
        if let Some(planned) = &mut self.planned {
            planned.insert((step.path().to_path_buf(), step.action().as_str()));
        }
        self.steps.push(step);
    }

    /// The records of two undos that were killed may both have this step.
    pub(super) fn push_once(&mut self, step: Step) {
        let known = |planned: &HashSet<_>| planned.contains(&(step.path().to_path_buf(), step.action().as_str()));
        if !self.planned.as_ref().is_some_and(known) {
            self.push(step);
        }
    }

    /// Another name of the file that a name was removed of.
    pub(super) fn other_name(&mut self, link: &EntryPath, old: &Seen) -> Result<PathBuf> {
        let by = *self.search_ends.get_or_insert_with(|| Instant::now() + SEARCH);
        let near = link.parent().unwrap_or(link);
        let mut found = file_names::find_any(old, near, by);
        // The name was removed through a mount that shows a part of its file system.
        let others = || Directory::open(near).map(|near| platform::other_mount_points(&near)).unwrap_or_default();
        if found == AnyName::None {
            let names = others().into_iter().map(|point| file_names::find_any(old, &point, by));
            found = names.into_iter().find(|name| *name != AnyName::None).unwrap_or(AnyName::None);
        }
        match found {
            AnyName::Found(name) => Ok(name),
            AnyName::None => Err(changed(link, "no other name of its file was found")),
            AnyName::OutOfTime => {
                let cause = format!(
                    "no other name of its file was found within {} s, and not all of the file system was searched; with \
                     one that you know, the hard link can be made again",
                    SEARCH.as_secs()
                );
                Err(changed(link, &cause))
            }
        }
    }

    /// Whether an earlier undo was killed before its end.
    pub(super) fn is_repeated(&self) -> bool {
        self.planned.is_some()
    }

    pub(super) fn remove_stub(&mut self, path: &EntryPath, metadata: &Metadata) {
        self.gone.insert(path.to_path_buf());
        let directory = metadata.kind == FileKind::Directory;
        self.push_once(Step::RemoveEmpty(RemoveEmpty { path: path.clone(), id: metadata.id, directory }));
    }

    /// Gives a name its old link back.
    pub(super) fn put_back(&mut self, link: &EntryPath, now: Seen, old: &Seen) {
        self.push(Step::ReplaceLink(ReplaceLink {
            link: link.clone(),
            old: now,
            target: old.target.clone(),
            file: None,
            attributes: Some(old.attributes),
            ntfs: old.ntfs.clone(),
        }));
    }

    /// Removes what is left under a step's private names, if it is one of these.
    pub(super) fn clear(
        &mut self,
        link: &EntryPath,
        found: &OnDisk,
        recorded: &Recorded,
        known: &[(&Target, Option<FileId>)],
    ) -> Result<()> {
        let private = private_path(recorded);
        let aside = link.with_file_name(aside_name(recorded.private_name.as_ref()));
        for (left, path) in [(found.waiting(recorded), private), (found.aside(recorded), aside)] {
            let Some((left, metadata)) = left.and_then(|left| Some((left, left.metadata?))) else { continue };
            let which = known.iter().find(|(target, file)| left.holds(target, *file));
            if let Some(old) = which.and_then(|(target, _)| left.now(target)) {
                self.gone.insert(path.clone());
                self.push_once(Step::RemoveLink(RemoveLink { link: path.into(), old }));
            } else if recorded.step.target().is_some_and(|target| is_stub(target, &metadata)) {
                self.remove_stub(&path.into(), &metadata);
            } else {
                return Err(unknown(&path));
            }
        }
        Ok(())
    }
}

/// Where a step that was killed may have left something.
pub(super) fn private_path(recorded: &Recorded) -> PathBuf {
    recorded.step.path().with_file_name(&recorded.private_name)
}

pub(super) fn unknown(path: &Path) -> Error {
    changed(path, "a killed run left something else here; look at it, and move it where it belongs")
}
