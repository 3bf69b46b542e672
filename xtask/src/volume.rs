//! A fresh NTFS volume, mounted with ntfs-3g for as long as the value lives.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Result;
use crate::run::{program, quietly, succeeds};

/// Big enough for examples; sparse, so it costs what is written.
const SIZE: u64 = 64 << 20;

/// The mounted volume. Dropping it unmounts it.
#[derive(Debug)]
pub(crate) struct Volume {
    mount_point: PathBuf,
}

impl Volume {
    /// Makes `image`, puts an NTFS volume in it and mounts that at `mount_point`, which is created.
    pub(crate) fn mount(image: &Path, mount_point: &Path) -> Result<Self> {
        let make = || {
            File::create_new(image)?.set_len(SIZE)?;
            std::fs::create_dir(mount_point)
        };
        make().map_err(|error| format!("{}: {error}", image.display()))?;
        // mkntfs is in a system directory, which an ordinary user's path may lack.
        quietly(
            program("mkntfs", &["--force", "--fast", "--quiet", "--label", "games"])
                .arg(image)
                .env("PATH", system_path()),
        )?;
        quietly(program("ntfs-3g", &[]).arg(image).arg(mount_point).env("PATH", system_path()))?;
        Ok(Self { mount_point: mount_point.to_path_buf() })
    }

    fn unmount(&self) -> bool {
        // A process that ends may hold the volume a moment longer.
        (0..50).any(|attempt| {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(100));
            }
            succeeds(program("umount", &[]).arg(&self.mount_point))
        })
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if !self.unmount() {
            eprintln!("xtask: {} is in use and stays mounted", self.mount_point.display());
        }
    }
}

fn system_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readme::TempDir;

    /// Needs root, as all of `cargo xtask test` does.
    #[test]
    fn volume_is_mounted_while_it_lives_and_gone_afterwards() -> Result<()> {
        let home = TempDir::new()?;
        let disk = home.path().join("disk");
        let mounted = || std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let line = format!(" {} fuse", disk.display());
        let volume = Volume::mount(&home.path().join("image"), &disk)?;
        assert!(mounted().contains(&line), "{}", mounted());
        drop(volume);
        assert!(!mounted().contains(&line), "{}", mounted());
        Ok(())
    }
}
