//! `list --volume` on images of NTFS volumes: beside `find` on ntfs-3g, beside what has to be read at least, and as
//! files or links become ten times as many. The images are sparse files, kept below `target/bench`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Advice, XattrFlags, fadvise, lsetxattr};

use super::{Peer, Took, in_turn, kept, memory, millis, program, text};
use crate::Result;
use crate::run::{self, quietly, succeeds};

const ROUNDS: usize = 15;
/// Processor time comes in steps of 10 ms: a mean of many rounds is finer.
const PROCESSOR_ROUNDS: usize = 60;

/// The same for all, so that volumes differ in what is on them alone. An eighth is the zone where the `$MFT` can
/// grow in few pieces.
const SIZE: u64 = 32 << 30;
/// Directories with files and junctions in them, in directories of `NESTED` each.
const DIRECTORIES: usize = 2_000;
const NESTED: usize = 40;

/// What is in each of the directories. Every tenth file has text in it, and every tenth junction leads nowhere.
struct Shape {
    name: &'static str,
    files: usize,
    junctions: usize,
    /// Files with another name in the next directory.
    hard: usize,
}

/// 200,000 files, 2,000 junctions.
const A: Shape = Shape { name: "A", files: 100, junctions: 1, hard: 0 };
/// Ten times the files.
const B: Shape = Shape { name: "B", files: 1_000, ..A };
/// Ten times the junctions.
const C: Shape = Shape { name: "C", junctions: 10, ..A };
/// A with 20,000 hard links.
const D: Shape = Shape { name: "D", hard: 10, ..A };

/// A row of the table that is printed at the end.
struct Row {
    work: String,
    ours: String,
    beside: String,
    is: f64,
    bound: Bound,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Nothing was asked of it: it is told to show what the others depend on.
    Told,
}

pub(crate) fn volume() -> Result<()> {
    let ours = program()?;
    let (a, b, c, d) = (A.build()?, B.build()?, C.build()?, D.build()?);
    for image in [&a, &b, &c, &d] {
        forget(image).map_err(|error| format!("{}: {error}", image.display()))?;
    }
    let (a, b, c, d) = (text(&a)?, text(&b)?, text(&c)?, text(&d)?);
    let mut rows = beside_find(&ours, a)?;
    rows.extend(bytes_read(&ours, a)?);
    rows.extend(growth(&ours, [a, b, c])?);
    rows.extend(hard(&ours, a, d)?);
    println!("\nwarm cache, {ROUNDS} rounds, medians of wall time; of processor time the mean of {PROCESSOR_ROUNDS}");
    println!("\n| work | linkctl | beside | is | to reach |\n|---|---|---|---|---|");
    rows.iter().for_each(Row::print);
    Ok(())
}

fn by_index<'a>(ours: &'a str, image: &'a str) -> [&'a str; 6] {
    [ours, "list", "--volume", image, "--format", "paths"]
}

fn with_states<'a>(ours: &'a str, image: &'a str) -> [&'a str; 4] {
    [ours, "list", "--volume", image]
}

fn beside_find(ours: &str, image: &str) -> Result<Vec<Row>> {
    let mounted = Mounted::new(Path::new(image), "ro")?;
    let find = ["find", text(&mounted.point)?, "-type", "l"];
    let (links, theirs) = (lines(&by_index(ours, image))?, lines(&find)?);
    if (links, theirs) != (A.links(), A.links()) {
        return Err(format!("{} links: `list` finds {links}, `find` {theirs}", A.links()));
    }
    quietly(&mut command(&with_states(ours, image)))?;
    let peers = || [Peer::new(&by_index(ours, image)), Peer::new(&with_states(ours, image)), Peer::new(&find)];
    let free = in_turn(&peers(), ROUNDS, || Ok(()))?;
    // Each answer of ntfs-3g wakes `find`. Where that is an idle processor that has to be woken, too, most of the time
    // is spent on it, or not, as the load of the machine has it; on one processor there is nothing to wake.
    mounted.on_one_processor()?;
    let mut pinned = peers();
    pinned[2] = Peer::new(&[&["taskset", "--cpu-list", "0"][..], &find].concat());
    let one = in_turn(&pinned, ROUNDS, || Ok(()))?;
    mounted.unmount()?;
    let mut rows = Vec::new();
    let places = [(free, "ntfs-3g", true), (one, "ntfs-3g, both on one processor", false)];
    for (took, place, asked) in places {
        for (work, ours) in ["list --volume --format paths", "list --volume"].into_iter().zip(&took) {
            rows.push(Row {
                work: format!("`{work}` (A), times faster"),
                ours: wall(*ours),
                beside: format!("`find -type l` on {place}, {}", wall(took[2])),
                is: took[2].wall.as_secs_f64() / ours.wall.as_secs_f64(),
                bound: if asked { Bound::AtLeast(20.0) } else { Bound::Told },
            });
        }
    }
    Ok(rows)
}

