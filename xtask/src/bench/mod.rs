//! `cargo xtask bench`: the program beside its peers. Each round runs every one of them once, so that what disturbs
//! one disturbs all; what is told are medians, and their ratios.
//!
//! ```text
//! mklink.rs    one link, as a whole process
//! relocate.rs  a tree moved to another volume
//! repair.rs    broken links mended, and links said in another form
//! scan.rs    the inventory of trees
//! volume.rs  the inventory of NTFS volumes, without mounting them
//! ```

mod mklink;
mod relocate;
mod repair;
mod scan;
mod volume;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) use mklink::mklink;
pub(crate) use relocate::relocate;
pub(crate) use repair::repair;
pub(crate) use scan::{getdents, scan};
pub(crate) use volume::volume;

use crate::Result;
use crate::run::{cargo, root, run};

/// The release build of the program, made now.
fn program() -> Result<String> {
    run(&mut cargo(&["build", "--release"]))?;
    let program = root().join("target/release/linkctl");
    program.to_str().map(str::to_owned).ok_or_else(|| "the checkout's path is not Unicode".to_owned())
}

/// One competitor of a comparison.
struct Peer {
    name: String,
    words: Vec<String>,
}

impl Peer {
    fn new(words: &[&str]) -> Self {
        let name = words.iter().map(|word| word.rsplit('/').next().unwrap_or(word)).collect::<Vec<_>>().join(" ");
        Self { name, words: words.iter().map(|word| (*word).to_owned()).collect() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// What a peer took.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: Duration,
    /// Of all its threads, user and system, as a mean: the kernel counts in steps of 10 ms.
    processor: Duration,
}

/// Runs all peers in turn, `rounds` times, with `before` before each run. Gives the medians.
fn in_turn(peers: &[Peer], rounds: usize, before: impl Fn() -> Result<()>) -> Result<Vec<Took>> {
    let mut times = vec![Vec::with_capacity(rounds); peers.len()];
    let mut processor = vec![Duration::ZERO; peers.len()];
    // The first round brings programs and directories into the cache, and does not count.
    for round in 0..=rounds {
        for (index, peer) in peers.iter().enumerate() {
            before()?;
            let (used, begin) = (children_processor()?, Instant::now());
            peer.command().status().map_err(|error| format!("{}: {error}", peer.name))?;
            let wall = begin.elapsed();
            if round > 0 {
                times[index].push(wall);
                processor[index] += children_processor()?.saturating_sub(used);
            }
        }
    }
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
    Ok(times
        .into_iter()
        .zip(processor)
        .map(|(times, used)| Took { wall: median(times), processor: used / rounds })
        .collect())
}

/// The processor time of all children that have ended (proc(5), fields 16 and 17 of `/proc/self/stat`).
fn children_processor() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok(Duration::from_millis((user + system) * 10)),
        _ => Err("/proc/self/stat has another form than expected".to_owned()),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The most memory that a command ever had, in KiB: `VmHWM`, read while it runs.
fn memory(words: &[&str]) -> Result<u64> {
    let mut command = Command::new(words[0]);
    let mut child =
        command.args(&words[1..]).stdout(Stdio::null()).spawn().map_err(|error| format!("{words:?}: {error}"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = line.and_then(|line| line.trim_end_matches("kB").trim().parse().ok()).unwrap_or(most).max(most);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(most)
}

/// A file or directory that a benchmark keeps between runs, below the build directory.
fn kept(name: &str) -> PathBuf {
    root().join("target/bench").join(name)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{}: not Unicode", path.display()))
}
