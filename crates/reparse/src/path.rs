//! Windows paths as text: which kind a path is of, and its two languages. Win32 is what people type (`C:\x`); NT is
//! what the kernel follows and reparse data holds (`\??\C:\x`). Nothing here looks at a disk, so nothing that depends
//! on a current directory has an answer.

use crate::{TargetError, WideString};

pub(crate) const BACKSLASH: u16 = b'\\' as u16;
pub(crate) const SLASH: u16 = b'/' as u16;
pub(crate) const DOT: u16 = b'.' as u16;
const QUESTION: u16 = b'?' as u16;
pub(crate) const COLON: u16 = b':' as u16;
const SPACE: u16 = b' ' as u16;

/// The kind of a path as typed, by its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetClass {
    /// `x`, `..\x`, and the empty path: from the link's directory.
    Relative,
    /// `\x`: from the root of the link's volume.
    Rooted,
    /// `C:\x`.
    DriveAbsolute {
        /// The drive, as typed.
        letter: char,
    },
    /// `C:x` or `C:`: from the current directory of that drive.
    DriveRelative {
        /// The drive, as typed.
        letter: char,
    },
    /// `\\server\share\x`.
    Unc,
    /// `\\?\...`, spelt exactly so: taken as it is, without any normalisation.
    Verbatim,
    /// `\\.\...`; also `//?/...` and the like, which Win32 normalises unlike `\\?\`.
    Device,
    /// `\\?\Volume{GUID}`, alone or followed by `\...`. Holds the 36 characters of the GUID as typed, without braces.
    Volume(String),
    /// `\??\...`: already an NT path.
    Nt,
}

/// Tells the kind of a path from its beginning. `/` counts as `\`, except in `\\?\` and `\??\`.
#[must_use]
pub fn classify(target: &WideString) -> TargetClass {
    match target.units() {
        [BACKSLASH, QUESTION, QUESTION, BACKSLASH, ..] => TargetClass::Nt,
        [BACKSLASH, BACKSLASH, QUESTION, BACKSLASH, rest @ ..] => {
            volume(rest).map_or(TargetClass::Verbatim, |(guid, _)| TargetClass::Volume(guid))
        }
        [a, b, DOT | QUESTION] if is_separator(*a) && is_separator(*b) => TargetClass::Device,
        [a, b, DOT | QUESTION, c, ..] if is_separator(*a) && is_separator(*b) && is_separator(*c) => {
            TargetClass::Device
        }
        [a, b, ..] if is_separator(*a) && is_separator(*b) => TargetClass::Unc,
        [a, ..] if is_separator(*a) => TargetClass::Rooted,
        [first, COLON, rest @ ..] => match (letter(*first), rest.first()) {
            (Some(letter), Some(next)) if is_separator(*next) => TargetClass::DriveAbsolute { letter },
            (Some(letter), _) => TargetClass::DriveRelative { letter },
            (None, _) => TargetClass::Relative,
        },
        _ => TargetClass::Relative,
    }
}

/// The path with every `/` made a `\`. What a relative target needs before it is stored, if `/` was meant as separator.
#[must_use]
pub fn to_backslashes(path: &WideString) -> WideString {
    let units = path.units().iter().map(|unit| if *unit == SLASH { BACKSLASH } else { *unit });
    WideString::from_units(units.collect())
}

/// An absolute path as Win32 would write it in full (`GetFullPathNameW`): `/` made `\`, repeated separators made one,
/// `.` and `..` resolved (never above the drive or share), one dot at the end of a component and all dots and spaces
/// at the end of the path dropped. A trailing separator stays. `\\?\` and `\??\` paths come back as they are.
///
/// None if the path is relative, rooted or drive-relative, or names no server after `\\`. Reserved device names (`NUL`,
/// `COM1`) are not looked for: which ones count depends on the version of Windows.
#[must_use]
pub fn normalise(path: &WideString) -> Option<WideString> {
    full(path, Names::Win32)
}

