//! What was typed behind `dir`: switches in any place, to the letter; everything else is a path.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use links::listing::{FileAttributes, Listed};

/// A command line of `dir`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Switches {
    /// `/S`: also every directory below.
    pub(super) tree: bool,
    /// `/B`: names alone.
    pub(super) bare: bool,
    /// `/-C`: no separators in numbers.
    pub(super) plain_numbers: bool,
    /// `/?`.
    pub(super) help: bool,
    /// `/A`: what a name must be, and what it must not be. `None`: neither hidden nor of the system.
    pub(super) attributes: Option<Vec<(FileAttributes, bool)>>,
    /// `/O`, by what to sort, and whether backwards. Empty: by name.
    pub(super) order: Vec<(Key, bool)>,
    pub(super) paths: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Extension,
    Size,
    Date,
    DirectoriesFirst,
}

/// Switches of Windows that are not offered: as long as there is no such path, they are told rather than looked for.
const LEFT_OUT: [&str; 9] = ["/w", "/d", "/p", "/q", "/x", "/l", "/r", "/t", "/-n"];

/// What was typed. On Windows itself, no path begins with `/`.
///
/// # Errors
/// A switch that is not offered, as it was typed.
pub(super) fn parse(typed: &[OsString], windows: bool) -> Result<Switches, String> {
    let mut switches = Switches::default();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            switches.paths.extend(words.cloned());
            break;
        }
        if switches.takes(word) {
            continue;
        }
        if windows && word.as_encoded_bytes().starts_with(b"/") {
            return Err(word.to_string_lossy().into_owned());
        }
        let left_out = LEFT_OUT.iter().any(|switch| word.eq_ignore_ascii_case(switch));
        if left_out && Path::new(word).symlink_metadata().is_err() {
            return Err(word.to_string_lossy().into_owned());
        }
        switches.paths.push(word.clone());
    }
    Ok(switches)
}

impl Switches {
    /// Whether a word is a switch, or several (`/s/b`) where there is no such path.
    fn takes(&mut self, word: &OsStr) -> bool {
        let Some(parts) = word.to_str().and_then(|text| text.strip_prefix('/')) else { return false };
        let parts: Vec<String> = parts.split('/').map(str::to_ascii_lowercase).collect();
        if parts.len() > 1 && Path::new(word).symlink_metadata().is_ok() {
            return false;
        }
        // All or none: `/s/data` is a path.
        parts.iter().all(|part| Self::default().take(part).is_some())
            && parts.iter().all(|part| self.take(part).is_some())
    }

    /// Takes a switch, in small letters and without its slash. `None`: it is none.
    fn take(&mut self, switch: &str) -> Option<()> {
        let (first, letters) = switch.split_at_checked(1)?;
        let letters = letters.strip_prefix(':').unwrap_or(letters);
        match (switch, first) {
            ("s", _) => self.tree = true,
            ("b", _) => self.bare = true,
            ("?", _) => self.help = true,
            ("-c", _) => self.plain_numbers = true,
            // What they ask for is so already.
            ("c" | "4" | "n", _) => {}
            (_, "a") => {
                let attributes = signed(letters, &ATTRIBUTES)?;
                let wanted = attributes.into_iter().map(|(attribute, minus)| (attribute, !minus));
                self.attributes.get_or_insert_default().extend(wanted);
            }
            (_, "o") if letters.is_empty() => self.order = vec![(Key::DirectoriesFirst, false), (Key::Name, false)],
            (_, "o") => self.order = signed(letters, &KEYS)?,
            _ => return None,
        }
        Some(())
    }

    /// Whether a name is to be listed.
    pub(super) fn wants(&self, entry: &Listed) -> bool {
        match &self.attributes {
            // Hidden is what the system hides, not where a listing begins: `.` and `..` of the root are hidden, too.
            None if entry.name == "." || entry.name == ".." => true,
            None => !entry.attributes.has(FileAttributes::HIDDEN) && !entry.attributes.has(FileAttributes::SYSTEM),
            Some(all) => all.iter().all(|(attribute, wanted)| entry.attributes.has(*attribute) == *wanted),
        }
    }

    /// Whether only links and other reparse points can be listed.
    pub(super) fn wants_links_only(&self) -> bool {
        self.attributes.as_ref().is_some_and(|all| all.contains(&(FileAttributes::REPARSE_POINT, true)))
    }

    pub(super) fn sort(&self, entries: &mut [&Listed]) {
        // They come by name: the last key first, so that the first one outweighs it.
        for (key, backwards) in self.order.iter().rev() {
            let compare = |a: &&Listed, b: &&Listed| match key {
                Key::Name => name_key(a).cmp(&name_key(b)),
                Key::Extension => extension_key(a).cmp(&extension_key(b)),
                Key::Size => a.size.cmp(&b.size),
                Key::Date => a.modified.cmp(&b.modified),
                Key::DirectoriesFirst => b.is_directory.cmp(&a.is_directory),
            };
            entries.sort_by(|a, b| if *backwards { compare(b, a) } else { compare(a, b) });
        }
    }
}

