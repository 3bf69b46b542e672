//! `linkctl completions`.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::{Cli, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::output;

/// Print the completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    Example: ["completions " ("bash > ~/.local/share/bash-completion/completions/linkctl" | "powershell")]
))]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_parser = PossibleValuesParser::new(SHELLS).try_map(|name| name.parse::<Shell>()))]
    pub(crate) shell: Shell,
}

const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

pub(crate) const VERB: Verb = Verb::new("completions", &[]);

pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "linkctl", &mut script);
    output::write_whole(&script)?;
    Ok(Exit::Done)
}
