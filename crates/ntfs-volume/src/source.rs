//! Where a volume is read from: reads at positions, counted.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// Reads at positions, from several threads at once where it can. Whatever reads and seeks will do, in a [`Mutex`].
pub trait ReadAt: Sync {
    /// Reads some bytes from a position, as many as come at once; none at the end.
    ///
    /// # Errors
    /// The device or file cannot be read there.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;

    /// The length in bytes. `None` where the source does not know.
    ///
    /// # Errors
    /// It cannot be asked.
    fn length(&self) -> io::Result<Option<u64>>;
}

impl<S: Read + Seek + Send> ReadAt for Mutex<S> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        // A reader that panicked left at worst another position, which is set here.
        let mut source = self.lock().unwrap_or_else(PoisonError::into_inner);
        source.seek(SeekFrom::Start(position))?;
        source.read(buffer)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        self.lock().unwrap_or_else(PoisonError::into_inner).seek(SeekFrom::End(0)).map(Some)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        let mut rest = self.get(start..).unwrap_or_default();
        rest.read(buffer)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        Ok(u64::try_from(self.len()).ok())
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, position)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        self.as_slice().length()
    }
}

impl<S: ReadAt + ?Sized> ReadAt for &S {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        (**self).read_at(buffer, position)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        (**self).length()
    }
}

impl<S: ReadAt + Send + ?Sized> ReadAt for Box<S> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        (**self).read_at(buffer, position)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        (**self).length()
    }
}

const ENDS: &str = "the source ends before the volume does";

/// What was read of a volume so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// How many reads there were.
    pub reads: u64,
    /// How many bytes they brought.
    pub bytes: u64,
}

/// The part of a source in which a volume lies.
pub(crate) struct Source<S> {
    source: S,
    start: u64,
    /// Where the source ends; beyond all bounds where it does not say.
    end: u64,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl<S: ReadAt> Source<S> {
    /// The volume ends behind `length` bytes, or where the source does.
    pub(crate) fn new(source: S, start: u64, length: u64) -> Result<Self, Error> {
        let end = source.length().map_err(|error| Error::io(start, error))?.unwrap_or(u64::MAX);
        let end = end.min(start.saturating_add(length));
        Ok(Self { source, start, end, reads: AtomicU64::new(0), bytes: AtomicU64::new(0) })
    }

    /// Ends the volume where it says itself that it does: a source need not know its own end.
    pub(crate) fn confine(&mut self, size: u64) {
        self.end = self.end.min(self.start.saturating_add(size));
    }

    /// The place in the source of a place in the volume.
    pub(crate) fn position(&self, at: u64) -> u64 {
        self.start.saturating_add(at)
    }

    /// How much of the volume the source holds, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Reads exactly so much from a place in the volume.
    pub(crate) fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), Error> {
        let start = self.position(at);
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        if start.saturating_add(wanted) > self.end {
            return Err(Error::damaged(self.end.max(start), ENDS));
        }
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = start.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            self.reads.fetch_add(1, Ordering::Relaxed);
            match self.source.read_at(rest, position) {
                Ok(0) => return Err(Error::damaged(position, ENDS)),
                Ok(count) => {
                    self.bytes.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
                    done = done.saturating_add(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(position, error)),
            }
        }
        Ok(())
    }

    pub(crate) fn reads(&self) -> Reads {
        Reads { reads: self.reads.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}
