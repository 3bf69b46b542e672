//! `cargo xtask fuzz`: every fuzz target for a while, beginning with the seeds kept in the repository.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::fs::{XattrFlags, lsetxattr};

use crate::Result;
use crate::readme::TempDir;
use crate::run::{cargo, entries, program, quietly, root, run};

/// Against what hangs, however busy the machine is. The targets themselves measure what each input takes.
const LIMITS: &[&str] =
    &["-timeout=30", "-rss_limit_mb=1024", "-max_len=16400", "-len_control=20", "-print_final_stats=1"];

/// Runs each target of `fuzz/fuzz_targets` for `seconds`.
pub(crate) fn fuzz(seconds: u64) -> Result<()> {
    quietly(&mut cargo(&["+nightly", "fuzz", "--version"])).map_err(|error| {
        format!(
            "{error}\nfuzzing needs nightly Rust and cargo-fuzz. Type:\n\n    \
             rustup toolchain install nightly && cargo install --locked cargo-fuzz\n"
        )
    })?;
    let home = root().join("fuzz");
    let image = home.join("base/volume.img");
    if !image.exists() {
        println!("==> making {}", image.display());
        base(&image)?;
    }
    let targets = targets(&home)?;
    for target in &targets {
        println!("==> fuzzing {target} for {seconds} s");
        let corpus = home.join("corpus").join(target);
        copy_seeds(&home.join("seeds").join(target), &corpus)?;
        // There is no unsafe code to watch, and patches are compared with nothing: without either, five times as much
        // is tried.
        let how = ["+nightly", "fuzz", "run", "--sanitizer", "none", "--no-trace-compares", target, "--"];
        let time = format!("-max_total_time={seconds}");
        run(cargo(&how).arg(time).args(LIMITS))?;
    }
    println!("{} fuzz targets ran, no finding", targets.len());
    Ok(())
}

/// Checks that the fuzz targets still compile, with the stable compiler everybody has.
pub(crate) fn compiles() -> Result<()> {
    let mut command = cargo(&["check", "--manifest-path", "fuzz/Cargo.toml"]);
    // Nothing is linked by a check, so the fuzzing engine need not be built from its C++ source. Naming a library
    // keeps its build script from doing so.
    run(command.env("CUSTOM_LIBFUZZER_PATH", "/not-linked/libfuzzer.a"))
}

fn targets(home: &Path) -> Result<Vec<String>> {
    let directory = home.join("fuzz_targets");
    let names: Vec<String> = entries(&directory)?
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    if names.is_empty() { Err(format!("no fuzz target in {}", directory.display())) } else { Ok(names) }
}