/// How dots and spaces at the end of names are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// As Win32 does, which drops them.
    Win32,
    /// To the letter, as NTFS keeps them and `\\?\` takes them.
    Exact,
}

fn full(path: &WideString, names: Names) -> Option<WideString> {
    let units = path.units();
    let (root, body) = match classify(path) {
        TargetClass::Relative | TargetClass::Rooted | TargetClass::DriveRelative { .. } => return None,
        TargetClass::Nt | TargetClass::Verbatim | TargetClass::Volume(_) => return Some(path.clone()),
        TargetClass::DriveAbsolute { .. } => (units.get(..2)?.to_vec(), units.get(2..)?),
        TargetClass::Device => (vec![BACKSLASH, BACKSLASH, *units.get(2)?], units.get(3..)?),
        TargetClass::Unc => unc_root(units.get(2..)?)?,
    };
    let keeps_separator = !matches!(classify(path), TargetClass::Unc);
    Some(WideString::from_units(collapse(root, body, keeps_separator, names)))
}

/// The NT path of an absolute Win32 path, normalised first unless it is `\\?\`: `C:\x` gives `\??\C:\x`, `\\s\h` gives
/// `\??\UNC\s\h`, `\\?\...` and `\\.\...` give `\??\...`. An NT path comes back as it is.
///
/// None for the paths that [`normalise`] has no answer for.
#[must_use]
pub fn win32_to_nt(path: &WideString) -> Option<WideString> {
    to_nt(path, Names::Win32)
}

