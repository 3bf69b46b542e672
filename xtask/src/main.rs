//! `cargo xtask`: the checks of this repository, each behind one command.
//!
//! ```text
//! main.rs     which command was typed
//! test.rs     `test`: every step in order, and the account of what ran
//! bench/      `bench`: the program beside its peers, as ratios of one run
//! count.rs    reads what `cargo test` prints and what the tests report about filesystems
//! tools.rs    the programs the checks need, and how to get them
//! house/      `house`: rules about the source that no compiler checks
//! readme/     `readme`: runs the examples of README.md and docs/
//! volume.rs   a mounted NTFS volume for those examples
//! fuzz.rs     `fuzz`: runs the fuzz targets
//! windows.rs  `windows`, `dist`: builds for Windows, and runs that under Wine
//! run.rs      starts programs
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is all this program is for")]
#![allow(
    clippy::disallowed_methods,
    reason = "the bar on changing a disk is for the product; a build tool makes and removes temporary files"
)]

mod bench;
mod count;
mod fuzz;
mod house;
mod readme;
mod run;
mod test;
mod tools;
mod volume;
mod windows;

use std::process::ExitCode;

/// What went wrong, ready to be printed. Nobody branches on it, so it needs no more structure.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test            install what the checks need, then run every check (needs root: tests mount volumes)
  test --quick    the same without dependency, fuzz, README and Windows checks, and without sweeps
  windows         run the Windows tests alone, under Wine
  readme          run the examples of README.md and docs/ alone
  bench mklink    time `mklink` beside `ln -s`, as whole processes
  bench scan      time `list` on large trees beside bfs, fd, find and symlinks (builds them once; needs root)
  bench volume    time `list --volume` on NTFS images beside find on ntfs-3g (builds them once; needs root)
  bench move      time `move` between two ext4 volumes beside cp, rsync and rm (needs root)
  bench repair    time `repair` beside `list`, a bare loop and symlinks (needs root)
  torture         every crash point, kill, error, power cut and race, not a sample (needs root; tens of minutes)
  house           check the house rules alone
  fuzz [SECONDS]  run each fuzz target for SECONDS (default 60); needs nightly Rust and cargo-fuzz
  dist            build the programs for Linux and Windows for release, with their sums, into dist/
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::test(test::Extent::Everything),
        ["test", "--quick"] => test::test(test::Extent::Quick),
        ["readme"] => readme::check().map(|_| ()),
        ["bench", "mklink"] => bench::mklink(),
        ["bench", "scan"] => tools::ensure_peers().and_then(|()| bench::scan()),
        ["bench", "volume"] => bench::volume(),
        ["bench", "getdents", directory] => bench::getdents(directory),
        ["bench", "move"] => tools::ensure_peers().and_then(|()| bench::relocate()),
        ["bench", "repair"] => tools::ensure_peers().and_then(|()| bench::repair()),
        ["torture"] => test::torture(),
        ["house"] => house::check(),
        ["fuzz"] => fuzz::fuzz(60),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::fuzz(seconds),
            Err(_) => return usage(),
        },
        ["windows"] => tools::ensure_windows()
            .and_then(|()| windows::tests())
            .map(|passed| println!("{passed} Windows tests under Wine passed")),
        ["dist"] => tools::ensure_windows().and_then(|()| windows::dist()),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}
