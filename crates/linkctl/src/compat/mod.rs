//! The drop-ins: `mklink`, `fsutil` and `dir` as Windows users know them, with Windows' words and exit codes.
//!
//! They take no option of linkctl's own but `--drive LETTER`, and do not pass through clap: their grammar is not its.
//!
//! ```text
//! words.rs   errors in Windows' words
//! mklink.rs  fsutil.rs
//! dir/       switches.rs (what was typed) block.rs (the columns) mod.rs (what is listed)
//! ```
//!
//! What is the same as on Windows, what differs and why: `docs/drop-ins.md`.

mod dir;
mod fsutil;
mod mklink;
mod words;

pub(crate) use dir::DirArgs;
pub(crate) use fsutil::FsutilArgs;
pub(crate) use mklink::MklinkArgs;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use links::apply::{Operation, Queue, Records, Run, apply, raise_guard};
use links::plan::Plan;
use links::{DEFAULT_DRIVE, Error};

use crate::args::letter;
use crate::failure::{complain, unwritten};
use crate::output::{self, sanitize};
use crate::session::state_directory;

/// Whether this is Windows itself, where `/` begins a switch and never a path.
const WINDOWS: bool = std::path::MAIN_SEPARATOR == '\\';

/// The commands that linkctl stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Mklink,
    Fsutil,
    Dir,
}

impl Tool {
    pub(crate) const ALL: [Self; 3] = [Self::Mklink, Self::Fsutil, Self::Dir];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mklink => "mklink",
            Self::Fsutil => "fsutil",
            Self::Dir => "dir",
        }
    }
}

/// Which drop-in was called, by the program's own name or by the first word, and with what.
pub(crate) fn called(mut words: impl Iterator<Item = OsString>) -> Option<(Tool, Vec<OsString>)> {
    let program = words.next()?;
    let name = Path::new(&program).file_stem().unwrap_or_default();
    if let Some(tool) = Tool::ALL.into_iter().find(|tool| name.eq_ignore_ascii_case(tool.name())) {
        return Some((tool, words.collect()));
    }
    let verb = words.next()?;
    let tool = Tool::ALL.into_iter().find(|tool| verb == tool.name())?;
    let words: Vec<OsString> = words.collect();
    // Called as a verb, it explains itself as the other verbs do.
    if matches!(words.as_slice(), [only] if only == "--help" || only == "-h") {
        return None;
    }
    Some((tool, words))
}

/// Runs a drop-in, which ends with the codes of Windows' commands, but where what it says cannot be printed: then as the
/// verbs do. Errors have been told when it returns.
pub(crate) fn run(tool: Tool, words: &[OsString]) -> ExitCode {
    let words = &as_typed(words.to_vec());
    let done = match tool {
        Tool::Mklink => mklink::run(words),
        Tool::Fsutil => fsutil::run(words),
        Tool::Dir => dir::run(words),
    };
    match done {
        Ok(code) => code,
        Err(error) => unwritten(&error).into(),
    }
}

/// Carries out a plan of one step, journaled where that can be done: what cannot be journaled is done all the same,
/// as Windows does it.
fn change(verb: &'static str, plan: &Plan) -> Result<(), Error> {
    for finding in &plan.findings {
        complain("note", &sanitize::line(&finding.text));
    }
    raise_guard();
    let mut queue = state_directory().and_then(|directory| Queue::open(&directory)).map(Queue::without_content).ok();
    let records = queue.as_mut().map(Records::Queue);
    let never = AtomicBool::new(false);
    let report = apply(plan, &Operation::new(verb), records, Run::new(&never), &mut ());
    report.results.into_iter().try_for_each(|result| result.map(drop))
}

/// The words as they were meant, on Windows as `cmd` takes them.
pub(crate) fn as_typed(words: Vec<OsString>) -> Vec<OsString> {
    if WINDOWS { as_cmd(&words) } else { words }
}

/// What was typed as `cmd` takes it. To programs, `"C:\a b\"` ends in a quote of the text, which swallows what follows;
/// to `cmd` it ends in a backslash. No name holds a quote, so one in a word can only be that.
fn as_cmd(words: &[OsString]) -> Vec<OsString> {
    let mut all = Vec::new();
    for word in words {
        let Some(text) = word.to_str().filter(|text| text.contains('"')) else {
            all.push(word.clone());
            continue;
        };
        let mut parts = text.split('"').map(str::trim).peekable();
        while let Some(part) = parts.next() {
            let quoted = parts.peek().is_some();
            if quoted && !part.is_empty() {
                all.push(format!("{part}\\").into());
            } else if !part.is_empty() {
                all.extend(part.split(' ').filter(|word| !word.is_empty()).map(OsString::from));
            }
        }
    }
    all
}

/// What was typed, without the options of linkctl's own that stand first.
fn drive(words: &[OsString]) -> (char, &[OsString]) {
    if let [option, value, rest @ ..] = words
        && option == "--drive"
        && let Some(Ok(letter)) = value.to_str().map(letter)
    {
        return (letter, rest);
    }
    (DEFAULT_DRIVE, words)
}

fn say(text: &str) -> io::Result<()> {
    output::print(&format!("{text}\n"))
}

fn fail(text: &str) -> io::Result<ExitCode> {
    let text = format!("{text}\n");
    anstream::stderr().write_all(text.as_bytes()).unwrap_or_default();
    Ok(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str]) -> Option<(Tool, usize)> {
        called(words.iter().map(OsString::from)).map(|(tool, words)| (tool, words.len()))
    }

    #[test]
    fn a_drop_in_is_called_by_its_own_name_or_as_a_verb() {
        assert_eq!(call(&["linkctl", "mklink", "a", "b"]), Some((Tool::Mklink, 2)));
        assert_eq!(call(&["/usr/local/bin/mklink", "a", "b"]), Some((Tool::Mklink, 2)));
        assert_eq!(call(&["FSUTIL.EXE", "hardlink"]), Some((Tool::Fsutil, 1)));
        assert_eq!(call(&["dir", "dir"]), Some((Tool::Dir, 1)));
        assert_eq!(call(&["dir", "--help"]), Some((Tool::Dir, 1)));
        for others in [&["linkctl"][..], &["linkctl", "list"], &["linkctl", "dir", "--help"], &[], &["linkctl", "DIR"]]
        {
            assert_eq!(call(others), None, "{others:?}");
        }
    }

    #[test]
    fn a_backslash_before_a_quote_is_the_end_of_a_path() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for (given, meant) in [
            (&["/j", "L", "C:\\a b\""][..], &["/j", "L", "C:\\a b\\"][..]),
            (&["C:\\a b\" D:\\x /d"], &["C:\\a b\\", "D:\\x", "/d"]),
            (&["a", "b c"], &["a", "b c"]),
        ] {
            assert_eq!(as_cmd(&words(given)), words(meant), "{given:?}");
        }
    }

    #[test]
    fn the_letter_of_the_volume_may_stand_first() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for (typed, letter, left) in [
            (&["--drive", "d", "a"][..], 'D', 1),
            (&["--drive", "E:", "a"], 'E', 1),
            (&["--drive", "CD", "a"], 'C', 3),
            (&["a", "--drive", "d"], 'C', 3),
        ] {
            let typed = words(typed);
            let (found, rest) = drive(&typed);
            assert_eq!((found, rest.len()), (letter, left), "{typed:?}");
        }
    }
}
