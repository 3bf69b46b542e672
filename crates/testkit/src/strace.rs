//! strace: which system calls a command makes, and what it does when one of them fails or kills it.
//!
//! Counters (`when=`) are kept per thread: let the command use one worker. The command is rebuilt from its
//! program, arguments, environment and directory; what else was set on it (a user, pipes) does not carry over.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::require;

/// Runs `command` and returns the lines strace printed for `calls` (`"renameat2,fsync"`, `"%file"`), with those
/// of its children, each after the id of its process. The last says how the command ended
/// (`+++ exited with 0 +++`).
pub fn trace(calls: &str, command: &Command) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    // With seccomp-bpf, the process is stopped at the calls in question alone: a walk of a whole disk costs no more.
    let options = [OsStr::new("--seccomp-bpf"), OsStr::new("-o"), log.path().as_os_str()];
    run(&[&format!("trace={calls}")], &options, command);
    std::fs::read(log.path())
        .unwrap()
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

/// Runs `command` with a fault: `"symlinkat:error=ENOSPC:when=2"`, `"renameat2:signal=SIGKILL:when=1"`. A
/// command killed by the signal is seen to be so in the status.
pub fn inject(spec: &str, command: &Command) -> Output {
    fault(spec, &[], command)
}

/// [`inject`] for the calls alone that name `path` or use a descriptor open on it (`strace -P`).
pub fn inject_at(path: impl AsRef<Path>, spec: &str, command: &Command) -> Output {
    fault(spec, &[OsStr::new("-P"), path.as_ref().as_os_str()], command)
}

fn fault(spec: &str, options: &[&OsStr], command: &Command) -> Output {
    // Nothing but the calls in question is traced, and the trace goes nowhere: stderr is the command's own.
    let calls = spec.split(':').next().unwrap_or(spec);
    let options = [options, &[OsStr::new("-o"), OsStr::new("/dev/null")]].concat();
    run(&[&format!("trace={calls}"), &format!("inject={spec}")], &options, command)
}

fn run(expressions: &[&str], options: &[&OsStr], command: &Command) -> Output {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-s", "4096"]).args(options);
    strace.args(expressions.iter().flat_map(|expression| ["-e", expression]));
    strace.arg("--").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        strace.current_dir(dir);
    }
    let output = strace.output().unwrap_or_else(|e| require::cannot_run(&strace, &e));
    let said = String::from_utf8_lossy(&output.stderr);
    // A specification it does not understand, a program that is not there, no right to trace.
    let own = said.lines().find(|line| line.starts_with("strace: "));
    assert!(own.is_none(), "{strace:?} failed: {said}");
    output
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn ln(dir: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "ln -s \"$T\" one && ln -s \"$T\" two && echo made"]).env("T", "target").current_dir(dir);
        command
    }

    #[test]
    fn trace_returns_the_calls_of_the_command_and_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let lines = trace("symlink,symlinkat", &ln(dir.path()));
        let calls: Vec<_> = lines.iter().filter(|line| line.contains("symlink")).collect();
        assert_eq!(calls.len(), 2, "{lines:#?}");
        assert!(calls[1].contains("(\"target\", ") && calls[1].ends_with("\"two\") = 0"), "{}", calls[1]);
        assert!(lines.last().unwrap().ends_with("+++ exited with 0 +++"), "{lines:#?}");
    }

    #[test]
    fn an_injected_error_reaches_the_command_alone() {
        let dir = tempfile::tempdir().unwrap();
        let output = inject("symlink,symlinkat:error=ENOSPC:when=1", &ln(dir.path()));
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("No space left on device") && !said.contains("INJECTED"), "{said}");
        assert!(!dir.path().join("one").is_symlink());
    }

    #[test]
    fn a_path_selects_the_call_that_fails() {
        let dir = tempfile::tempdir().unwrap();
        let output = inject_at("two", "symlink,symlinkat:error=EIO", &ln(dir.path()));
        assert!(String::from_utf8(output.stderr).unwrap().contains("Input/output error"));
        assert!(dir.path().join("one").is_symlink() && !dir.path().join("two").is_symlink());
    }

    #[test]
    fn a_signal_kills_before_the_call_and_shows_in_the_status() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Command::new("ln");
        one.args(["-s", "target", "one"]).current_dir(dir.path());
        let output = inject("symlink,symlinkat:signal=SIGKILL", &one);
        assert_eq!(output.status.signal(), Some(9));
        assert!(!dir.path().join("one").is_symlink());
    }

    #[test]
    #[should_panic(expected = "invalid")]
    fn a_specification_strace_does_not_understand_fails_the_test() {
        inject("no_such_call:error=EIO", &Command::new("true"));
    }
}
