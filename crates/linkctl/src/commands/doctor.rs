//! `linkctl doctor`.

use std::io::Write as _;

use links::apply::{Capability, Finding, probe};
use links::{Error, ErrorKind, Journal, Name};
use serde::Serialize;

use crate::args::{DoctorArgs, by_system};
use crate::exit::Exit;
use crate::failure::{self, Failure, message};
use crate::output::{self, json, sanitize};
use crate::session::{existing_journal, tell_unrecovered};

pub(crate) fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let finding = probe(&args.path)?;
    let (journal, facts) = (journal(), links::system::facts());
    if args.output.json() {
        json::print(&document(args, &finding, &facts, &journal))?;
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
fn remedy(capability: Capability, error: &Error, finding: &Finding) -> Option<&'static str> {
    match (error.kind(), capability) {
        (ErrorKind::ReadOnly, _) => Some(by_system(
            "mount it read-write: mount -o remount,rw",
            "it is write-protected: take that off first",
        )),
        (ErrorKind::Full, _) => Some(by_system("free some space or inodes", "free some space")),
        (ErrorKind::NotSupported, Capability::Junction)
            if matches!(finding.filesystem.as_str(), "ntfs3" | "ntfs") =>
        {
            Some("mount the volume with ntfs-3g instead of the kernel's driver")
        }
        (ErrorKind::NotSupported, Capability::Junction) => {
            Some("junctions live on NTFS; elsewhere a symbolic link does the same")
        }
        (ErrorKind::PermissionDenied, Capability::HardLink) if finding.can(Capability::FileSymlink) => {
            Some("this file system has no hard links")
        }
        (
            ErrorKind::PermissionDenied,
            Capability::FileSymlink | Capability::DirectorySymlink | Capability::Replace,
        ) if failure::lacks_privilege(error) => Some(failure::PRIVILEGE),
        (ErrorKind::PermissionDenied, _) => {
            Some("you may not write here: ask its owner, or choose another directory")
        }
        _ => None,
    }
}

/// Where the journal is, and how it stands.
fn journal() -> Result<String, Error> {
    let directory = Journal::default_directory()?;
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

#[derive(Serialize)]
struct Document {
    schema: u32,
    path: Name,
    filesystem: String,
    mount_point: Name,
    read_only: bool,
    ntfs: bool,
    capabilities: Vec<CapabilityRecord>,
    /// What the system allows, in words; empty where trying tells all.
    system: Vec<FactRecord>,
    journal: Option<String>,
}

#[derive(Serialize)]
struct FactRecord {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct CapabilityRecord {
    name: &'static str,
    able: bool,
    error: Option<json::ErrorRecord>,
}

fn document(
    args: &DoctorArgs,
    finding: &Finding,
    facts: &[(&'static str, String)],
    journal: &Result<String, Error>,
) -> Document {
    let fact = |(name, value): &(&'static str, String)| FactRecord { name, value: value.clone() };
    let capability = |(capability, result): &(Capability, links::Result<()>)| CapabilityRecord {
        name: capability.as_str(),
        able: result.is_ok(),
        error: result.as_ref().err().map(Into::into),
    };
    Document {
        schema: json::SCHEMA,
        path: json::name(&args.path),
        filesystem: finding.filesystem.clone(),
        mount_point: json::name(&finding.mount_point),
        read_only: finding.read_only,
        ntfs: finding.ntfs,
        capabilities: finding.capabilities.iter().map(capability).collect(),
        system: facts.iter().map(fact).collect(),
        journal: journal.as_ref().ok().cloned(),
    }
}
