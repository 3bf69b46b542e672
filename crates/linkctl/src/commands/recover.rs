//! `linkctl recover`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use links::apply::{Recovered, are_untold, open_journal, recover, tell_untold, unrecovered};
use links::{Error, Journal, Name};
use serde::Serialize;

use crate::args::RecoverArgs;
use crate::exit::Exit;
use crate::failure::{Failure, complain, message, say};
use crate::output::sanitize::{self, quoted};
use crate::output::{self, json};
use crate::session::existing_journal;

pub(crate) fn run(args: &RecoverArgs) -> Result<Exit, Failure> {
    let mut stages = BTreeSet::new();
    let directory = Journal::default_directory().ok();
    let existing = directory.as_deref().map(existing_journal).transpose()?.flatten();
    if let Some(journal) = &existing {
        stages.extend(unrecovered(journal)?);
    }
    for directory in &args.directories {
        stages.extend(links::relocate::stages_in(directory)?);
    }
    let mut done: Vec<(PathBuf, Result<Recovered, Error>)> = Vec::new();
    let untold = existing.as_ref().map(are_untold).transpose()? == Some(true);
    if !args.dry_run && (untold || !stages.is_empty()) {
        // What becomes of the moves is written down, where they are.
        let mut journal = existing.and_then(|_| to_write(directory.as_deref()?));
        for stage in &stages {
            // What another one needed beside the tree may be gone with it.
            if done.is_empty() || stage.symlink_metadata().is_ok() {
                done.push((stage.clone(), recover(stage, journal.as_mut())));
            }
        }
        // And how those ended that have left nothing.
        if let Some(Err(error)) = journal.as_mut().map(tell_untold) {
            complain("warning", &message(&error));
        }
    }
    let failed: Vec<&Error> = done.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    if args.output.json() {
        let recovered =
            done.iter().filter_map(|(stage, result)| result.as_ref().ok().map(|one| record(stage, one)));
        json::print(&Document {
            schema: json::SCHEMA,
            stages: stages.iter().map(json::name).collect(),
            recovered: recovered.collect(),
            errors: failed.iter().copied().map(Into::into).collect(),
        })?;
    } else {
        let mut out = output::stdout();
        if stages.is_empty() {
            writeln!(out, "nothing to recover")?;
        }
        for stage in stages.iter().filter(|_| args.dry_run) {
            writeln!(out, "would finish or roll back the move that left {}", quoted(stage))?;
        }
        for (_, result) in &done {
            let text = match result {
                Ok(Recovered::RolledBack { tree }) => {
                    format!("rolled back: {} is where it was", quoted(tree))
                }
                Ok(Recovered::Finished { tree, .. }) => format!("finished: it is in {}", quoted(tree)),
                Ok(Recovered::Cleared { stage }) => {
                    format!("removed: {}, which held nothing", quoted(stage))
                }
                Err(_) => continue,
            };
            writeln!(out, "{text}")?;
        }
        out.flush()?;
    }
    for (_, result) in &done {
        let Ok(Recovered::Finished { lost, .. }) = result else { continue };
        for (path, what) in lost {
            complain("warning", &format!("{}: not kept: {}", quoted(path), sanitize::line(what)));
        }
    }
    failed.iter().for_each(|error| say("recover", error));
    Ok(failed.iter().map(|error| Exit::of(error.kind())).max().unwrap_or(Exit::Done))
}

fn to_write(directory: &Path) -> Option<Journal> {
    match open_journal(directory) {
        Ok((journal, said)) => {
            said.iter().for_each(|said| complain("warning", said));
            Some(journal)
        }
        Err(error) => {
            complain("warning", &message(&error));
            None
        }
    }
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    /// What interrupted moves left.
    stages: Vec<Name>,
    recovered: Vec<Record>,
    errors: Vec<json::ErrorRecord>,
}

#[derive(Serialize)]
struct Record {
    stage: Name,
    /// `rolled-back`, `finished`, or `cleared`: an empty private directory, or a link to itself, is gone.
    result: &'static str,
    /// Where the tree is; of `cleared`, what is gone.
    tree: Name,
}

fn record(stage: &Path, recovered: &Recovered) -> Record {
    let (result, tree) = match recovered {
        Recovered::RolledBack { tree } => ("rolled-back", tree),
        Recovered::Finished { tree, .. } => ("finished", tree),
        Recovered::Cleared { stage } => ("cleared", stage),
    };
    Record { stage: json::name(stage), result, tree: json::name(tree) }
}
