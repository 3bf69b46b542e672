//! Which way the data of a link points, as Windows reads it. Nothing is looked up.

use crate::path::{BACKSLASH, COLON, DOT, SLASH, TargetClass, classify, letter, nt_to_win32};
use crate::{ReparseData, Symlink, WideString};

/// Where to go from the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the link's own directory.
    FromLink(Vec<Part>),
    /// From the root of the link's volume.
    FromRoot(Vec<Part>),
    /// The bytes of a POSIX path, from the link's own directory.
    Posix(Vec<u8>),
    /// From the root of another volume or share, which only Windows can find.
    FromOther {
        /// That root, as a Win32 path.
        root: WideString,
        /// The way from there.
        parts: Vec<Part>,
        /// Why it is another one, in words.
        reason: String,
    },
    /// Where only Windows knows; why, in words.
    Elsewhere(String),
    /// Nowhere: Windows does not follow data of this form; why, in words.
    Nowhere(&'static str),
}

/// A component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A name in the directory reached.
    Name(WideString),
    /// The directory above. Only before all names: what comes behind a name is resolved by the text alone, as Windows
    /// does ("Creating Symbolic Links" of the Win32 documentation).
    Up,
    /// A directory is asked for here, by a backslash at the end.
    Directory,
}

/// Reads the data of a link on the volume that Windows calls `drive`; with `None`, a volume whose letter nobody knows.
/// What counts is the substitute name; the print name is for people, and may say anything.
#[must_use]
pub fn way(data: &ReparseData, drive: Option<char>) -> Way {
    let holds_nul = match data {
        ReparseData::Symlink(link) => link.substitute.units().contains(&0),
        ReparseData::MountPoint(point) => point.substitute.units().contains(&0),
        ReparseData::LxSymlink(link) => link.target.contains(&0),
        ReparseData::AppExecLink(_) | ReparseData::Other(_) => false,
    };
    match data {
        _ if holds_nul => Way::Nowhere("the target holds a NUL, which no name does (error 123)"),
        ReparseData::Symlink(link) => symlink(link, drive),
        ReparseData::MountPoint(point) => match classify(&point.substitute) {
            TargetClass::Rooted => kernel(),
            TargetClass::Nt => absolute(&point.substitute, drive),
            _ => Way::Nowhere("the target of a junction must be a full NT path (\\??\\...)"),
        },
        ReparseData::LxSymlink(link) if link.target.starts_with(b"/") => {
            Way::Elsewhere("only WSL knows where its root is".to_owned())
        }
        ReparseData::LxSymlink(link) => Way::Posix(link.target.clone()),
        ReparseData::AppExecLink(_) | ReparseData::Other(_) => {
            Way::Elsewhere("only Windows knows where this leads".to_owned())
        }
    }
}

fn symlink(link: &Symlink, drive: Option<char>) -> Way {
    let target = &link.substitute;
    match (link.is_relative(), classify(target)) {
        (true, TargetClass::Relative) => parts(target.units()).map_or_else(slash, Way::FromLink),
        (true, TargetClass::Rooted) => parts(target.units()).map_or_else(slash, Way::FromRoot),
        (true, _) => Way::Nowhere("the link says that its target is relative, and it is not"),
        (false, TargetClass::Nt) => absolute(target, drive),
        (false, TargetClass::Rooted) => kernel(),
        (false, _) => Way::Nowhere("the link says that its target is absolute, and it is not"),
    }
}

fn kernel() -> Way {
    Way::Elsewhere("the target is an object of the NT kernel; only Windows knows it".to_owned())
}

/// A path of the NT kernel (`\??\C:\x`).
fn absolute(substitute: &WideString, drive: Option<char>) -> Way {
    let shown = nt_to_win32(substitute);
    // `\??\C:/x`: a separator to Win32, and part of a name to the kernel.
    if matches!(substitute.units(), [_, _, _, _, first, COLON, SLASH, ..] if letter(*first).is_some()) {
        return slash();
    }
    match classify(&shown) {
        TargetClass::DriveAbsolute { letter } if drive.is_some_and(|drive| letter.eq_ignore_ascii_case(&drive)) => {
            parts(shown.units().get(2..).unwrap_or_default()).map_or_else(slash, Way::FromRoot)
        }
        TargetClass::DriveAbsolute { letter } | TargetClass::DriveRelative { letter } => {
            let reason = match drive {
                Some(drive) => format!("drive {letter}: is another volume than {drive}:"),
                None => format!("nobody knows which volume drive {letter}: is"),
            };
            from_other(&shown, 1, reason)
        }
        // Behind the two separators, server and share.
        TargetClass::Unc => from_other(&shown, 4, "the target is on the network".to_owned()),
        // Behind `\\?\`, the volume's name.
        TargetClass::Volume(_) => from_other(&shown, 4, "only Windows knows which volume this is".to_owned()),
        _ => Way::Elsewhere("only Windows knows which volume this is".to_owned()),
    }
}

/// A path whose root has some components, empty ones counted.
fn from_other(path: &WideString, root: usize, reason: String) -> Way {
    let separators = path.units().iter().enumerate().filter(|(_, unit)| **unit == BACKSLASH);
    let end = separators.map(|(at, _)| at).nth(root - 1).unwrap_or(path.len());
    let (head, rest) = path.units().split_at(end);
    let root = head.iter().copied().chain([BACKSLASH]).collect();
    let of = |parts| Way::FromOther { root: WideString::from_units(root), parts, reason };
    parts(rest).map_or_else(slash, of)
}

/// The components of a path, `..` taken by the text. `None` where one holds a slash: to Windows that is no separator in
/// stored data, and on Linux it cannot be part of a name.
fn parts(units: &[u16]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for part in units.split(|&unit| unit == BACKSLASH) {
        match part {
            [] | [DOT] => {}
            [DOT, DOT] => match parts.last() {
                Some(Part::Name(_)) => drop(parts.pop()),
                _ => parts.push(Part::Up),
            },
            name if name.contains(&SLASH) => return None,
            name => parts.push(Part::Name(WideString::from_units(name.to_vec()))),
        }
    }
    if units.last() == Some(&BACKSLASH) && matches!(parts.last(), Some(Part::Name(_))) {
        parts.push(Part::Directory);
    }
    Some(parts)
}

fn slash() -> Way {
    Way::Nowhere("the target holds '/', which Windows does not follow (error 123)")
}
