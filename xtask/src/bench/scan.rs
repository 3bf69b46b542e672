//! The inventory of trees, beside what Debian has for it. The trees are kept below `target/bench`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{Peer, Took, in_turn, kept, memory, millis, program, text};
use crate::Result;
use crate::run::quietly;

const ROUNDS: usize = 15;
const COLD_ROUNDS: usize = 5;

/// A tree: directories of directories, files, and links, of which half are broken and half of the rest lead to plain
/// names of their own directory.
struct Shape {
    name: &'static str,
    directories: usize,
    files: usize,
    links: usize,
}

/// 160,000 entries, 20,000 links.
const S: Shape = Shape { name: "S", directories: 2_000, files: 69, links: 10 };
/// 1,000,000 entries in 20,000 directories, 40,000 links.
const L: Shape = Shape { name: "L", directories: 20_000, files: 47, links: 2 };

/// 40,000 links in one directory, 40,000 in forty, and a million in 10,000: for plans, nothing else.
const ONE: Shape = Shape { name: "one", directories: 1, files: 0, links: 40_000 };
const FORTY: Shape = Shape { name: "forty", directories: 40, files: 0, links: 1_000 };
const MILLION: Shape = Shape { name: "million", directories: 10_000, files: 0, links: 100 };

/// A row of the table: what is done, and how much of each peer's time it may take.
struct Row<'a> {
    work: &'a str,
    ours: Peer,
    peers: Vec<(Peer, f64)>,
}

pub(crate) fn scan() -> Result<()> {
    let ours = program()?;
    let (s, l, hard) = (S.build(false)?, L.build(false)?, L.build(true)?);
    let (s, l, hard) = (text(&s)?, text(&l)?, text(&hard)?);
    let myself = std::env::current_exe().map_err(|error| error.to_string())?;
    let myself = text(&myself)?;
    same(&[&ours, "list", "--format", "paths", l], &["find", l, "-type", "l"])?;
    same(&[&ours, "list", "--broken", "--format", "paths", s], &["find", s, "-xtype", "l"])?;
    let rows = [
        Row {
            work: "every link of L",
            ours: Peer::new(&[&ours, "list", "--format", "paths", l]),
            peers: vec![
                (Peer::new(&["bfs", l, "-type", "l"]), 0.95),
                (Peer::new(&["fdfind", "-uu", "-t", "l", ".", l]), 0.5),
                (Peer::new(&["find", l, "-type", "l"]), 0.65),
                (Peer::new(&[myself, "bench", "getdents", l]), f64::NAN),
            ],
        },
        Row {
            work: "broken links of S",
            ours: Peer::new(&[&ours, "list", "--broken", "--format", "paths", s]),
            peers: vec![
                (Peer::new(&["fdfind", "-u", "-L", "-t", "l", ".", s]), 0.75),
                (Peer::new(&["bfs", s, "-xtype", "l"]), 0.65),
                (Peer::new(&["symlinks", "-r", s]), 0.18),
            ],
        },
        Row {
            work: "target and state of S",
            ours: Peer::new(&[&ours, "list", "--format", "ndjson", s]),
            peers: vec![(Peer::new(&["find", s, "-type", "l", "-printf", "%p %l %Y\\n"]), 0.45)],
        },
        Row {
            work: "table of S",
            ours: Peer::new(&[&ours, "list", s]),
            peers: vec![(Peer::new(&["find", s, "-type", "l", "-printf", "%p %l %Y\\n"]), 0.55)],
        },
        Row {
            work: "document of S",
            ours: Peer::new(&[&ours, "list", "--json", s]),
            peers: vec![(Peer::new(&["find", s, "-type", "l", "-printf", "%p %l %Y\\n"]), 0.55)],
        },
        Row {
            work: "S without what is excluded",
            ours: Peer::new(&[&ours, "list", "--exclude", "*.o", "--format", "paths", s]),
            peers: vec![(Peer::new(&["find", s, "-name", "*.o", "-prune", "-o", "-type", "l", "-print"]), 0.65)],
        },
        Row {
            work: "hard links of L + 100,000",
            ours: Peer::new(&[&ours, "list", "--hard", "--format", "paths", hard]),
            peers: vec![(Peer::new(&["find", hard, "-type", "f", "-links", "+1", "-printf", "%i %p\\n"]), 0.6)],
        },
    ];
    println!("\nwarm cache, {ROUNDS} rounds, medians of wall time; processor time as a mean\n");
    for row in &rows {
        row.run(ROUNDS, || Ok(()))?;
    }
    removal(&ours)?;
    println!("\ncold cache (dropped before each run), {COLD_ROUNDS} rounds\n");
    for row in &rows {
        row.run(COLD_ROUNDS, drop_caches)?;
    }
    println!("\nmemory of `list --format paths` at its most");
    println!("  L                 {:>6} KiB", memory(&[&ours, "list", "--format", "paths", l])?);
    let ten = [&[ours.as_str(), "list", "--format", "paths"][..], &[l; 10]].concat();
    println!("  L, ten times      {:>6} KiB", memory(&ten)?);
    Ok(())
}