/// The fuzzer adds what it finds to its corpus; the seeds in the repository stay as they are. A target that begins
/// with a sound volume has none.
fn copy_seeds(seeds: &Path, corpus: &Path) -> Result<()> {
    fs::create_dir_all(corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    if !seeds.exists() {
        return Ok(());
    }
    for seed in entries(seeds)? {
        let Some(name) = seed.file_name() else { continue };
        fs::copy(&seed, corpus.join(name)).map_err(|error| format!("{}: {error}", seed.display()))?;
    }
    Ok(())
}

/// Makes the volume that the targets damage: small, so that much can be tried, and with every structure on it. Needs
/// root.
fn base(image: &Path) -> Result<()> {
    let home = TempDir::new()?;
    let (made, disk) = (home.path().join("image"), home.path().join("disk"));
    let fail = |error: io::Error| format!("{}: {error}", image.display());
    fs::create_dir(&disk).and_then(|()| fs::File::create_new(&made)?.set_len(3 << 20)).map_err(fail)?;
    quietly(program("mkntfs", &["-F", "-Q", "-q", "-c", "512", "-L", "base"]).arg(&made))?;
    // In the foreground: the volume is whole when the program has ended, not when `umount` has.
    let mut server = program("ntfs-3g", &["-o", "no_detach"]).arg(&made).arg(&disk).spawn().map_err(fail)?;
    let filled = mounted(&mut server, &disk).and_then(|()| fill(&disk));
    let unmounted = quietly(&mut unmount(&disk));
    if unmounted.is_err() {
        server.kill().map_err(fail)?;
    }
    server.wait().map_err(fail)?;
    filled.map_err(fail)?;
    unmounted?;
    let keep = || {
        fs::create_dir_all(image.parent().unwrap_or(image))?;
        let staged = image.with_extension("new");
        fs::copy(&made, &staged)?;
        fs::rename(&staged, image)
    };
    keep().map_err(fail)
}

fn unmount(disk: &Path) -> Command {
    let mut command = program("umount", &[]);
    command.arg(disk);
    command
}

fn mounted(server: &mut Child, disk: &Path) -> io::Result<()> {
    let outside = disk.parent().unwrap_or(disk).metadata()?.dev();
    for _ in 0..500 {
        if disk.metadata()?.dev() != outside {
            return Ok(());
        }
        if let Some(status) = server.try_wait()? {
            return Err(io::Error::other(format!("ntfs-3g: {status}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(io::Error::other("ntfs-3g mounts nothing"))
}

fn fill(disk: &Path) -> io::Result<()> {
    let file = |name: &str| {
        let path = disk.join(name);
        fs::create_dir_all(path.parent().unwrap_or(disk))?;
        fs::write(path, name)
    };
    // One more name for a link is made before it is one: afterwards the kernel knows the file by another kind.
    let point = |name: &str, data: &[u8]| {
        lsetxattr(disk.join(name), "system.ntfs_reparse_data", data, XattrFlags::empty())?;
        Ok(())
    };
    let to_file = |name: &str, target: &str| file(name).and_then(|()| point(name, &reparse_data(target)));
    let to_directory = |name: &str, target: &str| {
        fs::create_dir_all(disk.join(name))?;
        point(name, &reparse_data(target))
    };
    file("Real/deep/f")?;
    file("Real/other")?;
    for (name, target) in [
        ("plain", r"\??\C:\Real"),
        ("to a link", r"\??\C:\junctions\plain\deep"),
        ("to itself", r"\??\C:\junctions\to itself"),
        ("elsewhere", r"\??\D:\Real"),
        ("relative", r"..\Real\deep"),
        ("gone", r"\??\C:\Real\gone\x"),
    ] {
        to_directory(&format!("junctions/{name}"), target)?;
    }
    for (name, target) in [
        ("loops/a", "b"),
        ("loops/b", "a"),
        ("links/up", r"..\Real\other"),
        ("links/dots", r"..\Real\..\Real\.\deep\..\other"),
        ("links/through", r"..\junctions\plain\deep\f"),
        ("links/kind", r"..\Real"),
        ("links/rooted", r"\Real\OTHER"),
    ] {
        to_file(name, target)?;
    }
    for hop in 1..=5 {
        let next = if hop == 5 { r"..\Real".to_owned() } else { (hop + 1).to_string() };
        to_directory(&format!("chain/{hop}"), &next)?;
    }
    // Data that their records have no room for.
    for length in [400, 1500, 4000] {
        let target: String = (0..length).map(|at| if at % 50 == 49 { '\\' } else { 'x' }).collect();
        to_file(&format!("long/{length}"), &target)?;
    }
    // Many names, and so several records and an attribute list; one that is a link, and one of streams alone.
    for name in ["names/file", "names/link"] {
        file(name)?;
        for other in 1..40 {
            fs::hard_link(disk.join(name), disk.join(format!("{name}, by another name, number {other}")))?;
        }
    }
    point("names/link", &reparse_data(r"..\Real\other"))?;
    file("names/streams")?;
    for stream in 0..40 {
        let name = format!("user.stream number {stream}");
        lsetxattr(disk.join("names/streams"), &name, &[7; 60], XattrFlags::empty())?;
    }
    fs::hard_link(disk.join("names/streams"), disk.join("names/streams, again"))?;
    // An index of links with several blocks, and records that are free again.
    for link in 0..150 {
        to_file(&format!("many/{link}"), r"..\Real")?;
    }
    for link in (0..30).step_by(3) {
        // The kernel may still take it for the file that it was.
        let path = disk.join(format!("many/{link}"));
        fs::remove_file(&path).or_else(|_| fs::remove_file(&path))?;
    }
    // What ntfs-3g makes of it: a link of WSL or of Interix.
    symlink("../Real/other", disk.join("links/wsl"))?;
    Ok(())
}

/// A junction for what begins as an NT path does, or a relative symbolic link.
fn reparse_data(target: &str) -> Vec<u8> {
    let text: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u16::try_from(text.len()).unwrap_or(0);
    let junction = target.starts_with(r"\??\");
    let names = if junction { [0, length, length + 2, 0] } else { [0, length, 0, length] };
    let mut data: Vec<u8> = names.into_iter().flat_map(u16::to_le_bytes).collect();
    data.extend(if junction { &[][..] } else { &[1, 0, 0, 0] });
    data.extend(&text);
    data.extend(if junction { &[0; 4][..] } else { &[] });
    let tag: u32 = if junction { 0xa000_0003 } else { 0xa000_000c };
    let total = u16::try_from(data.len()).unwrap_or(0);
    [&tag.to_le_bytes()[..], &total.to_le_bytes(), &[0, 0], &data].concat()
}
