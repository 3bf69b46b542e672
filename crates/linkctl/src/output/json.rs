//! JSON records. The schema is documented in docs/json.md; a change of meaning raises [`SCHEMA`].

use std::io::{self, Write};
use std::path::Path;

use links::plan::Step;
use links::volume::VolumeStats;
use links::{Error, FileId, Found, HardLinks, Link, LinkKind, Name, State, Target};
use serde::Serialize;

use super::sanitize;
use crate::exit::Exit;

/// The version of the schema.
pub(crate) const SCHEMA: u32 = 1;

/// A symbolic link or reparse point.
#[derive(Serialize)]
pub(crate) struct LinkRecord {
    path: Name,
    kind: &'static str,
    target: Option<Name>,
    resolved: Option<Name>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_name: Option<String>,
}

/// The names of one file.
#[derive(Serialize)]
pub(crate) struct HardRecord {
    kind: &'static str,
    paths: Vec<Name>,
    links: u64,
    size: u64,
    /// The space taken on the disk.
    allocated: u64,
    /// Names that the search did not meet.
    outside: u64,
    /// What deleting all the names found would free.
    frees: u64,
    state: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Record {
    Path(PathRecord),
    Link(LinkRecord),
    Hard(HardRecord),
}

/// A link of which no more is known than where it is.
#[derive(Serialize)]
pub(crate) struct PathRecord {
    path: Name,
}

pub(crate) fn name(path: impl AsRef<Path>) -> Name {
    Name(path.as_ref().as_os_str().to_owned())
}

impl From<&Link> for LinkRecord {
    fn from(link: &Link) -> Self {
        let tag = match (&link.kind, &link.target) {
            (LinkKind::Other(tag), _) => Some(*tag),
            (_, Some(Target::Reparse(point))) => Some(point.tag()),
            _ => None,
        };
        Self {
            path: name(&link.path),
            kind: link.kind.as_str(),
            target: link.target.as_ref().and_then(Target::shown).map(Name),
            resolved: link.resolved.as_ref().map(name),
            state: link.state.as_str(),
            tag: tag.map(|tag| tag.to_string()),
            tag_name: tag.and_then(|tag| Some(tag.name()?.into_owned())),
        }
    }
}

impl From<&HardLinks> for HardRecord {
    fn from(group: &HardLinks) -> Self {
        Self {
            kind: "hard",
            paths: group.paths.iter().map(name).collect(),
            links: group.links,
            size: group.size,
            allocated: group.allocated,
            outside: group.outside(),
            frees: group.frees(),
            state: State::Ok.as_str(),
        }
    }
}

impl From<&Found> for Record {
    fn from(found: &Found) -> Self {
        match found {
            Found::Path(path) => Self::Path(PathRecord { path: name(path) }),
            Found::Link(link) => Self::Link(link.into()),
            Found::HardLinks(group) => Self::Hard(group.into()),
        }
    }
}

/// An error, as programs see it.
#[derive(Serialize)]
pub(crate) struct ErrorRecord {
    operation: String,
    path: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Name>,
    kind: String,
    cause: String,
    /// The exit code that this error alone would give.
    exit: u8,
}

impl From<&Error> for ErrorRecord {
    fn from(error: &Error) -> Self {
        Self {
            operation: error.operation().to_owned(),
            path: Some(name(error.path())),
            target: error.second_path().map(name),
            kind: kebab(&format!("{:?}", error.kind())),
            cause: error.cause(),
            exit: Exit::of(error.kind()).code(),
        }
    }
}

impl ErrorRecord {
    /// An error of the command itself.
    pub(crate) fn own(exit: Exit, cause: &str) -> Self {
        let kind = kebab(&format!("{exit:?}"));
        let (operation, cause) = ("run the command".to_owned(), cause.to_owned());
        Self { operation, path: None, target: None, kind, cause, exit: exit.code() }
    }
}

/// What a verb prints that ended early.
#[derive(Serialize)]
pub(crate) struct FailureDocument {
    pub(crate) schema: u32,
    pub(crate) errors: Vec<ErrorRecord>,
}

/// `AlreadyExists` as `already-exists`.
fn kebab(camel: &str) -> String {
    let mut text = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// One step of a changing verb.
#[derive(Serialize)]
pub(crate) struct ChangeRecord {
    action: &'static str,
    path: Name,
    kind: Option<&'static str>,
    target: Option<Name>,
    /// `planned`, `done`, `failed` or `not-reached`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorRecord>,
}

impl ChangeRecord {
    pub(crate) fn new(step: &Step, dry_run: bool, result: Option<&links::Result<Option<FileId>>>) -> Self {
        Self {
            action: step.action().as_str(),
            path: name(step.path()),
            kind: step.kind().map(LinkKind::as_str),
            target: step.target().and_then(Target::shown).map(Name),
            result: match result {
                _ if dry_run => "planned",
                Some(Ok(_)) => "done",
                Some(Err(_)) => "failed",
                None => "not-reached",
            },
            error: result.and_then(|result| result.as_ref().err()).map(Into::into),
        }
    }
}

/// What a changing verb did.
#[derive(Serialize)]
pub(crate) struct ChangeDocument<'a> {
    pub(crate) schema: u32,
    pub(crate) verb: &'a str,
    pub(crate) operation: Option<i64>,
    pub(crate) dry_run: bool,
    pub(crate) changes: Vec<ChangeRecord>,
    pub(crate) notes: Vec<NoteRecord>,
    /// Of a verb that moves whole trees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<TreeRecord>,
    pub(crate) errors: Vec<ErrorRecord>,
}

/// A tree that is moved.
#[derive(Serialize)]
pub(crate) struct TreeRecord {
    pub(crate) objects: u64,
    /// How many bytes have to be copied; none where it is renamed.
    pub(crate) bytes: u64,
    /// What was found before anything was done.
    pub(crate) findings: Vec<FindingRecord>,
    /// What the copy could not keep.
    pub(crate) lost: Vec<NoteRecord>,
    /// The old tree, where it was kept, and why.
    pub(crate) kept: Vec<ErrorRecord>,
}

#[derive(Serialize)]
pub(crate) struct FindingRecord {
    /// `note`, `warning` or `refusal`.
    severity: &'static str,
    path: Name,
    text: String,
}

impl From<&links::relocate::Finding> for FindingRecord {
    fn from(finding: &links::relocate::Finding) -> Self {
        use links::relocate::Severity;
        let severity = match finding.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Refusal => "refusal",
        };
        Self { severity, path: name(&finding.path), text: finding.text.clone() }
    }
}

