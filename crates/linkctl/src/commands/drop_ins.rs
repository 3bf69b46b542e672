//! `linkctl drop-ins`: makes linkctl answer to the names of Windows' commands.

use std::path::PathBuf;

use clap::Args;
use links::{ErrorKind, KindChoice, LinkSpec, OnExisting, PlanContext};

use crate::args::{ChangeOptions, after_help, by_system};
use crate::compat::Tool;
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::session::Change;

/// Put mklink, fsutil and dir into a directory
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "The names are symbolic links to linkctl itself"
        (
            ". A directory early in the PATH makes them replace what the system has by these names (GNU has a `dir` of \
            its own)."
            | ", or hard links where this user may make no symbolic link. cmd's own mklink and dir win over any \
            program, unless they are called as mklink.exe and dir.exe."
        )
    ]
    Example: ["drop-ins " ("~/bin" | "C:\\Tools")]
))]
pub(crate) struct DropInsArgs {
    /// The directory; made where it is missing
    pub(crate) dir: PathBuf,
    /// Put them in the place of links that have these names already; never of files
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

pub(crate) const VERB: Verb = Verb::new(
    "drop-ins",
    &[(ErrorKind::CrossesVolumes, "copy linkctl into that directory instead, once under each name")],
);

pub(crate) fn run(args: &DropInsArgs) -> Result<Exit, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        let message = format!("cannot tell where linkctl itself is: {error}");
        Failure::failed(message, by_system!("is /proc mounted?", "start it by its full path"))
    })?;
    let specs = Tool::ALL.map(|tool| {
        let name = format!("{}{}", tool.name(), std::env::consts::EXE_SUFFIX);
        let mut spec = LinkSpec::new(args.dir.join(name), &program);
        spec.parents = true;
        if !links::system::may_make_symlinks() {
            spec.kind = KindChoice::Hard;
        }
        spec.on_existing = if args.replace { OnExisting::ReplaceLink } else { OnExisting::Refuse };
        spec
    });
    Change::new(&VERB, &args.change).run(links::create::plan_all(&specs, &PlanContext::default()))
}
