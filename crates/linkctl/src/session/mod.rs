//! What a changing verb needs beside its plan.
//!
//! ```text
//! change.rs     the plan applied or shown, and the report of it
//! prompt.rs     questions
//! progress.rs   bars and counters
//! journal.rs    opening the journal; warnings about interrupted moves
//! interrupt.rs  Ctrl-C
//! ```

mod change;
mod interrupt;
mod journal;
mod progress;
mod prompt;

pub(crate) use change::Change;
pub(crate) use journal::{
    Recorded, existing_journal, must_be_recovered, open_journal, state_directory, tell_unrecovered, volumes_away,
};
pub(crate) use progress::ticking;
pub(crate) use prompt::confirm;
