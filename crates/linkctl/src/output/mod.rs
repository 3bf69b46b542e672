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

/// Prints one text whole.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}
