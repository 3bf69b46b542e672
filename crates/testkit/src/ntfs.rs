//! NTFS as ntfs-3g shows it: reparse points by extended attribute, and the `$Reparse` index of the image.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{XattrFlags, lremovexattr, lsetxattr};

use crate::canary::attribute;
use crate::require;
use crate::volume::Volume;

/// The extended attribute that holds a reparse point, header and all. It is never listed.
pub const REPARSE_DATA: &str = "system.ntfs_reparse_data";
/// The extended attribute with the file attributes. It is never listed.
pub const ATTRIB: &str = "system.ntfs_attrib";

/// Makes `path` the reparse point that `data` (header and all) describes, and returns when the system shows it.
///
/// The type of the file changes behind the kernel's cache: for about a second `lstat` may still see the plain
/// directory or file, or fail once with EIO.
pub fn set_reparse(path: impl AsRef<Path>, data: &[u8]) {
    let path = path.as_ref();
    lsetxattr(path, REPARSE_DATA, data, XattrFlags::empty())
        .unwrap_or_else(|e| panic!("cannot set the reparse point {}: {e}", path.display()));
    settle(path, |meta| !meta.is_dir() && !meta.is_file());
    assert_eq!(get_reparse(path).as_deref(), Some(data), "the reparse point {} reads differently", path.display());
}

/// The reparse point at `path`, header and all; `None` if it is none, or not on ntfs-3g.
pub fn get_reparse(path: impl AsRef<Path>) -> Option<Vec<u8>> {
    attribute(path.as_ref(), REPARSE_DATA.as_bytes())
}

/// Turns the reparse point at `path` back into a plain file or directory, and returns when the system shows it.
pub fn remove_reparse(path: impl AsRef<Path>) {
    let path = path.as_ref();
    lremovexattr(path, REPARSE_DATA)
        .unwrap_or_else(|e| panic!("cannot remove the reparse point {}: {e}", path.display()));
    settle(path, |meta| meta.is_dir() || meta.is_file());
}

/// The file attributes (FILE_ATTRIBUTE_*) of `path`; `None` if it is not on ntfs-3g.
pub fn ntfs_attrib(path: impl AsRef<Path>) -> Option<u32> {
    Some(u32::from_ne_bytes(attribute(path.as_ref(), ATTRIB.as_bytes())?.try_into().unwrap()))
}

fn settle(path: &Path, shown: impl Fn(&std::fs::Metadata) -> bool) {
    let start = Instant::now();
    while !path.symlink_metadata().is_ok_and(|meta| shown(&meta)) {
        let waited = start.elapsed();
        assert!(waited < Duration::from_secs(3), "{} does not change its type", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One entry of the index `$R` of `$Extend/$Reparse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// The reparse tag.
    pub tag: u32,
    /// The number of the MFT record: the inode number that ntfs-3g shows.
    pub mft: u64,
    /// The sequence number of that record.
    pub sequence: u16,
}

impl Volume {
    /// What `ntfsinfo ARGS IMAGE` prints. The volume has to be unmounted.
    pub fn ntfsinfo(&self, args: &[&str]) -> String {
        let output = require::run(Command::new("ntfsinfo").args(args).arg(self.unmounted_image()));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The entries of the index of reparse points, in order. The volume has to be unmounted.
    pub fn reparse_index(&self) -> Vec<IndexEntry> {
        parse_index(&self.ntfsinfo(&["-F", "$Extend/$Reparse", "-v"]))
    }
}

fn parse_index(text: &str) -> Vec<IndexEntry> {
    // "Key reparse tag:  0xa0000003 (mount point)", then "Key file id:  281474976710720 (0x1000000000040)".
    let values = |label: &str| {
        let lines = text.lines().filter_map(move |line| line.trim().strip_prefix(label)).collect::<Vec<_>>();
        lines.into_iter().map(|value| value.split_whitespace().next().unwrap().to_owned())
    };
    let (tags, files) = (values("Key reparse tag:"), values("Key file id:"));
    assert_eq!(tags.len(), files.len(), "ntfsinfo speaks otherwise than expected:\n{text}");
    let mut entries: Vec<_> = tags
        .zip(files)
        .map(|(tag, file)| {
            let file: u64 = file.parse().unwrap();
            let tag = u32::from_str_radix(tag.trim_start_matches("0x"), 16).unwrap();
            IndexEntry { tag, mft: file & 0xffff_ffff_ffff, sequence: (file >> 48) as u16 }
        })
        .collect();
    entries.sort_unstable();
    entries
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::{Fs, Snapshot, tree};

    /// `mklink /j L C:\t`.
    fn junction() -> Vec<u8> {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let names = [utf16("\\??\\C:\\t\0"), utf16("C:\\t\0")].concat();
        let header = [3, 0, 0, 0xa0, 0x24, 0, 0, 0, 0, 0, 0x10, 0, 0x12, 0, 8, 0];
        [header.as_slice(), &names].concat()
    }

    #[test]
    fn a_junction_is_followed_listed_in_the_index_and_removed() {
        let mut volume = Volume::new(Fs::Ntfs, 0);
        let at = |name: &str| volume.path().join(name);
        tree!(volume.path(), { "t/f" => file("text"), "j" => dir, "plain" => dir });
        set_reparse(at("j"), &junction());
        assert_eq!(get_reparse(at("j")).unwrap(), junction());
        assert_eq!(get_reparse(at("plain")), None);
        assert_eq!(ntfs_attrib(at("j")).unwrap() & 0x400, 0x400, "FILE_ATTRIBUTE_REPARSE_POINT");
        assert_eq!(fs::read(at("j/f")).unwrap(), b"text");
        let mft = at("j").symlink_metadata().unwrap().ino();
        volume.unmount();
        assert_eq!(volume.reparse_index(), [IndexEntry { tag: 0xa000_0003, mft, sequence: 1 }]);
        volume.mount();
        let j = volume.path().join("j");
        remove_reparse(&j);
        assert!(j.is_dir() && !j.is_symlink() && get_reparse(&j).is_none());
        volume.unmount();
        assert_eq!(volume.reparse_index(), []);
    }

    #[test]
    fn an_index_of_many_blocks_is_read_whole() {
        let mut volume = Volume::new(Fs::Ntfs, 0);
        for n in 0..500 {
            let name = volume.path().join(n.to_string());
            fs::create_dir(&name).unwrap();
            // No waiting for each of them to show.
            lsetxattr(&name, REPARSE_DATA, &junction(), XattrFlags::empty()).unwrap();
        }
        volume.unmount();
        let index = volume.reparse_index();
        assert_eq!(index.len(), 500);
        assert!(index.windows(2).all(|pair| pair[0].mft < pair[1].mft));
    }

    #[test]
    fn a_canary_sees_a_reparse_point_change_its_target() {
        let volume = Volume::new(Fs::Ntfs, 0);
        tree!(volume.path(), { "j" => dir });
        let j = volume.path().join("j");
        set_reparse(&j, &junction());
        let snapshot = Snapshot::of(&j);
        let mut other = junction();
        other[16 + 2 * 7] = b'u'; // the last letter of the substitute name
        set_reparse(&j, &other);
        assert!(snapshot.differences().contains("xattr system.ntfs_reparse_data was"));
    }

    #[test]
    fn nothing_but_ntfs_has_reparse_points() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!((get_reparse(dir.path()), ntfs_attrib(dir.path())), (None, None));
        assert!(std::panic::catch_unwind(|| set_reparse("/", &junction())).is_err());
    }
}
