//! `linkctl restore`.

use std::path::PathBuf;

use clap::Args;
use links::ErrorKind;
use links::relocate::{self, RestoreSpec};

use super::relocation::{go, how, planned, take_along};
use crate::args::{ChangeOptions, IntoOptions, TreeOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::output::sanitize::quoted;
use crate::session::Change;

/// Bring back what was moved, to where its link is
#[derive(Debug, Args)]
#[command(after_help = after_help!(Example: ["restore ~/games"]))]
pub(crate) struct RestoreArgs {
    /// The link that was left
    pub(crate) link: PathBuf,
    #[command(flatten)]
    pub(crate) tree: TreeOptions,
    #[command(flatten)]
    pub(crate) into: IntoOptions,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

pub(crate) const VERB: Verb = Verb::new(
    "restore",
    &[
        (ErrorKind::SameFile, "name a place outside of it"),
        (ErrorKind::NotFound, "`linkctl show` tells where it leads"),
        (ErrorKind::TargetIsLink, "bring back that one first"),
    ],
);

pub(crate) fn run(args: &RestoreArgs) -> Result<Exit, Failure> {
    let mut spec = RestoreSpec::new(&args.link);
    spec.how = how(&args.tree, &args.into);
    let mut planned = planned(&args.change, |context| relocate::plan_restore(&spec, context))?;
    take_along(&super::r#move::VERB, &mut planned, &args.into, &args.change)?;
    let mut change = Change::new(&VERB, &args.change);
    change.question = Some(format!("Bring back what {} leads to?", quoted(&args.link)));
    go(change, &args.tree, planned)
}
