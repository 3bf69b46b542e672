//! What a test needs of the machine. A machine that lacks it fails the run: a skipped test proves nothing.

use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use crate::volume::{Fs, Volume};

/// Everything the helpers run, on Debian and its kin.
const INSTALL: &str = "apt-get install -y ntfs-3g e2fsprogs xfsprogs btrfs-progs bindfs strace";

/// Panics with what to do about it unless the machine has what the test needs, found out by doing:
/// `require!(root)`, `require!(tool "mkntfs")`, `require!(fs Ntfs)`.
///
/// ```should_panic
/// testkit::require!(tool "no-such-tool");
/// ```
#[macro_export]
macro_rules! require {
    (root) => {
        $crate::require::root()
    };
    (tool $name:expr) => {
        $crate::require::tool($name)
    };
    (fs $kind:ident) => {
        $crate::require::fs($crate::volume::Fs::$kind)
    };
}

/// Panics unless this process is root and can mount. (Root of a container may be unable to.)
pub fn root() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root: run it with sudo");
    fs(Fs::Tmpfs);
}

/// Panics unless `name` can be run.
pub fn tool(name: &str) {
    let mut command = Command::new(name);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(e) = command.status() {
        cannot_run(&command, &e);
    }
}

/// Panics unless a file system of this kind can be made and mounted. Tries once for each kind in a process.
pub fn fs(kind: Fs) {
    static TRIED: Mutex<Vec<Fs>> = Mutex::new(Vec::new());
    // Held while trying; a test that failed in here leaves it usable.
    let mut tried = TRIED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !tried.contains(&kind) {
        drop(Volume::unreported(kind, 0, ""));
        tried.push(kind);
    }
}

/// Runs a command that has to succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| cannot_run(command, &e));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({}): {said}", output.status);
    output
}

pub(crate) fn cannot_run(command: &Command, error: &std::io::Error) -> ! {
    let tool = command.get_program().display();
    panic!("this test needs {tool}, which cannot be run ({error}). To install what all tests need: {INSTALL}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_here_is_not_refused() {
        require!(root);
        require!(tool "strace");
        require!(fs Ntfs);
        require!(fs Ntfs);
    }

    #[test]
    #[should_panic(expected = "needs no-such-tool, which cannot be run (No such file or directory (os error 2)). To \
                               install what all tests need: apt-get install")]
    fn a_missing_tool_fails_the_test() {
        require!(tool "no-such-tool");
    }

    #[test]
    fn a_missing_mkfs_and_a_missing_privilege_say_what_to_do() {
        let myself = std::env::current_exe().unwrap();
        let probe = |command: &mut std::process::Command| {
            let output = command.args(["--exact", "require::tests::probe"]).output().unwrap();
            assert!(!output.status.success());
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let said = probe(std::process::Command::new(&myself).env("PATH", "/nowhere"));
        assert!(said.contains("needs mkntfs, which cannot be run") && said.contains("apt-get"), "{said}");
        // The test program itself may lie where only root can reach it.
        let copy = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::copy(myself, &copy).unwrap();
        let said = probe(crate::as_user(65534, std::process::Command::new(&copy).current_dir("/")));
        assert!(said.contains("this test needs root"), "{said}");
    }

    /// Run once more by the test above, as on a machine that lacks something.
    #[test]
    fn probe() {
        if rustix::process::geteuid().is_root() { require!(fs Ntfs) } else { require!(root) }
    }
}
