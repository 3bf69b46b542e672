//! The data of each kind of step, which the journal keeps as JSON. What is done for a kind is in `step/<kind>.rs`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Attributes, EntryPath, FileId, LinkKind, NtfsMetadata, Seen, Target, Volume};

/// One recoverable unit of change. The set is closed. Fields may be added to a kind if rows without them still mean the
/// same; a new kind raises the journal's schema, since programs of before cannot read it.
///
/// | step | checked | undone by |
/// |---|---|---|
/// | `MakeDirectory` | the name is free | `RemoveEmpty`, if nothing else came in |
/// | `CreateLink` | the name is free; a hard link's file is the one seen | `RemoveLink` |
/// | `ReplaceLink` | the link there is the one seen | `ReplaceLink` with the old target |
/// | `RemoveLink` | the link there is the one seen | `CreateLink` with the old target and attributes |
/// | `RemoveEmpty` | the object is the one seen, and empty | `MakeDirectory` |
/// | `ClearReparsePoint` | the link there is the one seen | `SetReparsePoint`, if it is still empty |
/// | `SetReparsePoint` | the object is the one seen, and empty | `ClearReparsePoint` |
/// | `MoveTree` | the tree is the one seen, the new place is free | `RestoreTree` |
/// | `RestoreTree` | the tree and its link are those seen | `MoveTree` |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// Makes a directory.
    MakeDirectory(MakeDirectory),
    /// Makes a link where nothing is.
    CreateLink(CreateLink),
    /// Puts a new link in the place of another.
    ReplaceLink(ReplaceLink),
    /// Removes a link object, or one name of several.
    RemoveLink(RemoveLink),
    /// Removes an empty directory, or an empty file that an interrupted run left half made.
    RemoveEmpty(RemoveEmpty),
    /// Takes the reparse data off a file or directory, which stays.
    ClearReparsePoint(ClearReparsePoint),
    /// Gives an empty file or directory reparse data.
    SetReparsePoint(SetReparsePoint),
    /// Takes a file or directory, with all that is in it, to another place, and leaves a link.
    MoveTree(MoveTree),
    /// Brings a moved file or directory back to where its link is.
    RestoreTree(RestoreTree),
}

/// Makes a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeDirectory {
    /// The new directory.
    pub path: EntryPath,
}

/// Makes a link where nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateLink {
    /// The new link.
    pub link: EntryPath,
    /// What it stores.
    pub target: Target,
    /// For a hard link: the identity of the file that gets the name.
    pub file: Option<FileId>,
    /// Owner and time to give it, when it is brought back.
    pub attributes: Option<Attributes>,
    /// What NTFS kept of it, to give it when it is brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ntfs: Option<Box<NtfsMetadata>>,
}

/// Puts a new link in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceLink {
    /// The link's path.
    pub link: EntryPath,
    /// The link there now.
    pub old: Seen,
    /// What the new one stores.
    pub target: Target,
    /// For a hard link: the identity of the file that gets the name. For another: what it must lead to, where that
    /// is known; else it is not made.
    pub file: Option<FileId>,
    /// Owner and time to give it, when it is brought back.
    pub attributes: Option<Attributes>,
    /// What NTFS kept of it, to give it when it is brought back. `None`: what it keeps of the link there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ntfs: Option<Box<NtfsMetadata>>,
}

/// Removes a link object, or one name of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveLink {
    /// The link's path.
    pub link: EntryPath,
    /// The link there now.
    pub old: Seen,
}

/// Removes an empty directory, or an empty file that an interrupted run left half made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveEmpty {
    /// The object's path.
    pub path: EntryPath,
    /// The object there now.
    pub id: FileId,
    /// Whether it is a directory.
    pub directory: bool,
}

/// Takes the reparse data off a file or directory, which stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearReparsePoint {
    /// The path of what carries it.
    pub path: EntryPath,
    /// What it says now.
    pub old: Seen,
}

/// Gives an empty file or directory reparse data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetReparsePoint {
    /// The path of what gets it.
    pub path: EntryPath,
    /// The object there now.
    pub id: FileId,
    /// What it shall say.
    pub target: Target,
}

/// Takes a file or directory, with all that is in it, to another place, and leaves a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveTree {
    /// Where it is.
    pub source: EntryPath,
    /// Where it goes.
    pub destination: EntryPath,
    /// The object there now.
    pub id: FileId,
    /// What the link says that is left.
    pub link: Target,
    /// Links in it that would lead elsewhere from the new place.
    pub rewritten: Vec<Rewritten>,
    /// How the copy is compared before it counts.
    pub verify: Verify,
    /// Whether it stays where it is if the copy cannot keep everything. Default: no, the loss is reported.
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict: bool,
    /// The volume that it goes to. `None` in rows of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<Volume>>,
    /// The link that was there before the tree: what belonged to it, the new one gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<Box<Seen>>,
}

/// Brings a moved file or directory back to where its link is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreTree {
    /// Where the link is.
    pub link: EntryPath,
    /// The link there now.
    pub old: Seen,
    /// Where the tree is.
    pub tree: EntryPath,
    /// The object there now.
    pub id: FileId,
    /// Links in it that were given another text when it was moved.
    pub rewritten: Vec<Rewritten>,
    /// How the copy is compared before it counts.
    pub verify: Verify,
    /// As in [`MoveTree`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict: bool,
    /// The volume that the tree is on. `None` in rows of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<Volume>>,
    /// Whether the link is gone and its name is free: it is made anew first, as it was, and has no identity yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub link_is_gone: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

