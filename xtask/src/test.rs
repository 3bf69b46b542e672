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

/// Runs the checks; the last lines it prints say what ran.
pub(crate) fn test(extent: Extent) -> Result<()> {
    let start = Instant::now();
    let everything = extent == Extent::Everything;
    let home = TempDir::new()?;
    let report = home.path().join("filesystems");

    step("tools", || tools::ensure(extent))?;
    step("formatting", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("clippy", || {
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    if everything {
        step("clippy for Windows", windows::clippy)?;
        step("dependencies", || run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"])))?;
    }
    step("house rules", house::check)?;
    // `--tests` leaves the doc tests to the next step, so that each runs once and both are counted by name.
    let linux = |kind| {
        suite(cargo(&["test", "--workspace", "--no-fail-fast", kind]).env("LINKCTL_TEST_REPORT", &report))
    };
    let tests = step("unit and integration tests", || linux("--tests"))?;
    let doc_tests = step("doc tests", || linux("--doc"))?;
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
            println!(
                "formatting, clippy for Linux and Windows, dependencies, house rules, fuzz targets: clean"
            );
        }
        Extent::Quick => {
            println!("formatting, clippy, house rules: clean");
            println!("NOT checked (--quick): Windows, dependencies, README examples, fuzz targets");
        }
    }
    println!("tests on each filesystem: {}", places.join(", "));
    println!(
        "{tests} unit and integration tests, {doc_tests} doc tests, {windows_tests} Windows tests under Wine, \
         {examples} README examples"
    );
    println!("{} passed, 0 failed", tests + doc_tests + windows_tests + examples);
    Ok(())
}

/// Runs the tests of moves whole: `test` runs a sample of them.
pub(crate) fn torture() -> Result<()> {
    tools::ensure(Extent::Quick)?;
    let tests = ["test", "--package", "linkctl", "--test", "linkctl", "--", "relocate::", "--nocapture"];
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
    let (lines, ended) = streamed(command)?;
    let counts = Counts::of(&lines);
    // Where tests failed, their number says more than cargo's exit status; a crate that does not compile has none.
    if counts.failed > 0 {
        counts.must_be_whole()?;
    }
    ended?;
    counts.must_be_whole()?;
    Ok(counts.passed)
}
