//! All about one path.

use links::names::Names;
use links::{Hop, Inspection, Name, ReparsePoint, Target};
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

#[derive(Serialize)]
pub(crate) struct ReparseRecord {
    pub(crate) tag: String,
    pub(crate) tag_name: Option<String>,
    pub(crate) name_surrogate: bool,
    pub(crate) print: Option<String>,
    pub(crate) substitute: Option<String>,
    pub(crate) relative: Option<bool>,
    pub(crate) bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broken: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct ChainRecord {
    pub(crate) hops: Vec<HopRecord>,
    pub(crate) failed_at: Option<Name>,
    pub(crate) reason: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct HopRecord {
    pub(crate) path: Name,
    pub(crate) kind: &'static str,
    pub(crate) target: Option<Name>,
}

#[derive(Serialize)]
pub(crate) struct NamesRecord {
    pub(crate) found: Vec<Name>,
    pub(crate) searched: Vec<Name>,
    pub(crate) complete: bool,
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
        reparse: point_of(target).map(reparse_record),
        chain: shown.chain.as_ref().map(|chain| ChainRecord {
            hops: chain.hops.iter().map(hop_record).collect(),
            failed_at: chain.failed_at.as_ref().map(name),
            reason: chain.reason.clone(),
        }),
        links: shown.metadata.links,
        size: shown.metadata.size,
        names: names.map(|names| NamesRecord {
            found: names.paths.iter().map(name).collect(),
            searched: names.searched.iter().map(name).collect(),
            complete: names.is_complete(),
        }),
        raw: raw.then(|| raw_bytes(target).iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    Document { links: [record] }
}

fn hop_record(hop: &Hop) -> HopRecord {
    HopRecord { path: name(&hop.link), kind: hop.kind.as_str(), target: hop.target.clone().map(Name) }
}

fn reparse_record(point: &ReparsePoint) -> ReparseRecord {
    let tag = point.tag();
    let decoded = point.decode();
    let (print, substitute, relative) = match &decoded {
        Ok(ReparseData::Symlink(link)) => {
            (Some(link.print.to_string()), Some(link.substitute.to_string()), Some(link.is_relative()))
        }
        Ok(ReparseData::MountPoint(point)) => {
            (Some(point.print.to_string()), Some(point.substitute.to_string()), None)
        }
        _ => (None, None, None),
    };
    ReparseRecord {
        tag: tag.to_string(),
        tag_name: tag.name().map(std::borrow::Cow::into_owned),
        name_surrogate: tag.is_name_surrogate(),
        print,
        substitute,
        relative,
        bytes: point.raw.len(),
        broken: decoded.err().map(|error| error.to_string()),
    }
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
