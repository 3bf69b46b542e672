//! Moves that were interrupted, as values: found in the journal and on the disk, finished or rolled back one by one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::step::may_be_private;
use super::step::move_tree::{self, Consent, Leftover, Moved, Recovered, is_volume_away, leftovers, may_be_stage};
use crate::error::{Error, Result};
use crate::journal::{Journal, OperationId, Outcome, Relocated, Status, Then};
use crate::model::{Finding, Severity, Step};
use crate::plan::undo;
use crate::platform::{Directory, quoted};
use crate::read::identity::Identity;
use crate::read::inspect;

/// Where interrupted moves are looked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Search<'a> {
    /// Everything that the journal knows, and directories in which a move was to end.
    All(&'a [PathBuf]),
    /// The newest moves of the journal: for a program that was not asked for it.
    Recent,
}

/// As many of the newest operations as a program looks at that was not asked for it.
const RECENT: usize = 20;

/// A move that was interrupted, or that kept its old tree.
#[derive(Clone, Debug)]
pub struct Interrupted {
    leftover: Leftover,
    /// Its record; `None` where only the disk tells of it.
    known: Option<Relocated>,
}

impl Interrupted {
    /// What it left on the disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.leftover.path
    }

    /// The operation, if the journal knows it.
    #[must_use]
    pub fn operation(&self) -> Option<OperationId> {
        self.known.as_ref().map(|known| known.operation)
    }

    /// From where the tree was moved, and to where, if the journal knows it.
    #[must_use]
    pub fn describe(&self) -> Option<(&Path, &Path)> {
        let tree = self.known.as_ref()?.recorded.step.tree()?;
        Some((tree.from, tree.to))
    }

    /// Finishes the move, or rolls it back. The journal, where there is one, gets the outcome.
    ///
    /// # Errors
    /// What it left is gone, the move is still running, or what is on the disk contradicts it: then nothing is touched.
    /// Where the old tree was changed since it was copied, it is kept ([`crate::ErrorKind::LeftBehind`]). That the journal
    /// cannot be written is an error, too. What may be the only copy is given up with consent alone
    /// ([`crate::ErrorKind::Undecided`]).
    pub fn finish(&self, journal: Option<&mut Journal>, consent: Consent) -> Result<Recovered> {
        let moved = self.known.as_ref().map(moved);
        let recovered = move_tree::recover(&self.leftover, moved, consent)?;
        if let (Some(journal), Some(known)) = (journal, &self.known)
            && known.recorded.outcome == Outcome::Pending
        {
            let outcome = match &recovered {
                Recovered::Finished { tree, .. } => {
                    if let Ok(identity) = Identity::of_tree(tree) {
                        journal.know_tree(known.operation, known.recorded.number, &identity, Then::Stay)?;
                    }
                    Outcome::Done(inspect::id_of(tree))
                }
                _ => Outcome::Failed("interrupted, and rolled back by recover".to_owned()),
            };
            journal.settle(known.operation, known.recorded.number, outcome)?;
        }
        Ok(recovered)
    }
}

fn moved(relocated: &Relocated) -> Moved<'_> {
    Moved { recorded: &relocated.recorded, status: relocated.status }
}

/// The moves that were interrupted and have left something, in the order of its paths.
///
/// # Errors
/// The journal or a directory cannot be read.
pub fn interrupted(journal: Option<&Journal>, search: Search<'_>) -> Result<Vec<Interrupted>> {
    let (most, directories) = match search {
        Search::All(directories) => (None, directories),
        Search::Recent => (Some(RECENT), &[] as &[PathBuf]),
    };
    let mut found = Vec::new();
    if let Some(journal) = journal {
        for known in journal.relocations(most)? {
            let known = known?;
            let leftovers = leftovers(moved(&known)).into_iter();
            found.extend(leftovers.map(|leftover| Interrupted { leftover, known: Some(known.clone()) }));
        }
    }
    for directory in directories {
        found.extend(
            stages_in(directory)?.into_iter().map(|path| Interrupted { leftover: Leftover::stage(path), known: None }),
        );
    }
    // The newest record of a place counts, and any before what only the disk tells.
    let mut met = BTreeSet::new();
    found.retain(|interrupted| met.insert(interrupted.leftover.path.clone()));
    found.sort_by(|a, b| a.leftover.path.cmp(&b.leftover.path));
    Ok(found)
}

