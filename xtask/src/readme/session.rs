//! Runs the commands of one section in one bash, and takes its output apart again.

use std::fs::File;
use std::path::Path;

use super::TempDir;
use super::parse::Section;
use crate::Result;
use crate::run::program;
use crate::volume::Volume;

/// Stands before and after the exit code in the output; no example prints this control character.
const MARK: char = '\u{1e}';

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) output: String,
    pub(crate) exit: u8,
}

/// Runs the section. There are fewer results than commands where the shell ended early.
pub(crate) fn run(section: &Section, product: &Path) -> Result<Vec<Ran>> {
    let temp = TempDir::new()?;
    let io = |error: std::io::Error| format!("cannot set up: {error}");
    let [bin, home, work] = ["bin", "home", "work"].map(|name| temp.path().join(name));
    for directory in [&bin, &home, &work] {
        std::fs::create_dir(directory).map_err(io)?;
    }
    std::os::unix::fs::symlink(product, bin.join("linkctl")).map_err(io)?;
    let volume = match section.ntfs {
        true => Some(Volume::mount(&temp.path().join("image"), &work.join("disk"))?),
        false => None,
    };

    // To a file, not a pipe: a process that an example leaves behind cannot hold up the end of a file.
    let written = temp.path().join("output");
    let output = File::create_new(&written).map_err(io)?;
    let errors = output.try_clone().map_err(io)?;
    let script = script(section);
    let mut bash = program("timeout", &["--kill-after=5", "300", "bash", "--norc", "-c", &script]);
    bash.current_dir(&work)
        // An example must not depend on who runs it.
        .env_clear()
        .env("PATH", format!("{}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()))
        .env("HOME", &home)
        .env("LINKCTL_STATE_DIR", temp.path().join("state"))
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .stdout(output)
        .stderr(errors)
        .status()
        .map_err(|error| format!("cannot start bash: {error}"))?;
    drop(volume);
    let written = std::fs::read(&written).map_err(io)?;
    Ok(results(&String::from_utf8_lossy(&written)))
}

fn script(section: &Section) -> String {
    let mut script = String::from("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
    for command in &section.commands {
        script += &command.text;
        script += "\nprintf '\\036%d\\036' \"$?\"\n";
    }
    script
}

fn results(written: &str) -> Vec<Ran> {
    let mut parts = written.split(MARK);
    let mut results = Vec::new();
    while let (Some(output), Some(exit)) = (parts.next(), parts.next()) {
        let Ok(exit) = exit.parse() else { break };
        results.push(Ran { output: output.to_owned(), exit });
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_apart_at_the_marks() {
        let ran = |output: &str, exit| Ran { output: output.to_owned(), exit };
        assert_eq!(results("a\nb\n\u{1e}0\u{1e}\u{1e}3\u{1e}rest"), [ran("a\nb\n", 0), ran("", 3)]);
        assert_eq!(results("bash: syntax error\n"), []);
    }
}
