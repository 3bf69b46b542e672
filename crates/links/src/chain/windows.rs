//! Which way the data of a Windows link points, as Windows reads it. Pure: nothing is looked up.

use std::ffi::OsString;

use reparse::path::{TargetClass, classify, nt_to_win32};
use reparse::{ReparseData, Symlink, WideString};

use crate::platform;

/// Where to go from the link.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the link's own directory.
    FromLink(Vec<Part>),
    /// From the root of the link's volume.
    FromRoot(Vec<Part>),
    /// A POSIX path, from the link's own directory.
    Posix(OsString),
    /// To another volume or computer, or where only Windows knows.
    Elsewhere(String),
    /// Nowhere: Windows does not follow data of this form.
    Nowhere(&'static str),
}

/// A component.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Name(OsString),
    Up,
}

/// Reads the data of a link on the volume that Windows calls `drive`. What counts is the substitute
/// name; the print name is for people, and may say anything.
pub(super) fn way(data: &ReparseData, drive: char) -> Way {
    match data {
        ReparseData::Symlink(link) => symlink(link, drive),
        ReparseData::MountPoint(point) if !is_nt(&point.substitute) => {
            Way::Nowhere("the target of a junction must be a full NT path (\\??\\...)")
        }
        ReparseData::MountPoint(point) => absolute(&point.substitute, drive),
        ReparseData::LxSymlink(link) if link.target.starts_with(b"/") => {
            Way::Elsewhere("only WSL knows where its root is".to_owned())
        }
        ReparseData::LxSymlink(link) => Way::Posix(platform::from_bytes(link.target.clone())),
        ReparseData::AppExecLink(_) | ReparseData::Other(_) => {
            Way::Elsewhere("only Windows knows where this leads".to_owned())
        }
    }
}

fn is_nt(substitute: &WideString) -> bool {
    matches!(classify(substitute), TargetClass::Nt)
}

fn symlink(link: &Symlink, drive: char) -> Way {
    let target = &link.substitute;
    match (link.is_relative(), classify(target)) {
        (true, TargetClass::Relative) => parts(target.units()).map_or_else(slash, Way::FromLink),
        (true, TargetClass::Rooted) => parts(target.units()).map_or_else(slash, Way::FromRoot),
        (true, _) => Way::Nowhere("the link says that its target is relative, and it is not"),
        (false, TargetClass::Nt) => absolute(target, drive),
        (false, TargetClass::Rooted) => {
            Way::Elsewhere("the target is an object of the NT kernel; only Windows knows it".to_owned())
        }
        (false, _) => Way::Nowhere("the link says that its target is absolute, and it is not"),
    }
}

/// A path of the NT kernel (`\??\C:\x`).
fn absolute(substitute: &WideString, drive: char) -> Way {
    let shown = nt_to_win32(substitute);
    match classify(&shown) {
        TargetClass::DriveAbsolute { letter } if letter.eq_ignore_ascii_case(&drive) => {
            parts(shown.units().get(2..).unwrap_or_default()).map_or_else(slash, Way::FromRoot)
        }
        TargetClass::DriveAbsolute { letter } | TargetClass::DriveRelative { letter } => {
            Way::Elsewhere(format!("drive {letter}: is another volume than {drive}:"))
        }
        TargetClass::Unc => Way::Elsewhere("the target is on the network".to_owned()),
        _ => Way::Elsewhere("only Windows knows which volume this is".to_owned()),
    }
}

/// The components of a path. `None` where one holds a slash: to Windows that is no separator in stored
/// data, and on Linux it cannot be part of a name.
fn parts(units: &[u16]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for part in units.split(|&unit| unit == u16::from(b'\\')) {
        let name = platform::from_wide(&WideString::from_units(part.to_vec()));
        match name.as_encoded_bytes() {
            b"" | b"." => {}
            b".." => parts.push(Part::Up),
            bytes if bytes.contains(&b'/') => return None,
            _ => parts.push(Part::Name(name)),
        }
    }
    Some(parts)
}

fn slash() -> Way {
    Way::Nowhere("the target holds '/', which Windows does not follow (error 123)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_windows_does_not_follow_lead_nowhere() {
        let link = |substitute: &str, flags| {
            let substitute = WideString::from(substitute);
            way(&ReparseData::Symlink(Symlink { print: substitute.clone(), substitute, flags }), 'C')
        };
        let names = |names: &[&str]| names.iter().map(|name| Part::Name(name.into())).collect::<Vec<_>>();
        assert_eq!(link(r"a\b", 1), Way::FromLink(names(&["a", "b"])));
        assert_eq!(link(r"\a", 1), Way::FromRoot(names(&["a"])));
        assert_eq!(link(r"\??\c:\a", 0), Way::FromRoot(names(&["a"])));
        for (substitute, flags) in [(r"\??\C:\a", 1), ("a", 0), (r"C:\a", 0), ("a/b", 1), (r"\??\C:\a/b", 0)]
        {
            assert!(matches!(link(substitute, flags), Way::Nowhere(_)), "{substitute} {flags}");
        }
        for (substitute, flags) in [(r"\??\D:\a", 0), (r"\??\UNC\s\h", 0), (r"\Device\x", 0)] {
            assert!(matches!(link(substitute, flags), Way::Elsewhere(_)), "{substitute} {flags}");
        }
    }
}
