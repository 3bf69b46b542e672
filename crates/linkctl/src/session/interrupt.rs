//! Ctrl-C and SIGTERM.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::failure::complain;

/// Set by Ctrl-C and by SIGTERM; the executor looks at it between steps.
pub(super) static STOP: AtomicBool = AtomicBool::new(false);

/// The first signal asks the executor to stop at the next safe point, and is acknowledged at once;
/// the second ends the program there and then, which leaves every link whole all the same.
pub(super) fn catch_interrupts() {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted.code().into());
        }
        complain("warning", "stopping after this step");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        complain("warning", &format!("Ctrl-C will end the program at once: {error}"));
    }
}
