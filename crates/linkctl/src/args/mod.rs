//! The command line as types: all verbs, and what several share. Each verb's own is in `commands/<verb>.rs`.

mod help_text;
mod options;

use clap::{Parser, Subcommand};

use crate::commands::{
    check, completions, create, doctor, drop_ins, help, history, list, man, r#move, recover, remove, repair,
    restore, show, track, undo,
};
use crate::compat::{DirArgs, FsutilArgs, MklinkArgs};
use crate::failure::Verb;
pub(crate) use help_text::{after_help, by_system, this_system};
pub(crate) use options::{
    ChangeOptions, DriveOption, Format, IntoOptions, ListOptions, OutputOptions, TreeOptions, VerifyOption,
    VolumeOptions, kind, letter,
};

/// Hard links, symbolic links and junctions: make, see, check, remove and undo them.
#[derive(Debug, Parser)]
#[command(
    name = "linkctl",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = after_help!(
        [
            "Every change to links is journaled: `linkctl history` shows it, `linkctl undo` takes it back.\n\
            Exit codes: 0 done, 1 a check found something, 2 usage, 3 failed or partly, 4 refused for safety, 130 \
            interrupted."
        ]
        Examples:
        ["list " ("~" | "C:\\Users") " --broken"]
        ["create " ("~/games /mnt/big/games" | "C:\\Games D:\\Games")]
    )
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One for each verb, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(create::CreateArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    Check(check::CheckArgs),
    Remove(remove::RemoveArgs),
    Repair(repair::RepairArgs),
    Track(track::TrackArgs),
    Untrack(track::UntrackArgs),
    Move(r#move::MoveArgs),
    Restore(restore::RestoreArgs),
    Recover(recover::RecoverArgs),
    History(history::HistoryArgs),
    Undo(undo::UndoArgs),
    Doctor(doctor::DoctorArgs),
    Mklink(MklinkArgs),
    Fsutil(FsutilArgs),
    Dir(DirArgs),
    DropIns(drop_ins::DropInsArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Help(help::HelpArgs),
}

impl Command {
    /// The verb, and whether its answer is to be a JSON document, also where it fails.
    pub(crate) fn verb(&self) -> (&'static Verb, bool) {
        match self {
            Self::Create(args) => (&create::VERB, args.change.output.json()),
            Self::Show(args) => (&show::VERB, args.output.json()),
            Self::List(args) => (&list::VERB, args.output.format() == Format::Json),
            Self::Check(args) => (&check::VERB, args.output.json()),
            Self::Remove(args) => (&remove::VERB, args.change.output.json()),
            Self::Repair(args) => (&repair::VERB, args.change.output.json()),
            Self::Track(args) => (&track::VERB, args.change.output.json()),
            Self::Untrack(args) => (&track::UNTRACK, args.change.output.json()),
            Self::Move(args) => (&r#move::VERB, args.change.output.json()),
            Self::Restore(args) => (&restore::VERB, args.change.output.json()),
            Self::Recover(args) => (&recover::VERB, args.output.json()),
            Self::History(args) => (&history::VERB, args.output.json()),
            Self::Undo(args) => (&undo::VERB, args.change.output.json()),
            Self::Doctor(args) => (&doctor::VERB, args.output.json()),
            Self::DropIns(args) => (&drop_ins::VERB, args.change.output.json()),
            Self::Completions(_) => (&completions::VERB, false),
            Self::Man(_) => (&man::VERB, false),
            Self::Help(_) | Self::Mklink(_) | Self::Fsutil(_) | Self::Dir(_) => (&help::VERB, false),
        }
    }
}
