//! What people and programs read. Every name passes [`sanitize`] on its way to a person.

pub(crate) mod csv;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod sanitize;
pub(crate) mod table;

use std::io::{self, Write};

/// Standard output, buffered. Colours go to terminals only.
pub(crate) fn stdout() -> io::BufWriter<anstream::AutoStream<io::StdoutLock<'static>>> {
    io::BufWriter::with_capacity(64 * 1024, anstream::AutoStream::auto(io::stdout().lock()))
}

/// Standard output as it is, for bytes that are not text.
pub(crate) fn raw_stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Writes bytes that end with a line in one piece, behind what other threads have written so.
pub(crate) fn write_whole(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Prints one text whole.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A number of things in words.
pub(crate) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Whether nobody reads the output any more.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    /// `ERROR_PIPE_NOT_CONNECTED` of Windows, which the standard library does not count among broken pipes.
    const NOT_CONNECTED: i32 = 233;
    error.kind() == io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(NOT_CONNECTED)
}
