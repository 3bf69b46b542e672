//! A FUSE mount that is not ntfs-3g: `statfs` cannot tell the two apart, and code that takes every FUSE mount
//! for NTFS is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::mount::{Mount, is_mounted};
use crate::report;

/// A directory shown a second time through bindfs, until dropped. Needs root.
#[derive(Debug)]
pub struct Bind {
    mount: Option<Mount>,
    dir: TempDir,
}

impl Bind {
    /// Shows `source` once more, at [`Bind::path`].
    pub fn new(source: impl AsRef<Path>) -> Bind {
        let dir = tempfile::Builder::new().prefix("bind-").tempdir().unwrap();
        let at = dir.path().join("mnt");
        std::fs::create_dir(&at).unwrap();
        let mount = Mount::fuse(Command::new("bindfs").arg("-f").arg(source.as_ref()).arg(&at), &at);
        report::ran_on("bindfs");
        Bind { mount: Some(mount), dir }
    }

    /// The directory it is mounted on.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("mnt")
    }
}

impl Drop for Bind {
    fn drop(&mut self) {
        drop(self.mount.take());
        // If it will not go, keep the directory: removing it would remove what it shows.
        self.dir.disable_cleanup(is_mounted(&self.path()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    #[test]
    fn bind_shows_the_source_through_fuse_and_leaves_it_alone() {
        let source = tempfile::tempdir().unwrap();
        tree!(source, { "f" => file("text"), "l" => symlink("f") });
        let bind = Bind::new(source.path());
        let path = bind.path();
        assert_eq!(std::fs::read(path.join("l")).unwrap(), b"text");
        assert_eq!(rustix::fs::statfs(&path).unwrap().f_type, 0x6573_5546, "FUSE_SUPER_MAGIC");
        assert_eq!(crate::ntfs::ntfs_attrib(path.join("f")), None);
        drop(bind);
        assert!(!path.exists() && source.path().join("f").exists());
    }
}
