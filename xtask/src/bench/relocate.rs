//! `move` beside what people do by hand: copy, flush, remove. Two ext4 volumes in image files below `target/bench`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{kept, median, millis, program, text};
use crate::Result;
use crate::run::quietly;

const ROUNDS: usize = 5;

/// What is moved.
struct Load {
    name: &'static str,
    make: fn(&Path) -> std::io::Result<()>,
    /// The most of the time of `cp -a`, `sync -f`, `rm -r` that `--verify metadata` and `--verify full` may take.
    most: [f64; 2],
}

const LOADS: [Load; 2] = [
    Load { name: "20,000 files of 4 to 16 KiB", make: small, most: [0.9, 1.25] },
    Load { name: "4 files of 512 MiB", make: large, most: [1.05, 1.5] },
];

fn small(root: &Path) -> std::io::Result<()> {
    let content: Vec<u8> = (0..16_384u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for directory in 0..200 {
        let directory_path = root.join(format!("d{directory:03}"));
        fs::create_dir_all(&directory_path)?;
        for file in 0..100 {
            let length = 4_096 + (directory * 100 + file) * 7_919 % 12_288;
            fs::write(directory_path.join(format!("f{file:02}")), &content[..length])?;
        }
    }
    Ok(())
}

fn large(root: &Path) -> std::io::Result<()> {
    fs::create_dir_all(root)?;
    let content: Vec<u8> = (0..1u32 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for number in 0..4 {
        let mut file = File::create(root.join(number.to_string()))?;
        for _ in 0..512 {
            file.write_all(&content)?;
        }
    }
    Ok(())
}

/// A mounted ext4 volume. Dropping it unmounts and removes it.
pub(super) struct Volume(pub(super) PathBuf);

impl Volume {
    pub(super) fn new(name: &str) -> Result<Self> {
        let point = kept(name);
        let image = point.with_extension("img");
        let io = |error: std::io::Error| format!("{}: {error}", point.display());
        fs::create_dir_all(&point).map_err(io)?;
        File::create(&image).and_then(|file| file.set_len(8 << 30)).map_err(io)?;
        quietly(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
        quietly(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&point))?;
        Ok(Self(point))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if quietly(Command::new("umount").arg(&self.0)).is_ok() {
            drop(fs::remove_dir(&self.0));
            drop(fs::remove_file(self.0.with_extension("img")));
        }
    }
}

pub(crate) fn relocate() -> Result<()> {
    let ours = program()?;
    let (from, to, spare) = (Volume::new("move-from")?, Volume::new("move-to")?, Volume::new("move-spare")?);
    let state = spare.0.join("state");
    println!(
        "\n| what is moved | program | median | beside cp + sync + rm | to reach | beside rsync + sync + rm | to reach |"
    );
    println!("|---|---|---|---|---|---|---|");
    for load in LOADS {
        let model = spare.0.join("model");
        (load.make)(&model).map_err(|error| format!("{}: {error}", model.display()))?;
        let (source, target) = (from.0.join("tree"), to.0.join("tree"));
        let (source, target) = (text(&source)?, text(&target)?);
        let hand = |copy: &str| format!("{copy} && sync -f '{target}' && rm -r '{source}'");
        let moved = |verify: &str| {
            format!(
                "LINKCTL_STATE_DIR='{}' '{ours}' move --yes --verify {verify} '{source}' '{target}' && sync -f '{target}'",
                state.display()
            )
        };
        let programs = [
            ("move --verify metadata", moved("metadata")),
            ("move --verify full", moved("full")),
            ("cp -a, sync -f, rm -r", hand(&format!("cp -a '{source}' '{target}'"))),
            ("rsync -aHAX, sync -f, rm -r", hand(&format!("rsync -aHAX '{source}/' '{target}/'"))),
        ];
        let mut times = vec![Vec::new(); programs.len()];
        // The first round brings programs into the cache, and does not count.
        for round in 0..=ROUNDS {
            for (index, (_, script)) in programs.iter().enumerate() {
                let prepare = format!(
                    "rm -rf '{source}' '{target}' && cp -a '{}' '{source}' && sync && sleep 0.2",
                    model.display()
                );
                run(&prepare)?;
                let begin = Instant::now();
                run(script)?;
                if round > 0 {
                    times[index].push(begin.elapsed());
                }
            }
        }
        let medians: Vec<Duration> = times.into_iter().map(median).collect();
        let ratio = |index: usize, peer: usize| medians[index].as_secs_f64() / medians[peer].as_secs_f64();
        for (index, (name, _)) in programs.iter().enumerate() {
            let told = match load.most.get(index) {
                Some(most) => format!("{:.2} | {most} | {:.2} | 0.8", ratio(index, 2), ratio(index, 3)),
                None => "- | - | - | -".to_owned(),
            };
            println!("| {} | `{name}` | {:.0} ms | {told} |", load.name, millis(medians[index]));
        }
        fs::remove_dir_all(&model).map_err(|error| format!("{}: {error}", model.display()))?;
    }
    Ok(())
}

fn run(script: &str) -> Result<()> {
    let mut command = Command::new("bash");
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null());
    quietly(&mut command).map(drop)
}
