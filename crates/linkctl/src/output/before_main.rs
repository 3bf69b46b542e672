//! Seen and set before `main`, on Linux: by then the standard library has opened `/dev/null` in the place of a standard
//! output that was closed, and what is printed would be lost in silence.

#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether the program was started without a standard output.
pub(super) fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

// The C library calls what this section points to, on its own thread, before `main`.
#[allow(unsafe_code, reason = "nothing else runs before the standard library")]
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

#[allow(unsafe_code, reason = "calls that the standard library has no functions for")]
extern "C" fn before_main() {
    // SAFETY: F_GETFD takes no pointer, and tells of a descriptor that is not open by an error.
    CLOSED.store(unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) } < 0, Ordering::Relaxed);
    // A file that outgrows `ulimit -f` is an error like any other (EFBIG); the signal would end the program.
    // SAFETY: no other thread runs yet, and no handler is installed: the signal is ignored.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}
