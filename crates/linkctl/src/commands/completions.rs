//! `linkctl completions`.

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell as Generator;

use crate::args::{Cli, CompletionsArgs, Shell};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

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
