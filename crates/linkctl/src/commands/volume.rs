//! `--volume`: volumes that need not be mounted, for the verbs that read.

use std::path::{Path, PathBuf};

use links::volume::{self, Volume, VolumeScan, Volumes};

use crate::args::{DriveOption, VolumeOptions};
use crate::failure::{Failure, remark};
use crate::output;
use crate::session::ticking;

/// Opens the volumes of the source that was named, and says what is worth knowing about it.
pub(super) fn open(options: &VolumeOptions, drive: &DriveOption) -> Result<Volumes, Failure> {
    let source = options.volume.as_deref().unwrap_or(Path::new(""));
    let opened = volume::open(source, options.partition, drive.drive)?;
    remark(&opened.notes);
    Ok(opened)
}

/// Runs something on a volume, with what was read so far on the terminal.
pub(super) fn reading<T>(volume: &Volume, work: impl FnOnce(&Volume) -> T) -> T {
    ticking(|| format!("{} MiB read", volume.bytes_read() >> 20), |_| work(volume))
}

/// The volume that a path is on.
pub(super) fn one<'v>(volumes: &'v [Volume], path: &Path) -> Result<&'v Volume, Failure> {
    let mut named = volumes.iter().filter(|volume| volumes.len() == 1 || volume.names_itself(path));
    named.next().ok_or_else(|| {
        let text = format!("{} is on one of several volumes", output::sanitize::quoted(path));
        let roots: Vec<&str> = volumes.iter().map(Volume::root).collect();
        let hint = format!("say which with --partition, or begin the path with {}", roots.join(", "));
        Failure::usage(text, hint)
    })
}

/// Each volume, with the paths that are on it. Where paths are named, volumes without one are left out.
pub(super) fn confined<'v>(volumes: &'v [Volume], scan: &VolumeScan) -> Result<Vec<(&'v Volume, VolumeScan)>, Failure> {
    let home = |path: &PathBuf| one(volumes, path).map(Volume::root);
    let homes: Vec<&str> = scan.roots.iter().map(home).collect::<Result<_, _>>()?;
    let target = scan.points_to.as_ref().filter(|_| volumes.len() > 1).map(home).transpose()?;
    let on = |volume: &'v Volume| {
        let roots = scan.roots.iter().zip(&homes).filter(|(_, home)| **home == volume.root());
        let roots: Vec<PathBuf> = roots.map(|(path, _)| path.clone()).collect();
        let is_wanted = target.is_none_or(|home| home == volume.root()) && roots.is_empty() == scan.roots.is_empty();
        is_wanted.then(|| (volume, VolumeScan { roots, ..scan.clone() }))
    };
    Ok(volumes.iter().filter_map(on).collect())
}
