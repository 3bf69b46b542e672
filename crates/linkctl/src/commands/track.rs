//! `linkctl track` and `linkctl untrack`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use links::ScanOptions;
use links::track::{self, Listed, Report};

use crate::args::{ChangeOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb, say_all};
use crate::output::json::track::Document;
use crate::output::{self, counted, json, sanitize, table};
use crate::session::{Recorded, open_journal, ticking};

/// Record what links lead to, so that `repair` finds it wherever it goes
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "Links that linkctl makes are tracked from the beginning. What is kept: path, "
        ("file system, number and handle of the target" | "volume and number of the target")
        " and of its directory, its size and time, and of files up to 1 MiB a hash of the content."
    ]
    Examples:
    ["track " ("~" | "C:\\Users")]
    ["track --list"]
    ["track --refresh"]
))]
pub(crate) struct TrackArgs {
    /// Links, and directories whose links are meant
    #[arg(required_unless_present_any = ["refresh", "list"])]
    pub(crate) paths: Vec<PathBuf>,
    /// Record anew what is tracked already; forget links that are gone
    #[arg(long, conflicts_with = "list")]
    pub(crate) refresh: bool,
    /// Show what is tracked, and how it is now
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) list: bool,
    /// Leave out what matches, in the syntax of .gitignore
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["refresh", "list"])]
    pub(crate) exclude: Vec<String>,
    /// Do not enter other file systems
    #[arg(long, conflicts_with_all = ["refresh", "list"])]
    pub(crate) one_file_system: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// Forget what was recorded of links
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    ["The links themselves stay as they are."]
    Example: ["untrack project"]
))]
pub(crate) struct UntrackArgs {
    /// Links, and directories whose links are meant
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

pub(crate) const VERB: Verb = Verb::new("track", &[]);
pub(crate) const UNTRACK: Verb = Verb::new("untrack", &[]);

pub(crate) fn run(args: &TrackArgs) -> Result<Exit, Failure> {
    if args.list {
        return list(args);
    }
    let report = if args.refresh {
        let journal = Recorded::open(args.change.dry_run)?.journal;
        journal.map(|journal| track::refresh(&journal, &args.paths)).transpose()?.unwrap_or_default()
    } else {
        let mut options = ScanOptions::new(&args.paths);
        options.filter.exclude(&args.exclude)?;
        options.one_file_system = args.one_file_system;
        ticking(|| "reading links and what they lead to".to_owned(), |_| track::track(options))
    };
    write(&VERB, &args.change, &report)
}

pub(crate) fn forget(args: &UntrackArgs) -> Result<Exit, Failure> {
    let Some(journal) = Recorded::open(args.change.dry_run)?.journal else {
        let message = "nothing is tracked: there is no journal yet";
        return Err(Failure::refused(message, "`linkctl track` records links"));
    };
    let report = track::untrack(&journal, &args.paths)?;
    drop(journal);
    write(&UNTRACK, &args.change, &report)
}

/// Writes down what was found, unless it is only to be told, and tells it.
fn write(verb: &Verb, change: &ChangeOptions, report: &Report) -> Result<Exit, Failure> {
    say_all(verb, &report.errors);
    if !change.dry_run {
        report.write(&mut open_journal()?)?;
    }
    if change.output.json() {
        json::print(&Document::from((verb.name, change.dry_run, report)))?;
    } else {
        tell(change, report)?;
    }
    Ok(if report.errors.is_empty() { Exit::Done } else { Exit::Failed })
}

fn tell(change: &ChangeOptions, report: &Report) -> Result<(), Failure> {
    let mut out = output::stdout();
    let would = if change.dry_run { "would have " } else { "" };
    let links = |number: usize| counted(number, "link");
    let mut parts = Vec::new();
    if !report.tracked.is_empty() || report.forgotten.is_empty() {
        parts.push(format!("{would}tracked {}", links(report.tracked.len())));
    }
    if !report.forgotten.is_empty() {
        parts.push(format!("{would}forgotten {}", counted(report.forgotten.len(), "record")));
    }
    if !report.broken.is_empty() {
        let stays = if report.broken.len() == 1 { "leads" } else { "lead" };
        parts.push(format!("{} {stays} nowhere now: nothing new is recorded of that", links(report.broken.len())));
    }
    writeln!(out, "{}", parts.join("; "))?;
    Ok(out.flush()?)
}

fn list(args: &TrackArgs) -> Result<Exit, Failure> {
    let journal = Recorded::open(args.change.dry_run)?.journal;
    let listed = journal.map(|journal| track::list(&journal, &args.paths)).transpose()?.unwrap_or_default();
    if args.change.output.json() {
        let mut document = Document::from((VERB.name, false, &Report::default()));
        document.tracked = listed.iter().map(|listed| (&listed.tracked, Some(state(listed))).into()).collect();
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