fn bytes_read(ours: &str, image: &str) -> Result<Vec<Row>> {
    let stats = Stats::of(&[ours, "list", "--volume", image, "--json", "--stats"])?;
    let least = stats.index_bytes + (stats.link_records + stats.parent_records) * stats.record_size;
    let words = [&by_index(ours, image)[..], &["--stats"]].concat();
    let output = command(&words).output().map_err(|error| format!("{words:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let without = said.lines().find_map(|line| line.strip_prefix("stats: ")?.split_once(" bytes"));
    let without = without.and_then(|(before, _)| before.rsplit(' ').next()?.parse::<f64>().ok());
    let Some(without) = without else { return Err(format!("{words:?} tells no statistics: {said}")) };
    let row = |work: &str, bytes: f64| Row {
        work: format!("bytes read by `{work}` (A)"),
        ours: kib(bytes),
        beside: format!("the index and the records of links and their parents, {}", kib(least)),
        is: bytes / least,
        bound: Bound::AtMost(2.0),
    };
    Ok(vec![row("list --volume --format paths", without), row("list --volume", stats.bytes)])
}

fn growth(ours: &str, images: [&str; 3]) -> Result<Vec<Row>> {
    let mut peers = Vec::new();
    for image in images {
        peers.extend([Peer::new(&by_index(ours, image)), Peer::new(&with_states(ours, image))]);
    }
    // A peer that fails would be quick.
    for (image, shape) in images.into_iter().zip([A, B, C]) {
        let links = lines(&by_index(ours, image))?;
        if links != shape.links() {
            return Err(format!("{}: {links} links instead of {}", shape.name, shape.links()));
        }
    }
    let took = in_turn(&peers, ROUNDS, || Ok(()))?;
    let mut rows = Vec::new();
    for (more, first, most) in [("ten times the files (B)", 2, 1.2), ("ten times the links (C)", 4, 11.0)] {
        for (way, work) in ["list --volume --format paths", "list --volume"].into_iter().enumerate() {
            let (less, more_took) = (took[way], took[first + way]);
            rows.push(Row {
                work: format!("`{work}`, {more}"),
                ours: wall(more_took),
                beside: format!("A, {}", wall(less)),
                is: more_took.wall.as_secs_f64() / less.wall.as_secs_f64(),
                bound: Bound::AtMost(most),
            });
        }
    }
    Ok(rows)
}

fn hard(ours: &str, plain: &str, image: &str) -> Result<Vec<Row>> {
    // What was read here and there before lies in small pieces in the cache, which `cat` has no share in.
    for image in [plain, image] {
        forget(Path::new(image)).map_err(|error| format!("{image}: {error}"))?;
    }
    let stats = Stats::of(&[ours, "list", "--volume", image, "--hard", "--json", "--stats"])?;
    let words = [ours, "list", "--volume", image, "--hard", "--format", "paths"];
    // Each file with another name is listed by both.
    let (names, expected) = (lines(&words)?, 2 * D.hard * DIRECTORIES);
    if names != expected {
        return Err(format!("`list --hard` prints {names} lines for {expected} names"));
    }
    // `$MFT` begins near the start of the volume: this is mostly the same bytes, and as many.
    let copy = Temporary(kept("volume-copy"));
    let write = || -> io::Result<()> {
        let mut copied = File::create(&copy.0)?;
        io::copy(&mut File::open(image)?.take(stats.mft_bytes as u64), &mut copied)?;
        forget(&copy.0)
    };
    write().map_err(|error| format!("{}: {error}", copy.0.display()))?;
    // The pass alone, and with the names of 20,000 files to be put together, sorted and printed.
    let pass = Peer::new(&[ours, "list", "--volume", plain, "--hard", "--format", "paths"]);
    let peers = [pass, Peer::new(&words), Peer::new(&["cat", text(&copy.0)?])];
    let took = in_turn(&peers, PROCESSOR_ROUNDS, || Ok(()))?;
    let speed = |took: Took| stats.mft_bytes / took.processor.as_secs_f64().max(1e-3);
    let told =
        |took: Took| format!("{:.1} ms ({} wall), {:.0} MB/s", millis(took.processor), wall(took), speed(took) / 1e6);
    let most = f64::from(64 << 20) + 120.0 * (D.files * DIRECTORIES) as f64;
    let memory = memory(&words)? as f64 * 1024.0;
    Ok(vec![
        Row {
            work: "one pass of `--hard` (A), bytes of `$MFT` for each second of processor time".to_owned(),
            ours: told(took[0]),
            beside: format!("`cat` of as many bytes, {}", told(took[2])),
            is: speed(took[0]) / speed(took[2]),
            bound: Bound::AtLeast(0.5),
        },
        Row {
            work: "... and 40,000 names of 20,000 files put together, sorted and printed (D)".to_owned(),
            ours: told(took[1]),
            beside: format!("`cat` of as many bytes, {}", told(took[2])),
            is: speed(took[1]) / speed(took[2]),
            bound: Bound::AtLeast(0.5),
        },
        Row {
            work: "... bytes read".to_owned(),
            ours: kib(stats.bytes),
            beside: format!("`$MFT`, {}", kib(stats.mft_bytes)),
            is: stats.bytes / stats.mft_bytes,
            bound: Bound::AtMost(1.05),
        },
        Row {
            work: "... memory at its most".to_owned(),
            ours: kib(memory),
            beside: format!("64 MiB and 120 bytes for each file, {}", kib(most)),
            is: memory / most,
            bound: Bound::AtMost(1.0),
        },
    ])
}

impl Row {
    fn print(&self) {
        let (reached, bound) = match self.bound {
            Bound::AtLeast(least) => (self.is >= least, format!("at least {least}")),
            Bound::AtMost(most) => (self.is <= most, format!("at most {most}")),
            Bound::Told => (true, "-".to_owned()),
        };
        let missed = if reached { "" } else { " (missed)" };
        println!("| {} | {} | {} | {:.2}{missed} | {bound} |", self.work, self.ours, self.beside, self.is);
    }
}

fn wall(took: Took) -> String {
    format!("{:.1} ms", millis(took.wall))
}

fn kib(bytes: f64) -> String {
    format!("{:.0} KiB", bytes / 1024.0)
}

fn command(words: &[&str]) -> Command {
    run::program(words[0], &words[1..])
}

/// Takes the file out of the page cache. What came there by the small writes of ntfs-3g is in small pieces, and is
/// read at half the speed of what came from the disk: whether an image is new must not matter.
fn forget(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
}

/// How many lines the command prints.
fn lines(words: &[&str]) -> Result<usize> {
    Ok(quietly(&mut command(words))?.iter().filter(|&&byte| byte == b'\n').count())
}

/// What `--stats` tells of the one volume that was read.
struct Stats {
    bytes: f64,
    index_bytes: f64,
    link_records: f64,
    parent_records: f64,
    record_size: f64,
    mft_bytes: f64,
}

impl Stats {
    fn of(words: &[&str]) -> Result<Self> {
        Self::parse(&String::from_utf8_lossy(&quietly(&mut command(words))?))
            .map_err(|error| format!("{words:?}: {error}"))
    }

    fn parse(json: &str) -> Result<Self> {
        // Within a string, the quotes would be escaped.
        let (_, stats) = json.split_once("\"stats\":").ok_or("no member \"stats\"")?;
        let (stats, _) = stats.split_once(']').ok_or("\"stats\" has no end")?;
        let number = |name: &str| {
            let (_, value) = stats.split_once(&format!("\"{name}\":"))?;
            value.split([',', '}']).next()?.trim().parse().ok()
        };
        let number = |name: &str| number(name).ok_or_else(|| format!("no number {name:?} in \"stats\""));
        Ok(Self {
            bytes: number("bytes")?,
            index_bytes: number("index_bytes")?,
            link_records: number("link_records")?,
            parent_records: number("parent_records")?,
            record_size: number("record_size")?,
            mft_bytes: number("mft_bytes")?,
        })
    }
}

impl Shape {
    fn links(&self) -> usize {
        self.junctions * DIRECTORIES
    }

    /// The image, made where it is not there yet.
    fn build(&self) -> Result<PathBuf> {
        let image = kept(&format!("volume-{}.img", self.name));
        let done = image.with_extension("done");
        if done.exists() {
            return Ok(image);
        }
        println!("building {}", image.display());
        let begin = Instant::now();
        let failed = |error: io::Error| format!("{}: {error}", image.display());
        if let Err(error) = self.make(&image) {
            fs::remove_file(&image).map_err(failed)?;
            return Err(error);
        }
        fs::write(&done, "").map_err(failed)?;
        println!("  took {:.0} s", begin.elapsed().as_secs_f64());
        Ok(image)
    }

    fn make(&self, image: &Path) -> Result<()> {
        let failed = |error: io::Error| format!("{}: {error}", image.display());
        fs::create_dir_all(kept("")).map_err(failed)?;
        // Not `create_new`: an earlier run may have been stopped.
        File::create(image).and_then(|file| file.set_len(SIZE)).map_err(failed)?;
        quietly(run::program("mkntfs", &["--force", "--quick", "--quiet"]).arg(image))?;
        let mounted = Mounted::new(image, "noatime,big_writes")?;
        self.fill(&mounted.point).map_err(failed)?;
        mounted.unmount()
    }

    fn fill(&self, root: &Path) -> io::Result<()> {
        for directory in 0..DIRECTORIES {
            let here = root.join(name(directory));
            fs::create_dir_all(&here)?;
            let mut junction = 0;
            for file in 0..self.files {
                let mut created = File::create_new(here.join(format!("file-{file:04}.dat")))?;
                if file % 10 == 0 {
                    created.write_all(&[b'x'; 300][..100 + file % 200])?;
                }
                // In the midst of the files, so that no two records of interest are neighbours.
                if (2 * junction + 1) * self.files <= 2 * self.junctions * file {
                    self.junction(&here, directory, junction)?;
                    junction += 1;
                }
            }
        }
        for directory in 0..DIRECTORIES {
            let (here, next) = (root.join(name(directory)), root.join(name((directory + 1) % DIRECTORIES)));
            for file in 0..self.hard {
                fs::hard_link(here.join(format!("file-{file:04}.dat")), next.join(format!("name-{file}")))?;
            }
        }
        Ok(())
    }

    fn junction(&self, here: &Path, directory: usize, number: usize) -> io::Result<()> {
        let serial = directory * self.junctions + number;
        let target = match serial % 10 {
            3 => format!("gone/{serial}"),
            _ => name((directory * 7 + number * 131 + 1) % DIRECTORIES),
        };
        let path = here.join(format!("junction-{number}"));
        fs::create_dir(&path)?;
        let data = reparse_data(&format!("C:\\{}", target.replace('/', "\\")));
        Ok(lsetxattr(&path, "system.ntfs_reparse_data", &data, XattrFlags::CREATE)?)
    }
}

fn name(directory: usize) -> String {
    format!("d{:04}/d{:04}", directory / NESTED, directory % NESTED)
}

/// The reparse point of a junction to `target`.
fn reparse_data(target: &str) -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let (real, shown) = (utf16(&format!("\\??\\{target}")), utf16(target));
    // Two zeros end each name. Targets here are short: no length comes near 65,536.
    let lengths = [real.len() + shown.len() + 12, 0, 0, real.len(), real.len() + 2, shown.len()];
    let mut data = 0xa000_0003_u32.to_le_bytes().to_vec();
    data.extend(lengths.into_iter().flat_map(|length| (length as u16).to_le_bytes()));
    data.extend([&real[..], &[0, 0], &shown, &[0, 0]].concat());
    data
}

/// An image, mounted by ntfs-3g as a child of this process: its end says that all is written, and what stops this
/// process from the terminal stops it as well. Dropping it unmounts it.
struct Mounted {
    point: PathBuf,
    /// None when it has been unmounted.
    driver: Option<Child>,
}

impl Mounted {
    fn new(image: &Path, options: &str) -> Result<Self> {
        let point = kept("volume-mount");
        let failed = |error: io::Error| format!("{}: {error}", point.display());
        // Of a run that was killed.
        let _ = succeeds(run::program("umount", &[]).arg(&point));
        fs::create_dir_all(&point).map_err(failed)?;
        let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev());
        let unmounted = device(&point).map_err(failed)?;
        let mut driver = run::program("ntfs-3g", &["-o", &format!("no_detach,{options}")])
            .args([image, &point])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start ntfs-3g: {error}"))?;
        let begin = Instant::now();
        while device(&point).is_ok_and(|now| now == unmounted) {
            if !matches!(driver.try_wait(), Ok(None)) || begin.elapsed() > Duration::from_secs(30) {
                // One that has ended already cannot be killed; that is no matter.
                drop(driver.kill());
                let said = driver.wait_with_output().map(|output| output.stderr).unwrap_or_default();
                drop(fs::remove_dir(&point));
                return Err(format!("{}: cannot mount: {}", image.display(), String::from_utf8_lossy(&said)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { point, driver: Some(driver) })
    }

    fn on_one_processor(&self) -> Result<()> {
        let Some(driver) = &self.driver else { return Ok(()) };
        let process = driver.id().to_string();
        quietly(&mut run::program("taskset", &["--cpu-list", "--pid", "0", &process])).map(|_| ())
    }

    fn unmount(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(mut driver) = self.driver.take() else { return Ok(()) };
        let unmount = |options: &[&str]| succeeds(run::program("umount", options).arg(&self.point));
        // A process that ends may hold the volume a moment longer.
        let quickly = (0..50).any(|attempt| {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(100));
            }
            unmount(&[])
        });
        if !quickly && !unmount(&["--lazy"]) {
            return Err(format!("{} stays mounted", self.point.display()));
        }
        let failed = |error: io::Error| format!("{}: {error}", self.point.display());
        fs::remove_dir(&self.point).map_err(failed)?;
        if !quickly {
            return Err(format!("{} was in use, and is written when it no longer is", self.point.display()));
        }
        let ended = driver.wait().map_err(failed)?;
        if ended.success() { Ok(()) } else { Err(format!("ntfs-3g: {ended}")) }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("xtask: {error}");
        }
    }
}

/// A file that is removed in the end.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            eprintln!("xtask: {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_found_behind_anything_a_path_may_hold() -> Result<()> {
        let json = r#"{"links": [{"path": "\"stats\":[{\"bytes\":1}]"}], "stats": [
            {"way": "index", "index_bytes": 2, "bytes": 3, "link_records": 4, "parent_records": 5,
             "record_size": 1024, "mft_bytes": 6}]}"#;
        let stats = Stats::parse(json)?;
        assert_eq!((stats.bytes, stats.index_bytes, stats.mft_bytes), (3.0, 2.0, 6.0));
        assert_eq!(Stats::parse("{}").err().as_deref(), Some("no member \"stats\""));
        Ok(())
    }

    #[test]
    fn a_junction_is_what_windows_makes() {
        let data = reparse_data("C:\\t");
        assert_eq!(data[..16], [3, 0, 0, 0xa0, 0x24, 0, 0, 0, 0, 0, 0x10, 0, 0x12, 0, 8, 0]);
        assert_eq!((data.len(), &data[16..20]), (8 + 0x24, &b"\\\0?\0"[..]));
    }
}
