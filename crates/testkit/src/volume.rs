//! Real file systems: made in an image file, mounted, filled, remounted, unmounted.

use std::fs::{File, OpenOptions, Permissions, create_dir, set_permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::mount::{Mount, is_mounted};
use crate::{report, require};

/// The kinds of file system a test can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fs {
    /// NTFS, mounted by ntfs-3g.
    Ntfs,
    /// ext4 on a loop device.
    Ext4,
    /// XFS on a loop device.
    Xfs,
    /// Btrfs on a loop device.
    Btrfs,
    /// tmpfs: no image, and what is on it is lost when it is unmounted.
    Tmpfs,
}

impl Fs {
    /// All of them.
    pub const ALL: [Fs; 5] = [Fs::Ntfs, Fs::Ext4, Fs::Xfs, Fs::Btrfs, Fs::Tmpfs];

    /// What the report of the run calls it: the name of the driver.
    pub fn name(self) -> &'static str {
        match self {
            Fs::Ntfs => "ntfs-3g",
            Fs::Ext4 => "ext4",
            Fs::Xfs => "xfs",
            Fs::Btrfs => "btrfs",
            Fs::Tmpfs => "tmpfs",
        }
    }

    /// The smallest size, in bytes, that it can be made with. Images are sparse: a big one costs little.
    pub fn smallest(self) -> u64 {
        match self {
            Fs::Ntfs => 4 << 20,
            Fs::Ext4 => 2 << 20,
            Fs::Xfs => 300 << 20,
            Fs::Btrfs => 128 << 20,
            Fs::Tmpfs => 1 << 20,
        }
    }

    fn mkfs(self, more: &[&str]) -> Option<Command> {
        let (tool, options): (_, &[&str]) = match self {
            Fs::Ntfs => ("mkntfs", &["-F", "-Q", "-q"]),
            Fs::Ext4 => ("mkfs.ext4", &["-q", "-F"]),
            Fs::Xfs => ("mkfs.xfs", &["-q", "-f"]),
            Fs::Btrfs => ("mkfs.btrfs", &["-q", "-f"]),
            Fs::Tmpfs => return None,
        };
        let mut command = Command::new(tool);
        command.args(options).args(more);
        Some(command)
    }
}

/// A file system of the test's own, mounted until it is dropped. Needs root.
#[derive(Debug)]
pub struct Volume {
    fs: Fs,
    size: u64,
    options: String,
    mount: Option<Mount>,
    dir: TempDir,
}

impl Volume {
    /// A new file system of `size` bytes, or [`Fs::smallest`] if that is more, mounted; the run report says so.
    pub fn new(fs: Fs, size: u64) -> Volume {
        Volume::with_options(fs, size, "")
    }

    /// [`Volume::new`] with mount options besides the usual ones: `"permissions,special_files=wsl"`.
    pub fn with_options(fs: Fs, size: u64, options: &str) -> Volume {
        let volume = Volume::unreported(fs, size, options);
        report::ran_on(fs.name());
        volume
    }

    /// An NTFS volume made with options of mkntfs besides the usual ones, `&["-c", "65536"]`, and with mount
    /// options as in [`Volume::with_options`].
    pub fn ntfs(size: u64, mkntfs_options: &[&str], mount_options: &str) -> Volume {
        let volume = Volume::made(Fs::Ntfs, size, mkntfs_options, mount_options);
        report::ran_on(Fs::Ntfs.name());
        volume
    }

    pub(crate) fn unreported(fs: Fs, size: u64, options: &str) -> Volume {
        Volume::made(fs, size, &[], options)
    }

    fn made(fs: Fs, size: u64, mkfs_options: &[&str], options: &str) -> Volume {
        let dir = tempfile::Builder::new().prefix("volume-").tempdir().unwrap();
        // Whatever the umask is: a test may run a command as an ordinary user.
        set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let size = size.max(fs.smallest());
        let mut volume = Volume { fs, size, options: options.to_owned(), mount: None, dir };
        create_dir(volume.path()).unwrap();
        if let Some(mut mkfs) = fs.mkfs(mkfs_options) {
            File::create(volume.image_path()).unwrap().set_len(size).unwrap();
            require::run(mkfs.arg(volume.image_path()));
        }
        volume.mount();
        volume
    }

    /// Which kind it is.
    pub fn fs(&self) -> Fs {
        self.fs
    }

