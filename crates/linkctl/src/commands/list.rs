//! `linkctl list`.

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use links::{
    Details, Error, Filter, Found, KindFilter, Progress, Receiver, Scan, ScanItem, ScanOptions, State,
};

use super::{summary, volume};
use crate::args::{Format, ListArgs};
use crate::exit::Exit;
use crate::failure::{Failure, complain, say};
use crate::output::{self, csv, json, sanitize, table};
use crate::session::with_bar;

pub(crate) fn run(args: ListArgs) -> Result<Exit, Failure> {
    let format = args.output.format();
    let null = args.output.null;
    if null && format != Format::Paths {
        return Err(Failure::usage("-0 separates paths", "use it alone or with --format paths"));
    }
    if args.volume.volume.is_some() {
        return volume::list(args, format);
    }
    let (sorted, summary) = (args.sort, args.summary);
    let (options, unread) = options(args, format)?;
    let failed = match format {
        _ if summary => summary::run(options, format)?,
        Format::Table | Format::Json => whole(options, format)?,
        Format::Ndjson | Format::Csv | Format::Paths if sorted => in_order(options, format, null)?,
        Format::Csv => {
            let mut out = csv::Writer::new(output::raw_stdout())?;
            let mut scan = links::scan(options);
            let failed = stream(&mut scan, |found| out.write(found))?;
            out.finish()?;
            remark(&scan.remarks());
            failed
        }
        Format::Ndjson => in_parallel(&options, |out, found| json::line(out, &json::Record::from(found)))?,
        Format::Paths => {
            let escape = io::stdout().is_terminal() && !null;
            in_parallel(&options, |out, found| paths(out, found, null, escape))?
        }
    };
    Ok(if failed || unread { Exit::Failed } else { Exit::Done })
}

/// Whether anything failed to be read.
type Failed = bool;

/// Table and JSON: everything, in the order of paths.
fn whole(options: ScanOptions, format: Format) -> Result<Failed, Failure> {
    let mut scan = links::scan(options);
    let mut errors = Vec::new();
    let found = collect(&mut scan, &mut errors);
    remark(&scan.remarks());
    if format == Format::Json {
        let links = found.iter().map(Into::into).collect();
        let errors = errors.iter().map(Into::into).collect();
        json::print(&json::ListDocument { schema: json::SCHEMA, links, errors, stats: None })?;
    } else {
        let mut out = output::stdout();
        table::links(&mut out, &found)?;
        out.flush()?;
        if io::stderr().is_terminal() && io::stdout().is_terminal() {
            total(&found, scan.entries());
        }
    }
    Ok(!errors.is_empty())
}

/// The formats that stream otherwise, in the order of paths.
fn in_order(options: ScanOptions, format: Format, null: bool) -> Result<Failed, Failure> {
    let mut errors = Vec::new();
    let mut scan = links::scan(options);
    let found = collect(&mut scan, &mut errors);
    remark(&scan.remarks());
    print(&found, format, null)?;
    Ok(!errors.is_empty())
}

/// The formats that stream, from what was collected.
pub(super) fn print(found: &[Found], format: Format, null: bool) -> Result<(), Failure> {
    if format == Format::Csv {
        let mut out = csv::Writer::new(output::raw_stdout())?;
        for found in found {
            out.write(found)?;
        }
        return Ok(out.finish()?);
    }
    let escape = io::stdout().is_terminal() && !null;
    let mut out = Vec::new();
    for found in found {
        match format {
            Format::Ndjson => json::line(&mut out, &json::Record::from(found))?,
            _ => paths(&mut out, found, null, escape)?,
        }
        if out.len() > PIECE {
            output::write_whole(&out)?;
            out.clear();
        }
    }
    Ok(output::write_whole(&out)?)
}

/// Each worker writes what it found itself, in pieces that end with a line.
fn in_parallel(
    options: &ScanOptions,
    write: impl Fn(&mut Vec<u8>, &Found) -> io::Result<()> + Sync,
) -> io::Result<Failed> {
    let progress = Progress::default();
    let writers = live(&progress, || {
        links::visit(options, &progress, || Writer {
            text: Vec::with_capacity(2 * PIECE),
            write: &write,
            failed: false,
            result: Ok(()),
        })
    });
    let mut failed = false;
    for mut writer in writers {
        writer.flush();
        failed |= writer.failed;
        writer.result?;
    }
    remark(&progress.remarks());
    Ok(failed)
}

/// So much is written at a time.
const PIECE: usize = 32 * 1024;

struct Writer<'a, W> {
    text: Vec<u8>,
    write: &'a W,
    failed: Failed,
    result: io::Result<()>,
}

impl<W> Writer<'_, W> {
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if self.result.is_ok() && !text.is_empty() {
            // Its own buffer would only copy: the descriptor is written to, whole lines at a time.
            self.result = output::write_whole(&text);
        }
    }
}

