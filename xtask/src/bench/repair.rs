//! `repair` beside `list`, beside a bare loop of symlinkat and renameat, and for conversions beside `symlinks -rc`. On an
//! ext4 volume in an image file below `target/bench`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::relocate::Volume;
use super::{median, millis, program, text};
use crate::Result;
use crate::run::quietly;

/// Many: the bare loop takes now 11 and now 19 microseconds a link, as ext4 writes its journal.
const ROUNDS: usize = 21;

/// Links, each with what it says.
type Links = Vec<(PathBuf, PathBuf)>;

pub(crate) fn repair() -> Result<()> {
    let ours = program()?;
    let volume = Volume::new("repair")?;
    println!("\n| what | median | beside | to reach |\n|---|---|---|---|");
    broken(&ours, &volume.0)?;
    converted(&ours, &volume.0)
}

/// 10,000 links, broken by two renames high above, among 100 directories of similar content.
fn broken(ours: &str, root: &Path) -> Result<()> {
    let io = |error: std::io::Error| format!("{}: {error}", root.display());
    let (tree, mut links) = (root.join("broken"), Links::new());
    for side in ["one", "two"] {
        for directory in 0..100 {
            let data = format!("data/{side}/a{}/d{directory}", directory % 7);
            let (at, from) = (tree.join(&data), tree.join(format!("links/{side}{directory}")));
            fs::create_dir_all(&at).and_then(|()| fs::create_dir_all(&from)).map_err(io)?;
            for file in 0..50 {
                fs::write(at.join(format!("{side}{file}")), side).map_err(io)?;
                links.push((from.join(format!("l{file}")), at.join(format!("{side}{file}"))));
            }
        }
    }
    for decoy in 0..100_usize {
        for directory in 0..10 {
            let at = tree.join(format!("other/copy{decoy}/a{}/d{directory}", directory % 7));
            fs::create_dir_all(&at).map_err(io)?;
            for file in (0..50).filter(|file| (file + decoy) % 5 != 0) {
                let side = if decoy % 2 == 0 { "one" } else { "two" };
                fs::write(at.join(format!("{side}{file}")), "other").map_err(io)?;
            }
        }
    }
    make(&links)?;
    for (old, new) in [("one", "uno"), ("two", "due")] {
        fs::rename(tree.join("data").join(old), tree.join("data").join(new)).map_err(io)?;
    }
    let whole = text(&tree)?;
    let state = root.join("state");
    let plan = ["repair", whole, "--min-confidence", "strong"];
    let (mut list, mut dry, mut apply, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let times = [
            run(ours, &["list", whole], &state)?,
            run(ours, &[&plan[..], &["--dry-run"]].concat(), &state)?,
            run(ours, &[&plan[..], &["--yes"]].concat(), &state)?,
            loop_of(&links)?,
        ];
        // The first round brings all into the cache, and does not count.
        if round > 0 {
            for (times, time) in [&mut list, &mut dry, &mut apply, &mut bare].into_iter().zip(times) {
                times.push(time);
            }
        }
    }
    let [list, dry, apply, bare] = [list, dry, apply, bare].map(median);
    row("`list` of the tree", list, None);
    row("`repair --dry-run`", dry, Some((dry, list, "`list`", 2.0)));
    row("bare symlinkat and renameat", bare, None);
    row(
        "`repair --yes`, but for its planning",
        apply.saturating_sub(dry),
        Some((apply.saturating_sub(dry), bare, "the loop", 1.5)),
    );
    let journal = state.join("journal.db");
    let bytes = fs::metadata(&journal).map_err(|error| format!("{}: {error}", journal.display()))?.len();
    let steps = links.len() as u64 * (ROUNDS as u64 + 1);
    println!("| the journal, for each link | {} bytes | | |", bytes / steps);
    Ok(())
}

/// A tree in which links are made relative.
struct Shape {
    name: &'static str,
    directories: usize,
    files_in_each: usize,
    absolute: usize,
    relative: usize,
}

