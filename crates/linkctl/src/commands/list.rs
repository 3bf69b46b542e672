//! `linkctl list`.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use links::{Error, Filter, Found, KindFilter, Scan, ScanOptions, State};

use crate::args::{Format, ListArgs};
use crate::exit::Exit;
use crate::failure::{Failure, say};
use crate::output::{self, csv, json, sanitize, table};

pub(crate) fn run(args: ListArgs) -> Result<Exit, Failure> {
    let format = args.output.format();
    let null = args.output.null;
    if null && format != Format::Paths {
        return Err(Failure::usage("-0 separates paths", "use it alone or with --format paths"));
    }
    let options = options(args, format)?;
    let mut scan = links::scan(options);
    let mut errors = Vec::new();
    match format {
        Format::Table | Format::Json => {
            let found = collect(&mut scan, &mut errors);
            if format == Format::Json {
                let links = found.iter().map(Into::into).collect();
                let errors = errors.iter().map(Into::into).collect();
                json::print(&json::ListDocument { schema: json::SCHEMA, links, errors })?;
            } else {
                let mut out = output::stdout();
                table::links(&mut out, &found)?;
                out.flush()?;
                if io::stderr().is_terminal() && io::stdout().is_terminal() {
                    total(&found, scan.entries());
                }
            }
        }
        Format::Ndjson => {
            let mut out = output::raw_stdout();
            stream(&mut scan, &mut errors, |found| json::line(&mut out, &json::Record::from(found)))?;
            out.flush()?;
        }
        Format::Csv => {
            let mut out = csv::Writer::new(output::raw_stdout())?;
            stream(&mut scan, &mut errors, |found| out.write(found))?;
            out.finish()?;
        }
        Format::Paths => {
            let escape = io::stdout().is_terminal() && !null;
            let mut out = output::raw_stdout();
            stream(&mut scan, &mut errors, |found| paths(&mut out, found, null, escape))?;
            out.flush()?;
        }
    }
    Ok(errors.iter().map(|error| Exit::of(error.kind())).max().map_or(Exit::Done, |_| Exit::Failed))
}

fn options(args: ListArgs, format: Format) -> Result<ScanOptions, Failure> {
    let roots = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths };
    let asked = !args.state.is_empty();
    let mut filter = Filter::new(args.kind, args.state);
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
    filter.exclude(&args.exclude)?;
    let mut options = ScanOptions::new(roots);
    options.filter = filter;
    options.one_file_system = args.one_file_system;
    options.drive = args.drive.drive;
    options.resolve = matches!(format, Format::Json | Format::Ndjson | Format::Csv);
    Ok(options)
}

/// Everything, in the order of paths; with a count on a terminal, since nothing else shows yet.
fn collect(scan: &mut Scan, errors: &mut Vec<Error>) -> Vec<Found> {
    let bar = ProgressBar::new_spinner();
    let style =
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    bar.set_style(style);
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
        Found::Link(link) => &link.path,
        Found::HardLinks(group) => group.paths.first().map_or(Path::new(""), |path| path),
    }
}

fn stream(
    scan: &mut Scan,
    errors: &mut Vec<Error>,
    mut write: impl FnMut(&Found) -> io::Result<()>,
) -> io::Result<()> {
    for item in scan {
        match item {
            Ok(found) => write(&found)?,
            Err(error) => {
                say("list", &error);
                errors.push(error);
            }
        }
    }
    Ok(())
}

/// Names as they are; on a terminal, what it would obey is escaped.
fn paths(out: &mut impl Write, found: &Found, null: bool, escape: bool) -> io::Result<()> {
    let names = match found {
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
    crate::failure::complain("note", &text);
}
