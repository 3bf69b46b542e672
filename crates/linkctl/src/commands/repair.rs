//! `linkctl repair`.

use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use links::apply::Report;
use links::repair::{
    self, Candidate, Conversion, Map, Mapping, Mend, Reason, Repair, RepairSpec, Verdict, Why,
};
use links::{Journal, Name, Progress, Target};
use serde::Serialize;

use super::list::ticking;
use crate::args::RepairArgs;
use crate::exit::Exit;
use crate::failure::{Failure, complain, message, say_all};
use crate::output::{self, json, sanitize, table};
use crate::session::{Change, existing_journal};

pub(crate) fn run(args: &RepairArgs) -> Result<Exit, Failure> {
    let spec = spec(args)?;
    let conversion = match (args.relative, args.absolute, args.kind_fix) {
        (true, ..) => Some(Conversion::Relative),
        (_, true, _) => Some(Conversion::Absolute),
        (.., true) => Some(Conversion::Kind),
        _ => None,
    };
    let progress = Progress::default();
    let shown = || format!("{} links in {} entries", progress.found(), progress.entries());
    let mut planned = ticking(shown, || -> Result<Repair, Failure> {
        Ok(match conversion {
            Some(conversion) => repair::convert(&spec, conversion, &progress)?,
            None => repair::plan(&spec, journal()?.as_ref(), &progress)?,
        })
    })?;
    let mut change = Change::new(repair::VERB, &args.change);
    change.errors = std::mem::take(&mut planned.errors);
    let told = Told { args, spec: &spec, planned: &planned, converts: conversion.is_some() };
    if !args.change.output.json() {
        told.print_table()?;
    }
    say_all(repair::VERB, &change.errors);
    told.remark();
    let (steps, links) = (planned.plan.steps.len(), &planned.plan);
    let what = if conversion.is_some() { "Rewrite" } else { "Retarget" };
    change.question = Some(format!("{what} {}?", counted(steps, "link")));
    let report = change.carry_out(links)?;
    told.print_end(&change, report.as_ref())?;
    let exit = change.exit(report.as_ref());
    let found = if planned.remaining() > 0 { Exit::Found } else { Exit::Done };
    Ok(exit.max(found))
}

/// What was recorded of links. A journal that cannot be read is no reason to mend nothing.
fn journal() -> Result<Option<Journal>, Failure> {
    let Ok(directory) = Journal::default_directory() else { return Ok(None) };
    existing_journal(&directory).or_else(|error| {
        let text = format!("{}: targets are found by evidence alone", message(&error));
        complain("warning", &text);
        Ok(None)
    })
}

fn spec(args: &RepairArgs) -> Result<RepairSpec, Failure> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut spec = RepairSpec::new(paths);
    spec.search.clone_from(&args.search);
    let given = args.map.iter().map(|text| Map::parse(text));
    spec.maps = given.collect::<links::Result<_>>()?;
    if let Some(file) = &args.map_file {
        spec.maps.extend(map_file(file)?);
    }
    spec.min_confidence = args.min_confidence.into();
    spec.exclude.clone_from(&args.exclude);
    spec.one_file_system = args.one_file_system;
    spec.drive = args.drive.letter();
    spec.workers = args.jobs.map(std::num::NonZeroUsize::get);
    Ok(spec)
}

/// Pairs of a file, one a line.
fn map_file(file: &Path) -> Result<Vec<Map>, Failure> {
    let content = std::fs::read(file).map_err(|error| {
        let text = format!("cannot read the mappings in {}: {error}", sanitize::quoted(file));
        Failure::usage(text, "name a file with lines of the form OLD=NEW")
    })?;
    // Editors of Windows put the mark of UTF-8 in front.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    let lines = content.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_meant = |line: &[u8]| !matches!(line.trim_ascii_start().first(), None | Some(b'#'));
    let parse = |(number, line): (usize, &[u8])| {
        Map::parse(&links::name_from_bytes(line.to_vec())).map_err(|error| {
            let text = format!("{}, line {number}: {}", sanitize::quoted(file), message(&error));
            Failure::usage(text, "a line has the form OLD=NEW, or begins with #")
        })
    };
    (1..).zip(lines).filter(|(_, line)| is_meant(line)).map(parse).collect()
}

struct Told<'a> {
    args: &'a RepairArgs,
    spec: &'a RepairSpec,
    planned: &'a Repair,
    converts: bool,
}

