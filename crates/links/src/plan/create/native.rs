//! The text of a POSIX symbolic link.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::{Ground, full_path};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Form, LinkSpec, State, Target};
use crate::plan::Plan;
use crate::platform::{self, Directory};
use crate::read::chain;
use crate::read::places::relative_path;

const SYMLINK: &str = "create symbolic link";

pub(super) fn symlink(spec: &LinkSpec, ground: &Ground, plan: &mut Plan) -> Result<Target> {
    let refuse = |kind, cause: String| Err(Error::new(kind, SYMLINK, &ground.link, cause).with(&spec.target));
    let typed = Path::new(&spec.target);
    if typed.as_os_str().is_empty() {
        return refuse(ErrorKind::InvalidTarget, "the target is empty".into());
    }
    if looks_like_windows(typed) && ground.directory.metadata_follow(typed.as_os_str()).is_err() {
        let cause = format!("this is a Windows path, and {} is no NTFS volume", ground.filesystem.kind);
        return refuse(ErrorKind::NotSupported, cause);
    }
    let text = match spec.form {
        Form::AsTyped => spec.target.clone(),
        Form::Relative | Form::Absolute => rewritten(spec, ground)?,
    };
    let longest = ground.filesystem.longest_target;
    if text.len() > longest {
        let cause = format!("the target has {} bytes; {} takes {longest}", text.len(), ground.filesystem.kind);
        return refuse(ErrorKind::TooLong, cause);
    }
    let reached = ground.parent.join(&text);
    if ground.leads_back(&reached, spec.manner) {
        let cause = "the link would lead to itself".to_owned();
        return refuse(ErrorKind::SameFile, cause);
    }
    if spec.shape.is_some() {
        plan.note(
            "shape-ignored",
            &ground.link,
            "links here do not say what they lead to: --dir and --file are for Windows links",
        );
    }
    // What is still to be made holds no links yet, so `..` may be taken by its text there.
    let reached = match &ground.place {
        Some(_) => ground.directory.metadata_follow(&text),
        None => ground.directory.metadata_follow(without_dots(&reached).as_os_str()),
    };
    if let Err(error) = reached {
        let misread = typed.is_relative() && spec.form == Form::AsTyped && typed.symlink_metadata().is_ok();
        let note = match chain::state_of(&error) {
            State::Missing if misread => {
                "the target is missing: a relative target is read from the link's directory; \
                 with --relative it is read from the current one"
            }
            State::Missing => "the target does not exist",
            State::Loop => "the target leads in a loop, or through more links than the system follows",
            _ => "the target cannot be reached",
        };
        plan.note("target-unreachable", &ground.link, note);
    }
    Ok(Target::Text(text))
}

/// The target read from the current directory, in the form asked for, and shown to be the same file.
fn rewritten(spec: &LinkSpec, ground: &Ground) -> Result<OsString> {
    let fail = |error| Error::io(SYMLINK, &ground.link, error).with(&spec.target);
    let typed = Path::new(&spec.target);
    let full = full_path(typed).map_err(fail)?;
    let text = match spec.form {
        Form::Relative => relative_path(&ground.parent, &full),
        Form::AsTyped | Form::Absolute => full,
    };
    // Where the link's parent is still to be made, nothing can be asked from there yet: its path is
    // physical, so the text is right.
    let here = Directory::open(Path::new(".")).map_err(fail)?;
    if ground.place.is_some()
        && let Ok(meant) = here.metadata_follow(typed.as_os_str())
    {
        let reached = ground.directory.metadata_follow(text.as_os_str());
        if !reached.is_ok_and(|reached| reached.id == meant.id) {
            let cause = format!("the target rewritten as {} does not reach the same file", platform::quoted(&text));
            return Err(Error::new(ErrorKind::NotVerified, SYMLINK, &ground.link, cause).with(&spec.target));
        }
    }
    Ok(text.into_os_string())
}

/// A path with `..` taken by its text.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(clean.pop()),
            other => clean.push(other),
        }
    }
    clean
}

/// A backslash may stand in any name here; these forms are nobody's names.
fn looks_like_windows(path: &Path) -> bool {
    match path.as_os_str().as_encoded_bytes() {
        [b'\\', ..] | [b'.', b'\\', ..] | [b'.', b'.', b'\\', ..] => true,
        [letter, b':', b'\\' | b'/', ..] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}
