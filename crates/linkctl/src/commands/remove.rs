//! `linkctl remove`.

use std::path::PathBuf;

use clap::Args;
use links::remove::{Below, RemoveSpec};
use links::{ErrorKind, Filter, KindFilter, PlanContext};

use crate::args::{ChangeOptions, after_help, kind};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::output::counted;
use crate::output::sanitize::quoted;
use crate::session::Change;

/// Remove links: the link objects and nothing else, ever
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    ["A directory, and a file with one name, are refused. Where one of several is refused, none is removed."]
    Examples:
    ["remove " ("~/games" | "C:\\Games")]
    ["remove --kind hard copy.iso"]
    ["remove --recursive --dry-run old-project"]
))]
pub(crate) struct RemoveArgs {
    /// The links; with --recursive, directories
    #[arg(required = true, value_name = "LINK")]
    pub(crate) paths: Vec<PathBuf>,
    /// Remove every symbolic link and junction below each directory; nothing is followed
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// Only links of this kind; needed for one name of a hard-linked file (hard)
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Option<KindFilter>,
    /// With --recursive: do not enter other file systems
    #[arg(long, requires = "recursive")]
    pub(crate) one_file_system: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

pub(crate) const VERB: Verb = Verb::new(
    "remove",
    &[
        (ErrorKind::TargetIsLink, "without --recursive, the link itself is removed"),
        (ErrorKind::IsDirectory, "--recursive removes the links below it"),
    ],
);

pub(crate) fn run(args: &RemoveArgs) -> Result<Exit, Failure> {
    if args.recursive && args.kind == Some(KindFilter::HARD) {
        return Err(Failure::usage(
            "--recursive removes symbolic links and junctions, not names of files",
            "name each: linkctl remove --kind hard NAME...",
        ));
    }
    let mut spec = RemoveSpec::new(&args.paths);
    spec.kind = args.kind;
    if args.recursive {
        let mut below = Below::default();
        below.filter = Filter::new(args.kind, []);
        below.one_file_system = args.one_file_system;
        spec.below = Some(below);
    }
    let removal = links::remove::plan(&spec, &PlanContext::default())?;
    let mut change = Change::new(&VERB, &args.change);
    change.errors = removal.unread;
    if args.recursive {
        let below: Vec<String> = args.paths.iter().map(quoted).collect();
        let links = counted(removal.plan.steps.len(), "link");
        change.question = Some(format!("Remove {links} below {}?", below.join(", ")));
    }
    change.run(removal.plan)
}
