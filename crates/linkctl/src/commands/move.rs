//! `linkctl move`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use links::relocate::{self, MoveSpec};
use links::{Error, ErrorKind, KindChoice};

use super::relocation::{go, how, planned, take_along};
use crate::args::{ChangeOptions, IntoOptions, TreeOptions, after_help, letter};
use crate::exit::Exit;
use crate::failure::{self, Failure, Verb};
use crate::output::sanitize::quoted;
use crate::session::Change;

/// Take a file or directory to another place, and leave a link
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "DST is the new name of the whole; its directory must exist. "
        (
            "Within one file system names are exchanged in one step. To another one everything is copied, flushed, \
            read back and compared before the link takes the place of the original; what was written to meanwhile is \
            kept. "
            | "On one volume the tree is renamed. To another one everything is copied, flushed, read back and compared \
            before the link takes the place of the original; what was written to meanwhile is kept. A junction is left \
            for a directory, else a symbolic link. "
        )
        "`linkctl restore SRC` or `linkctl undo` bring it back."
    ]
    Examples:
    ["move " ("~/games /mnt/big/games" | "C:\\Games D:\\Games")]
    ["move --dry-run " ("/var/lib/app /srv/app" | "C:\\Games D:\\Games")]
))]
pub(crate) struct MoveArgs {
    /// The file or directory
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// Where it goes: a name that is free
    #[arg(value_name = "DST")]
    pub(crate) destination: PathBuf,
    /// Which kind of link to leave
    #[arg(long, value_enum, default_value_t = LeftKind::Auto)]
    pub(crate) kind: LeftKind,
    /// Leave a relative link
    #[arg(long)]
    pub(crate) relative: bool,
    /// The letter that Windows gives an NTFS volume that is mounted here: a symbolic link left there names it
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    pub(crate) drive: Option<char>,
    #[command(flatten)]
    pub(crate) tree: TreeOptions,
    #[command(flatten)]
    pub(crate) into: IntoOptions,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What `--kind` of `move` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LeftKind {
    /// A symbolic link; on Windows, a junction for a directory that stays on the computer
    Auto,
    /// A symbolic link
    Symlink,
    /// A junction: for a directory, on Windows and on NTFS
    Junction,
}

pub(crate) const VERB: Verb = Verb { name: "move", hints: &[], hint };

pub(crate) fn run(args: &MoveArgs) -> Result<Exit, Failure> {
    let mut spec = MoveSpec::new(&args.source, &args.destination);
    spec.kind = match args.kind {
        LeftKind::Auto => KindChoice::Auto,
        LeftKind::Symlink => KindChoice::Symlink,
        LeftKind::Junction => KindChoice::Junction,
    };
    spec.drive = args.drive;
    spec.relative = args.relative;
    spec.how = how(&args.tree, &args.into);
    let mut planned = planned(&args.change, |context| relocate::plan(&spec, context))?;
    take_along(&VERB, &mut planned, &args.into, &args.change)?;
    let mut change = Change::new(&VERB, &args.change);
    change.question = Some(format!("Move {} to {}?", quoted(&args.source), quoted(&args.destination)));
    go(change, &args.tree, planned)
}

fn hint(error: &Error) -> Option<String> {
    let text = match error.kind() {
        ErrorKind::AlreadyExists if error.path().is_dir() => {
            "to put it into that directory, name its place there in full, with its last name"
        }
        ErrorKind::AlreadyExists => "choose a name that is free",
        ErrorKind::ParentMissing if error.operation() == "move to" => "make that directory first",
        ErrorKind::InvalidPath => "name the place in full, with its last name",
        ErrorKind::SameFile => "name a place outside of it",
        ErrorKind::TargetIsLink => "`linkctl show` tells where it leads: move that",
        ErrorKind::TooLong => "use a shorter name",
        _ => return failure::hint(error),
    };
    Some(text.to_owned())
}
