//! Errors in words, each with what to do about it.

use std::collections::BTreeSet;
use std::io;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::error::ErrorKind as ClapKind;
use links::plan::{Finding, Lost};
use links::{Aftermath, Error, ErrorKind};

use crate::args::by_system;
use crate::exit::Exit;
use crate::output::sanitize::{self, quoted};
use crate::output::{self, json};

/// A verb's name, and what it says to do about errors.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// Its hints for errors of some kinds.
    pub(crate) hints: &'static [(ErrorKind, &'static str)],
    /// Its hint for all other errors.
    pub(crate) hint: fn(&Error) -> Option<String>,
}

impl Verb {
    pub(crate) const fn new(name: &'static str, hints: &'static [(ErrorKind, &'static str)]) -> Self {
        Self { name, hints, hint }
    }

    fn hint(&self, error: &Error) -> Option<String> {
        let own = || self.hints.iter().find(|(kind, _)| *kind == error.kind());
        first_hint(error).or_else(|| own().map(|(_, text)| (*text).to_owned())).or_else(|| (self.hint)(error))
    }
}

/// Why a verb ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Errors of the library.
    Links(Vec<Error>),
    /// A refusal or usage error of the command itself, with what to do.
    Own { exit: Exit, message: String, hint: Option<String> },
    /// Standard output cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Links(vec![error])
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Own { exit: Exit::Usage, message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Own { exit: Exit::Refused, message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Own { exit: Exit::Failed, message: message.into(), hint: Some(hint.into()) }
    }

    /// Says it on standard error, with `json` also in a document, and gives the exit code.
    pub(crate) fn report(self, verb: &Verb, json: bool) -> Exit {
        if json && let Err(error) = self.print_json() {
            return Self::Output(error).report(verb, false);
        }
        match self {
            Self::Links(errors) => {
                say_all(verb, &errors);
                Exit::of_all(&errors).unwrap_or(Exit::Failed)
            }
            Self::Own { exit, message, hint } => {
                complain("error", &message);
                if let Some(hint) = hint {
                    complain("hint", &hint);
                }
                exit
            }
            Self::Output(error) => unwritten(&error),
        }
    }

    fn print_json(&self) -> io::Result<()> {
        let errors = match self {
            // A command line that makes no sense: nothing was looked at.
            Self::Own { exit: Exit::Usage, .. } | Self::Output(_) => return Ok(()),
            Self::Links(errors) if Exit::of_all(errors) == Some(Exit::Usage) => return Ok(()),
            Self::Links(errors) => errors.iter().map(Into::into).collect(),
            Self::Own { exit, message, .. } => vec![json::ErrorRecord::own(*exit, message)],
        };
        json::print(&json::FailureDocument { errors })
    }
}

/// How a run ends whose output cannot be written.
pub(crate) fn unwritten(error: &io::Error) -> Exit {
    // The reader of the output has seen enough.
    if output::is_closed(error) {
        return Exit::Done;
    }
    complain("error", &format!("cannot write the output: {error}"));
    Exit::Failed
}

/// More errors than this are told by their number: the first tell what is wrong.
const MOST: usize = 20;

/// Errors and their hints.
pub(crate) fn say_all<'a>(verb: &Verb, errors: impl IntoIterator<Item = &'a Error>) {
    let mut errors = errors.into_iter();
    for error in errors.by_ref().take(MOST) {
        say(verb, error);
    }
    match errors.count() {
        0 => {}
        more => complain("error", &format!("and {more} more of them; --json lists all")),
    }
}

/// An error and its hint.
pub(crate) fn say(verb: &Verb, error: &Error) {
    // The same advice a hundred times is noise.
    static GIVEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    complain("error", &message(error));
    if let Some(hint) = verb.hint(error)
        && GIVEN.lock().is_ok_and(|mut given| given.insert(hint.clone()))
    {
        complain("hint", &hint);
    }
}

/// One line on standard error, marked. Nothing can be done where even that fails.
pub(crate) fn complain(mark: &str, text: &str) {
    use std::io::Write as _;
    let color = match mark {
        "error" => anstyle::AnsiColor::Red,
        "warning" => anstyle::AnsiColor::Yellow,
        _ => anstyle::AnsiColor::Cyan,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(color.into()));
    // In one piece: other processes may be writing there, too.
    let line = format!("{style}{mark}{style:#}: {text}\n");
    anstream::stderr().write_all(line.as_bytes()).unwrap_or_default();
}

/// Reports what a move could not keep.
pub(crate) fn not_kept(lost: &Lost) {
    complain("warning", &format!("{}: not kept: {}", quoted(&lost.path), sanitize::line(&lost.what)));
}

/// Says how whole volumes were read.
pub(crate) fn remark(remarks: &[String]) {
    for text in remarks {
        complain("note", &sanitize::line(text));
    }
}

/// What could not be done, where, and why.
pub(crate) fn message(error: &Error) -> String {
    if error.kind() == ErrorKind::Nothing {
        return sanitize::line(&error.cause());
    }
    // What left something behind was done.
    let cannot = if error.kind() == ErrorKind::LeftBehind { "" } else { "cannot " };
    let mut text = format!("{cannot}{} {}", error.operation(), quoted(error.path()));
    if let Some(second) = error.second_path() {
        text.push_str(&format!(" to {}", quoted(second)));
    }
    format!("{text}: {}", sanitize::line(&cause(error)))
}

/// The cause of an error, with the command or option that helps.
pub(crate) fn cause(error: &Error) -> String {
    match error.aftermath() {
        Some(Aftermath::Unfinished) => {
            format!("{} (nothing is lost; 'linkctl recover' finishes it)", error.cause())
        }
        _ if error.kind() == ErrorKind::KindNeeded => format!("{}; --kind hard removes this one", error.cause()),
        _ => error.cause(),
    }
}

/// What a finding says, with the options that it is about: the library knows none.
pub(crate) fn text_of(finding: &Finding) -> String {
    let options = match finding.code {
        "link-with-data" => ": `fsutil reparsepoint delete` makes it a file again",
        "shape-guessed" => "; --dir or --file decides",
        "shape-ignored" => ": --dir and --file are for Windows links",
        "target-misread" => "; with --relative it is read from the current one",
        _ => "",
    };
    format!("{}{options}", finding.text)
}

/// How symbolic links become possible on Windows.
pub(crate) const PRIVILEGE: &str =
    "turn Developer Mode on (Settings, System, For developers), or run as administrator; junctions need neither";

/// Whether Windows asked for a privilege that this user has not (`ERROR_PRIVILEGE_NOT_HELD`).
pub(crate) fn lacks_privilege(error: &Error) -> bool {
    error.io_error().and_then(io::Error::raw_os_error) == Some(1314)
}

/// What to do about the few errors that mean the same everywhere: it goes before any verb's own advice.
fn first_hint(error: &Error) -> Option<String> {
    let text = match error.kind() {
        _ if lacks_privilege(error) => PRIVILEGE,
        // Paths on a volume that need not be mounted.
        _ if error.operation() == "look up" => {
            "paths begin at the root of the volume, as in C:\\Users; --drive says which letter it has"
        }
        _ if error.operation() == "enter directory" => {
            "list, show, check and dir with --volume and the disk or image of the volume read what it holds"
        }
        ErrorKind::PermissionDenied if error.operation() == "open the volume" => by_system!(
            "to read a disk takes root, or the group that may (such as disk)",
            "to read a drive takes an administrator",
        ),
        _ => return None,
    };
    Some(text.to_owned())
}

/// What to do about an error, whichever verb met it. Only the command knows its own options, so the library never hints.
pub(crate) fn hint(error: &Error) -> Option<String> {
    let text = match error.kind() {
        ErrorKind::SameFile => {
            "a relative target is read from the link's directory; with --relative or --absolute from the current one"
        }
        ErrorKind::TooLong if error.operation() == "create junction" => "use a shorter target",
        ErrorKind::TooLong => "use a shorter target, such as a relative one (--relative)",
        ErrorKind::TooManyLinks => "the file system allows no more names for this file; copy it, or use --kind symlink",
        ErrorKind::KindNeeded => "the file keeps its other names and its data",
        ErrorKind::LastName => "deleting it would delete its data; linkctl never does that",
        ErrorKind::PermissionDenied => by_system!(
            "`linkctl doctor` on the directory tells what this user can do there",
            "`linkctl doctor` on the directory tells what this user can do there; a read-only file must be made \
             writable first (attrib -r)",
        ),
        ErrorKind::ReadOnly => {
            by_system!("mount the file system read-write first", "the disk is write-protected: take that off first",)
        }
        ErrorKind::Full => by_system!("free some space or inodes there", "free some space there"),
        ErrorKind::Changed => "look again and repeat the command",
        ErrorKind::NotFound | ErrorKind::ParentMissing => {
            "check the path: a relative one is read from the current directory"
        }
        ErrorKind::InvalidPath => "name the link itself, by its last name",
        ErrorKind::NotALink => "`linkctl show` tells what it is",
        ErrorKind::NotEmpty => "what a junction hides in its own directory must go first",
        ErrorKind::Busy => "wait until it is done and repeat the command",
        ErrorKind::LeftBehind => {
            "look at both, bring over what the new one lacks, then remove the old one; `linkctl recover` clears the rest"
        }
        ErrorKind::VolumeAway => "mount that volume where it was, and repeat the command",
        ErrorKind::CorruptJournal => "the next change sets it aside, keeps it, and begins a new one",
        ErrorKind::Journal => "LINKCTL_STATE_DIR may name a directory of your own for the journal",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The command line made no sense, or asked for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    use std::io::Write as _;
    match error.kind() {
        ClapKind::DisplayHelp | ClapKind::DisplayVersion => {
            let printed = output::must_be_open().and_then(|()| error.print()).and_then(|()| io::stdout().flush());
            printed.map_or_else(|error| unwritten(&error), |()| Exit::Done).into()
        }
        _ => {
            // It quotes what was typed, which `linkctl remove *` may have taken from a hostile name.
            let lines: Vec<String> = error.render().to_string().lines().map(sanitize::line).collect();
            writeln!(anstream::stderr(), "{}", lines.join("\n")).unwrap_or_default();
            Exit::Usage.into()
        }
    }
}
