//! What `doctor` found.

use std::path::Path;

use links::apply::{Capability, Probe};
use links::{Error, Name};

use super::{ErrorRecord, name};

record! {
    Document of (path, probe, facts, journal): (&Path, &Probe, &[(&'static str, String)], &Result<String, Error>) => {
        path: Name = name(path),
        filesystem: String = probe.filesystem.clone(),
        mount_point: Name = name(&probe.mount_point),
        read_only: bool = probe.read_only,
        ntfs: bool = probe.ntfs,
        capabilities: Vec<CapabilityRecord> = probe.capabilities.iter().map(Into::into).collect(),
        /// What the system allows, in words; empty where trying tells all.
        system: Vec<FactRecord> = facts.iter().map(Into::into).collect(),
        journal: Option<String> = journal.as_ref().ok().cloned(),
    }
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
