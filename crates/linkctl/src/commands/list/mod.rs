//! `linkctl list`: `source.rs` finds the links, in live trees or on volumes, `print.rs` prints them, `summary.rs` counts
//! them instead.

mod print;
mod source;
mod summary;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use links::{KindFilter, State};

use crate::args::{DriveOption, Format, ListOptions, VolumeOptions, after_help, kind};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};

/// List the links below directories, with kind, target and state
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "Links are never followed into directories. --broken means missing, loop, too-long and wrong-kind."
        ("" | "\nAs administrator, a whole NTFS volume is read by its own index of links.")
    ]
    Examples:
    ["list " ("/usr" | "C:\\Users")]
    ["list --broken --format paths " ("-0 ~ | xargs -0 ls -ld" | "C:\\")]
    ["list --hard " ("/srv/backups" | "D:\\Backups")]
    ["list --points-to " ("~/games /home" | "C:\\Games C:\\Users")]
    ["list --volume " ("/dev/sdb1" | "disk.img") " --broken"]
))]
pub(crate) struct ListArgs {
    /// Where to look [default: the current directory; with --volume all of it]
    pub(crate) paths: Vec<PathBuf>,
    /// Only links of this kind: symlink (all three), symlink-file, symlink-dir, junction, mount-point, hard, app-exec,
    /// wsl, other
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Vec<KindFilter>,
    /// Only links in this state: ok, missing, loop, too-long, wrong-kind, denied, unreachable, blocked, elsewhere
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub(crate) state: Vec<State>,
    /// Only broken links
    #[arg(long)]
    pub(crate) broken: bool,
    /// Only links whose stored target matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) target: Option<String>,
    /// Only links whose own name matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) name: Option<String>,
    /// Only links that lead to PATH or below it, at any hop, and the names of files there that have several
    #[arg(long, value_name = "PATH")]
    pub(crate) points_to: Option<PathBuf>,
    /// Leave out what matches, in the syntax of .gitignore
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Count them, by kind, state, file system and top directory, instead of listing them
    #[arg(long, conflicts_with = "sort")]
    pub(crate) summary: bool,
    /// Hard links: groups of names of one file (short for --kind hard)
    #[arg(long)]
    pub(crate) hard: bool,
    /// Look no deeper: 1 is what is in PATH itself
    #[arg(long, value_name = "N")]
    pub(crate) max_depth: Option<NonZeroUsize>,
    /// Do not enter other file systems
    #[arg(long, conflicts_with = "volume")]
    pub(crate) one_file_system: bool,
    /// In the order of paths, also where they would come as they are found
    #[arg(long)]
    pub(crate) sort: bool,
    /// How many threads read [default: one for each core, at most 8, and 2 on a disk that rotates]
    #[arg(long, value_name = "N", conflicts_with = "volume")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) volume: VolumeOptions,
    /// Read every file record of the volume, instead of trusting its own index of links
    #[arg(long, requires = "volume")]
    pub(crate) full_scan: bool,
    /// Tell how the volume was read: bytes, reads, records, time
    #[arg(long, requires = "volume")]
    pub(crate) stats: bool,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) output: ListOptions,
}

fn state(text: &str) -> Result<State, String> {
    text.parse().map_err(|()| format!("states are {}", State::ALL.map(State::as_str).join(", ")))
}

pub(crate) const VERB: Verb = Verb::new("list", &[]);

pub(crate) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let format = args.output.format();
    let (null, sorted, summary) = (args.output.null, args.sort, args.summary);
    if null && format != Format::Paths {
        return Err(Failure::usage("-0 separates paths", "use it alone or with --format paths"));
    }
    let failed = if args.volume.volume.is_some() {
        if summary {
            summary::check(format)?;
        }
        let listing = source::volumes(args, format)?;
        let failed =
            if summary { summary::of_volumes(&listing, format)? } else { print::whole(&listing, format, null)? };
        print::stats(&listing, format);
        failed
    } else {
        let (options, unread) = source::options(args, format)?;
        let failed = match format {
            _ if summary => summary::run(options, format)?,
            Format::Ndjson | Format::Csv | Format::Paths if !sorted => print::stream(&options, format, null)?,
            _ => print::whole(&source::live(&options), format, null)?,
        };
        failed || unread
    };
    Ok(if failed { Exit::Failed } else { Exit::Done })
}