impl<W: Fn(&mut Vec<u8>, &Found) -> io::Result<()>> Receiver for Writer<'_, W> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        match item {
            Ok(found) => {
                if let Err(error) = (self.write)(&mut self.text, &found) {
                    self.result = Err(error);
                }
                if self.text.len() > PIECE {
                    self.flush();
                    self.text.reserve(2 * PIECE);
                }
            }
            Err(error) => {
                say("list", &error);
                self.failed = true;
            }
        }
        if self.result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Says how whole volumes were read.
pub(super) fn remark(remarks: &[String]) {
    for text in remarks {
        complain("note", &sanitize::line(text));
    }
}

/// Runs a scan, with a count on the terminal where nothing else shows there.
fn live<T>(progress: &Progress, scan: impl FnOnce() -> T) -> T {
    if io::stdout().is_terminal() {
        return scan();
    }
    ticking(|| format!("{} links in {} entries", progress.found(), progress.entries()), scan)
}

/// Runs something, with a line on the terminal that says how far it is.
pub(super) fn ticking<T>(message: impl Fn() -> String + Sync, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let show = |bar: &ProgressBar| {
        bar.set_message(message());
        bar.tick();
    };
    with_bar(&spinner(), show, work)
}

fn spinner() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn options(args: ListArgs, format: Format) -> Result<(ScanOptions, Failed), Failure> {
    let mut unread = false;
    let mut filter = filter(&args)?;
    if let Some(path) = &args.points_to {
        for error in filter.points_to(path)? {
            say("list", &error);
            unread = true;
        }
    }
    let roots = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths };
    let mut options = ScanOptions::new(roots);
    options.filter = filter;
    options.one_file_system = args.one_file_system;
    options.drive = args.drive.letter();
    options.max_depth = args.max_depth.map(NonZeroUsize::get);
    options.workers = args.jobs.map(NonZeroUsize::get);
    options.details = details(format);
    Ok((options, unread))
}

/// What a format tells of a link.
pub(super) fn details(format: Format) -> Details {
    match format {
        Format::Paths => Details::Path,
        Format::Table => Details::State,
        Format::Json | Format::Ndjson | Format::Csv => Details::Resolved,
    }
}

/// Which links are wanted, but for where they lead.
pub(super) fn filter(args: &ListArgs) -> Result<Filter, Failure> {
    let asked = !args.state.is_empty();
    let mut filter = Filter::new(args.kind.iter().copied(), args.state.iter().copied());
    if args.hard {
        filter.kinds.push(KindFilter::HARD);
    }
    if args.broken {
        filter.states.retain(|state| state.is_broken());
        if filter.states.is_empty() && asked {
            return Err(Failure::usage(
                "no state asked for is a broken one",
                "leave out --broken, or --state",
            ));
        }
        if !asked {
            filter.states.extend(State::ALL.into_iter().filter(|state| state.is_broken()));
        }
    }
    if let Some(glob) = &args.target {
        filter.target(glob)?;
    }
    if let Some(glob) = &args.name {
        filter.name(glob)?;
    }
    filter.exclude(&args.exclude)?;
    Ok(filter)
}

/// Everything, in the order of paths; with a count on a terminal, since nothing else shows yet.
fn collect(scan: &mut Scan, errors: &mut Vec<Error>) -> Vec<Found> {
    let bar = spinner();
    let mut all = Vec::new();
    while let Some(item) = scan.next() {
        match item {
            Ok(found) => all.push(found),
            Err(error) => {
                bar.suspend(|| say("list", &error));
                errors.push(error);
            }
        }
        if all.len() % 256 == 0 {
            bar.set_message(format!("{} links in {} entries", all.len(), scan.entries()));
            bar.tick();
        }
    }
    bar.finish_and_clear();
    all.sort_by(|a, b| first_path(a).cmp(first_path(b)));
    all
}

fn first_path(found: &Found) -> &Path {
    match found {
        Found::Path(path) => path,
        Found::Link(link) => &link.path,
        Found::HardLinks(group) => group.paths.first().map_or(Path::new(""), |path| path),
    }
}

fn stream(scan: &mut Scan, mut write: impl FnMut(&Found) -> io::Result<()>) -> io::Result<Failed> {
    let mut failed = false;
    for item in scan {
        match item {
            Ok(found) => write(&found)?,
            Err(error) => {
                say("list", &error);
                failed = true;
            }
        }
    }
    Ok(failed)
}

/// Names as they are; on a terminal, what it would obey is escaped.
fn paths(out: &mut impl Write, found: &Found, null: bool, escape: bool) -> io::Result<()> {
    let names = match found {
        Found::Path(path) => std::slice::from_ref(path),
        Found::Link(link) => std::slice::from_ref(&link.path),
        Found::HardLinks(group) => group.paths.as_slice(),
    };
    for path in names {
        if escape {
            out.write_all(sanitize::name(path).as_bytes())?;
        } else {
            out.write_all(path.as_os_str().as_encoded_bytes())?;
        }
        out.write_all(if null { b"\0" } else { b"\n" })?;
    }
    Ok(())
}

fn total(found: &[Found], entries: u64) {
    let broken = |found: &&Found| matches!(found, Found::Link(link) if link.state.is_broken());
    let broken = found.iter().filter(broken).count();
    let text = format!("{} links in {entries} entries, {broken} broken", found.len());
    complain("note", &text);
}