/// What it takes to plan the removal of many links.
fn removal(ours: &str) -> Result<()> {
    let (one, forty, million) = (ONE.build(false)?, FORTY.build(false)?, MILLION.build(false)?);
    let plan = ["remove", "--recursive", "--dry-run"];
    let of = |path| -> Result<Vec<&str>> { Ok([&[ours], &plan[..], &[text(path)?]].concat()) };
    println!("\nplans to remove links, {ROUNDS} rounds\n");
    for row in [
        Row {
            work: "40,000 in one directory",
            ours: Peer::new(&of(&one)?),
            peers: vec![(Peer::new(&of(&forty)?), 1.3)],
        },
        Row {
            work: "1,000,000 in 10,000",
            ours: Peer::new(&of(&million)?),
            peers: vec![(Peer::new(&[ours, "list", text(&million)?]), 3.0)],
        },
    ] {
        row.run(ROUNDS, || Ok(()))?;
    }
    println!("  memory of that plan at its most {:>7} KiB", memory(&of(&million)?)?);
    println!("  of the list                     {:>7} KiB", memory(&[ours, "list", text(&million)?])?);
    Ok(())
}

impl Row<'_> {
    fn run(&self, rounds: usize, before: impl Fn() -> Result<()>) -> Result<()> {
        let all = std::iter::once(&self.ours).chain(self.peers.iter().map(|(peer, _)| peer));
        let all: Vec<Peer> = all.map(|peer| Peer { name: peer.name.clone(), words: peer.words.clone() }).collect();
        let took = in_turn(&all, rounds, before)?;
        let ours = took[0];
        println!("{:<28}{:>9.1} ms wall{:>9.1} ms processor", self.work, millis(ours.wall), millis(ours.processor));
        for ((peer, most), theirs) in self.peers.iter().zip(&took[1..]) {
            println!("{}", compared(peer, *most, ours, *theirs));
        }
        Ok(())
    }
}

fn compared(peer: &Peer, most: f64, ours: Took, theirs: Took) -> String {
    let wall = ours.wall.as_secs_f64() / theirs.wall.as_secs_f64();
    let processor = ours.processor.as_secs_f64() / theirs.processor.as_secs_f64().max(1e-3);
    let verdict = match most {
        most if most.is_nan() => format!("processor {processor:.2}, to reach 1.15"),
        most => format!("{wall:.2}, to reach {most}"),
    };
    let name: String = peer.name.chars().take(34).collect();
    format!(
        "  {name:<36}{:>7.1} ms wall{:>9.1} ms processor   {verdict}",
        millis(theirs.wall),
        millis(theirs.processor)
    )
}

impl Shape {
    /// Builds the tree where it is not there yet. With `hard`, five files of each directory have another name.
    fn build(&self, hard: bool) -> Result<std::path::PathBuf> {
        let path = kept(&format!("{}{}", self.name, if hard { "-hard" } else { "" }));
        let done = path.with_extension("done");
        if done.exists() {
            return Ok(path);
        }
        println!("building {}", path.display());
        let build = || -> std::io::Result<()> {
            if path.exists() {
                fs::remove_dir_all(&path)?;
            }
            for number in 0..self.directories {
                self.directory(&path, number, hard)?;
            }
            fs::write(&done, "")
        };
        build().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    fn directory(&self, root: &Path, number: usize, hard: bool) -> std::io::Result<()> {
        let name = |number: usize| format!("{:04}/{:03}", number / 100, number % 100);
        let here = root.join(name(number));
        fs::create_dir_all(&here)?;
        for file in 0..self.files {
            fs::File::create(here.join(format!("file-{file:04}.dat")))?;
        }
        for link in 0..self.links {
            let target = match (number + link) % 4 {
                0 => format!("file-{link:04}.dat"),
                1 => format!("gone-{link}"),
                2 => format!("../../{}/file-0001.dat", name((number + 1) % self.directories)),
                _ => format!("../nowhere/{link}"),
            };
            symlink(target, here.join(format!("link-{link:03}")))?;
        }
        for file in 0..if hard { 5 } else { 0 } {
            fs::hard_link(here.join(format!("file-{file:04}.dat")), here.join(format!("name-{file}")))?;
        }
        Ok(())
    }
}

/// Both commands print the same paths.
fn same(ours: &[&str], theirs: &[&str]) -> Result<()> {
    let lines = |words: &[&str]| -> Result<BTreeSet<Vec<u8>>> {
        let printed = quietly(Command::new(words[0]).args(&words[1..]))?;
        Ok(printed.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect())
    };
    if lines(ours)? == lines(theirs)? { Ok(()) } else { Err(format!("{ours:?} and {theirs:?} differ")) }
}

fn drop_caches() -> Result<()> {
    // What was written is flushed first, or it would stay.
    quietly(&mut Command::new("sync"))?;
    fs::write("/proc/sys/vm/drop_caches", "3").map_err(|error| format!("cannot drop the caches: {error}"))
}

/// The least that any walk has to do: opens every directory, and reads it with `getdents64`.
pub(crate) fn getdents(directory: &str) -> Result<()> {
    use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut buffer: Vec<u8> = Vec::with_capacity(128 * 1024);
    let root = openat(CWD, directory, flags, Mode::empty()).map_err(|error| error.to_string())?;
    let mut pending = vec![root];
    while let Some(opened) = pending.pop() {
        let mut entries = RawDir::new(&opened, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|error| error.to_string())?;
            let name = entry.file_name();
            if entry.file_type() == FileType::Directory && name.to_bytes() != b"." && name.to_bytes() != b".." {
                pending.push(openat(&opened, name, flags, Mode::empty()).map_err(|error| error.to_string())?);
            }
        }
    }
    Ok(())
}
