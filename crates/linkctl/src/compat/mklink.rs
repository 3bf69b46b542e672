//! `mklink [[/D] | [/H] | [/J]] Link Target`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::ExitCode;

use clap::Args;
use links::{KindChoice, LinkSpec, Manner, PlanContext, Shape};

use super::{WINDOWS, change, drive, fail, say, words};
use crate::args::after_help;
use crate::output::sanitize;

/// Make a link, file or directory, as Windows' mklink does
#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl mklink [--drive LETTER] [[/D] | [/H] | [/J]] [--] LINK TARGET",
    after_help = after_help!(
        [
            "/D makes a directory symbolic link, /H a hard link, /J a junction"
            (
                ". Only these words are switches, and -- ends them. The words and exit codes are Windows' own; --drive \
                says which letter Windows gives the volume [default: C]."
                | ", wherever they stand. The words and exit codes are Windows' own. Of the same name, cmd has a \
                command of its own, which wins: call mklink.exe, or linkctl mklink."
            )
        ]
        Examples:
        ["mklink /d Games " ("/mnt/big/Games" | "D:\\Games")]
        ["mklink /j Games " ("'C:\\Games'" | "C:\\Games")]
        ["mklink /h copy.txt original.txt"]
    )
)]
pub(crate) struct MklinkArgs {
    /// Switches, the new link, and what it leads to
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}

const HELP: &str = "\
Creates a symbolic link.

MKLINK [[/D] | [/H] | [/J]] Link Target

        /D      Creates a directory symbolic link. Without it, a file
                symbolic link is created.
        /H      Creates a hard link instead of a symbolic link.
        /J      Creates a Directory Junction.
        Link    Specifies the name of the new link.
        Target  Specifies the path (relative or absolute) that the new
                link refers to.
";

#[derive(Debug, Default)]
struct Switches {
    directory: bool,
    /// Of `/H` and `/J`, the last one counts.
    kind: Option<KindChoice>,
    help: bool,
}

impl Switches {
    /// Whether a word is a switch.
    fn take(&mut self, word: &OsStr) -> bool {
        match word.to_ascii_lowercase().to_str() {
            Some("/d") => self.directory = true,
            Some("/h") => self.kind = Some(KindChoice::Hard),
            Some("/j") => self.kind = Some(KindChoice::Junction),
            Some("/?") => self.help = true,
            _ => return false,
        }
        true
    }
}

pub(super) fn run(typed: &[OsString]) -> io::Result<ExitCode> {
    let (drive, typed) = drive(typed);
    let (switches, names) = match if WINDOWS { parse_anywhere(typed) } else { Ok(parse(typed)) } {
        Ok(parsed) => parsed,
        Err(switch) => return fail(&format!("Invalid switch - \"{}\".", sanitize::line(&switch))),
    };
    if switches.help {
        crate::output::print(HELP)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (link, target) = match names.as_slice() {
        [link, target] => (link, target),
        [] => return fail(HELP.trim_end()),
        _ => return fail(words::SYNTAX),
    };
    match make(&switches, drive, link, target) {
        Ok(()) => {
            let made = match switches.kind {
                Some(KindChoice::Hard) => "Hardlink",
                Some(KindChoice::Junction) => "Junction",
                _ => "symbolic link",
            };
            say(&format!("{made} created for {} <<===>> {}", sanitize::name(link), sanitize::name(target)))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => fail(&words::of(&error)),
    }
}

fn make(switches: &Switches, drive: char, link: &OsStr, target: &OsStr) -> links::Result<()> {
    let mut spec = LinkSpec::new(links::native_path(link, drive), target);
    spec.kind = switches.kind.unwrap_or(KindChoice::Symlink);
    if spec.kind == KindChoice::Hard {
        spec.target = links::native_path(target, drive).into();
    }
    spec.shape = Some(if switches.directory { Shape::Directory } else { Shape::File });
    spec.drive = drive;
    spec.manner = Manner::Mklink;
    change("mklink", &links::create::plan(&spec, &PlanContext::default())?)
}

/// The switches before the names. What is none to the letter is a name, so that `/usr/share` can be one; `--` ends them.
fn parse(typed: &[OsString]) -> (Switches, Vec<OsString>) {
    let mut switches = Switches::default();
    let mut rest = typed;
    while let [word, tail @ ..] = rest {
        if word == "--" {
            return (switches, tail.to_vec());
        }
        if !switches.take(word) {
            break;
        }
        rest = tail;
    }
    (switches, rest.to_vec())
}

/// As Windows does it: every word that begins with `/` is a switch, wherever it stands; `--` is nothing special.
///
/// # Errors
/// A word that is none of its switches.
fn parse_anywhere(typed: &[OsString]) -> Result<(Switches, Vec<OsString>), String> {
    let (mut switches, mut names) = (Switches::default(), Vec::new());
    for word in typed {
        match word.to_str().and_then(|text| text.strip_prefix('/')) {
            Some(_) if switches.take(word) => {}
            Some(unknown) => return Err(unknown.to_owned()),
            None => names.push(word.clone()),
        }
    }
    Ok((switches, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &[&str]) -> (bool, Option<KindChoice>, bool, Vec<OsString>) {
        let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
        let (switches, names) = parse(&typed);
        (switches.directory, switches.kind, switches.help, names)
    }

    #[test]
    fn switches_come_first_in_either_case_and_to_the_letter() {
        use KindChoice::{Hard, Junction};
        type Case<'a> = (&'a [&'a str], bool, Option<KindChoice>, &'a [&'a str]);
        let cases: [Case<'_>; 10] = [
            (&["a", "b"], false, None, &["a", "b"]),
            (&["/D", "a", "b"], true, None, &["a", "b"]),
            (&["/d", "/J", "a", "b"], true, Some(Junction), &["a", "b"]),
            (&["/J", "/D", "a", "b"], true, Some(Junction), &["a", "b"]),
            (&["/h", "/j", "a", "b"], false, Some(Junction), &["a", "b"]),
            (&["/j", "/h", "a", "b"], false, Some(Hard), &["a", "b"]),
            (&["/usr/share", "b"], false, None, &["/usr/share", "b"]),
            (&["a", "/d"], false, None, &["a", "/d"]),
            (&["--", "/d", "/h"], false, None, &["/d", "/h"]),
            (&["/d", "--", "--", "b"], true, None, &["--", "b"]),
        ];
        for (typed, directory, kind, names) in cases {
            let names = names.iter().map(OsString::from).collect();
            assert_eq!(parsed(typed), (directory, kind, false, names), "{typed:?}");
        }
        let windows = |typed: &[&str]| {
            let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
            parse_anywhere(&typed).map(|(switches, names)| (switches.directory, switches.kind, names.len()))
        };
        assert_eq!(windows(&["a", "b", "/D"]), Ok((true, None, 2)));
        assert_eq!(windows(&["a", "/j", "b"]), Ok((false, Some(Junction), 2)));
        assert_eq!(windows(&["--", "b"]), Ok((false, None, 2)));
        assert_eq!(windows(&["/z", "a", "b"]), Err("z".to_owned()));
        assert!(parsed(&["/?"]).2 && parsed(&["/d", "/?", "x"]).2);
    }
}
