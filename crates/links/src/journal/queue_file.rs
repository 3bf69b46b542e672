//! Where a program that changes one thing and ends leaves word of it: a line in a file, instead of the database.

use std::path::{Path, PathBuf};

use super::{Intent, Outcome, QUEUE, Status, Tracked, check_owner, queue, state};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Home;
use crate::own_files::os;
use crate::platform;

/// Beyond this the queue is taken in by whoever adds to it: a user who never looks at the history shall not find
/// a file of gigabytes.
const LONGEST: u64 = 1 << 20;

/// The queue of one operation of one step.
pub struct Queue {
    directory: PathBuf,
    verb: String,
    token: String,
    outcome: Option<(Outcome, Option<Home>)>,
    tracked: Option<Tracked>,
}

impl Queue {
    /// A queue in the directory of the journal, which is made where it is missing.
    ///
    /// # Errors
    /// The directory cannot be made, or could have been written by others.
    pub fn open(directory: &Path) -> Result<Self> {
        os::make_state_directory(directory).map_err(|error| failed(directory, error))?;
        check_owner(directory)?;
        let token = format!("{:016x}", platform::random());
        Ok(Self { directory: directory.to_owned(), verb: String::new(), token, outcome: None, tracked: None })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Nothing is written yet: without a step there is nothing to tell.
    pub(crate) fn begin(&mut self, verb: &str) {
        verb.clone_into(&mut self.verb);
    }

    pub(crate) fn intend(&self, steps: &[Intent<'_>]) -> Result<()> {
        let [intent] = steps else {
            let cause = "the queue is for operations of one step";
            return Err(Error::new(ErrorKind::Journal, WRITE, &self.directory, cause));
        };
        self.append(&queue::begun(&self.token, &self.verb, intent)).map(drop)
    }

    pub(crate) fn record(&mut self, outcomes: &[(Outcome, Option<Home>)], tracked: Option<&Tracked>) {
        self.outcome = outcomes.first().cloned();
        self.tracked = tracked.cloned();
    }

    pub(crate) fn finish(&self, status: Status) -> Result<()> {
        let Some(outcome) = &self.outcome else { return Ok(()) };
        if self.append(&queue::ended(&self.token, status, outcome, self.tracked.as_ref()))? > LONGEST {
            state::open_journal(&self.directory)?;
        }
        Ok(())
    }

    fn append(&self, line: &serde_json::Result<Vec<u8>>) -> Result<u64> {
        let line = line
            .as_ref()
            .map_err(|error| Error::new(ErrorKind::Journal, WRITE, &self.directory, error.to_string()))?;
        os::append(&self.directory, QUEUE, line).map_err(|error| failed(&self.directory, error))
    }
}

const WRITE: &str = "write the queue of the journal in";

fn failed(directory: &Path, error: std::io::Error) -> Error {
    Error::io(WRITE, directory, error).of_kind(ErrorKind::Journal)
}
