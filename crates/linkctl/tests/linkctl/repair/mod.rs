//! Links find their targets again: exactly where they were recorded, by evidence where not, and never wrongly.

mod convert;
mod evidence;
mod exact;
mod faults;
mod interface;
mod maps;
mod recorded_over_inferred;
mod refusals;
mod saved_anew;
mod search;
mod subvolumes;
mod tracking;
mod while_asking;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Linkctl, NOBODY, Ran, find};
use serde_json::Value;
use testkit::{Fs, Volume, strace};

/// A volume of the test's own: what is looked for near by is looked for there, not on the disk of the machine.
pub(crate) struct Ground {
    pub(crate) linkctl: Linkctl,
    user: Option<u32>,
    pub(crate) volume: Volume,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        Ground::on(Fs::Tmpfs)
    }

    pub(crate) fn on(fs: Fs) -> Ground {
        let volume = Volume::new(fs, 128 << 20);
        Ground { linkctl: Linkctl::on(volume.path()), user: None, volume }
    }

    /// One whose command is run by an ordinary user.
    pub(crate) fn nobody(fs: Fs) -> Ground {
        let volume = Volume::new(fs, 128 << 20);
        chown(volume.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        Ground { linkctl: Linkctl::nobody(), user: Some(NOBODY), volume }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.volume.path()
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        let mut ran = self.linkctl.output_in(self.root(), args);
        let root = self.root().display().to_string();
        ran.out = ran.out.replace(&root, "[DIR]");
        ran.err = ran.err.replace(&root, "[DIR]");
        ran
    }

    #[track_caller]
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.run(args).exits(0)
    }

    #[track_caller]
    pub(crate) fn target(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.at(name);
        fs::read_link(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Gives everything on the volume to the user of the command.
    pub(crate) fn give_away(&self) {
        let Some(user) = self.user else { return };
        let owner = format!("{user}:{user}");
        assert!(Command::new("chown").args(["-hR", &owner]).arg(self.root()).status().unwrap().success());
    }

    /// How often the command asks for the entries of a directory. It has to end with this code.
    #[track_caller]
    pub(crate) fn readings<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, code: i32) -> usize {
        let mut command = self.linkctl.command(args);
        if self.user.is_some() {
            let mut other = Command::new("setpriv");
            other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            other.arg(command.get_program()).args(command.get_args());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => other.env(name, value),
                    None => other.env_remove(name),
                };
            }
            command = other;
        }
        command.current_dir(self.root());
        let lines = strace::trace("getdents64", &command);
        let end = format!("+++ exited with {code} +++");
        assert!(lines.last().is_some_and(|line| line.ends_with(&end)), "{:?}", lines.last());
        lines.iter().filter(|line| line.contains("getdents64(")).count()
    }

    #[track_caller]
    pub(crate) fn history(&self) -> Vec<Value> {
        self.linkctl.history()
    }
}

/// Text, owner and time of a link: what an undo has to give back.
type Facts = (Vec<u8>, u32, u32, i64, i64);

/// The facts of each link below a directory.
pub(crate) fn links(dir: &Path) -> BTreeMap<Vec<u8>, Facts> {
    let facts = |(path, text): (Vec<u8>, Vec<u8>)| {
        let meta = fs::symlink_metadata(crate::common::os(&path)).unwrap();
        (path, (text, meta.uid(), meta.gid(), meta.mtime(), meta.mtime_nsec()))
    };
    find(dir).into_iter().map(facts).collect()
}

/// Gives each link below a directory an owner and a time of its own.
pub(crate) fn mark(dir: &Path) {
    let all = find(dir);
    let paths: Vec<&OsStr> = all.keys().map(|path| crate::common::os(path)).collect();
    for (number, path) in (1..).zip(&paths) {
        lchown(path, Some(1000 + number % 7), Some(2000 + number % 5)).unwrap();
    }
    let mut touch = Command::new("touch");
    touch.args(["-h", "-d", "@1111111111.123456789"]).args(&paths);
    assert!(touch.status().unwrap().success());
}

pub(crate) fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

pub(crate) fn link(text: impl AsRef<Path>, at: impl AsRef<Path>) {
    let at = at.as_ref();
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    symlink(text, at).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
}

pub(crate) fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap_or_else(|e| panic!("{} to {}: {e}", from.display(), to.display()));
}

pub(crate) fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The records of `repair --json` by the path that was shown.
#[track_caller]
pub(crate) fn records(ran: &Ran) -> BTreeMap<String, Value> {
    let links = ran.json()["links"].as_array().unwrap().clone();
    let path = |link: &Value| String::from_utf8_lossy(&crate::common::name(&link["path"])).into_owned();
    links.into_iter().map(|link| (path(&link), link)).collect()
}

/// `links/l` to `data/f`, tracked, and `data` renamed to `far`.
pub(crate) fn moved() -> Ground {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link("../data/f", ground.at("links/l"));
    ground.ok(["track", "links"]);
    rename(ground.at("data"), ground.at("far"));
    ground
}
