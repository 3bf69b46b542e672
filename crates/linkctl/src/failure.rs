//! Errors in words, each with what to do about it.

use std::collections::BTreeSet;
use std::io;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::error::ErrorKind as ClapKind;
use links::{Error, ErrorKind};

use crate::args::by_system;
use crate::exit::Exit;
use crate::kinds;
use crate::output::sanitize::{self, quoted};
use crate::output::{self, json};

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

    /// Says it on standard error, with `json` also in a document, and gives the exit code.
    pub(crate) fn report(self, verb: &str, json: bool) -> Exit {
        if json && let Err(error) = self.print_json() {
            return Self::Output(error).report(verb, false);
        }
        match self {
            Self::Links(errors) => {
                say_all(verb, &errors);
                errors.iter().map(|error| Exit::of(error.kind())).max().unwrap_or(Exit::Failed)
            }
            Self::Own { exit, message, hint } => {
                complain("error", &message);
                if let Some(hint) = hint {
                    complain("hint", &hint);
                }
                exit
            }
            // Whoever read the output has seen enough.
            Self::Output(error) if output::is_closed(&error) => Exit::Done,
            Self::Output(error) => {
                complain("error", &format!("cannot write the output: {error}"));
                Exit::Failed
            }
        }
    }
}

impl Failure {
    fn print_json(&self) -> io::Result<()> {
        let errors = match self {
            // Whoever wrote the command line wrote it wrong: nothing was looked at.
            Self::Own { exit: Exit::Usage, .. } => return Ok(()),
            Self::Links(errors) => errors.iter().map(Into::into).collect(),
            Self::Own { exit, message, .. } => vec![json::ErrorRecord::own(*exit, message)],
            Self::Output(_) => return Ok(()),
        };
        json::print(&json::FailureDocument { schema: json::SCHEMA, errors })
    }
}

/// More errors than this are told by their number: the first tell what is wrong.
const MOST: usize = 20;

