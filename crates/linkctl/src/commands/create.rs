//! `linkctl create`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use links::{Error, ErrorKind, Form, KindChoice, LinkSpec, OnExisting, PlanContext, Shape};

use crate::args::{ChangeOptions, DriveOption, after_help};
use crate::exit::Exit;
use crate::failure::{self, Failure, Verb};
use crate::kinds;
use crate::output::sanitize::quoted;
use crate::session::Change;

/// Make a link
#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl create [OPTIONS] LINK TARGET\n       linkctl create [OPTIONS] --into DIR TARGET...",
    after_help = after_help!(
        [
            "A relative TARGET of a symbolic link is stored as typed and is relative to LINK. Of a hard link, a \
            junction, and with --relative or --absolute, it is read from the current directory.\n"
            (
                "On NTFS volumes mounted by ntfs-3g, links are made as Windows makes them, and a Windows TARGET \
                (C:\\Games) is taken as typed."
                | "Symbolic links need Developer Mode or an administrator; where this user may make none, a directory \
                by its full path gets a junction, unless --kind is given."
            )
        ]
        Examples:
        ["create " ("~/.vimrc dotfiles/vimrc" | "C:\\Games D:\\Games")]
        ["create --kind " ("hard copy.iso original.iso" | "junction C:\\Games D:\\Games")]
        ["create " ("--into ~/bin --relative tools/*.sh" | "--kind hard copy.iso original.iso")]
    )
)]
pub(crate) struct CreateArgs {
    /// The new link, then what it leads to
    #[arg(required = true, value_names = ["LINK", "TARGET"])]
    pub(crate) paths: Vec<OsString>,
    /// Make a link to each TARGET in this directory, by the target's own name
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Which kind to make; nothing else is ever made instead
    #[arg(long, value_enum, default_value_t = Kind::Auto)]
    pub(crate) kind: Kind,
    /// A Windows link that says its target is a directory, whatever is there now
    #[arg(long, conflicts_with = "file")]
    pub(crate) dir: bool,
    /// A Windows link that says its target is a file
    #[arg(long)]
    pub(crate) file: bool,
    /// Read TARGET from the current directory, store it relative to the link
    #[arg(long, conflicts_with = "absolute")]
    pub(crate) relative: bool,
    /// Read TARGET from the current directory, store it in full
    #[arg(long)]
    pub(crate) absolute: bool,
    /// Put the new link in the place of an existing link, in one step; never of a file or directory
    #[arg(long)]
    pub(crate) replace: bool,
    /// Make missing parent directories of LINK
    #[arg(long, short)]
    pub(crate) parents: bool,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What `--kind` of `create` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A symbolic link of the target's kind
    Auto,
    /// A symbolic link
    Symlink,
    /// One more name for a file
    Hard,
    /// A directory link by absolute path, on NTFS
    Junction,
}

pub(crate) const VERB: Verb = Verb { name: "create", hints: &[], hint };

/// With `--replace`, a name is taken only by what came there meanwhile.
const REPLACING: Verb = Verb {
    hints: &[(
        ErrorKind::AlreadyExists,
        "`linkctl show` tells what has the name by now; repeat the command where it may go",
    )],
    ..VERB
};

pub(crate) fn run(args: &CreateArgs) -> Result<Exit, Failure> {
    let specs: Vec<_> = pairs(args)?.iter().map(|(link, target)| spec(args, link, target)).collect();
    let verb = if args.replace { &REPLACING } else { &VERB };
    Change::new(verb, &args.change).run(links::create::plan_all(&specs, &PlanContext::default()))
}

fn hint(error: &Error) -> Option<String> {
    let kind = match error.operation() {
        "create hard link" => &kinds::HARD,
        "create junction" => &kinds::JUNCTION,
        _ => &kinds::SYMLINK,
    };
    // What this kind of link cannot do, with what it can.
    let text = match (error.kind(), kind.name()) {
        (ErrorKind::IsDirectory, _) => "use a symbolic link (--kind symlink), or on NTFS a junction (--kind junction)",
        (ErrorKind::CrossesVolumes, "hard") => "use a symbolic link (--kind symlink): it may lead to another volume",
        (ErrorKind::CrossesVolumes, "junction") => "use a symbolic link to a Windows path (--kind symlink --dir)",
        (ErrorKind::CrossesVolumes, _) => {
            "name the target as Windows does (D:\\...), or give the volume's letter with --drive"
        }
        (ErrorKind::NotSupported, "junction") => "use a symbolic link (--kind symlink)",
        (ErrorKind::NotSupported, _) => "name the target by its path on this system",
        (ErrorKind::NotFound, "hard") => "name a file that exists, or use a symbolic link (--kind symlink)",
        (ErrorKind::TargetIsLink, _) => "`linkctl show TARGET` tells where it leads",
        (ErrorKind::PermissionDenied, "hard") => "copy the file, or use a symbolic link (--kind symlink)",
        (ErrorKind::InvalidTarget, _) => "give it another target, or make another kind of link",
        _ => "",
    };
    if !text.is_empty() {
        return Some(format!("{text}\n{}", kind.quote()));
    }
    let planned = error.operation() == "create link";
    let text = match error.kind() {
        ErrorKind::AlreadyExists => {
            let is_link = error.path().is_symlink();
            let no_target = error.second_path().is_some_and(|target| target.symlink_metadata().is_err());
            if !is_link && no_target {
                "the link comes first, as in `linkctl create LINK TARGET`: are the two swapped?"
            } else {
                "choose another name, or use --replace where a link is to be replaced"
            }
        }
        ErrorKind::NotALink => "choose another name, or move away what has it",
        ErrorKind::ParentMissing if planned => "make its directory first, or let --parents do it",
        ErrorKind::NotADirectory => "a part of the link's path is a file",
        ErrorKind::TooLong if planned => "use a shorter name for the link",
        ErrorKind::ParentMissing => return None,
        _ => return failure::hint(error),
    };
    Some(text.to_owned())
}

/// Each link with its target.
fn pairs(args: &CreateArgs) -> Result<Vec<(PathBuf, &OsStr)>, Failure> {
    if let Some(into) = args.into.as_ref().filter(|into| !args.parents && !into.is_dir()) {
        let (cause, hint) = if into.symlink_metadata().is_ok() {
            ("it is no directory", "name a directory")
        } else {
            ("there is no such directory", "make it first, or let --parents do it")
        };
        return Err(Failure::failed(format!("cannot create links in {}: {cause}", quoted(into)), hint));
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
        return text.trim_end_matches('\\').rsplit('\\').next().filter(|name| !name.is_empty()).map(OsStr::new);
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