fn name_key(entry: &Listed) -> String {
    entry.name.to_string_lossy().to_uppercase()
}

fn extension_key(entry: &Listed) -> String {
    Path::new(&entry.name).extension().unwrap_or_default().to_string_lossy().to_uppercase()
}

const ATTRIBUTES: [(char, FileAttributes); 8] = [
    ('d', FileAttributes::DIRECTORY),
    ('r', FileAttributes::READ_ONLY),
    ('h', FileAttributes::HIDDEN),
    ('a', FileAttributes::ARCHIVE),
    ('s', FileAttributes::SYSTEM),
    ('l', FileAttributes::REPARSE_POINT),
    ('i', FileAttributes::NOT_CONTENT_INDEXED),
    ('o', FileAttributes::OFFLINE),
];

const KEYS: [(char, Key); 5] =
    [('n', Key::Name), ('e', Key::Extension), ('s', Key::Size), ('d', Key::Date), ('g', Key::DirectoriesFirst)];

/// The values of the letters of a switch, each with whether `-` precedes it.
fn signed<T: Copy>(letters: &str, known: &[(char, T)]) -> Option<Vec<(T, bool)>> {
    let mut signed = Vec::new();
    let mut minus = false;
    for letter in letters.chars() {
        match letter {
            '-' if minus => return None,
            '-' => minus = true,
            letter => {
                let (_, meaning) = known.iter().find(|(known, _)| *known == letter)?;
                signed.push((*meaning, std::mem::take(&mut minus)));
            }
        }
    }
    (!minus).then_some(signed)
}

/// Whether a name fits a pattern of `*` and `?`, upper and lower case the same; `*.*` fits every name.
pub(super) fn fits(pattern: &OsStr, name: &OsStr) -> bool {
    if pattern == "*.*" {
        return true;
    }
    let upper = |text: &OsStr| text.to_string_lossy().to_uppercase().chars().collect::<Vec<char>>();
    let (pattern, name) = (upper(pattern), upper(name));
    // Where the last `*` stands, and up to where it has been taken to reach.
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&letter) if letter == '?' || Some(&letter) == name.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((before, reached)) => {
                    star = Some((before, reached + 1));
                    (at, from) = (before + 1, reached + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &[&str]) -> Switches {
        let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
        parse(&typed, false).unwrap_or_default()
    }

    #[test]
    fn every_way_of_typing_a_switch_means_the_same() {
        let link = Some(vec![(FileAttributes::REPARSE_POINT, true)]);
        for typed in [&["/s", "/al"][..], &["/S", "/A:L"], &["/s/al"], &["/S/A:l"], &["/aL", "/s"]] {
            let switches = parsed(typed);
            assert_eq!((switches.tree, &switches.attributes, switches.paths.len()), (true, &link, 0), "{typed:?}");
        }
        let not = Some(vec![(FileAttributes::REPARSE_POINT, false)]);
        for typed in ["/a-l", "/A:-L"] {
            assert_eq!(parsed(&[typed]).attributes, not, "{typed}");
        }
        let both = Some(vec![(FileAttributes::DIRECTORY, true), (FileAttributes::REPARSE_POINT, false)]);
        assert_eq!(parsed(&["/ad-l"]).attributes, both);
        assert_eq!(parsed(&["/ad", "/a-l"]).attributes, both);
        assert_eq!(parsed(&["/a"]).attributes, Some(vec![]));
        assert_eq!(parsed(&["/o:-n"]).order, [(Key::Name, true)]);
        assert_eq!(parsed(&["/on", "x"]).order, [(Key::Name, false)]);
    }

    #[test]
    fn what_is_no_switch_to_the_letter_is_a_path() {
        for path in ["/usr/share", "/sx", "/s/data", "/az", "/o:x", "/a:--l", "/a-", "x", "-s", "//s"] {
            assert_eq!(parsed(&[path]).paths, [path], "{path}");
        }
        assert_eq!(parsed(&["--", "/s", "--"]).paths, ["/s", "--"]);
        assert_eq!(parse(&["/w".into()], false), Err("/w".to_owned()));
    }

    #[test]
    fn patterns_fit_as_in_windows() {
        let cases = [
            ("*", "any", true),
            ("*.*", "no-dot", true),
            ("*.txt", "A.TXT", true),
            ("*.txt", "a.txt.bak", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxb", true),
            ("*ab", "aab", true),
            ("", "", true),
            ("", "a", false),
            ("**", "", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(fits(OsStr::new(pattern), OsStr::new(name)), expected, "{pattern} {name}");
        }
    }
}
