//! Windows, from Debian: its compiler builds for Windows 7 and later, and Wine runs what it built.
//!
//! Rustup's compiler has no standard library for Windows 7. Debian's comes with the source of its own, and builds
//! it with the program.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::readme::TempDir;
use crate::run::{cargo, forget, program, quietly, root, run, succeeds};
use crate::test::suite;
use crate::volume::Volume;

const TARGET: &str = "x86_64-win7-windows-gnu";

/// What is checked and tested: the tests in the crates, and the integration tests that are not for Linux alone.
const PARTS: &[&[&str]] = &[
    &["--package", "reparse", "--tests"],
    &[
        "--package",
        "ntfs-volume",
        "--package",
        "linkctl-lib",
        "--package",
        "linkctl",
        "--lib",
        "--bins",
        "--test",
        "windows",
    ],
];

/// The standard library as tests need it: one that fails unwinds, so that the others still run.
const STD_FOR_TESTS: &str = "build-std=std,panic_unwind,test";

/// The standard library as the `release` profile needs it.
const STD_FOR_RELEASE: &str = "build-std=std,panic_abort";

/// Runs a test program by Wine. One that waits for ever is ended after five minutes, and has failed then.
const RUNNER: &str = "timeout --foreground --kill-after=5 300";

/// The Wine that runs what was built: `LINKCTL_WINE`, the path of its program, or the one in `PATH`.
fn wine_program() -> String {
    std::env::var("LINKCTL_WINE").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| "wine".to_owned())
}

/// The `wineserver` that lies beside a Wine.
fn server_of(wine: &str) -> PathBuf {
    Path::new(wine).with_file_name("wineserver")
}

/// What every Windows from 7 on has. The DLLs called `api-ms-win-` are left out: many came with a later Windows
/// or with an update, and what the rest of them export, these export too.
const SYSTEM_DLLS: &[&str] = &[
    "advapi32.dll",
    "bcrypt.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ole32.dll",
    "shell32.dll",
    "userenv.dll",
    "ws2_32.dll",
];

/// Debian's `cargo`, also where rustup's started this program.
fn debian_cargo(arguments: &[&str]) -> Command {
    let mut command = program("/usr/bin/cargo", arguments);
    // Rustup's cargo tells all it starts which compiler to run, and where that has its libraries.
    forget(&mut command, |name| {
        ["CARGO", "LD_LIBRARY_PATH", "RUSTC", "RUSTDOC", "RUST_RECURSION_COUNT"].contains(&name)
            || ["CARGO_PKG_", "CARGO_MANIFEST_", "RUSTUP_"].iter().any(|start| name.starts_with(start))
    });
    let mut path = std::ffi::OsString::from("/usr/bin:");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    command
        .env("PATH", path)
        // Lets a stable compiler build the standard library.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc")
        // These tests take a moment, and optimising what they run takes minutes.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
        // Two compilers in one directory would throw out each other's work.
        .env("CARGO_TARGET_DIR", directory());
    command
}

/// Where Debian's compiler puts what it makes.
fn directory() -> PathBuf {
    root().join("target/windows")
}

/// `linkctl.exe` of a profile, once that is built.
fn exe(profile: &str) -> PathBuf {
    directory().join(TARGET).join(profile).join("linkctl.exe")
}

/// Runs Debian's clippy, which sees the code that only Windows compiles.
pub(crate) fn clippy() -> Result<()> {
    for part in PARTS {
        let mut command = debian_cargo(&["clippy", "-Z", STD_FOR_TESTS, "--target", TARGET]);
        run(command.args(*part).args(["--", "--deny", "warnings"]))?;
    }
    Ok(())
}

/// Runs the Windows tests under Wine and returns how many passed.
pub(crate) fn tests() -> Result<u64> {
    let test = ["test", "-Z", STD_FOR_TESTS, "--target", TARGET, "--no-fail-fast"];
    // Built before Wine starts: its time limits are for what runs in it.
    for part in PARTS {
        run(debian_cargo(&test).args(*part).arg("--no-run"))?;
    }
    println!("linkctl.exe imports {}", imports(&exe("debug"))?.join(", "));
    let wine = Wine::start()?;
    let image = volume_image(wine.home.path())?;
    let mut passed = 0;
    for part in PARTS {
        let mut command = debian_cargo(&test);
        let runner = format!("{RUNNER} {}", wine_program());
        command.args(*part).env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", runner);
        command.env("LINKCTL_TEST_VOLUME", &image);
        passed += suite(wine.inside(&mut command))?;
    }
    Ok(passed)
}

