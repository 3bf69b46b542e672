//! All about one path.

use std::borrow::Cow;

use links::names::Names;
use links::{Chain, Hop, Inspection, Name, ReparsePoint, Target};
use reparse::{ReparseData, WideString};
use serde::Serialize;

use super::{file_kind, name};

/// A record of `list`, and all that one path can tell besides.
#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) links: [ShowRecord; 1],
}

record! {
    /// With the names of the file, where they were looked for, and whether the stored bytes are wanted.
    ShowRecord of (shown, names, raw): (&Inspection, Option<&Names>, bool),
        link = shown.link.as_ref(),
        target = link.and_then(|link| link.target.as_ref())
    => {
        path: Name = name(&shown.path),
        kind: &'static str = link.map_or(file_kind(shown.metadata.kind), |link| link.kind.as_str()),
        target: Option<Name> = target.and_then(Target::shown).map(Name),
        resolved: Option<Name> = link.and_then(|link| link.resolved.as_ref()).map(name),
        state: Option<&'static str> = link.map(|link| link.state.as_str()),
        #[serde(skip_serializing_if = "Option::is_none")]
        reparse: Option<ReparseRecord> = point_of(target).map(Into::into),
        #[serde(skip_serializing_if = "Option::is_none")]
        chain: Option<ChainRecord> = shown.chain.as_ref().map(Into::into),
        links: u64 = shown.metadata.links,
        size: u64 = shown.metadata.size,
        #[serde(skip_serializing_if = "Option::is_none")]
        names: Option<NamesRecord> = names.map(Into::into),
        #[serde(skip_serializing_if = "Option::is_none")]
        raw: Option<String> = raw.then(|| raw_bytes(target).iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

record! {
    ReparseRecord of point: &ReparsePoint,
        decoded = point.decode(),
        names = match &decoded {
            Ok(ReparseData::Symlink(link)) => Some((&link.print, &link.substitute)),
            Ok(ReparseData::MountPoint(point)) => Some((&point.print, &point.substitute)),
            _ => None,
        }
    => {
        tag: String = point.tag().to_string(),
        tag_name: Option<String> = point.tag().name().map(Cow::into_owned),
        name_surrogate: bool = point.tag().is_name_surrogate(),
        print: Option<Name> = names.map(|(print, _)| wide(print)),
        substitute: Option<Name> = names.map(|(_, substitute)| wide(substitute)),
        relative: Option<bool> = match &decoded {
            Ok(ReparseData::Symlink(link)) => Some(link.is_relative()),
            _ => None,
        },
        bytes: usize = point.raw.len(),
        #[serde(skip_serializing_if = "Option::is_none")]
        broken: Option<String> = decoded.err().map(|error| error.to_string()),
    }
}

record! {
    ChainRecord of chain: &Chain => {
        hops: Vec<HopRecord> = chain.hops.iter().map(Into::into).collect(),
        failed_at: Option<Name> = chain.failed_at.as_ref().map(name),
        reason: Option<String> = chain.reason.clone(),
    }
}

record! {
    HopRecord of hop: &Hop => {
        path: Name = name(&hop.link),
        kind: &'static str = hop.kind.as_str(),
        target: Option<Name> = hop.target.clone().map(Name),
    }
}

record! {
    NamesRecord of names: &Names => {
        found: Vec<Name> = names.paths.iter().map(name).collect(),
        searched: Vec<Name> = names.searched.iter().map(name).collect(),
        complete: bool = names.is_complete(),
    }
}

/// A name as Windows stores it.
fn wide(name: &WideString) -> Name {
    Name(links::name_from_bytes(name.to_wtf8()))
}

pub(crate) fn point_of(target: Option<&Target>) -> Option<&ReparsePoint> {
    match target {
        Some(Target::Reparse(point)) => Some(point),
        _ => None,
    }
}

/// The reparse data, or the text of a symbolic link.
pub(crate) fn raw_bytes(target: Option<&Target>) -> Vec<u8> {
    match target {
        Some(Target::Reparse(point)) => point.raw.clone(),
        Some(Target::Text(text)) => text.as_encoded_bytes().to_vec(),
        Some(Target::File(_)) | None => Vec::new(),
    }
}
