//! `linkctl create`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use links::{Form, KindChoice, LinkSpec, OnExisting, Shape};

use crate::args::{CreateArgs, Kind};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::sanitize::quoted;
use crate::session::Change;

pub(crate) fn run(args: &CreateArgs) -> Result<Exit, Failure> {
    let pairs = pairs(args)?;
    let change = Change::new("create", &args.change);
    change.create(pairs.iter().map(|(link, target)| spec(args, link, target)))
}

/// Each link with its target.
fn pairs(args: &CreateArgs) -> Result<Vec<(PathBuf, &OsStr)>, Failure> {
    if let Some(into) = args.into.as_ref().filter(|into| !args.parents && !into.is_dir()) {
        let (cause, hint) = if into.symlink_metadata().is_ok() {
            ("it is no directory", "name a directory")
        } else {
            ("there is no such directory", "make it first, or let --parents do it")
        };
        let message = format!("cannot create links in {}: {cause}", quoted(into));
        let hint = Some(hint.to_owned());
        return Err(Failure::Own { exit: Exit::Failed, message, hint });
    }
    let Some(into) = &args.into else {
        return match args.paths.as_slice() {
            [link, target] => Ok(vec![(link.into(), target)]),
            [_] => Err(Failure::usage("TARGET is missing", "linkctl create LINK TARGET")),
            _ => Err(Failure::usage(
                "one LINK and one TARGET are expected",
                "for several targets: linkctl create --into DIR TARGET...",
            )),
        };
    };
    let pairs = args.paths.iter().map(|target| {
        let name = name_of(target).ok_or_else(|| {
            Failure::usage(
                format!("the target {} has no name of its own to give to a link", quoted(target)),
                "name the link: linkctl create LINK TARGET",
            )
        })?;
        Ok((into.join(name), target.as_os_str()))
    });
    let pairs: Vec<_> = pairs.collect::<Result<_, Failure>>()?;
    let mut names = std::collections::HashSet::new();
    match pairs.iter().find(|(link, _)| !names.insert(link.clone())) {
        None => Ok(pairs),
        Some((link, _)) => Err(Failure::usage(
            format!("two targets would give the same link {}", quoted(link)),
            "make one of them by name: linkctl create LINK TARGET",
        )),
    }
}

/// The last component of a target; of a Windows path behind the last backslash.
fn name_of(target: &OsStr) -> Option<&OsStr> {
    if let Some(text) = target.to_str().filter(|text| text.contains('\\') && !text.contains('/')) {
        return text
            .trim_end_matches('\\')
            .rsplit('\\')
            .next()
            .filter(|name| !name.is_empty())
            .map(OsStr::new);
    }
    Path::new(target).file_name()
}

fn spec(args: &CreateArgs, link: &Path, target: &OsStr) -> LinkSpec {
    let mut spec = LinkSpec::new(link, target);
    spec.kind = match args.kind {
        Kind::Auto => KindChoice::Auto,
        Kind::Symlink => KindChoice::Symlink,
        Kind::Hard => KindChoice::Hard,
        Kind::Junction => KindChoice::Junction,
    };
    spec.shape = match (args.dir, args.file) {
        (true, _) => Some(Shape::Directory),
        (_, true) => Some(Shape::File),
        _ => None,
    };
    spec.form = match (args.relative, args.absolute) {
        (true, _) => Form::Relative,
        (_, true) => Form::Absolute,
        _ => Form::AsTyped,
    };
    spec.on_existing = if args.replace { OnExisting::ReplaceLink } else { OnExisting::Refuse };
    spec.parents = args.parents;
    spec.drive = args.drive.letter();
    spec
}
