//! How the steps of an operation ended, as far as the journal and the disk tell.

use crate::error::Result;
use crate::journal::{Journal, OperationId, Outcome, Recorded};
use crate::model::{ReplaceLink, Step};
use crate::platform::FileSystems;
use crate::step::{Effect, OnDisk, kind};

/// The steps of an operation, those without a recorded end settled by what the disk tells: done, or not
/// reached. One that stays [`Outcome::Pending`] is half done, or cannot be looked at now.
///
/// # Errors
/// The journal cannot be read.
pub fn settled(journal: &Journal, id: OperationId) -> Result<Vec<Recorded>> {
    let mut steps = journal.steps(id)?;
    let pending = |recorded: &Recorded| recorded.outcome == Outcome::Pending;
    if !steps.iter().any(pending) {
        return Ok(steps);
    }
    // What a later operation made or removed there is its doing.
    let later = journal.paths_done_after(id)?;
    // Links are made in order: of those only the last one begun can be half made. What lies under a private name, which
    // is a step's alone, is that step's in any order: links are replaced several at a time.
    let mut last = true;
    let file_systems = FileSystems::default();
    for recorded in steps.iter_mut().rev().filter(|recorded| pending(recorded)) {
        let own = effect(recorded, &file_systems);
        let effect = match own {
            own if !later.contains::<std::path::Path>(recorded.step.path()) => own,
            // What is left under a private name is still this step's, once all that came later is undone.
            Effect::Left if says_as_before(&recorded.step) => Effect::Left,
            _ => Effect::NotMade,
        };
        recorded.outcome = match effect {
            Effect::Made(made) => Outcome::Done(made),
            Effect::Left => Outcome::Pending,
            Effect::Stub if last => Outcome::Pending,
            Effect::NotMade | Effect::Stub => Outcome::NotReached,
            Effect::Unknown => continue,
        };
        last &= recorded.outcome == Outcome::NotReached;
    }
    Ok(steps)
}

/// Whether the link that a step was to replace says what it said before.
fn says_as_before(step: &Step) -> bool {
    let Step::ReplaceLink(ReplaceLink { link, old, .. }) = step else { return false };
    OnDisk::look_at(link).is_ok_and(|spot| spot.holds(&old.target, Some(old.id)))
}

fn effect(recorded: &Recorded, file_systems: &FileSystems) -> Effect {
    match OnDisk::look(recorded, file_systems) {
        Ok(found) => kind(&recorded.step).effect(&found, recorded),
        Err(_) => Effect::Unknown,
    }
}
