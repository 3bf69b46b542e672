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

#[derive(Serialize)]
pub(crate) struct FactRecord {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

#[derive(Serialize)]
pub(crate) struct CapabilityRecord {
    pub(crate) name: &'static str,
    pub(crate) able: bool,
    pub(crate) error: Option<ErrorRecord>,
}

pub(crate) fn document(
    path: &Path,
    finding: &Probe,
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
        path: name(path),
        filesystem: finding.filesystem.clone(),
        mount_point: name(&finding.mount_point),
        read_only: finding.read_only,
        ntfs: finding.ntfs,
        capabilities: finding.capabilities.iter().map(capability).collect(),
        system: facts.iter().map(fact).collect(),
        journal: journal.as_ref().ok().cloned(),
    }
}
