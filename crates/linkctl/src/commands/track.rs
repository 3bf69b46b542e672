//! `linkctl track` and `linkctl untrack`.

use std::io::Write as _;

use links::apply::open_journal;
use links::journal::Tracked;
use links::track::{self, Listed, Report};
use links::{FileKind, Journal, Name, ScanOptions};
use serde::Serialize;

use super::list::ticking;
use crate::args::{ChangeOptions, TrackArgs, UntrackArgs};
use crate::exit::Exit;
use crate::failure::{Failure, complain, say_all};
use crate::output::{self, json, sanitize, table};
use crate::session::existing_journal;

pub(crate) fn run(args: &TrackArgs) -> Result<Exit, Failure> {
    if args.list {
        return list(args);
    }
    let report = if args.refresh {
        match existing()? {
            Some(journal) => track::refresh(&journal, &args.paths)?,
            None => Report::default(),
        }
    } else {
        let mut options = ScanOptions::new(&args.paths);
        options.filter.exclude(&args.exclude)?;
        options.one_file_system = args.one_file_system;
        ticking(|| "reading links and what they lead to".to_owned(), || track::track(options))
    };
    write("track", &args.change, &report)
}

pub(crate) fn forget(args: &UntrackArgs) -> Result<Exit, Failure> {
    let Some(journal) = existing()? else {
        let message = "nothing is tracked: there is no journal yet";
        return Err(Failure::refused(message, "`linkctl track` records links"));
    };
    let report = track::untrack(&journal, &args.paths)?;
    drop(journal);
    write("untrack", &args.change, &report)
}

/// Writes down what was found, unless it is only to be told, and tells it.
fn write(verb: &'static str, change: &ChangeOptions, report: &Report) -> Result<Exit, Failure> {
    say_all(verb, &report.errors);
    if !change.dry_run {
        report.write(&mut open()?)?;
    }
    if change.output.json() {
        print_json(verb, change, report)?;
    } else {
        tell(change, report)?;
    }
    Ok(if report.errors.is_empty() { Exit::Done } else { Exit::Failed })
}

fn existing() -> Result<Option<Journal>, Failure> {
    Ok(existing_journal(&Journal::default_directory()?)?)
}

/// The journal of this user, without which nothing can be recorded.
fn open() -> Result<Journal, Failure> {
    let (journal, said) = open_journal(&Journal::default_directory()?)?;
    if let Some(said) = said {
        complain("warning", &said);
    }
    Ok(journal)
}

fn tell(change: &ChangeOptions, report: &Report) -> Result<(), Failure> {
    let mut out = output::stdout();
    let would = if change.dry_run { "would have " } else { "" };
    let links = |number: usize| if number == 1 { "1 link".to_owned() } else { format!("{number} links") };
    let mut parts = Vec::new();
    if !report.tracked.is_empty() || report.forgotten.is_empty() {
        parts.push(format!("{would}tracked {}", links(report.tracked.len())));
    }
    if !report.forgotten.is_empty() {
        let records = if report.forgotten.len() == 1 { "record" } else { "records" };
        parts.push(format!("{would}forgotten {} {records}", report.forgotten.len()));
    }
    if !report.broken.is_empty() {
        let stays = if report.broken.len() == 1 { "leads" } else { "lead" };
        parts.push(format!(
            "{} {stays} nowhere now: nothing new is recorded of that",
            links(report.broken.len())
        ));
    }
    writeln!(out, "{}", parts.join("; "))?;
    Ok(out.flush()?)
}

fn list(args: &TrackArgs) -> Result<Exit, Failure> {
    let journal = existing()?;
    let listed = match &journal {
        Some(journal) => track::list(journal, &args.paths)?,
        None => Vec::new(),
    };
    if args.change.output.json() {
        let tracked = listed.iter().map(|listed| record(&listed.tracked, Some(state(listed)))).collect();
        let (broken, forgotten, errors) = (Vec::new(), Vec::new(), Vec::new());
        let document = Document {
            schema: json::SCHEMA,
            verb: "track",
            dry_run: false,
            tracked,
            broken,
            forgotten,
            errors,
        };
        json::print(&document)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 3]> = listed
        .iter()
        .map(|listed| {
            let target = listed.tracked.target.shown().map(sanitize::name).unwrap_or_default();
            let arrow = format!("{} -> {target}", sanitize::name(&listed.tracked.link));
            [state(listed).to_owned(), arrow, sanitize::name(&listed.tracked.identity.path)]
        })
        .collect();
    let mut out = output::stdout();
    if !rows.is_empty() {
        table::columns(&mut out, ["STATE", "LINK", "LED TO"], &rows)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn state(listed: &Listed) -> &'static str {
    listed.state.map_or("changed", links::State::as_str)
}

fn print_json(verb: &'static str, change: &ChangeOptions, report: &Report) -> Result<(), Failure> {
    let document = Document {
        schema: json::SCHEMA,
        verb,
        dry_run: change.dry_run,
        tracked: report.tracked.iter().map(|tracked| record(tracked, None)).collect(),
        broken: report.broken.iter().map(json::name).collect(),
        forgotten: report.forgotten.iter().map(|tracked| record(tracked, None)).collect(),
        errors: report.errors.iter().map(Into::into).collect(),
    };
    Ok(json::print(&document)?)
}

/// What is recorded of links.
#[derive(Serialize)]
struct Document {
    schema: u32,
    verb: &'static str,
    dry_run: bool,
    tracked: Vec<Record>,
    /// Links that lead nowhere now, of which nothing new is recorded.
    broken: Vec<Name>,
    forgotten: Vec<Record>,
    errors: Vec<json::ErrorRecord>,
}

#[derive(Serialize)]
struct Record {
    path: Name,
    kind: &'static str,
    target: Option<Name>,
    /// What it led to when it was recorded.
    led_to: LedTo,
    /// When that was, in milliseconds since 1970 (UTC).
    recorded: i64,
    /// Of a list: the state of the link, or `changed` where it is gone or says something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct LedTo {
    path: Name,
    kind: &'static str,
    size: u64,
}

fn record(tracked: &Tracked, state: Option<&'static str>) -> Record {
    let identity = &tracked.identity;
    Record {
        path: json::name(&tracked.link),
        kind: tracked.target.kind().as_str(),
        target: tracked.target.shown().map(Name),
        led_to: LedTo {
            path: json::name(&identity.path),
            kind: match identity.kind {
                FileKind::File => "file",
                FileKind::Directory => "directory",
                FileKind::Link => "link",
                FileKind::Special => "special",
            },
            size: identity.size,
        },
        recorded: tracked.seen,
        state,
    }
}
