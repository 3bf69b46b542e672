//! Commands as an ordinary user.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Lets `command` run as the user `uid` and the group of the same number, with no other groups and no
/// capabilities; 65534 is nobody. Needs root.
///
/// The standard library drops the supplementary groups itself when root sets a uid. The environment stays:
/// HOME is still that of the caller. Build output below root's home, and temporary files (0600), are out of the
/// user's reach.
pub fn as_user(uid: u32, command: &mut Command) -> &mut Command {
    command.gid(uid).uid(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_has_no_groups_no_capabilities_and_no_access() {
        let said = |command: &mut Command| {
            let output = as_user(65534, command).output().unwrap();
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
        };
        assert_eq!(said(Command::new("id").arg("-u")), "65534\n");
        assert_eq!(said(Command::new("id").arg("-G")), "65534\n");
        let status = said(Command::new("cat").arg("/proc/self/status"));
        assert!(status.contains("CapEff:\t0000000000000000\n"), "{status}");
        let private = tempfile::NamedTempFile::new().unwrap();
        assert!(said(Command::new("cat").arg(private.path())).contains("Permission denied"));
    }
}
