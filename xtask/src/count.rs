//! What ran: the counts `cargo test` prints, and the filesystems the tests say they were on.

use std::collections::{BTreeMap, BTreeSet};

use crate::Result;

/// A run without one of these proves too little, whatever else passed.
const REQUIRED_FILESYSTEMS: &[&str] = &["btrfs", "ext4", "ntfs-3g", "tmpfs", "xfs"];

/// Sums over all test programs of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    /// Left out by a filter.
    pub(crate) left_out: u64,
}

impl Counts {
    /// Adds up the `test result: ok. 3 passed; 0 failed; 1 ignored; ...` lines.
    pub(crate) fn of(lines: &[String]) -> Self {
        let mut sum = Self::default();
        for line in lines {
            // A test that prints without a line end stands before it on the same line.
            let Some((_, result)) = line.split_once("test result: ") else { continue };
            let count = |what: &str| {
                let words: Vec<&str> = result.split([' ', ';']).filter(|word| !word.is_empty()).collect();
                let at = words.iter().position(|word| *word == what)?;
                words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
            };
            sum.passed += count("passed").unwrap_or(0);
            sum.failed += count("failed").unwrap_or(0);
            sum.ignored += count("ignored").unwrap_or(0);
            sum.left_out += count("filtered").unwrap_or(0);
        }
        sum
    }

    /// Errors where the run proves nothing: no test at all, or tests left out.
    pub(crate) fn must_be_whole(self) -> Result<()> {
        match self {
            Self { failed: 1.., .. } => Err(format!("{} tests failed", self.failed)),
            Self { ignored: 1.., .. } => Err(format!("{} tests are ignored; mend or delete them", self.ignored)),
            Self { passed: 0, .. } => Err("not one test ran".to_owned()),
            _ => Ok(()),
        }
    }
}

/// Filesystem -> names of the tests that ran on it, from the lines `FILESYSTEM<TAB>TEST` of a report.
pub(crate) fn filesystems(report: &str) -> Result<BTreeMap<&str, BTreeSet<&str>>> {
    let mut found = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (index, line) in report.lines().enumerate() {
        let Some((filesystem, test)) = line.split_once('\t') else {
            return Err(format!("line {} of the test report is not FILESYSTEM<TAB>TEST: {line:?}", index + 1));
        };
        found.entry(filesystem).or_default().insert(test);
    }
    let missing: Vec<_> = REQUIRED_FILESYSTEMS.iter().filter(|name| !found.contains_key(**name)).copied().collect();
    if missing.is_empty() { Ok(found) } else { Err(format!("no test ran on {}", missing.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> Counts {
        Counts::of(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn counts_are_added_up() {
        let text = "\
running 2 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 3 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.00s
left without a line end: test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out";
        assert_eq!(counts(text), Counts { passed: 15, failed: 1, ignored: 4, left_out: 7 });
    }

    #[test]
    fn ignored_tests_and_no_tests_are_failures() {
        let whole = |passed, failed, ignored| Counts { passed, failed, ignored, left_out: 0 }.must_be_whole();
        assert_eq!(whole(1, 0, 0), Ok(()));
        assert_eq!(whole(0, 0, 0), Err("not one test ran".to_owned()));
        assert!(whole(9, 0, 1).is_err());
        assert!(whole(9, 1, 0).is_err());
    }

    #[test]
    fn a_test_counts_once_on_each_filesystem() {
        let report = "ext4\ta\next4\ta\next4\tb\nxfs\ta\nbtrfs\ta\ntmpfs\ta\nntfs-3g\ta\n";
        let found = filesystems(report).unwrap_or_default();
        let counts: Vec<_> = found.iter().map(|(name, tests)| (*name, tests.len())).collect();
        assert_eq!(counts, [("btrfs", 1), ("ext4", 2), ("ntfs-3g", 1), ("tmpfs", 1), ("xfs", 1)]);
    }

    #[test]
    fn a_filesystem_without_tests_is_named() {
        assert_eq!(filesystems("ext4\ta\nntfs-3g\ta\ntmpfs\ta\n"), Err("no test ran on btrfs, xfs".to_owned()));
        assert!(filesystems("ext4").is_err());
    }
}