/// Something worth knowing.
#[derive(Serialize)]
pub(crate) struct NoteRecord {
    pub(crate) path: Name,
    pub(crate) text: String,
}

impl From<&links::plan::Note> for NoteRecord {
    fn from(note: &links::plan::Note) -> Self {
        Self { path: name(&note.path), text: note.text.clone() }
    }
}

/// What `list` found, and what it could not read.
#[derive(Serialize)]
pub(crate) struct ListDocument {
    pub(crate) schema: u32,
    pub(crate) links: Vec<Record>,
    pub(crate) errors: Vec<ErrorRecord>,
    /// How volumes were read, where that was asked for: one for each volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stats: Option<Vec<StatsRecord>>,
}

/// What reading a volume took.
#[derive(Serialize)]
pub(crate) struct StatsRecord {
    partition: Option<u32>,
    way: &'static str,
    bytes: u64,
    reads: u64,
    records: u64,
    stale: u64,
    index_bytes: u64,
    link_records: u64,
    parent_records: u64,
    record_size: u64,
    mft_bytes: u64,
    milliseconds: f64,
}

impl StatsRecord {
    pub(crate) fn new(partition: Option<u32>, stats: &VolumeStats) -> Self {
        Self {
            partition,
            way: stats.way.as_str(),
            bytes: stats.bytes,
            reads: stats.reads,
            records: stats.records,
            stale: stats.stale,
            index_bytes: stats.index_bytes,
            link_records: stats.link_records,
            parent_records: stats.parent_records,
            record_size: stats.record_size,
            mft_bytes: stats.mft_bytes,
            milliseconds: stats.time.as_secs_f64() * 1e3,
        }
    }
}

/// Prints a document, indented for people who look.
pub(crate) fn print(document: &impl Serialize) -> io::Result<()> {
    let mut out = super::raw_stdout();
    out.write_all(harmless(serde_json::to_string_pretty(document)?).as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// JSON allows raw DEL, C1 and marks that reorder text; a terminal obeys them. They stand in strings
/// only, where `\u` says the same.
fn harmless(json: String) -> String {
    if json.is_ascii() && !json.contains('\x7f') {
        return json;
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\x7f' || sanitize::is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Appends a record on a line of its own.
pub(crate) fn line(out: &mut Vec<u8>, record: &impl Serialize) -> io::Result<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, record)?;
    let json = out.get(start..).unwrap_or_default();
    if !json.is_ascii() || json.contains(&0x7f) {
        let json = String::from_utf8_lossy(json).into_owned();
        out.truncate(start);
        out.extend(harmless(json).into_bytes());
    }
    out.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_means_the_same() {
        let hostile = "a\u{7f}\u{9b}31m\u{202e}\u{e0001}\u{e9}\n";
        let json = harmless(serde_json::to_string(hostile).unwrap_or_default());
        assert!(!json.chars().any(|c| c.is_control() || sanitize::is_hostile(c)), "{json}");
        assert!(json.contains('\u{e9}'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(hostile));
    }
}
