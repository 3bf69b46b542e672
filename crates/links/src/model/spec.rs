//! What to make: a link as it is asked for.

use std::ffi::OsString;
use std::path::PathBuf;

/// What to make: the link, what it shall lead to, and how. See [`crate::plan::create::plan`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinkSpec {
    /// The new link's path.
    pub link: PathBuf,
    /// The target as typed.
    pub target: OsString,
    /// The kind to make. Default: [`KindChoice::Auto`].
    pub kind: KindChoice,
    /// File or directory, for a Windows link whose target does not tell. Default: ask the target.
    pub shape: Option<Shape>,
    /// Which text to store in a symbolic link. Default: [`Form::AsTyped`].
    pub form: Form,
    /// What to do when the link's name is taken. Default: [`OnExisting::Refuse`].
    pub on_existing: OnExisting,
    /// Whether to make missing parent directories of the link. Default: no.
    pub parents: bool,
    /// The letter that Windows gives the volume the link is on. Default: `C`.
    pub drive: char,
    /// What is refused, and what the target is asked. Default: [`Manner::Careful`].
    pub manner: Manner,
}

impl LinkSpec {
    /// A link at `link` to `target`, with the defaults of each field.
    pub fn new(link: impl Into<PathBuf>, target: impl Into<OsString>) -> Self {
        Self {
            link: link.into(),
            target: target.into(),
            kind: KindChoice::Auto,
            shape: None,
            form: Form::AsTyped,
            on_existing: OnExisting::Refuse,
            parents: false,
            drive: DEFAULT_DRIVE,
            manner: Manner::Careful,
        }
    }
}

/// The letter Windows gives to the volume it starts from.
pub const DEFAULT_DRIVE: char = 'C';

/// The kinds that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KindChoice {
    /// A symbolic link of the target's kind.
    Auto,
    /// A symbolic link, or failure.
    Symlink,
    /// A hard link, or failure.
    Hard,
    /// A junction, or failure.
    Junction,
}

/// File or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// The link says that its target is a file.
    File,
    /// The link says that its target is a directory.
    Directory,
}

/// What is refused, and what the target is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Manner {
    /// Refused is also what would be made but could not be meant: a link to itself, a hard link to a link, a
    /// Windows path on a volume that Windows will never see. The target says whether it is a directory.
    Careful,
    /// As `mklink` does: the target is stored as typed and never asked anything. A link may lead to itself, a
    /// junction to a file, a hard link is made to a link itself, and without [`LinkSpec::shape`] a Windows symbolic
    /// link is one to a file.
    Mklink,
}

/// How the target's text is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Stored as typed; if relative, relative to the link.
    AsTyped,
    /// Read from the current directory and rewritten relative to the link's physical parent.
    Relative,
    /// Read from the current directory and stored in full.
    Absolute,
}

/// What to do when the name of the new link is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExisting {
    /// Refuse.
    Refuse,
    /// Put the new link in the place of an existing link, in one step. Files and directories are
    /// never replaced.
    ReplaceLink,
}
