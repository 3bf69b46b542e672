//! The command line as types: all verbs, and what several share. Each verb's own is in `commands/<verb>.rs`.

mod help_text;
mod options;

use clap::{Parser, Subcommand};

use crate::commands::{
    check, completions, create, doctor, drop_ins, help, history, list, man, r#move, recover, remove, repair, restore,
    show, track, undo,
};
use crate::compat::{DirArgs, FsutilArgs, MklinkArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
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

/// All verbs, from one table: their arguments, who they are, what carries them out, and whether JSON is asked for.
macro_rules! verbs {
    ($($name:ident($args:ty): $verb:expr, $run:expr, $json:expr;)+) => {
        /// One for each verb.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($name($args)),+
        }

        impl Command {
            /// The verb, and whether its answer is to be a JSON document, also where it fails.
            pub(crate) fn verb(&self) -> (&'static Verb, bool) {
                match self {
                    $(Self::$name(args) => (&$verb, { let json: fn(&$args) -> bool = $json; json(args) })),+
                }
            }

            pub(crate) fn run(&self) -> Result<Exit, Failure> {
                match self {
                    $(Self::$name(args) => { let run: fn(&$args) -> Result<Exit, Failure> = $run; run(args) }),+
                }
            }
        }
    };
}

// In the order of the help. The drop-ins were called before the command line was parsed, unless their help was asked for.
verbs! {
    Create(create::CreateArgs): create::VERB, create::run, |args| args.change.output.json();
    Show(show::ShowArgs): show::VERB, show::run, |args| args.output.json();
    List(list::ListArgs): list::VERB, list::run, |args| args.output.json();
    Check(check::CheckArgs): check::VERB, check::run, |args| args.output.json();
    Remove(remove::RemoveArgs): remove::VERB, remove::run, |args| args.change.output.json();
    Repair(repair::RepairArgs): repair::VERB, repair::run, |args| args.change.output.json();
    Track(track::TrackArgs): track::VERB, track::run, |args| args.change.output.json();
    Untrack(track::UntrackArgs): track::UNTRACK, track::forget, |args| args.change.output.json();
    Move(r#move::MoveArgs): r#move::VERB, r#move::run, |args| args.change.output.json();
    Restore(restore::RestoreArgs): restore::VERB, restore::run, |args| args.change.output.json();
    Recover(recover::RecoverArgs): recover::VERB, recover::run, |args| args.output.json();
    History(history::HistoryArgs): history::VERB, history::run, |args| args.output.json();
    Undo(undo::UndoArgs): undo::VERB, undo::run, |args| args.change.output.json();
    Doctor(doctor::DoctorArgs): doctor::VERB, doctor::run, |args| args.output.json();
    Mklink(MklinkArgs): help::VERB, |_| Ok(Exit::Usage), |_| false;
    Fsutil(FsutilArgs): help::VERB, |_| Ok(Exit::Usage), |_| false;
    Dir(DirArgs): help::VERB, |_| Ok(Exit::Usage), |_| false;
    DropIns(drop_ins::DropInsArgs): drop_ins::VERB, drop_ins::run, |args| args.change.output.json();
    Completions(completions::CompletionsArgs): completions::VERB, completions::run, |_| false;
    Man(man::ManArgs): man::VERB, man::run, |_| false;
    Help(help::HelpArgs): help::VERB, help::run, |_| false;
}
