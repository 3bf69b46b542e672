//! `fsutil hardlink`, `fsutil reparsepoint`, `fsutil behavior ... SymlinkEvaluation`.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use links::{Error, KindChoice, LinkSpec, Manner, PlanContext, ReparsePoint, Target};
use reparse::{ReparseData, Tag, WideString};

use super::{WINDOWS, change, drive, fail, say, words};
use crate::args::after_help;
use crate::output::{self, hex, sanitize};

/// Hard links and reparse points, as Windows' fsutil has them
#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl fsutil hardlink create NEW EXISTING\n       linkctl fsutil hardlink list FILE\n       \
                      linkctl fsutil reparsepoint query|delete PATH\n       \
                      linkctl fsutil behavior query|set SymlinkEvaluation",
    after_help = after_help!(Example: ["fsutil hardlink list copy.txt"] ["fsutil reparsepoint query Games"])
)]
pub(crate) struct FsutilArgs {
    /// What to do, and with what
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}

const HELP: &str = "\
---- Commands Supported ----

behavior        Query or set the evaluation of symbolic links
hardlink        Create a hard link, or list the names of a file
reparsepoint    Query or delete a reparse point
";

const HARDLINK: &str = "\
---- HARDLINK Commands Supported ----

create          fsutil hardlink create <new name> <existing name>
                Gives an existing file a new name
list            fsutil hardlink list <name>
                Lists every name of a file
";

const REPARSEPOINT: &str = "\
---- REPARSEPOINT Commands Supported ----

query           fsutil reparsepoint query <path>
                Shows the reparse point of a file or directory
delete          fsutil reparsepoint delete <path>
                Deletes the reparse point; the file or directory stays, empty
";

const BEHAVIOR: &str = "\
---- BEHAVIOR Commands Supported ----

query           fsutil behavior query SymlinkEvaluation
set             fsutil behavior set SymlinkEvaluation [L2L:{0|1}] [L2R:{0|1}] [R2L:{0|1}] [R2R:{0|1}]
";

