//! `linkctl man`: the one verb that writes what is no link, and journals nothing.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use links::apply::{Operation, Run, apply};
use links::{ErrorKind, Written, write_files};

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

pub(crate) const VERB: Verb =
    Verb::new("man", &[(ErrorKind::TargetIsLink, "remove the link, or choose another directory")]);

pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let plan = links::create::plan_directory(&args.dir)?;
    let never = AtomicBool::new(false);
    let report = apply(&plan, &Operation::new("man"), None, Run::new(&never), &mut ());
    report.results.into_iter().collect::<links::Result<Vec<_>>>()?;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    render(&command, &mut pages)?;
    let mut out = output::stdout();
    for (path, written) in write_files(&args.dir, &pages)? {
        if written == Written::Replaced {
            writeln!(out, "replaced {}", sanitize::name(&path))?;
        }
    }
    writeln!(out, "manual pages written into {}", sanitize::name(&args.dir))?;
    out.flush()?;
    Ok(Exit::Done)
}

/// The pages of a command and of those below it, with their names.
fn render(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        render(below, pages)?;
    }
    let (man, mut text) = (Man::new(command.clone()), Vec::new());
    man.render(&mut text)?;
    pages.push((man.get_filename(), text));
    Ok(())
}
