//! What the NTFS tests share: the command on a volume, and reparse data to put there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reparse::{MountPoint, Other, ReparseData, Symlink, Tag, WideString};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Fs, Volume};

/// A volume, and a state directory of the test's own that is not on it.
pub struct Bench {
    pub volume: Volume,
    pub state: TempDir,
}

impl Bench {
    pub fn ntfs() -> Bench {
        Bench::on(Volume::new(Fs::Ntfs, 0))
    }

    pub fn on(volume: Volume) -> Bench {
        Bench { volume, state: tempfile::tempdir().unwrap() }
    }

    pub fn root(&self) -> PathBuf {
        self.volume.path()
    }

    pub fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join(name)
    }

    /// The command in the root of the volume.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        command(self.state.path(), self.root(), args)
    }

    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    pub fn run_in<S: AsRef<OsStr>>(&self, dir: impl AsRef<Path>, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(command(self.state.path(), dir, args).output().unwrap())
    }

    /// Runs what has to work.
    #[track_caller]
    pub fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.run(args).exits(0)
    }

    /// What `list --format json` says, by path below the root.
    #[track_caller]
    pub fn list(&self, more: &[&str]) -> Vec<(String, Value)> {
        let ran = self.ok([&["list", "--format", "json"], more].concat());
        let links = ran.json()["links"].as_array().unwrap().clone();
        links.into_iter().map(|link| (text(&link["path"]), link)).collect()
    }

    /// The record of `show --json`.
    #[track_caller]
    pub fn show(&self, name: impl AsRef<OsStr>, more: &[&str]) -> Value {
        let args = [OsStr::new("show"), OsStr::new("--json"), name.as_ref()];
        let ran = self.run(args.into_iter().chain(more.iter().map(OsStr::new))).exits(0);
        ran.json()["links"][0].clone()
    }

    #[track_caller]
    pub fn history(&self) -> Vec<Value> {
        self.ok(["history", "--json"]).json()["operations"].as_array().unwrap().clone()
    }

    /// Every name on the volume, in order, links not followed.
    pub fn names(&self) -> Vec<String> {
        names(&self.root())
    }
}

pub fn command<S: AsRef<OsStr>>(state: &Path, dir: impl AsRef<Path>, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkctl"));
    command.args(args).current_dir(dir).env("LINKCTL_STATE_DIR", state).env_remove("SUDO_USER");
    command
}

pub fn names(root: &Path) -> Vec<String> {
    let (mut names, mut todo) = (Vec::new(), vec![root.to_owned()]);
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            }
            names.push(entry.path().strip_prefix(root).unwrap().display().to_string());
        }
    }
    names.sort();
    names
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        use std::os::unix::process::ExitStatusExt;
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is Unicode");
        let Output { status, stdout, stderr } = output;
        Ran { code: status.code(), signal: status.signal(), out: text(stdout), err: text(stderr) }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Ran {
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in stderr: {}", self.err);
        }
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

/// The text of a JSON name.
#[track_caller]
pub fn text(name: &Value) -> String {
    name["text"].as_str().unwrap_or_else(|| panic!("no text: {name}")).to_owned()
}

/// `03 00 | ff` as bytes.
pub fn hex(text: &str) -> Vec<u8> {
    let digits = text.split_whitespace().filter(|digits| *digits != "|");
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}

pub fn w(text: &str) -> WideString {
    WideString::from(text)
}

/// The data that `mklink` writes.
pub fn symlink(target: &str) -> Vec<u8> {
    ReparseData::from(Symlink::new(&w(target)).unwrap()).encode().unwrap()
}

/// A symbolic link with any names and flags.
pub fn raw_symlink(substitute: &str, print: &str, flags: u32) -> Vec<u8> {
    ReparseData::from(Symlink { substitute: w(substitute), print: w(print), flags }).encode().unwrap()
}

/// The data that `mklink /j` writes.
pub fn junction(target: &str) -> Vec<u8> {
    ReparseData::from(MountPoint::junction(&w(target)).unwrap()).encode().unwrap()
}

pub fn raw_junction(substitute: &str, print: &str) -> Vec<u8> {
    ReparseData::from(MountPoint { substitute: w(substitute), print: w(print) }).encode().unwrap()
}

pub fn other(tag: u32, guid: Option<[u8; 16]>, data: &[u8]) -> Vec<u8> {
    ReparseData::from(Other { tag: Tag(tag), guid, data: data.to_vec() }).encode().unwrap()
}

/// Makes a directory that is this reparse point.
pub fn dir_point(path: impl AsRef<Path>, data: &[u8]) {
    std::fs::create_dir(&path).unwrap();
    testkit::ntfs::set_reparse(path, data);
}

/// Makes a file that is this reparse point.
pub fn file_point(path: impl AsRef<Path>, data: &[u8]) {
    std::fs::File::create_new(&path).unwrap();
    testkit::ntfs::set_reparse(path, data);
}
