//! One file a verb.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod create;
pub(crate) mod doctor;
pub(crate) mod drop_ins;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod r#move;
pub(crate) mod recover;
mod relocation;
pub(crate) mod remove;
pub(crate) mod repair;
pub(crate) mod restore;
pub(crate) mod show;
pub(crate) mod track;
pub(crate) mod undo;
mod volume;

use crate::args::Command;
use crate::exit::Exit;
use crate::failure::Failure;

/// Carries out a verb.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(&args),
        Command::Show(args) => show::run(&args),
        Command::List(args) => list::run(args),
        Command::Check(args) => check::run(&args),
        Command::Remove(args) => remove::run(&args),
        Command::Repair(args) => repair::run(&args),
        Command::Track(args) => track::run(&args),
        Command::Untrack(args) => track::forget(&args),
        Command::Move(args) => r#move::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Recover(args) => recover::run(&args),
        Command::History(args) => history::run(&args),
        Command::Undo(args) => undo::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::DropIns(args) => drop_ins::run(&args),
        // They were called before the command line was parsed, unless their help was asked for.
        Command::Mklink(_) | Command::Fsutil(_) | Command::Dir(_) => Ok(Exit::Usage),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Help(args) => help::run(&args),
    }
}
