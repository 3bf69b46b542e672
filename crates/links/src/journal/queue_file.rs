//! The file of lines in which an operation of few steps is recorded, instead of the database: that would cost more than the
//! change itself.

use std::path::{Path, PathBuf};

use super::{Intent, OperationId, Outcome, QUEUE, Status, Tracked, check_owner, queue, state};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Home;
use crate::own_files::os;
use crate::platform;
use crate::read::identity::Content;

/// Beyond this the queue is taken in by whoever adds to it: a user who never looks at the history shall not find
/// a file of gigabytes.
const LONGEST: u64 = 1 << 20;

/// The queue, for one operation of few steps.
pub struct Queue {
    directory: PathBuf,
    verb: String,
    token: String,
    outcomes: Vec<(Outcome, Option<Home>)>,
    tracked: Vec<Option<Tracked>>,
    content: Content,
}

impl Queue {
    /// A queue in the directory of the journal, which is made where it is missing.
    ///
    /// # Errors
    /// The directory cannot be made, or could have been written by others.
    pub fn open(directory: &Path) -> Result<Self> {
        os::make_state_directory(directory).map_err(|error| failed(directory, error))?;
        check_owner(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            verb: String::new(),
            token: format!("{:016x}", platform::random()),
            outcomes: Vec::new(),
            tracked: Vec::new(),
            content: Content::Small,
        })
    }

    /// For programs that have no time to read what links lead to: it is recorded without its content.
    #[must_use]
    pub fn without_content(self) -> Self {
        Self { content: Content::No, ..self }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What of small files is recorded.
    pub(crate) fn content(&self) -> Content {
        self.content
    }

    /// Takes the queue into the journal, and returns the number that the operation has there.
    ///
    /// # Errors
    /// The journal cannot be opened or read.
    pub fn number(&self) -> Result<Option<OperationId>> {
        state::open_journal(&self.directory)?.0.operation_of_token(&self.token)
    }

    /// Nothing is written yet: without a step there is nothing to record.
    pub(crate) fn begin(&mut self, verb: &str) {
        verb.clone_into(&mut self.verb);
    }

    pub(crate) fn intend(&self, steps: &[Intent<'_>]) -> Result<()> {
        self.append(&queue::begun(&self.token, &self.verb, steps)).map(drop)
    }

    pub(crate) fn record(&mut self, outcomes: Vec<(Outcome, Option<Home>)>, tracked: Vec<Option<Tracked>>) {
        (self.outcomes, self.tracked) = (outcomes, tracked);
    }

    pub(crate) fn finish(&mut self, status: Status) -> Result<()> {
        if self.outcomes.is_empty() {
            return Ok(());
        }
        let tracked = std::mem::take(&mut self.tracked);
        if self.append(&queue::ended(&self.token, status, &self.outcomes, tracked))? > LONGEST {
            state::open_journal(&self.directory)?;
        }
        Ok(())
    }

    fn append(&self, line: &serde_json::Result<Vec<u8>>) -> Result<u64> {
        let line =
            line.as_ref().map_err(|error| Error::new(ErrorKind::Journal, WRITE, &self.directory, error.to_string()))?;
        os::append(&self.directory, QUEUE, line).map_err(|error| failed(&self.directory, error))
    }
}

const WRITE: &str = "write the queue of the journal in";

fn failed(directory: &Path, error: std::io::Error) -> Error {
    Error::io(WRITE, directory, error).of_kind(ErrorKind::Journal)
}
