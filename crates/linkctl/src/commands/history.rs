//! `linkctl history`.

use std::io::{self, Write};

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use links::journal::{OperationId, Outcome, Recorded, RecordedOperation, Status, Tally};
use links::undo::settled;
use links::{ErrorKind, Journal, Step, User};

use crate::args::{OutputOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb, complain};
use crate::output::json::history::{Document, OperationRecord, outcome, shown};
use crate::output::{self, json, sanitize, table};
use crate::session::{existing_journal, state_directory, tell_unrecovered};

/// Show what was changed, when and by whom
#[derive(Debug, Args)]
#[command(after_help = after_help!(Example: ["history"] ["history 12"]))]
pub(crate) struct HistoryArgs {
    /// Show the steps of this operation
    pub(crate) id: Option<i64>,
    /// How many operations to show
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    pub(crate) most: usize,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(crate) const VERB: Verb =
    Verb::new("history", &[(ErrorKind::Nothing, "`linkctl history` lists the operations there are")]);

pub(crate) fn run(args: &HistoryArgs) -> Result<Exit, Failure> {
    let directory = state_directory()?;
    if let Some((user, theirs)) = links::journal::behind_sudo()
        && !args.output.json()
    {
        let text = format!(
            "this is root's history, in {}; {}'s own is in {}",
            sanitize::quoted(&directory),
            sanitize::name(&user),
            sanitize::quoted(&theirs)
        );
        complain("note", &text);
    }
    let journal = existing_journal(&directory)?;
    let left: Vec<_> =
        journal.iter().flat_map(tell_unrecovered).filter_map(|interrupted| interrupted.operation()).collect();
    match (journal, args.id) {
        (Some(journal), Some(id)) => one(&journal, OperationId(id), &left, args)?,
        (journal, None) => all(journal.as_ref(), &left, args)?,
        (None, Some(id)) => {
            let message = format!("there is no operation {id}: no journal in {}", sanitize::quoted(&directory));
            return Err(Failure::refused(message, "every change by linkctl is journaled from the first on"));
        }
    }
    Ok(Exit::Done)
}

/// An operation with what the disk says of steps whose end was never written down.
struct Entry {
    operation: RecordedOperation,
    tally: Tally,
    /// Of the steps without an end: how many were done, by the look of the disk.
    found_done: u64,
    /// Its first step, or why that cannot be read.
    first: links::Result<Option<Step>>,
    /// Whether its old tree, or something else of it, is still to be cleared.
    left_behind: bool,
}

const LEFT_BEHIND: &str = "left-behind";

impl Entry {
    fn read(journal: &Journal, operation: RecordedOperation, left: &[OperationId]) -> links::Result<Self> {
        let tally = journal.tally(operation.id)?;
        let first = journal.first_step(operation.id);
        let mut found_done = 0;
        if operation.status == Status::Interrupted && tally.pending > 0 {
            let done = |step: &&Recorded| matches!(step.outcome, Outcome::Done(_));
            let done = settled(journal, operation.id)?.iter().filter(done).count();
            found_done = u64::try_from(done).unwrap_or_default().saturating_sub(tally.done);
        }
        let left_behind = operation.status == Status::Done && left.contains(&operation.id);
        Ok(Self { operation, tally, found_done, first, left_behind })
    }

    fn done(&self) -> u64 {
        self.tally.done + self.found_done
    }

    fn record(&self, steps: Option<&[Recorded]>) -> OperationRecord {
        let record = OperationRecord::from((&self.operation, self.done(), self.tally.failed, steps));
        OperationRecord { state: if self.left_behind { LEFT_BEHIND } else { record.state }, ..record }
    }

    fn state(&self) -> String {
        match self.operation.undone_by {
            _ if self.left_behind => LEFT_BEHIND.to_owned(),
            Some(by) => format!("undone by {by}"),
            None => self.operation.status.as_str().to_owned(),
        }
    }

