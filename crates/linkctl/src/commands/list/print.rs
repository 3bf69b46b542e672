//! How `list` prints what is found.

use std::io::{self, IsTerminal as _, Write};
use std::ops::ControlFlow;

use links::volume::VolumeStats;
use links::{Found, Progress, Receiver, Scan, ScanItem, ScanOptions};

use super::VERB;
use super::source::Listing;
use crate::args::Format;
use crate::failure::{Failure, complain, remark, say};
use crate::output::{self, csv, json, sanitize, table};
use crate::session::ticking;

/// Whether anything failed to be read.
pub(super) type Failed = bool;

/// Prints all that was found, in any format.
pub(super) fn whole(listing: &Listing, format: Format, null: bool) -> Result<Failed, Failure> {
    let Listing { found, errors, .. } = listing;
    match format {
        Format::Json => {
            json::print(&json::list::Document {
                links: found,
                errors: errors.iter().map(Into::into).collect(),
                stats: listing.stats.as_ref().map(|stats| stats.iter().map(Into::into).collect()),
            })?;
        }
        Format::Table => {
            let mut out = output::stdout();
            table::links(&mut out, found)?;
            out.flush()?;
            if io::stderr().is_terminal() && io::stdout().is_terminal() {
                total(listing);
            }
        }
        Format::Ndjson | Format::Csv | Format::Paths => print(found, format, null)?,
    }
    Ok(!errors.is_empty())
}

/// The formats that stream, from what was collected.
fn print(found: &[Found], format: Format, null: bool) -> Result<(), Failure> {
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
            Format::Ndjson => json::line(&mut out, &json::link::Record::from(found))?,
            _ => paths(&mut out, found, null, escape)?,
        }
        if out.len() > PIECE {
            output::write_whole(&out)?;
            out.clear();
        }
    }
    Ok(output::write_whole(&out)?)
}

/// Prints links as they are found.
pub(super) fn stream(options: ScanOptions, format: Format, null: bool) -> Result<Failed, Failure> {
    if format == Format::Csv {
        let mut out = csv::Writer::new(output::raw_stdout())?;
        let mut scan = links::scan(options);
        let failed = one_by_one(&mut scan, |found| out.write(found))?;
        out.finish()?;
        remark(&scan.remarks());
        return Ok(failed);
    }
    let escape = io::stdout().is_terminal() && !null;
    Ok(in_parallel(&options, |out, found| match format {
        Format::Ndjson => json::line(out, &json::link::Record::from(found)),
        _ => paths(out, found, null, escape),
    })?)
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
                say(&VERB, &error);
                self.failed = true;
            }
        }
        if self.result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Runs a scan, with a count on the terminal where nothing else shows there.
fn live<T>(progress: &Progress, scan: impl FnOnce() -> T) -> T {
    if io::stdout().is_terminal() {
        return scan();
    }
    ticking(|| format!("{} links in {} entries", progress.found(), progress.entries()), |_| scan())
}

fn one_by_one(scan: &mut Scan, mut write: impl FnMut(&Found) -> io::Result<()>) -> io::Result<Failed> {
    let mut failed = false;
    for item in scan {
        match item {
            Ok(found) => write(&found)?,
            Err(error) => {
                say(&VERB, &error);
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

fn total(Listing { found, entries, .. }: &Listing) {
    let broken = |found: &&Found| matches!(found, Found::Link(link) if link.state.is_broken());
    let broken = found.iter().filter(broken).count();
    let entries = entries.map(|entries| format!(" in {entries} entries")).unwrap_or_default();
    complain("note", &format!("{} links{entries}, {broken} broken", found.len()));
}

/// How volumes were read; in JSON it is part of the document.
pub(super) fn stats(listing: &Listing, format: Format) {
    for (partition, stats) in listing.stats.iter().flatten().filter(|_| format != Format::Json) {
        tell(*partition, stats);
    }
}

fn tell(partition: Option<u32>, stats: &VolumeStats) {
    let partition = partition.map(|number| format!("partition {number}, ")).unwrap_or_default();
    let VolumeStats { bytes, reads, records, stale, time, .. } = stats;
    let (way, took) = (stats.way.as_str(), time.as_secs_f64() * 1e3);
    complain(
        "stats",
        &format!(
            "{partition}{way}, {bytes} bytes in {reads} reads, {records} records, {stale} stale entries of the index, \
             {took:.1} ms"
        ),
    );
}
