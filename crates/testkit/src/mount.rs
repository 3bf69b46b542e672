//! One mount: made, and unmade for certain.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::require;

/// How long a mount may take to appear and a busy one to become free. A child that another test is just
/// starting holds copies of this process's descriptors until it execs, so a short EBUSY is ordinary.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a test that is over, perhaps failed with a file open, is given to let go.
const BRIEFLY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct Mount {
    at: PathBuf,
    /// The FUSE process. It is kept in the foreground: that it has exited is the only proof that everything
    /// is written to the image, for `umount` returns before.
    server: Option<Child>,
}

impl Mount {
    /// Mounts with `command`, which returns when it has.
    pub(crate) fn kernel(command: &mut Command, at: &Path) -> Mount {
        require::run(command);
        assert!(is_mounted(at), "{command:?} mounted nothing");
        Mount { at: at.to_owned(), server: None }
    }

    /// Mounts with `command`, which serves the mount until it is unmounted.
    pub(crate) fn fuse(command: &mut Command, at: &Path) -> Mount {
        let log = at.with_extension("log");
        let output = fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut server = command.spawn().unwrap_or_else(|e| require::cannot_run(command, &e));
        let appeared = wait_for(PATIENCE, || is_mounted(at) || server.try_wait().unwrap().is_some());
        let mount = Mount { at: at.to_owned(), server: Some(server) };
        if !appeared || !is_mounted(at) {
            // Dropping `mount` ends the process.
            panic!("{command:?} mounted nothing: {}", fs::read_to_string(&log).unwrap_or_default());
        }
        mount
    }

    /// Unmounts; panics if somebody will not let go.
    pub(crate) fn end(mut self) {
        self.detach(UnmountFlags::empty(), PATIENCE)
            .unwrap_or_else(|e| panic!("cannot unmount {}: {e}", self.at.display()));
        self.end_server(PATIENCE);
    }

    fn detach(&self, flags: UnmountFlags, patience: Duration) -> Result<(), Errno> {
        let mut outcome = Ok(());
        wait_for(patience, || {
            outcome = unmount(&self.at, flags);
            outcome != Err(Errno::BUSY)
        });
        outcome
    }

    fn end_server(&mut self, patience: Duration) {
        let Some(mut server) = self.server.take() else { return };
        if !wait_for(patience, || server.try_wait().is_ok_and(|status| status.is_some())) {
            eprintln!("testkit: the file system process of {} does not end; killed", self.at.display());
            drop(server.kill());
            drop(server.wait());
        }
    }
}

/// For the test that fails: nothing here may panic, and the mount has to go even if a file on it is open.
impl Drop for Mount {
    fn drop(&mut self) {
        let mut patience = PATIENCE;
        if is_mounted(&self.at)
            && let Err(e) = self.detach(UnmountFlags::empty(), BRIEFLY)
        {
            let lazily = self.detach(UnmountFlags::DETACH, BRIEFLY);
            eprintln!("testkit: cannot unmount {}: {e}; lazily: {lazily:?}", self.at.display());
            patience = BRIEFLY;
        }
        self.end_server(patience);
    }
}

/// Whether a file system begins here. A FUSE mount whose process has died cannot be asked, and is one.
pub(crate) fn is_mounted(at: &Path) -> bool {
    let parent = at.parent().and_then(|parent| fs::metadata(parent).ok());
    match fs::metadata(at) {
        Ok(here) => parent.is_some_and(|parent| parent.dev() != here.dev()),
        // Nor can one whose power was cut.
        Err(e) => [Errno::NOTCONN, Errno::IO].iter().any(|dead| e.raw_os_error() == Some(dead.raw_os_error())),
    }
}

fn wait_for(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        } else if start.elapsed() > patience {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
}