    fn what(&self) -> String {
        let path = match &self.first {
            Ok(Some(first)) => sanitize::name(first.path().shown()),
            Ok(None) => return String::new(),
            Err(error) => return format!("({})", sanitize::line(&error.cause())),
        };
        match self.operation.planned {
            0 | 1 => path,
            planned => format!("{path} and {} more", planned - 1),
        }
    }
}

fn all(journal: Option<&Journal>, left: &[OperationId], args: &HistoryArgs) -> Result<(), Failure> {
    let read = |journal: &Journal| -> links::Result<Vec<Entry>> {
        journal.operations(args.most)?.into_iter().map(|operation| Entry::read(journal, operation, left)).collect()
    };
    let entries = journal.map(read).transpose()?.unwrap_or_default();
    if args.output.json() {
        let operations = entries.iter().map(|entry| entry.record(None)).collect();
        return Ok(json::print(&Document { operations })?);
    }
    if entries.is_empty() {
        return Ok(output::print("nothing has been changed yet\n")?);
    }
    let rows: Vec<[String; 7]> = entries.iter().map(row).collect();
    let mut out = output::stdout();
    table::columns(&mut out, ["ID", "WHEN", "WHO", "VERB", "STATE", "DONE", "WHAT"], &rows)?;
    out.flush()?;
    for entry in entries.iter().filter(|entry| entry.left_behind) {
        let id = entry.operation.id;
        complain(
            "hint",
            &format!("operation {id} was done but for its old tree; `linkctl recover` tells why and clears it"),
        );
    }
    for entry in entries.iter().filter(|entry| entry.operation.status == Status::Interrupted) {
        let id = entry.operation.id;
        if entry.operation.undone_by.is_none() {
            let moves = matches!(&entry.first, Ok(Some(first)) if first.tree().is_some());
            let text = match moves {
                true => "`linkctl recover` finishes it or rolls it back".to_owned(),
                false => format!("`linkctl undo {id}` takes back what it did"),
            };
            complain("hint", &format!("operation {id} was interrupted; {text}"));
        }
    }
    Ok(())
}

fn row(entry: &Entry) -> [String; 7] {
    let operation = &entry.operation;
    let verb = match operation.undoes {
        Some(id) => format!("{} {id}", operation.verb),
        None => operation.verb.clone(),
    };
    [
        operation.id.to_string(),
        local_time(operation.began),
        operation.user.as_ref().map(who).unwrap_or_default(),
        sanitize::line(&verb),
        entry.state(),
        format!("{} of {}", entry.done(), operation.planned),
        entry.what(),
    ]
}

fn who(user: &User) -> String {
    let name = user.name.clone().unwrap_or_else(|| user.uid.to_string());
    let text = match &user.sudo {
        Some(sudo) => format!("{name} (sudo by {sudo})"),
        None => name,
    };
    sanitize::line(&text)
}

fn local_time(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn one(journal: &Journal, id: OperationId, left: &[OperationId], args: &HistoryArgs) -> Result<(), Failure> {
    let entry = Entry::read(journal, journal.operation(id)?, left)?;
    let steps = settled(journal, id)?;
    if args.output.json() {
        let operations = vec![entry.record(Some(&steps))];
        return Ok(json::print(&Document { operations })?);
    }
    let mut out = output::stdout();
    table::columns(&mut out, ["ID", "WHEN", "WHO", "VERB", "STATE", "DONE", "WHAT"], &[row(&entry)])?;
    writeln!(out)?;
    for step in &steps {
        write_step(&mut out, step)?;
    }
    let begun = u64::try_from(steps.len()).unwrap_or(u64::MAX);
    if begun < entry.operation.planned {
        writeln!(out, "{:12}  {} more steps were planned", "not begun", entry.operation.planned - begun)?;
    }
    Ok(out.flush()?)
}

fn write_step(out: &mut impl Write, recorded: &Recorded) -> io::Result<()> {
    let kind = recorded.step.kind().map(|kind| format!(" {kind}")).unwrap_or_default();
    let target = shown(recorded).map(|target| format!(" -> {}", sanitize::name(target))).unwrap_or_default();
    let path = sanitize::name(recorded.step.path().shown());
    writeln!(out, "{:12}  {}{kind} {path}{target}", outcome(recorded), recorded.step.action().as_str())?;
    match &recorded.outcome {
        Outcome::Failed(error) | Outcome::Unsure(error) => {
            writeln!(out, "{:12}  {}", "", sanitize::line(error))
        }
        _ => Ok(()),
    }
}
