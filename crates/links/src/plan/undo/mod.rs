//! Plans an operation backwards. What the journal has is only where to look: the disk decides.

mod settled;

pub use settled::settled;

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, OperationId, Outcome, Recorded, RecordedOperation, Relocated, Status};
use crate::plan::{Plan, PlanContext, relocate};
use crate::platform::quoted;
use crate::step::{UndoPlan, kind};

/// What to undo.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct UndoSpec {
    /// The operation. Default: the newest one that is not undone yet.
    pub operation: Option<OperationId>,
}

impl UndoSpec {
    /// An undo of this operation; `None` means the newest one that is not undone yet.
    #[must_use]
    pub fn new(operation: Option<OperationId>) -> Self {
        Self { operation }
    }
}

/// An undo, planned.
#[derive(Debug)]
#[non_exhaustive]
pub struct Undo {
    /// The operation to be undone.
    pub operation: RecordedOperation,
    /// What will be done. What cannot be undone, because it was changed since, is in [`Plan::refused`].
    pub plan: Plan,
}

/// Plans to undo an operation, by the journal of the context.
///
/// # Errors
/// There is no journal or no such operation, it was undone already, or it still runs.
pub fn plan(spec: &UndoSpec, context: &PlanContext<'_>) -> Result<Undo> {
    let Some(journal) = context.journal else {
        let cause = "there is nothing to undo: there is no journal";
        return Err(Error::new(ErrorKind::Nothing, "undo", "", cause));
    };
    let operation = match spec.operation {
        Some(id) => journal.operation(id)?,
        None => journal.last_undoable()?,
    };
    let refuse = |cause: String| Err(Error::new(ErrorKind::Nothing, "undo", journal.directory(), cause));
    if let Some(by) = operation.undone_by {
        return refuse(format!("operation {} was undone already, by {by}", operation.id));
    }
    if operation.status == Status::Running {
        return refuse(format!("operation {} is still running", operation.id));
    }
    // An earlier undo of it may have been killed: what that left goes first.
    let interrupted = journal.interrupted_undos(operation.id)?;
    let mut earlier = Vec::new();
    for undo in &interrupted {
        earlier.extend(settled(journal, undo.id)?);
    }
    let mut undo = UndoPlan::new(&earlier, !interrupted.is_empty());
    let mut refused = Vec::new();
    for recorded in &earlier {
        let found = undo.look(recorded);
        let clear = |found| kind(&recorded.step).clear(&found, recorded, &mut undo);
        refused.extend(found.and_then(|found| found.map_or(Ok(()), clear)).err());
    }
    for recorded in settled(journal, operation.id)?.into_iter().rev() {
        let recorded = match as_it_is_now(journal, &operation, recorded)? {
            Ok(recorded) => recorded,
            Err(error) => {
                refused.push(error);
                continue;
            }
        };
        let found = undo.look(&recorded);
        let take_back = |found| kind(&recorded.step).undo(&found, &recorded, &mut undo);
        refused.extend(found.and_then(|found| found.map_or(Ok(()), take_back)).err());
    }
    let (steps, findings) = undo.into_parts();
    let mut plan = Plan { steps, findings, refused, ..Plan::default() };
    // What moves a whole tree is looked at as a move is.
    relocate::look_at_trees(&mut plan, context)?;
    Ok(Undo { operation, plan })
}

/// A step with what is known by now of the tree that it moved: a later operation may have taken it on, or away and back
/// again.
fn as_it_is_now(journal: &Journal, operation: &RecordedOperation, recorded: Recorded) -> Result<Result<Recorded>> {
    let (Some(tree), Outcome::Done(_)) = (recorded.step.tree(), &recorded.outcome) else { return Ok(Ok(recorded)) };
    let moved = Relocated { operation: operation.id, status: operation.status, recorded: recorded.clone() };
    let now = journal.last_move_of(&moved)?;
    if now.at != **tree.to {
        let cause = format!("operation {0} has moved it on to {1}: undo {0} first", now.by, quoted(&now.at));
        return Ok(Err(Error::new(ErrorKind::Changed, "undo", tree.to.to_path_buf(), cause)));
    }
    if let Err(error) = now.must_be_known("undo") {
        return Ok(Err(error));
    }
    let Recorded { outcome, tree, .. } = now.last.recorded;
    Ok(Ok(Recorded { outcome, tree, ..recorded }))
}
