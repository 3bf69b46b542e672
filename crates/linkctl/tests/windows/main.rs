//! The Windows program, run where it belongs: on Windows, or under Wine. `cargo xtask test` does the latter.
//!
//! What a system can do is found out by doing it by other means than linkctl's. Where links can be made, all about
//! them is asserted; where they cannot (Debian's Wine), that linkctl says so and leaves nothing behind.
#![cfg(windows)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests make what they look at")]

mod drop_ins;
mod hard;
mod hostile;
mod journal;
mod links;
mod names;
mod random_trees;
mod reading;
mod relocate;
mod volume;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::windows::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// The command, with a work directory to run in and a state directory of its own.
pub(crate) struct Linkctl {
    dir: TempDir,
}

impl Linkctl {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("linkctl-").tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        Self { dir }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.work().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.at(name).symlink_metadata().is_ok()
    }

    /// Every name in the work directory.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.work()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command_of<S: AsRef<OsStr>>(&self, program: &Path, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.work()).stdin(Stdio::null());
        command.env("LINKCTL_STATE_DIR", self.dir.path().join("state"));
        command.env_remove("LINKCTL_CRASH_AFTER_STEP");
        command
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        self.command_of(&program(), args)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(&output(&mut self.command(args)))
    }

    /// Runs what has to work.
    #[track_caller]
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.run(args).exits(0)
    }
}

/// The program, by its full path: a child looks for it from another directory.
pub(crate) fn program() -> PathBuf {
    std::path::absolute(env!("CARGO_BIN_EXE_linkctl")).unwrap()
}

/// The output of a command that could be started.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    started(|| command.output())
}

/// What the start of a process gives. Wine says `ERROR_INTERNAL_ERROR` where a process ended while its loader was
/// still at work, before any code of the program ran: once in many thousand starts. Such a start is made again.
#[track_caller]
pub(crate) fn started<T>(mut start: impl FnMut() -> std::io::Result<T>) -> T {
    const ERROR_INTERNAL_ERROR: i32 = 1359;
    for _ in 0..2 {
        match start() {
            Err(error) if error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {
                say("a process that Wine's loader did not get started: started again");
            }
            begun => return begun.unwrap(),
        }
    }
    start().unwrap()
}

/// How a run ended.
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not said: {self}");
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not printed: {self}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    pub(crate) fn failed(&self) -> bool {
        self.code != Some(0)
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n{}--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// Says something that is to be seen also where every test passes: what `eprintln` says is kept back then.
pub(crate) fn say(text: &str) {
    std::io::stderr().write_all(format!("\nTESTED: {text}\n").as_bytes()).unwrap();
}

/// What the system can do, tried without linkctl.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Able {
    pub(crate) symlinks: bool,
    pub(crate) junctions: bool,
}

const REPARSE_POINT: u32 = 0x400;

pub(crate) fn is_reparse_point(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.file_attributes() & REPARSE_POINT != 0)
}

pub(crate) fn able() -> Able {
    static ABLE: OnceLock<Able> = OnceLock::new();
    *ABLE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("target")).unwrap();
        let (symlink, junction) = (dir.path().join("symlink"), dir.path().join("junction"));
        std::os::windows::fs::symlink_dir("target", &symlink).unwrap_or_default();
        let mut mklink = Command::new("cmd");
        mklink.args(["/c", "mklink", "/j", "junction", "target"]).current_dir(dir.path());
        drop(output(&mut mklink));
        let mut able = Able { symlinks: is_reparse_point(&symlink), junctions: is_reparse_point(&junction) };
        // Where cmd does not know how, linkctl may; and where there are symbolic links, there are junctions.
        let linkctl = Linkctl::new();
        fs::create_dir(linkctl.at("target")).unwrap();
        let made = !linkctl.run(["create", "--kind", "junction", "j", "target"]).failed();
        able.junctions |= made || able.symlinks;
        let told = |able| if able { "asserted in full" } else { "impossible here, so their refusal is asserted" };
        say(&format!("symbolic links: {}; junctions: {}", told(able.symlinks), told(able.junctions)));
        able
    })
}
