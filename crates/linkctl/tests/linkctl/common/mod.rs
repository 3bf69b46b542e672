//! What the tests of the command share: a runner with a work directory and a journal of its own.

pub(crate) mod ntfs;
pub(crate) mod sample;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;
use tempfile::TempDir;

/// The user `nobody`.
pub(crate) const NOBODY: u32 = 65534;

/// The command, with a work directory to run in and a state directory of its own.
pub(crate) struct Linkctl {
    dir: TempDir,
    work: PathBuf,
    state: PathBuf,
    program: PathBuf,
    user: Option<u32>,
}

impl Linkctl {
    pub(crate) fn new() -> Linkctl {
        let dir = tempfile::Builder::new().prefix("linkctl-").tempdir().unwrap();
        let work = dir.path().canonicalize().unwrap().join("work");
        fs::create_dir(&work).unwrap();
        Linkctl {
            work,
            state: dir.path().join("state"),
            dir,
            program: env!("CARGO_BIN_EXE_linkctl").into(),
            user: None,
        }
    }

    /// One that works in another directory, such as a volume.
    pub(crate) fn on(work: impl Into<PathBuf>) -> Linkctl {
        Linkctl { work: work.into(), ..Linkctl::new() }
    }

    /// One run by an ordinary user, who owns the work directory and can reach the program.
    pub(crate) fn nobody() -> Linkctl {
        let mut own = Linkctl::new();
        for path in [own.dir.path(), &own.work] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        own.program = own.dir.path().join("linkctl");
        fs::copy(env!("CARGO_BIN_EXE_linkctl"), &own.program).unwrap();
        fs::create_dir(&own.state).unwrap();
        for path in [&own.state, &own.work] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        own.user = Some(NOBODY);
        own
    }

    /// Another one that is another program.
    pub(crate) fn by(mut self, program: impl Into<PathBuf>) -> Linkctl {
        self.program = program.into();
        self
    }

    /// Another one with the journal elsewhere.
    pub(crate) fn with_state(mut self, state: impl Into<PathBuf>) -> Linkctl {
        self.state = state.into();
        self
    }

    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.work.join(name)
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.state.join("journal.db")
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.work).stdin(Stdio::null());
        command.env("LINKCTL_STATE_DIR", &self.state).env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        for name in ["SUDO_USER", "XDG_STATE_HOME", "LINKCTL_CRASH_AFTER_STEP", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        if let Some(uid) = self.user {
            testkit::as_user(uid, &mut command);
        }
        command
    }

    pub(crate) fn output<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.said(patient(&mut self.command(args)))
    }

    pub(crate) fn output_in<S: AsRef<OsStr>>(&self, dir: impl AsRef<Path>, args: impl IntoIterator<Item = S>) -> Ran {
        self.said(patient(self.command(args).current_dir(dir)))
    }

    /// Runs it and gives what to compare with an inline snapshot.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        self.output(args).to_string()
    }

    /// Runs what has to work.
    #[track_caller]
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.output(args).exits(0)
    }

    /// Makes an answer of what a run by other means (strace) said.
    pub(crate) fn said(&self, output: Output) -> Ran {
        let show = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let text = text.replace(self.work.to_str().unwrap(), "[DIR]");
            text.replace(self.state.to_str().unwrap(), "[STATE]")
        };
        let (out, err) = (show(&output.stdout), show(&output.stderr));
        Ran { status: output.status, bytes: output.stdout, raw_err: output.stderr, out, err }
    }

    /// The operations in the journal, the newest first.
    #[track_caller]
    pub(crate) fn history(&self) -> Vec<Value> {
        let ran = self.ok(["history", "--json", "-n", "100000"]);
        ran.json()["operations"].as_array().unwrap().clone()
    }

    /// The newest operation: verb, state, done, failed, planned.
    #[track_caller]
    pub(crate) fn newest(&self) -> String {
        let operations = self.history();
        let newest = operations.first().expect("the history has an operation");
        let field = |name: &str| newest[name].to_string().replace('"', "");
        format!(
            "{} {}: {} done, {} failed of {}",
            field("verb"),
            field("state"),
            field("done"),
            field("failed"),
            field("planned")
        )
    }

    pub(crate) fn target(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.at(name);
        let text = fs::read_link(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        text.into_os_string().into_vec()
    }

    pub(crate) fn exists(&self, name: impl AsRef<Path>) -> bool {
        self.at(name).symlink_metadata().is_ok()
    }
}

