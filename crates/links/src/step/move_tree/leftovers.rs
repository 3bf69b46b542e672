//! What an interrupted move has left on the disk, found by its record or by its look. `recover.rs` finishes it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::super::make::says;
use super::super::os::tree;
use super::{Direction, stage, texts};
use crate::journal::{Outcome, Recorded, Status};
use crate::model::{FileId, Step, TreeMove};
use crate::platform::Directory;
use crate::read::inspect;

/// Something that an interrupted move left on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    pub(crate) path: PathBuf,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A stage, or a link to itself.
    Stage,
    /// On one file system, the link that was about to be exchanged with the tree, or was.
    Link,
    /// On one file system, a tree whose links were being rewritten, and in which direction they have to be.
    Texts(Direction),
    /// The whole original, under its private name: the stage that told of the move is gone, or its volume is away.
    Original,
}

/// A step that moved a tree, and how its operation ended.
#[derive(Clone, Copy)]
pub(crate) struct Moved<'a> {
    pub(crate) recorded: &'a Recorded,
    pub(crate) status: Status,
}

/// What a recorded move has left. None of a running one is left yet.
pub(crate) fn leftovers(moved: Moved<'_>) -> Vec<Leftover> {
    let Some(TreeMove { to, .. }) = moved.recorded.step.tree() else { return Vec::new() };
    if moved.status == Status::Running {
        return Vec::new();
    }
    let mut found: Vec<Leftover> = left_link(moved).into_iter().collect();
    let stage = to.with_file_name(&moved.recorded.private_name);
    if is_stage(&stage) {
        found.push(Leftover { path: stage, what: What::Stage });
    }
    // With either of them, that is done, too.
    if found.is_empty() {
        found.extend(left_texts(moved));
    }
    if found.is_empty() {
        found.extend(left_original(moved));
    }
    found
}

/// The original that a move between two volumes had put aside, where nothing beside the new place tells of it any more.
fn left_original(moved: Moved<'_>) -> Option<Leftover> {
    let recorded = moved.recorded;
    if moved.status != Status::Interrupted || recorded.outcome != Outcome::Pending {
        return None;
    }
    let id = recorded.step.tree_id()?;
    let path = recorded.step.tree()?.from.with_file_name(stage::beside(OsStr::new(&recorded.private_name)));
    let is_original = inspect::id_of(&path).is_some_and(|found| found.same_file(id));
    is_original.then_some(Leftover { path, what: What::Original })
}

impl Leftover {
    /// A directory that may be a stage; without a record of its move, the disk alone tells.
    pub(crate) fn stage(path: PathBuf) -> Self {
        Self { path, what: What::Stage }
    }
}

/// The link that, on one file system, lies at one place before or after it was exchanged with the tree at the other.
fn left_link(moved: Moved<'_>) -> Option<Leftover> {
    if moved.status != Status::Interrupted {
        return None;
    }
    let (link, tree, target, id) = match &moved.recorded.step {
        Step::MoveTree(step) => (&step.destination, &step.source, &step.link, step.id),
        Step::RestoreTree(step) => (&step.tree, &step.link, &step.old.target, step.id),
        _ => return None,
    };
    let look = |path: &Path| -> io::Result<(Directory, FileId)> {
        let (name, above) = path.file_name().zip(path.parent()).ok_or(io::ErrorKind::InvalidInput)?;
        let above = Directory::open_physical(above)?;
        let id = above.metadata_nofollow(name)?.id;
        Ok((above, id))
    };
    // The tree is where the link is not, and the link says what was to be left.
    let is_left = || -> io::Result<bool> {
        let (above, _) = look(link)?;
        let name = link.file_name().unwrap_or_default();
        Ok(look(tree)?.1.same_file(id) && says(&above, name, target)?)
    };
    is_left().unwrap_or(false).then(|| Leftover { path: link.to_path_buf(), what: What::Link })
}

/// On one file system, the tree whose links were being rewritten.
pub(super) fn left_texts(moved: Moved<'_>) -> Option<Leftover> {
    let recorded = moved.recorded;
    if moved.status != Status::Interrupted || recorded.outcome != Outcome::Pending {
        return None;
    }
    let (home, away, id, rewritten) = match &recorded.step {
        Step::MoveTree(step) => (&step.source, &step.destination, step.id, &step.rewritten),
        Step::RestoreTree(step) => (&step.link, &step.tree, step.id, &step.rewritten),
        _ => return None,
    };
    let is = |path: &Path| inspect::id_of(path).is_some_and(|found| found.same_file(id));
    let (tree, direction) = if is(home) {
        (home, Direction::Back)
    } else if is(away) {
        (away, Direction::Away)
    } else {
        return None;
    };
    let private = OsStr::new(&recorded.private_name);
    texts::is_unfinished(tree, rewritten, direction, private)
        .then(|| Leftover { path: tree.to_path_buf(), what: What::Texts(direction) })
}

/// Whether a directory is the stage of a move that this user can recover.
fn is_stage(path: &Path) -> bool {
    look_at_stage(path).unwrap_or(false)
}

/// Whether it is one, or one that this user may not believe: then recovering it gives the reason.
pub(crate) fn may_be_stage(path: &Path) -> bool {
    match look_at_stage(path) {
        Ok(is_stage) => is_stage,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

fn look_at_stage(path: &Path) -> io::Result<bool> {
    let Some((name, above)) = path.file_name().zip(path.parent()) else { return Ok(false) };
    let directory = Directory::open(above)?.open_child(name)?;
    match stage::read_intent(&directory)? {
        Some((_, trust)) if trust == tree::Trust::Anybody && tree::can_exchange(&directory)? => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        Some(_) => Ok(true),
        None => Ok(stage::is_discardable(&directory, name)),
    }
}
