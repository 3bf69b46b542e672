//! Options that several verbs share, so that they mean the same everywhere.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use links::{KindFilter, LinkKind};

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
    json: bool,
    /// Paths, each ended by NUL instead of a line end
    #[arg(short = '0', long = "null")]
    pub(crate) null: bool,
}

impl ListOptions {
    pub(crate) fn json(&self) -> bool {
        self.format() == Format::Json
    }

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

/// What becomes of links that lead into a tree that is moved.
#[derive(Debug, Args)]
pub(crate) struct IntoOptions {
    /// Look below this directory, too, for links that lead into what is moved
    #[arg(long, value_name = "DIR")]
    pub(crate) search: Vec<PathBuf>,
    /// Let such links, and those that are tracked, name the new place themselves
    #[arg(long)]
    pub(crate) retarget: bool,
}

/// How whole trees are moved.
#[derive(Debug, Args)]
pub(crate) struct TreeOptions {
    /// How the copy is compared before the original goes
    #[arg(long, value_enum, default_value_t = VerifyOption::Full)]
    pub(crate) verify: VerifyOption,
    /// Refuse where anything would not be as it was
    #[arg(long)]
    pub(crate) strict: bool,
    /// How many threads copy [default: one for each core, at most 8]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

/// What `--verify` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyOption {
    /// Every byte is read back from the disk
    Full,
    /// Sizes, owners, rights and times
    Metadata,
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

pub(crate) fn kind(text: &str) -> Result<KindFilter, String> {
    text.parse().map_err(|()| format!("kinds are {}", LinkKind::NAMES.join(", ")))
}
