//! One link, made by a program that starts and ends.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{median, program};
use crate::Result;
use crate::readme::TempDir;

/// Rounds thrown away first: programs and directories come into the cache.
const WARM_UP: usize = 20;
const ROUNDS: usize = 500;

pub(crate) fn mklink() -> Result<()> {
    let program = program()?;
    let home = TempDir::new()?;
    let peers: [(&str, &[&str]); 3] = [
        ("ln -s", &["ln", "-s", "target", "link"]),
        ("linkctl mklink", &[&program, "mklink", "link", "target"]),
        ("linkctl create", &[&program, "create", "link", "target"]),
    ];
    let mut times = vec![Vec::with_capacity(ROUNDS); peers.len()];
    for round in 0..WARM_UP + ROUNDS {
        for (index, (_, words)) in peers.iter().enumerate() {
            let time = once(words, home.path())?;
            if round >= WARM_UP {
                times[index].push(time);
            }
        }
    }
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    println!("{ROUNDS} rounds, medians of wall time");
    for ((name, _), time) in peers.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        println!("{name:<16}{:>7.2} ms{ratio:>7.2} x ln -s", time.as_secs_f64() * 1e3);
    }
    Ok(())
}

/// Runs a command that makes `link`, and removes it again.
fn once(words: &[&str], directory: &Path) -> Result<Duration> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(directory).env("LINKCTL_STATE_DIR", directory.join("state"));
    let begin = Instant::now();
    let output = command.output().map_err(|error| format!("{words:?}: {error}"))?;
    let time = begin.elapsed();
    if !output.status.success() {
        return Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    std::fs::remove_file(directory.join("link")).map_err(|error| format!("{words:?} made no link: {error}"))?;
    Ok(time)
}
