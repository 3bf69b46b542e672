//! Links and files of several names.

use std::borrow::Cow;
use std::ffi::OsStr;

use links::{Found, HardLinks, Link, LinkKind, Name, State, Target, Volume};
use serde::Serialize;

use super::name;
use crate::output::shown;

/// A symbolic link or reparse point.
#[derive(Serialize)]
pub(crate) struct LinkRecord<'a> {
    path: Name<&'a OsStr>,
    kind: &'static str,
    target: Option<Name<Cow<'a, OsStr>>>,
    /// The name that Windows' own listings show, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    print: Option<Name>,
    resolved: Option<Name<&'a OsStr>>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<VolumeRecord>,
}

record! {
    /// The volume of a target that is not mounted.
    VolumeRecord of volume: &Volume => {
        label: Option<Name> = volume.label.as_ref().map(name),
        /// The UUID; of NTFS and FAT the serial number.
        uuid: Option<String> = volume.uuid(),
        mounted: bool = false,
    }
}

record! {
    /// The names of one file.
    HardRecord of group: &HardLinks => {
        kind: &'static str = "hard",
        paths: Vec<Name> = group.paths.iter().map(name).collect(),
        links: u64 = group.links,
        size: u64 = group.size,
        /// The space taken on the disk.
        allocated: u64 = group.allocated,
        /// Names that the search did not meet.
        outside: u64 = group.outside(),
        /// What deleting all the names found would free.
        frees: u64 = group.frees(),
        state: &'static str = State::Ok.as_str(),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Record<'a> {
    /// A link of which no more is known than where it is.
    Path {
        path: Name<&'a OsStr>,
    },
    Link(LinkRecord<'a>),
    Hard(HardRecord),
}

impl<'a> From<&'a Link> for LinkRecord<'a> {
    fn from(link: &'a Link) -> Self {
        let tag = match (&link.kind, &link.target) {
            (LinkKind::Other(tag), _) => Some(*tag),
            (_, Some(Target::Reparse(point))) => Some(point.tag()),
            _ => None,
        };
        Self {
            path: Name(link.path.as_os_str()),
            kind: link.kind.as_str(),
            target: link.target.as_ref().and_then(shown).map(Name),
            print: link.target.as_ref().and_then(Target::other_name).map(Name),
            resolved: link.resolved.as_ref().map(|path| Name(path.as_os_str())),
            state: link.state.as_str(),
            tag: tag.map(|tag| tag.to_string()),
            tag_name: tag.and_then(|tag| Some(tag.name()?.into_owned())),
            volume: link.volume.as_deref().map(Into::into),
        }
    }
}

impl<'a> From<&'a Found> for Record<'a> {
    fn from(found: &'a Found) -> Self {
        match found {
            Found::Path(path) => Self::Path { path: Name(path.as_os_str()) },
            Found::Link(link) => Self::Link(link.into()),
            Found::HardLinks(group) => Self::Hard(group.into()),
        }
    }
}