/// The image of an NTFS volume with a directory `t`, a junction `L` to it, one `gone` to nowhere, and a file with two
/// names. Wine can make none of these.
fn volume_image(home: &Path) -> Result<PathBuf> {
    let (image, disk) = (home.join("volume.img"), home.join("disk"));
    let volume = Volume::mount(&image, &disk)?;
    let make = || {
        for name in ["t", "L", "gone"] {
            std::fs::create_dir(disk.join(name))?;
        }
        std::fs::write(disk.join("t/one"), "text")?;
        std::fs::hard_link(disk.join("t/one"), disk.join("two"))
    };
    make().map_err(|error| format!("{}: {error}", disk.display()))?;
    for (name, target) in [("L", r"C:\t"), ("gone", r"C:\n")] {
        let substitute = format!(r"\??\{target}");
        let names = format!("{substitute}\0{target}\0").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let lengths = [2 * substitute.len(), 2 * substitute.len() + 2, 2 * target.len()].map(|length| length as u8);
        // What `mklink /j` writes: tag, length, reserved, and where each of the two names is.
        let head = [3, 0, 0, 0xa0, 8 + names.len() as u8, 0, 0, 0, 0, 0, lengths[0], 0, lengths[1], 0, lengths[2], 0];
        let hex: String = head.iter().chain(&names).map(|byte| format!("{byte:02x}")).collect();
        let set = ["-h", "-n", "system.ntfs_reparse_data", "-v", &format!("0x{hex}")];
        quietly(program("setfattr", &set).arg(disk.join(name)))?;
    }
    drop(volume);
    Ok(image)
}

/// Builds both programs for release into `dist/`, with their sums.
pub(crate) fn dist() -> Result<()> {
    let build = ["build", "--release", "--locked", "--package", "linkctl"];
    run(cargo(&build).env("CARGO_TARGET_DIR", root().join("target")))?;
    run(debian_cargo(&build).args(["-Z", STD_FOR_RELEASE, "--target", TARGET]))?;

    let dist = root().join("dist");
    let failed = |error| format!("{}: {error}", dist.display());
    std::fs::create_dir_all(&dist).map_err(failed)?;
    collect(&root().join("target/release/linkctl"), &exe("release"), &dist)
}

/// Strips both programs into `dist`, and writes and prints their sums.
fn collect(linux: &Path, windows: &Path, dist: &Path) -> Result<()> {
    // First, so that nothing comes to lie there that would not start.
    println!("linkctl.exe imports {}", imports(windows)?.join(", "));
    let strip = |tool, from: &Path, name| run(program(tool, &["-o"]).arg(dist.join(name)).arg(from));
    strip("strip", linux, "linkctl")?;
    strip("x86_64-w64-mingw32-strip", windows, "linkctl.exe")?;

    let sums = quietly(program("sha256sum", &["linkctl", "linkctl.exe"]).current_dir(dist))?;
    let file = dist.join("SHA256SUMS");
    std::fs::write(&file, &sums).map_err(|error| format!("{}: {error}", file.display()))?;
    for line in String::from_utf8_lossy(&sums).lines() {
        let Some((sum, name)) = line.split_once("  ") else {
            return Err(format!("`sha256sum` printed {line:?}"));
        };
        let path = dist.join(name);
        let size = std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
        println!("{size:>10}  {sum}  {}", path.display());
    }
    Ok(())
}

/// The DLLs that a Windows program needs to start. One that not every Windows has is an error: the program would
/// not start there.
fn imports(exe: &Path) -> Result<Vec<String>> {
    let listed = quietly(program("x86_64-w64-mingw32-objdump", &["-p"]).arg(exe).env("LC_ALL", "C"))?;
    let names = dll_names(&String::from_utf8_lossy(&listed));
    let exe = exe.display();
    if names.is_empty() {
        return Err(format!("{exe}: `x86_64-w64-mingw32-objdump -p` lists no DLL"));
    }
    let foreign = foreign(&names);
    if !foreign.is_empty() {
        return Err(format!("{exe} imports {}, which not every Windows has", foreign.join(", ")));
    }
    Ok(names)
}

