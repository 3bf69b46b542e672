//! Points at which tests end the program as a crash would.

/// Ends the program where an environment variable has this number.
pub(crate) fn crash_where(variable: &str, number: usize) {
    // Debug builds only: no environment may end another program that uses the library.
    if !cfg!(debug_assertions) {
        return;
    }
    if std::env::var(variable).is_ok_and(|wanted| wanted == number.to_string()) {
        std::process::abort();
    }
}
