//! Starts programs: arguments go in a list, never through a shell.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Result;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// `program` with `arguments`, started in the checkout, with nothing to read: no check may wait for a person.
pub(crate) fn program(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// `cargo` with `arguments`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program("cargo", arguments);
    // `cargo run` tells this program which package it is. Handed on, that would make build scripts watching
    // these variables run again each time the same thing is built with and without xtask.
    forget(&mut command, |name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
    command
}

/// Keeps the variables of this program's environment that `which` picks from the command's.
pub(crate) fn forget(command: &mut Command, which: impl Fn(&str) -> bool) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if which(&name) {
            command.env_remove(&*name);
        }
    }
}

/// Runs to the end, printing as it goes. Anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let status = command.status().map_err(|error| format!("cannot start `{name}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}`: {status}")) }
}

/// Whether the command can be started and succeeds; its output is thrown away.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs to the end without a word; what it printed appears only in the error.
pub(crate) fn quietly(command: &mut Command) -> Result<Vec<u8>> {
    let name = describe(command);
    let output = command.output().map_err(|error| format!("cannot start `{name}`: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("`{name}`: {}\n{}", output.status, String::from_utf8_lossy(&said).trim_end()))
}

/// Runs to the end, printing as it goes, and returns the lines of its standard output and how it ended.
///
/// The end of the process counts, not the end of its output: a process that a test left behind would hold the
/// pipe open for ever. That is an error with a name, not a run that hangs.
pub(crate) fn streamed(command: &mut Command) -> Result<(Vec<String>, Result<()>)> {
    let name = describe(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot start `{name}`: {error}"))?;
    let Some(output) = child.stdout.take() else { return Err(format!("`{name}`: no output to read")) };

    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            print!("{text}");
            if sender.send(text).is_err() {
                break;
            }
        }
    });

    let status = child.wait().map_err(|error| format!("`{name}`: {error}"))?;
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut lines = Vec::new();
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => lines.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(format!("`{name}` ended, but a process it started still runs"));
            }
        }
    }
    let ended = if status.success() { Ok(()) } else { Err(format!("`{name}`: {status}")) };
    Ok((lines, ended))
}

/// What is in a directory, in a fixed order.
pub(crate) fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| format!("{}: {error}", directory.display());
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_shown_and_kept_and_the_end_is_told() {
        let (lines, ended) =
            streamed(&mut program("printf", &["a\\nb\\n"])).unwrap_or_else(|error| (vec![error], Ok(())));
        assert_eq!(lines, ["a\n", "b\n"]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn failure_names_the_command() {
        assert_eq!(run(&mut program("false", &["x"])), Err("`false x`: exit status: 1".to_owned()));
        let missing = run(&mut program("no-such-program", &[])).err().unwrap_or_default();
        assert!(missing.starts_with("cannot start `no-such-program`"), "{missing}");
    }
}
