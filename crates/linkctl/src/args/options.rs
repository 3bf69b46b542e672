//! Options that several verbs share, so that they mean the same everywhere.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use links::check::Rule;
use links::{KindFilter, LinkKind, State};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// One JSON document
    Json,
    /// One JSON record a line, as they are found
    Ndjson,
    /// Comma-separated values
    Csv,
    /// Paths only
    Paths,
}

/// How to print, for verbs with one answer.
#[derive(Debug, Args)]
pub(crate) struct OutputOptions {
    /// How to print (docs/json.md has the schema of json)
    #[arg(long, value_enum, default_value_t = ShortFormat::Table)]
    format: ShortFormat,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl OutputOptions {
    pub(crate) fn json(&self) -> bool {
        self.json || self.format == ShortFormat::Json
    }
}

/// The formats of verbs with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShortFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
}

/// How to print, for verbs with many records.
#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// How to print: table and json are sorted, the others come as they are found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Paths, each ended by NUL instead of a line end
    #[arg(short = '0', long = "null")]
    pub(crate) null: bool,
}

impl ListOptions {
    pub(crate) fn format(&self) -> Format {
        match (self.json, self.null) {
            (true, _) => Format::Json,
            (false, true) => Format::Paths,
            (false, false) => self.format,
        }
    }
}

/// What every changing verb takes.
#[derive(Debug, Args)]
pub(crate) struct ChangeOptions {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// One rule, or all.
#[derive(Clone, Debug)]
pub(crate) struct NamedRules(pub(crate) Vec<Rule>);

pub(super) fn rules(text: &str) -> Result<NamedRules, String> {
    if text == "all" {
        return Ok(NamedRules(Rule::ALL.to_vec()));
    }
    let names = Rule::ALL.map(Rule::as_str).join(", ");
    text.parse().map(|rule| NamedRules(vec![rule])).map_err(|()| format!("the rules are {names}, and all"))
}

/// The letter of an NTFS volume.
#[derive(Debug, Args)]
pub(crate) struct DriveOption {
    /// The letter that Windows gives the NTFS volume [default: C]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    pub(crate) drive: Option<char>,
}

impl DriveOption {
    pub(crate) fn letter(&self) -> char {
        self.drive.unwrap_or(links::DEFAULT_DRIVE)
    }
}

/// A volume that need not be mounted.
#[derive(Debug, Args)]
pub(crate) struct VolumeOptions {
    /// Read this NTFS volume itself, mounted or not: a disk image, a block device, on Windows a drive
    #[arg(long, value_name = "SOURCE")]
    pub(crate) volume: Option<PathBuf>,
    /// The partition of SOURCE [default: all that are NTFS]
    #[arg(long, value_name = "N", requires = "volume")]
    pub(crate) partition: Option<u32>,
}

pub(crate) fn letter(text: &str) -> Result<char, String> {
    let text = text.strip_suffix(':').unwrap_or(text);
    match text.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Ok(char::from(letter.to_ascii_uppercase())),
        _ => Err("a drive is one letter, A to Z".into()),
    }
}

pub(super) fn kind(text: &str) -> Result<KindFilter, String> {
    text.parse().map_err(|()| format!("kinds are {}", LinkKind::NAMES.join(", ")))
}

pub(super) fn state(text: &str) -> Result<State, String> {
    text.parse().map_err(|()| format!("states are {}", State::ALL.map(State::as_str).join(", ")))
}