impl Told<'_> {
    fn print_table(&self) -> Result<(), Failure> {
        let mut out = output::stdout();
        // Each is told once: many links may be mended by it.
        for (number, mapping) in (1..).zip(&self.planned.mappings) {
            writeln!(out, "mapping {number}: {}", self::mapping(mapping))?;
        }
        if !self.planned.mends.is_empty() {
            let mut rows = Vec::with_capacity(self.planned.mends.len());
            for mend in &self.planned.mends {
                self.rows(mend, &mut rows);
            }
            let head = ["LINK", "OLD TARGET", "NEW TARGET", "WHY", "CONFIDENCE"];
            table::columns(&mut out, head, &rows)?;
        }
        Ok(out.flush()?)
    }

    fn rows(&self, mend: &Mend, rows: &mut Vec<[Cow<'static, str>; 5]>) {
        let (link, old) = (sanitize::name(&mend.link).into(), shown(&mend.old).into());
        let dash = || Cow::Borrowed("-");
        match &mend.verdict {
            Verdict::Found { new, why, confidence, .. } => {
                let why = match why {
                    Why::Inferred(number) => format!("mapping {}", number + 1),
                    why => self.why(why),
                };
                rows.push([link, old, shown(new).into(), why.into(), confidence.as_str().into()]);
            }
            Verdict::With(by) => {
                let why = format!("leads by {}, which is mended", sanitize::name(by));
                rows.push([link, old, dash(), why.into(), dash()]);
            }
            Verdict::Remains { reason, candidates } => {
                rows.push([link, old, dash(), self::reason(reason).into(), dash()]);
                for Candidate { path, score } in candidates {
                    let why = format!("{} of its path agree", counted(*score, "name"));
                    let path = sanitize::name(path);
                    rows.push(["  candidate".into(), "".into(), path.into(), why.into(), dash()]);
                }
            }
        }
    }

    fn why(&self, why: &Why) -> String {
        match why {
            Why::Identity => "it is what was recorded".to_owned(),
            Why::Map(number) => {
                self.spec.maps.get(*number).map_or_else(String::new, |map| format!("--map {}", pair(map)))
            }
            Why::Inferred(number) => self.planned.mappings.get(*number).map_or_else(String::new, mapping),
            Why::Directory => "in its directory it has the name of what was recorded".to_owned(),
            Why::Content => "the only file with the content that was recorded".to_owned(),
            Why::SizeAndTime => "the only file with the size and time that were recorded".to_owned(),
            Why::Name { components: 1 } => "the only one of its name".to_owned(),
            Why::Name { components } => format!("{components} names of its path agree"),
            Why::Converted => "it reaches the same".to_owned(),
        }
    }

    /// What is to be known of the search.
    fn remark(&self) {
        for map in self.planned.idle_maps.iter().filter_map(|number| self.spec.maps.get(*number)) {
            complain("note", &format!("the map {} holds the target of no broken link", pair(map)));
        }
        if !self.planned.is_whole {
            complain(
                "note",
                "there was more to search than is looked through unasked; --search says where to look",
            );
        }
        match self.planned.distrusted {
            0 => {}
            1 => complain("note", "1 target was found where other users may write: it counts as weak"),
            many => {
                let text =
                    format!("{many} targets were found where other users may write: they count as weak");
                complain("note", &text);
            }
        }
        if self.planned.unsearched > 0 {
            let unread = self.planned.unsearched;
            let directories = if unread == 1 { "directory" } else { "directories" };
            complain("note", &format!("{unread} {directories} could not be searched"));
        }
        for confidence in [repair::Confidence::Strong, repair::Confidence::Weak] {
            let unsure = |mend: &&Mend| match &mend.verdict {
                Verdict::Found { confidence: found, step: None, .. } => *found == confidence,
                _ => false,
            };
            let found = match self.planned.mends.iter().filter(unsure).count() {
                0 => continue,
                1 => "1 more is".to_owned(),
                more => format!("{more} more are"),
            };
            complain("note", &format!("{found} mended with --min-confidence {confidence}"));
        }
    }

    fn print_end(&self, change: &Change<'_>, report: Option<&Report>) -> Result<(), Failure> {
        if self.args.change.output.json() {
            return Ok(json::print(&self.document(change, report))?);
        }
        let mut out = output::stdout();
        let (all, stay) = (self.planned.plan.steps.len(), self.planned.remaining());
        let (past, future) = if self.converts { ("rewrote", "rewrite") } else { ("mended", "mend") };
        let rest = match (stay, self.converts) {
            (0, _) => String::new(),
            (stay, true) => format!(
                "; {} as it was",
                if stay == 1 { "1 stays".to_owned() } else { format!("{stay} stay") }
            ),
            (1, false) => "; 1 stays broken".to_owned(),
            (stay, false) => format!("; {stay} stay broken"),
        };
        if self.planned.mends.is_empty() {
            writeln!(out, "nothing to do")?;
        } else if let Some(report) = report {
            let done = report.results.iter().filter(|result| result.is_ok()).count();
            let of = if done == all { String::new() } else { format!(" of {all}") };
            let undo = report.operation.filter(|_| done > 0);
            let undo = undo.map(|id| format!(" (operation {id}; `linkctl undo {id}` takes it back)"));
            let links = if all == 1 { "link" } else { "links" };
            writeln!(out, "{past} {done}{of} {links}{}{rest}", undo.unwrap_or_default())?;
            if report.stopped {
                complain("warning", "stopped; repeat the command for the rest");
            }
        } else {
            writeln!(out, "would {future} {}{rest}", counted(all, "link"))?;
        }
        Ok(out.flush()?)
    }

    fn document(&self, change: &Change<'_>, report: Option<&Report>) -> Document {
        Document {
            schema: json::SCHEMA,
            verb: repair::VERB,
            operation: report.and_then(|report| report.operation).map(|id| id.0),
            dry_run: self.args.change.dry_run,
            links: self.planned.mends.iter().map(|mend| self.record(mend, report)).collect(),
            mappings: self.planned.mappings.iter().map(Into::into).collect(),
            searched_all: self.planned.is_whole,
            distrusted: self.planned.distrusted,
            errors: change.errors.iter().map(Into::into).collect(),
        }
    }

    fn record(&self, mend: &Mend, report: Option<&Report>) -> Record {
        let mut record = Record {
            path: json::name(&mend.link),
            kind: mend.kind.as_str(),
            old_target: mend.old.shown().map(Name),
            new_target: None,
            result: "remains",
            why: String::new(),
            confidence: None,
            candidates: Vec::new(),
            error: None,
        };
        match &mend.verdict {
            Verdict::Found { new, why, confidence, step } => {
                let result = step.and_then(|step| report?.results.get(step));
                record.new_target = new.shown().map(Name);
                record.why = self.why(why);
                record.confidence = Some(confidence.as_str());
                record.result = match (step, report, result) {
                    (None, ..) => "shown",
                    (Some(_), None, _) => "planned",
                    (Some(_), Some(_), Some(Ok(_))) => "done",
                    (Some(_), Some(_), Some(Err(_))) => "failed",
                    (Some(_), Some(_), None) => "not-reached",
                };
                record.error = result.and_then(|result| result.as_ref().err()).map(Into::into);
            }
            Verdict::With(by) => {
                record.why = format!("leads by {}, which is mended", sanitize::name(by));
                record.result = "with-another";
            }
            Verdict::Remains { reason, candidates } => {
                record.why = self::reason(reason);
                record.candidates = candidates.iter().map(Into::into).collect();
            }
        }
        record
    }
}