/// A relative link in a tree that leads out of it: from another place it would lead elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Below the root of the tree.
    #[serde(with = "crate::model::name")]
    pub path: PathBuf,
    /// What it says at home.
    pub home: Target,
    /// What it says away.
    pub away: Target,
}

/// How a copy is compared with its original before it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Every object, and every byte read back from the disk.
    #[default]
    Full,
    /// Every object with its size, owner, rights and times; the content is trusted to the system.
    Metadata,
}

/// Something of an object that a copy could not keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The object, at its new place.
    #[serde(with = "crate::model::name")]
    pub path: PathBuf,
    /// What it lost.
    pub what: String,
}

/// What a step does, in a word. A new kind of step adds one: whoever has words for each must have them for that, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Makes a directory.
    MakeDirectory,
    /// Makes a link.
    Create,
    /// Replaces a link.
    Replace,
    /// Removes a link.
    Remove,
    /// Removes an empty directory or file.
    RemoveEmpty,
    /// Takes the reparse data off a file or directory.
    ClearReparsePoint,
    /// Gives an empty file or directory reparse data.
    SetReparsePoint,
    /// Moves a tree, leaving a link.
    Move,
    /// Brings a tree back.
    Restore,
}

impl Action {
    /// The stable name used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MakeDirectory => "make-directory",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::RemoveEmpty => "remove-empty",
            Self::ClearReparsePoint => "clear-reparse-point",
            Self::SetReparsePoint => "set-reparse-point",
            Self::Move => "move",
            Self::Restore => "restore",
        }
    }
}

impl Step {
    /// Retargets a link, which then must lead to this object; what belongs to it stays.
    pub(crate) fn retarget(link: EntryPath, old: Seen, target: Target, object: Option<FileId>) -> Self {
        let attributes = Some(old.attributes);
        Self::ReplaceLink(ReplaceLink { link, old, target, file: object, attributes, ntfs: None })
    }

    /// What the step does.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::MakeDirectory(_) => Action::MakeDirectory,
            Self::CreateLink(_) => Action::Create,
            Self::ReplaceLink(_) => Action::Replace,
            Self::RemoveLink(_) => Action::Remove,
            Self::RemoveEmpty(_) => Action::RemoveEmpty,
            Self::ClearReparsePoint(_) => Action::ClearReparsePoint,
            Self::SetReparsePoint(_) => Action::SetReparsePoint,
            Self::MoveTree(_) => Action::Move,
            Self::RestoreTree(_) => Action::Restore,
        }
    }

    /// The path that the step changes.
    #[must_use]
    pub fn path(&self) -> &EntryPath {
        match self {
            Self::MakeDirectory(MakeDirectory { path })
            | Self::RemoveEmpty(RemoveEmpty { path, .. })
            | Self::ClearReparsePoint(ClearReparsePoint { path, .. })
            | Self::SetReparsePoint(SetReparsePoint { path, .. }) => path,
            Self::CreateLink(CreateLink { link, .. })
            | Self::ReplaceLink(ReplaceLink { link, .. })
            | Self::RemoveLink(RemoveLink { link, .. })
            | Self::RestoreTree(RestoreTree { link, .. }) => link,
            Self::MoveTree(MoveTree { source, .. }) => source,
        }
    }

    /// What the link made or removed stores.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::MakeDirectory(_) | Self::RemoveEmpty(_) => None,
            Self::CreateLink(CreateLink { target, .. })
            | Self::ReplaceLink(ReplaceLink { target, .. })
            | Self::SetReparsePoint(SetReparsePoint { target, .. }) => Some(target),
            Self::MoveTree(MoveTree { link, .. }) => Some(link),
            Self::RemoveLink(RemoveLink { old, .. })
            | Self::ClearReparsePoint(ClearReparsePoint { old, .. })
            | Self::RestoreTree(RestoreTree { old, .. }) => Some(&old.target),
        }
    }

    /// The kind of the link made or removed.
    #[must_use]
    pub fn kind(&self) -> Option<LinkKind> {
        self.target().map(Target::kind)
    }

    /// Whether the step leaves a link that has a target to lose. A hard link is its file and loses none.
    pub(crate) fn leaves_soft_link(&self) -> bool {
        match self {
            Self::CreateLink(CreateLink { target, .. })
            | Self::ReplaceLink(ReplaceLink { target, .. })
            | Self::SetReparsePoint(SetReparsePoint { target, .. }) => !matches!(target, Target::File(_)),
            Self::MoveTree(_) => true,
            _ => false,
        }
    }

    /// The volume at the far end of a moved tree, where the record has it.
    pub(crate) fn volume(&self) -> Option<&Volume> {
        match self {
            Self::MoveTree(MoveTree { volume, .. }) | Self::RestoreTree(RestoreTree { volume, .. }) => {
                volume.as_deref()
            }
            _ => None,
        }
    }

    /// The tree that it moves, as it was before.
    pub(crate) fn tree_id(&self) -> Option<FileId> {
        match self {
            Self::MoveTree(MoveTree { id, .. }) | Self::RestoreTree(RestoreTree { id, .. }) => Some(*id),
            _ => None,
        }
    }

    /// From where the step takes a whole tree, and to where.
    #[must_use]
    pub fn tree(&self) -> Option<TreeMove<'_>> {
        match self {
            Self::MoveTree(MoveTree { source, destination, .. }) => Some(TreeMove { from: source, to: destination }),
            Self::RestoreTree(RestoreTree { link, tree, .. }) => Some(TreeMove { from: tree, to: link }),
            _ => None,
        }
    }
}

/// The two places of a step that moves a tree.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TreeMove<'a> {
    /// Where the tree is.
    pub from: &'a EntryPath,
    /// Where it goes.
    pub to: &'a EntryPath,
}
