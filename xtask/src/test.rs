//! `cargo xtask test`: every check of the repository, in order, stopping at the first that fails.

use std::process::Command;
use std::time::Instant;

use crate::Result;
use crate::count::{Counts, filesystems};
use crate::readme::TempDir;
use crate::run::{cargo, run, streamed};
use crate::{fuzz, house, readme, tools, windows};

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All there is.
    Everything,
    /// What a change to the code breaks most often.
    Quick,
}

/// Tests that go through many points of a run, each with a crash, a failed call, a cut or another program: `--quick`
/// leaves them out, and names them.
const SWEEPS: &[&str] = &[
    "relocate::adversary::",
    "relocate::crashes::whatever_phase",
    "relocate::cuts::",
    "relocate::errnos::",
    "relocate::fidelity::random_trees",
    "relocate::kills::",
    "relocate::meddlers::",
    "relocate::ntfs::a_failed_call",
    "relocate::ntfs::killed_at_any_call",
    "relocate::ntfs::whatever_phase",
    "relocate::races::whatever_is_written",
    "relocate::same::a_crash_or_a_kill",
    "relocate::same::of_several_links",
    "volume::shapes::",
];

/// Runs the checks; the last lines it prints say what ran.
pub(crate) fn test(extent: Extent) -> Result<()> {
    let start = Instant::now();
    let everything = extent == Extent::Everything;
    let home = TempDir::new()?;
    let report = home.path().join("filesystems");

    step("tools", || tools::ensure(extent))?;
    step("formatting", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("clippy", || run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])))?;
    if everything {
        step("clippy for Windows", windows::clippy)?;
        step("dependencies", || run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"])))?;
    }
    step("house rules", house::check)?;
    // `--tests` leaves the doc tests to the next step, so that each runs once and both are counted by name.
    let linux = |kind, skipped: &[&str]| {
        let mut command = cargo(&["test", "--workspace", "--no-fail-fast", kind, "--"]);
        command.args(skipped.iter().flat_map(|name| ["--skip", name]));
        // Half of their time the tests wait: for a mount, for strace, for a run that is held on purpose.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        command.env("RUST_TEST_THREADS", (2 * cores).to_string()).env("LINKCTL_TEST_REPORT", &report);
        counted(&mut command)
    };
    let skipped = if everything { &[] } else { SWEEPS };
    let tests = step("unit and integration tests", || linux("--tests", skipped))?;
    if everything && tests.left_out > 0 {
        return Err(format!("{} tests were left out", tests.left_out));
    }
    let doc_tests = step("doc tests", || linux("--doc", &[]))?.passed;
    let (mut windows_tests, mut examples) = (0, 0);
    if everything {
        windows_tests = step("Windows tests under Wine", windows::tests)?;
        examples = step("README examples", readme::check)?;
        step("fuzz targets compile", fuzz::compiles)?;
    }

    let report = std::fs::read_to_string(&report).map_err(|error| format!("no test reported: {error}"))?;
    let places = step("filesystems", || filesystems(&report))?;
    let places: Vec<String> = places.iter().map(|(name, tests)| format!("{name} {}", tests.len())).collect();
    println!("\n==> all checks passed in {:.0} s", start.elapsed().as_secs_f64());
    match extent {
        Extent::Everything => {
            println!("formatting, clippy for Linux and Windows, dependencies, house rules, fuzz targets: clean");
        }
        Extent::Quick => {
            println!("formatting, clippy, house rules: clean");
            println!(
                "NOT checked (--quick): Windows, dependencies, README examples, fuzz targets, and {} sweeps of tests: {}",
                tests.left_out,
                SWEEPS.join(" ")
            );
        }
    }
    println!("tests on each filesystem: {}", places.join(", "));
    let tests = tests.passed;
    println!(
        "{tests} unit and integration tests, {doc_tests} doc tests, {windows_tests} Windows tests under Wine, \
         {examples} README examples"
    );
    println!("{} passed, 0 failed", tests + doc_tests + windows_tests + examples);
    Ok(())
}

/// Runs every sweep of the command's tests whole: `test` runs a seeded sample of each.
pub(crate) fn torture() -> Result<()> {
    tools::ensure(Extent::Quick)?;
    let tests = ["test", "--package", "linkctl", "--test", "linkctl", "--", "--nocapture"];
    run(cargo(&tests).env("LINKCTL_TORTURE", "1"))
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n==> {name}");
    let start = Instant::now();
    let done = work().map_err(|error| format!("{name} FAILED: {error}"))?;
    println!("    {name}: ok, {:.1} s", start.elapsed().as_secs_f64());
    Ok(done)
}

/// Runs `cargo test` and returns how many tests passed.
pub(crate) fn suite(command: &mut Command) -> Result<u64> {
    counted(command).map(|counts| counts.passed)
}

/// Runs `cargo test`, whose tests must all pass.
fn counted(command: &mut Command) -> Result<Counts> {
    let (lines, ended) = streamed(command)?;
    let counts = Counts::of(&lines);
    // Where tests failed, their number says more than cargo's exit status; a crate that does not compile has none.
    if counts.failed > 0 {
        counts.must_be_whole()?;
    }
    ended?;
    counts.must_be_whole()?;
    Ok(counts)
}
