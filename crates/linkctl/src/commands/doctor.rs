//! `linkctl doctor`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use links::apply::{Capability, Probe, probe};
use links::{Error, ErrorKind};

use crate::args::{OutputOptions, after_help, by_system};
use crate::exit::Exit;
use crate::failure::{self, Failure, Verb, message};
use crate::output::{self, json, sanitize};
use crate::session::{existing_journal, state_directory, tell_unrecovered};

/// Tell what links this user can make here, by trying
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    ["Everything is tried in a temporary directory in PATH, which is removed again."]
    Example: ["doctor " ("/mnt/disk" | "D:\\")]
))]
pub(crate) struct DoctorArgs {
    /// Where to try
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(crate) const VERB: Verb = Verb::new("doctor", &[]);

pub(crate) fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let finding = probe(&args.path)?;
    let (journal, facts) = (journal(), links::system::facts());
    if args.output.json() {
        json::print(&json::doctor::Document::from((&*args.path, &finding, &*facts, &journal)))?;
        return Ok(Exit::Done);
    }
    let mut out = output::stdout();
    let read_only = if finding.read_only { ", read-only" } else { "" };
    // Windows itself says so already.
    let ntfs = if finding.ntfs && finding.filesystem != "NTFS" { " (NTFS, served by ntfs-3g)" } else { "" };
    writeln!(out, "{:22}{}", "place", sanitize::name(&args.path))?;
    let mount = sanitize::name(&finding.mount_point);
    writeln!(out, "{:22}{}{ntfs} on {mount}{read_only}", "file system", sanitize::line(&finding.filesystem))?;
    let mut said = None;
    for (capability, result) in &finding.capabilities {
        match result {
            Ok(()) => writeln!(out, "{:22}yes", words(*capability))?,
            Err(error) => {
                writeln!(out, "{:22}no: {}", words(*capability), sanitize::line(&error.cause()))?;
                let remedy = remedy(*capability, error, &finding);
                if let Some(remedy) = remedy.filter(|_| said != remedy) {
                    writeln!(out, "{:22}{remedy}", "")?;
                    said = Some(remedy);
                }
            }
        }
    }
    for (name, value) in &facts {
        writeln!(out, "{name:22}{}", sanitize::line(value))?;
    }
    match &journal {
        Ok(line) => writeln!(out, "{:22}{line}", "journal")?,
        Err(error) => writeln!(out, "{:22}{}", "journal", message(error))?,
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn words(capability: Capability) -> &'static str {
    match capability {
        Capability::FileSymlink => "symbolic link, file",
        Capability::DirectorySymlink => "symbolic link, dir",
        Capability::HardLink => "hard link",
        Capability::Junction => "junction",
        Capability::Replace => "replace in one step",
    }
}

/// How to get what is missing.
fn remedy(capability: Capability, error: &Error, finding: &Probe) -> Option<&'static str> {
    use Capability::{DirectorySymlink, FileSymlink, HardLink, Junction, Replace};
    Some(match (error.kind(), capability) {
        (ErrorKind::ReadOnly, _) => {
            by_system!("mount it read-write: mount -o remount,rw", "it is write-protected: take that off first",)
        }
        (ErrorKind::Full, _) => by_system!("free some space or inodes", "free some space"),
        (ErrorKind::NotSupported, Junction) if matches!(finding.filesystem.as_str(), "ntfs3" | "ntfs") => {
            "mount the volume with ntfs-3g instead of the kernel's driver"
        }
        (ErrorKind::NotSupported, Junction) => "junctions live on NTFS; elsewhere a symbolic link does the same",
        (ErrorKind::PermissionDenied, HardLink) if finding.can(FileSymlink) => "this file system has no hard links",
        (ErrorKind::PermissionDenied, FileSymlink | DirectorySymlink | Replace) if failure::lacks_privilege(error) => {
            failure::PRIVILEGE
        }
        (ErrorKind::PermissionDenied, _) => "you may not write here: ask its owner, or choose another directory",
        _ => return None,
    })
}

/// Where the journal is, and how it stands.
fn journal() -> Result<String, Error> {
    let directory = state_directory()?;
    let place = sanitize::name(&directory);
    Ok(match existing_journal(&directory)? {
        Some(journal) => {
            tell_unrecovered(&journal);
            let operations = journal.operations(usize::MAX)?.len();
            format!("{place}, {operations} operations, {} mode", sanitize::line(&journal.mode()))
        }
        None => format!("{place}, none yet"),
    })
}
