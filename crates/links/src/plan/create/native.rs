//! The text of a POSIX symbolic link.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::Task;
use crate::error::{ErrorKind, Result};
use crate::model::{Form, State, Target};
use crate::plan::Plan;
use crate::platform::{self, Directory};
use crate::read::chain;
use crate::read::places::relative_path;

pub(super) fn symlink(task: &Task<'_>, plan: &mut Plan) -> Result<Target> {
    let Task { spec, ground, .. } = task;
    let typed = Path::new(&spec.target);
    task.must_have_target()?;
    if looks_like_windows(typed) && ground.directory.metadata_follow(typed.as_os_str()).is_err() {
        let cause = format!("this is a Windows path, and {} is no NTFS volume", ground.filesystem.kind);
        return Err(task.refuse(ErrorKind::NotSupported, cause));
    }
    let text = match spec.form {
        Form::AsTyped => spec.target.clone(),
        Form::Relative | Form::Absolute => rewritten(task)?,
    };
    task.fits(&text)?;
    let reached = ground.parent.join(&text);
    if ground.leads_back(&reached, spec.manner) {
        return Err(task.refuse(ErrorKind::SameFile, "the link would lead to itself"));
    }
    if spec.shape.is_some() {
        plan.note("shape-ignored", &ground.link, "links here do not say what they lead to");
    }
    // What is still to be made holds no links yet, so `..` may be taken by its text there.
    let reached = match &ground.place {
        Some(_) => ground.directory.metadata_follow(&text),
        None => ground.directory.metadata_follow(without_dots(&reached).as_os_str()),
    };
    if let Err(error) = reached {
        let misread = typed.is_relative() && spec.form == Form::AsTyped && typed.symlink_metadata().is_ok();
        let (code, note) = match chain::state_of(&error) {
            State::Missing if misread => {
                let note = "the target is missing: a relative target is read from the link's directory";
                ("target-misread", note)
            }
            State::Missing => ("target-unreachable", "the target does not exist"),
            State::Loop => {
                ("target-unreachable", "the target leads in a loop, or through more links than the system follows")
            }
            _ => ("target-unreachable", "the target cannot be reached"),
        };
        plan.note(code, &ground.link, note);
    }
    Ok(Target::Text(text))
}

/// The target read from the current directory, in the form asked for, and shown to be the same file.
fn rewritten(task: &Task<'_>) -> Result<OsString> {
    let Task { spec, ground, .. } = task;
    let typed = Path::new(&spec.target);
    let full = task.full(typed)?;
    let text = match spec.form {
        Form::Relative => relative_path(&ground.parent, &full),
        Form::AsTyped | Form::Absolute => full,
    };
    // Where the link's parent is still to be made, nothing can be asked from there yet: its path is
    // physical, so the text is right.
    let here = Directory::open(Path::new(".")).map_err(|error| task.io(error))?;
    if ground.place.is_some()
        && let Ok(meant) = here.metadata_follow(typed.as_os_str())
    {
        let reached = ground.directory.metadata_follow(text.as_os_str());
        if !reached.is_ok_and(|reached| reached.id == meant.id) {
            let cause = format!("the target rewritten as {} does not reach the same file", platform::quoted(&text));
            return Err(task.refuse(ErrorKind::NotVerified, cause));
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
