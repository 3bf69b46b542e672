//! `linkctl undo`.

use links::Journal;
use links::journal::OperationId;

use crate::args::UndoArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::sanitize::quoted;
use crate::session::{Change, existing_journal};

pub(crate) fn run(args: &UndoArgs) -> Result<Exit, Failure> {
    let mut change = Change::new("undo", &args.change);
    let directory = Journal::default_directory()?;
    let Some(journal) = existing_journal(&directory)? else {
        let message = format!("there is nothing to undo: no journal in {}", quoted(&directory));
        return Err(Failure::refused(message, "`linkctl history` shows what can be undone"));
    };
    let undo = links::undo::plan(&journal, args.id.map(OperationId))?;
    drop(journal);
    change.undoes = Some(undo.operation.id);
    if !undo.changed.is_empty() {
        if !args.partial {
            return change.refuse(undo.changed);
        }
        change.errors = undo.changed;
    }
    change.run(&undo.plan)
}
