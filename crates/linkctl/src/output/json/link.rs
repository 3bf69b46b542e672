//! Links and files of several names.

use links::{Found, HardLinks, Link, LinkKind, Name, State, Target};
use serde::Serialize;

use super::name;

/// A symbolic link or reparse point.
#[derive(Serialize)]
pub(crate) struct LinkRecord {
    path: Name,
    kind: &'static str,
    target: Option<Name>,
    resolved: Option<Name>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_name: Option<String>,
}

/// The names of one file.
#[derive(Serialize)]
pub(crate) struct HardRecord {
    kind: &'static str,
    paths: Vec<Name>,
    links: u64,
    size: u64,
    /// The space taken on the disk.
    allocated: u64,
    /// Names that the search did not meet.
    outside: u64,
    /// What deleting all the names found would free.
    frees: u64,
    state: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Record {
    Path(PathRecord),
    Link(LinkRecord),
    Hard(HardRecord),
}

/// A link of which no more is known than where it is.
#[derive(Serialize)]
pub(crate) struct PathRecord {
    path: Name,
}

impl From<&Link> for LinkRecord {
    fn from(link: &Link) -> Self {
        let tag = match (&link.kind, &link.target) {
            (LinkKind::Other(tag), _) => Some(*tag),
            (_, Some(Target::Reparse(point))) => Some(point.tag()),
            _ => None,
        };
        Self {
            path: name(&link.path),
            kind: link.kind.as_str(),
            target: link.target.as_ref().and_then(Target::shown).map(Name),
            resolved: link.resolved.as_ref().map(name),
            state: link.state.as_str(),
            tag: tag.map(|tag| tag.to_string()),
            tag_name: tag.and_then(|tag| Some(tag.name()?.into_owned())),
        }
    }
}

impl From<&HardLinks> for HardRecord {
    fn from(group: &HardLinks) -> Self {
        Self {
            kind: "hard",
            paths: group.paths.iter().map(name).collect(),
            links: group.links,
            size: group.size,
            allocated: group.allocated,
            outside: group.outside(),
            frees: group.frees(),
            state: State::Ok.as_str(),
        }
    }
}

impl From<&Found> for Record {
    fn from(found: &Found) -> Self {
        match found {
            Found::Path(path) => Self::Path(PathRecord { path: name(path) }),
            Found::Link(link) => Self::Link(link.into()),
            Found::HardLinks(group) => Self::Hard(group.into()),
        }
    }
}
