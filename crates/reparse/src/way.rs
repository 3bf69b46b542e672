//! Which way the data of a link points, as Windows reads it. Nothing is looked up.

use crate::path::{TargetClass, classify, nt_to_win32};
use crate::{ReparseData, Symlink, WideString};

/// Where to go from the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the link's own directory.
    FromLink(
        /// The way.
        Vec<Part>,
    ),
    /// From the root of the link's volume.
    FromRoot(
        /// The way.
        Vec<Part>,
    ),
    /// A POSIX path, from the link's own directory.
    Posix(
        /// Its bytes.
        Vec<u8>,
    ),
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
    Elsewhere(
        /// Why, in words.
        String,
    ),
    /// Nowhere: Windows does not follow data of this form.
    Nowhere(
        /// Why, in words.
        &'static str,
    ),
}

/// A component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A name in the directory reached.
    Name(
        /// The name.
        WideString,
    ),
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
    match data {
        ReparseData::Symlink(link) => symlink(link, drive),
        ReparseData::MountPoint(point) if matches!(classify(&point.substitute), TargetClass::Rooted) => kernel(),
        ReparseData::MountPoint(point) if !is_nt(&point.substitute) => {
            Way::Nowhere("the target of a junction must be a full NT path (\\??\\...)")
        }
        ReparseData::MountPoint(point) => absolute(&point.substitute, drive),
        ReparseData::LxSymlink(link) if link.target.starts_with(b"/") => {
            Way::Elsewhere("only WSL knows where its root is".to_owned())
        }
        ReparseData::LxSymlink(link) => Way::Posix(link.target.clone()),
        ReparseData::AppExecLink(_) | ReparseData::Other(_) => {
            Way::Elsewhere("only Windows knows where this leads".to_owned())
        }
    }
}

fn is_nt(substitute: &WideString) -> bool {
    matches!(classify(substitute), TargetClass::Nt)
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
    if matches!(substitute.units(), [_, _, _, _, letter, colon, slash, ..]
        if *colon == u16::from(b':') && *slash == u16::from(b'/') && u8::try_from(*letter).is_ok_and(|letter| letter.is_ascii_alphabetic()))
    {
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
    let separators = path.units().iter().enumerate().filter(|(_, unit)| **unit == u16::from(b'\\'));
    let end = separators.map(|(at, _)| at).nth(root - 1).unwrap_or(path.len());
    let (head, rest) = path.units().split_at(end);
    let root = head.iter().copied().chain([u16::from(b'\\')]).collect();
    let of = |parts| Way::FromOther { root: WideString::from_units(root), parts, reason };
    parts(rest).map_or_else(slash, of)
}

/// The components of a path, `..` taken by the text. `None` where one holds a slash: to Windows that is no separator in
/// stored data, and on Linux it cannot be part of a name.
fn parts(units: &[u16]) -> Option<Vec<Part>> {
    const DOT: u16 = b'.' as u16;
    const BACKSLASH: u16 = b'\\' as u16;
    let mut parts = Vec::new();
    for part in units.split(|&unit| unit == BACKSLASH) {
        match part {
            [] | [DOT] => {}
            [DOT, DOT] => match parts.last() {
                Some(Part::Name(_)) => drop(parts.pop()),
                _ => parts.push(Part::Up),
            },
            name if name.contains(&u16::from(b'/')) => return None,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;
    use crate::MountPoint;

    #[test]
    fn forms_that_windows_does_not_follow_lead_nowhere() {
        let link = |substitute: &str, flags| {
            let substitute = WideString::from(substitute);
            way(&ReparseData::Symlink(Symlink { print: substitute.clone(), substitute, flags }), Some('C'))
        };
        let names = |names: &[&str]| names.iter().map(|name| Part::Name((*name).into())).collect::<Vec<_>>();
        assert_eq!(link(r"a\b", 1), Way::FromLink(names(&["a", "b"])));
        assert_eq!(link(r"\a", 1), Way::FromRoot(names(&["a"])));
        assert_eq!(link(r"\??\c:\a", 0), Way::FromRoot(names(&["a"])));
        for (substitute, flags) in [(r"\??\C:\a", 1), ("a", 0), (r"C:\a", 0), ("a/b", 1), (r"\??\C:\a/b", 0)] {
            assert!(matches!(link(substitute, flags), Way::Nowhere(_)), "{substitute} {flags}");
        }
        assert!(matches!(link(r"\Device\x", 0), Way::Elsewhere(_)));
        assert!(matches!(link(r"\??\C:/a", 0), Way::Nowhere(_)));
        let point = |substitute: &str| {
            let point = MountPoint { substitute: substitute.into(), print: WideString::new() };
            way(&ReparseData::MountPoint(point), Some('C'))
        };
        assert!(matches!(point(r"\Device\x"), Way::Elsewhere(_)));
        assert!(matches!(point(r"C:\x"), Way::Nowhere(_)));
        assert!(matches!(point(r"..\x"), Way::Nowhere(_)));
    }

    #[test]
    fn dots_are_taken_by_the_text_and_a_backslash_at_the_end_asks_for_a_directory() {
        let link = |substitute: &str| {
            let substitute = WideString::from(substitute);
            way(&ReparseData::Symlink(Symlink { print: substitute.clone(), substitute, flags: 1 }), None)
        };
        let name = |name: &str| Part::Name(name.into());
        assert_eq!(link(r"a\b\..\c"), Way::FromLink(vec![name("a"), name("c")]));
        assert_eq!(link(r"..\a\..\..\b"), Way::FromLink(vec![Part::Up, Part::Up, name("b")]));
        assert_eq!(link(r"\a\..\..\b"), Way::FromRoot(vec![Part::Up, name("b")]));
        assert_eq!(link(r"a\"), Way::FromLink(vec![name("a"), Part::Directory]));
        assert_eq!(link(r"a\.."), Way::FromLink(vec![]));
        assert_eq!(link(r"..\"), Way::FromLink(vec![Part::Up]));
    }

    #[test]
    fn other_volumes_are_told_from_what_is_on_them() {
        const VOLUME: &str = r"\??\Volume{26a21bda-a627-11d7-9931-806e6f6e6963}";
        for (substitute, root, names) in [
            (r"\??\D:\a\b".to_owned(), r"D:\".to_owned(), &["a", "b"][..]),
            (r"\??\D:\".to_owned(), r"D:\".to_owned(), &[]),
            (r"\??\UNC\s\h\a".to_owned(), r"\\s\h\".to_owned(), &["a"]),
            (r"\??\UNC\s\h".to_owned(), r"\\s\h\".to_owned(), &[]),
            (format!(r"{VOLUME}\a"), format!(r"\\?\{}\", &VOLUME[4..]), &["a"]),
            (format!(r"{VOLUME}\"), format!(r"\\?\{}\", &VOLUME[4..]), &[]),
        ] {
            let link = Symlink { print: WideString::new(), substitute: substitute.as_str().into(), flags: 0 };
            let Way::FromOther { root: found, parts, .. } = way(&ReparseData::Symlink(link), Some('C')) else {
                panic!("{substitute}");
            };
            let names: Vec<Part> = names.iter().map(|name| Part::Name((*name).into())).collect();
            assert_eq!((found.to_string(), parts), (root, names), "{substitute}");
        }
    }
}
