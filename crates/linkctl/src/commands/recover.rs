//! `linkctl recover`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use links::apply::{Consent, Interrupted, Recovered, Search, interrupted, record_ended_moves, waiting_for_volumes};
use links::{Error, ErrorKind, Journal};

use crate::args::{OutputOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb, complain, message, not_kept, say};
use crate::output::sanitize::{self, quoted};
use crate::output::{self, json};
use crate::session::{Recorded, confirm, open_journal};

/// Finish or roll back moves that were interrupted
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "What an interrupted move left is told by its disk alone: the copy is removed where the original is whole and \
        in its place, and the move is finished where the link has taken it. What was changed since is kept."
    ]
    Examples: ["recover"] ["recover /mnt/big"]
))]
pub(crate) struct RecoverArgs {
    /// Look here for what moves have left, also without the journal
    #[arg(value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where the copy is lost or its volume away, put the original back without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(crate) const VERB: Verb = Verb::new(
    "recover",
    &[
        (ErrorKind::PermissionDenied, "who moved it can recover it; where nothing of it is needed any more, remove it"),
        (ErrorKind::NotEmpty, "something else is in it: look at it, and move it where it belongs"),
        (
            ErrorKind::Undecided,
            "--yes puts the original back; or mount the volume of the copy first, and recover again",
        ),
    ],
);

pub(crate) fn run(args: &RecoverArgs) -> Result<Exit, Failure> {
    let recorded = if args.directories.is_empty() {
        Recorded::open(args.dry_run)?
    } else {
        // The disk alone tells of what was left there.
        Recorded::open_if_readable(args.dry_run, "only what lies in the directories named is looked for")
    };
    let existing = recorded.journal;
    let found = interrupted(existing.as_ref(), Search::All(&args.directories))?;
    let waiting = existing.as_ref().map(waiting_for_volumes).transpose()?.unwrap_or_default();
    let stages: Vec<&Path> = found.iter().map(Interrupted::path).collect();
    let mut done: Vec<(&Path, Result<Recovered, Error>)> = Vec::new();
    if !args.dry_run && existing.is_some() | !found.is_empty() {
        // The outcomes of the moves are recorded, if anything is.
        let mut journal =
            existing.and_then(|_| open_journal().inspect_err(|error| complain("warning", &message(error))).ok());
        for interrupted in &found {
            // What another one needed beside the tree may be gone with it.
            if done.is_empty() || interrupted.path().symlink_metadata().is_ok() {
                done.push((interrupted.path(), finish(args, interrupted, journal.as_mut())?));
            }
        }
        // And those of moves that have left nothing.
        if let Some(Err(error)) = journal.as_mut().map(record_ended_moves) {
            complain("warning", &message(&error));
        }
    }
    let failed: Vec<&Error> = done.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    if args.output.json() {
        let recovered = done.iter().filter_map(|(stage, result)| Some((*stage, result.as_ref().ok()?).into()));
        json::print(&json::recover::Document {
            stages: stages.iter().map(json::name).collect(),
            recovered: recovered.collect(),
            findings: waiting.iter().map(Into::into).collect(),
            errors: failed.iter().copied().map(Into::into).collect(),
        })?;
    } else {
        let mut out = output::stdout();
        if stages.is_empty() && waiting.is_empty() {
            writeln!(out, "nothing to recover")?;
        }
        for stage in stages.iter().filter(|_| args.dry_run) {
            writeln!(out, "would finish or roll back the move that left {}", quoted(stage))?;
        }
        for (_, result) in &done {
            let text = match result {
                Ok(Recovered::RolledBack { tree }) => format!("rolled back: {} is where it was", quoted(tree)),
                Ok(Recovered::Finished { tree, .. }) => format!("finished: it is in {}", quoted(tree)),
                Ok(Recovered::Cleared { stage }) => format!("removed: {}, which held nothing", quoted(stage)),
                Err(_) => continue,
            };
            writeln!(out, "{text}")?;
        }
        out.flush()?;
    }
    for (_, result) in &done {
        let Ok(Recovered::Finished { lost, .. }) = result else { continue };
        lost.iter().for_each(not_kept);
    }
    for finding in &waiting {
        complain("warning", &format!("{}: {}", quoted(&finding.path), sanitize::line(&finding.text)));
    }
    failed.iter().for_each(|error| say(&VERB, error));
    Ok(Exit::of_all(failed).unwrap_or(Exit::Done))
}

/// Finishes one; where that may give up the only copy, asks first.
fn finish(
    args: &RecoverArgs,
    interrupted: &Interrupted,
    mut journal: Option<&mut Journal>,
) -> Result<Result<Recovered, Error>, Failure> {
    let consent = if args.yes { Consent::Given } else { Consent::NotGiven };
    let done = interrupted.finish(journal.as_deref_mut(), consent);
    match &done {
        Err(error) if error.kind() == ErrorKind::Undecided && !args.output.json() => {
            if confirm(&format!("{}. Put it back?", message(error)))? {
                return Ok(interrupted.finish(journal, Consent::Given));
            }
            Ok(done)
        }
        _ => Ok(done),
    }
}
