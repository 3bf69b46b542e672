//! Where the data of an attribute lies: mapping pairs (runs of clusters), and reads through them.

use crate::Error;
use crate::bytes::array;
use crate::geometry::Geometry;
use crate::source::{ReadAt, Source};

/// Clusters of an attribute that lie side by side on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The number of the first within the attribute.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) count: u64,
    /// The number of the first on the volume. `None` for a hole, which reads as zeros.
    pub(crate) on_disk: Option<u64>,
}

impl Run {
    fn end(&self) -> u64 {
        self.first.saturating_add(self.count)
    }
}

/// Decodes mapping pairs whose first cluster is number `first` of the attribute.
pub(crate) fn decode(mut pairs: &[u8], first: u64, clusters: u64) -> Result<Vec<Run>, &'static str> {
    const OVERRUN: &str = "runs that do not end";
    let (mut runs, mut next, mut place) = (Vec::new(), first, 0i64);
    loop {
        let (&head, rest) = pairs.split_first().ok_or(OVERRUN)?;
        if head == 0 {
            return Ok(runs);
        }
        let (of_count, of_place) = (usize::from(head & 0xf), usize::from(head >> 4));
        let (count, rest) = rest.split_at_checked(of_count).ok_or(OVERRUN)?;
        let (offset, rest) = rest.split_at_checked(of_place).ok_or(OVERRUN)?;
        let count = signed(count).and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0);
        let count = count.ok_or("a run without a length")?;
        let on_disk = if of_place == 0 {
            None
        } else {
            place = signed(offset).and_then(|offset| place.checked_add(offset)).ok_or("a run without a place")?;
            let start = u64::try_from(place).ok();
            let inside = start.and_then(|start| start.checked_add(count)).is_some_and(|end| end <= clusters);
            Some(start.filter(|_| inside).ok_or("a run outside the volume")?)
        };
        runs.push(Run { first: next, count, on_disk });
        // Attributes have at most 2^63 bytes.
        next = next.checked_add(count).filter(|next| *next < 1 << 54).ok_or("runs longer than any volume")?;
        pairs = rest;
    }
}

/// A signed number of up to eight bytes.
fn signed(bytes: &[u8]) -> Option<i64> {
    let last = *bytes.last()?;
    let fill = if last & 0x80 == 0 { 0 } else { 0xff };
    let mut whole = [fill; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    array(&whole, 0).map(i64::from_le_bytes)
}

/// The data of an attribute that lies outside its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    runs: Vec<Run>,
    /// How many clusters have a place on the disk.
    taken: u64,
    /// The length in bytes.
    pub(crate) size: u64,
    /// So many bytes were ever written: the rest reads as zeros.
    pub(crate) written: u64,
}

impl Stream {
    pub(crate) fn new(size: u64, written: u64) -> Self {
        Self { runs: Vec::new(), taken: 0, size, written: written.min(size) }
    }

