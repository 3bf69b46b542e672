//! The run report: which tests ran on which file systems, so that a run can prove it was not all skipped.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The environment variable with the file that [`ran_on`] appends to.
pub const REPORT: &str = "LINKCTL_TEST_REPORT";

/// Appends a line `FILESYSTEM<tab>TEST` to the file named by [`REPORT`], if that is set. The test is the name of
/// the thread. [`Volume`](crate::Volume) and [`Bind`](crate::Bind) call it themselves.
pub fn ran_on(filesystem: &str) {
    if let Some(file) = std::env::var_os(REPORT) {
        append(Path::new(&file), filesystem);
    }
}

fn append(file: &Path, filesystem: &str) {
    let thread = std::thread::current();
    let line = format!("{filesystem}\t{}\n", thread.name().unwrap_or("?"));
    // One write to a file open for appending: lines of tests that run at the same time do not mix.
    let file = OpenOptions::new().append(true).create(true).open(file);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|e| panic!("cannot write the run report: {e}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fs, Volume};

    #[test]
    fn a_volume_reports_itself_and_the_test() {
        let report = tempfile::NamedTempFile::new().unwrap();
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "report::tests::make_a_volume"]).env(REPORT, report.path());
        for _ in 0..2 {
            assert!(again.output().unwrap().status.success());
        }
        let line = "tmpfs\treport::tests::make_a_volume\n";
        assert_eq!(std::fs::read_to_string(report.path()).unwrap(), line.repeat(2));
    }

    /// Run once more by the test above, with a report of its own.
    #[test]
    fn make_a_volume() {
        drop(Volume::new(Fs::Tmpfs, 0));
    }
}