    /// The directory it is mounted on.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("mnt")
    }

    /// The image file. Its content is what is on the volume only while that is unmounted. Panics for tmpfs.
    pub fn image(&self) -> PathBuf {
        assert!(self.fs != Fs::Tmpfs, "tmpfs has no image");
        self.image_path()
    }

    fn image_path(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    /// Whether it is mounted at present.
    pub fn is_mounted(&self) -> bool {
        is_mounted(&self.path())
    }

    /// Mounts it again after [`Volume::unmount`].
    pub fn mount(&mut self) {
        self.mount_with(None);
    }

    fn mount_with(&mut self, more: Option<&str>) {
        assert!(self.mount.is_none(), "{} is mounted already", self.path().display());
        let size = format!("size={}", self.size);
        let own = match self.fs {
            Fs::Ntfs => "no_detach",
            Fs::Tmpfs => &size,
            _ => "loop",
        };
        let options = [Some(own), Some(self.options.as_str()), more];
        let options: Vec<_> = options.into_iter().flatten().filter(|option| !option.is_empty()).collect();
        let mut command = Command::new(match self.fs {
            // The one of the two drivers that knows the option.
            Fs::Ntfs if self.options.contains("ignore_case") => "lowntfs-3g",
            Fs::Ntfs => "ntfs-3g",
            _ => "mount",
        });
        command.args(["-o", &options.join(",")]);
        self.mount = Some(match self.fs {
            Fs::Ntfs => Mount::fuse(command.args([self.image_path(), self.path()]), &self.path()),
            Fs::Tmpfs => Mount::kernel(command.args(["-t", "tmpfs", "tmpfs"]).arg(self.path()), &self.path()),
            fs => Mount::kernel(command.args(["-t", fs.name()]).args([self.image_path(), self.path()]), &self.path()),
        });
    }

    /// Unmounts it and waits until everything is in the image. Panics if it stays busy.
    pub fn unmount(&mut self) {
        self.mount.take().expect("the volume is mounted").end();
    }

    /// Unmounts and mounts it again: what is there afterwards is on the disk. Not for tmpfs, which forgets.
    pub fn remount(&mut self) {
        assert!(self.fs != Fs::Tmpfs, "tmpfs loses everything when it is unmounted");
        self.unmount();
        self.mount();
    }

    /// Makes it read-only: unmounted and mounted again, or for tmpfs, which would forget, changed in place.
    pub fn remount_read_only(&mut self) {
        if self.fs == Fs::Tmpfs {
            require::run(Command::new("mount").args(["-o", "remount,ro"]).arg(self.path()));
        } else {
            self.unmount();
            self.mount_with(Some("ro"));
        }
    }

    /// Writes the file `filler` at the top until not a byte of data fits any more, and returns its path.
    ///
    /// Names are another matter: a short symlink or an empty file may still find room in an inode or in a
    /// directory block. Remove the filler to have the space back.
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        // What a file system reserves for delayed writes comes back with fsync: until a whole round finds no room.
        loop {
            let length = file.metadata().unwrap().len();
            let mut size = 1 << 20;
            while size > 0 {
                match file.write(&vec![0xf1; size]) {
                    Ok(_) => {}
                    Err(e) if e.kind() == ErrorKind::StorageFull => size /= 2,
                    Err(e) => panic!("cannot fill {}: {e}", self.path().display()),
                }
            }
            match file.sync_all() {
                Err(e) if e.kind() != ErrorKind::StorageFull => panic!("cannot sync the filler: {e}"),
                _ if file.metadata().unwrap().len() == length => return path,
                _ => {}
            }
        }
    }

    pub(crate) fn unmounted_image(&self) -> PathBuf {
        assert!(self.mount.is_none(), "the volume is mounted: the image is not up to date");
        self.image()
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        drop(self.mount.take());
        // Never let the removal of the temporary directory run into something still mounted in it.
        self.dir.disable_cleanup(is_mounted(&self.path()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Snapshot, tree};

    #[test]
    fn every_volume_keeps_its_files_over_a_remount_and_goes_away() {
        for fs in Fs::ALL {
            let mut volume = Volume::new(fs, 0);
            let dir = volume.dir.path().to_owned();
            assert!(volume.is_mounted(), "{fs:?}");
            tree!(volume.path(), { "d/f" => file("text") });
            Snapshot::of(volume.path()).assert_unchanged();
            if fs != Fs::Tmpfs {
                volume.unmount();
                assert!(!volume.is_mounted() && !volume.path().join("d").exists(), "{fs:?}");
                volume.mount();
                volume.remount();
            }
            assert_eq!(fs::read(volume.path().join("d/f")).unwrap(), b"text", "{fs:?}");
            volume.remount_read_only();
            assert_eq!(fs::read(volume.path().join("d/f")).unwrap(), b"text", "{fs:?}");
            let error = fs::write(volume.path().join("g"), "").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReadOnlyFilesystem, "{fs:?}");
            drop(volume);
            assert!(!dir.exists(), "{fs:?} left {}", dir.display());
        }
    }

    #[test]
    fn a_full_volume_has_room_for_nothing() {
        for fs in Fs::ALL {
            let volume = Volume::new(fs, 0);
            tree!(volume.path(), { "f" => file("") });
            let filler = volume.fill();
            let more = fs::write(volume.path().join("f"), vec![1; 8192]);
            assert_eq!(more.unwrap_err().kind(), ErrorKind::StorageFull, "{fs:?}");
            fs::remove_file(filler).unwrap();
            fs::write(volume.path().join("f"), vec![1; 8192]).unwrap_or_else(|e| panic!("{fs:?}: {e}"));
        }
    }

    #[test]
    fn a_failing_test_with_a_file_open_leaves_no_mount_behind() {
        for fs in [Fs::Ext4, Fs::Ntfs] {
            let (mut path, mut open) = (PathBuf::new(), None);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let volume = Volume::new(fs, 0);
                path = volume.path();
                open = Some(File::create(path.join("f")).unwrap());
                panic!("on purpose");
            }));
            assert!(outcome.is_err() && open.is_some() && !path.exists(), "{fs:?}");
        }
    }

    #[test]
    fn options_reach_the_mount() {
        let volume = Volume::with_options(Fs::Ext4, 0, "noatime");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let line = mounts.lines().find(|line| line.contains(volume.path().to_str().unwrap())).unwrap();
        assert!(line.contains("noatime"), "{line}");
    }
}