/// What interrupted moves left in a directory.
fn stages_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let fail = |error| Error::io("look for interrupted moves in", directory, error);
    let opened = Directory::open(directory).map_err(fail)?;
    let mut found = Vec::new();
    for entry in opened.entries().map_err(fail)? {
        let name = entry.map_err(fail)?.name;
        let full = directory.join(&name);
        // One that may not be believed gives its reason when it is tried.
        if may_be_private(&name) && may_be_stage(&full) {
            found.push(full);
        }
    }
    Ok(found)
}

/// Records how those moves ended that were interrupted and have left nothing, as the disk tells.
///
/// # Errors
/// The journal cannot be read or written.
pub fn record_ended_moves(journal: &mut Journal) -> Result<()> {
    let mut ended = without_traces(journal)?;
    ended.retain(|relocated| !is_volume_away(&relocated.recorded));
    for relocated in ended {
        for recorded in undo::settled(journal, relocated.operation)? {
            let outcome = match recorded.outcome {
                Outcome::NotReached => Outcome::Failed("interrupted before it was done".to_owned()),
                outcome => outcome,
            };
            if recorded.number == relocated.recorded.number && outcome != Outcome::Pending {
                journal.settle(relocated.operation, recorded.number, outcome)?;
            }
        }
    }
    Ok(())
}

/// Interrupted moves that have left nothing to be seen, and of which nothing tells how they stand: their volume is away.
///
/// # Errors
/// The journal cannot be read.
pub fn waiting_for_volumes(journal: &Journal) -> Result<Vec<Finding>> {
    let tell = |Relocated { operation, recorded, .. }: &Relocated| {
        let (tree, volume) = recorded.step.tree().zip(recorded.step.volume())?;
        let text = format!(
            "operation {operation}, its move to {}, was interrupted, and volume {volume} is not mounted: mount it, and \
             recover again",
            quoted(tree.to)
        );
        Some(Finding::new(Severity::Warning, "volume-away", tree.from.to_path_buf(), text))
    };
    let waiting = without_traces(journal)?.into_iter().filter(|relocated| is_volume_away(&relocated.recorded));
    Ok(waiting.filter_map(|relocated| tell(&relocated)).collect())
}

/// Interrupted moves of which the journal has no end and the disk shows nothing.
fn without_traces(journal: &Journal) -> Result<Vec<Relocated>> {
    let has_none = |relocated: &Relocated| {
        relocated.status == Status::Interrupted
            && relocated.recorded.outcome == Outcome::Pending
            && leftovers(moved(relocated)).is_empty()
    };
    let all = journal.relocations(None)?;
    all.filter(|relocated| relocated.as_ref().map_or(true, has_none)).collect()
}

/// What an earlier move of any of these trees, or of what holds them or is in them, has left: the next one would make it
/// impossible to finish.
pub(super) fn in_the_way(journal: &Journal, steps: &[Step]) -> Result<Option<Finding>> {
    // Whatever the journal holds, what moves no tree is not stopped by it.
    let ours: Vec<&Path> = steps.iter().filter_map(Step::tree).flat_map(|tree| [&**tree.from, &**tree.to]).collect();
    if ours.is_empty() {
        return Ok(None);
    }
    for relocated in journal.readable_relocations()? {
        let relocated = relocated?;
        let Some(theirs) = relocated.recorded.step.tree() else { continue };
        let overlap = |ours: &&&Path| {
            [theirs.from, theirs.to].iter().any(|path| path.starts_with(ours) || ours.starts_with(path))
        };
        if ours.iter().find(overlap).is_some()
            && let Some(left) = leftovers(moved(&relocated)).into_iter().next()
        {
            let text = format!("an interrupted move left {}: it has to be finished first", quoted(&left.path));
            return Ok(Some(Finding::new(Severity::Refusal, "interrupted-move", left.path, text)));
        }
    }
    Ok(None)
}
