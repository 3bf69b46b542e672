//! `linkctl man`: the one verb that writes what is no link, and journals nothing.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::{Args, CommandFactory as _};
use links::apply::{Operation, Run, apply};

use crate::args::{Cli, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::output::{self, sanitize};

/// Write the manual pages into a directory
#[derive(Debug, Args)]
#[command(after_help = after_help!(Example: ["man " ("~/.local/share/man/man1" | "C:\\Tools\\man")]))]
pub(crate) struct ManArgs {
    /// The directory; made where it is missing
    pub(crate) dir: PathBuf,
}

pub(crate) const VERB: Verb = Verb::new("man", &[]);

pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let plan = links::create::plan_directory(&args.dir)?;
    let never = AtomicBool::new(false);
    let report = apply(&plan, &Operation::new("man"), None, Run::new(&never), &mut ());
    report.results.into_iter().collect::<links::Result<Vec<_>>>()?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(|error| Failure::Own {
        exit: Exit::Failed,
        message: format!("cannot write the manual pages into {}: {error}", sanitize::quoted(&args.dir)),
        hint: None,
    })?;
    output::print(&format!("manual pages written into {}\n", sanitize::name(&args.dir)))?;
    Ok(Exit::Done)
}
