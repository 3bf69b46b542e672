//! What people and programs read. Every name passes [`sanitize`] on its way to a person.

pub(crate) mod csv;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod sanitize;
pub(crate) mod table;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, StdoutLock, Write};

use anstream::adapter::StripBytes;
use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use links::Target;

/// So much is gathered before it is written.
const PIECE: usize = 64 * 1024;

/// Standard output, buffered. Colours go to terminals only.
pub(crate) struct Out {
    text: Vec<u8>,
    to: To,
}

enum To {
    /// Colours are shown.
    Coloured(AutoStream<StdoutLock<'static>>),
    /// They are taken out.
    Plain(StdoutLock<'static>, StripBytes),
}

pub(crate) fn stdout() -> Out {
    let out = io::stdout().lock();
    let to = match AutoStream::choice(&out) {
        ColorChoice::Never => To::Plain(out, StripBytes::new()),
        choice => To::Coloured(AutoStream::new(out, choice)),
    };
    Out { text: Vec::with_capacity(PIECE), to }
}

impl Out {
    /// A style for what follows; none, where it would be taken out again.
    pub(crate) fn style(&self, style: Style) -> Style {
        if matches!(self.to, To::Coloured(_)) { style } else { Style::new() }
    }

    /// Writes what was gathered, in one piece: standard output's own buffer would write every line for itself.
    fn write_text(&mut self) -> io::Result<()> {
        let text = std::mem::replace(&mut self.text, Vec::with_capacity(PIECE));
        must_be_open(&text)?;
        match &mut self.to {
            To::Coloured(out) => out.write_all(&text),
            To::Plain(out, strip) => {
                if *strip == StripBytes::new() && sanitize::is_plain(&text, b'\n') {
                    return out.write_all(&text);
                }
                let mut kept = Vec::with_capacity(text.len());
                strip.strip_next(&text).for_each(|part| kept.extend(part));
                out.write_all(&kept)
            }
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.text.extend_from_slice(bytes);
        if self.text.len() > PIECE { self.write_text() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_text()?;
        match &mut self.to {
            To::Coloured(out) => out.flush(),
            To::Plain(out, _) => out.flush(),
        }
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        // Whoever must know whether it was written has flushed.
        self.flush().unwrap_or_default();
    }
}

/// [`Target::shown`], not copied where it is text: most are.
pub(crate) fn shown(target: &Target) -> Option<Cow<'_, OsStr>> {
    match target {
        Target::Text(text) => Some(Cow::Borrowed(text)),
        other => other.shown().map(Cow::Owned),
    }
}

/// Writes bytes as they are, which end with a line, in one piece, behind what other threads have written so.
pub(crate) fn write_whole(bytes: &[u8]) -> io::Result<()> {
    must_be_open(bytes)?;
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Fails where something is to be written to a standard output that was closed from the beginning: there the system's own
/// answer is that all went well.
pub(crate) fn must_be_open(text: &[u8]) -> io::Result<()> {
    if text.is_empty() || links::system::has_output() { Ok(()) } else { Err(io::Error::other("it is closed")) }
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
