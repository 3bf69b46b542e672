//! Questions on the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::failure::Failure;

/// Asks on the terminal; without one, the answer is no.
pub(super) fn ask(question: &str) -> Result<(), Failure> {
    const HINT: &str = "--yes does it without asking, --dry-run shows what would be done";
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::refused(format!("no terminal to ask on: {question}"), HINT));
    }
    if confirm(question)? {
        return Ok(());
    }
    Err(Failure::refused("not confirmed: nothing was changed", HINT))
}

/// Asks something that may as well be answered by no: without a terminal it is.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(anstream::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
