//! How `list` prints what is found.

use std::io::{self, IsTerminal as _, Write};
use std::ops::ControlFlow;

use links::volume::VolumeStats;
use links::{Found, Progress, Receiver, ScanItem, ScanOptions};

use super::VERB;
use super::source::{Listing, paths};
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
    let lines = Lines::begin(format, null)?;
    let mut out = Vec::new();
    for found in found {
        lines.write(&mut out, found)?;
        if out.len() > PIECE {
            output::write_whole(&out)?;
            out.clear();
        }
    }
    Ok(output::write_whole(&out)?)
}

/// Finds as lines.
struct Lines {
    format: Format,
    null: bool,
    /// Whether paths go to a terminal, which would obey what is in them.
    escape: bool,
}

impl Lines {
    /// Prints the header, where the format has one.
    fn begin(format: Format, null: bool) -> io::Result<Self> {
        if format == Format::Csv {
            output::write_whole(csv::HEAD)?;
        }
        Ok(Self { format, null, escape: io::stdout().is_terminal() && !null })
    }

    fn write(&self, out: &mut Vec<u8>, found: &Found) -> io::Result<()> {
        match self.format {
            Format::Csv => return csv::write(out, found),
            Format::Ndjson => return json::line(out, &json::link::Record::from(found)),
            _ => {}
        }
        for path in paths(found) {
            if self.escape {
                out.extend(sanitize::name(path).as_bytes());
            } else {
                out.extend(path.as_os_str().as_encoded_bytes());
            }
            out.push(if self.null { 0 } else { b'\n' });
        }
        Ok(())
    }
}

/// Prints links as they are found: each worker writes what it found itself, in pieces that end with a line.
pub(super) fn stream(options: &ScanOptions, format: Format, null: bool) -> Result<Failed, Failure> {
    let lines = Lines::begin(format, null)?;
    let progress = Progress::default();
    let writers = live(&progress, || {
        links::visit(options, &progress, || Writer {
            text: Vec::with_capacity(2 * PIECE),
            lines: &lines,
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

struct Writer<'a> {
    text: Vec<u8>,
    lines: &'a Lines,
    failed: Failed,
    result: io::Result<()>,
}

impl Writer<'_> {
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if self.result.is_ok() && !text.is_empty() {
            // Its own buffer would only copy: the descriptor is written to, whole lines at a time.
            self.result = output::write_whole(&text);
        }
    }
}

impl Receiver for Writer<'_> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        match item {
            Ok(found) => {
                if let Err(error) = self.lines.write(&mut self.text, &found) {
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

fn total(Listing { found, entries, .. }: &Listing) {
    let broken = |found: &&Found| matches!(found, Found::Link(link) if link.state.is_broken());
    let broken = found.iter().filter(broken).count();
    let entries = entries.map(|entries| format!(" in {entries} entries")).unwrap_or_default();
    complain("note", &format!("{} links{entries}, {broken} broken", found.len()));
}

/// How volumes were read; in JSON it is part of the document.
pub(super) fn stats(listing: &Listing, format: Format) {
    for (partition, stats) in listing.stats.iter().flatten().filter(|_| format != Format::Json) {
        let partition = partition.map(|number| format!("partition {number}, ")).unwrap_or_default();
        let VolumeStats { bytes, reads, records, stale, time, .. } = stats;
        let (way, took) = (stats.way.as_str(), time.as_secs_f64() * 1e3);
        let read = format!("{bytes} bytes in {reads} reads, {records} records, {stale} stale entries of the index");
        complain("stats", &format!("{partition}{way}, {read}, {took:.1} ms"));
    }
}