/// As many of each as in a Debian's /usr with compilers (150,000 files), to the thousand; and as many links to be
/// changed as hardly a tree has.
const SHAPES: [Shape; 2] = [
    Shape { name: "of the shape of /usr", directories: 25_000, files_in_each: 6, absolute: 500, relative: 7_000 },
    Shape { name: "full of links", directories: 2_000, files_in_each: 25, absolute: 6_000, relative: 0 },
];

/// Absolute links made relative.
fn converted(ours: &str, root: &Path) -> Result<()> {
    for shape in &SHAPES {
        let tree = root.join("converted");
        let links = lay_out(shape, &tree).map_err(|error| format!("{}: {error}", tree.display()))?;
        let whole = text(&tree)?;
        let state = root.join("state");
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            make(&links)?;
            let first = run(ours, &["repair", "--relative", whole, "--yes"], &state)?;
            make(&links)?;
            let second = run("symlinks", &["-rc", whole], &state)?;
            if round > 0 {
                mine.push(first);
                theirs.push(second);
            }
        }
        let (mine, theirs) = (median(mine), median(theirs));
        let Shape { name, directories, files_in_each, absolute, relative } = shape;
        let files = directories * files_in_each;
        let what = format!("a tree {name}: {files} files, {relative} relative links and {absolute} absolute ones");
        row(&format!("`symlinks -rc` in {what}"), theirs, None);
        row("`repair --relative`, the same", mine, Some((mine, theirs, "`symlinks -rc`", 0.5)));
        fs::remove_dir_all(&tree).map_err(|error| format!("{}: {error}", tree.display()))?;
    }
    Ok(())
}

/// Makes the tree and its relative links. Gives the absolute ones, which are still to be made.
fn lay_out(shape: &Shape, tree: &Path) -> std::io::Result<Links> {
    let at = |number: usize| {
        let directory = number % shape.directories;
        tree.join(format!("s{}/d{directory}", directory % 40))
    };
    for directory in 0..shape.directories {
        fs::create_dir_all(at(directory))?;
        for file in 0..shape.files_in_each {
            fs::write(at(directory).join(format!("f{file}")), "")?;
        }
    }
    // Spread over all directories, to a file of the next.
    let step = |many: usize| (shape.directories / many.max(1)).max(1);
    for link in 0..shape.relative {
        let (from, to) = (link * step(shape.relative), link * step(shape.relative) + 40);
        let name = format!("r{}", link / shape.directories);
        symlink(format!("../d{}/f0", to % shape.directories), at(from).join(name))?;
    }
    let absolute = |link: usize| {
        let from = link * step(shape.absolute);
        (at(from).join(format!("l{}", link / shape.directories)), at(from + 1).join("f0"))
    };
    Ok((0..shape.absolute).map(absolute).collect())
}

fn row(what: &str, time: Duration, ratio: Option<(Duration, Duration, &str, f64)>) {
    let told = ratio.map_or_else(
        || " | ".to_owned(),
        |(mine, peer, name, most)| {
            let ratio = mine.as_secs_f64() / peer.as_secs_f64();
            format!("{ratio:.2} of {name} | {most}")
        },
    );
    println!("| {what} | {:.0} ms | {told} |", millis(time));
}

/// What is done by hand, one link after the other.
fn loop_of(links: &Links) -> Result<Duration> {
    let begin = Instant::now();
    make(links)?;
    Ok(begin.elapsed())
}

fn make(links: &Links) -> Result<()> {
    for (link, target) in links {
        let aside = link.with_file_name(".aside");
        symlink(target, &aside)
            .and_then(|()| fs::rename(&aside, link))
            .map_err(|error| format!("{}: {error}", link.display()))?;
    }
    Ok(())
}

fn run(program: &str, words: &[&str], state: &Path) -> Result<Duration> {
    let mut command = Command::new(program);
    command.args(words).env("LINKCTL_STATE_DIR", state).stdin(Stdio::null());
    let begin = Instant::now();
    quietly(&mut command)?;
    Ok(begin.elapsed())
}
