//! What to make: a link as it is asked for.

use std::ffi::OsString;
use std::path::PathBuf;

/// What to make: the link, what it shall lead to, and how. See [`crate::create::plan`].
#[derive(Clone, Debug)]
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
        }
    }
}

/// The letter Windows gives to the volume it starts from.
pub const DEFAULT_DRIVE: char = 'C';

/// The kinds that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
pub enum Shape {
    /// The link says that its target is a file.
    File,
    /// The link says that its target is a directory.
    Directory,
}

/// How the target's text is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
pub enum OnExisting {
    /// Refuse.
    Refuse,
    /// Put the new link in the place of an existing link, in one step. Files and directories are
    /// never replaced.
    ReplaceLink,
}
