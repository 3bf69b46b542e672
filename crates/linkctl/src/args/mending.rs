//! The command lines of the verbs that mend links, and that record what is needed for that.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use links::repair;

use super::by_system;
use super::options::{ChangeOptions, DriveOption};

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "A target is found exactly where it was recorded (`linkctl track`, and every link that linkctl makes): it is \
        the same object, wherever it went on its file system, also into a trash folder. Others are found by evidence: where most links into a \
        directory are whole in another one (strong), or by name (weak). Only what is sure enough is changed \
        (--min-confidence); the rest is shown. Of several places that are equally good, none is taken.\n\
        With --relative, --absolute or --kind-fix, links that lead somewhere are said in another form, and nothing \
        is mended. Exit code 1: some links stay as they are.\n\n\
        Examples:\n  \
        linkctl repair ~ --dry-run\n  \
        linkctl repair ~ --min-confidence strong\n  \
        linkctl repair ~/bin --map /opt/old=/opt/new\n  \
        linkctl repair --relative project",
        "A target is found exactly where it was recorded (`linkctl track`, and every link that linkctl makes): it is \
        the same object, wherever it went on its volume, also into the recycle bin. Others are found by evidence: where most links into a \
        directory are whole in another one (strong), or by name (weak). Only what is sure enough is changed \
        (--min-confidence); the rest is shown. Of several places that are equally good, none is taken.\n\
        With --relative, --absolute or --kind-fix, links that lead somewhere are said in another form, and nothing \
        is mended. Exit code 1: some links stay as they are.\n\n\
        Examples:\n  \
        linkctl repair C:\\Users --dry-run\n  \
        linkctl repair C:\\Users --min-confidence strong\n  \
        linkctl repair C:\\Tools --map C:\\Old=C:\\New\n  \
        linkctl repair --kind-fix project"
    )
)]
pub(crate) struct RepairArgs {
    /// Links, and directories whose links are meant [default: the current directory]
    pub(crate) paths: Vec<PathBuf>,
    /// Look for targets below this directory alone [default: by identity on the whole file system, else near by]
    #[arg(long, value_name = "ROOT")]
    pub(crate) search: Vec<PathBuf>,
    /// What was at OLD is at NEW now; a name that holds `=` is written with two of them
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) map: Vec<OsString>,
    /// Read such pairs from a file, one a line; a line that begins with `#` is a remark
    #[arg(long, value_name = "FILE")]
    pub(crate) map_file: Option<PathBuf>,
    /// How sure it must be for a link to be changed
    #[arg(long, value_enum, default_value_t = Confidence::Exact)]
    pub(crate) min_confidence: Confidence,
    /// Say absolute targets relative to their links
    #[arg(long, group = "form", conflicts_with_all = ["search", "map", "map_file", "min_confidence"])]
    pub(crate) relative: bool,
    /// Say relative targets in full
    #[arg(long, group = "form", conflicts_with_all = ["search", "map", "map_file", "min_confidence"])]
    pub(crate) absolute: bool,
    /// Make links for files that lead to directories links for directories, and the other way round (Windows, NTFS)
    #[arg(long, group = "form", conflicts_with_all = ["search", "map", "map_file", "min_confidence"])]
    pub(crate) kind_fix: bool,
    /// Leave out what matches, in the syntax of .gitignore: no link in it is changed, none is led into it
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Do not enter other file systems
    #[arg(long)]
    pub(crate) one_file_system: bool,
    /// How many threads read [default: one for each core, at most 8, and 2 on a disk that rotates]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What `--min-confidence` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confidence {
    /// The same object, or where --map says
    Exact,
    /// Much agrees, and nothing else comes near
    Strong,
    /// A guess by name
    Weak,
}

impl From<Confidence> for repair::Confidence {
    fn from(confidence: Confidence) -> Self {
        match confidence {
            Confidence::Exact => Self::Exact,
            Confidence::Strong => Self::Strong,
            Confidence::Weak => Self::Weak,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "Links that linkctl makes are tracked from the beginning. What is kept: path, file system, number and handle of \
        the target and of its directory, its size and time, and of files up to 1 MiB a hash of the content.\n\n\
        Examples:\n  \
        linkctl track ~\n  \
        linkctl track --list\n  \
        linkctl track --refresh",
        "Links that linkctl makes are tracked from the beginning. What is kept: path, volume and number of the target \
        and of its directory, its size and time, and of files up to 1 MiB a hash of the content.\n\n\
        Examples:\n  \
        linkctl track C:\\Users\n  \
        linkctl track --list\n  \
        linkctl track --refresh"
    )
)]
pub(crate) struct TrackArgs {
    /// Links, and directories whose links are meant
    #[arg(required_unless_present_any = ["refresh", "list"])]
    pub(crate) paths: Vec<PathBuf>,
    /// Record anew what is tracked already; forget links that are gone
    #[arg(long, conflicts_with = "list")]
    pub(crate) refresh: bool,
    /// Show what is tracked, and how it is now
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) list: bool,
    /// Leave out what matches, in the syntax of .gitignore
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["refresh", "list"])]
    pub(crate) exclude: Vec<String>,
    /// Do not enter other file systems
    #[arg(long, conflicts_with_all = ["refresh", "list"])]
    pub(crate) one_file_system: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "The links themselves stay as they are.\n\nExample:\n  linkctl untrack project")]
pub(crate) struct UntrackArgs {
    /// Links, and directories whose links are meant
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}
