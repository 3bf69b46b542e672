//! All about one path.

use links::names::Names;
use links::{Chain, Hop, Inspection, Name, ReparsePoint, Target};
use reparse::ReparseData;
use serde::Serialize;

use super::{file_kind, name};

/// A record of `list`, and all that one path can tell besides.
#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) links: [ShowRecord; 1],
}

#[derive(Serialize)]
pub(crate) struct ShowRecord {
    pub(crate) path: Name,
    pub(crate) kind: &'static str,
    pub(crate) target: Option<Name>,
    pub(crate) resolved: Option<Name>,
    pub(crate) state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reparse: Option<ReparseRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chain: Option<ChainRecord>,
    pub(crate) links: u64,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<NamesRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
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
        tag_name: Option<String> = point.tag().name().map(std::borrow::Cow::into_owned),
        name_surrogate: bool = point.tag().is_name_surrogate(),
        print: Option<String> = names.map(|(print, _)| print.to_string()),
        substitute: Option<String> = names.map(|(_, substitute)| substitute.to_string()),
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

pub(crate) fn document(shown: &Inspection, names: Option<&Names>, raw: bool) -> Document {
    let link = shown.link.as_ref();
    let target = link.and_then(|link| link.target.as_ref());
    let record = ShowRecord {
        path: name(&shown.path),
        kind: link.map_or(file_kind(shown.metadata.kind), |link| link.kind.as_str()),
        target: target.and_then(Target::shown).map(Name),
        resolved: link.and_then(|link| link.resolved.as_ref()).map(name),
        state: link.map(|link| link.state.as_str()),
        reparse: point_of(target).map(Into::into),
        chain: shown.chain.as_ref().map(Into::into),
        links: shown.metadata.links,
        size: shown.metadata.size,
        names: names.map(Into::into),
        raw: raw.then(|| raw_bytes(target).iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    Document { links: [record] }
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