    /// Adds the runs of one more record, which must go on where the last ended. No file has more clusters than its
    /// volume: that bounds what reading it can cost.
    pub(crate) fn extend(&mut self, runs: Vec<Run>, clusters: u64) -> Result<(), &'static str> {
        let next = self.runs.last().map_or(0, Run::end);
        if runs.first().is_some_and(|run| run.first != next) {
            return Err("runs that leave something out");
        }
        let taken = runs.iter().filter(|run| run.on_disk.is_some()).map(|run| run.count);
        self.taken = taken.fold(self.taken, u64::saturating_add);
        if self.taken > clusters {
            return Err("more clusters than the volume has");
        }
        self.runs.extend(runs);
        Ok(())
    }

    /// How many clusters have a place on the disk.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Cuts off what its runs do not reach, from the first hole on, and from the first run on that `there`, the
    /// clusters that the source really holds, do not. Runs that lie upon each other come to more than that, too.
    pub(crate) fn cut(&mut self, cluster: u64, there: u64) {
        let mut sum = 0u64;
        let lost = self.runs.iter().position(|run| {
            sum = sum.saturating_add(run.count);
            let end = run.on_disk.map_or(u64::MAX, |place| place.saturating_add(run.count));
            end > there || sum > there
        });
        if let Some(lost) = lost {
            // What there is of it, is used.
            let rest = self.runs.get(lost).and_then(|run| Some((run.on_disk?, sum.checked_sub(run.count)?)));
            let rest = rest.map_or(0, |(place, before)| there.saturating_sub(place.max(before)));
            self.runs.truncate(lost + usize::from(rest > 0));
            if let Some(last) = self.runs.get_mut(lost) {
                last.count = rest;
            }
        }
        let reach = self.runs.last().map_or(0, Run::end).saturating_mul(cluster);
        self.size = self.size.min(reach);
        self.written = self.written.min(self.size);
    }

    /// Where a piece lies on the volume: its beginning and how much follows it there. `None` for a hole.
    pub(crate) fn place(&self, at: u64, cluster: u64) -> Option<(Option<u64>, u64)> {
        let number = at / cluster;
        let index = self.runs.partition_point(|run| run.end() <= number);
        let run = self.runs.get(index).filter(|run| run.first <= number)?;
        let within = at.checked_sub(run.first.checked_mul(cluster)?)?;
        let left = run.count.checked_mul(cluster)?.checked_sub(within)?;
        let on_disk = match run.on_disk {
            Some(start) => Some(start.checked_mul(cluster)?.checked_add(within)?),
            None => None,
        };
        Some((on_disk, left))
    }

    /// Fills a buffer from a place in the attribute. Where there is none, that is told of `owner`, a place in the source.
    pub(crate) fn read<S: ReadAt>(
        &self,
        source: &Source<S>,
        geometry: &Geometry,
        buffer: &mut [u8],
        at: u64,
        owner: u64,
    ) -> Result<(), Error> {
        const OUTSIDE: &str = "data outside its runs";
        let (mut rest, mut at) = (buffer, at);
        while !rest.is_empty() {
            let (on_disk, left) = self.place(at, geometry.cluster).ok_or_else(|| Error::damaged(owner, OUTSIDE))?;
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let (piece, tail) = rest.split_at_mut(length);
            match on_disk {
                Some(place) => source.read(piece, place)?,
                None => piece.fill(0),
            }
            // Only what was ever written counts.
            let whole = u64::try_from(length).unwrap_or(u64::MAX);
            let valid = self.written.saturating_sub(at).min(whole);
            if let Some(unwritten) = usize::try_from(valid).ok().and_then(|valid| piece.get_mut(valid..)) {
                unwritten.fill(0);
            }
            (rest, at) = (tail, at.saturating_add(whole));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_forward_backward_and_over_holes() {
        // 0x18 clusters at 0x5634, a hole of 2, 3 clusters 0x10 before.
        let runs = decode(&[0x21, 0x18, 0x34, 0x56, 0x01, 0x02, 0x11, 0x03, 0xf0, 0x00], 0, 1 << 20);
        let run = |first, count, on_disk| Run { first, count, on_disk };
        assert_eq!(runs, Ok(vec![run(0, 0x18, Some(0x5634)), run(0x18, 2, None), run(0x1a, 3, Some(0x5624))]));
    }

    #[test]
    fn pairs_that_lead_nowhere_are_refused() {
        let cases: [(&[u8], &str); 8] = [
            (&[], "runs that do not end"),
            (&[0x11, 0x01], "runs that do not end"),
            (&[0x11, 0x01, 0x01], "runs that do not end"),
            (&[0x10, 0x01, 0x00], "a run without a length"),
            (&[0x11, 0x00, 0x01, 0x00], "a run without a length"),
            (&[0x11, 0x80, 0x01, 0x00], "a run without a length"),
            (&[0x11, 0x01, 0xff, 0x00], "a run outside the volume"),
            (&[0x11, 0x02, 0x63, 0x00], "a run outside the volume"),
        ];
        for (pairs, expected) in cases {
            assert_eq!(decode(pairs, 0, 100), Err(expected), "{pairs:x?}");
        }
        assert_eq!(decode(&[[0xf1].as_slice(), &[1; 40]].concat(), 0, 100), Err("a run without a place"));
        let endless = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00];
        assert_eq!(decode(&endless, 0, 100), Err("runs longer than any volume"));
    }
}
