//! `linkctl show`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use links::names::Names;
use links::{Chain, Error, FileKind, Inspection, LinkKind, ReparsePoint, State, Target};
use reparse::ReparseData;

use super::volume::{one, open};
use crate::args::{DriveOption, OutputOptions, VolumeOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::output::json::show::{point_of, raw_bytes};
use crate::output::{self, hex, json, sanitize, table};
use crate::session::volumes_away;

/// Show everything about one path
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    Examples:
    ["show " ("~/games" | "C:\\Games")]
    ["show --search " ("/" | "D:\\") " original.iso"]
    ["show --volume " ("/dev/sdb1 'C:\\Users\\All Users'" | "disk.img \"C:\\Users\\All Users\"")]
))]
pub(crate) struct ShowArgs {
    /// The path to show; a link is shown itself, not what it leads to
    pub(crate) path: PathBuf,
    /// Look below this directory, too, for the other names of a hard-linked file
    #[arg(long, value_name = "DIR", conflicts_with = "volume")]
    pub(crate) search: Vec<PathBuf>,
    /// Dump the stored bytes
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) volume: VolumeOptions,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(crate) const VERB: Verb = Verb::new("show", &[]);

pub(crate) fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let (shown, names) = if args.volume.volume.is_some() {
        // The volume need not be mounted.
        let opened = open(&args.volume, &args.drive)?;
        one(&opened.volumes, &args.path)?.inspect(&args.path)?
    } else {
        let mut shown = links::inspect_path(&args.path, args.drive.letter())?;
        if let Some(away) = volumes_away() {
            shown.ask_for_volume(&away)?;
        }
        let names = names(&shown, args)?;
        (shown, names)
    };
    if args.output.json() {
        json::print(&json::show::Document { links: [(&shown, names.as_ref(), args.raw).into()] })?;
    } else {
        let mut out = output::stdout();
        text(&mut out, &shown, names.as_ref(), args.raw)?;
        out.flush()?;
    }
    Ok(Exit::Done)
}

/// The other names of a file, or of a link with several.
fn names(shown: &Inspection, args: &ShowArgs) -> Result<Option<Names>, Error> {
    if shown.metadata.kind == FileKind::Directory || shown.metadata.links < 2 {
        return Ok(None);
    }
    let parent = shown.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.map_or_else(|| PathBuf::from("."), PathBuf::from);
    links::names::find(&shown.metadata, &parent, &args.search).map(Some)
}

fn text(out: &mut impl Write, shown: &Inspection, names: Option<&Names>, raw: bool) -> io::Result<()> {
    let mut row = |label: &str, value: String| writeln!(out, "{label:<12}{value}");
    row("path", sanitize::name(&shown.path))?;
    let Some(link) = &shown.link else {
        row("kind", format!("{} (no link)", json::file_kind(shown.metadata.kind)))?;
        if shown.metadata.kind == FileKind::File {
            row("names", "1".to_owned())?;
            row("size", format!("{} bytes", shown.metadata.size))?;
        }
        return Ok(());
    };
    row("kind", link.kind.to_string())?;
    if let Some(shown) = link.target.as_ref().and_then(Target::shown) {
        row("target", sanitize::name(shown))?;
    }
    let point = point_of(link.target.as_ref());
    if let Some(point) = point {
        for (label, value) in details(point) {
            row(label, sanitize::line(&value))?;
        }
    }
    let style = table::style(link.state);
    row("state", format!("{style}{}{style:#}", link.state))?;
    if let Some(volume) = &link.volume {
        row("volume", format!("{}, not mounted", sanitize::line(&volume.to_string())))?;
    }
    if let Some(resolved) = link.resolved.as_ref().filter(|_| link.kind != LinkKind::Hard) {
        row("resolved", sanitize::name(resolved))?;
    }
    row("names", shown.metadata.links.to_string())?;
    if link.kind == LinkKind::Hard {
        row("size", format!("{} bytes", shown.metadata.size))?;
    }
    if let Some(chain) = &shown.chain {
        show_chain(out, chain)?;
    }
    if let Some(names) = names {
        writeln!(out, "\n{} of {} names found", names.paths.len(), names.links)?;
        for path in &names.paths {
            writeln!(out, "  {}", sanitize::name(path))?;
        }
        let places: Vec<String> = names.searched.iter().map(sanitize::quoted).collect();
        writeln!(out, "looked in {}", places.join(", "))?;
        if !names.is_complete() {
            writeln!(out, "--search DIR looks further, for example in the root of the file system")?;
        }
    }
    let stored = raw_bytes(link.target.as_ref());
    if raw && !stored.is_empty() {
        writeln!(out, "\nstored data")?;
        out.write_all(hex::dump(&stored).as_bytes())?;
    }
    Ok(())
}

fn show_chain(out: &mut impl Write, chain: &Chain) -> io::Result<()> {
    writeln!(out, "\nchain")?;
    for (index, hop) in chain.hops.iter().enumerate() {
        let target = hop.target.as_ref().map(|target| format!(" -> {}", sanitize::name(target))).unwrap_or_default();
        writeln!(out, "{:>4}  {}  {}{target}", index + 1, hop.kind, sanitize::name(&hop.link))?;
    }
    match (&chain.failed_at, &chain.reason) {
        (Some(at), Some(reason)) => {
            let ends = if chain.state == State::Elsewhere { "goes on elsewhere from" } else { "fails at" };
            writeln!(out, "      {ends} {}: {}", sanitize::name(at), sanitize::line(reason))
        }
        _ => Ok(()),
    }
}

/// What a reparse point says beside its target.
fn details(point: &ReparsePoint) -> Vec<(&'static str, String)> {
    let tag = point.tag();
    let surrogate = if tag.is_name_surrogate() { ", name surrogate" } else { "" };
    let name = tag.name().map(|name| format!(" {name}")).unwrap_or_default();
    let mut rows = vec![("tag", format!("{tag}{name}{surrogate}"))];
    match point.decode() {
        Ok(ReparseData::Symlink(link)) => {
            let relative = if link.is_relative() { "relative" } else { "absolute" };
            rows.push(("print", sanitize::wide(&link.print)));
            rows.push(("substitute", sanitize::wide(&link.substitute)));
            rows.push(("flags", format!("{:#x} ({relative})", link.flags)));
        }
        Ok(ReparseData::MountPoint(point)) => {
            rows.push(("print", sanitize::wide(&point.print)));
            rows.push(("substitute", sanitize::wide(&point.substitute)));
        }
        Ok(_) => {}
        Err(error) => rows.push(("broken", error.to_string())),
    }
    rows.push(("data", format!("{} bytes", point.raw.len())));
    rows
}
