//! `linkctl undo`.

use links::Journal;
use links::journal::{OperationId, Status};

use super::r#move::go;
use crate::args::{TreeOptions, UndoArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::sanitize::quoted;
use crate::session::{Change, existing_journal, must_be_recovered};

pub(crate) fn run(args: &UndoArgs) -> Result<Exit, Failure> {
    let mut change = Change::new("undo", &args.change);
    let directory = Journal::default_directory()?;
    let Some(journal) = existing_journal(&directory)? else {
        let message = format!("there is nothing to undo: no journal in {}", quoted(&directory));
        return Err(Failure::refused(message, "`linkctl history` shows what can be undone"));
    };
    let undo = links::undo::plan(&journal, args.id.map(OperationId))?;
    // What such a move did is not told by its steps: it goes on, or back, from the disk.
    if undo.operation.status == Status::Interrupted
        && let Some(left) = links::apply::unrecovered_lately(&journal)?.first()
    {
        return Err(must_be_recovered(left));
    }
    drop(journal);
    change.undoes = Some(undo.operation.id);
    if !undo.changed.is_empty() {
        if !args.partial {
            return change.refuse(undo.changed);
        }
        change.errors = undo.changed;
    }
    // What takes a whole tree is looked at as a move is.
    match links::relocate::check(&undo.plan)? {
        Some(planned) => go(change, &TreeOptions::default(), &planned),
        None => change.run(&undo.plan),
    }
}
