//! Many links replaced side by side: a directory is opened once for its links, and several threads share them out.

use std::ops::Range;
use std::path::Path;

use super::Done;
use super::step::{Context, KeptDirectory, Work, kind};
use crate::error::Result;
use crate::model::Step;
use crate::workers;

/// How many steps from the first on may be performed in any order: each has a path of its own, and none is on the way to
/// another.
pub(super) fn independent_prefix_len(steps: &[Step]) -> usize {
    let mut order = None;
    let mut are_independent = |one: &Step, next: &Step| {
        let (one, next) = (one.path(), next.path());
        let now = one.cmp(next);
        // In order, what lies below a path stands beside it.
        now.is_ne() && *order.get_or_insert(now) == now && !is_below(next, one) && !is_below(one, next)
    };
    let Some(first) = steps.first().filter(|step| kind(step).needs().parallel) else { return 0 };
    let mut last = first;
    1 + steps
        .iter()
        .skip(1)
        .take_while(|step| {
            let goes_on = kind(step).needs().parallel && are_independent(last, step);
            last = *step;
            goes_on
        })
        .count()
}

/// Whether a path begins with another, the names in it spelt alike.
fn is_below(path: &Path, above: &Path) -> bool {
    // Most are not: that is seen at once, by the bytes.
    let (bytes, start) = (path.as_os_str().as_encoded_bytes(), above.as_os_str().as_encoded_bytes());
    bytes.starts_with(start) && path.starts_with(above)
}

/// Performs steps that are independent of each other. Returns the results of those that were begun, which are the first
/// ones. A thread takes up to `portion` steps of one directory at a time, and ends them before it stops. `meanwhile` is
/// done here while the other threads work.
pub(super) fn perform(
    steps: &[Step],
    names: &[String],
    portion: usize,
    run: Work<'_>,
    meanwhile: impl FnOnce(),
) -> Vec<Result<Done>> {
    let (portions, directories) = portions(steps, portion);
    let work = |number: usize| {
        let range = portions.get(number).cloned().unwrap_or_default();
        let mine = steps.get(range.clone()).zip(names.get(range));
        mine.map(|(steps, names)| perform_each(steps, names, run)).unwrap_or_default()
    };
    // This thread becomes one of them, but first it has the journal to write. Without any, all is done here.
    let helpers = run.workers.saturating_sub(1).clamp(1, directories.max(1));
    let own = |started| {
        meanwhile();
        // In one directory threads only wait for each other.
        directories > 1 || started == 0
    };
    workers::beside(helpers, portions.len(), run.stop, work, own).into_iter().flatten().collect()
}

/// Parts steps where the directory changes, and where it is enough. With the number of directories.
fn portions(steps: &[Step], most: usize) -> (Vec<Range<usize>>, usize) {
    let (mut at, mut directories) = (0, 0);
    let mut portions = Vec::new();
    for directory in steps.chunk_by(|one, next| one.path().parent() == next.path().parent()) {
        let end = at + directory.len();
        while at < end {
            portions.push(at..end.min(at + most));
            at = end.min(at + most);
        }
        directories += 1;
    }
    (portions, directories)
}

/// Performs steps of one directory.
fn perform_each(steps: &[Step], names: &[String], work: Work<'_>) -> Vec<Result<Done>> {
    let kept = KeptDirectory::default();
    let perform = |(step, name): (&Step, &String)| kind(step).perform(&Context::keeping(name.as_ref(), work, &kept));
    steps.iter().zip(names).map(perform).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attributes, FileId, MakeDirectory, ReplaceLink, Seen, Target};

    fn replace(link: &str, target: Target) -> Step {
        let old = Seen {
            target: Target::Text("old".into()),
            id: FileId { volume: 1, file: 2, born: 3 },
            attributes: Attributes { uid: 0, gid: 0, modified: (0, 0) },
            several: false,
            ntfs: None,
        };
        Step::ReplaceLink(ReplaceLink { link: link.into(), old, target, file: None, attributes: None, ntfs: None })
    }

    fn texts(links: &[&str]) -> Vec<Step> {
        links.iter().map(|link| replace(link, Target::Text("new".into()))).collect()
    }

    #[test]
    fn links_that_stand_in_order_and_not_above_each_other_are_independent() {
        for (links, many) in [
            (&["/a/k", "/a/l", "/b/k"] as &[&str], 3),
            (&["/b/k", "/a/l", "/a/k"], 3),
            // Twice the same, out of order, one on the way to the other.
            (&["/a/k", "/a/l", "/a/l", "/b"], 2),
            (&["/a/k", "/a/l", "/a/k", "/b"], 2),
            (&["/a/k", "/a/l", "/a/l/m", "/b"], 2),
            (&["/a/l/m", "/a/l", "/a/k"], 1),
            (&["/a/l", "/a/l-m", "/a/l.m"], 3),
            (&["/a"], 1),
            (&[], 0),
        ] {
            assert_eq!(independent_prefix_len(&texts(links)), many, "{links:?}");
        }
    }

    #[test]
    fn names_of_files_and_other_steps_are_taken_by_themselves() {
        let mut steps = texts(&["/a/k", "/a/l", "/a/m"]);
        steps[1] = replace("/a/l", Target::File("/a/f".into()));
        assert_eq!(independent_prefix_len(&steps), 1);
        steps[1] = Step::MakeDirectory(MakeDirectory { path: "/a/l".into() });
        assert_eq!(independent_prefix_len(&steps), 1);
        assert_eq!(independent_prefix_len(&steps[1..]), 0);
    }

    #[test]
    fn portions_end_where_the_directory_does() {
        let steps = texts(&["/a/k", "/a/l", "/a/m", "/b/k", "/c/k", "/c/l"]);
        assert_eq!(portions(&steps, 2), (vec![0..2, 2..3, 3..4, 4..6], 3));
    }
}
