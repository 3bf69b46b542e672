//! Whether this process was given a standard output: by the time `main` runs, the standard library has opened `/dev/null` in
//! the place of one that was closed, and everything written seems to arrive.

#![allow(unsafe_code, reason = "what runs before main, and a call that takes a bare number")]

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: the section holds pointers to functions that the C library calls one after the other before `main`, with arguments
// that they need not take.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: the call takes any number, and changes nothing.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    IS_CLOSED.store(flags < 0, Ordering::Relaxed);
}

pub(crate) fn has_output() -> bool {
    !IS_CLOSED.load(Ordering::Relaxed)
}