/// Runs a program that may have been copied just now: a process that another test has forked in that moment holds
/// the copy open for writing until it runs its own program, and as long it cannot be run.
fn patient(command: &mut Command) -> Output {
    loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(5));
            }
            output => return output.unwrap(),
        }
    }
}

/// What a run said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) bytes: Vec<u8>,
    pub(crate) raw_err: Vec<u8>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code(), Some(code), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.err.contains(text), "{text:?} is not said on standard error:\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("not JSON ({e}):\n{self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => write!(f, "exit: {code}")?,
            (None, signal) => write!(f, "signal: {}", signal.unwrap_or_default())?,
        }
        for (head, text) in [("out", &self.out), ("err", &self.err)] {
            if !text.is_empty() {
                write!(f, "\n-- {head}\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}

/// The bytes of a name in JSON: `{"text"}` or, not Unicode, `{"bytes"}`.
pub(crate) fn name(value: &Value) -> Vec<u8> {
    match (value.get("text"), value.get("bytes")) {
        (Some(text), None) => text.as_str().unwrap().as_bytes().to_vec(),
        (None, Some(bytes)) => base64::engine::general_purpose::STANDARD.decode(bytes.as_str().unwrap()).unwrap(),
        _ => panic!("no name: {value}"),
    }
}

/// Every symlink below a directory with its target, as `find` tells.
pub(crate) fn find(dir: impl AsRef<Path>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut find = Command::new("find");
    let output = find.arg(dir.as_ref()).args(["-type", "l", "-printf", "%p\\0%l\\0"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let fields: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    fields.chunks_exact(2).map(|pair| (pair[0].to_vec(), pair[1].to_vec())).collect()
}

/// The names in a directory that begin with `.linkctl-`: what must never be left.
pub(crate) fn leftovers(dir: impl AsRef<Path>) -> Vec<String> {
    names(dir).into_iter().filter(|name| name.starts_with(".linkctl-")).collect()
}

/// The names in a directory, sorted.
pub(crate) fn names(dir: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(dir.as_ref()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub(crate) fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Polls until it is so; a test that waits for nothing fails.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(120), "waited in vain until {what}");
        std::thread::sleep(Duration::from_micros(500));
    }
}

pub(crate) fn send_signal(signal: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// A run that strace holds between two calls.
pub(crate) struct Hold {
    strace: Child,
}

impl Linkctl {
    /// Starts a run with a delay, such as `linkat:delay_enter=1500000:when=1`, and waits until it is held there.
    #[track_caller]
    pub(crate) fn hold<S: AsRef<OsStr>>(&self, inject: &str, args: impl IntoIterator<Item = S>) -> Hold {
        let hold = self.held(inject, args);
        hold.wait();
        hold
    }

    /// The same where it is other threads than its first that are held: what shows that they are, the test knows.
    pub(crate) fn held<S: AsRef<OsStr>>(&self, inject: &str, args: impl IntoIterator<Item = S>) -> Hold {
        let mut strace = self.command([""; 0]);
        let program = strace.get_program().to_owned();
        let envs: Vec<_> = strace.get_envs().map(|(k, v)| (k.to_owned(), v.map(OsStr::to_owned))).collect();
        strace = Command::new("strace");
        for (name, value) in envs {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        let call = inject.split(':').next().unwrap();
        // With seccomp-bpf, the process is stopped at this call alone.
        strace.args(["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        strace.args(["-e", &format!("inject={inject}"), "--"]).arg(program).args(args);
        strace.current_dir(&self.work).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Hold { strace: strace.spawn().unwrap() }
    }
}

impl Hold {
    /// Waits until it is held (again).
    #[track_caller]
    pub(crate) fn wait(&self) {
        let stopped = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()?)).ok()?;
            stat.rsplit_once(") ")?.1.starts_with('t').then_some(())
        };
        let mut since = Instant::now();
        wait_until("strace holds it", || {
            if stopped().is_none() {
                since = Instant::now();
            }
            since.elapsed() > Duration::from_millis(120)
        });
    }

    /// The process that is held. strace has other children before it, to try things out.
    pub(crate) fn pid(&self) -> Option<u32> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.strace.id())).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Lets it go on, and gives what it said.
    pub(crate) fn end(self, linkctl: &Linkctl) -> Ran {
        linkctl.said(self.strace.wait_with_output().unwrap())
    }
}