pub(super) fn run(typed: &[OsString]) -> io::Result<ExitCode> {
    let (drive, typed) = drive(typed);
    let typed: Vec<&OsStr> = typed.iter().map(OsString::as_os_str).collect();
    // Windows' own words, which have no bytes but these.
    let words: Vec<String> = typed.iter().map(|word| word.to_string_lossy().to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let help_text = match words.as_slice() {
        ["hardlink", ..] => HARDLINK,
        ["reparsepoint", ..] => REPARSEPOINT,
        ["behavior", ..] => BEHAVIOR,
        _ => HELP,
    };
    let path = |word| links::native_path(word, drive);
    match (words.as_slice(), typed.get(2..).unwrap_or_default()) {
        ([] | ["/?" | "help"] | ["hardlink" | "reparsepoint" | "behavior"], _)
        | (["hardlink" | "reparsepoint" | "behavior", "/?" | "help"], _)
        | (["hardlink", "create" | "list", "/?"] | ["reparsepoint", "query" | "delete", "/?"], _) => {
            output::print(help_text)?;
            Ok(ExitCode::SUCCESS)
        }
        (["hardlink", "create", ..], [new, existing]) => create(&path(new), &path(existing)),
        (["hardlink", "list", ..], [file]) => list(&path(file)),
        (["reparsepoint", "query", ..], [link]) => query(&path(link)),
        (["reparsepoint", "delete", ..], [link]) => delete(&path(link)),
        (["hardlink", "create" | "list", ..] | ["reparsepoint", "query" | "delete", ..], _) => wrong(help_text),
        (["behavior", "query", "symlinkevaluation"], _) => evaluation(),
        (["behavior", "set", "symlinkevaluation", classes @ ..], _) => set_evaluation(classes),
        (["hardlink" | "reparsepoint" | "behavior", other, ..] | [other, ..], _) => {
            fail(&format!("{} is an invalid parameter.\n\n{}", sanitize::line(other), help_text.trim_end()))
        }
    }
}

fn wrong(table: &str) -> io::Result<ExitCode> {
    fail(&format!("{}\n\n{}", words::SYNTAX, table.trim_end()))
}

fn failed(error: &Error) -> io::Result<ExitCode> {
    fail(&format!("Error:  {}", words::of(error)))
}

fn create(new: &Path, existing: &Path) -> io::Result<ExitCode> {
    let mut spec = LinkSpec::new(new, existing);
    spec.kind = KindChoice::Hard;
    spec.manner = Manner::Mklink;
    if let Err(error) = links::create::plan(&spec, &PlanContext::default()).and_then(|plan| change("fsutil", &plan)) {
        return failed(&error);
    }
    let full = |path: &Path| sanitize::name(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let (new, existing) = (full(new), full(existing));
    say(&format!("Hardlink created for {new} <<===>> {existing}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Every name in full (on Windows itself, from the volume's root): the one asked about first, then the others in order.
fn list(path: &Path) -> io::Result<ExitCode> {
    let (asked, names, root) = match every_name(path) {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    // To Windows, upper and lower case are one name.
    let is_asked = |name: &Path| name == asked || WINDOWS && name.as_os_str().eq_ignore_ascii_case(asked.as_os_str());
    let others = names.paths.iter().filter(|name| !is_asked(name));
    let mut text = String::new();
    for name in std::iter::once(&asked).chain(others) {
        // Windows leaves the drive out.
        match name.strip_prefix(&root) {
            Ok(inside) if WINDOWS => text.push_str(&format!("\\{}", sanitize::name(inside))),
            _ => text.push_str(&sanitize::name(name)),
        }
        text.push('\n');
    }
    output::print(&text)?;
    if names.is_complete() {
        return Ok(ExitCode::SUCCESS);
    }
    let (found, all) = (names.paths.len(), names.links);
    fail(&format!(
        "Error:  {found} of {all} names were found; the others are where this user or this mount cannot look."
    ))
}

/// The path asked about in full, all names, and where their volume begins.
fn every_name(path: &Path) -> links::Result<(PathBuf, links::names::Names, PathBuf)> {
    let shown = links::inspect_path(path, links::DEFAULT_DRIVE)?;
    if shown.metadata.kind == links::FileKind::Directory {
        // A directory has the one name.
        let path = links::physical_path(path)?;
        let root = links::listing::volume(&path)?.mount_point;
        let names = links::names::Names { paths: vec![path.clone()], links: 1, searched: Vec::new() };
        return Ok((path, names, root));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (parent, root) = (links::physical_path(parent)?, links::listing::volume(parent)?.mount_point);
    let asked = path.file_name().map_or_else(|| parent.clone(), |name| parent.join(name));
    let names = links::names::find(&shown.metadata, &parent, std::slice::from_ref(&root))?;
    Ok((asked, names, root))
}

const NO_POLICY: &str =
    "SymlinkEvaluation is a policy of Windows: this system has none, and follows every symbolic link.";

/// Which symbolic links are followed: four lines, and one more where a group policy decides.
fn evaluation() -> io::Result<ExitCode> {
    let Some(found) = links::system::symlink_evaluation() else { return fail(NO_POLICY) };
    let classes = [
        ("Local to local", found.local_to_local),
        ("Local to remote", found.local_to_remote),
        ("Remote to local", found.remote_to_local),
        ("Remote to remote", found.remote_to_remote),
    ];
    for (class, on) in classes {
        say(&format!("{class} symbolic links are {}.", if on { "enabled" } else { "disabled" }))?;
    }
    if found.by_policy {
        say("A group policy decides this: what is set here has no effect.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn set_evaluation(classes: &[&str]) -> io::Result<ExitCode> {
    if links::system::symlink_evaluation().is_none() {
        return fail(NO_POLICY);
    }
    let Some(values) = parse_classes(classes) else { return wrong(BEHAVIOR) };
    match links::apply::set_symlink_evaluation(values) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => failed(&error),
    }
}

/// `l2l:1 r2r:0`, one at least and each once.
fn parse_classes(classes: &[&str]) -> Option<[Option<bool>; 4]> {
    let mut values = [None; 4];
    for class in classes {
        let (name, value) = class.split_once(':')?;
        let index = ["l2l", "l2r", "r2l", "r2r"].iter().position(|known| *known == name)?;
        let value = match value {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        if values.get_mut(index)?.replace(value).is_some() {
            return None;
        }
    }
    (!classes.is_empty()).then_some(values)
}

fn query(path: &Path) -> io::Result<ExitCode> {
    let point = match links::inspect_path(path, links::DEFAULT_DRIVE) {
        Ok(shown) => shown.link.and_then(|link| link.target),
        Err(error) => return failed(&error),
    };
    let Some(Target::Reparse(point)) = point else {
        return fail("Error:  The file or directory is not a reparse point.");
    };
    output::print(&described(&point))?;
    Ok(ExitCode::SUCCESS)
}

/// The newer of the two layouts that Windows has had: its tags in one line.
fn described(point: &ReparsePoint) -> String {
    // Microsoft's own tags have a header of 8 bytes, others one of 24 with their GUID.
    const HEADER: usize = 8;
    let tag = point.tag();
    let name = match tag {
        Tag::SYMLINK => Some("Symbolic Link".into()),
        Tag::MOUNT_POINT => Some("Mount Point".into()),
        tag => tag.name(),
    };
    let microsoft = tag.is_microsoft().then_some("Microsoft".into());
    let surrogate = tag.is_name_surrogate().then_some("Name Surrogate".into());
    let values: Vec<Cow<'_, str>> = [microsoft, surrogate, name].into_iter().flatten().collect();
    let mut text = format!("Reparse Tag Value : {tag}\nTag value: {}\n", values.join(", "));
    if let Ok(ReparseData::MountPoint(_)) = point.decode() {
        text.push_str(&names(&point.raw));
    }
    let data = point.raw.get(HEADER..).unwrap_or_default();
    // Writing to a String cannot fail.
    write!(text, "\nReparse Data Length: {:#x}\nReparse Data:\n{}", data.len(), hex::dump(data)).unwrap_or_default();
    text
}

/// The four numbers of a mount point and what they lead to, as they are stored; the misspelling is Windows' own.
fn names(raw: &[u8]) -> String {
    let number = |at: usize| match raw.get(at..at + 2) {
        Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
        _ => 0,
    };
    let [substitute, substitute_length, print, print_length] = [8, 10, 12, 14].map(number);
    let name = |offset: usize, length: usize| {
        let bytes = raw.get(16 + offset..16 + offset + length).unwrap_or_default();
        let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        sanitize::wide(&WideString::from_units(units))
    };
    let mut text = format!(
        "Substitue Name offset: {substitute}\n\
         Substitue Name length: {substitute_length}\n\
         Print Name offset:     {print}\n\
         Print Name Length:     {print_length}\n\
         Substitute Name:       {}\n",
        name(substitute, substitute_length)
    );
    if print_length > 0 {
        text.push_str(&format!("Print Name:            {}\n", name(print, print_length)));
    }
    text
}

fn delete(path: &Path) -> io::Result<ExitCode> {
    match links::remove::plan_reparse_point(path).and_then(|plan| change("fsutil", &plan)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => failed(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_links_are_named_once_each_with_0_or_1() {
        assert_eq!(parse_classes(&["l2l:1"]), Some([Some(true), None, None, None]));
        assert_eq!(parse_classes(&["r2r:0", "l2r:1"]), Some([None, Some(true), None, Some(false)]));
        for wrong in [&[][..], &["l2l"], &["l2l:2"], &["x:1"], &["l2l:1", "l2l:0"], &[":1"]] {
            assert_eq!(parse_classes(wrong), None, "{wrong:?}");
        }
    }
}
