//! Where the volume's bytes come from, and how much of it was read.

use std::io::{self, Read, Seek, SeekFrom};

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls to the source.
    pub reads: u64,
    /// Bytes that they gave.
    pub bytes: u64,
}

/// A source that a volume begins in at some byte.
pub(crate) struct Source<S> {
    inner: S,
    start: u64,
    stats: Stats,
}

impl<S: Read + Seek> Source<S> {
    pub(crate) fn new(inner: S, start: u64) -> Self {
        Self { inner, start, stats: Stats::default() }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }

    /// Where a byte of the volume is in the source.
    pub(crate) fn position(&self, at: u64) -> u64 {
        self.start.saturating_add(at)
    }

    /// Fills a buffer from a byte of the volume on.
    pub(crate) fn read(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = || io::Error::new(io::ErrorKind::UnexpectedEof, "beyond the end of any source");
        self.inner.seek(SeekFrom::Start(self.start.checked_add(at).ok_or_else(end)?))?;
        self.inner.read_exact(buffer)?;
        self.stats.reads += 1;
        self.stats.bytes += u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}