/// Errors and their hints.
pub(crate) fn say_all<'a>(verb: &str, errors: impl IntoIterator<Item = &'a Error>) {
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
pub(crate) fn say(verb: &str, error: &Error) {
    // The same advice a hundred times is noise.
    static GIVEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    complain("error", &message(error));
    if let Some(hint) = hint(verb, error)
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

/// What could not be done, where, and why.
pub(crate) fn message(error: &Error) -> String {
    if error.kind() == ErrorKind::Nothing {
        return sanitize::line(&error.cause());
    }
    let mut text = format!("cannot {} {}", error.operation(), quoted(error.path()));
    if let Some(second) = error.second_path() {
        text.push_str(&format!(" to {}", quoted(second)));
    }
    format!("{text}: {}", sanitize::line(&error.cause()))
}

/// How symbolic links become possible on Windows.
pub(crate) const PRIVILEGE: &str = "turn Developer Mode on (Settings, System, For developers), or run as administrator; junctions need neither";

/// Whether Windows asked for a privilege that this user has not (`ERROR_PRIVILEGE_NOT_HELD`).
pub(crate) fn lacks_privilege(error: &Error) -> bool {
    error.io_error().and_then(io::Error::raw_os_error) == Some(1314)
}

/// What to do about it. Only the command knows its own options, so the library never hints.
fn hint(verb: &str, error: &Error) -> Option<String> {
    let creating = verb == "create";
    let quote = |kind: &kinds::Kind, text: &str| Some(format!("{text}\n{}", kind.quote()));
    let kind = match error.operation() {
        "create hard link" => &kinds::HARD,
        "create junction" => &kinds::JUNCTION,
        _ => &kinds::SYMLINK,
    };
    let planned = error.operation() == "create link";
    let text = match error.kind() {
        _ if lacks_privilege(error) => PRIVILEGE,
        // Paths on a volume that need not be mounted.
        _ if error.operation() == "look up" => {
            "paths begin at the root of the volume, as in C:\\Users; --drive says which letter it has"
        }
        ErrorKind::PermissionDenied if error.operation() == "open the volume" => by_system(
            "to read a disk takes root, or the group that may (such as disk)",
            "to read a drive takes an administrator",
        ),
        ErrorKind::AlreadyExists if verb == "move" && error.path().is_dir() => {
            "to put it into that directory, name its place there in full, with its last name"
        }
        ErrorKind::AlreadyExists if verb == "move" => "choose a name that is free",
        ErrorKind::ParentMissing if verb == "move" && error.operation() == "move to" => {
            "make that directory first"
        }
        ErrorKind::InvalidPath if verb == "move" => "name the place in full, with its last name",
        ErrorKind::SameFile if matches!(verb, "move" | "restore") => "name a place outside of it",
        ErrorKind::NotFound if verb == "restore" => "`linkctl show` tells where it leads",
        ErrorKind::TargetIsLink if verb == "restore" => "bring back that one first",
        ErrorKind::TargetIsLink if verb == "move" => "`linkctl show` tells where it leads: move that",
        ErrorKind::AlreadyExists if creating => {
            let is_link = error.path().is_symlink();
            let no_target = error.second_path().is_some_and(|target| target.symlink_metadata().is_err());
            if !is_link && no_target {
                "the link comes first, as in `linkctl create LINK TARGET`: are the two swapped?"
            } else {
                "choose another name, or use --replace where a link is to be replaced"
            }
        }
        ErrorKind::NotALink if creating => "choose another name, or move away what has it",
        ErrorKind::ParentMissing if creating && planned => "make its directory first, or let --parents do it",
        ErrorKind::IsDirectory if creating => {
            return quote(
                kind,
                "use a symbolic link (--kind symlink), or on NTFS a junction (--kind junction)",
            );
        }
        ErrorKind::CrossesVolumes if creating && kind.name == "hard" => {
            return quote(kind, "use a symbolic link (--kind symlink): it may lead to another volume");
        }
        ErrorKind::CrossesVolumes if creating && kind.name == "junction" => {
            return quote(kind, "use a symbolic link to a Windows path (--kind symlink --dir)");
        }
        ErrorKind::CrossesVolumes if creating => {
            return quote(
                kind,
                "name the target as Windows does (D:\\...), or give the volume's letter with --drive",
            );
        }
        ErrorKind::NotSupported if creating && kind.name == "junction" => {
            return quote(kind, "use a symbolic link (--kind symlink)");
        }
        ErrorKind::NotSupported if creating => {
            return quote(kind, "name the target by its path on this system");
        }
        ErrorKind::NotFound if creating && kind.name == "hard" => {
            return quote(kind, "name a file that exists, or use a symbolic link (--kind symlink)");
        }
        ErrorKind::TargetIsLink if creating => {
            return quote(kind, "`linkctl show TARGET` tells where it leads");
        }
        ErrorKind::NotADirectory if creating => "a part of the link's path is a file",
        ErrorKind::PermissionDenied if creating && kind.name == "hard" => {
            return quote(kind, "copy the file, or use a symbolic link (--kind symlink)");
        }
        ErrorKind::InvalidTarget if creating => {
            return quote(kind, "give it another target, or make another kind of link");
        }
        ErrorKind::TooLong if creating && planned => "use a shorter name for the link",
        ErrorKind::ParentMissing if creating => return None,
        ErrorKind::TargetIsLink if verb == "remove" => "without --recursive, the link itself is removed",
        ErrorKind::SameFile => {
            "a relative target is read from the link's directory; with --relative or --absolute from the current one"
        }
        ErrorKind::TooLong if verb == "move" => "use a shorter name",
        ErrorKind::TooLong if kind.name == "junction" => "use a shorter target",
        ErrorKind::TooLong => "use a shorter target, such as a relative one (--relative)",
        ErrorKind::TooManyLinks => {
            "the file system allows no more names for this file; copy it, or use --kind symlink"
        }
        ErrorKind::KindNeeded => "the file keeps its other names and its data",
        ErrorKind::LastName => "deleting it would delete its data; linkctl never does that",
        ErrorKind::IsDirectory if verb == "remove" => "--recursive removes the links below it",
        ErrorKind::PermissionDenied if verb == "recover" => {
            "who moved it can recover it; where nothing of it is needed any more, remove it"
        }
        ErrorKind::NotEmpty if verb == "recover" => {
            "something else is in it: look at it, and move it where it belongs"
        }
        ErrorKind::PermissionDenied => by_system(
            "`linkctl doctor` on the directory tells what this user can do there",
            "`linkctl doctor` on the directory tells what this user can do there; a read-only file must be made \
             writable first (attrib -r)",
        ),
        ErrorKind::CrossesVolumes if verb == "drop-ins" => {
            "copy linkctl into that directory instead, once under each name"
        }
        ErrorKind::ReadOnly => by_system(
            "mount the file system read-write first",
            "the disk is write-protected: take that off first",
        ),
        ErrorKind::Full => by_system("free some space or inodes there", "free some space there"),
        ErrorKind::Changed if verb == "undo" => {
            "what was changed since is left as it is; --partial undoes the rest"
        }
        ErrorKind::Changed => "look again and repeat the command",
        ErrorKind::Nothing if verb == "undo" => "`linkctl history` shows what can be undone",
        ErrorKind::NotFound | ErrorKind::ParentMissing => {
            "check the path: a relative one is read from the current directory"
        }
        ErrorKind::InvalidPath => "name the link itself, by its last name",
        ErrorKind::Nothing if verb == "history" => "`linkctl history` lists the operations there are",
        ErrorKind::NotALink => "`linkctl show` tells what it is",
        ErrorKind::NotEmpty => "what a junction hides in its own directory must go first",
        ErrorKind::Busy => "wait until it is done and repeat the command",
        ErrorKind::LeftBehind => {
            "look at both, bring over what the new one lacks, then remove the old one; `linkctl recover` clears the rest"
        }
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
        ClapKind::DisplayHelp | ClapKind::DisplayVersion => match error.print() {
            Err(error) if !output::is_closed(&error) => Exit::Failed.into(),
            _ => Exit::Done.into(),
        },
        _ => {
            // It quotes what was typed, which `linkctl remove *` may have taken from a hostile name.
            let lines: Vec<String> = error.render().to_string().lines().map(sanitize::line).collect();
            writeln!(anstream::stderr(), "{}", lines.join("\n")).unwrap_or_default();
            Exit::Usage.into()
        }
    }
}
