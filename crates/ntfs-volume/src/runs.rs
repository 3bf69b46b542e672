//! Run lists: where the clusters of an attribute lie.

use crate::error::Damage;

/// Clusters that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first cluster on the volume; `None` for a hole.
    pub(crate) lcn: Option<u64>,
    pub(crate) clusters: u64,
}

/// More runs than this no attribute of a sound volume has.
const MOST: usize = 1 << 20;

/// Adds the runs of a mapping pairs array to those before it.
///
/// Each begins with a byte of two lengths: of the number of clusters, and of the distance from the run before.
pub(crate) fn decode(bytes: &[u8], clusters_of_volume: u64, runs: &mut Vec<Run>) -> Result<(), Damage> {
    const BROKEN: &str = "a run list that cannot be read";
    let broken = || Damage::new(BROKEN);
    let (mut at, mut lcn) = (0_usize, 0_i64);
    loop {
        let head = *bytes.get(at).ok_or_else(broken)?;
        if head == 0 {
            return Ok(());
        }
        let (length_size, offset_size) = (usize::from(head & 0xf), usize::from(head >> 4));
        if length_size == 0 || length_size > 8 || offset_size > 8 || runs.len() >= MOST {
            return Err(broken());
        }
        let length = bytes.get(at + 1..at + 1 + length_size).ok_or_else(broken)?;
        let offset = bytes.get(at + 1 + length_size..at + 1 + length_size + offset_size).ok_or_else(broken)?;
        at += 1 + length_size + offset_size;
        let clusters = u64::try_from(signed(length)).map_err(|_| broken())?;
        if clusters == 0 || clusters > clusters_of_volume {
            return Err(broken());
        }
        let first = if offset.is_empty() {
            None
        } else {
            lcn = lcn.checked_add(signed(offset)).ok_or_else(broken)?;
            let first = u64::try_from(lcn).map_err(|_| broken())?;
            let end = first.checked_add(clusters).ok_or_else(broken)?;
            if end > clusters_of_volume {
                return Err(Damage::new("a run that leads out of the volume"));
            }
            Some(first)
        };
        runs.push(Run { lcn: first, clusters });
    }
}

/// A little-endian number with sign, of up to eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    i64::from_le_bytes(whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn runs(bytes: &[u8]) -> Result<Vec<(Option<u64>, u64)>, Damage> {
        let mut runs = Vec::new();
        decode(bytes, 1 << 20, &mut runs)?;
        Ok(runs.into_iter().map(|run| (run.lcn, run.clusters)).collect())
    }

    #[test]
    fn runs_are_relative_to_the_one_before_and_holes_have_no_place() {
        let bytes = [0x21, 0x18, 0x34, 0x56, 0x11, 0x08, 0xf0, 0x01, 0x05, 0x11, 0x01, 0x01, 0];
        let expected =
            [(Some(0x5634), 0x18), (Some(0x5624), 8), (None, 5), (Some(0x5625), 1)];
        assert_eq!(runs(&bytes).unwrap(), expected);
        assert_eq!(runs(&[0]).unwrap(), []);
    }

    #[test]
    fn runs_that_lead_nowhere_are_damage() {
        for bytes in [
            &[][..],
            &[0x11],
            &[0x11, 1],
            &[0x11, 1, 1],
            &[0x10, 1, 0],
            &[0x91, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x11, 0, 1, 0],
            &[0x11, 0x80, 1, 0],
            &[0x11, 1, 0x80, 0],
            &[0x31, 1, 0xff, 0xff, 0x7f, 0],
            &[0x14, 0xff, 0xff, 0xff, 0x7f, 1, 0],
        ] {
            assert!(runs(bytes).is_err(), "{bytes:x?}");
        }
    }
}