fn to_nt(path: &WideString, names: Names) -> Option<WideString> {
    let full = full(path, names)?;
    let units = full.units();
    let (prefix, rest) = match classify(path) {
        TargetClass::Nt => return Some(full),
        TargetClass::Unc => (r"\??\UNC\", units.get(2..)?),
        TargetClass::Device | TargetClass::Verbatim | TargetClass::Volume(_) => (r"\??\", units.get(4..)?),
        _ => (r"\??\", units),
    };
    Some(WideString::from_units(prefix.encode_utf16().chain(rest.iter().copied()).collect()))
}

/// An NT path in the form that people know: `\??\C:\x` gives `C:\x`, `\??\UNC\s\h` gives `\\s\h`, `\??\Volume{GUID}\`
/// gives `\\?\Volume{GUID}\`. Anything else comes back as it is, also what would read as a path of another kind
/// (`\??\UNC\?\C:\x`, `\??\C:x`).
///
/// For display and look-up. It is not the exact inverse of [`win32_to_nt`]: a name that ends in a dot is one in NT,
/// but not in Win32.
#[must_use]
pub fn nt_to_win32(nt: &WideString) -> WideString {
    let Some(rest) = strip_ignoring_case(nt.units(), NT) else { return nt.clone() };
    let (prefix, rest) = match rest {
        [first, COLON] | [first, COLON, BACKSLASH, ..] if letter(*first).is_some() => ("", rest),
        _ if volume(rest).is_some() => (r"\\?\", rest),
        _ => match strip_ignoring_case(rest, UNC) {
            Some([] | [BACKSLASH | SLASH, ..] | [DOT | QUESTION]) | None => return nt.clone(),
            Some([DOT | QUESTION, next, ..]) if is_separator(*next) => return nt.clone(),
            Some(share) => (r"\\", share),
        },
    };
    WideString::from_units(prefix.encode_utf16().chain(rest.iter().copied()).collect())
}

/// The print name where it says where Windows goes, else that: for people it may say anything.
pub(crate) fn shown(print: &WideString, destination: WideString) -> WideString {
    if says_the_same(print, &destination) { print.clone() } else { destination }
}

/// Whether a print name, which is not empty, names the same as a destination, whatever the case of its letters.
pub(crate) fn says_the_same(print: &WideString, destination: &WideString) -> bool {
    let plain = |path: &WideString| {
        let full = win32_to_nt(path).unwrap_or_else(|| to_backslashes(path));
        String::from_utf16_lossy(strip_separators(&full, 0).units()).to_lowercase()
    };
    !print.is_empty() && (print == destination || plain(print) == plain(destination))
}

/// What an NT path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NtRoot {
    /// `\??\C:\...`
    Drive,
    /// `\??\UNC\...`
    Unc,
    /// `\??\Volume{GUID}...`; `is_root` if nothing follows but a backslash.
    Volume { is_root: bool },
    /// Anything else.
    Other,
}

pub(crate) fn nt_root(nt: &WideString) -> NtRoot {
    let Some(rest) = strip_ignoring_case(nt.units(), NT) else { return NtRoot::Other };
    match rest {
        [first, COLON, BACKSLASH, ..] if letter(*first).is_some() => NtRoot::Drive,
        _ if strip_ignoring_case(rest, UNC).is_some() => NtRoot::Unc,
        // The mount manager takes a volume's name with and without the backslash.
        _ => {
            volume(rest).map_or(NtRoot::Other, |(_, tail)| NtRoot::Volume { is_root: matches!(tail, [] | [BACKSLASH]) })
        }
    }
}

/// The substitute name for a typed absolute target: its NT path, without a trailing backslash where that only does
/// harm (a junction with one cannot lead to a directory link). Names are taken to the letter.
pub(crate) fn stored_nt(target: &WideString) -> Result<WideString, TargetError> {
    let nt = checked_nt(target)?;
    let root = match nt_root(&nt) {
        NtRoot::Other => return Ok(nt),
        NtRoot::Drive => r"\??\C:\".len(),
        NtRoot::Unc => r"\??\UNC\".len(),
        NtRoot::Volume { .. } => NT.len() + VOLUME.len() + GUID_TEXT + r"}\".len(),
    };
    Ok(strip_separators(&nt, root))
}

/// The NT path of a typed absolute target.
pub(crate) fn checked_nt(target: &WideString) -> Result<WideString, TargetError> {
    match classify(target) {
        TargetClass::DriveRelative { letter } => return Err(TargetError::DriveRelative { letter }),
        TargetClass::Nt => return Err(TargetError::NtPath),
        TargetClass::Verbatim | TargetClass::Volume(_) => check_slashes(target)?,
        _ => {}
    }
    let nt = to_nt(target, Names::Exact).ok_or(TargetError::NoServer)?;
    if matches!(nt_root(&nt), NtRoot::Other) && nt.len() <= NT.len() {
        return Err(TargetError::Empty);
    }
    Ok(nt)
}

/// Refuses what no target can be.
pub(crate) fn check_text(target: &WideString) -> Result<(), TargetError> {
    if target.is_empty() {
        return Err(TargetError::Empty);
    }
    position(target, 0).map_or(Ok(()), |index| Err(TargetError::Nul { index }))
}

/// Refuses `/` where Windows would store it as typed.
pub(crate) fn check_slashes(target: &WideString) -> Result<(), TargetError> {
    position(target, SLASH).map_or(Ok(()), |index| Err(TargetError::ForwardSlash { index }))
}

/// The path without separators at its end, but at least `keep` units of it.
pub(crate) fn strip_separators(path: &WideString, keep: usize) -> WideString {
    let mut units = path.units().to_vec();
    while units.len() > keep && units.pop_if(|last| is_separator(*last)).is_some() {}
    WideString::from_units(units)
}

pub(crate) fn has_dot_component(path: &WideString) -> bool {
    path.units().split(|unit| *unit == BACKSLASH).any(|part| matches!(part, [DOT] | [DOT, DOT]))
}

/// The prefix of NT paths that Win32 paths map to.
const NT: &str = r"\??\";
const UNC: &str = r"UNC\";
const VOLUME: &str = "Volume{";
const GUID_TEXT: usize = 36;

fn is_separator(unit: u16) -> bool {
    matches!(unit, BACKSLASH | SLASH)
}

pub(crate) fn letter(unit: u16) -> Option<char> {
    char::from_u32(unit.into()).filter(char::is_ascii_alphabetic)
}

fn position(path: &WideString, wanted: u16) -> Option<usize> {
    path.units().iter().position(|unit| *unit == wanted)
}

/// The rest after an ASCII prefix, whatever its letter case (names of NT objects have none).
fn strip_ignoring_case<'a>(units: &'a [u16], prefix: &str) -> Option<&'a [u16]> {
    let (head, rest) = units.split_at_checked(prefix.len())?;
    let same = |(unit, byte): (&u16, u8)| u8::try_from(*unit).is_ok_and(|u| u.eq_ignore_ascii_case(&byte));
    head.iter().zip(prefix.bytes()).all(same).then_some(rest)
}

/// Splits `Volume{GUID}` from what follows it, which begins with a backslash if there is anything.
fn volume(units: &[u16]) -> Option<(String, &[u16])> {
    let (guid, rest) = strip_ignoring_case(units, VOLUME)?.split_at_checked(GUID_TEXT)?;
    let guid = String::from_utf16(guid).ok()?;
    let well_formed = guid.bytes().enumerate().all(|(i, byte)| match i {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let tail = strip_ignoring_case(rest, "}")?;
    (well_formed && matches!(tail, [] | [BACKSLASH, ..])).then_some((guid, tail))
}

/// Splits `\\server\share` from what follows; `..` never goes above it. Takes the path after its `\\`.
fn unc_root(units: &[u16]) -> Option<(Vec<u16>, &[u16])> {
    let (server, mut rest) = split_component(units);
    if server.is_empty() {
        return None;
    }
    let mut root = [&[BACKSLASH, BACKSLASH], server].concat();
    let from_share = rest.iter().position(|unit| !is_separator(*unit));
    if let Some((share, tail)) = from_share.and_then(|at| rest.get(at..)).map(split_component) {
        root.push(BACKSLASH);
        root.extend(share);
        rest = tail;
    }
    Some((root, rest))
}

/// The units before the first separator, and the rest from that separator on.
fn split_component(units: &[u16]) -> (&[u16], &[u16]) {
    let end = units.iter().position(|unit| is_separator(*unit)).unwrap_or(units.len());
    units.split_at_checked(end).unwrap_or((units, &[]))
}

/// Appends `body` to `root`, component by component. `keeps_separator`: a bare root ends in a backslash.
fn collapse(mut root: Vec<u16>, body: &[u16], keeps_separator: bool, names: Names) -> Vec<u16> {
    let mut parts: Vec<&[u16]> = Vec::new();
    let mut components = body.split(|unit| is_separator(*unit)).peekable();
    while let Some(part) = components.next() {
        match part {
            [] | [DOT] => {}
            [DOT, DOT] => drop(parts.pop()),
            [.., DOT, DOT] => parts.push(part),
            [head @ .., DOT] if names == Names::Win32 && components.peek().is_some() => parts.push(head),
            _ => parts.push(part),
        }
    }
    let mut trailing = body.last().is_some_and(|last| is_separator(*last));
    if !trailing
        && names == Names::Win32
        && let Some(last) = parts.pop()
    {
        let end = last.iter().rposition(|unit| !matches!(*unit, DOT | SPACE)).map_or(0, |at| at + 1);
        match last.get(..end) {
            Some(kept) if !kept.is_empty() => parts.push(kept),
            // Nothing is left of the name, but the separator before it stays.
            _ => trailing = true,
        }
    }
    if parts.is_empty() && keeps_separator {
        trailing = true;
    }
    for part in parts {
        root.push(BACKSLASH);
        root.extend(part);
    }
    if trailing {
        root.push(BACKSLASH);
    }
    root
}
