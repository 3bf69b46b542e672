//! `linkctl`: hard links, symbolic links and junctions on the command line.
//!
//! ```text
//! args/        the table of verbs; options that several share; help texts for two systems
//! commands/    one file a verb: its arguments, help, hints, and run, which calls the library
//! compat/      the drop-ins mklink, fsutil and dir, which have words of their own
//! output/      table, json/, csv; sanitize.rs is the last stop of every name
//! failure.rs   errors in words, and hints that several verbs share
//! exit.rs      exit codes, and which one wins
//! kinds.rs     the table of what each kind of link can do
//! session/     what a changing verb needs: journal, question, progress, Ctrl-C
//! ```

mod args;
mod commands;
mod compat;
mod exit;
mod failure;
mod kinds;
mod output;
mod session;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Some((tool, words)) = compat::called(std::env::args_os()) {
        return compat::run(tool, &words);
    }
    let cli = match args::Cli::try_parse_from(compat::as_typed(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let (verb, json) = cli.command.verb();
    match cli.command.run() {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(verb, json).into(),
    }
}
