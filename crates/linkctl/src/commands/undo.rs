//! `linkctl undo`.

use clap::Args;
use links::ErrorKind;
use links::apply::{Search, interrupted};
use links::journal::{OperationId, Status};
use links::undo::UndoSpec;

use crate::args::{ChangeOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::output::sanitize::quoted;
use crate::session::{Change, Recorded, must_be_recovered, state_directory, ticking};

/// Take back an operation
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "What was changed since is never touched: the undo is refused (exit 4), unless --partial leaves those out. \
        Undoing an undo does the operation again."
    ]
    Example: ["undo"] ["undo 12 --dry-run"]
))]
pub(crate) struct UndoArgs {
    /// The operation, as `history` numbers it [default: the newest one not undone yet]
    pub(crate) id: Option<i64>,
    /// Undo what is still as it was made, leave what was changed since
    #[arg(long)]
    pub(crate) partial: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

pub(crate) const VERB: Verb = Verb::new(
    "undo",
    &[
        (ErrorKind::Changed, "what was changed since is left as it is; --partial undoes the rest, if there is any"),
        (ErrorKind::Nothing, "`linkctl history` shows what can be undone"),
    ],
);

pub(crate) fn run(args: &UndoArgs) -> Result<Exit, Failure> {
    let mut change = Change::new(&VERB, &args.change);
    let directory = state_directory()?;
    let recorded = Recorded::open(args.change.dry_run)?;
    let Some(journal) = &recorded.journal else {
        let message = format!("there is nothing to undo: no journal in {}", quoted(&directory));
        return Err(Failure::refused(message, "`linkctl history` shows what can be undone"));
    };
    // Of a removed hard link, another name is looked for on its file system.
    let message = || "looking for what is to be undone".to_owned();
    let spec = UndoSpec::new(args.id.map(OperationId));
    let mut undo = ticking(message, |_| links::undo::plan(&spec, &recorded.context()))?;
    // What such a move did is not told by its steps: it goes on, or back, from the disk.
    if undo.operation.status == Status::Interrupted
        && let Some(left) = interrupted(Some(journal), Search::Recent)?.first()
    {
        return Err(must_be_recovered(left.path()));
    }
    drop(recorded);
    change.undoes = Some(undo.operation.id);
    if args.partial {
        change.errors = std::mem::take(&mut undo.plan.refused);
    }
    change.run(undo.plan)
}
