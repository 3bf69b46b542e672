//! The programs that the checks need. On Debian, as root, they are installed; elsewhere they are asked for.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Result;
use crate::run::{cargo, program, run, succeeds};
use crate::test::Extent;

/// Program looked for, Debian package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    // volumes
    ("ntfs-3g", "ntfs-3g"),
    ("mkntfs", "ntfs-3g"),
    ("ntfsinfo", "ntfs-3g"),
    ("ntfslabel", "ntfs-3g"),
    ("mkfs.ext4", "e2fsprogs"),
    ("tune2fs", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("fusermount3", "fuse3"),
    ("bindfs", "bindfs"),
    ("mount", "mount"),
    ("losetup", "mount"),
    ("unshare", "util-linux"),
    ("flock", "util-linux"),
    ("btrfs", "btrfs-progs"),
    // what is kept beside a file's content
    ("getfattr", "attr"),
    ("setfattr", "attr"),
    ("setfacl", "acl"),
    ("rsync", "rsync"),
    // kills and faults at a chosen system call
    ("strace", "strace"),
    // other users, terminals, man pages, completions
    ("sudo", "sudo"),
    ("tmux", "tmux"),
    ("mandoc", "mandoc"),
    ("bash", "bash"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    // SQLite is compiled from its C source
    ("cc", "gcc"),
    // the list of files the house rules are for
    ("git", "git"),
];

/// What builds for Windows and runs that. A name with a slash is a file, which need not be a program: rustup's
/// `cargo` hides Debian's, and source code is none.
const WINDOWS: &[(&str, &str)] = &[
    ("/usr/bin/cargo", "cargo-web"),
    ("/usr/bin/rustc", "rustc-web"),
    ("/usr/bin/cargo-clippy", "rust-web-clippy"),
    ("/usr/lib/rustlib/src/rust/library/std/src/lib.rs", "rust-web-src"),
    ("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
    ("x86_64-w64-mingw32-objdump", "binutils-mingw-w64-x86-64"),
    ("x86_64-w64-mingw32-strip", "binutils-mingw-w64-x86-64"),
    ("wine", "wine"),
    ("wineserver", "wine"),
    ("/usr/lib/wine/wine64", "wine64"),
];

/// What benchmarks are compared with.
const PEERS: &[(&str, &str)] =
    &[("bfs", "bfs"), ("fdfind", "fd-find"), ("find", "findutils"), ("symlinks", "symlinks"), ("rsync", "rsync")];

/// The version is fixed to a minor: another one may read `deny.toml` differently. Not optimised: it runs for seconds, and
/// is built in two minutes instead of seven.
const CARGO_DENY: &[&str] =
    &["install", "--locked", "--debug", "cargo-deny", "--version", "^0.20", "--no-default-features"];

/// Whether this process may mount volumes.
pub(crate) fn is_root() -> bool {
    // The owner of /proc/self is the effective user; the standard library has no `geteuid`.
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Makes sure every tool is there, installing it where that can be done without asking.
pub(crate) fn ensure(extent: Extent) -> Result<()> {
    if !is_root() {
        return Err("the tests mount volumes and need root. Type:\n\n    \
                    sudo -E env \"PATH=$PATH\" cargo xtask test\n"
            .to_owned());
    }
    ensure_programs(PROGRAMS)?;
    if extent == Extent::Everything {
        ensure_windows()?;
    }
    component("fmt", "rustfmt")?;
    component("clippy", "clippy")?;
    if extent == Extent::Everything && !succeeds(&mut cargo(&["deny", "--version"])) {
        println!("installing cargo-deny (two minutes, once)");
        run(&mut cargo(CARGO_DENY))?;
    }
    Ok(())
}

/// Makes sure that what benchmarks are compared with is there.
pub(crate) fn ensure_peers() -> Result<()> {
    ensure_programs(PEERS)
}

/// Makes sure that what builds for Windows and runs that is there.
pub(crate) fn ensure_windows() -> Result<()> {
    ensure_programs(WINDOWS)
}

fn ensure_programs(programs: &[(&str, &'static str)]) -> Result<()> {
    let directories = search_path();
    let present = |name: &str| match name.contains('/') {
        true => Path::new(name).is_file(),
        false => directories.iter().any(|directory| runs(&directory.join(name))),
    };
    let missing = missing_packages(programs, present);
    if !missing.is_empty() {
        install(&missing, present("apt-get"))?;
        let missing = missing_packages(programs, present);
        if !missing.is_empty() {
            return Err(format!("installed, but their programs are still missing: {}", missing.join(" ")));
        }
    }
    Ok(())
}

fn install(packages: &[&str], debian: bool) -> Result<()> {
    let names = packages.join(" ");
    if !debian {
        return Err(format!(
            "missing tools; these Debian packages, or what your system calls them, bring them. On Debian:\n\n    \
             sudo apt-get install --no-install-recommends {names}\n"
        ));
    }
    println!("installing {names}");
    // Another apt may be at work, on a machine that has just started above all: wait for it.
    let options = ["-o", "DPkg::Lock::Timeout=120"];
    run(program("apt-get", &options).arg("update"))?;
    let mut command = program("apt-get", &options);
    command.args(["install", "-y", "--no-install-recommends"]).args(packages);
    // The C compiler only recommends the headers it cannot work without.
    if packages.contains(&"gcc") {
        command.arg("libc6-dev");
    }
    run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn component(subcommand: &str, name: &str) -> Result<()> {
    if succeeds(&mut cargo(&[subcommand, "--version"])) {
        return Ok(());
    }
    println!("installing {name}");
    run(&mut program("rustup", &["component", "add", name])).map_err(|error| {
        format!("{error}\n{name} is missing and could not be added. Type:\n\n    rustup component add rustfmt clippy\n")
    })
}

/// Where programs are. The system directories are often not on the path of an ordinary user.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from)).collect()
}

fn runs(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The packages to install, each once, where `present` says which programs are there.
fn missing_packages(programs: &[(&str, &'static str)], present: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for (name, package) in programs {
        if !present(name) && !packages.contains(package) {
            packages.push(*package);
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_once_and_only_when_a_program_is_missing() {
        assert!(missing_packages(PROGRAMS, |_| true).is_empty());
        assert_eq!(
            missing_packages(PROGRAMS, |name| !["mkntfs", "ntfsinfo", "fish"].contains(&name)),
            ["ntfs-3g", "fish"]
        );
    }

    #[test]
    fn elsewhere_than_on_debian_the_one_command_is_told() {
        let message = install(&["zsh", "fish"], false).err().unwrap_or_default();
        assert!(message.contains("apt-get install --no-install-recommends zsh fish\n"), "{message}");
    }

    #[test]
    fn a_directory_or_a_plain_file_is_no_program() {
        assert!(runs(Path::new("/bin/sh")));
        assert!(!runs(Path::new("/bin")));
        assert!(!runs(Path::new("/etc/passwd")));
    }
}
