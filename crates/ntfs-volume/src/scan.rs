//! Every file record, in one pass over the master file table: large reads, several threads, each of its own pieces.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;
use crate::record::Record;
use crate::source::ReadAt;
use crate::volume::{Volume, threads};

/// So much is read at a time: it stays in the processor's cache while it is parsed.
const PIECE: u64 = 256 << 10;

/// Looks at records.
pub(crate) trait Visitor: Send {
    /// Looks at one that is in use. What it says is wrong costs that record.
    fn record(&mut self, record: Record<'_>) -> Result<(), &'static str>;
}

/// Shows every record in use to the visitors, one for each thread, in no order.
pub(crate) fn every_record<S: ReadAt, V: Visitor>(
    volume: &Volume<S>,
    faults: &mut Vec<Error>,
    visitor: impl Fn() -> V + Sync,
) -> Vec<V> {
    let pieces = volume.table.written.div_ceil(PIECE);
    let next = AtomicU64::new(0);
    let work = || {
        let (mut visitor, mut faults, mut buffer) = (visitor(), Vec::new(), Vec::new());
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return (visitor, faults);
            }
            read_piece(volume, piece.saturating_mul(PIECE), &mut buffer, &mut visitor, &mut faults);
        }
    };
    let threads = threads().min(usize::try_from(pieces).unwrap_or(usize::MAX)).max(1);
    let mut done = Vec::with_capacity(threads);
    std::thread::scope(|scope| {
        // A thread that cannot be had leaves its work to the others.
        let others: Vec<_> =
            (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        done.push(work());
        // A panic of a thread is one of ours.
        done.extend(others.into_iter().map(|other| match other.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
    });
    let mut visitors = Vec::with_capacity(done.len());
    let mut found = Vec::new();
    for (visitor, faults) in done {
        visitors.push(visitor);
        found.extend(faults);
    }
    found.sort_by_key(Error::record);
    faults.extend(found);
    visitors
}

fn read_piece<S: ReadAt, V: Visitor>(
    volume: &Volume<S>,
    at: u64,
    buffer: &mut Vec<u8>,
    visitor: &mut V,
    faults: &mut Vec<Error>,
) {
    let size = volume.record_size();
    let length = volume.table.written.saturating_sub(at).min(PIECE) / size * size;
    buffer.resize(usize::try_from(length).unwrap_or(0), 0);
    let whole = volume.table.read(&volume.source, &volume.geometry, buffer, at, volume.table_position());
    let first = at / size;
    for (index, bytes) in (0u64..).zip(buffer.chunks_exact_mut(volume.geometry.record)) {
        let number = first + index;
        if !volume.may_be_in_use(number) {
            continue;
        }
        // One bad sector costs one record.
        if whole.is_err() {
            let (at, table) = (number.saturating_mul(size), volume.table_position());
            if let Err(error) = volume.table.read(&volume.source, &volume.geometry, bytes, at, table) {
                faults.push(error.of(number));
                continue;
            }
        }
        let read = match Record::read(number, bytes) {
            Ok(Some(record)) => visitor.record(record),
            Ok(None) => Ok(()),
            // Without the bitmap nobody knows whether it was ever a record.
            Err(_) if volume.in_use.is_empty() => Ok(()),
            Err(text) => Err(text),
        };
        if let Err(text) = read {
            faults.push(Error::damaged(volume.position_of(number), text).of(number));
        }
    }
}