/// The names in the import table that `objdump -p` prints, each once.
fn dll_names(listed: &str) -> Vec<String> {
    let names = listed.lines().filter_map(|line| line.trim_start().strip_prefix("DLL Name: "));
    let mut names: Vec<String> = names.map(|name| name.trim_end().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn foreign(names: &[String]) -> Vec<&str> {
    let known = |name: &str| SYSTEM_DLLS.iter().any(|known| known.eq_ignore_ascii_case(name));
    names.iter().map(String::as_str).filter(|name| !known(name)).collect()
}

/// A Windows of its own, empty but for what Wine brings. Dropping it ends all that runs in it.
#[derive(Debug)]
struct Wine {
    home: TempDir,
}

impl Wine {
    fn start() -> Result<Self> {
        let wine = Self { home: TempDir::new()? };
        // To a file, not a pipe: the services that stay behind would hold a pipe open.
        let written = wine.home.path().join("wineboot");
        let failed = |error| format!("{}: {error}", written.display());
        let output = File::create_new(&written).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let wine_program = wine_program();
        let arguments = ["--foreground", "--kill-after=5", "120", &wine_program, "wineboot", "--init"];
        let mut boot = program("timeout", &arguments);
        // Wine makes the folders of the user's home the user's documents; tests must not come near those.
        boot.env("HOME", wine.home.path()).stdout(output).stderr(errors);
        run(wine.inside(&mut boot)).map_err(|error| {
            let said = std::fs::read(&written).unwrap_or_default();
            format!("{error}\n{}", String::from_utf8_lossy(&said).trim_end())
        })?;
        Ok(wine)
    }

    /// Lets a command that starts Wine start this one.
    fn inside<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "WINEARCH", "WINELOADER", "WINESERVER"] {
            command.env_remove(name);
        }
        command
            .env("WINEPREFIX", self.home.path().join("prefix"))
            .env("WINEDEBUG", "-all")
            // No dialog that offers to install .NET or a browser, and nothing in the desktop's menus.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=d")
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // Fails where nothing runs any more, which is as well.
        let server = server_of(&wine_program());
        let mut kill = program("timeout", &["--kill-after=5", "30"]);
        succeeds(self.inside(kill.arg(server).arg("--kill")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "
The Import Tables (interpreted .idata section contents)
 vma:            Hint    Time      Forward  DLL       First
                 Table   Stamp     Chain    Name      Thunk
 001fb000\t001fb08c 00000000 00000000 001fc9ac 001fb544

\tDLL Name: USERENV.dll
\tvma:  Hint/Ord Member-Name Bound-To
\t1fc860\t   36  GetUserProfileDirectoryW

\tDLL Name: KERNEL32.dll
\tDLL Name: libgcc_s_seh-1.dll\r
\tDLL Name: api-ms-win-core-synch-l1-2-0.dll
\tDLL Name: KERNEL32.dll
";

    #[test]
    fn imported_dlls_are_read_from_the_listing() {
        let names = dll_names(LISTED);
        assert_eq!(names, ["KERNEL32.dll", "USERENV.dll", "api-ms-win-core-synch-l1-2-0.dll", "libgcc_s_seh-1.dll"]);
        assert_eq!(foreign(&names), ["api-ms-win-core-synch-l1-2-0.dll", "libgcc_s_seh-1.dll"]);
        assert_eq!(dll_names("a.exe:     file format pei-x86-64\n"), [""; 0]);
    }

    #[test]
    fn debians_cargo_is_told_nothing_of_rustups() {
        let command = debian_cargo(&["--version"]);
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        // This test runs under rustup's cargo, or under one that sets at least this.
        assert!(removed.contains(&"CARGO".as_ref()), "{removed:?}");
        assert!(!removed.contains(&"CARGO_HOME".as_ref()), "{removed:?}");
    }
}