fn pair(map: &Map) -> String {
    format!("{}={}", sanitize::name(&map.old), sanitize::name(&map.new))
}

fn mapping(mapping: &Mapping) -> String {
    let Mapping { old, new, mends, of, .. } = mapping;
    format!("{} -> {} mends {mends} of {of}", sanitize::name(old), sanitize::name(new))
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NotFound => "nothing of its target's name was found".to_owned(),
        Reason::Ambiguous => "several places are equally good".to_owned(),
        Reason::TooCommon => "too many others have its target's name".to_owned(),
        Reason::OtherContent => "no file of its target's name holds what was recorded".to_owned(),
        Reason::SeveralNames => "what was recorded has several names".to_owned(),
        Reason::Hidden => "what was recorded is there still, but under no name that was found".to_owned(),
        Reason::Deleted => "its target was deleted".to_owned(),
        Reason::By(link) => format!("leads by {}, which is broken", sanitize::name(link)),
        Reason::Other(text) => sanitize::line(text),
    }
}

fn shown(target: &Target) -> String {
    target.shown().map(sanitize::name).unwrap_or_default()
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What `repair` found and did.
#[derive(Serialize)]
struct Document {
    schema: u32,
    verb: &'static str,
    operation: Option<i64>,
    dry_run: bool,
    links: Vec<Record>,
    mappings: Vec<MappingRecord>,
    searched_all: bool,
    distrusted: usize,
    errors: Vec<json::ErrorRecord>,
}

#[derive(Serialize)]
struct Record {
    path: Name,
    kind: &'static str,
    old_target: Option<Name>,
    new_target: Option<Name>,
    /// `planned`, `done`, `failed`, `not-reached`, `shown`, `with-another` or `remains`.
    result: &'static str,
    why: String,
    confidence: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<CandidateRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<json::ErrorRecord>,
}

#[derive(Serialize)]
struct CandidateRecord {
    path: Name,
    score: usize,
}

impl From<&Candidate> for CandidateRecord {
    fn from(candidate: &Candidate) -> Self {
        Self { path: json::name(&candidate.path), score: candidate.score }
    }
}

#[derive(Serialize)]
struct MappingRecord {
    old: Name,
    new: Name,
    mends: usize,
    of: usize,
    confidence: &'static str,
}

impl From<&Mapping> for MappingRecord {
    fn from(mapping: &Mapping) -> Self {
        Self {
            old: json::name(&mapping.old),
            new: json::name(&mapping.new),
            mends: mapping.mends,
            of: mapping.of,
            confidence: mapping.confidence.as_str(),
        }
    }
}
