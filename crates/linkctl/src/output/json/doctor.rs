//! What `doctor` found.

use std::path::Path;

use links::apply::{Capability, Probe};
use links::{Error, Name};
use serde::Serialize;

use super::{ErrorRecord, name};

#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) path: Name,
    pub(crate) filesystem: String,
    pub(crate) mount_point: Name,
    pub(crate) read_only: bool,
    pub(crate) ntfs: bool,
    pub(crate) capabilities: Vec<CapabilityRecord>,
    /// What the system allows, in words; empty where trying tells all.
    pub(crate) system: Vec<FactRecord>,
    pub(crate) journal: Option<String>,
}

record! {
    FactRecord of fact: &(&'static str, String) => {
        name: &'static str = fact.0,
        value: String = fact.1.clone(),
    }
}

record! {
    CapabilityRecord of tried: &(Capability, links::Result<()>) => {
        name: &'static str = tried.0.as_str(),
        able: bool = tried.1.is_ok(),
        error: Option<ErrorRecord> = tried.1.as_ref().err().map(Into::into),
    }
}

pub(crate) fn document(
    path: &Path,
    finding: &Probe,
    facts: &[(&'static str, String)],
    journal: &Result<String, Error>,
) -> Document {
    Document {
        path: name(path),
        filesystem: finding.filesystem.clone(),
        mount_point: name(&finding.mount_point),
        read_only: finding.read_only,
        ntfs: finding.ntfs,
        capabilities: finding.capabilities.iter().map(Into::into).collect(),
        system: facts.iter().map(Into::into).collect(),
        journal: journal.as_ref().ok().cloned(),
    }
}
