//! The data of each kind of step: what the journal keeps as JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Attributes, FileId, LinkKind, Seen, Target};

/// One recoverable unit of change. The set is closed, and the journal keeps it as JSON: a new variant or
/// field raises the journal's schema. Each is checked right before it is done, read
/// back afterwards, and can be planned backwards.
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
pub enum Step {
    /// Makes a directory.
    MakeDirectory {
        /// The new directory.
        #[serde(with = "crate::model::name::path")]
        path: PathBuf,
    },
    /// Makes a link where nothing is.
    CreateLink {
        /// The new link.
        #[serde(with = "crate::model::name::path")]
        link: PathBuf,
        /// What it stores.
        target: Target,
        /// For a hard link: the identity of the file that gets the name.
        file: Option<FileId>,
        /// Owner and time to give it, when it is brought back.
        attributes: Option<Attributes>,
    },
    /// Puts a new link in the place of another, in one step.
    ReplaceLink {
        /// The link's path.
        #[serde(with = "crate::model::name::path")]
        link: PathBuf,
        /// The link there now.
        old: Seen,
        /// What the new one stores.
        target: Target,
        /// For a hard link: the identity of the file that gets the name. For another: what it must lead to, where that
        /// is known; else it is not made.
        file: Option<FileId>,
        /// Owner and time to give it, when it is brought back.
        attributes: Option<Attributes>,
    },
    /// Removes a link object, or one name of several.
    RemoveLink {
        /// The link's path.
        #[serde(with = "crate::model::name::path")]
        link: PathBuf,
        /// The link there now.
        old: Seen,
    },
    /// Removes an empty directory, or an empty file that a killed run left half made.
    RemoveEmpty {
        /// The object's path.
        #[serde(with = "crate::model::name::path")]
        path: PathBuf,
        /// The object there now.
        id: FileId,
        /// Whether it is a directory.
        directory: bool,
    },
    /// Takes the reparse data off a file or directory, which stays.
    ClearReparsePoint {
        /// The path of what carries it.
        #[serde(with = "crate::model::name::path")]
        path: PathBuf,
        /// What it says now.
        old: Seen,
    },
    /// Gives an empty file or directory reparse data.
    SetReparsePoint {
        /// The path of what gets it.
        #[serde(with = "crate::model::name::path")]
        path: PathBuf,
        /// The object there now.
        id: FileId,
        /// What it shall say.
        target: Target,
    },
    /// Takes a file or directory, with all that is in it, to another place, and leaves a link. See
    /// [`mod@crate::plan::relocate`].
    MoveTree {
        /// Where it is.
        #[serde(with = "crate::model::name::path")]
        source: PathBuf,
        /// Where it goes.
        #[serde(with = "crate::model::name::path")]
        destination: PathBuf,
        /// The object there now.
        id: FileId,
        /// What the link says that is left.
        link: Target,
        /// Links in it that would lead elsewhere from the new place.
        rewritten: Vec<Rewritten>,
        /// How the copy is compared before it counts.
        verify: Verify,
    },
    /// Brings a moved file or directory back to where its link is.
    RestoreTree {
        /// Where the link is.
        #[serde(with = "crate::model::name::path")]
        link: PathBuf,
        /// The link there now.
        old: Seen,
        /// Where the tree is.
        #[serde(with = "crate::model::name::path")]
        tree: PathBuf,
        /// The object there now.
        id: FileId,
        /// Links in it that were given another text when it was moved.
        rewritten: Vec<Rewritten>,
        /// How the copy is compared before it counts.
        verify: Verify,
    },
}

/// A relative link in a tree that leads out of it: from another place it would lead elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Below the root of the tree.
    #[serde(with = "crate::model::name::path")]
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

/// What a step does, in a word.
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
    /// Lets a link that is there say something else, and with that lead to this object; its owner and time stay.
    pub(crate) fn retarget(link: PathBuf, old: Seen, target: Target, object: Option<FileId>) -> Self {
        let attributes = Some(old.attributes);
        Self::ReplaceLink { link, old, target, file: object, attributes }
    }

    /// What the step does.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::MakeDirectory { .. } => Action::MakeDirectory,
            Self::CreateLink { .. } => Action::Create,
            Self::ReplaceLink { .. } => Action::Replace,
            Self::RemoveLink { .. } => Action::Remove,
            Self::RemoveEmpty { .. } => Action::RemoveEmpty,
            Self::ClearReparsePoint { .. } => Action::ClearReparsePoint,
            Self::SetReparsePoint { .. } => Action::SetReparsePoint,
            Self::MoveTree { .. } => Action::Move,
            Self::RestoreTree { .. } => Action::Restore,
        }
    }

    /// The path that the step changes.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::MakeDirectory { path }
            | Self::RemoveEmpty { path, .. }
            | Self::ClearReparsePoint { path, .. }
            | Self::SetReparsePoint { path, .. } => path,
            Self::CreateLink { link, .. }
            | Self::ReplaceLink { link, .. }
            | Self::RemoveLink { link, .. }
            | Self::RestoreTree { link, .. } => link,
            Self::MoveTree { source, .. } => source,
        }
    }

    /// Whether it moves a whole tree: what comes behind it builds on it.
    pub(crate) fn is_whole_tree(&self) -> bool {
        matches!(self, Self::MoveTree { .. } | Self::RestoreTree { .. })
    }

    /// The same step at another path.
    pub(crate) fn at(mut self, new: PathBuf) -> Self {
        match &mut self {
            Self::MakeDirectory { path }
            | Self::RemoveEmpty { path, .. }
            | Self::ClearReparsePoint { path, .. }
            | Self::SetReparsePoint { path, .. } => *path = new,
            Self::CreateLink { link, .. }
            | Self::ReplaceLink { link, .. }
            | Self::RemoveLink { link, .. }
            | Self::RestoreTree { link, .. } => {
                *link = new;
            }
            Self::MoveTree { source, .. } => *source = new,
        }
        self
    }

    /// What the link made or removed stores.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::MakeDirectory { .. } | Self::RemoveEmpty { .. } => None,
            Self::CreateLink { target, .. }
            | Self::ReplaceLink { target, .. }
            | Self::SetReparsePoint { target, .. } => Some(target),
            Self::MoveTree { link, .. } => Some(link),
            Self::RemoveLink { old, .. }
            | Self::ClearReparsePoint { old, .. }
            | Self::RestoreTree { old, .. } => Some(&old.target),
        }
    }

    /// The kind of the link made or removed.
    #[must_use]
    pub fn kind(&self) -> Option<LinkKind> {
        self.target().map(Target::kind)
    }
}
