//! `linkctl completions`.

use std::io::Write as _;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell as Generator;

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
    pub(crate) shell: Shell,
}

/// The shells there are completions for.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

pub(crate) const VERB: Verb = Verb::new("completions", &[]);

pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let generator = match args.shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Powershell => Generator::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut Cli::command(), "linkctl", &mut script);
    let mut out = output::raw_stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Done)
}
