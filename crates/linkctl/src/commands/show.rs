//! `linkctl show`.

use std::io::{self, Write};
use std::path::PathBuf;

use links::names::Names;
use links::{Chain, Error, FileKind, Inspection, LinkKind, Name, ReparsePoint, State, Target};
use reparse::ReparseData;
use serde::Serialize;

use super::volume;
use crate::args::ShowArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, hex, json, sanitize, table};

pub(crate) fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let (shown, names) = if args.volume.volume.is_some() {
        volume::inspect(args)?
    } else {
        let shown = links::inspect_path(&args.path, args.drive.letter())?;
        let names = names(&shown, args)?;
        (shown, names)
    };
    if args.output.json() {
        json::print(&document(&shown, names.as_ref(), args.raw))?;
    } else {
        let mut out = output::stdout();
        text(&mut out, &shown, names.as_ref(), args.raw)?;
        out.flush()?;
    }
    Ok(Exit::Done)
}

/// The other names of a file, or of a link with several.
fn names(shown: &Inspection, args: &ShowArgs) -> Result<Option<Names>, Error> {
    if shown.metadata.kind != FileKind::File || shown.metadata.links < 2 {
        return Ok(None);
    }
    let parent = shown.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.map_or_else(|| PathBuf::from("."), PathBuf::from);
    links::names::find(&shown.metadata, &parent, &args.search).map(Some)
}

/// What an object is called that is no link.
fn plain_kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        FileKind::Special => "special",
    }
}

fn text(out: &mut impl Write, shown: &Inspection, names: Option<&Names>, raw: bool) -> io::Result<()> {
    let mut row = |label: &str, value: String| writeln!(out, "{label:<12}{value}");
    row("path", sanitize::name(&shown.path))?;
    let Some(link) = &shown.link else {
        row("kind", format!("{} (no link)", plain_kind(shown.metadata.kind)))?;
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
        let target =
            hop.target.as_ref().map(|target| format!(" -> {}", sanitize::name(target))).unwrap_or_default();
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

fn point_of(target: Option<&Target>) -> Option<&ReparsePoint> {
    match target {
        Some(Target::Reparse(point)) => Some(point),
        _ => None,
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
            rows.push(("print", sanitize::wide(&link.print)));
            rows.push(("substitute", sanitize::wide(&link.substitute)));
            rows.push(("flags", format!("{:#x} ({})", link.flags, relative(link.is_relative()))));
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

fn relative(relative: bool) -> &'static str {
    if relative { "relative" } else { "absolute" }
}

/// The reparse data, or the text of a symbolic link.
fn raw_bytes(target: Option<&Target>) -> Vec<u8> {
    match target {
        Some(Target::Reparse(point)) => point.raw.clone(),
        Some(Target::Text(text)) => text.as_encoded_bytes().to_vec(),
        Some(Target::File(_)) | None => Vec::new(),
    }
}

/// A record of `list`, and all that one path can tell besides.
#[derive(Serialize)]
struct Document {
    schema: u32,
    links: [ShowRecord; 1],
}

#[derive(Serialize)]
struct ShowRecord {
    path: Name,
    kind: &'static str,
    target: Option<Name>,
    resolved: Option<Name>,
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reparse: Option<ReparseRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<ChainRecord>,
    links: u64,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<NamesRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

#[derive(Serialize)]
struct ReparseRecord {
    tag: String,
    tag_name: Option<String>,
    name_surrogate: bool,
    print: Option<String>,
    substitute: Option<String>,
    relative: Option<bool>,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

#[derive(Serialize)]
struct ChainRecord {
    hops: Vec<HopRecord>,
    failed_at: Option<Name>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct HopRecord {
    path: Name,
    kind: &'static str,
    target: Option<Name>,
}

#[derive(Serialize)]
struct NamesRecord {
    found: Vec<Name>,
    searched: Vec<Name>,
    complete: bool,
}

fn document(shown: &Inspection, names: Option<&Names>, raw: bool) -> Document {
    let link = shown.link.as_ref();
    let target = link.and_then(|link| link.target.as_ref());
    let record = ShowRecord {
        path: json::name(&shown.path),
        kind: link.map_or(plain_kind(shown.metadata.kind), |link| link.kind.as_str()),
        target: target.and_then(Target::shown).map(Name),
        resolved: link.and_then(|link| link.resolved.as_ref()).map(json::name),
        state: link.map(|link| link.state.as_str()),
        reparse: point_of(target).map(reparse_record),
        chain: shown.chain.as_ref().map(|chain| ChainRecord {
            hops: chain.hops.iter().map(hop_record).collect(),
            failed_at: chain.failed_at.as_ref().map(json::name),
            reason: chain.reason.clone(),
        }),
        links: shown.metadata.links,
        size: shown.metadata.size,
        names: names.map(|names| NamesRecord {
            found: names.paths.iter().map(json::name).collect(),
            searched: names.searched.iter().map(json::name).collect(),
            complete: names.is_complete(),
        }),
        raw: raw.then(|| raw_bytes(target).iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    Document { schema: json::SCHEMA, links: [record] }
}

fn hop_record(hop: &links::Hop) -> HopRecord {
    HopRecord { path: json::name(&hop.link), kind: hop.kind.as_str(), target: hop.target.clone().map(Name) }
}

fn reparse_record(point: &ReparsePoint) -> ReparseRecord {
    let tag = point.tag();
    let decoded = point.decode();
    let (print, substitute, relative) = match &decoded {
        Ok(ReparseData::Symlink(link)) => {
            (Some(link.print.to_string()), Some(link.substitute.to_string()), Some(link.is_relative()))
        }
        Ok(ReparseData::MountPoint(point)) => {
            (Some(point.print.to_string()), Some(point.substitute.to_string()), None)
        }
        _ => (None, None, None),
    };
    ReparseRecord {
        tag: tag.to_string(),
        tag_name: tag.name().map(std::borrow::Cow::into_owned),
        name_surrogate: tag.is_name_surrogate(),
        print,
        substitute,
        relative,
        bytes: point.raw.len(),
        broken: decoded.err().map(|error| error.to_string()),
    }
}
